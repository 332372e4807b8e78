"""Two versions of a bot, scenario by scenario: what each came to, and what differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Any, Literal

from botkit.scenarios.statistics import by_chance

Run = Mapping[str, Any]
"""A run of one scenario, as `botkit test --json` shows it."""
State = Literal["passed", "failed", "stale", "unrecorded", "skipped"]
Change = Literal["worse", "better", "same", "open"]
"""Now less passes, more, or as much as before; open: one of the two was not really played."""
_WANTING: tuple[State, ...] = ("unrecorded", "stale", "skipped")


@dataclass(frozen=True)
class Side:
    """All runs of one scenario on one version."""

    runs: Sequence[Run]

    @property
    def passed(self) -> int:
        """How many passed."""
        return sum(run["outcome"] == "passed" for run in self.runs)

    @property
    def state(self) -> State:
        """What became of the run that is shown."""
        return _state(self.shown)

    @property
    def was_played(self) -> bool:
        """Whether any run tells something of the bot: none that only wanted a recording does."""
        return any(_state(run) not in _WANTING for run in self.runs)

    @cached_property
    def shown(self) -> Run:
        """The run that stands for all: the first that passed, or, where most did not, the first that did not."""
        passes = self.passed * 2 >= len(self.runs)
        return next((run for run in self.runs if (run["outcome"] == "passed") == passes), self.runs[0])

    @property
    def failures(self) -> list[Mapping[str, Any]]:
        """Those of the run that is shown."""
        return _failures(self.shown)

    @property
    def calls(self) -> float:
        """Calls of the model in one run, on average."""
        return self._mean("model_calls")

    @property
    def tokens(self) -> float:
        """Tokens of one run, in and out, on average."""
        return self._mean("input_tokens") + self._mean("output_tokens")

    @property
    def cost(self) -> float:
        """What one run costs in US dollars, on average; 0 where no price is known."""
        return self._mean("cost_usd")

    def _mean(self, figure: str) -> float:
        return float(sum(run[figure] for run in self.runs)) / len(self.runs)


@dataclass(frozen=True)
class TurnPair:
    """One turn on both versions: the lines of the conversation, as `botkit test --json` shows them."""

    number: int
    before: Sequence[Mapping[str, Any]]
    now: Sequence[Mapping[str, Any]]

    @property
    def differs(self) -> bool:
        """Whether the bot said something else, or offered it in another way."""
        return _answers(self.before) != _answers(self.now)


@dataclass(frozen=True)
class Pair:
    """One scenario on both versions."""

    name: str
    file: str
    line: int
    before: Side
    now: Side

    @cached_property
    def chance(self) -> float:
        """How likely a difference as large as this one is by chance alone; 1 where each was run once."""
        times = len(self.before.runs), len(self.now.runs)
        if times == (1, 1):
            return 1.0
        return by_chance((self.before.passed, times[0]), (self.now.passed, times[1]))

    @property
    def change(self) -> Change:
        """What became of it. Of several runs a difference counts that is more than chance."""
        before, now = self.before, self.now
        was, is_ = before.passed / len(before.runs), now.passed / len(now.runs)
        if not (before.was_played and now.was_played) or "skipped" in (before.state, now.state):
            return "open"
        once = len(before.runs) == len(now.runs) == 1
        if was == is_ or (self.chance >= LEVEL and not once):
            return "same"
        return "better" if was < is_ else "worse"

    @cached_property
    def turns(self) -> list[TurnPair]:
        """Its turns, as the runs that are shown went."""
        both = zip_longest(self.before.shown["turns"], self.now.shown["turns"])
        return [TurnPair(number, _lines(before), _lines(now)) for number, (before, now) in enumerate(both, 1)]

    @property
    def says_the_same(self) -> bool:
        """Whether every answer is the same, and every outcome."""
        return not any(turn.differs for turn in self.turns) and self.before.passed == self.now.passed


LEVEL = 0.05
"""A difference less likely than this by chance alone is told as one."""


def pairs(before: Sequence[Run], now: Sequence[Run]) -> list[Pair]:
    """The scenarios that were run on both, in the order of their file."""
    found = []
    for name in dict.fromkeys(run["scenario"] for run in now):
        sides = [Side([run for run in runs if run["scenario"] == name]) for runs in (before, now)]
        if all(side.runs for side in sides):
            found.append(Pair(name, sides[1].runs[0]["file"], sides[1].runs[0]["line"], *sides))
    return found


def facts(pair: Pair) -> dict[str, Any]:
    """The same for programs."""
    return {
        "scenario": pair.name,
        "file": pair.file,
        "line": pair.line,
        "change": pair.change,
        "chance": round(pair.chance, 4) if len(pair.now.runs) > 1 else None,
        "before": _side_facts(pair.before),
        "now": _side_facts(pair.now),
        "differing_turns": [
            {"turn": turn.number, "before": list(turn.before), "now": list(turn.now)}
            for turn in pair.turns
            if turn.differs
        ],
    }


def _side_facts(side: Side) -> dict[str, Any]:
    return {
        "outcome": side.state,
        "runs": len(side.runs),
        "passed": side.passed,
        "model_calls": side.calls,
        "tokens": side.tokens,
        "cost_usd": side.cost,
        "failures": side.failures,
    }


def _failures(run: Run) -> list[Mapping[str, Any]]:
    return [*(one for turn in run["turns"] for one in turn["failures"]), *run["failures"]]


def _state(run: Run) -> State:
    """A run that wants a recording says nothing of the bot: what else failed may have come of that."""
    faults = {one["fault"] for one in _failures(run)}
    wanting: list[State] = [one for one in ("stale", "unrecorded") if one in faults]
    outcome: State = run["outcome"]
    return wanting[0] if wanting else outcome


def _lines(turn: Run | None) -> Sequence[Mapping[str, Any]]:
    return turn["conversation"] if turn else ()


def _answers(lines: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [(one["who"], one["text"], one["via"], *one["buttons"]) for one in lines if one["kind"] == "bot"]
