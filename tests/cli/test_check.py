"""`botkit check` and the command line around it."""

import json
from pathlib import Path

import pytest

from botkit.cli.main import main


@pytest.fixture
def bots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bots"
    folder.mkdir()
    monkeypatch.setenv("BOTKIT_BOTS", str(folder))
    monkeypatch.setenv("COLUMNS", "200")
    (folder / "good.yaml").write_text("persona: hi\nmodel: gpt-4.1\ndescription: '[red]not markup'\n")
    return folder


def test_good_files_are_listed(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("good", "gpt-4.1", "20 messages", "[red]not markup"))


def test_mistakes_are_listed_and_counted(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "bad.yaml").write_text("persona: '[bold]'\nmodle: x\n")
    assert main(["check"]) == 1
    shown = capsys.readouterr().out
    assert f"{bots}/bad.yaml:2:1: modle: unknown option; did you mean `model`?" in shown
    assert "2 to fix" in shown


def test_one_bot_can_be_checked_alone(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "bad.yaml").write_text("persona: hi\n")
    assert main(["check", "good"]) == 0
    assert main(["check", "god"]) == 1
    assert "there is no such bot; did you mean `good`?" in capsys.readouterr().out


def test_json_is_for_programs(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "bad.yaml").write_text("persona: hi\n")
    assert main(["check", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "bots": ["good"],
        "problems": [
            {
                "file": f"{bots}/bad.yaml",
                "line": 1,
                "column": 1,
                "text": "`model` is missing; add a line such as `model: gpt-4.1-mini`",
                "severity": "error",
            }
        ],
    }


def test_an_empty_folder_is_a_finding(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "good.yaml").unlink()
    assert main(["check"]) == 1
    assert f"no good bot in {bots}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["chck"], ["check", "--jsn"], ["chat"]])
def test_misuse_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert exited.value.code == 2
    assert "usage: botkit" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "chat", "schema"])
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main([command, "--help"])
    assert exited.value.code == 0
    assert "example:\n  botkit " in capsys.readouterr().out
