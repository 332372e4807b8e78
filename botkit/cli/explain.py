"""Tell what happened to one event: when it came, what the model was sent, which calls LINE got and what it answered.

The event is LINE's `webhookEventId`, as the log lines name it; it is known for seven days. Nothing that
was said is shown. What is deployed is asked with --stack.

example:
  botkit explain concierge 01FZ74A0TDDPYRVKNK77XKC3ZR
  botkit explain concierge 01FZ74A0TDDPYRVKNK77XKC3ZR --json --stack botkit
"""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, tzinfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from botkit.cli import check
from botkit.cli.folder import bots_folder, unknown_bots, zone_of
from botkit.cli.reading import add_stack_argument, services_of
from botkit.ports import MEANING, Note, Record, Store


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_stack_argument(parser)
    parser.add_argument("bot", metavar="BOT", help="the bot's name")
    parser.add_argument("event", metavar="EVENT", help="LINE's webhookEventId")
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Tell it; 1 where the bot never saw the event, 2 where there is no such bot. Raises StoreError."""
    folder, errors = bots_folder(environ), Console(stderr=True, highlight=False, emoji=False)
    if missing := unknown_bots(folder, [options.bot]):
        check.report(errors, missing)
        return 2
    wired = services_of(options, environ)
    records = records_of(wired.store, options.bot, options.event, wired.clock.now())
    if not records:
        errors.print(
            f"[bold red]botkit:[/] {escape(options.bot)} knows no event {escape(options.event)}; "
            "it is remembered for seven days; of what is deployed, ask with --stack",
            soft_wrap=True,
        )
        return 1
    if options.json:
        print(json.dumps([asdict(record) for record in records], indent=2, ensure_ascii=False))  # noqa: T201  for programs
        return 0
    tell(Console(highlight=False, emoji=False), records, zone_of(folder, options.bot))
    return 0


def records_of(store: Store, bot: str, event_id: str, now: int) -> list[Record]:
    """The event's record, and that of the event whose answer covers it."""
    record = store.record(bot, event_id, now)
    if record is None:
        return []
    lead = store.record(bot, record.lead, now) if record.lead not in (None, event_id) else None
    return [record, *([lead] if lead else [])]


def tell(console: Console, records: Sequence[Record], zone: tzinfo | None) -> None:
    """Print the story of an event, and of the one whose answer covers it; times are in `zone`, or the machine's."""
    for record in records:
        _tell(console, record, zone)


def _tell(console: Console, record: Record, zone: tzinfo | None) -> None:
    console.print(f"[bold green]{escape(record.event_id)}[/]  {record.state}: {MEANING[record.state]}")
    console.print(f"[dim]{escape(record.conversation.id)}[/]", soft_wrap=True)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for at, text in [
        (record.at, "it happened, says LINE"),
        (record.received_at, "its webhook was received"),
        *_told(record),
    ]:
        table.add_row(_time(at, zone), escape(text))
    console.print(table)
    if record.lead not in (None, record.event_id):
        console.print(f"Answered together with {escape(record.lead or '')}:\n")


def _told(record: Record) -> list[tuple[int, str]]:
    notes: list[Note] = sorted(record.notes, key=lambda note: note.at)
    tries = [] if record.attempts < 2 else [(record.received_at, f"{record.attempts} attempts so far")]
    return [*tries, *((note.at, note.text) for note in notes)]


def _time(at: int, zone: tzinfo | None) -> str:
    moment = datetime.fromtimestamp(at / 1000, zone)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{at % 1000:03d}"
