"""`botkit new`: what it writes is a good bot, and so is every example in it."""

import re
from argparse import ArgumentParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.cli import new
from botkit.errors import BotkitError
from botkit.scenarios.file.loader import load_tests
from botkit.scenarios.performance import Case
from botkit.scenarios.running import play
from botkit.spec.bot import BotSpec, Header
from botkit.spec.loader import load_file
from botkit.steps import STEPS
from botkit.steps.groups import Groups
from botkit.steps.history import History
from botkit.steps.model import Model
from botkit.steps.persona import Persona

LONGEST = "a-name-that-has-32-characters-ok"


@pytest.fixture
def bots(tmp_path: Path) -> Path:
    return tmp_path / "home" / "bots"


def run(bots: Path, *arguments: str) -> int:
    parser = ArgumentParser()
    new.add_arguments(parser)
    return new.run(parser.parse_args(arguments), {"BOTKIT_BOTS": str(bots)})


def load(path: Path) -> BotSpec:
    bot, problems = load_file(path)
    assert bot is not None, problems
    return bot


def examples(text: str) -> list[range]:
    """The lines of each example: one that begins with a # and no space after it, and those indented below it."""
    runs: list[range] = []
    for number, line in enumerate(text.splitlines()):
        if re.match(r" *#[^ ]", line):
            runs.append(range(number, number + 1))
        elif line.startswith("#  ") and runs and runs[-1].stop == number:
            runs[-1] = range(runs[-1].start, number + 1)
    return runs


def uncommented(text: str, *chosen: range) -> str:
    lines = text.splitlines()
    for number in (number for one in chosen for number in one):
        lines[number] = lines[number].replace("#", "", 1)
    return "\n".join(lines) + "\n"


def test_the_new_bot_is_good_and_the_next_steps_are_told(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(bots, "night-desk") == 0
    bot = load(bots / "night-desk.yaml")
    model, persona = bot.step(Model), bot.step(Persona)
    assert model is not None
    assert persona is not None
    assert (model.name, persona.text) == ("gpt-4.1-mini", new.PERSONA)
    told = capsys.readouterr().out
    assert f"{bots}/night-desk.yaml is written" in told
    assert "botkit chat night-desk" in told
    assert "botkit dev" in told


@pytest.mark.parametrize("name", ["night-desk", "0", "007", "null", LONGEST])
def test_each_example_is_good_alone_and_with_all_the_others(tmp_path: Path, name: str) -> None:
    text = new.bot_file(name, new.PERSONA, "gpt-4.1-mini")
    found = examples(text)
    assert len(found) == 16
    path = tmp_path / f"{name}.yaml"
    path.write_text(text)
    plain = load(path)
    for chosen in [*([one] for one in found), found]:
        path.write_text(uncommented(text, *chosen))
        bot = load(path)
        assert bot.places.keys() > plain.places.keys()
    groups, history = bot.step(Groups), bot.step(History)
    assert groups is not None
    assert history is not None
    assert (groups.names, history.keep) == ((name,), 86400)


def test_every_section_of_a_bot_file_is_there() -> None:
    text = new.bot_file("x", "hi", "m")
    sections = set(re.findall(r"^#?([a-z]+):", text, re.MULTILINE))
    assert sections == {*STEPS, *Header.model_fields, "pipeline"}, "give it an example in botkit/cli/new.py"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}")).filter(str.strip))
def test_any_persona_comes_back_as_it_was_given(tmp_path_factory: pytest.TempPathFactory, persona: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(new.bot_file("any", persona, "gpt-4.1-mini"), "utf-8", newline="")
    step = load(path).step(Persona)
    assert step is not None
    assert (step.text or "").splitlines() == [line.rstrip() for line in persona.strip().splitlines()]


@pytest.mark.parametrize("model", ["null", "1e3", "a: b", "#x", "モデル"])
def test_any_model_comes_back_as_it_was_given(bots: Path, model: str) -> None:
    assert run(bots, "x", "--model", model) == 0
    step = load(bots / "x.yaml").step(Model)
    assert step is not None
    assert step.name == model


def test_a_persona_of_several_lines_stays_readable(bots: Path) -> None:
    run(bots, "x", "--persona", 'Say: "hi"\r\n  - to {{ user.name }} # always\n')
    assert 'persona: |\n  Say: "hi"\n    - to {{ user.name }} # always\n' in (bots / "x.yaml").read_text()


def test_a_first_test_is_written_that_passes(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(bots, "night-desk", "--persona", "You are the {{ chat.kind }} desk.") == 0
    loaded = load_tests(bots / "night-desk.test.yaml")
    assert loaded.problems == loaded.remarks == ()
    (scenario,) = loaded.scenarios
    assert play(Case(bots, scenario), {}).all_failures == ()
    assert "botkit test night-desk" in capsys.readouterr().out


def test_tests_that_are_there_already_stay_as_they_are(bots: Path) -> None:
    bots.mkdir(parents=True)
    (bots / "x.test.yaml").write_text("mine")
    assert run(bots, "x") == 0
    assert (bots / "x.test.yaml").read_text() == "mine"


def test_a_bot_whose_tests_cannot_be_written_is_not_left_behind(bots: Path) -> None:
    bots.mkdir(parents=True)
    (bots / "x.test.yaml").symlink_to(bots / "nowhere" / "x.test.yaml")
    with pytest.raises(BotkitError, match=r"x\.test\.yaml cannot be written: .*; check the folder"):
        run(bots, "x")
    assert [path.name for path in bots.iterdir()] == ["x.test.yaml"]


def test_editors_are_told_of_the_schema_only_where_it_is(bots: Path) -> None:
    run(bots, "before")
    schema = bots.parent / "docs" / "bot-file.schema.json"
    schema.parent.mkdir()
    schema.write_text("{}")
    run(bots, "after")
    assert not (bots / "before.yaml").read_text().startswith("# yaml-language-server")
    first = (bots / "after.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../docs/bot-file.schema.json"


@pytest.mark.parametrize(
    ("arguments", "saying"),
    [
        (["Night Desk"], "`Night Desk` cannot be a bot's name; use up to 32 of a-z, 0-9 and -, such as night-desk"),
        (["../x"], "`../x` cannot be a bot's name; use up to 32 of a-z, 0-9 and -, such as x"),
        (["宿"], "`宿` cannot be a bot's name; use up to 32 of a-z, 0-9 and -, such as night-desk"),
        (["x", "--persona", "Hi {{ usr }}"], "/x.yaml is not written: persona: unknown variable `usr`; did you mean"),
        (["x", "--persona", " "], "/x.yaml is not written: persona: the persona is empty; say who the bot is"),
        (["x", "--model", ""], "/x.yaml is not written: model.name: '' must not be empty"),
    ],
)
def test_what_would_not_be_a_good_bot_is_not_written(bots: Path, arguments: list[str], saying: str) -> None:
    with pytest.raises(BotkitError) as raised:
        run(bots, *arguments)
    assert saying in str(raised.value)
    assert not bots.exists()


def test_a_bot_that_is_there_stays_as_it_is(bots: Path) -> None:
    bots.mkdir(parents=True)
    for name in ("old.yaml", "older.yml"):
        (bots / name).write_text("mine")
    for name in ("old", "older"):
        with pytest.raises(BotkitError, match=f"is there already; choose another name, or talk to it: .* {name}"):
            run(bots, name)
    assert {path.name: path.read_text() for path in bots.iterdir()} == {"old.yaml": "mine", "older.yml": "mine"}


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "bots").write_text("a file")
    with pytest.raises(BotkitError, match=r"bots/x\.yaml cannot be written: .*; check the folder"):
        run(tmp_path / "bots", "x")


@pytest.mark.parametrize(
    ("called", "typed"),
    [
        (".venv/bin/botkit", ".venv/bin/botkit"),
        ("/far away/botkit", "'/far away/botkit'"),
        ("on-path/botkit", "botkit"),
        ("/some/pytest", "botkit"),
    ],
)
def test_the_next_command_can_be_typed_as_this_one_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], called: str, typed: str
) -> None:
    found = tmp_path / "on-path" / "botkit"
    found.parent.mkdir()
    found.write_text("#!/bin/sh\n")
    found.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(found.parent))
    monkeypatch.setattr("sys.argv", [called])
    run(tmp_path / "bots", "x")
    assert f"  {typed} chat x  " in capsys.readouterr().out


def test_called_as_a_module_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["/lib/botkit/__main__.py"])
    monkeypatch.setattr("sys.executable", str(tmp_path / ".venv/bin/python"))
    run(tmp_path / "bots", "x")
    assert "  .venv/bin/python -m botkit check x  " in capsys.readouterr().out


def test_without_a_name_it_is_misuse(bots: Path) -> None:
    with pytest.raises(SystemExit) as exited:
        run(bots)
    assert exited.value.code == 2
