"""Check bot files and report every mistake with its place.

example:
  botkit check                 all bots
  botkit check concierge       one of them
  botkit check --json          for programs
"""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from botkit.cli.folder import bots_folder, unknown_bots
from botkit.errors import Problem
from botkit.spec.bot import BotSpec
from botkit.spec.loader import load_folder
from botkit.steps.history import History
from botkit.steps.model import Model


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bots", metavar="BOT", nargs="*", help="names of bots; all of them if none is given")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Load the bots; 0 where all are good, 1 where a file is wrong or not there."""
    folder = bots_folder(environ)
    loaded = load_folder(folder, options.bots)
    problems = [*unknown_bots(folder, options.bots), *loaded.problems]
    if options.json:
        findings = {"bots": sorted(loaded.bots), "problems": [asdict(problem) for problem in problems]}
        print(json.dumps(findings, indent=2, ensure_ascii=False))  # noqa: T201  for programs: nothing may be wrapped
    else:
        console = Console(highlight=False)
        report(console, problems)
        _list_good(console, folder, list(loaded.bots.values()))
    return 1 if problems or not loaded.bots else 0


def report(console: Console, problems: Sequence[Problem]) -> None:
    """Print the problems, each as `file:line:column: what is wrong; what to do`."""
    for problem in problems:
        place, _, text = str(problem).partition(": ")
        console.print(f"[bold]{escape(place)}[/]: [red]{escape(text)}[/]", soft_wrap=True)
    if problems:
        console.print(f"\n[bold red]{len(problems)} to fix[/]")


def _list_good(console: Console, folder: Path, bots: Sequence[BotSpec]) -> None:
    if not bots:
        console.print(f"no good bot in {folder}")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("good", "model", "history", "LINE account", "description"):
        table.add_column(heading)
    for bot in bots:
        table.add_row(f"[green]{bot.name}[/]", *_facts(bot), escape(bot.description))
    console.print(table)


def _facts(bot: BotSpec) -> tuple[str, str, str]:
    model, history = bot.step(Model), bot.step(History)
    kept = f"{history.window} messages, per {history.scope}" if history else "none"
    return model.name if model else "none", kept, "set" if bot.line else "none, local only"
