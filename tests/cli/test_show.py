"""`botkit show`: what it prints is the bot as it counts, for people and for programs."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from rich.cells import cell_len

from botkit.cli import show
from botkit.errors import SpecError
from botkit.spec.bot import BotSpec
from botkit.spec.loader import load_file

ROOT = Path(__file__).parents[2]
BASE = """\
timezone: Asia/Tokyo
model: {name: gpt-4.1, api_key: env:INN_KEY}
persona: {text: base, vars: {inn: 由庵, phone: 0312345678, "odd": "a: b"}}
"""
INN = """\
extends: _base.yaml
line: {channel_secret: [env:OLD, env:NEW], channel_access_token: env:TOKEN}
persona: |
  あなたは{{ inn }}の{{ bot.name }}です。

    - [red]{{ user.name }}
history: {window: 4, keep: 36h}
reply: {quick_replies: [はい, {label: a, text: "b\\nc"}], error: "yes # no"}
"""
HOURS = '''\
from botkit import Handler, Reply, Step, Turn
from botkit.spec.values import Duration


class Hours(Step):
    """Answers while the desk is open. And more."""

    opens: int = 9
    pause: Duration = 3600

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        return call_next(turn)
'''


@pytest.fixture
def bots(tmp_path: Path) -> Path:
    # The folder of own steps is imported by its name, so each test needs a name of its own.
    folder = tmp_path / f"bots_{tmp_path.name.replace('-', '_')}"
    folder.mkdir()
    (folder / "_base.yaml").write_text(BASE)
    (folder / "inn.yaml").write_text(INN)
    return folder


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def run(bots: Path, *arguments: str, **environ: str) -> int:
    parser = ArgumentParser()
    show.add_arguments(parser)
    return show.run(parser.parse_args(arguments), {"BOTKIT_BOTS": str(bots), **environ})


def shown(capsys: pytest.CaptureFixture[str], bots: Path, *arguments: str) -> str:
    assert run(bots, *arguments) == 0
    return "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines())


def facts(capsys: pytest.CaptureFixture[str], bots: Path, name: str, **environ: str) -> Any:
    assert run(bots, name, "--json", **environ) == 0
    return json.loads(capsys.readouterr().out)


def part(text: str, heading: str) -> str:
    return text.partition(f"\n{heading}")[2].partition("\n")[2].partition("\n\nPipeline")[0]


def origin(text: str, option: str) -> str:
    return next(line.partition(" # ")[2].strip() for line in text.splitlines() if line.strip().startswith(option))


def same_bot(bots: Path, name: str, options: str) -> None:
    """What is shown under Options is a bot file that says the same."""
    (bots / "again.yaml").write_text("\n".join(line.removeprefix("  ") for line in options.splitlines()) + "\n")
    again, problems = load_file(bots / "again.yaml")
    bot, _ = load_file(bots / f"{name}.yaml")
    assert again is not None, problems
    assert bot is not None
    assert said_by(again) == said_by(bot)


def said_by(bot: BotSpec) -> Any:
    steps = [(type(step), step.model_dump()) for step in bot.steps]
    return bot.description, bot.timezone, bot.line, steps


def test_each_option_is_shown_with_where_it_comes_from(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = part(shown(capsys, bots, "inn"), "Options")
    assert origin(options, "timezone: Asia/Tokyo") == "_base.yaml:1"
    assert origin(options, "channel_secret: ['env:OLD', 'env:NEW']") == "inn.yaml:2"
    assert origin(options, "text: |") == "inn.yaml:3"
    assert origin(options, "inn: 由庵") == "_base.yaml:3"
    assert origin(options, "keep: 36h") == "inn.yaml:7"
    assert origin(options, "timeout: 1m") == "default"
    assert (
        origin(
            options, "pipeline: [reply, groups, events, commands, limits, media, moderation, history, persona, model]"
        )
        == "default"
    )


def test_the_options_are_a_bot_file_that_says_the_same(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same_bot(bots, "inn", part(shown(capsys, bots, "inn"), "Options"))


@pytest.mark.parametrize("name", ["assistant", "companion", "concierge"])
def test_the_example_bots_are_shown_as_they_are(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copytree(ROOT / "bots", tmp_path / "bots")
    same_bot(tmp_path / "bots", name, part(shown(capsys, tmp_path / "bots", name), "Options"))


def test_own_steps_stand_in_the_pipeline_with_their_class_and_options(
    bots: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use = f"{bots.name}.hours:Hours"
    (bots / "hours.py").write_text(HOURS)
    (bots / "desk.yaml").write_text(
        f"persona: hi\nmodel: gpt-4.1\npipeline:\n  - use: {use}\n    with: {{opens: 8}}\n  - persona\n  - model\n"
    )
    text = shown(capsys, bots, "desk")
    assert [line.split()[:2] for line in text.partition("\nPipeline\n")[2].splitlines()[:3]] == [
        ["1", use],
        ["2", "persona"],
        ["3", "model"],
    ]
    assert "Answers while the desk is open.\n" in text
    options = part(text, "Options")
    assert origin(options, "- use: ") == "desk.yaml:4"
    assert origin(options, "opens: 8") == "desk.yaml:5"
    assert origin(options, "pause: 1h") == "default"
    same_bot(bots, "desk", options)
    assert facts(capsys, bots, "desk")["pipeline"] == [use, "persona", "model"]


def test_the_persona_is_shown_as_a_person_meets_it(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert facts(capsys, bots, "inn")["persona"] == "あなたは由庵のinnです。\n\n  - [red]Hana"
    assert "\n  あなたは由庵のinnです。\n\n    - [red]Hana\n" in shown(capsys, bots, "inn")


def test_a_persona_that_fails_for_this_bot_only_is_told_at_its_place(bots: Path) -> None:
    (bots / "inn.yaml").write_text("model: gpt-4.1\npersona: '{{ 1 // (bot.name | length - 3) }}'\n")
    with pytest.raises(SpecError, match=r"inn\.yaml:2:1: persona: it cannot be rendered: .*zero"):
        run(bots, "inn")


def test_tokens_and_cost_follow_from_the_stated_assumption(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "inn.yaml").write_text("persona: Be kind.\nmodel: gpt-4.1-mini\nhistory: 4\n")
    found = facts(capsys, bots, "inn")["estimate"]
    assert (found["persona"], found["history"], found["question"], found["answer"]) == (3, 2 * (60 + 200), 60, 200)
    assert (found["window"], found["window_from"]) == (1_047_576, "model")
    assert found["room"] == 1_047_576 - 800 - 3 - 60
    assert found["price"] == {"input": 0.40, "output": 1.60}
    assert found["cost"] == pytest.approx(((3 + 520 + 60) * 0.40 + 200 * 1.60) / 1000)
    text = shown(capsys, bots, "inn")
    assert "about 0.55 USD per 1,000 messages" in text
    assert "A message takes 3 tokens of persona, 520 of history, 60 of question and 200 of answer, at OpenAI's" in text


def test_a_price_of_the_files_own_is_told_as_such(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = "{name: mine, base_url: 'http://127.0.0.1:1/v1', prices: {mine: {input: 1, output: 2}}}"
    (bots / "inn.yaml").write_text(f"persona: Be kind.\nmodel: {own}\nhistory: 0\n")
    found = facts(capsys, bots, "inn")["estimate"]
    assert (found["price"], found["prices_taken"]) == ({"input": 1, "output": 2}, None)
    assert "at the file's 1.00 and 2.00 USD per million tokens in and out, nothing" in shown(capsys, bots, "inn")


@pytest.mark.parametrize(
    ("history", "tokens"),
    [("history: 3", 60 + 200 + 200), ("history: 0", 0), ("history: {window: 40, max_tokens: 3000}", 3000)],
)
def test_a_running_conversation_fills_what_the_history_allows(
    history: str, tokens: int, bots: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bots / "inn.yaml").write_text(f"persona: hi\nmodel: gpt-4.1\n{history}\n")
    assert facts(capsys, bots, "inn")["estimate"]["history"] == tokens


def test_without_history_and_in_a_small_window_the_numbers_stay_true(
    bots: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bots / "inn.yaml").write_text("persona: hi\nmodel: {name: x, context_tokens: 1000, max_output_tokens: 100}\n")
    small = facts(capsys, bots, "inn")["estimate"]
    assert (small["room"], small["history"], small["answer"]) == (1000 - 100 - 1 - 60, 839, 100)
    assert small["window_from"] == "file"
    (bots / "inn.yaml").write_text("persona: hi\nmodel: x\npipeline: [persona, model]\n")
    assert facts(capsys, bots, "inn")["estimate"]["history"] == 0


@pytest.mark.parametrize(
    ("model", "environ", "known"),
    [
        ("llama3", {}, False),
        ("gpt-4o", {}, True),
        ("{name: gpt-4o, base_url: 'http://127.0.0.1:1/v1'}", {}, False),
        ("{name: gpt-4o, base_url: 'https://eu.api.openai.com/v1'}", {}, True),
        ("{name: gpt-4o, base_url: 'https://openai.com.example/v1'}", {}, False),
        ("gpt-4o", {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, False),
    ],
)
def test_a_price_is_told_only_where_it_is_known(
    model: str, environ: Mapping[str, str], known: bool, bots: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bots / "inn.yaml").write_text(f"persona: hi\nmodel: {model}\n")
    assert (facts(capsys, bots, "inn", **environ)["estimate"]["cost"] is not None) == known
    assert run(bots, "inn", **environ) == 0
    assert ("price unknown" in capsys.readouterr().out) != known


@pytest.mark.parametrize(("model", "thinks"), [("o4-mini", True), ("gpt-5-mini", True), ("gpt-5-chat-latest", False)])
def test_models_that_think_cost_more_than_what_is_seen(
    model: str, thinks: bool, bots: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bots / "inn.yaml").write_text(f"persona: hi\nmodel: {model}\n")
    assert ("is billed as answer, and comes on top" in shown(capsys, bots, "inn")) == thinks


def test_what_may_be_a_secret_in_an_address_is_not_shown(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = "https://me:hunter2@models.example/v1?key=s3cret"
    (bots / "inn.yaml").write_text(f"persona: hi\nmodel: {{name: x, base_url: '{url}'}}\n")
    text = shown(capsys, bots, "inn") + json.dumps(facts(capsys, bots, "inn"))
    assert "models.example/v1" in text
    assert "hunter2" not in text
    assert "s3cret" not in text


def test_programs_get_each_option_with_its_place(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = facts(capsys, bots, "inn")
    options = {one["option"]: one for one in found["options"]}
    assert (found["name"], found["file"]) == ("inn", f"{bots}/inn.yaml")
    assert options["history.keep"] == {
        "option": "history.keep",
        "value": "36h",
        "place": {"file": f"{bots}/inn.yaml", "line": 7, "column": 22},
    }
    assert options["persona.vars.phone"]["value"] == "0312345678"
    assert options["reply.quick_replies"]["value"] == ["はい", {"label": "a", "text": "b\nc"}]
    assert options["line.channel_access_token"]["value"] == "env:TOKEN"
    assert options["model.temperature"] == {"option": "model.temperature", "value": None, "place": None}


def test_a_narrow_terminal_loses_nothing_and_keeps_its_columns(
    bots: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "申し訳ございません。" * 8
    (bots / "inn.yaml").write_text(f"persona: hi\nmodel: gpt-4.1\nreply: {{error: {long}}}\n")
    monkeypatch.setenv("COLUMNS", "80")
    _, *lines = shown(capsys, bots, "inn").splitlines()
    assert max(cell_len(line) for line in lines) <= 80
    options = part("\n".join(["", *lines]), "Options").splitlines()
    first = next(number for number, line in enumerate(options) if line.startswith("    error: "))
    assert "".join(line.partition("#")[0].strip() for line in options[first : first + 4]).startswith(f"error: {long}")
    columns = {cell_len(line.partition("#")[0]) for line in options if "#" in line}
    assert len(columns) == 1


def test_an_unknown_bot_is_misuse_and_a_broken_one_is_told(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "broken.yaml").write_text("persona: hi\nmodle: x\n")
    assert run(bots, "imn") == 2
    assert "imn.yaml: there is no such bot; did you mean `inn`?" in capsys.readouterr().err
    assert run(bots, "broken") == 1
    told = capsys.readouterr()
    assert "broken.yaml:2:1: modle: unknown option; did you mean `model`?" in told.err
    assert told.out == ""
