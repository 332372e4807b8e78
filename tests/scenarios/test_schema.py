"""The JSON Schema of test files takes what their loader takes; the page explains what both know."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from botkit.scenarios.file import loader
from botkit.scenarios.file.reference import scenarios_reference
from botkit.scenarios.file.scenario import HAPPENINGS, Deed, Expect, Guest, Header, Person, Script, Setting, Turn
from botkit.scenarios.file.schema import scenarios_schema
from botkit.scenarios.performance import Case
from botkit.scenarios.running import play
from botkit.spec import document
from botkit.spec.problems import options_of
from tests.scenarios.test_loader import BOT, MISTAKES, SILENT, TURNS
from tests.spec.test_schema import objects

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft202012Validator(scenarios_schema())

# What only the loader can see, by words of its messages; everything else the schema must refuse.
UNSEEN = {
    "words with a meaning": ("is no code of a language",),
    "YAML": ("not valid YAML", "stands here twice", "a second document"),
    "what could be a speaker": (
        *("did you mean `expect`? A", "did you mean `join`? A", "belongs under `expect:`", "belongs under `model:`"),
        *("one thing happens in a turn", "is what somebody does", "belongs to the scenario", "nothing to say"),
        *("spaces around it", "is an option of turns"),
    ),
    "names": ("on one line", "give each its own", "may have 200"),
    "what is done where": ("in a 1:1 chat", "in groups only", "is 1:1 already", "where somebody speaks", "only groups"),
    "one turn after another": ("nothing was sent before",),
    "one option against another": ("; remove one", "cannot both", "`of` belongs"),
    "nothing expected": ("expects nothing", "`takes` or `fails`"),
    "files": ("in the bots folder", "cannot be a file"),
    "what is a regular expression, a long time": ("is not a regular expression", "is too long"),
}

GOOD = {
    "smallest": TURNS + "    - hana: Hi\n" + SILENT,
    "everything said": TURNS
    + """    - hana: [Hi, {text: Hi, quote: true}, {text: 1, quote: 2}, {sticker: a}, {sticker: [a, 1]}, {image: true}]
      expect: {silent: false}
    - ken: {audio: Hello}
    - ken: [{video: true}, {file: a.pdf}, {location: Kyoto}, {location: {title: a, address: b}}, {postback: a=1}]
    - ken: [{tap: More}, {unsend: true}, {unsend: true, of: x}, 15, 1.5]
""",
    "everything that happens": "- name: x\n  chat: {kind: group, name: 1}\n  turns:\n"
    + """    - join: true
    - come: hana
    - go: [hana, mei]
    - follow: hana
    - unfollow: hana
    - pause: 2h
    - redelivery: true
    - ken: {edit: x, of: y}
    - ken: Hi
      chat: user
      flagged: hate
    - leave: true
      expect: silent
""",
    "models": TURNS
    + """    - hana: Hi
      model: [Hello, 15, {say: x, takes: 5s}, {fails: timeout}, {takes: 50s}, {say: ''}]
    - hana: Hi
      model: {fails: down}
    - hana: Hi
      model: 15
      flagged: [hate, violence]
      expect: silent
""",
    "expectations": TURNS
    + """    - hana: Hi
      expect: {contains: a, not: [b, 1], matches: '^a', equals: [a, b], via: push, messages: 0x, length: 1}
""".replace("0x", "2")
    + """    - hana: Hi
      expect: {quick_replies: [], prompt_has: a, prompt_not: 1, history_has: [a], history_not: b, judge: is kind}
    - hana: Hi
      expect: {model_calls: 0, tokens_below: 10, cost_below: 0.01, language: no}
    - hana: Hi
      expect: {cost_below: $0.5, quick_replies: [a, 1]}
""",
    "heads": "- {name: 1, chat: room, at: '2026-04-01', live: true, turns: [{h: 1}], expect: silent}\n"
    "- {name: b, chat: {}, people: {a: 1, b: {name: b, language: ja}}, turns: [{h: x}], expect: {judge: [a, b]}}\n"
    "- {name: c, user: {persona: a, goal: 2, turns: 30, name: g}, expect: {length: 5}}\n",
}


def refusals(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(document.read(text.encode(), "x", loader.LIMITS).data)]


def load(folder: Path, text: str) -> loader.Loaded:
    (folder / "concierge.yaml").write_text(BOT)
    tests = folder / "concierge.test.yaml"
    tests.write_text(text, "utf-8")
    return loader.load_tests(tests)


def is_seen(problem: str) -> bool:
    return not any(words in problem for kind in UNSEEN.values() for words in kind)


def test_the_schema_is_a_schema_in_one_piece() -> None:
    Draft202012Validator.check_schema(scenarios_schema())
    assert "$ref" not in json.dumps(scenarios_schema())


@pytest.mark.parametrize("text", GOOD.values(), ids=list(GOOD))
def test_what_the_loader_takes_is_taken(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text).problems == ()
    assert refusals(text) == []


@pytest.mark.parametrize("path", loader.test_files(ROOT / "bots"), ids=loader.stem_of)
def test_the_examples_are_taken(path: Path) -> None:
    assert refusals(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [text for text, problems in MISTAKES.items() if any(is_seen(problem) for problem in problems)],
)
def test_what_the_loader_refuses_for_its_shape_is_refused(text: str) -> None:
    assert refusals(text)


def test_no_part_but_a_turn_takes_unknown_options() -> None:
    shapes = list(objects(scenarios_schema()))
    open_ones = [shape for shape in shapes if shape["additionalProperties"] is not False]
    assert [set(HAPPENINGS) <= shape["properties"].keys() for shape in open_ones] == [True]


def test_every_option_of_every_model_is_there_and_explained() -> None:
    shapes = list(objects(scenarios_schema()))
    options = {name: option for shape in shapes for name, option in shape["properties"].items()}
    assert [name for name, option in options.items() if not option.get("description")] == []
    kinds = (Header, Setting, Person, Turn, Deed, Script, Expect, Guest)
    assert {name for kind in kinds for name in options_of(kind)} <= options.keys()


def test_nothing_may_be_left_empty() -> None:
    assert '"null"' not in json.dumps(scenarios_schema())


def test_defaults_are_good() -> None:
    options = [option for shape in objects(scenarios_schema()) for option in shape["properties"].values()]
    defaults = [option for option in options if "default" in option]
    assert len(defaults) > 5
    assert [bad for one in defaults for bad in Draft202012Validator(one).iter_errors(one["default"])] == []


# ---------------------------------------------------------------- the page


def test_the_page_has_every_option() -> None:
    page = scenarios_reference()
    kinds: tuple[Any, ...] = (Header, Turn, Deed, Script, Expect, Guest)
    assert [name for kind in kinds for name in options_of(kind) if f"\n| `{name}` |" not in page] == []


@pytest.mark.parametrize(
    "row",
    [
        "| `not` | The answer has none of these words. | a text or a list, each a text | – |",
        "| `join` | The bot is invited into the group (it is there otherwise). | `true` | – |",
        "| `pause` | So much time passes. | a [duration](#values) | – |",
        "| `expect` | What is expected of the whole conversation. | [what is expected](#what-is-expected) | – |",
        "| a text such as `2026-04-01 22:30` | `2026-04-01 10:00` |",
        "| `user`, `group` or `room` | `user` |",
    ],
)
def test_values_are_told_in_words(row: str) -> None:
    assert row in scenarios_reference()


def test_every_table_has_as_many_cells_as_its_header() -> None:
    tables = [block.splitlines() for block in scenarios_reference().split("\n\n") if block.startswith("| ")]
    assert len(tables) == 6
    assert all(len({line.replace(r"\|", "").count("|") for line in table}) == 1 for table in tables)


def test_its_links_lead_to_its_sections() -> None:
    page = scenarios_reference()
    anchors = {line.lstrip("# ").lower().replace(" ", "-") for line in page.splitlines() if line.startswith("## ")}
    assert {part.partition(")")[0] for part in page.split("](#")[1:]} <= anchors


EXAMPLES = [block.partition("```")[0] for block in scenarios_reference().split("```yaml\n")[1:]]
EXAMPLES = [block for block in EXAMPLES if block.startswith("- ")]


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_its_examples_are_good_and_hold(tmp_path: Path, text: str) -> None:
    loaded = load(tmp_path, text)
    assert loaded.problems == ()
    assert refusals(text) == []
    written = [scenario for scenario in loaded.scenarios if scenario.header.user is None]
    assert [failure for one in written for failure in play(Case(tmp_path, one), {}).all_failures] == []
