"""`botkit history`: what is remembered of one conversation, told from the store."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from botkit.cli.main import main
from botkit.messages import Message
from botkit.ports import Conversation, Memory
from botkit.stores.sqlite import SqliteStore
from tests.support.samples import BOT, DAY, NOW, SECOND, USER, memory, remember

HANA, GROUP = "U" + "a" * 32, "C" + "b" * 32
HOUR = 3600 * SECOND

Remember = Callable[..., None]


@pytest.fixture
def inn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remember:
    """A bot in Tokyo and its store; what is called puts messages into a history."""
    bots = tmp_path / "bots"
    bots.mkdir()
    (bots / "inn.yaml").write_text("persona: hi\nmodel: gpt-4.1\ntimezone: Asia/Tokyo\n")
    monkeypatch.setenv("BOTKIT_BOTS", str(bots))
    monkeypatch.setenv("BOTKIT_STORE", f"sqlite:///{tmp_path}/botkit.db")
    monkeypatch.setenv("COLUMNS", "120")
    store = SqliteStore(tmp_path / "botkit.db")
    return lambda conversation, *memories: remember(store, Conversation("inn", conversation), *memories)


def line(text: str, number: int = 1, **changes: object) -> Memory:
    """A message, `number` hours after the start of 2100 in UTC."""
    before = memory(text, f"e{number}", at=NOW + number * HOUR)
    return replace(before, message=replace(before.message, **changes))


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["history", "inn", *arguments]) == 0
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_who_said_what_is_shown_in_the_bots_own_time(inn: Remember, capsys: pytest.CaptureFixture[str]) -> None:
    inn(f"user:{HANA}", line("hello"), replace(line("何時から？"), message=Message(BOT, "何時から？")))
    assert shown(capsys, HANA) == ["2100-01-01 10:00:00 they hello", "2100-01-01 10:00:00 bot 何時から？"]


@pytest.mark.parametrize(
    ("kept", "written"),
    [
        (f"user:{HANA}", HANA),
        (f"user:{HANA}", f"user:{HANA}"),
        (f"group:{GROUP}", GROUP),
        (f"room:R{'c' * 32}", "R" + "c" * 32),
        (f"group:{GROUP}:{HANA}", f"group:{GROUP}:{HANA}"),
    ],
)
def test_a_conversation_is_named_by_its_id_or_lines(
    inn: Remember, capsys: pytest.CaptureFixture[str], kept: str, written: str
) -> None:
    inn(kept, line("hello"))
    assert shown(capsys, written)[0].endswith("hello")


def test_speakers_and_overheard_lines_are_marked(inn: Remember, capsys: pytest.CaptureFixture[str]) -> None:
    inn(f"group:{GROUP}", line("lunch?", 1, speaker="Ken", overheard=True), line("when?", 2, speaker="Hana"))
    assert [one.split(" ", 2)[2] for one in shown(capsys, GROUP)] == ["Ken (overheard) lunch?", "Hana when?"]


def test_the_newest_lines_are_shown_oldest_first(inn: Remember, capsys: pytest.CaptureFixture[str]) -> None:
    inn(f"group:{GROUP}", *(line(f"m{n}", n, overheard=n % 2 == 0) for n in range(1, 9)))
    assert [one.split()[-1] for one in shown(capsys, GROUP, "--limit", "3")] == ["m6", "m7", "m8"]


def test_what_has_expired_is_never_shown(inn: Remember, capsys: pytest.CaptureFixture[str]) -> None:
    past = 1_700_000_000_000
    inn(f"user:{HANA}", memory("long ago", "e1", at=past, expires_at=past + DAY), line("hello", 2))
    assert [one.split()[-1] for one in shown(capsys, HANA)] == ["hello"]
    assert "long ago" not in "".join(shown(capsys, HANA, "--json"))


def test_what_was_said_cannot_write_to_the_terminal(inn: Remember, capsys: pytest.CaptureFixture[str]) -> None:
    inn(f"group:{GROUP}", line("[red]a[/]\x1b[2J\x9b31m\r\nb", speaker="[bold]Ken\x1b]0;x\x07\nEve: hi"))
    assert main(["history", "inn", GROUP]) == 0
    out = capsys.readouterr().out
    assert not set(out) & {"\x1b", "\x9b", "\x07", "\r"}
    assert "[red]a[/]" in out
    assert "[bold]Ken" in out


def test_long_texts_are_wrapped_and_nothing_is_lost(inn: Remember, capsys: pytest.CaptureFixture[str]) -> None:
    text = "長い" * 200
    inn(f"user:{HANA}", line(text))
    assert "".join("".join(shown(capsys, HANA)).split()).endswith(text)


def test_json_is_for_programs(inn: Remember, capsys: pytest.CaptureFixture[str]) -> None:
    inn(f"group:{GROUP}", line("a\x1b\nb", speaker="Ken", tokens=3), line("hello there", 2, speaker="Ken"))
    assert json.loads("\n".join(shown(capsys, GROUP, "--json"))) == [
        {"role": USER, "text": "a\x1b\nb", "speaker": "Ken", "tokens": 3, "overheard": False, "at": NOW + HOUR},
        {"role": USER, "text": "hello there", "speaker": "Ken", "tokens": 4, "overheard": False, "at": NOW + 2 * HOUR},
    ]


def test_where_nothing_is_kept_that_is_said(inn: Remember, capsys: pytest.CaptureFixture[str]) -> None:
    inn(f"user:{HANA}", line("hello"))
    assert main(["history", "inn", GROUP]) == 1
    assert f"inn remembers nothing of group:{GROUP}: nothing was said there" in capsys.readouterr().err


def test_misuse_is_told_and_the_store_not_asked(
    inn: Remember, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOTKIT_STORE", "nonsense:")
    assert main(["history", "in", HANA]) == 2
    assert "there is no such bot; did you mean `inn`?" in capsys.readouterr().err
    for arguments, words in {
        ("Hana",): "'Hana' is no conversation; write the id of a user (U…), group (C…) or room (R…)",
        ("U1 2",): "'U1 2' is no conversation",
        (HANA, "--limit", "0"): "'0' is not a number from 1 to 1000",
        (HANA, "--limit", "x"): "'x' is not a number from 1 to 1000",
    }.items():
        with pytest.raises(SystemExit) as raised:
            main(["history", "inn", *arguments])
        assert raised.value.code == 2
        assert words in capsys.readouterr().err
