"""What botkit aims at, as ratios of one run: nothing else survives from one machine, or one hour, to the next."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.versus.readings import Kind, Part, Reading, Run, Setting

COLD_DOOR, COLD_ANSWER, WARM_CPU, MEMORY = 0.20, 0.45, 0.25, 0.65
"""Of the plain handler's, at most."""
WARM_CPU_OF_TUNED, GROWTH, BATCH = 1.2, 1.1, 1.3

SETTINGS: dict[Setting, str] = {"new": "in new conversations", "one": "in one conversation"}


@dataclass(frozen=True, slots=True)
class Aim:
    """Something divided by something else: what that is, and what it is to be at most."""

    name: str
    ratio: float
    most: float

    @property
    def is_reached(self) -> bool:
        """Whether it is."""
        return self.ratio <= self.most


def aims(run: Run) -> list[Aim]:
    """Those that were measured."""
    return [Aim(name, ratio, most) for name, ratio, most in _ratios(run) if ratio is not None]


def over(one: float | None, other: float | None) -> float | None:
    """The quotient, where both were measured."""
    return None if one is None or other is None else one / other


def wall(reading: Reading | None) -> float | None:
    """The median of its ms, where it was taken."""
    return reading.wall_ms.p50 if reading else None


def cpu(reading: Reading | None) -> float | None:
    """The median of its CPU ms."""
    return reading.cpu_ms.p50 if reading else None


def memory(reading: Reading | None) -> float | None:
    """MB, as read last: what a process grows to."""
    return reading.memory_mb.last if reading else None


def _ratios(run: Run) -> Iterator[tuple[str, float | None, float]]:
    plain, door, answer = run.find("cold", "plain"), run.door("botkit"), run.answer("botkit")
    yield "cold door ÷ plain", over(wall(door), wall(plain)), COLD_DOOR
    yield "cold answer ÷ plain", over(wall(answer), wall(plain)), COLD_ANSWER
    yield from _warm(run)
    yield from _growing(run)


def _warm(run: Run) -> Iterator[tuple[str, float | None, float]]:
    for setting, where in SETTINGS.items():
        own, plain, tuned = (run.find("warm", name, setting=setting) for name in ("botkit", "plain", "tuned"))
        yield f"warm CPU ÷ plain, {where}", over(cpu(own), cpu(plain)), WARM_CPU
        yield f"warm CPU ÷ tuned, {where}", over(cpu(own), cpu(tuned)), WARM_CPU_OF_TUNED
    own, plain = (run.find("warm", name, setting="one") for name in ("botkit", "plain"))
    yield "memory ÷ plain", over(memory(own), memory(plain)), MEMORY


GROWING: tuple[tuple[Kind, Part, str, float], ...] = (
    ("history", "event", "stored messages", GROWTH),
    ("bots", "door", "bots, cold door", GROWTH),
    ("batch", "worker", "conversations in a batch", BATCH),
)


def _growing(run: Run) -> Iterator[tuple[str, float | None, float]]:
    for kind, part, what, most in GROWING:
        sizes = run.sizes(kind)
        name = f"{sizes[-1]:,} ÷ {sizes[0]:,} {what}" if sizes else what
        yield f"{name}: wall", growth(run, kind, "botkit", part), most
        if kind != "batch":  # ten conversations are ten times the work, and wait together
            yield f"{name}: CPU", growth(run, kind, "botkit", part, of=cpu), most


def growth(
    run: Run, kind: Kind, contestant: str, part: Part = "event", of: Callable[[Reading | None], float | None] = wall
) -> float | None:
    """What is read at the largest size ÷ what is read at the smallest one."""
    found = [run.find(kind, contestant, part, size=size) for size in run.sizes(kind)]
    return over(of(found[-1]), of(found[0])) if len(found) > 1 else None
