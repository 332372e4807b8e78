"""Run a bot's scenarios on two versions of it, and show what each says, side by side.

The scenarios and the recordings are those of the files here, for both versions. Steps of your own are imported on both
sides, each in a process of its own: name only what you trust. Exit code 1: something fails now that passed before.

example:
  botkit compare concierge --against main            as it is here, with as it was on the branch main
  botkit compare concierge --against HEAD --only breakfast
  botkit compare concierge --against ../main/bots    with another folder
  botkit compare concierge --against HEAD~1 --live --times 10
                                                     a real model answers, ten times on each version
"""

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from botkit.cli import check
from botkit.cli.comparing.comparison import Pair, facts, pairs
from botkit.cli.comparing.sides import Misfit, Played, Version, earlier, played
from botkit.cli.comparing.view import show
from botkit.cli.folder import bots_folder, unknown_bots
from botkit.cli.scenarios.cases import has_words
from botkit.errors import Problem
from botkit.scenarios.file.loader import load_tests
from botkit.scenarios.file.scenario import Scenario
from botkit.scenarios.model.recording_file import path_of, read
from botkit.scenarios.parallel import MANY

MOST_TIMES = 100
"""So often a scenario is run at most."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bot", metavar="BOT", help="the bot's name")
    parser.add_argument("--against", metavar="REV", required=True, help="a revision of git, or a folder: what it was")
    parser.add_argument("--only", metavar="WORDS", help="only scenarios with these words in their name")
    parser.add_argument("--live", action="store_true", help="have real models answer, at your expense")
    parser.add_argument("--times", metavar="N", type=_times, default=1, help="run each scenario N times on each side")
    parser.add_argument("--judge", metavar="MODEL", help="the model that judges; by default the bot's own")
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Compare; 1 where something passed before and fails now, or a file is wrong, 2 where there is nothing to compare.

    Raises DeployError where a side cannot be played, SpecError where the file of recordings is wrong.
    """
    folder, errors = bots_folder(environ), Console(stderr=True, highlight=False, emoji=False)
    if missing := unknown_bots(folder, [options.bot]):
        check.report(errors, missing)
        return 2
    tests = folder / f"{options.bot}.test.yaml"
    loaded = load_tests(tests)
    if loaded.problems:
        check.report(errors, loaded.problems)
        return 1
    read(path_of(tests))  # what is wrong with it is told once, not by both sides
    try:
        _refuse_misuse(options)
        wanted = _wanted(loaded.scenarios, options)
        with earlier(options.against, folder, environ) as then, errors.status("[dim]playing both versions …[/]"):
            before, now = _play(options, environ, tests, wanted, then, Version("the files here", folder.resolve()))
    except Misfit as error:
        errors.print(Text(f"botkit: {error}", "bold red"), soft_wrap=True)
        return 2
    if problems := [*_of_then(options.against, before.problems), *now.problems]:
        check.report(errors, problems)
        return 1
    return _tell(options, pairs(before.runs, now.runs))


def _play(
    options: Namespace, environ: Mapping[str, str], tests: Path, wanted: Sequence[str], then: Version, now: Version
) -> list[Played]:
    """Both sides. Raises Misfit where there was no such bot then, and DeployError."""
    if then.file_of(options.bot) is None:
        raise Misfit(f"there is no bot {options.bot} in {then.called}; to play it as it is: botkit test {options.bot}")
    request = {
        "tests": str(tests.resolve()),
        "only": list(wanted),
        "times": options.times,
        "mode": "live" if options.live else "offline",
        "judge": options.judge,
        # Offline all is played in the side's own process: another one might find the other side's modules.
        "jobs": MANY if options.live else 1,
    }
    before, after = played(request, options.bot, then, now, environ=environ)
    return [before, after]


def _refuse_misuse(options: Namespace) -> None:
    """Raises Misfit where options do not go together."""
    if options.times > 1 and not options.live:
        raise Misfit("--times needs a real model, for offline every run is the same; add --live")
    if options.judge and not options.live:
        raise Misfit("--judge is asked with --live alone; add it")


def _wanted(scenarios: Sequence[Scenario], options: Namespace) -> list[str]:
    """The names of those to play. Raises Misfit where there are none."""
    found = [one.name for one in scenarios if has_words(one.name, options.only or "")]
    if not found:
        raise Misfit(f"no scenario of {options.bot} has “{options.only}” in its name; it has: {_named(scenarios)}")
    return found


def _named(scenarios: Sequence[Scenario]) -> str:
    return ", ".join(one.name for one in scenarios) or "none"


def _of_then(against: str, problems: Sequence[Problem]) -> list[Problem]:
    """What is wrong with the earlier file, which nobody can mend any more."""
    if not problems:
        return []
    told = Problem(against, 0, 0, "its bot cannot be read by this version of botkit; compare with a later one:")
    return [told, *problems]


def _tell(options: Namespace, found: Sequence[Pair]) -> int:
    worse = any(pair.change == "worse" for pair in found)
    if options.json:
        told = {"bot": options.bot, "against": options.against, "scenarios": [facts(pair) for pair in found]}
        print(json.dumps(told, indent=2, ensure_ascii=False))  # noqa: T201  for programs: nothing may be wrapped
    else:
        show(Console(highlight=False, emoji=False), options.against, found, live=options.live)
    return int(worse)


def _times(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MOST_TIMES:
        raise ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_TIMES}")
    return int(text)
