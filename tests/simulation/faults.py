"""Faults and where they strike: every port call passes one fault point, with a stable name such as `line.reply#2`."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Protocol, TypeVar

from tests.simulation.scheduler import Crashed, Scheduler

T = TypeVar("T")


class Fault(Enum):
    """What happens to one port call."""

    CRASH_BEFORE = "crash before"
    """The process dies, and nothing was done."""
    CRASH_AFTER = "crash after"
    """It was done, and the process dies before it hears of it."""
    ERROR_BEFORE = "error before"
    """Nothing was done."""
    ERROR_AFTER = "error after"
    """It was done, and the response was lost."""
    DELAY = "delay"
    """It takes long."""
    TWICE = "twice"
    """It was done, the response was lost, and the client underneath does it again by itself."""
    LATE = "late"
    """The response does not come in time, and it is done after that."""


Plan = Mapping[str, Fault]
"""The faults of a run, by the name of their point."""

COMMON = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.ERROR_BEFORE, Fault.ERROR_AFTER, Fault.DELAY)


class Draws(Protocol):
    """Decides on the fault at a point, so many ms after the start."""

    def __call__(self, point: str, kinds: tuple[Fault, ...], at: int) -> Fault | None: ...


def planned(plan: Plan) -> Draws:
    """Exactly the faults of a plan."""
    return lambda point, kinds, at: plan.get(point)


def random_faults(seed: int, most: float = 0.20, least: float = 0.02) -> Draws:
    """Faults at a share of all points that the seed draws, too; one seed in four has an outage of some minutes."""
    random = Random(f"faults {seed}")
    rate = random.uniform(least, most)
    out = random.choice(("line.", "store.", "model.", "wake.")) if random.random() < 0.25 else "none"
    begins, lasts = random.randrange(60_000), random.randrange(20_000, 300_000)

    def draw(point: str, kinds: tuple[Fault, ...], at: int) -> Fault | None:
        if point.startswith(out) and begins <= at <= begins + lasts:
            return random.choice((Fault.ERROR_BEFORE, Fault.ERROR_BEFORE, Fault.ERROR_AFTER))
        return random.choice(kinds) if random.random() < rate else None

    return draw


@dataclass(frozen=True)
class Nature:
    """How calls of one port go wrong. `error(fault, n)` is what the n-th call raises; times are in ms.

    `usual` and `long` are the bounds of its latency, which never exceeds `most`; `patience` is how long a
    client waits for what is LATE.
    """

    error: Callable[[Fault, int], Exception]
    usual: tuple[int, int]
    long: tuple[int, int]
    kinds: tuple[Fault, ...] = COMMON
    patience: int = 5000
    most: int = 10**9


@dataclass
class FaultPoints:
    """All fault points of a run. `struck` is the plan as it came to be; `met` are the points and what can happen there."""

    scheduler: Scheduler
    draws: Draws
    active: bool = True
    met: dict[str, tuple[Fault, ...]] = field(default_factory=dict)
    struck: dict[str, Fault] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)

    def call(self, name: str, nature: Nature, do: Callable[[], T], what: object = "") -> T:
        """Make a port call. Raises what `do` raises, the error of a fault, or Crashed."""
        scheduler = self.scheduler
        scheduler.check_alive()
        process = scheduler.task.process
        self._counts[name] += 1
        point = f"{name}#{self._counts[name]}"
        fault = self._fault(point, nature.kinds)
        scheduler.note(process, f"{point} ⚡{fault.value}" if fault else point, what)
        scheduler.sleep(min(nature.most, self._latency(nature.long if fault is Fault.DELAY else nature.usual)))
        if fault is Fault.CRASH_BEFORE:
            process.kill()
            raise Crashed
        if fault is Fault.ERROR_BEFORE:
            raise nature.error(fault, self._counts[name])
        if fault is Fault.LATE:
            scheduler.at(scheduler.now + nature.patience + self._latency(nature.long), lambda: self._late(point, do))
            scheduler.sleep(nature.patience)
            raise nature.error(fault, self._counts[name])
        try:
            result = do()
            if fault is Fault.TWICE:
                scheduler.sleep(self._latency(nature.usual))
                result = do()
        finally:
            if fault is Fault.CRASH_AFTER:
                process.kill()
                raise Crashed
        if fault is Fault.ERROR_AFTER:
            raise nature.error(fault, self._counts[name])
        scheduler.sleep(self._latency(nature.usual) // 2)
        return result

    def _fault(self, point: str, kinds: tuple[Fault, ...]) -> Fault | None:
        if not self.active:
            return None
        self.met[point] = kinds
        fault = self.draws(point, kinds, self.scheduler.now - self.scheduler.start)
        if fault is not None:
            self.struck[point] = fault
        return fault

    def _late(self, point: str, do: Callable[[], object]) -> None:
        try:
            outcome = do()
        except Exception as error:
            outcome = error
        self.scheduler.note(self.scheduler.platform, f"{point} is carried out now", outcome)

    def _latency(self, bounds: tuple[int, int]) -> int:
        random = self.scheduler.random
        # Now and then something takes ten times as long, so that orders come about that even times never show.
        return random.randint(*bounds) * (10 if random.random() < 0.03 else 1)
