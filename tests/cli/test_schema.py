"""`botkit schema`, and the two files that are made with it."""

import json
from argparse import ArgumentParser
from pathlib import Path

import pytest

from botkit.cli import schema
from botkit.errors import BotkitError
from botkit.scenarios.file.reference import scenarios_reference
from botkit.scenarios.file.schema import scenarios_schema
from botkit.spec.reference import reference
from botkit.spec.schema import bot_schema

DOCS = Path(__file__).parents[2] / "docs"


def run(*arguments: str) -> int:
    parser = ArgumentParser()
    schema.add_arguments(parser)
    return schema.run(parser.parse_args(arguments), {})


def test_the_schema_is_printed_as_json_that_people_can_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    printed = capsys.readouterr().out
    assert json.loads(printed) == bot_schema()
    assert "\\u" not in printed


def test_the_page_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--markdown") == 0
    assert capsys.readouterr().out == reference()


def test_both_are_there_for_test_files_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--tests") == 0
    assert json.loads(capsys.readouterr().out) == scenarios_schema()
    assert run("--tests", "--markdown") == 0
    assert capsys.readouterr().out == scenarios_reference()


def test_the_output_goes_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--output", str(tmp_path / "schema.json")) == 0
    assert run("--markdown", "--output", str(tmp_path / "page.md")) == 0
    assert json.loads((tmp_path / "schema.json").read_text("utf-8")) == bot_schema()
    assert (tmp_path / "page.md").read_text("utf-8") == reference()
    assert capsys.readouterr().out == ""


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(BotkitError, match="cannot be written: No such file or directory; check the path"):
        run("--output", str(tmp_path / "missing" / "schema.json"))


def test_the_checked_in_schema_is_current() -> None:
    command = "botkit schema --output docs/bot-file.schema.json"
    assert (DOCS / "bot-file.schema.json").read_text("utf-8") == schema.schema_text(), f"run: {command}"


def test_the_checked_in_page_is_current() -> None:
    command = "botkit schema --markdown --output docs/bot-file.md"
    assert (DOCS / "bot-file.md").read_text("utf-8") == reference(), f"run: {command}"


def test_the_checked_in_schema_of_test_files_is_current() -> None:
    command = "botkit schema --tests --output docs/test-file.schema.json"
    assert (DOCS / "test-file.schema.json").read_text("utf-8") == schema.schema_text(tests=True), f"run: {command}"


def test_the_checked_in_page_of_test_files_is_current() -> None:
    command = "botkit schema --tests --markdown --output docs/test-file.md"
    assert (DOCS / "test-file.md").read_text("utf-8") == scenarios_reference(), f"run: {command}"
