"""`botkit usage`: what was counted of a month, for people and for programs."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from botkit.cli import usage
from botkit.cli.usage import Row, tell
from botkit.ports import Conversation
from botkit.stores.sqlite import SqliteStore
from botkit.usage import statistics
from tests.support.samples import DAY, NOW, receive, waiting

BOT = "persona: You are kind.\nmodel: gpt-4.1-mini\n"
MONTH = ["--month", "2100-01"]
NUMBERS = count()
TURN = {"messages": 2, "turns": 1, "input_tokens": 100, "output_tokens": 20, "cost": 72}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    bots = tmp_path / "bots"
    bots.mkdir()
    (bots / "inn.yaml").write_text(BOT)
    (bots / "bar.yaml").write_text(BOT + "timezone: Asia/Tokyo\n")
    return {"BOTKIT_BOTS": str(bots), "BOTKIT_STORE": f"sqlite:///{tmp_path}/botkit.db"}


@pytest.fixture
def store(environ: dict[str, str]) -> Iterator[SqliteStore]:
    with closing(SqliteStore(environ["BOTKIT_STORE"].removeprefix("sqlite:///"))) as opened:
        yield opened


def counted(
    store: SqliteStore, amounts: dict[str, int], user_id: str | None = "U1", *, bot: str = "inn", at: int = NOW
) -> None:
    """Commit what delivery counts for a turn, or for an answer that went out."""
    event_id = f"e{next(NUMBERS)}"
    lease = receive(store, event_id, conversation=Conversation(bot, f"user:{event_id}"))
    counts = statistics(amounts, user_id=user_id, event_id=event_id, now=at, zone=UTC)
    store.answer(lease, waiting(store, lease)[0], None, counts=counts)


def run(environ: dict[str, str], *arguments: str) -> int:
    parser = ArgumentParser()
    usage.add_arguments(parser)
    return usage.run(parser.parse_args(arguments), environ)


def facts(environ: dict[str, str], capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert run(environ, *arguments, "--json") == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def lines(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """The words of each line, without bars."""
    told = capsys.readouterr().out.splitlines()
    return [[word for word in line.split() if not set(word) & set("█▉▊▋▌▍▎▏")] for line in told if line.strip()]


# ---------------------------------------------------------------- what is counted


def test_a_bots_month_adds_up_its_days_and_all_its_people(
    store: SqliteStore, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(40):
        counted(store, TURN, f"U{number}", at=NOW + number % 31 * DAY)
    counted(store, {"reply": 38}, None)
    counted(store, {"push": 1, "lost": 1}, None, at=NOW + DAY)
    assert facts(environ, capsys, "inn", *MONTH) == [
        {
            "bot": "inn",
            "month": "2100-01",
            "messages": 80,
            "turns": 40,
            "input_tokens": 4000,
            "output_tokens": 800,
            "reply": 38,
            "button": 0,
            "push": 1,
            "lost": 1,
            "cost_usd": 0.00288,
        }
    ]


def test_other_months_and_other_bots_are_not_counted(
    store: SqliteStore, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    counted(store, TURN, at=NOW - 1)
    counted(store, TURN, at=NOW + 31 * DAY)
    counted(store, TURN, bot="bar")
    assert [(row["bot"], row["messages"]) for row in facts(environ, capsys, *MONTH)] == [("bar", 2), ("inn", 0)]


def test_by_day_each_day_from_the_first_to_the_last_is_shown(
    store: SqliteStore, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    counted(store, TURN, at=NOW + 4 * DAY)
    counted(store, TURN, "U2", at=NOW + 4 * DAY)
    counted(store, TURN, at=NOW + 6 * DAY)
    rows = facts(environ, capsys, "inn", *MONTH, "--by", "day")
    assert [(row["day"], row["turns"]) for row in rows] == [("2100-01-05", 2), ("2100-01-06", 0), ("2100-01-07", 1)]


def test_by_user_who_wrote_most_comes_first(
    store: SqliteStore, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2, 2, 3, 3, 3):
        counted(store, TURN, f"U{number}", at=NOW + number * DAY)
    counted(store, TURN, None)  # nobody knows who
    counted(store, {"reply": 7}, None)
    rows = facts(environ, capsys, "inn", *MONTH, "--by", "user")
    assert [(row["user"], row["messages"]) for row in rows] == [("U3", 6), ("U2", 4), ("U1", 2)]
    assert rows[0] == {
        "bot": "inn",
        "month": "2100-01",
        "user": "U3",
        "messages": 6,
        "turns": 3,
        "input_tokens": 300,
        "output_tokens": 60,
        "cost_usd": 0.000216,
    }


def test_without_a_month_it_is_this_one_where_the_bot_lives(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = f"{datetime.now(UTC):%Y-%m}"
    (row,) = facts(environ, capsys, "inn")
    assert row["month"] in (before, f"{datetime.now(UTC):%Y-%m}")


# ---------------------------------------------------------------- how it is told


def test_people_see_shares_and_dashes(
    store: SqliteStore, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    counted(store, {**TURN, "messages": 1234, "input_tokens": 12_345_678, "cost": 3_456_789})
    counted(store, {"reply": 970, "push": 29, "lost": 1}, None)
    assert run(environ, *MONTH) == 0
    assert lines(capsys) == [
        ["2100-01"],
        ["bot", "messages", "tokens", "USD", "reply", "push", "lost"],
        ["bar", "–", "–", "–", "–", "–", "–"],
        ["inn", "1,234", "12.3M", "3.46", "97%", "3%", "<1%"],
    ]


def test_a_month_without_anything_says_so(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(environ, "inn", *MONTH, "--by", "user") == 0
    assert lines(capsys) == [["inn,", "2100-01"], ["nothing", "was", "counted"]]


def told(rows: list[Row], by: str | None, width: int) -> list[str]:
    console = Console(width=width, record=True, file=StringIO())
    tell(console, {(rows[0].bot, rows[0].month): rows}, by)
    return console.export_text().splitlines()


MUCH = {"messages": 123_456, "input_tokens": 99_999_999, "cost": 1_234_560_000}
WAYS = {"reply": 9990, "button": 7, "push": 2, "lost": 1}


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    ("by", "keys"),
    [
        (None, ["concierge", "inn"]),
        (None, ["a-name-as-long-as-a-name-may-be1", "inn"]),
        ("day", [f"2026-11-{day:02}" for day in range(1, 31)]),
        ("user", [f"U{letter * 32}" for letter in "abc"]),
    ],
)
def test_no_number_is_broken_on_a_terminal_of_80_columns(by: str | None, keys: list[str], width: int) -> None:
    ways = {} if by == "user" else WAYS
    shown = told([Row("inn", "2026-11", key, {**MUCH, **ways}) for key in keys], by, width)
    assert max(map(cell_len, shown)) <= width
    figures = ["123,456", "100.0M", "1,234.56", *([">99%", "<1%", "<1%", "<1%"] if ways else [])]
    for key in keys:
        (line,) = (line for line in shown if line.startswith(key[:20]))
        assert [word for word in line.split()[1:] if not set(word) & set("█▉▊▋▌▍▎▏")] == figures


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    rows = [Row("inn", "2026-11", f"2026-11-0{day}", {"messages": day * 10}) for day in (1, 2, 4)]
    lengths = [line.count("█") for line in told(rows, "day", 100)[2:]]
    assert lengths == [6, 12, 24]


def test_of_many_people_the_first_fifty_are_shown() -> None:
    rows = [Row("inn", "2026-11", f"U{number:032x}", {"messages": 1}) for number in range(1234)]
    shown = told(rows, "user", 80)
    assert len(shown) == 1 + 1 + 50 + 1
    assert shown[-1].rstrip() == "and 1,184 people more; --json has them all"


# ---------------------------------------------------------------- misuse


def test_an_unknown_bot_is_told_with_the_near_miss(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(environ, "imn") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "there is no such bot; did you mean `inn`?" in captured.err


def test_a_folder_without_bots_is_told(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run({**environ, "BOTKIT_BOTS": str(tmp_path / "none")}) == 1
    assert "no bot in" in capsys.readouterr().err


@pytest.mark.parametrize("month", ["2026-13", "2026", "11-2026", "2026-1", "２０２６-11", ""])
def test_a_month_that_is_none_is_told(environ: dict[str, str], capsys: pytest.CaptureFixture[str], month: str) -> None:
    with pytest.raises(SystemExit) as caught:
        run(environ, "--month", month)
    assert caught.value.code == 2
    assert "is not a month; write a year and a month, such as 2026-11" in capsys.readouterr().err


def test_a_bot_whose_file_is_broken_has_been_used_all_the_same(
    store: SqliteStore, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    counted(store, TURN)
    (Path(environ["BOTKIT_BOTS"]) / "inn.yaml").write_text("nonsense")
    assert facts(environ, capsys, "inn", *MONTH)[0]["messages"] == 2
