"""What does not hold of what was expected is told where it stands, with what came instead."""

from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from botkit.messages import Message
from botkit.ports import ChatRequest, Usage
from botkit.scenarios.expecting import patterns
from botkit.scenarios.expecting.expectations import unmet
from botkit.scenarios.expecting.phrases import marked, nearest, shown
from botkit.scenarios.file.loader import load_tests
from botkit.scenarios.file.scenario import Expect
from botkit.scenarios.performance import Case
from botkit.scenarios.results import Outcome, Said
from botkit.scenarios.running import Player
from botkit.spec.document import Path as OptionPath
from botkit.spec.document import Place

FOUR = "From four in the afternoon."
SLOW = "notice: the answer takes long; the token is spent on a button that brings it"
COURSE = ("turn: answers this event alone", "history: 2 earlier messages, 20 tokens", "model m: sent the persona, 0 …")


def said(*texts: str, **more: Any) -> Outcome:
    """An outcome with these messages; of all of them `via`, `quick_replies` and `buttons`."""
    of_message = {name: more.pop(name) for name in ("quick_replies", "buttons") if name in more}
    via = more.pop("via", "reply")
    return Outcome(said=tuple(Said(text, via, **of_message) for text in texts), **more)


def asked(*messages: tuple[Any, ...], model: str = "gpt-4.1-mini") -> ChatRequest:
    return ChatRequest(model, tuple(Message(*message) for message in messages), 10.0)


PROMPT = asked(("system", "You are the night concierge. Check-in is from 15:00."), ("user", "when is check in?", "ken"))
MEMORY = (Message("user", "Hello there\nall", "hana"), Message("assistant", "Hi, Hana."))


def misses(expect: dict[str, Any], outcome: Outcome) -> list[tuple[str, str, str]]:
    found = unmet(Expect.model_validate(expect), outcome, lambda path: Place("", 1, 1))
    return [(one.wanted, one.came, one.detail) for one in found]


@pytest.mark.parametrize(
    ("expect", "outcome"),
    [
        ({"silent": True}, said()),
        ({"silent": False}, said(FOUR)),
        ({"contains": ["FOUR in", "afternoon."]}, said(FOUR)),
        ({"contains": ["ＷＩ－ＦＩ", "パスワード", "one two"]}, said("wi-fiのﾊﾟｽﾜｰﾄﾞ: one\n  two")),
        ({"contains": "straße"}, said("STRASSE")),
        ({"contains": "tel 03"}, said("℡ 03")),
        ({"contains": "one two"}, said("one", "two")),
        ({"not": ["five", "sorry"]}, said(FOUR)),
        ({"silent": True, "not": "sorry"}, said()),
        ({"matches": [r"^From (four|five)\b.*$", r"\d\d?:\d\d", "four"]}, said(FOUR, "16:00")),
        ({"equals": FOUR}, said(f"{FOUR}\n")),
        ({"equals": "one\ntwo"}, said("one", "two\n")),
        ({"equals": "one \ntwo"}, said("one ", "two\n")),
        ({"equals": ["one", "two"]}, said("one", "two")),
        ({"via": "reply"}, said("one", "two")),
        ({"via": "button"}, said("Please wait.", via="button")),
        ({"via": "push"}, said(FOUR, via="push")),
        ({"messages": 2}, said("one", "two")),
        ({"messages": 0}, said()),
        ({"length": 5}, said("👨‍👩‍👧 ok", "か\u3099")),
        ({"messages": 0, "length": 1}, said()),
        ({"quick_replies": ["Yes", "No"]}, said("Sure?", quick_replies=("Yes", "No"))),
        ({"quick_replies": []}, said("Sure.")),
        ({"quick_replies": ["Yes"]}, Outcome((Said("Sure?", "reply"), Said("So?", "reply", quick_replies=("Yes",))))),
        ({"prompt_has": ["Night Concierge", "ken: when"], "prompt_not": "hana"}, said(prompts=(PROMPT,))),
        ({"history_has": ["hana: hello there all", "hi, hana"], "history_not": "ken"}, said(history=MEMORY)),
        ({"model_calls": 2}, said(prompts=(PROMPT, PROMPT))),
        ({"model_calls": 0}, said()),
        ({"tokens_below": 101}, said(usages=(Usage("m", 80, 10), Usage("m", 5, 5)))),
        ({"cost_below": "0.002 USD"}, said(usages=(Usage("m", 80, 10, 1999),))),
        ({"cost_below": "0.002 USD"}, said(usages=(Usage("m", 0, 0, 0),))),
        ({"language": "en"}, said(FOUR)),
        ({"language": "de"}, said("Hallo!")),
        ({"judge": "is polite"}, said("No.")),
    ],
)
def test_what_holds_is_not_told(expect: dict[str, Any], outcome: Outcome) -> None:
    assert misses(expect, outcome) == []


@pytest.mark.parametrize(
    ("expect", "outcome", "wanted", "came", "detail"),
    [
        ({"silent": True}, said(FOUR), "silence", f"the answer was “{FOUR}”", ""),
        ({"silent": False}, said(), "an answer", "nothing was said", ""),
        (
            {"silent": False},
            said(notes=(*COURSE, "groups: the bot was not addressed", *COURSE)),
            "an answer",
            "nothing was said (groups: the bot was not addressed)",
            "",
        ),
        ({"contains": "five"}, said(FOUR), "an answer with “five”", f"the answer was “{FOUR}”", ""),
        (
            {"contains": "from four in a morning"},
            said(FOUR),
            "an answer with “from four in a morning”",
            f"the answer was “{FOUR}”",
            "the nearest there is “From four in the afternoon”",
        ),
        (
            {"contains": "Yes"},
            said("Sure?", quick_replies=("No", "Yes")),
            "an answer with “Yes”",
            "the answer was “Sure?”",
            "it is on a button (“Yes”), which is not of the text",
        ),
        (
            {"contains": "three"},
            said("Try again.", notes=("model m: no answer in time", "no answer: the server is down", *COURSE)),
            "an answer with “three”",
            "the answer was “Try again.”",
            "the bot noted: no answer: the server is down",
        ),
        ({"contains": "x"}, said(), "an answer with “x”", "nothing was said", ""),
        ({"not": "x"}, said(), "an answer without “x”", "nothing was said", ""),
        ({"length": 9}, said(), "an answer of at most 9 characters", "nothing was said", ""),
        ({"prompt_not": "x"}, said(FOUR), "a prompt without “x”", "the model was not asked", ""),
        ({"not": "FOUR  in"}, said(FOUR), "an answer without “FOUR in”", f"the answer was “{FOUR}”", ""),
        (
            {"matches": r"five \d+"},
            said(FOUR),
            r"an answer that fits the pattern five \d+",
            f"the answer was “{FOUR}”",
            "",
        ),
        (
            {"matches": "^from"},
            said(FOUR),
            "an answer that fits the pattern ^from",
            f"the answer was “{FOUR}”",
            "it would fit without regard to case: begin the pattern with (?i)",
        ),
        (
            {"matches": "one.two"},
            said("one", "two"),
            "an answer that fits the pattern one.two",
            "the answer was “one two”",
            "it would fit across lines: begin the pattern with (?s)",
        ),
        ({"matches": "^$"}, said(), "an answer that fits the pattern ^$", "nothing was said", ""),
        (
            {"equals": "From three in the afternoon."},
            said(FOUR),
            "the answer “From three in the afternoon.”",
            f"the answer was “{FOUR}”",
            "From [-three-]{+four+} in the afternoon.",
        ),
        (
            {"equals": "from four in the afternoon."},
            said(FOUR),
            "the answer “from four in the afternoon.”",
            f"the answer was “{FOUR}”",
            "[-from-]{+From+} four in the afternoon.\nonly case, width or blanks differ: `contains` does not mind them",
        ),
        (
            {"equals": ["one", "two"]},
            said("one\ntwo"),
            "the messages “one”, “two”",
            "the answer was “one two”",
            "the words are the same, but in 1 message",
        ),
        (
            {"equals": ["one", "two"]},
            said("one", "three"),
            "the messages “one”, “two”",
            "the answer was “one three”",
            "one\n[-two-]{+three+}",
        ),
        ({"equals": "one"}, said(), "the answer “one”", "nothing was said", ""),
        (
            {"via": "reply"},
            said("Wait", via="button", notes=(SLOW,)),
            "an answer that comes as a reply",
            "it came as a notice with a button: “Wait”",
            f"the bot noted: {SLOW}",
        ),
        (
            {"via": "reply"},
            Outcome((Said("one", "reply"), Said("two", "push"))),
            "an answer that comes as a reply",
            "message 1 came as a reply; message 2 came as a push",
            "",
        ),
        ({"via": "push"}, said(), "an answer that comes as a push", "nothing was said", ""),
        ({"messages": 1}, said("one", "two"), "1 message", "2 messages came: “one”, “two”", ""),
        ({"messages": 2}, said("one"), "2 messages", "1 message came: “one”", ""),
        ({"messages": 2}, said(), "2 messages", "nothing was said", ""),
        ({"messages": 0}, said("one"), "no messages", "1 message came: “one”", ""),
        (
            {"length": 4},
            said("👨‍👩‍👧 ok", "か\u3099"),
            "an answer of at most 4 characters",
            "it has 5: “👨‍👩‍👧 ok か\u3099”",
            "",
        ),
        (
            {"quick_replies": ["Yes", "No"]},
            said("Sure?", quick_replies=("No", "Yes")),
            "the quick replies “Yes”, “No”",
            "the quick replies were “No”, “Yes”",
            "they are the same, but in another order",
        ),
        ({"quick_replies": ["Yes"]}, said("Sure?"), "the quick replies “Yes”", "there were none", ""),
        ({"quick_replies": ["Yes"]}, said(), "the quick replies “Yes”", "nothing was said", ""),
        (
            {"quick_replies": []},
            said("a", quick_replies=("No",)),
            "no quick replies",
            "the quick replies were “No”",
            "",
        ),
        (
            {"prompt_has": "check-in is at 15:00"},
            said(prompts=(PROMPT,)),
            "a prompt with “check-in is at 15:00”",
            "it is in none of the 2 messages that the model was sent",
            "the nearest there is “Check-in is from 15:00”\n"
            "[system] You are the night concierge. Check-in is from 15:00.\n"
            "[user] ken: when is check in?",
        ),
        (
            {"prompt_has": "three"},
            said(prompts=(asked(("user", "Hi")), asked(("user", "Hi"), model="gpt-4.1-nano"))),
            "a prompt with “three”",
            "it is in none of the 2 messages that the model was sent",
            "[call 1, user] Hi\n[call 2, user] Hi",
        ),
        (
            {"prompt_has": "three"},
            said(notes=("limits: 20 messages a minute reached; no model is asked",)),
            "a prompt with “three”",
            "the model was not asked (limits: 20 messages a minute reached; no model is asked)",
            "",
        ),
        (
            {"prompt_not": "Ken: When"},
            said(prompts=(PROMPT, PROMPT)),
            "a prompt without “Ken: When”",
            "the model was sent (call 1, user): “ken: when is check in?”",
            "",
        ),
        (
            {"history_has": "nuts"},
            said(history=MEMORY),
            "a memory of “nuts”",
            "it is in none of the 2 messages that the bot remembers",
            "[user] hana: Hello there all\n[assistant] Hi, Hana.",
        ),
        ({"history_has": "nuts"}, said(), "a memory of “nuts”", "the bot remembers nothing", ""),
        (
            {"history_not": "hi, hana"},
            said(history=MEMORY),
            "no memory of “hi, hana”",
            "the bot remembers (assistant): “Hi, Hana.”",
            "",
        ),
        ({"model_calls": 1}, said(FOUR), "a model that is asked once", "the model was not asked", ""),
        (
            {"model_calls": 0},
            said(FOUR, prompts=(PROMPT, asked(model="gpt-4.1-nano"))),
            "a model that is not asked",
            "it was asked twice (gpt-4.1-mini, gpt-4.1-nano)",
            "",
        ),
        (
            {"tokens_below": 100},
            said(usages=(Usage("m", 80, 10), Usage("m", 5, 5))),
            "fewer than 100 tokens",
            "it took 100: 85 in, 15 out",
            "",
        ),
        (
            {"cost_below": "0.002 USD"},
            said(usages=(Usage("m", 80, 10, 1500), Usage("m", 80, 10, 500))),
            "a cost below 0.002 USD",
            "it cost 0.002 USD",
            "",
        ),
        (
            {"cost_below": "0.002 USD"},
            said(usages=(Usage("m", 80, 10, 1500), Usage("mine", 80, 10))),
            "a cost below 0.002 USD",
            "nobody knows what it cost: no price of mine is known",
            "write under `model:`, in USD a million tokens, `prices: {mine: {input: 0.4, output: 1.6}}`",
        ),
        (
            {"language": "ja"},
            said(FOUR),
            "an answer in Japanese (ja)",
            f"the answer is in English (en): “{FOUR}”",
            "",
        ),
        (
            {"language": "id"},
            said("Halo!"),
            "an answer in Indonesian (id)",
            "the answer is more like English (en) or Catalan (ca) or German (de): “Halo!”",
            "that is not sure, for it is short or in several languages; expect that of longer answers, or use `contains`",
        ),
        (
            {"language": "ja"},
            said("👍 15:00"),
            "an answer in Japanese (ja)",
            "the answer has too few words to tell its language: “👍 15:00”",
            "",
        ),
        ({"language": "ja"}, said(), "an answer in Japanese (ja)", "nothing was said", ""),
    ],
)
def test_what_does_not_hold_is_told(
    expect: dict[str, Any], outcome: Outcome, wanted: str, came: str, detail: str
) -> None:
    assert misses(expect, outcome) == [(wanted, came, detail)]


def test_each_item_of_a_list_fails_at_its_own_place() -> None:
    expect = Expect.model_validate(
        {
            "contains": ["four", "five", "six"],
            "not": ["sorry", "four"],
            "matches": ["^F", "^G"],
            "prompt_has": ["concierge", "butler"],
            "prompt_not": ["butler", "concierge"],
            "history_has": ["hana", "ken"],
            "history_not": ["ken", "hana"],
        }
    )
    asked_for: list[OptionPath] = []

    def place_of(path: OptionPath) -> Place:
        asked_for.append(path)
        return Place("desk.test.yaml", len(asked_for), 7)

    found = unmet(expect, said(FOUR, prompts=(PROMPT,), history=MEMORY), place_of)
    assert sorted(asked_for, key=str) == [
        ("contains", 1),
        ("contains", 2),
        ("history_has", 1),
        ("history_not", 1),
        ("matches", 1),
        ("not", 1),
        ("prompt_has", 1),
        ("prompt_not", 1),
    ]
    assert [(one.expectation, one.place.line) for one in found] == [
        (str(path[0]), line) for line, path in enumerate(asked_for, 1)
    ]
    assert {one.fault for one in found} == {"unmet"}


def test_a_failure_stands_where_the_file_says_it(tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text("persona: You are a desk.\nmodel: gpt-4.1-mini\n", "utf-8")
    (tmp_path / "desk.test.yaml").write_text(
        "- name: it\n"
        "  turns:\n"
        "    - hana: Hello\n"
        "      model: From four.\n"
        "      expect:\n"
        "        contains: [four, five]\n"
        "        cost_below: 0.000001 USD\n"
        "  expect: {not: from}\n",
        "utf-8",
    )
    (scenario,) = load_tests(tmp_path / "desk.test.yaml").scenarios
    result = Player({}).play(Case(tmp_path, scenario))
    assert [(one.expectation, one.place.line, one.place.column) for one in result.all_failures] == [
        ("contains", 6, 26),
        ("cost_below", 7, 9),
        ("not", 8, 12),
    ]


# ---------------------------------------------------------------- patterns


def test_a_pattern_that_takes_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "PATIENCE", 0.5)
    began = monotonic()
    found = misses({"matches": "(a|aa)+$"}, said("a" * 60 + "b"))
    assert monotonic() - began < 20
    assert found == [
        (
            "an answer that fits the pattern (a|aa)+$",
            f"the search for it takes too long, and was given up: “{'a' * 60}b”",
            "simplify it: repeats of repeats, such as (a+)+, may never end",
        )
    ]


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "a*a*b", "(a?){9}a{9}", r"(a+)\1", "(?P<x>a)(?P=x)"])
def test_what_may_take_long_is_looked_for_elsewhere(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns.sys, "executable", "/nowhere")
    with pytest.raises(patterns.TooLong):
        patterns.fits(pattern, "aab")


@pytest.mark.parametrize(
    ("pattern", "text", "is_there"),
    [
        ("three|four", "four", True),
        (r"^\d+$", "x\n42\ny", True),
        (r"\(\+\)*", "(+", True),
        ("(?i)FOUR", "four", True),
        (r"(\w)\1", "book", True),
        (r"(\w)\1", "bok", False),
        ("^a+ \ud800?é+$", "x\naa é", True),
    ],
)
def test_patterns_are_pythons(pattern: str, text: str, is_there: bool) -> None:
    assert patterns.fits(pattern, text) is is_there


# ---------------------------------------------------------------- phrases


def test_of_a_long_text_the_part_in_question_is_shown() -> None:
    text = "one " * 300 + "and then NEEDLE here " + "two " * 300
    ((_, came, _),) = misses({"not": "needle"}, said(text))
    assert "then NEEDLE here" in came
    assert came.startswith("the answer was “… ")
    assert came.endswith(" …”")
    assert len(came) < 300
    assert shown("a" * 200 + "b" * 200, 20) == "“aaaaaaaaaa … bbbbbbbbbb”"


def test_the_nearest_is_found_where_no_blanks_are_set() -> None:
    assert nearest("午後三時から", ["ようこそ。", "チェックインは午後四時からでございます。"]) == "午後四時から"
    assert nearest("three", ["the", "tree house"]) == "tree"
    assert nearest("breakfast", ["From four in the afternoon."]) == ""


def test_a_difference_shows_the_ends_of_lines_and_of_long_texts_only_what_differs() -> None:
    assert marked("a\nb", "a\n\nb") == "a\n{+⏎+}\nb"
    lines = [f"line {number}" for number in range(40)]
    assert marked("\n".join(lines), "\n".join([*lines[:20], "line x", *lines[21:]])) == "line [-20-]{+x+}"
    assert marked("word " * 3000 + "end", "word " * 3000 + "close").endswith("word [-end-]{+close+}")
