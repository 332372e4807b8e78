"""Show what a bot remembers of one conversation, oldest first; what has expired is never shown.

CONVERSATION is the id of a person (U…), a group (C…) or a room (R…). What one person said in a group is
group:C…:U…, where the bot keeps a conversation for each. To find an id: `botkit usage BOT --by user` lists
people, and `botkit explain BOT EVENT` names the conversation of an event in the log.
What is deployed is asked with --stack.

example:
  botkit history concierge Uc7e3c4a1b2d94f5e8a6b7c8d9e0f1a2b
  botkit history concierge group:Ca56f9463e7d84c0b9a1d2e3f4a5b6c7d --limit 20 --json
"""

import json
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, tzinfo
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from botkit.cli import check
from botkit.cli.folder import bots_folder, unknown_bots, zone_of
from botkit.cli.reading import add_stack_argument, services_of
from botkit.line.text import clean
from botkit.messages import Message
from botkit.models.tokens import count_tokens
from botkit.ports import Conversation, Store

MOST = 1000
"""Lines shown at once."""

_FULL = re.compile(r"(user|group|room):\S+")
_KINDS = {"U": "user", "C": "group", "R": "room"}
_SPEAKERS = {"user": "they", "assistant": "bot", "system": "system"}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_stack_argument(parser)
    parser.add_argument("bot", metavar="BOT", help="the bot's name")
    parser.add_argument("conversation", metavar="CONVERSATION", type=conversation_id, help="whose or which: see above")
    parser.add_argument("--limit", metavar="N", type=_limit, default=50, help="at most so many lines (default: 50)")
    parser.add_argument("--json", action="store_true", help="print the same as JSON")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Show it; 1 where nothing is kept, 2 where there is no such bot. Raises StoreError."""
    folder, errors = bots_folder(environ), Console(stderr=True, highlight=False, emoji=False)
    if missing := unknown_bots(folder, [options.bot]):
        check.report(errors, missing)
        return 2
    wired = services_of(options, environ)
    conversation = Conversation(options.bot, options.conversation)
    said = lines_of(wired.store, conversation, options.limit, wired.clock.now())
    if not said:
        errors.print(
            f"[bold red]botkit:[/] {escape(options.bot)} remembers nothing of {escape(conversation.id)}: "
            f"{nothing_there(conversation.id)}",
            soft_wrap=True,
        )
        return 1
    if options.json:
        print(json.dumps([_facts(one) for one in said], indent=2, ensure_ascii=False))  # noqa: T201  for programs
        return 0
    tell(Console(highlight=False, emoji=False), said, zone_of(folder, options.bot))
    return 0


def conversation_id(written: str) -> str:
    """The id of a conversation, from it or from LINE's id of a chat. Raises ArgumentTypeError."""
    if _FULL.fullmatch(written):
        return written
    kind = _KINDS.get(written[:1])
    if kind is None or not written.isalnum():
        raise ArgumentTypeError(
            f"{written[:80]!r} is no conversation; write the id of a user (U…), group (C…) or room (R…)"
        )
    return f"{kind}:{written}"


def nothing_there(conversation: str) -> str:
    """Why nothing may be kept of a conversation, and what to ask instead."""
    kind, _, rest = conversation.partition(":")
    own = f"; where each person of a {kind} has a conversation of their own, write {kind}:{rest}:U…"
    cure = own if kind in ("group", "room") and ":" not in rest else ""
    return f"nothing was said there, or it has expired or was deleted; of what is deployed, ask with --stack{cure}"


def lines_of(store: Store, conversation: Conversation, limit: int, now: int) -> Sequence[Message]:
    """The newest `limit` lines that are kept, overheard ones among them, oldest first."""
    return store.history(conversation, limit, now, limit)[-limit:]


def tell(console: Console, said: Sequence[Message], zone: tzinfo | None) -> None:
    """Print who said what and when; overheard lines are dimmed. Times are in `zone`, or the machine's."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(max_width=24, style="cyan")
    table.add_column(overflow="fold")
    for one in said:
        who = _one_line(one.speaker or _SPEAKERS[one.role]) + (" (overheard)" if one.overheard else "")
        table.add_row(_time(one.at, zone), Text(who), Text(clean(one.text)), style="dim" if one.overheard else None)
    console.print(table)


def _facts(one: Message) -> dict[str, Any]:
    facts = asdict(replace(one, tokens=count_tokens("", one.content)) if one.tokens is None else one)
    del facts["images"]  # they are not stored
    return facts


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())


def _time(at: int, zone: tzinfo | None) -> str:
    return f"{datetime.fromtimestamp(at / 1000, zone):%Y-%m-%d %H:%M:%S}" if at else "-"


def _limit(written: str) -> int:
    if not re.fullmatch("[0-9]{1,4}", written) or not 1 <= int(written) <= MOST:
        raise ArgumentTypeError(f"{written[:40]!r} is not a number from 1 to {MOST}")
    return int(written)
