"""Delete what a person has said to a bot, and what it answered, in all their conversations.

Their 1:1 chat, their conversations in groups, and their lines in those that groups share; also what still
waits for an answer. USER is LINE's id of the person. What is deployed is asked with --stack.

example:
  botkit forget concierge Uc7e3c4a1b2d94f5e8a6b7c8d9e0f1a2b
  botkit forget concierge Uc7e3c4a1b2d94f5e8a6b7c8d9e0f1a2b --yes --json --stack botkit
"""

import json
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape

from botkit.cli import check
from botkit.cli.folder import bots_folder, unknown_bots
from botkit.cli.reading import add_stack_argument, services_of

STAYS = "What stays: for seven days, that there were events, without their text; and how much was used, in numbers."


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_stack_argument(parser)
    parser.add_argument("bot", metavar="BOT", help="the bot's name")
    parser.add_argument("user", metavar="USER", type=user_id, help="LINE's id of the person: U and 32 digits or a-f")
    parser.add_argument("--yes", action="store_true", help="do not ask whether it is meant")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Forget them; 1 where it was not meant, 2 where there is no such bot or nobody to ask. Raises StoreError."""
    folder, errors = bots_folder(environ), Console(stderr=True, highlight=False, emoji=False)
    if missing := unknown_bots(folder, [options.bot]):
        check.report(errors, missing)
        return 2
    if not options.yes and not sys.stdin.isatty():
        errors.print(
            "[bold red]botkit:[/] this cannot be undone, and there is nobody to ask; add --yes", soft_wrap=True
        )
        return 2
    if not (options.yes or _is_meant(errors, options.bot, options.user)):
        errors.print("Nothing was deleted.")
        return 1
    wired = services_of(options, environ)
    deleted = wired.store.forget(options.bot, options.user, wired.clock.now())
    if options.json:
        print(json.dumps({"bot": options.bot, "user": options.user, "deleted": deleted}))  # noqa: T201  for programs
    else:
        _tell(Console(highlight=False, emoji=False), options.bot, options.user, deleted)
    return 0


def user_id(written: str) -> str:
    """LINE's id of a person (LINE reference: Source user). Raises ArgumentTypeError."""
    if not re.fullmatch("U[0-9a-f]{32}", written):
        raise ArgumentTypeError(f"{written[:80]!r} is no LINE user id; it is U and 32 digits or letters a-f")
    return written


def _is_meant(console: Console, bot: str, user: str) -> bool:
    console.print(
        f"Delete all that {user} said to {escape(bot)}, and its answers? This cannot be undone.", soft_wrap=True
    )
    try:
        return console.input("Type yes to go on: ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _tell(console: Console, bot: str, user: str, deleted: int) -> None:
    messages = "1 message" if deleted == 1 else f"{deleted:,} messages"
    found = f"{messages} deleted" if deleted else "there was nothing to delete"
    console.print(f"[bold green]{escape(bot)}[/]  {found}: {user}", soft_wrap=True)
    console.print(f"[dim]{STAYS}[/]", soft_wrap=True)
