"""Show what bots were asked and what that cost in a month: messages, tokens, money, and how the answers went out.

Days and months are the bot's own, by its `timezone`. Money is in US dollars, and – where there was none or the
model's price is not known. People are shown by their LINE user ids: names are not stored. What is deployed is asked
with --stack; each bot takes 16 reads.

example:
  botkit usage                              all bots, this month
  botkit usage concierge --by day           one of them, day by day
  botkit usage concierge --by user --month 2026-11
  botkit usage --stack botkit --json        of what is deployed
"""

import json
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from rich.bar import Bar
from rich.console import Console
from rich.table import Table
from rich.text import Text

from botkit.cli import check
from botkit.cli.folder import bots_folder, unknown_bots
from botkit.cli.reading import add_stack_argument, services_of
from botkit.ports import Store
from botkit.spec.files import bot_files
from botkit.spec.loader import load_folder
from botkit.usage import days_of, people_of, shards, window

WAYS = ("reply", "button", "push", "lost")
"""How answers went out: free with the reply token, free after a tap on a button, pushed for money, or not at all."""
COUNTED = ("messages", "turns", "input_tokens", "output_tokens")
MOST_ROWS = 50
"""Rows of people that a person is shown; programs get them all."""
WIDEST_BAR, LEAST_BAR, GAP = 24, 6, 2
NONE = "–"


@dataclass(frozen=True, slots=True)
class Row:
    """What was counted for a bot in a month, on a day of it (`key` is the date) or of a person (a user id)."""

    bot: str
    month: str
    key: str
    amounts: Mapping[str, int]

    def amount(self, *names: str) -> int:
        """The sum of these amounts."""
        return sum(self.amounts.get(name, 0) for name in names)

    def facts(self, by: str | None) -> dict[str, Any]:
        """The row for programs; `cost_usd` is 0 where it is not known, ways are counted by bot and day alone."""
        names = COUNTED if by == "user" else (*COUNTED, *WAYS)
        key = {by: self.key} if by else {}
        amounts = {name: self.amount(name) for name in names}
        return {"bot": self.bot, "month": self.month, **key, **amounts, "cost_usd": self.amount("cost") / 1_000_000}


Found = dict[tuple[str, str], list[Row]]
"""The rows of each bot and month that were asked for."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_stack_argument(parser)
    parser.add_argument("bots", metavar="BOT", nargs="*", help="names of bots; all of them if none is given")
    parser.add_argument("--by", choices=("user", "day"), help="a row for each person, or for each day")
    parser.add_argument("--month", metavar="YYYY-MM", type=_month, help="the month; this one if none is given")
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def _month(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text, re.ASCII):
        raise ArgumentTypeError(f"{text!r} is not a month; write a year and a month, such as 2026-11")
    return text


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Show it; 1 where there is no bot, 2 where there is none of a name that was given. Raises StoreError."""
    folder, errors = bots_folder(environ), Console(stderr=True, highlight=False, emoji=False)
    if missing := unknown_bots(folder, options.bots):
        check.report(errors, missing)
        return 2
    names = list(dict.fromkeys(options.bots)) or [path.stem for path in bot_files(folder)]
    if not names:
        errors.print(Text(f"no bot in {folder}"))
        return 1
    wired, loaded = services_of(options, environ), load_folder(folder, names)
    found: Found = {}
    for name in names:
        now, zone = wired.clock.now(), loaded.bots[name].timezone if name in loaded.bots else UTC
        month = options.month or window("month", now, zone).partition("#")[2]
        found[name, month] = rows_of(wired.store, name, month, options.by, now)
    if options.json:
        facts = [row.facts(options.by) for rows in found.values() for row in rows]
        print(json.dumps(facts, indent=2, ensure_ascii=False))  # noqa: T201  for programs: nothing may be wrapped
    else:
        tell(Console(highlight=False, emoji=False), found, options.by)
    return 0


def rows_of(store: Store, bot: str, month: str, by: str | None, now: int) -> list[Row]:
    """What the store has counted of a bot: one row, or one for each day, or for each person, the most messages first.

    One read for each of the 16 shards, one after the other. Raises StoreError.
    """
    first, last = people_of(month) if by == "user" else days_of(month)
    totals: dict[str, Counter[str]] = {}
    for shard in shards():
        for count in store.tally(bot, shard, first, last, now):
            key = count.window.split("#", 2)[-1] if by else ""
            totals.setdefault(key, Counter()).update(count.amounts)
    if by is None:
        return [Row(bot, month, bot, totals.get("", {}))]
    keys = _days(totals) if by == "day" else sorted(totals, key=lambda key: (-totals[key]["messages"], key))
    return [Row(bot, month, key, totals.get(key, {})) for key in keys]


def _days(counted: Iterable[str]) -> list[str]:
    """Every day from the first one counted to the last, also those on which nothing was."""
    dates = sorted(map(date.fromisoformat, counted))
    if not dates:
        return []
    return [str(dates[0] + timedelta(days=number)) for number in range((dates[-1] - dates[0]).days + 1)]


def tell(console: Console, found: Found, by: str | None) -> None:
    """Print the rows: all bots of a month in one table, or the days or people of each bot in one of its own."""
    tables: dict[str, list[Row]] = {}
    for (bot, month), rows in found.items():
        tables.setdefault(f"{bot}, {month}" if by else month, []).extend(rows)
    for number, (title, rows) in enumerate(tables.items()):
        shown = rows[:MOST_ROWS] if by == "user" else rows
        console.print(Text("\n" * bool(number) + title, "bold green"))
        console.print(_table(console, shown, by or "bot") if shown else Text("nothing was counted", "dim"))
        if len(rows) > len(shown):
            console.print(Text(f"and {len(rows) - len(shown):,} people more; --json has them all", "dim"))


def _table(console: Console, rows: Sequence[Row], heading: str) -> Table:
    """The rows, with as wide a bar as there is room for."""
    bare = _filled(rows, heading, 0)
    room = console.width - console.measure(bare).maximum - GAP
    return _filled(rows, heading, min(room, WIDEST_BAR)) if room >= LEAST_BAR else bare


def _filled(rows: Sequence[Row], heading: str, bar: int) -> Table:
    ways = [way for way in WAYS if any(row.amount(way) for row in rows)]
    most = max(row.amount("messages") for row in rows)
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="dim")
    table.add_column(heading, style="cyan", overflow="fold")
    table.add_column("messages", justify="right", no_wrap=True)
    if bar:
        table.add_column("", width=bar)
    for name in ("tokens", "USD", *ways):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        bars = [Bar(max(most, 1), 0, row.amount("messages"), width=bar, color="cyan")] if bar else []
        table.add_row(Text(row.key), _count(row.amount("messages")), *bars, *_figures(row, ways))
    return table


def _figures(row: Row, ways: Sequence[str]) -> list[str]:
    shares = [_share(row.amount(way), row.amount(*WAYS)) for way in ways]
    return [_tokens(row.amount("input_tokens", "output_tokens")), _dollars(row.amount("cost")), *shares]


def _count(number: int) -> str:
    return f"{number:,}" if number else NONE


def _tokens(number: int) -> str:
    if number < 10_000:
        return _count(number)
    return f"{number / 1000:,.0f}k" if number < 999_500 else f"{number / 1_000_000:,.1f}M"


def _dollars(millionths: int) -> str:
    if not millionths:
        return NONE
    return f"{millionths / 1_000_000:,.2f}" if millionths >= 10_000 else "<0.01"


def _share(part: int, whole: int) -> str:
    """A share in whole percents; what is almost nothing or almost all is not shown as nothing or all."""
    if not part:
        return NONE
    percent = round(100 * part / whole)
    return "<1%" if percent == 0 else ">99%" if percent == 100 and part < whole else f"{percent}%"
