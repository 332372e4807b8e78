"""`botkit check` and the command line around it."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from botkit.cli import check
from botkit.cli.main import main
from botkit.errors import Problem


@pytest.fixture
def bots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bots"
    folder.mkdir()
    monkeypatch.setenv("BOTKIT_BOTS", str(folder))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
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


def test_what_is_good_to_know_comes_after_what_is_wrong_and_is_counted_apart(
    bots: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bots / "bad.yaml").write_text("persona: hi\n")
    (bots / "odd.yaml").write_text("persona: hi\nmodel:\n  name: llama3\n  fallback: [qwen]\n")
    assert main(["check"]) == 1
    problems, _, counts = capsys.readouterr().out.partition("\n\n")
    assert [line.removeprefix(f"{bots}/").partition(": ")[0] for line in problems.splitlines()] == [
        "bad.yaml:1:1",
        "odd.yaml:3:3",
        "odd.yaml:4:14",
    ]
    assert counts.startswith("1 to fix, 2 to know\n")


def test_test_files_are_checked_with_their_bots(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "good.test.yaml").write_text("- name: x\n  turns:\n    - hana: Hi\n      exepct: silent\n")
    (bots / "goood.test.yaml").write_text("- name: x\n  turns:\n    - hana: Hi\n      expect: silent\n")
    assert main(["check"]) == 1
    shown = capsys.readouterr().out
    assert f"{bots}/good.test.yaml:4:7: exepct: did you mean `expect`?" in shown
    assert f"{bots}/goood.test.yaml: there is no bot goood.yaml beside it; rename it to good.test.yaml" in shown
    assert "2 to fix" in shown
    (bots / "other.yaml").write_text("persona: hi\nmodel: gpt-4.1\n")
    assert main(["check", "other"]) == 0


def test_what_may_be_a_slip_in_a_test_file_is_no_mistake(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    turns = "    - hana: Hi\n    - hana: Hi\n    - hanna: Hi\n      expect: silent\n"
    (bots / "good.test.yaml").write_text(f"- name: x\n  turns:\n{turns}")
    assert main(["check"]) == 0
    assert "good.test.yaml:5:7: hanna: is nearly `hana`" in capsys.readouterr().out


def test_a_folder_with_nothing_to_fix_passes(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "good.yaml").write_text("persona: hi\nmodel: llama3\n")
    assert main(["check"]) == 0
    assert "\n1 to know\n" in capsys.readouterr().out
    assert main(["check", "--json"]) == 0
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["severity"], problem["line"], problem["column"]) == ("warning", 2, 1)


def test_what_two_bots_have_from_one_file_is_told_once(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "_base.yaml").write_text("persona: hi\nmodel: llama3\n")
    for name in ("one", "two"):
        (bots / f"{name}.yaml").write_text("extends: _base.yaml\n")
    assert main(["check"]) == 0
    assert "\n1 to know\n" in capsys.readouterr().out


def test_for_programs_that_read_lines_each_problem_stays_on_one(
    bots: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    (bots / "bad.yaml").write_text("persona: hi\nmodle: x\n")
    main(["check", "bad"])
    assert f"{bots}/bad.yaml:2:1: modle: unknown option; did you mean `model`?\n" in capsys.readouterr().out


def test_for_people_a_problem_is_broken_between_words_and_hung_under_its_place() -> None:
    console = Console(width=40, file=StringIO(), force_terminal=True, color_system=None)
    text = "model: what is wrong with it; この行は長いので、途中で折り返されます。 And what to do."
    check.report(console, [Problem("bots/bad.yaml", 12, 3, text)])
    first, *others, _, count = console.file.getvalue().splitlines()
    assert first == "bots/bad.yaml:12:3: model: what is"
    assert all(line.startswith("  ") and cell_len(line) <= 40 for line in others)
    assert "".join([first, *others]).replace(" ", "") == f"bots/bad.yaml:12:3:{text}".replace(" ", "")
    assert count == "1 to fix"


def test_the_table_of_good_bots_fits_a_narrow_terminal(
    bots: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    (bots / "good.yaml").write_text(f"persona: hi\nmodel: gpt-4.1-mini\ndescription: {'京都の小さな宿' * 8}\n")
    assert main(["check"]) == 0
    heading, first, *others = capsys.readouterr().out.splitlines()
    column = heading.index("description")
    assert all(cell_len(line) <= 80 for line in (heading, first, *others))
    assert first[:column].split("  ")[0] == "good"
    assert not any(line[:column].strip() for line in others)


def test_an_empty_folder_is_a_finding(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "good.yaml").unlink()
    assert main(["check"]) == 1
    assert capsys.readouterr().out == f"the folder {bots} holds no bots; make one: botkit new NAME\n"


def test_a_folder_that_is_not_there_is_named(
    bots: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BOTKIT_BOTS", f"{bots}/nix")
    for arguments in (["check"], ["check", "good"]):
        assert main(arguments) == 1
        assert f"there is no folder {bots}/nix" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["bad", "god"])
def test_of_a_bad_bot_nothing_is_told_of_the_others(bots: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (bots / "bad.yaml").write_text("persona: hi\n")
    assert main(["check", name]) == 1
    out = capsys.readouterr().out
    assert out.endswith("\n\n1 to fix\n")
    assert "no good bot" not in out


def test_colons_stay_colons(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "good.yaml").write_text("persona: hi\nmodel: gpt-4.1\ndescription: 'of :x: and group:x:'\n")
    main(["check"])
    assert "of :x: and group:x:" in capsys.readouterr().out
    main(["explain", "good", ":x:"])
    assert "knows no event :x:" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["chck"], ["check", "--jsn"], ["chat"], ["new"], ["show"]])
def test_misuse_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert exited.value.code == 2
    assert "usage: botkit" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["new", "check", "show", "chat", "schema"])
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main([command, "--help"])
    assert exited.value.code == 0
    assert "example:\n  botkit " in capsys.readouterr().out


def test_what_stands_in_the_env_file_is_not_missed(
    bots: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    (bots / "good.yaml").write_text("persona: hi\nmodel: gpt-4.1-mini\n", "utf-8")
    assert main(["check", "good"]) == 0
    assert "OPENAI_API_KEY is not set here" in capsys.readouterr().out
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-1\n", "utf-8")
    assert main(["check", "good"]) == 0
    assert "OPENAI_API_KEY" not in capsys.readouterr().out
