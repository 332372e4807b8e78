"""Check bot files and their test files, and report every mistake with its place, then what is good to know.

example:
  botkit check                 all bots
  botkit check concierge       one of them
  botkit check --json          for programs
"""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from botkit.cli.advice import advise
from botkit.cli.folder import bots_folder, nothing_in, unknown_bots
from botkit.errors import Problem
from botkit.scenarios.file.loader import load_tests, test_files
from botkit.simulator.playground.settings import Settings
from botkit.spec.bot import BotSpec
from botkit.spec.loader import load_folder
from botkit.steps.history import History
from botkit.steps.model import Model


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bots", metavar="BOT", nargs="*", help="names of bots; all of them if none is given")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Load the bots; 0 where all are good, 1 where a file is wrong or not there. Warnings change nothing."""
    folder = bots_folder(environ)
    loaded = load_folder(folder, options.bots)
    tests = [load_tests(path) for path in test_files(folder, options.bots)]
    errors = [*unknown_bots(folder, options.bots), *loaded.problems]
    errors += [problem for one in tests for problem in one.problems]
    # What several bots have from one file is told once.
    warnings = dict.fromkeys(warning for bot in loaded.bots.values() for warning in advise(bot, Settings(environ)))
    problems = [*errors, *warnings, *(remark for one in tests for remark in one.remarks)]
    if options.json:
        findings = {"bots": sorted(loaded.bots), "problems": [asdict(problem) for problem in problems]}
        print(json.dumps(findings, indent=2, ensure_ascii=False))  # noqa: T201  for programs: nothing may be wrapped
    else:
        console = Console(highlight=False, emoji=False)
        report(console, problems)
        if loaded.bots:
            _list_good(console, list(loaded.bots.values()), after=bool(problems))
        elif not errors:
            console.print(Text(f"{nothing_in(folder)}; make one: botkit new NAME"))
    return 1 if errors or not loaded.bots else 0


def report(console: Console, problems: Sequence[Problem]) -> None:
    """Print the problems, each as `file:line:column: what is wrong; what to do`, and count them."""
    for problem in problems:
        console.print(_wrapped(console, problem), soft_wrap=True)
    errors = sum(problem.severity == "error" for problem in problems)
    counts = [(errors, "to fix", "bold red"), (len(problems) - errors, "to know", "bold yellow")]
    told = [Text(f"{count} {words}", style) for count, words, style in counts if count]
    if told:
        console.print(Text("\n").append_text(Text(", ").join(told)))


def _wrapped(console: Console, problem: Problem) -> Text:
    """One problem, broken between words and hung under its place; whole where no person reads it (`| grep`)."""
    place, _, text = str(problem).partition(": ")
    color = "red" if problem.severity == "error" else "yellow"
    line = Text.assemble((place, "bold"), ": ", (text, color))
    if not console.is_terminal:
        return line
    lines = line.wrap(console, max(console.width - 2, 20))
    for part in lines:
        part.rstrip()
    return Text("\n  ").join(lines)


def _list_good(console: Console, bots: Sequence[BotSpec], *, after: bool) -> None:
    if after:
        console.print()
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for heading, style in (("good", "green"), ("model", ""), ("history", ""), ("LINE", "")):
        table.add_column(heading, style=style, no_wrap=True, max_width=24)
    table.add_column("description", overflow="fold")
    for bot in bots:
        table.add_row(*(Text(cell) for cell in (bot.name, *_facts(bot), bot.description)))
    console.print(table)


def _facts(bot: BotSpec) -> tuple[str, str, str]:
    model, history = bot.step(Model), bot.step(History)
    kept = f"{history.window} messages per {history.scope}" if history else "none"
    return model.name if model else "none", kept, "set" if bot.line else "local only"
