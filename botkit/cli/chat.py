"""Talk to a bot in the terminal, without a LINE account and without a key.

The bot runs as it does when deployed: what is typed becomes a signed LINE webhook, and the
answer comes back through a local LINE that enforces LINE's rules. History is kept between runs.
Without OPENAI_API_KEY (or OPENAI_BASE_URL, or the bot's own base_url) the offline model rehearses.

example:
  botkit chat assistant
  botkit chat concierge --as Hana
  botkit chat companion --group --as Hana      in a group chat; say @companion to be heard
"""

import logging
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from contextlib import suppress

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape

from botkit.cli import check
from botkit.cli.chat_words import take
from botkit.cli.folder import bots_folder, unknown_bots
from botkit.cli.sitting import Sitting
from botkit.runtime import SystemClock
from botkit.simulator.app import create_app
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving
from botkit.spec.loader import load_folder
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
    """Talk until the input ends; 0 then, 1 where the bot's file is wrong, 2 where there is no such bot."""
    console, folder = Console(highlight=False, emoji=False), bots_folder(environ)
    if missing := unknown_bots(folder, [options.bot]):
        check.report(Console(stderr=True, highlight=False, emoji=False), missing)
        return 2
    loaded = load_folder(folder, [options.bot])
    if loaded.problems:
        check.report(Console(stderr=True, highlight=False, emoji=False), loaded.problems)
        return 1
    logging.basicConfig(
        level=logging.WARNING,
        format="%(message)s",
        handlers=[RichHandler(console=Console(stderr=True, emoji=False), show_path=False)],
    )
    platform = Platform(SystemClock())
    with serving(create_app(platform)) as line_url:
        settings = {**environ, "BOTKIT_LINE_URL": line_url}
        _talk(Sitting(console, platform, loaded.bots[options.bot], options, settings))
    return 0


def _talk(sitting: Sitting) -> None:
    """Read, answer, repeat."""
    _greet(sitting)
    if sitting.group:
        sitting.post(sitting.platform.join(sitting.account, sitting.group), quiet="")
    while (line := _read(sitting)) is not None:
        if line in ("/quit", "/exit"):
            break
        if line:
            take(sitting, line)
    sitting.console.print("[dim]Bye.[/]")


def _greet(sitting: Sitting) -> None:
    console, bot, model = sitting.console, sitting.bot, sitting.bot.step(Model)
    where = "in a group chat" if sitting.group else "1:1"
    console.print(f"[bold green]{bot.name}[/]  {escape(bot.description)}", style="default")
    console.print(
        f"[dim]{where} · {'rehearsal' if sitting.rehearses else model.name if model else 'no model'} · /? for help[/]"
    )
    if sitting.rehearses:
        _tell_of_rehearsal(sitting)
    if earlier := _count_earlier(sitting):
        messages = "1 earlier message" if earlier == 1 else f"{earlier} earlier messages"
        console.print(f"[dim]Going on after {messages}; /reset forgets the conversation.[/]")
    console.print()


def _tell_of_rehearsal(sitting: Sitting) -> None:
    model, moderation = sitting.bot.step(Model), sitting.bot.step(Moderation)
    key = escape(model.api_key.removeprefix("env:")) if model else "OPENAI_API_KEY"
    sitting.console.print(
        f"[yellow]No {key}: the offline model rehearses.[/] "
        "[dim]Set the key, or OPENAI_BASE_URL for a server of your own, and start again.[/]"
    )
    if moderation and moderation.secrets:  # there are none where nothing is judged
        sitting.console.print("[dim]moderation: not judged in a rehearsal[/]")


def _count_earlier(sitting: Sitting) -> int:
    """Opens the store, so that one that cannot be opened is told before anything is typed. Raises StoreError."""
    history, wired = sitting.bot.step(History), sitting.runtime.services
    window = history.window if history else 0
    return len(wired.store.history(sitting.conversation, window, wired.clock.now()))


def _read(sitting: Sitting) -> str | None:
    try:
        prompt = f"[bold cyan]{escape(sitting.speaker.name)}[/] › "
        return sitting.console.input(prompt, emoji=False).strip()
    except (EOFError, KeyboardInterrupt):
        sitting.console.print()
        return None
