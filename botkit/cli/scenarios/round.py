"""Round: the scenarios that were asked for are played once, and told of."""

import json
import logging
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from botkit.cli import check
from botkit.cli.folder import nothing_in
from botkit.cli.printing import printable
from botkit.cli.scenarios.cases import Selection, own_code_of, select
from botkit.cli.scenarios.keep import Keeping, keep
from botkit.cli.scenarios.rates import Rate, rates_of, tell_rates
from botkit.cli.scenarios.report import Report, Totals, by_scenario, tell_summary, tell_unjudged
from botkit.scenarios import junit
from botkit.scenarios.file.loader import SUFFIX
from botkit.scenarios.model.asking import NO_MODEL, Mode
from botkit.scenarios.parallel import MANY, play_all
from botkit.scenarios.performance import Case
from botkit.scenarios.results import Result, as_json
from botkit.simulator.playground.settings import rehearses
from botkit.spec.bot import BotSpec
from botkit.spec.files import bot_files
from botkit.steps.model import Model

FEW: Final = 40
"""So many scenarios are played here sooner than processes can be started for them."""

_EXAMPLE = """
- name: says hello
  turns:
    - hana: Hello!
      model: Hi there!            # what the model is made to say
      expect: {contains: hi}
"""


@dataclass(frozen=True, slots=True)
class _Played:
    """What came of a round: the results in order, how long it took, and how many were left when it was interrupted."""

    results: Sequence[Result] = ()
    seconds: float = 0.0
    not_run: int = 0


class Round:
    """Plays as the `options` of `botkit test` say, as often as it is told to. Lives as long as the command.

    `bots` are the good ones of the last round, and `written` the files that it wrote.
    """

    def __init__(
        self, options: Namespace, settings: Mapping[str, str], folder: Path, console: Console, errors: Console
    ) -> None:
        self._options = options
        self._settings = settings
        self._folder = folder
        self._console = console
        self._errors = errors
        self._mode: Mode = "live" if options.live else "record" if options.record else "offline"
        self.bots: Mapping[str, BotSpec] = {}
        self.written: tuple[Path, ...] = ()

    def play(self, names: Sequence[str]) -> int:
        """Play the scenarios of these bots, or of all; returns the exit code. Raises KeyboardInterrupt, once told."""
        with own_code_of(self._folder):
            with _quiet():  # own steps are imported
                chosen = select(self._folder, names, self._options.only)
            self.bots = chosen.bots
            if not self._options.json:
                check.report(self._errors, [*chosen.problems, *chosen.remarks])
            if not chosen.scenarios:
                return self._nothing(chosen)
            if fault := self._no_model(chosen):
                self._complain(fault)
                return 2
            return self._played(chosen)

    # ---------------------------------------------------------------- playing

    def _played(self, chosen: Selection) -> int:
        times, began = self._options.times or 1, monotonic()
        cases = chosen.cases(self._mode, self._options.judge, times)
        is_silent = self._options.json or times > 1
        report = Report(self._console, [case.scenario for case in cases], silent=is_silent)
        try:
            with self._progress(len(cases)) as advance, _quiet():
                jobs = self._jobs(chosen, cases)

                def done(number: int, came: Result) -> None:
                    advance(report.take(number, came))
                    if self._mode == "record":  # now: a run that is killed must not lose what was paid for
                        keep(chosen, [came])

                play_all(cases, self._settings, jobs, done)
        finally:  # also of one that was interrupted
            report.stop()
            not_run = len(cases) - len(report.known)
            code = self._end(chosen, _Played(report.known, monotonic() - began, not_run))
        return code

    def _jobs(self, chosen: Selection, cases: Sequence[Case]) -> int:
        if self._options.jobs:
            return int(self._options.jobs)
        if self._mode != "offline":
            return MANY
        few = len(cases) <= FEW and not chosen.own_code
        return 1 if few else max(2, os.cpu_count() or 2)

    @contextmanager
    def _progress(self, number: int) -> Iterator[Callable[[Result], None]]:
        """A bar on a terminal, for as long as it lasts; none with --jobs 1, where a debugger may want the terminal."""
        if not self._console.is_terminal or self._options.json or self._options.jobs == 1:
            yield lambda _: None
            return
        columns = (MofNCompleteColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("[bold red]{task.description}"))
        with Progress(*columns, console=self._console, transient=True) as bar:
            task, failed = bar.add_task("", total=number), 0

            def advance(result: Result) -> None:
                nonlocal failed
                failed += bool(result.all_failures)
                bar.update(task, advance=1, description=f"{failed} failed" if failed else "")

            yield advance

    # ---------------------------------------------------------------- telling

    def _end(self, chosen: Selection, played: "_Played") -> int:
        """Keep what is to be kept, and tell the sum of it; returns the exit code."""
        rates = rates_of(by_scenario(played.results)) if self._options.times else []
        kept = keep(chosen, played.results) if self._mode == "record" else ()
        self.written = tuple(one.path for one in kept)
        if self._options.json:
            self._print_json(chosen, played, rates, kept)
        else:
            self._tell(chosen, played, rates, kept)
        is_written = self._write_junit(chosen, played.results)
        failed = (
            any(rate.share < self._least for rate in rates)
            if rates
            else any(one.all_failures for one in played.results)
        )
        return int(failed or bool(chosen.problems) or not is_written or any(one.fault for one in kept))

    @property
    def _least(self) -> float:
        return self._options.at_least or 1.0

    def _tell(self, chosen: Selection, played: "_Played", rates: Sequence[Rate], kept: Sequence[Keeping]) -> None:
        if rates:
            tell_rates(self._console, rates, self._least)
            tell_unjudged(self._console, played.results)
        for one in kept:
            self._console.print(one.told(), soft_wrap=True)
        if (
            self._mode == "record"
            and not kept
            and not played.not_run
            and not any(one.all_failures for one in played.results)
        ):
            self._console.print("there is nothing to record: every answer is scripted", style="dim")
        self._console.print()
        is_live = self._mode == "live"
        tell_summary(self._console, played.results, played.seconds, live=is_live, not_run=played.not_run)
        if wrong := len({one.file for one in chosen.problems}):
            words = "1 file is" if wrong == 1 else f"{wrong} files are"
            self._console.print(Text(f"{words} wrong, and what stands there was not run: see above", "bold red"))

    def _print_json(self, chosen: Selection, played: "_Played", rates: Sequence[Rate], kept: Sequence[Keeping]) -> None:
        facts: dict[str, Any] = {"results": as_json(played.results)}
        if self._options.times:
            facts["rates"] = [rate.facts() for rate in rates]
        if self._mode == "record":
            facts["recordings"] = [one.facts() for one in kept]
        facts["totals"] = Totals.of(played.results).facts(played.seconds, played.not_run)
        facts["problems"] = [asdict(problem) for problem in (*chosen.problems, *chosen.remarks)]
        print(json.dumps(facts, indent=2, ensure_ascii=False))  # noqa: T201  for programs: nothing may be wrapped

    def _write_junit(self, chosen: Selection, results: Sequence[Result]) -> bool:
        """Whether the report could be written, where one is wanted."""
        path: Path | None = self._options.junit
        try:
            if path is not None:
                junit.write(path, results, chosen.problems)
        except OSError as error:
            self._complain(f"{path} cannot be written: {error.strerror}; name another file for --junit")
            return False
        return True

    def _complain(self, fault: str) -> None:
        self._errors.print(Text.assemble(("botkit: ", "bold red"), printable(fault)), soft_wrap=True)

    # ---------------------------------------------------------------- nothing to play

    def _nothing(self, chosen: Selection) -> int:
        """Say why there is nothing to play, and what to do; returns the exit code."""
        if chosen.all_scenarios:
            names = ", ".join(one.name for one in chosen.all_scenarios)
            self._complain(f"no scenario has “{self._options.only}” in its name; there is: {names}")
            return 2
        if not bot_files(self._folder):
            self._complain(f"{nothing_in(self._folder)}; make one: botkit new NAME")
        elif not chosen.problems:
            path = self._folder / f"{bot_files(self._folder)[0].stem}{SUFFIX}"
            self._complain(f"there are no scenarios yet; write some, such as this one in {path}:")
            self._errors.print(Text(_EXAMPLE.rstrip()), soft_wrap=True)
        if self._options.json:
            self._print_json(chosen, _Played(), [], ())
        self._write_junit(chosen, ())
        return 1

    def _no_model(self, chosen: Selection) -> str:
        """Why --live would ask nobody; "" where there is somebody."""
        if self._mode != "live":
            return ""
        asked = [chosen.bots[name] for name in dict.fromkeys(one.bot for one in chosen.scenarios)]
        mute = [bot.name for bot in asked if _has_key_here(bot) and rehearses(bot, self._settings)]
        return f"{', '.join(mute)}: {NO_MODEL}" if mute else ""


def _has_key_here(bot: BotSpec) -> bool:
    """Whether the key is one of the environment, rather than of AWS."""
    model = bot.step(Model)
    return model is not None and model.api_key.startswith("env:")


@contextmanager
def _quiet() -> Iterator[None]:
    """What bots print and log must not run into what is told of them: that goes to stderr, and log lines nowhere.

    A scenario's troubles are in its result; what a handler logs of those that were meant would look like faults.
    """
    log, silence = logging.getLogger(), logging.NullHandler()
    log.addHandler(silence)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        log.removeHandler(silence)
