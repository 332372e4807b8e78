"""Scenarios that were run many times: how often each passed, and what went wrong how often, with an example."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from botkit.cli.scenarios.view import located, plain, show_failed
from botkit.scenarios.results import Failure, Result
from botkit.scenarios.statistics import interval, told
from botkit.spec.document import Place

MOST_KINDS: Final = 3
"""Kinds of failures that a person is shown an example of, the most frequent first."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One expectation that was not met: the `count` of runs, and the number of the first, from 1."""

    failure: Failure
    count: int
    example: int


@dataclass(frozen=True, slots=True)
class Rate:
    """The runs of one scenario that were played."""

    runs: tuple[Result, ...]

    @property
    def passed(self) -> int:
        """So many passed."""
        return sum(run.passed for run in self.runs)

    @property
    def share(self) -> float:
        """The part that passed, from 0 to 1; 1 of none."""
        return self.passed / len(self.runs) if self.runs else 1.0

    @property
    def kinds(self) -> list[Kind]:
        """What went wrong, the most frequent first. It counts what is expected, not what came instead."""
        found: dict[tuple[str, str, Place], list[tuple[int, Failure]]] = {}
        for number, run in enumerate(self.runs, 1):
            firsts = {(one.fault, one.expectation, one.place): one for one in reversed(run.all_failures)}
            for key, failure in firsts.items():
                found.setdefault(key, []).append((number, failure))
        kinds = [Kind(runs[0][1], len(runs), runs[0][0]) for runs in found.values()]
        return sorted(kinds, key=lambda kind: (-kind.count, kind.failure.place.line, kind.failure.place.column))

    def facts(self) -> dict[str, Any]:
        """The rate for programs, with its interval."""
        first, (low, high) = self.runs[0], interval(self.passed, len(self.runs))
        kinds = [
            {
                "count": kind.count,
                "expectation": kind.failure.expectation,
                "fault": kind.failure.fault,
                "wanted": kind.failure.wanted,
                "line": kind.failure.place.line,
                "example": kind.example,
            }
            for kind in self.kinds
        ]
        of = {"bot": first.bot, "scenario": first.scenario, "runs": len(self.runs), "passed": self.passed}
        return {**of, "rate": round(self.share, 4), "interval": [round(low, 4), round(high, 4)], "failures": kinds}


def rates_of(runs: Sequence[Sequence[Result]]) -> list[Rate]:
    """The rates of scenarios, each with its runs; of those that were played at all."""
    played = (tuple(run for run in of_one if not run.skipped) for of_one in runs)
    return [Rate(of_one) for of_one in played if of_one]


def tell_rates(console: Console, rates: Sequence[Rate], least: float) -> None:
    """Print them: the examples of what went wrong first, and then a line for each scenario."""
    for rate in rates:
        if rate.kinds:
            _examples(console, rate)
    width = max((len(rate.runs[0].bot) for rate in rates), default=0)
    for rate in rates:
        first, good = rate.runs[0], rate.share >= least
        style = "green" if rate.share == 1 else "yellow" if good else "bold red"
        mark = ("✓" if good else "✗", "green" if good else "bold red")
        line = Text.assemble(mark, " ", (first.bot.ljust(width), "dim"), "  ", plain(first.scenario))
        console.print(line.append(f"  {told(rate.passed, len(rate.runs))}", style), soft_wrap=True)


def _examples(console: Console, rate: Rate) -> None:
    """A conversation for each of the most frequent failures; one that shows several of them comes once."""
    of, shown = len(rate.runs), set[int]()
    for kind in rate.kinds[:MOST_KINDS]:
        example = rate.runs[kind.example - 1]
        often = f"{kind.count} of {of} runs"
        if kind.example not in shown:
            show_failed(console, example, f"{often}; this is run {kind.example}")
        else:
            what = kind.failure.expectation or kind.failure.fault
            console.print(Text.assemble(f"  {often}: {what} ", (located(kind.failure.place), "dim")), soft_wrap=True)
            console.print()
        shown.add(kind.example)
    if more := len(rate.kinds) - MOST_KINDS:
        console.print(Text(f"  and {more} other kinds of failure" if more > 0 else "", "dim")) if more > 0 else None
