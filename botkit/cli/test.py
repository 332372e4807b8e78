"""Run the scenarios that stand beside the bots, in bots/NAME.test.yaml.

A scenario is a conversation with what is expected of the bot. It goes through the real handler and a LINE of this
machine, without a network and for nothing: the model says what `model:` of a turn says, or what was recorded. With
--record a real model is asked where neither is there, and its answers are kept in bots/NAME.test.json. With --live a
real model answers all, and --times tells how reliably. Steps of your own are played in processes apart; with --jobs 1
all is played here, so that a breakpoint() stops. Exit code: 0 all passed, 1 something failed, 2 misuse.

example:
  botkit test                              all scenarios of all bots
  botkit test concierge --only "check-in"  those of one bot with these words in their name
  botkit test --watch                      again, whenever a file is saved
  botkit test concierge --record           ask a real model once, and keep what it answers
  botkit test --live --times 20            how often does each pass with a real model?
  botkit test --junit report.xml           for CI
"""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from rich.console import Console
from rich.text import Text

from botkit.cli import check
from botkit.cli.folder import bots_folder, unknown_bots
from botkit.cli.printing import printable
from botkit.cli.scenarios.round import Round
from botkit.cli.scenarios.watch import Uses, Watch
from botkit.simulator.playground.settings import Settings

MOST_TIMES = 1000
MOST_JOBS = 64


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "bots", metavar="BOT", nargs="*", type=_bot, help="names of bots, or their files; all of them if none is given"
    )
    parser.add_argument("--only", metavar="WORDS", default="", help="only scenarios with these words in their name")
    parser.add_argument("--live", action="store_true", help="have real models answer, at your expense")
    parser.add_argument(
        "--record", action="store_true", help="ask real models where nothing is scripted or recorded; keep the answers"
    )
    parser.add_argument("--times", metavar="N", type=_times, help="with --live: run each scenario N times")
    parser.add_argument(
        "--at-least", metavar="RATE", type=_rate, help="with --times: the rate that is enough, such as 0.9; else 1"
    )
    parser.add_argument("--judge", metavar="MODEL", help="the model that judges; by default the bot's own")
    parser.add_argument("--jobs", metavar="N", type=_jobs, help="so many at once: processes, or with --live threads")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--junit", metavar="FILE", type=Path, help="also write them as JUnit XML")
    parser.add_argument("--watch", action="store_true", help="run again what a saved file concerns, until Ctrl-C")


def _bot(written: str) -> str:
    """The name of a bot, also from the path of its file or test file, as shells complete it."""
    name = PurePath(written).name
    return name.removesuffix(".yaml").removesuffix(".test") if name.endswith(".yaml") else written


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Play and tell; 0 where all passed, 1 where something failed or a file is wrong or there is nothing, 2 misuse.

    Raises BotkitError where no process can be started, and KeyboardInterrupt once what is known was told.
    """
    folder, errors = bots_folder(environ), Console(stderr=True, highlight=False, emoji=False)
    if missing := unknown_bots(folder, options.bots):
        check.report(errors, missing)
        return 2
    if fault := _misuse(options):
        errors.print(Text.assemble(("botkit: ", "bold red"), printable(fault)), soft_wrap=True)
        return 2
    # The file is named: while scenarios are played, sys.stdout is another one.
    console = Console(file=sys.stdout, highlight=False, emoji=False)
    one_round = Round(options, Settings(environ), folder, console, errors)
    if options.watch:
        return _watch(one_round, folder, console, options.bots)
    return one_round.play(options.bots)


def _watch(one_round: Round, folder: Path, console: Console, names: Sequence[str]) -> int:
    """Play, and again whenever a file is saved; an interrupt between two rounds ends it well."""
    watch = Watch(folder)
    code = one_round.play(names)
    while True:
        uses = Uses(folder, one_round.bots)
        try:
            console.print(Text(f"\nwatching {folder}; Ctrl-C ends it", "dim"))
            saved = watch.wait()
        except KeyboardInterrupt:
            return code
        concerned = uses.concerned(saved) | Uses(folder, one_round.bots).concerned(saved)
        chosen = sorted(concerned & set(names) if names else concerned)
        if not chosen:
            continue
        told = ", ".join(sorted(printable(path.name) for path in saved))
        console.print(Text(f"\n── {told} ".ljust(60, "─"), "dim"))
        code = one_round.play(chosen)
        watch.forgive(one_round.written)


def _misuse(options: Namespace) -> str:
    """What does not go together, and the cure; "" where all does."""
    path: Path | None = options.junit
    faults = {
        "--live keeps nothing, and --record asks only where nothing is kept; write one of them": options.live
        and options.record,
        "--times needs a real model, for offline every run is the same; add --live": options.times and not options.live,
        "--at-least is a rate of several runs; add --live --times 20": options.at_least and not options.times,
        "--judge is asked with --live or --record alone; add one of them": options.judge
        and not (options.live or options.record),
        "--watch prints run after run, which together is no JSON; leave --json out": options.watch and options.json,
        f"--junit: {path} is a folder; name a file in it, such as {path}/report.xml": path and path.is_dir(),
    }
    return next((fault for fault, there in faults.items() if there), "")


def _times(text: str) -> int:
    return _number(text, MOST_TIMES)


def _jobs(text: str) -> int:
    return _number(text, MOST_JOBS)


def _number(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
        raise ArgumentTypeError(f"{text!r} is not a number from 1 to {most}")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 1:
        raise ArgumentTypeError(f"{text!r} is not a rate; write one such as 0.9 or 90%")
    return rate
