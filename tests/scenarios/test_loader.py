"""Test files are read with the place of everything; mistakes are told to the letter, all of them at once."""

from pathlib import Path

import pytest

from botkit.scenarios.file import loader
from botkit.scenarios.file.loader import Loaded
from botkit.scenarios.file.scenario import Deed, Expect, Person, Scenario, Script
from botkit.spec.document import Place

ROOT = Path(__file__).parents[2]
BOT = "persona: You are kind.\nmodel: gpt-4.1-mini\n"
TURNS = "- name: x\n  turns:\n"
SILENT = "      expect: silent\n"

MISTAKES = {
    "": [
        "1:1: a test file is a list of scenarios; begin each with `- name: what is tried`",
    ],
    "just words\n": [
        "1:1: a test file is a list of scenarios; begin each with `- name: what is tried`",
    ],
    "name: x\n": [
        "1:1: a test file is a list of scenarios; begin each with `- name: what is tried`",
    ],
    "[]\n": [
        "1:1: a test file is a list of scenarios; begin each with `- name: what is tried`",
    ],
    "- x\n": [
        "1:3: a scenario is a mapping; write `- name: what is tried`, and `turns:` under it",
    ],
    "- [1]\n": [
        "1:3: a scenario is a mapping; write `- name: what is tried`, and `turns:` under it",
    ],
    "- name: x\n": [
        "1:3: `turns` is missing; add it, and under it what happens, such as `hana: Hello`",
    ],
    "- turns:\n    - hana: Hi\n      expect: silent\n": [
        "1:3: name: is required; add it",
    ],
    TURNS + "    - hana: Hi\n": [
        "1:3: this scenario expects nothing, and so can never fail; add `expect:` to a turn",
    ],
    TURNS + "    - hana: Hi\n      expect:\n": [
        "4:7: expect: is empty; write something, or remove it",
    ],
    TURNS + "    - hana: Hi\n      expect: {}\n": [
        "4:7: expect: expects nothing; write what the bot should do, such as {contains: three}",
    ],
    TURNS + "    - hana: Hi\n      expect: {contains: , via: reply}\n": [
        "4:16: expect.contains: is empty; write something, or remove it",
    ],
    TURNS + "    - hana: Hi\n      exepct: silent\n": [
        "4:7: exepct: did you mean `expect`? A speaker called so must stand under `people:`",
    ],
    TURNS + "    - hana: Hi\n      expect: {contian: x}\n": [
        "4:16: expect.contian: unknown option; did you mean `contains`?",
    ],
    TURNS + "    - hana: Hi\n      expect: {says: x, takes: 2s}\n": [
        "4:16: expect.says: unknown option; there is contains, cost_below, equals, history_has, history_not, judge, language, length, matches, messages, model_calls, not, prompt_has, prompt_not, quick_replies, silent, tokens_below, via",
        "4:25: expect.takes: belongs under `model:`; move it there",
    ],
    TURNS + "    - hana: Hi\n      contains: x\n": [
        "4:7: contains: belongs under `expect:`; move it there",
    ],
    TURNS + "    - hana: Hi\n      say: x\n" + SILENT: [
        "4:7: say: belongs under `model:`; move it there",
    ],
    TURNS + "    - hana: Hi\n      ken: Ho\n" + SILENT: [
        "4:7: `hana` and `ken`: one thing happens in a turn; write `- ` before the second",
    ],
    "- name: x\n  chat: group\n  turns:\n    - hana: Hi\n      join: true\n      expect: silent\n": [
        "5:7: `hana` and `join`: one thing happens in a turn; write `- ` before the second",
    ],
    TURNS + "    - expect: silent\n": [
        "3:7: nothing happens in this turn; write who says what, such as `hana: Hello`, or one of: follow, unfollow, join, leave, come, go, redelivery, pause",
    ],
    TURNS + "    - hana:Hi\n    - Hello\n    - hana：Hi\n    - 15\n    - pause: 1h\n" + SILENT: [
        "3:7: a turn is a mapping of who speaks to what they say; write a space after the colon: `hana: …`",
        "4:7: a turn is a mapping of who speaks to what they say, such as `hana: Hello`",
        "5:7: a turn is a mapping of who speaks to what they say; write a space after the colon: `hana: …`",
        "6:7: a turn is a mapping of who speaks to what they say, such as `hana: Hello`",
    ],
    "- name: x\n  chat: group\n  turns:\n    - jion: true\n      expect: silent\n": [
        "4:7: jion: did you mean `join`? A speaker called so must stand under `people:`",
    ],
    TURNS + "    - hana: true\n" + SILENT: [
        "3:7: hana: `true` is nothing to say; write a text, in quotes",
    ],
    TURNS + "    - hana: [Hi, [Ho]]\n" + SILENT: [
        "3:18: hana[1]: a list in a list is nothing to say; write a text, in quotes",
    ],
    TURNS + "    - hana: []\n" + SILENT: [
        "3:7: hana: says nothing; write a text, or a list of them",
    ],
    TURNS + "    - hana:\n" + SILENT: [
        "3:7: hana: is empty; write something, or remove it",
    ],
    TURNS + "    - hana: {}\n" + SILENT: [
        "3:7: hana: does nothing; write one of text, sticker, image, audio, video, file, location, postback, tap, edit, unsend",
    ],
    TURNS + "    - hana: {text: Hi, image: true}\n" + SILENT: [
        "3:7: hana: does `text` and `image` at once; write a list, with one in each",
    ],
    TURNS + "    - hana: {txt: Hi}\n" + SILENT: [
        "3:14: hana.txt: unknown option; did you mean `text`?",
    ],
    TURNS + "    - hana: {text: Hi, expect: silent}\n": [
        "3:24: hana.expect: stands too deep; write it beside `hana`, in the same column",
    ],
    TURNS + "    - hana: {text: }\n" + SILENT: [
        "3:14: hana.text: is empty; write something, or remove it",
    ],
    TURNS + "    - image: true\n" + SILENT: [
        "3:7: image: is what somebody does; write `hana: {image: …}`",
    ],
    TURNS + "    - join: true\n" + SILENT: [
        "3:7: join: nobody comes or goes in a 1:1 chat; write `chat: group` above the turns",
    ],
    "- name: x\n  chat: user\n  turns:\n    - come: ken\n      expect: silent\n": [
        "4:7: come: nobody comes or goes in a 1:1 chat; write `chat: group` above the turns",
    ],
    TURNS + "    - hana: {edit: x}\n" + SILENT: [
        "3:14: hana.edit: LINE lets people edit in groups only; write `unsend: true`",
    ],
    "- name: x\n  chat: room\n  turns:\n    - hana: {edit: x}\n      expect: silent\n": [
        "4:14: hana.edit: LINE lets people edit in groups only; write `unsend: true`",
    ],
    "- name: x\n  chat: group\n  turns:\n    - hana: [a, {edit: x}]\n      chat: user\n      expect: silent\n": [
        "4:18: hana[1].edit: LINE lets people edit in groups only; write `unsend: true`",
    ],
    TURNS + "    - hana: x\n      chat: user\n" + SILENT: [
        "4:7: chat: this scenario is 1:1 already; remove the line",
    ],
    "- name: x\n  chat: group\n  turns:\n    - follow: hana\n      chat: user\n      expect: silent\n": [
        "5:7: chat: says where somebody speaks; remove it beside `follow`",
    ],
    TURNS + "    - redelivery: true\n" + SILENT: [
        "3:7: redelivery: nothing was sent before; write it after a message",
    ],
    TURNS + "    - pause: 1h\n    - redelivery: true\n" + SILENT: [
        "4:7: redelivery: nothing was sent before; write it after a message",
    ],
    TURNS + "    - pause: 2\n" + SILENT: [
        "3:7: pause: 2 is not a duration; write a number and a unit, such as 45s, 10m, 24h or 30d",
    ],
    TURNS + "    - pause: 999999d\n" + SILENT: [
        "3:7: pause: '999999d' is too long; a year (366d) is the most",
    ],
    TURNS + "    - redelivery: false\n" + SILENT: [
        "3:7: redelivery: false must be `true`",
    ],
    TURNS + "    - hana: Hi\n      expect: silent\n- name: x\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "5:3: name: is that of the scenario on line 1, too; give each its own",
    ],
    "- name: x\n  user: {persona: p, goal: g}\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:3: user: is played by a model, and `turns` are written; keep one of them",
    ],
    "- name: x\n  user: {persona: p}\n  expect: {judge: x}\n": [
        "2:3: user.goal: is required; add it",
    ],
    "- name: x\n  user: {persona: p, goal: g, turns: 99}\n": [
        "1:3: this scenario expects nothing, and so can never fail; add `expect:` beside `user:`",
        "2:31: user.turns: 99 must be 30 or less",
    ],
    "- name: x\n  chat: groop\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:3: chat: 'groop' must be one of: 'user', 'group' or 'room'",
    ],
    "- name: x\n  chat: {kind: groop}\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:10: chat.kind: 'groop' must be one of: 'user', 'group' or 'room'",
    ],
    "- name: x\n  caht: group\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:3: caht: unknown option; did you mean `chat`?",
    ],
    "- name: x\n  pause: 2h\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:3: pause: belongs under `turns:`; move it there",
    ],
    "- name: x\n  contains: 2h\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:3: contains: belongs under `expect:`; move it there",
    ],
    "- name: x\n  persona: 2h\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:3: persona: belongs under `user:`; move it there",
    ],
    "- name: x\n  at: tomorrow\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:3: at: 'tomorrow' is not a date and time; write one such as 2026-04-01 22:30",
    ],
    "- name: x\n  live: yes\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:3: live: 'yes' must be true or false",
    ],
    "- name: x\n  people: [hana]\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:3: people: must be a mapping (`name: value` lines, indented)",
    ],
    "- name: x\n  people: {hana: {nmae: x}}\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:12: people.hana.name: is required; add it",
        "2:19: people.hana.nmae: unknown option; did you mean `name`?",
    ],
    "- name: x\n  people: {'': x, \"a\\nb\": y}\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:12: people: a word must not be empty",
        "2:19: people.a\\nb: the word must be on one line, without control characters",
    ],
    TURNS + "    - hana: {image: photos/x.png}\n" + SILENT: [
        "3:14: hana.image: there is no file 'photos/x.png' in the bots folder; its path counts from there, or write `true`",
    ],
    TURNS + "    - hana: {image: ../x.png}\n" + SILENT: [
        "3:14: hana.image: '../x.png' is not in the bots folder; copy it there, and write its path from there",
    ],
    TURNS + "    - hana: {image: /etc/passwd}\n" + SILENT: [
        "3:14: hana.image: '/etc/passwd' is not in the bots folder; copy it there, and write its path from there",
    ],
    TURNS + '    - hana: {image: "a\\0b"}\n' + SILENT: [
        "3:14: hana.image: 'a\\x00b' cannot be a file; write a path in the bots folder, or `true`",
    ],
    TURNS + "    - hana: {image: x.test.yaml/y}\n" + SILENT: [
        "3:14: hana.image: there is no file 'x.test.yaml/y' in the bots folder; its path counts from there, or write `true`",
    ],
    TURNS + "    - hana: Hi\n      expect: {silent: true, contains: x, via: reply}\n": [
        "4:30: expect.contains: looks for an answer, and `silent: true` says that there is none; remove one",
        "4:43: expect.via: looks for an answer, and `silent: true` says that there is none; remove one",
    ],
    TURNS + "    - hana: Hi\n      expect: {messages: 0, contains: x}\n": [
        "4:29: expect.contains: looks for an answer, and `messages: 0` says that there is none; remove one",
    ],
    TURNS + "    - hana: Hi\n      expect: {silent: false, messages: 0}\n": [
        "4:31: expect.messages: 0 cannot be beside `silent: false`; remove one of them",
    ],
    TURNS + "    - hana: Hi\n      expect: {silent: true, messages: 2}\n": [
        "4:30: expect.messages: says that the bot speaks, and `silent` that not; remove one",
    ],
    TURNS + "    - hana: Hi\n      expect: {contains: Three o'clock, not: [four, three]}\n": [
        "4:53: expect.not: 'three' is in what `contains` looks for; remove one",
    ],
    TURNS + "    - hana: Hi\n      expect: silently\n": [
        "4:7: expect: 'silently' is no expectation; write `silent`, or a mapping such as {contains: three}",
    ],
    TURNS + "    - hana: Hi\n      expect: [silent]\n": [
        "4:7: expect: must be a mapping (`name: value` lines, indented)",
    ],
    TURNS + "    - hana: Hi\n      expect: 15\n": [
        "4:7: expect: '15' is no expectation; write `silent`, or a mapping such as {contains: three}",
    ],
    TURNS + "    - hana: Hi\n      expect: {matches: '['}\n": [
        "4:16: expect.matches: '[' is not a regular expression: unterminated character set at position 0; write \\ before a sign that is meant itself",
    ],
    TURNS + "    - hana: Hi\n      expect: {language: jp}\n": [
        "4:16: expect.language: 'jp' is no code of a language that can be told; write ja for Japanese",
    ],
    TURNS
    + "    - hana: Hi\n      expect: {cost_below: 0, tokens_below: 0, via: email, language: english, messages: -1, length: x}\n": [
        "4:16: expect.cost_below: 0 is not an amount of money; write US dollars, such as 0.002 USD",
        "4:31: expect.tokens_below: 0 must be 1 or more",
        "4:48: expect.via: 'email' must be one of: 'reply', 'button' or 'push'",
        "4:60: expect.language: 'english' is not a language's code; write one such as ja, en or zh",
        "4:79: expect.messages: -1 must be 0 or more",
        "4:93: expect.length: 'x' must be a whole number",
    ],
    TURNS + "    - hana: Hi\n      expect: {contains: {a: b}, equals: [[a]]}\n": [
        "4:16: expect.contains: must be one text, not a mapping",
        "4:43: expect.equals[0]: must be one text, not a list",
    ],
    TURNS + "    - hana: Hi\n      expect: {contains: []}\n": [
        "4:16: expect.contains: must not be an empty list",
    ],
    TURNS + "    - hana: Hi\n      model: {sya: x}\n" + SILENT: [
        "4:15: model.sya: unknown option; did you mean `say`?",
    ],
    TURNS + "    - hana: Hi\n      model: [{takes: 5}, {fails: no}]\n" + SILENT: [
        "4:16: model[0].takes: 5 is not a duration; write a number and a unit, such as 45s, 10m, 24h or 30d",
        "4:28: model[1].fails: 'no' must be one of: 'timeout', 'rate_limit', 'down' or 'overflow'",
    ],
    TURNS + "    - hana: Hi\n      model: []\n" + SILENT: [
        "4:7: model: must not be an empty list",
    ],
    TURNS + '    - "ha\\u001bna": Hi\n' + SILENT: [
        "3:7: ha\\x1bna: must be on one line, without control characters",
    ],
    TURNS + "    - ' hana': Hi\n" + SILENT: [
        "3:7:  hana: has spaces around it; remove them",
    ],
    TURNS + "    - '': Hi\n" + SILENT: [
        "3:7: a speaker needs a name; write it before the colon",
    ],
    '- name: "a\\nb"\n  turns:\n    - hana: Hi\n      expect: silent\n': [
        "1:3: name: 'a\\nb' must be on one line, without control characters",
    ],
    '- name: "a\\u202eb"\n  turns:\n    - hana: Hi\n      expect: silent\n': [
        "1:3: name: 'a\\u202eb' must be on one line, without control characters",
    ],
    '- name: "a\\ud800b"\n  turns:\n    - hana: Hi\n      expect: silent\n': [
        "1:13: this is not valid YAML: found invalid Unicode character escape code; check the indentation and the quotes",
    ],
    TURNS + "    - follow: [hana, ken]\n" + SILENT: [
        "3:7: follow: must be one text, not a list",
    ],
    TURNS + "    - hana: {quote: true}\n" + SILENT: [
        "3:7: hana: `quote` belongs to `text`; write both",
    ],
    TURNS + "    - hana: {text: x, of: y}\n" + SILENT: [
        "3:7: hana: `of` belongs to `edit` or `unsend`; write one of them beside it",
    ],
    TURNS + "    - hana: {location: {adress: x}}\n" + SILENT: [
        "3:14: hana.location.title: is required; add it",
        "3:25: hana.location.adress: unknown option; did you mean `address`?",
    ],
    TURNS + "    - hana: Hi\n      hana: Ho\n" + SILENT: [
        "4:7: `hana` stands here twice; keep one",
    ],
    TURNS + "    - hana: " + 5001 * "x" + "\n" + SILENT: [
        "3:7: hana: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… may have 5000 characters at most",
    ],
    TURNS + "    - at: 22:30\n" + SILENT: [
        "3:7: at: belongs to the scenario; move it beside its `name:`",
    ],
    "- name: " + 201 * "x" + "\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "1:3: name: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… may have 200 characters at most",
    ],
    "- name: a\n  turns:\n" + 101 * "    - hana: x\n": [
        "1:3: this scenario expects nothing, and so can never fail; add `expect:` to a turn",
        "103:7: turns: 101 turns; 100 are the most; divide it",
    ],
    "- name: a\n  turns: x\n  expect: silent\n": [
        "2:3: turns: must be a list of what happens, such as `- hana: Hello`",
    ],
    TURNS + "    - hana: Hi\n      expect: silent\n---\n- name: y\n": [
        "5:1: a second document starts here; put all scenarios into one list",
    ],
    "- name: x\n  people: {model: x}\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:12: people.model: is an option of turns; choose another word",
    ],
    "- name: x\n  chat: {kind: room, name: Inn}\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:22: chat.name: only groups have one; write `kind: group`, not room, or remove it",
    ],
    "- name: x\n  chat: {name: Inn}\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:10: chat.name: only groups have one; write `kind: group`, not user, or remove it",
    ],
    TURNS + "    - hana: Hi\n      model: {}\n" + SILENT: [
        "4:7: model: does nothing; write `say`, `takes` or `fails`",
    ],
    TURNS + "    - hana: Hi\n      model: {say: x, fails: down}\n" + SILENT: [
        "4:7: model: cannot both `say` something and fail; write a list, with one in each",
    ],
    "- name: x\n  user:\n  turns:\n    - hana: Hi\n      expect: silent\n": [
        "2:3: user: is empty; write something, or remove it",
    ],
    "- name: x\n  chat: group\n  turns:\n    - join: yes\n      expect: silent\n": [
        "4:7: join: 'yes' must be `true`",
    ],
    "- name: x\n  user: {persona: p, goal: g}\n": [
        "1:3: this scenario expects nothing, and so can never fail; add `expect:` beside `user:`",
    ],
}


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    """The test file of a bot."""
    (tmp_path / "inn.yaml").write_text(BOT)
    return tmp_path / "inn.test.yaml"


def load(tests: Path, text: str) -> Loaded:
    tests.write_text(text, "utf-8")
    return loader.load_tests(tests)


def good(tests: Path, text: str) -> tuple[Scenario, ...]:
    loaded = load(tests, text)
    assert loaded.problems == ()
    return loaded.scenarios


def told(tests: Path, loaded: Loaded) -> list[str]:
    return [str(problem).removeprefix(f"{tests}:") for problem in loaded.problems]


@pytest.mark.parametrize(("text", "expected"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_a_mistake_is_told_to_the_letter(tests: Path, text: str, expected: list[str]) -> None:
    loaded = load(tests, text)
    assert told(tests, loaded) == expected
    assert loaded.scenarios == ()


def test_all_mistakes_of_a_file_come_at_once(tests: Path) -> None:
    text = "- nmae: a\n- name: b\n  turns:\n    - hana: Hi\n      expect: {via: email}\n    - pause: soon\n- name: b\n"
    assert [one.partition(": ")[0] for one in told(tests, load(tests, text))] == [
        *("1:3", "1:3", "1:3", "5:16", "6:7", "7:3", "7:3"),
    ]


# ---------------------------------------------------------------- what a good file means


def test_the_long_and_the_short_forms_mean_the_same(tests: Path) -> None:
    short = TURNS + "    - hana: Hi\n      model: Hello\n      expect: {contains: hello}\n"
    long = TURNS + "    - hana: [{text: Hi}]\n      model: [{say: Hello}]\n      expect: {contains: [hello]}\n"
    (one,), (other,) = good(tests, short), good(tests, long)
    assert (one.acts[0].speaker, one.acts[0].deeds, one.acts[0].turn) == (
        "hana",
        (Deed(text="Hi"),),
        other.acts[0].turn,
    )
    assert one.acts[0].deeds == other.acts[0].deeds
    assert one.acts[0].turn.model == (Script(say="Hello"),)


def test_silent_is_a_word_for_an_expectation(tests: Path) -> None:
    text = TURNS + "    - hana: Hi\n      expect: silent\n  expect: silent\n"
    (scenario,) = good(tests, text)
    assert scenario.acts[0].turn.expect == scenario.header.expect == Expect(silent=True)


def test_a_scenario_knows_its_bot_its_number_and_its_people(tests: Path) -> None:
    text = "- {name: a, turns: [{ken: x, expect: silent}]}\n" + (
        "- name: b\n  chat: {kind: group, name: Inn friends}\n  people: {hana: {name: 花, language: ja}, ken: Ken}\n"
        "  turns: [{come: [mei, hana]}, {aoi: '@inn hi', expect: silent}]\n"
    )
    _, scenario = good(tests, text)
    assert (scenario.bot, scenario.number, scenario.name) == ("inn", 2, "b")
    assert (scenario.header.chat.kind, scenario.header.chat.name) == ("group", "Inn friends")
    assert scenario.header.people == {"hana": Person(name="花", language="ja"), "ken": Person(name="Ken")}
    assert scenario.speakers == ("hana", "ken", "mei", "aoi")


def test_everything_has_its_place(tests: Path) -> None:
    text = TURNS + "    - hana: [Hi, {tap: More}]\n      model: [one, two]\n      expect:\n        contains: [a, b]\n"
    text += "  expect: {length: 9}\n"
    (scenario,) = good(tests, text)
    (act,) = scenario.acts
    places = {path: place[1:] for path, place in act.places.items()}
    assert (scenario.place, act.place) == (Place(str(tests), 1, 3), Place(str(tests), 3, 7))
    assert places[()] == places["hana",] == (3, 7)
    assert (places["hana", 1], places["hana", 1, "tap"], places["model", 1]) == ((3, 18), (3, 19), (4, 20))
    assert (places["expect", "contains"], places["expect", "contains", 1]) == ((6, 9), (6, 23))
    assert scenario.places["expect", "length"] == Place(str(tests), 7, 12)
    assert ("turns", 0) not in scenario.places


@pytest.mark.parametrize("written", ["15", "0123", "1.50", "1e3", "true", "2026-11-22", "off"])
def test_what_is_a_text_stays_what_was_written(tests: Path, written: str) -> None:
    text = f"- name: {written}\n  people: {{hana: {written}}}\n  turns:\n" + (
        f"    - hana: [{{text: {written}}}, {{quote: {written}x, text: a}}]\n      model: {written}\n"
        f"      expect: {{contains: {written}, not: [no, -{written}], prompt_has: [a, {written}]}}\n"
    )
    (scenario,) = good(tests, text)
    turn, expect = scenario.acts[0].turn, scenario.acts[0].turn.expect
    assert expect is not None
    assert (scenario.name, scenario.header.people["hana"].name) == (written, written)
    assert (scenario.acts[0].deeds[0].text, turn.model[0].say) == (written, written)
    assert (expect.contains, expect.not_, expect.prompt_has) == ((written,), ("no", f"-{written}"), ("a", written))


def test_a_number_may_be_said(tests: Path) -> None:
    (scenario,) = good(tests, TURNS + "    - hana: 0123\n    - hana: [1.50, Hi]\n" + SILENT)
    assert [deed.text for act in scenario.acts for deed in act.deeds] == ["0123", "1.50", "Hi"]


@pytest.mark.parametrize(
    ("written", "millionths"), [("0.002 USD", 2000), ("$1", 1_000_000), ("0.00001", 10), ("0.0000001 USD", 1)]
)
def test_money_is_in_millionths_of_a_dollar(tests: Path, written: str, millionths: int) -> None:
    (scenario,) = good(tests, TURNS + f"    - hana: Hi\n      expect: {{cost_below: {written}}}\n")
    expect = scenario.acts[0].turn.expect
    assert expect is not None
    assert expect.cost_below == millionths


def test_a_moment_is_in_the_bots_zone_unless_it_names_another(tests: Path) -> None:
    text = "".join(
        f"- {{name: {name}, at: {at}, turns: [{{h: x, expect: silent}}]}}\n"
        for name, at in (("a", "2026-04-01 22:30"), ("b", "2026-04-01 22:30+09:00"))
    )
    own, other = (scenario.header.at for scenario in good(tests, text))
    assert own.tzinfo is None
    assert (other - own.replace(tzinfo=other.tzinfo)).total_seconds() == 0


def test_a_photo_lies_in_the_bots_folder(tests: Path) -> None:
    (tests.parent / "photos").mkdir()
    (tests.parent / "photos" / "room.png").write_bytes(b"x")
    (scenario,) = good(tests, TURNS + "    - hana: [{image: photos/room.png}, {image: true}]\n" + SILENT)
    assert [deed.image for deed in scenario.acts[0].deeds] == ["photos/room.png", True]


def test_a_link_out_of_the_bots_folder_is_refused(tests: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.png"
    outside.write_bytes(b"x")
    (tests.parent / "room.png").symlink_to(outside)
    (problem,) = load(tests, TURNS + "    - hana: {image: room.png}\n" + SILENT).problems
    assert "'room.png' is not in the bots folder" in problem.text


def test_what_is_near_an_option_is_a_speaker_where_it_is_declared(tests: Path) -> None:
    text = "- name: x\n  people: {modle: Modle}\n  turns:\n    - modle: Hi\n" + SILENT
    (scenario,) = good(tests, text)
    assert scenario.acts[0].speaker == "modle"


@pytest.mark.parametrize(
    "name", ["jon", "Goh", "Chad", "noel", "joe", "花子", "user", "the guest", "Ana María", "👩‍🚒"]
)
def test_people_may_have_names_that_are_somewhat_like_options(tests: Path, name: str) -> None:
    (scenario,) = good(tests, TURNS + f"    - {name}: Hi\n" + SILENT)
    assert scenario.speakers == (name,)


# ---------------------------------------------------------------- what is no mistake, but may be one


def test_a_speaker_who_is_nearly_another_is_told_of(tests: Path) -> None:
    text = TURNS + "    - hana: Hi\n    - hanna: Hi\n    - hana: Hi\n" + SILENT
    loaded = load(tests, text)
    assert len(loaded.scenarios) == 1
    (remark,) = loaded.remarks
    assert str(remark).removeprefix(f"{tests}:") == (
        "4:7: hanna: is nearly `hana`, but somebody else; correct it, or name both under `people:`"
    )
    assert remark.severity == "warning"


@pytest.mark.parametrize("others", [("ken", "kent"), ("guest-10", "guest-11"), ("hana", "mei")])
def test_others_are_not(tests: Path, others: tuple[str, str]) -> None:
    assert load(tests, TURNS + "".join(f"    - {name}: Hi\n" for name in others) + SILENT).remarks == ()


def test_who_is_declared_is_meant(tests: Path) -> None:
    text = "- name: x\n  people: {hanna: Hanna}\n  turns:\n    - hana: Hi\n    - hana: Hi\n    - hanna: Hi\n"
    assert load(tests, text + SILENT).remarks == ()


# ---------------------------------------------------------------- files


def test_the_test_files_of_a_folder_are_found_by_their_names(tmp_path: Path) -> None:
    for name in ("b.yaml", "b.test.yaml", "a.test.yaml", "_c.test.yaml", ".d.test.yaml", "a.test.json", "a.test.yaml~"):
        (tmp_path / name).write_text("")
    assert [path.name for path in loader.test_files(tmp_path)] == ["a.test.yaml", "b.test.yaml"]
    assert [loader.stem_of(path) for path in loader.test_files(tmp_path, ["b", "x"])] == ["b"]
    assert loader.test_files(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("bots", "cure"),
    [
        (["concierge", "tutor"], "rename it to concierge.test.yaml"),
        (["tutor"], "rename it to tutor.test.yaml"),
        (["tutor", "assistant"], "a test file is named for its bot"),
        ([], "a test file is named for its bot"),
    ],
)
def test_a_test_file_without_its_bot_is_told_with_the_bot_that_may_be_meant(
    tmp_path: Path, bots: list[str], cure: str
) -> None:
    for name in bots:
        (tmp_path / f"{name}.yaml").write_text(BOT)
    tests = tmp_path / "conceirge.test.yaml"
    loaded = load(tests, TURNS + "    - hana: Hi\n" + SILENT)
    assert list(map(str, loaded.problems)) == [f"{tests}: there is no bot conceirge.yaml beside it; {cure}"]
    assert loaded.scenarios == ()


def test_a_file_that_cannot_be_read_is_a_problem_of_its_own(tests: Path) -> None:
    tests.mkdir()
    assert told(tests, loader.load_tests(tests)) == [" it cannot be read: Is a directory; check the file"]


@pytest.mark.parametrize("path", loader.test_files(ROOT / "bots"), ids=loader.stem_of)
def test_the_examples_are_good(path: Path) -> None:
    loaded = loader.load_tests(path)
    assert (loaded.problems, loaded.remarks) == ((), ())
    assert loaded.scenarios


# ---------------------------------------------------------------- much, and hostile


def test_a_file_of_hundreds_of_scenarios_is_read(tests: Path) -> None:
    turn = "    - hana: When is breakfast?\n      model: From seven.\n      expect: {contains: [seven, from], messages: 1}\n"
    text = "".join(f"- name: number {number}\n  turns:\n{4 * turn}" for number in range(400))
    assert [len(scenario.acts) for scenario in good(tests, text)] == [4] * 400


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"- " * 60 + b"x", "1:103: nested deeper than 50; flatten it"),
        (b"[" * 100_000, "1:52: nested deeper than 50; flatten it"),
        (b"- {}\n" * 60_000, "50000:3: more than 50,000 values; keep fewer scenarios"),
        (b"- {}\n" * 501, "501:3: 501 scenarios; 500 are the most of one file"),
        (
            b"x" * (1024 * 1024 + 1),
            "1:1: 1,048,577 bytes; a test file may have 1,048,576; keep fewer scenarios, or say less in each",
        ),
        (bytes(range(256)), "1:1: byte 128 is not UTF-8; save the file as UTF-8"),
        ("- name: x".encode("utf-16"), "1:1: byte 0 is not UTF-8; save the file as UTF-8"),
    ],
    ids=["deep", "deeper", "many values", "many scenarios", "long", "binary", "utf-16"],
)
def test_what_is_too_much_is_refused_at_once(tests: Path, content: bytes, expected: str) -> None:
    tests.write_bytes(content)
    assert told(tests, loader.load_tests(tests)) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        TURNS + "    - {" + ", ".join(f"s{number}: x" for number in range(2_000)) + "}\n",
        TURNS + "    - ? " + 500_000 * "k" + "\n      : Hi\n" + SILENT,
        TURNS + "    - hana: [" + 40_000 * "x," + "x]\n" + SILENT,
        TURNS + "    - hana: Hi\n      expect: {contains: [" + 20_000 * "a," + "b], not: [" + 20_000 * "c," + "d]}\n",
        TURNS + "    - hana: Hi\n      expect: {matches: '" + 900 * "(" + "'}\n",
        TURNS + "    - hana: Hi\n      expect: {matches: '" + 2_000 * "a" + "'}\n",
        "- &a {name: x}\n- *a\n",
        "- !!python/object:os.system {name: x}\n",
        "- name: x\n  at: 9999-12-31 23:59\n  turns: [{h: x, expect: silent}]\n",
    ],
    ids=["speakers", "long name", "messages", "texts", "brackets", "pattern", "alias", "tag", "end of time"],
)
def test_hostile_files_are_refused_in_short_sentences(tests: Path, text: str) -> None:
    loaded = load(tests, text)
    assert loaded.scenarios == ()
    assert loaded.problems
    assert len(loaded.problems) <= 50
    assert all(len(str(problem)) < 400 and str(problem).isprintable() for problem in loaded.problems)
