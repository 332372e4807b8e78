"""What is told of a run: the scenarios that failed, a line for each bot, and one of summary."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from botkit.cli.scenarios.view import located, plain, show_failed, tell_failed
from botkit.scenarios.file.scenario import Scenario
from botkit.scenarios.results import Result

MOST_SHOWN: Final = 20
"""Failures that are shown with their conversation. More of them have a cause in common as a rule."""

_STYLES = {"passed": "green", "failed": "bold red", "skipped": "yellow", "not run": "yellow"}


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures of some results. `seconds` by the clock on the wall, `cost` in millionths of a US dollar."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    unjudged: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0

    @classmethod
    def of(cls, results: Iterable[Result]) -> "Totals":
        """Count."""
        results = list(results)
        usages = [usage for result in results for usage in result.usages]
        return cls(
            sum(result.passed for result in results),
            sum(bool(result.all_failures) for result in results),
            sum(bool(result.skipped) for result in results),
            sum(len(unjudged(result)) for result in results),
            sum(usage.input_tokens for usage in usages),
            sum(usage.output_tokens for usage in usages),
            sum(usage.cost for usage in usages),
        )

    def told(self, not_run: int = 0) -> Text:
        """`38 passed, 2 failed, 1 skipped`; of nothing at all, "nothing"."""
        counts = {"passed": self.passed, "failed": self.failed, "skipped": self.skipped, "not run": not_run}
        parts = [Text(f"{count} {word}", _STYLES[word]) for word, count in counts.items() if count]
        return Text(", ").join(parts) if parts else Text("nothing was played")

    def facts(self, seconds: float, not_run: int = 0) -> dict[str, Any]:
        """The same for programs."""
        return {
            "passed": self.passed,
            "failed": self.failed,
            "skipped": self.skipped,
            "not_run": not_run,
            "unjudged": self.unjudged,
            "seconds": round(seconds, 3),
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": self.cost / 1_000_000,
        }


def unjudged(result: Result) -> tuple[str, ...]:
    """What nobody has judged."""
    return (*(one for turn in result.turns for one in turn.unjudged), *result.unjudged)


class Report:
    """Tells of results as they come, in the order of the scenarios: of one as soon as those before it are known.

    So two runs of the same tell the same, and nobody waits for the first failure. Lives as long as the run. A
    `silent` one only keeps what comes.
    """

    def __init__(self, console: Console, scenarios: Sequence[Scenario], *, silent: bool) -> None:
        self._console = console
        self._silent = silent
        self._bots = [one.bot for one in scenarios]
        self._width = max(map(len, self._bots), default=0)
        self._told = self._shown = 0
        self._gap = False
        self._results: dict[int, Result] = {}

    @property
    def known(self) -> list[Result]:
        """What has come, in the order of the scenarios."""
        return [self._results[number] for number in sorted(self._results)]

    def take(self, number: int, result: Result) -> Result:
        """A result has come, that of the scenario with this number from 0; returns it."""
        self._results[number] = result
        while self._told in self._results:
            self._tell(self._results[self._told])
            self._told += 1
            if self._told == len(self._bots) or self._bots[self._told] != self._bots[self._told - 1]:
                self._tell_bot(self._bots[self._told - 1])
        return result

    def stop(self) -> None:
        """It ends here: tell what is known and was not told yet."""
        for number in range(self._told, len(self._bots)):
            if number in self._results:
                self._tell(self._results[number])
        for bot in dict.fromkeys(self._bots[self._told :]):
            self._tell_bot(bot)

    def _tell(self, result: Result) -> None:
        if self._silent or not result.all_failures:
            return
        if self._gap:
            self._console.print()
        self._shown += 1
        self._gap = False
        if self._shown == MOST_SHOWN + 1:
            self._console.print(Text("more have failed; those in short, `--only WORDS` shows one whole:", "yellow"))
        (show_failed if self._shown <= MOST_SHOWN else tell_failed)(self._console, result)

    def _tell_bot(self, bot: str) -> None:
        results = [result for result in self._results.values() if result.bot == bot]
        if self._silent or not results:
            return
        totals = Totals.of(results)
        mark = ("✗", "bold red") if totals.failed else ("✓", "green") if totals.passed else ("–", "yellow")
        line = Text.assemble(mark, " ", (bot.ljust(self._width), "bold"), "  ", totals.told())
        self._console.print(line, soft_wrap=True)
        tell_unjudged(self._console, results)
        self._gap = True


def tell_unjudged(console: Console, results: Iterable[Result]) -> None:
    """What nobody has judged, which is no failure, a line each; of several runs of a scenario once."""
    told = dict.fromkeys((one.scenario, one.place, what) for one in results for what in unjudged(one))
    for name, place, what in told:
        where = (f"  {located(place)} {plain(name)}", "dim")
        console.print(Text.assemble(("  ? not judged: ", "yellow"), plain(what), where), soft_wrap=True)


def tell_summary(console: Console, results: Sequence[Result], seconds: float, *, live: bool, not_run: int = 0) -> None:
    """The last lines: what to do about what was left out, and the figures of all."""
    totals = Totals.of(results)
    for reason, count in Counter(result.skipped for result in results if result.skipped).items():
        console.print(Text(f"{count} skipped: {plain(reason)}", "yellow"), soft_wrap=True)
    if totals.unjudged:
        cure = "a judge is asked with --live, and its verdict kept with --record"
        what = "expectation was" if totals.unjudged == 1 else "expectations were"
        console.print(Text(f"{totals.unjudged} {what} not judged: {cure}", "yellow"), soft_wrap=True)
    line = totals.told(not_run).append(f" in {seconds:.1f} s")
    if live:
        line.append(f", {totals.input_tokens + totals.output_tokens:,} tokens")
        line.append(f", {totals.cost / 1_000_000:.4f} USD" if totals.cost else "")
    console.print(line, soft_wrap=True)


def by_scenario(results: Iterable[Result]) -> list[list[Result]]:
    """The runs of each scenario, which stand together."""
    return [list(runs) for _, runs in groupby(results, key=lambda one: (one.bot, one.place, one.scenario))]
