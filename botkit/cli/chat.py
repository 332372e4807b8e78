"""Talk to a bot in the terminal, without a LINE account and without a key.

The bot runs as it does when deployed, and this machine plays LINE's and AWS's part, as for `botkit dev`.
A saved bot file takes effect with the next message. What was said is kept between runs. Without a key the
offline model rehearses; put OPENAI_API_KEY or OPENAI_BASE_URL into .env, and it is taken up at once.

example:
  botkit chat assistant
  botkit chat concierge --as Hana
  botkit chat companion --group --as Hana      in a group chat; say @companion to be heard
"""

import logging
import os
import sqlite3
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

from botkit.cli import check
from botkit.cli.chat_words import take
from botkit.cli.folder import bots_folder, unknown_bots
from botkit.cli.local import log_to_terminal, memory_of, store_of
from botkit.cli.sitting import Sitting
from botkit.errors import StoreError
from botkit.simulator.playground import live
from botkit.simulator.playground.playground import Playground
from botkit.simulator.playground.settings import Settings
from botkit.steps.history import History
from botkit.steps.model import Model
from botkit.steps.moderation import Moderation

with suppress(ModuleNotFoundError):  # absent on Windows
    import readline  # noqa: F401  gives the prompt its line editing and its memory


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bot", metavar="BOT", help="the bot's name")
    parser.add_argument("--as", dest="speaker", metavar="NAME", default="You", help="the name you speak as")
    parser.add_argument("--group", action="store_true", help="talk in a group chat instead of 1:1")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Talk until the input ends; 0 then, 1 where the bot's file is wrong, 2 where there is no such bot.

    Raises BotkitError where the store cannot be used.
    """
    console, folder = Console(highlight=False, emoji=False), bots_folder(environ)
    errors = Console(stderr=True, highlight=False, emoji=False)
    if missing := unknown_bots(folder, [options.bot]):
        check.report(errors, missing)
        return 2
    log_to_terminal()
    live.log.setLevel(logging.ERROR)  # this bot's problems are told in the talk
    settings = Settings(environ)
    memory = _memory(settings, environ, options.bot)
    with _opened(partial(Playground.open, folder, settings, only=options.bot), memory) as (playground, alone):
        bot = playground.shelf.find(options.bot)
        if bot is None:
            check.report(errors, playground.shelf.problems_of(options.bot))
            return 1
        try:
            _talk(Sitting(console, playground, bot, options), alone=alone)
        except KeyboardInterrupt:
            _leave(130)
        if not playground.cloud.settle(0):
            _leave(0)
    return 0


def _memory(settings: Settings, environ: Mapping[str, str], bot: str) -> Path | None:
    """Where LINE's part is kept: beside the store; None where that keeps nothing either. Raises ConfigurationError."""
    shared = memory_of(store_of(settings, environ))
    return shared.with_name(f"terminal-{bot}.db") if shared else None


@contextmanager
def _opened(
    open_with: Callable[..., AbstractContextManager[Playground]], memory: Path | None
) -> Iterator[tuple[Playground, bool]]:
    """The playground, and whether it has its memory for itself: without one, if another terminal has that open."""
    with ExitStack() as stack:
        try:
            playground, alone = stack.enter_context(open_with(memory=memory)), True
        except StoreError as error:
            if not _is_in_use(error):
                raise
            playground, alone = stack.enter_context(open_with()), False
        yield playground, alone


def _is_in_use(error: StoreError) -> bool:
    """Whether another process has the file."""
    code = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _leave(code: int) -> NoReturn:
    """End the process as it stands: it would else wait for a model. The next start goes on with what is left."""
    sys.stdout.flush()
    os._exit(code)


def _talk(sitting: Sitting, *, alone: bool) -> None:
    """Read, answer, repeat."""
    _greet(sitting, alone=alone)
    sitting.go_on()
    if sitting.group and sitting.is_uninvited:
        sitting.post(sitting.platform.join(sitting.account, sitting.group), quiet="")
    while (line := _read(sitting)) is not None:
        sitting.catch_up()
        if line in ("/quit", "/exit"):
            break
        if line:
            take(sitting, line)
        sitting.catch_up()
    sitting.console.print("[dim]Bye.[/]")


def _greet(sitting: Sitting, *, alone: bool) -> None:
    console, bot, rehearses = sitting.console, sitting.bot, sitting.changes.rehearses
    model = bot.step(Model)
    where = "in a group chat" if sitting.group else "1:1"
    console.print(f"[bold green]{bot.name}[/]  {escape(bot.description)}", style="default")
    console.print(
        f"[dim]{where} · {'rehearsal' if rehearses else model.name if model else 'no model'} · /? for help[/]"
    )
    if rehearses:
        _tell_of_rehearsal(sitting)
    if not alone:
        console.print(
            f"[dim]Another terminal has {bot.name} open; LINE forgets what is said in this one at its end.[/]"
        )
    if earlier := _count_earlier(sitting):
        messages = "1 earlier message" if earlier == 1 else f"{earlier} earlier messages"
        console.print(f"[dim]Going on after {messages}; /reset forgets the conversation.[/]")
    console.print()


def _tell_of_rehearsal(sitting: Sitting) -> None:
    sitting.changes.tell_of_rehearsal(sitting.console)
    moderation = sitting.bot.step(Moderation)
    if moderation and moderation.secrets:  # there are none where nothing is judged
        sitting.console.print("[dim]moderation: not judged in a rehearsal[/]")


def _count_earlier(sitting: Sitting) -> int:
    """Opens the store, so that one that cannot be opened is told before anything is typed. Raises StoreError."""
    history, wired = sitting.bot.step(History), sitting.playground.services
    window = history.window if history else 0
    return len(wired.store.history(sitting.conversation, window, wired.clock.now()))


def _read(sitting: Sitting) -> str | None:
    try:
        prompt = f"[bold cyan]{escape(sitting.speaker.name)}[/] › "
        return sitting.console.input(prompt, emoji=False).strip()
    except (EOFError, KeyboardInterrupt):
        sitting.console.print()
        return None
