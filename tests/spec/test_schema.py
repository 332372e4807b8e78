"""The JSON Schema takes what the loader takes and, as far as a file's shape goes, refuses what it refuses."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from botkit.spec import document
from botkit.spec.bot import CustomStep, Header
from botkit.spec.files import bot_files
from botkit.spec.loader import load_file
from botkit.spec.prose import VARIABLE_WORDS
from botkit.spec.reference import reference
from botkit.spec.schema import bot_schema, first_sentence
from botkit.steps import STEPS
from botkit.steps.prose import VARIABLES
from tests.spec.test_mistakes import GOOD, MISTAKES

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft202012Validator(bot_schema())

# What only the loader can see, by words of its messages; everything else the schema must refuse.
UNSEEN = {
    "YAML": ("not valid YAML", "are not supported; ", "stands here twice", "a second document", "a key must be a word"),
    "depth": ("nested deeper",),
    "templates, and what files hold": (": persona: ", "1:1: persona: line"),
    "other files": ("extends: there is no file", "extends: goes round"),
    "names of time zones": ("is not a time zone",),
    "secret references that are well formed": ("this kind of secret reference is not available yet",),
    "one place against another": ("is not in the pipeline", "stands after `model`", "a LINE account of its own"),
    "one option against another": ("leave too little for the prompt", "needs a shared conv", "no cost can be limited"),
    "one of two options": ("line: needs `channel_id`", "is not needed beside `channel_id`"),
    "classes": ("does not start with the bots folder's name", "cannot be imported", "is not a step; subclass"),
}

GOOD_TEXTS = {
    "smallest": GOOD,
    "long forms": "persona: {text: hi, vars: {inn: x, n: 3, deep: {a: [1]}}}\nmodel: {name: m}\nhistory: {window: 5}\n",
    "short forms": "persona: hi\nmodel: m\nhistory: 5\n",
    "texts that look otherwise": "persona: 1e3\nmodel: true\ndescription: 0123\n"
    "groups: {names: [1, off]}\nreply: {quick_replies: [1.5, {label: 7, text: false}], error: 3, sender: {name: 1}}\n",
    "empty sections": GOOD + "history:\nreply:\ngroups:\nline:\n",
    "empty options": "persona: hi\nmodel: {name: m, temperature: null, context_tokens: ~, base_url: }\n",
    "numbers": "persona: hi\nmodel: {name: m, temperature: 1e0, max_output_tokens: 0100, context_tokens: 128000}\n",
    "durations": "persona: hi\nmodel: {name: m, timeout: 90 s}\nhistory: {keep: 007d}\n",
    "time zones": GOOD + "timezone: America/Argentina/Buenos_Aires\n",
    "offsets": GOOD + "timezone: Etc/GMT+9\n",
    "one secret": GOOD + f"line: {{channel_secret: env:S, channel_access_token: env:T, user_id: U{'0' * 32}}}\n",
    "no token": GOOD + "line: {channel_secret: env:S, channel_id: 2001234567}\n",
    "a quoted id": GOOD + "line: {channel_secret: env:S, channel_id: '2001234567', channel_access_token: }\n",
    "rotation": GOOD + "line: {channel_secret: [env:NEW, env:OLD], channel_access_token: env:T}\n",
    "pipeline": GOOD + "pipeline: [persona, reply, model]\n",
    "commands": GOOD + "commands: {reset: [/reset, リセット], help: /?, usage: off, say: {hours: 9 to 6, 1: one}}\n",
    "events": GOOD + "events: {follow: Hi, join: {ask: model}, unblock: [{text: Hi}, {sticker: 446/1988}]}\n",
    "postbacks": GOOD + "events: {forget_on_unfollow: true, postback: {'menu=*': Soup, 'x?': {ask: model, tell: x}}}\n",
    "limits": "persona: hi\nmodel: {name: m, prices: {m: {input: 0.4, output: 2}}}\n"
    "limits: {user: {messages: 20/min, tokens: [10k/hour, 100k/day]}, bot: {cost: 0.50 USD/month}, notice: 1}\n",
    "media": GOOD + "media: {image: text, audio: ignore, video: text, transcription: whisper-1, max_image_mb: 0.5}\n",
    "moderation": GOOD + "moderation: {input: refuse, output: off, timeout: 5s}\n",
    "markdown": GOOD + "reply: {markdown: flex, quote: false, mark_as_read: true}\n",
    "overhearing": "persona: hi\nmodel: m\nhistory: {scope: group}\ngroups: {overhear: 10, keep_overheard: 1h}\n",
    "dress": GOOD + "reply: {quick_replies: [はい, {label: a, text: b}], sender: {icon: 'https://x.jp/a.png'}}\n",
}


def refusals(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(document.read(text.encode(), "bot.yaml").data)]


def is_seen(problem: str) -> bool:
    return not any(words in problem for kind in UNSEEN.values() for words in kind)


def objects(shape: Any) -> Iterator[dict[str, Any]]:
    """Every mapping shape inside `shape`, itself included."""
    children = shape.values() if isinstance(shape, dict) else shape if isinstance(shape, list) else ()
    if isinstance(shape, dict) and "properties" in shape and "additionalProperties" in shape:
        yield shape
    for child in children:
        yield from objects(child)


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(bot_schema())


@pytest.mark.parametrize("path", bot_files(ROOT / "bots"), ids=lambda path: path.stem)
def test_the_example_bots_are_taken(path: Path) -> None:
    assert refusals(path.read_text("utf-8")) == []


@pytest.mark.parametrize("text", GOOD_TEXTS.values(), ids=list(GOOD_TEXTS))
def test_what_the_loader_takes_is_taken(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bot.yaml"
    path.write_text(text, "utf-8")
    assert load_file(path)[1] == ()
    assert refusals(text) == []


@pytest.mark.parametrize("written", ["off", "no", "true", "null_", "1e3", "0123", "2026-11-22", "0x1f", "12:30:45"])
def test_words_may_stay_what_was_written(written: str) -> None:
    assert refusals(GOOD + f"description: {written}\nreply: {{quick_replies: [{written}], error: {written}}}\n") == []


@pytest.mark.parametrize(
    "text",
    [text for text, problems in MISTAKES.items() if any(is_seen(problem) for problem in problems)],
)
def test_what_the_loader_refuses_for_its_shape_is_refused(text: str) -> None:
    assert refusals(text)


def test_a_step_of_ones_own_may_stand_in_the_pipeline() -> None:
    own = GOOD + "pipeline: [{use: bots.steps.hours:Hours, with: {from: '09:00'}}, persona, model]\n"
    assert refusals(own) == []
    assert refusals(own.replace("with", "options"))


@pytest.mark.parametrize("section", ["persona:\n", "persona: {}\nmodel:\n", "persona: hi\nmodel: {}\n"])
def test_a_required_section_may_not_be_empty(section: str) -> None:
    assert refusals(section)


def test_what_is_required_may_come_from_the_file_that_is_extended(tmp_path: Path) -> None:
    (tmp_path / "_base.yaml").write_text(GOOD + "line: {channel_secret: env:S, channel_access_token: env:T}\n")
    over = f"extends: _base.yaml\nmodel: {{temperature: 1}}\nline: {{user_id: U{'0' * 32}}}\n"
    (tmp_path / "bot.yaml").write_text(over)
    assert load_file(tmp_path / "bot.yaml")[1] == ()
    assert refusals(over) == []
    assert refusals(over.replace("_base.yaml", "../_base.yaml"))
    alone = refusals(over.replace("extends: _base.yaml\n", ""))
    required = ("persona", "name", "channel_secret")
    assert sorted(alone) == sorted(f"'{one}' is a required property" for one in required)


def test_no_mapping_takes_unknown_options() -> None:
    shapes = list(objects(bot_schema()))
    assert len(shapes) >= len(STEPS) + 3
    assert all(shape["additionalProperties"] is False for shape in shapes)


def test_every_option_is_explained() -> None:
    unexplained = [
        name
        for shape in objects(bot_schema())
        for name, option in shape["properties"].items()
        if not option.get("description")
    ]
    assert unexplained == []


def test_every_option_of_every_model_is_there() -> None:
    kinds: list[type[BaseModel]] = [Header, CustomStep, *STEPS.values()]
    expected = {field.alias or name for kind in kinds for name, field in kind.model_fields.items()}
    assert expected <= {name for shape in objects(bot_schema()) for name in shape["properties"]}


def test_defaults_are_written_as_a_person_would() -> None:
    properties = bot_schema()["properties"]
    long_history = properties["history"]["anyOf"][1]["properties"]
    assert (long_history["keep"]["default"], properties["timezone"]["default"]) == ("30d", "UTC")
    assert all(
        refusals_of_default(option) == [] for shape in objects(bot_schema()) for option in shape["properties"].values()
    )


def refusals_of_default(option: dict[str, Any]) -> list[str]:
    if "default" not in option:
        return []
    return [error.message for error in Draft202012Validator(option).iter_errors(option["default"])]


def test_the_schema_stands_in_one_piece() -> None:
    assert "$ref" not in json.dumps(bot_schema())


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [("One. Two.", "One."), ("One v1.5 and\n    more! Two", "One v1.5 and more!"), ("none", "none"), ("", "")],
)
def test_a_docstrings_first_sentence(docstring: str, expected: str) -> None:
    assert first_sentence(docstring) == expected


def test_the_page_has_every_section_and_option() -> None:
    page = reference()
    assert all(f"## `{name}`\n" in page for name in [*STEPS, "pipeline"])
    options = {name for kind in STEPS.values() for name in kind.model_fields}
    assert [name for name in options if f"| `{name}` |" not in page] == []
    assert all(f"`{name}" in page for name in ("line.channel_secret", "quick_replies[].label", "sender.icon"))


def test_every_variable_of_a_persona_is_on_the_page() -> None:
    page = reference()
    # `now` and `today` have Python's attributes, which one row each stands for.
    rows = {
        name: [name] if name in VARIABLE_WORDS else [f"{name}.{one}" for one in VARIABLES[name]] for name in VARIABLES
    }
    assert [row for names in rows.values() for row in names if f"| `{row}` |" not in page] == []
    assert all(f"| `{row}` |" in page for row in VARIABLE_WORDS)


@pytest.mark.parametrize(
    "row",
    [
        "| `window` | The newest N messages go to the model. | a whole number (0 to 1000) | `20` |",
        "| a [duration](#values) | `30d` |",
        "| `user` or `group` | `user` |",
        "| `true` or `false` | `true` |",
        "| a [secret reference](#secrets) or a list, each a [secret reference](#secrets) | required |",
        "| a [time zone](#values) | `UTC` |",
        "| `env:NAME` | In the environment variable `NAME`. |",
    ],
)
def test_values_are_told_in_words(row: str) -> None:
    assert row in reference()


def test_every_table_has_as_many_cells_as_its_header() -> None:
    tables = [block.splitlines() for block in reference().split("\n\n") if block.startswith("| ")]
    widths = [{line.replace(r"\|", "").count("|") for line in table} for table in tables]
    assert all(len(width) == 1 for width in widths)


@pytest.mark.parametrize("block", [block.partition("```")[0] for block in reference().split("```yaml\n")[1:]])
def test_the_pages_examples_are_good(block: str) -> None:
    assert [text for text in refusals(block) if "required property" not in text and "None is not" not in text] == []
