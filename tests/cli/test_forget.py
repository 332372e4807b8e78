"""`botkit forget`: a person's words are deleted, after it was asked whether that is meant."""

import json
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from botkit.cli.main import main
from botkit.messages import Message
from botkit.ports import Conversation
from botkit.stores.sqlite import SqliteStore
from tests.support.samples import BOT, memory, remember, texts

HANA, KEN, GROUP = "U" + "a" * 32, "U" + "b" * 32, "C" + "c" * 32
ALONE = Conversation("inn", f"user:{HANA}")
OTHER = Conversation("bar", f"user:{HANA}")
CROWD = Conversation("inn", f"group:{GROUP}")
OWN = Conversation("inn", f"group:{GROUP}:{HANA}")


class Terminal(StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SqliteStore:
    """What Hana said to two bots, alone and in a group, and what Ken said there."""
    bots = tmp_path / "bots"
    bots.mkdir()
    for name in ("inn", "bar"):
        (bots / f"{name}.yaml").write_text("persona: hi\nmodel: gpt-4.1\n")
    monkeypatch.setenv("BOTKIT_BOTS", str(bots))
    monkeypatch.setenv("BOTKIT_STORE", f"sqlite:///{tmp_path}/botkit.db")
    monkeypatch.setattr(sys, "stdin", StringIO())
    store = SqliteStore(tmp_path / "botkit.db")
    for conversation in (ALONE, OTHER, OWN, CROWD):
        hana, ken = replace(memory("hana's", "e1"), user_id=HANA), replace(memory("ken's", "e2"), user_id=KEN)
        answer = replace(hana, message=Message(BOT, "to hana"))
        remember(store, conversation, hana, answer, *([ken] if conversation is CROWD else []))
    return store


def kept(store: SqliteStore) -> list[list[str]]:
    return [texts(store, one) for one in (ALONE, OWN, CROWD, OTHER)]


EVERYTHING = [["hana's", "to hana"], ["hana's", "to hana"], ["hana's", "to hana", "ken's"], ["hana's", "to hana"]]
FORGOTTEN = [[], [], ["ken's"], ["hana's", "to hana"]]


def test_a_persons_words_are_deleted_everywhere_and_nobody_elses(
    store: SqliteStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["forget", "inn", HANA, "--yes"]) == 0
    assert kept(store) == FORGOTTEN
    out = capsys.readouterr().out
    assert f"inn  6 messages deleted: {HANA}" in out
    assert "What stays: for seven days, that there were events" in out
    assert main(["forget", "inn", HANA, "--yes"]) == 0
    assert f"inn  there was nothing to delete: {HANA}" in capsys.readouterr().out


@pytest.mark.parametrize("answer", ["yes\n", "Y\n", " YES \n"])
def test_on_a_terminal_it_asks_first(store: SqliteStore, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert main(["forget", "inn", HANA]) == 0
    assert kept(store) == FORGOTTEN


@pytest.mark.parametrize("answer", ["", "\n", "no\n", "yess\n", f"{HANA}\n"])
def test_whatever_is_not_yes_deletes_nothing(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert main(["forget", "inn", HANA]) == 1
    assert kept(store) == EVERYTHING
    asked = " ".join(capsys.readouterr().err.split())
    assert f"Delete all that {HANA} said to inn, and its answers? This cannot be undone." in asked
    assert asked.endswith("Nothing was deleted.")


def test_where_nobody_can_be_asked_it_must_be_said(store: SqliteStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forget", "inn", HANA]) == 2
    assert kept(store) == EVERYTHING
    assert "this cannot be undone, and there is nobody to ask; add --yes" in capsys.readouterr().err


def test_json_is_for_programs(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("yes\n"))
    assert main(["forget", "inn", HANA, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"bot": "inn", "user": HANA, "deleted": 6}


@pytest.mark.parametrize(
    "written", ["Hana", "", GROUP, HANA.upper(), HANA[:-1], f"{HANA}0", f"user:{HANA}", f"{HANA}\n"]
)
def test_what_is_no_user_id_is_refused(store: SqliteStore, capsys: pytest.CaptureFixture[str], written: str) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["forget", "inn", written, "--yes"])
    assert raised.value.code == 2
    assert "is no LINE user id; it is U and 32 digits or letters a-f" in capsys.readouterr().err


def test_a_bot_that_is_not_there_is_told(store: SqliteStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forget", "in", HANA, "--yes"]) == 2
    assert "there is no such bot; did you mean `inn`?" in capsys.readouterr().err
