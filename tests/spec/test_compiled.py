"""Bots that are parsed already: the same as their files, and never the same as other files."""

import json
from pathlib import Path

import pytest

from botkit.spec import compiled
from botkit.spec.compiling import compile_bot
from botkit.spec.files import bot_files
from botkit.spec.inherit import read_whole

ROOT = Path(__file__).parents[2]
BASE = """\
persona: {text: "base {{ n }}", vars: {n: 0312345678, f: 1.10, wide: 1e3, off: off, no: ~}}
model: gpt-4.1-mini
reply: {quick_replies: [a, b]}
"""
BOT = """\
extends: _inn.yaml
persona: |
  Two lines,
    and "quotes" 日本語 🌙
model: {temperature: 0.25, context_tokens: 123456789012345678901234567890}
history: 7
odd: [.5, -1e2, TRUE, [[1, [2]], {deep: {er: x}}], '', 1e999]
"""


@pytest.fixture
def bots(tmp_path: Path) -> Path:
    """A folder with a bot that extends another file, and the compiled form of it beside the folder."""
    folder = tmp_path / "bots"
    folder.mkdir()
    (folder / "_inn.yaml").write_text(BASE, "utf-8")
    (folder / "bot.yaml").write_text(BOT, "utf-8")
    keep(folder)
    return folder


def keep(folder: Path, name: str = "bot") -> None:
    content = compile_bot(folder / f"{name}.yaml")
    assert content is not None
    (folder.parent / f"{name}.json").write_bytes(content)


def find(folder: Path, name: str = "bot") -> object:
    return compiled.find(folder / f"{name}.yaml", f"shown/{name}.yaml", folder.parent)


def test_what_is_compiled_is_what_the_files_say(bots: Path) -> None:
    parsed = read_whole(bots / "bot.yaml", "shown/bot.yaml")
    assert len(parsed.places) > 20
    assert len(parsed.written) > 4
    found = find(bots)
    assert found == parsed
    assert repr(found) == repr(parsed)  # also 1 and 1.0, True and 1, and the order of the keys


@pytest.mark.parametrize("path", bot_files(ROOT / "bots"), ids=lambda path: path.stem)
def test_the_examples_are_the_same_compiled(path: Path, tmp_path: Path) -> None:
    (tmp_path / f"{path.stem}.json").write_bytes(compile_bot(path) or b"")
    assert repr(compiled.find(path, "x.yaml", tmp_path)).replace("x.yaml", path.name) == repr(
        read_whole(path, path.name)
    )


@pytest.mark.parametrize("changed", ["bot.yaml", "_inn.yaml"])
def test_a_file_that_has_changed_is_read_itself(bots: Path, changed: str) -> None:
    (bots / changed).write_text((bots / changed).read_text("utf-8") + "\n", "utf-8")
    assert find(bots) is None


@pytest.mark.parametrize("gone", ["bot.yaml", "_inn.yaml"])
def test_a_file_that_is_gone_is_not_made_up(bots: Path, gone: str) -> None:
    (bots / gone).unlink()
    assert find(bots) is None


def test_another_bots_form_is_not_taken(bots: Path) -> None:
    (bots / "other.yaml").write_text(BOT, "utf-8")
    (bots.parent / "bot.json").rename(bots.parent / "other.json")
    assert find(bots, "other") is None


@pytest.mark.parametrize("spoilt", [b"", b"{", b"[]", b"{}", b"\xff", b'{"files": {}}', b'{"files": 1}'])
def test_a_spoilt_form_is_as_none(bots: Path, spoilt: bytes) -> None:
    (bots.parent / "bot.json").write_bytes(spoilt)
    assert find(bots) is None


@pytest.mark.parametrize("missing", ["data", "places", "written", "blocks"])
def test_a_form_that_lacks_something_is_as_none(bots: Path, missing: str) -> None:
    kept = json.loads((bots.parent / "bot.json").read_bytes())
    del kept[missing]
    (bots.parent / "bot.json").write_text(json.dumps(kept), "utf-8")
    assert find(bots) is None


@pytest.mark.parametrize("wrong", ["a: [", "a: 1\na: 2\n", "extends: _none.yaml\n", "extends: bot.yaml\n", "\xff"])
def test_a_file_that_is_wrong_is_not_compiled(bots: Path, wrong: str) -> None:
    (bots / "bot.yaml").write_text(wrong, "latin-1")
    assert compile_bot(bots / "bot.yaml") is None


def test_the_tree_itself_has_no_compiled_bots() -> None:
    assert not compiled.FOLDER.exists()
