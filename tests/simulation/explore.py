"""Runs of the simulation: single faults, pairs of them, seeds; and how a failing run is made small."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.simulation.faults import Draws, Plan, planned, random_faults
from tests.simulation.invariants import violations
from tests.simulation.people import MINUTE
from tests.simulation.scenarios import STORIES, Scenario, random_scenario
from tests.simulation.scheduler import Stuck
from tests.simulation.trace import plan_in_words, told
from tests.simulation.world import START, Kind, Mode, Seams, World

FAULTY_FOR = 8 * MINUTE
"""How long a seed draws faults, in ms of virtual time; then everything works, and must come to rest."""
MODES: tuple[Mode, ...] = ("inline", "queue")


@dataclass(frozen=True)
class Case:
    """One run: the same case is the same run. Without a plan, its seed draws the faults."""

    scenario: Scenario
    mode: Mode
    seed: int = 0
    plan: Plan | None = None
    kind: Kind = "dynamodb"

    def __str__(self) -> str:
        return f"{self.scenario.name}, {self.mode}, seed {self.seed}, {self.kind}"


@dataclass(frozen=True)
class Ran:
    """What came of a run."""

    case: Case
    world: World
    violations: list[str]

    @property
    def plan(self) -> Plan:
        """The faults that struck."""
        return self.world.points.struck


def run(case: Case, seams: Seams | None = None) -> Ran:
    """Run a case to rest and look at what is left."""
    draws: Draws = random_faults(case.seed)
    if case.plan is not None:
        draws = planned({**case.scenario.always, **case.plan})
    world = World(case.mode, case.seed, draws, case.kind, seams)
    world.people.act(lambda: case.scenario.act(world))

    def stop() -> None:
        world.points.active = False

    world.scheduler.at(START + FAULTY_FOR, stop)
    try:
        world.run()
    except Stuck as stuck:
        return Ran(case, world, [f"{stuck}: {world.backend.waiting()} {world.backend.leases()}", *violations(world)])
    return Ran(case, world, violations(world))


def singles(scenario: Scenario, mode: Mode, kind: Kind = "dynamodb") -> Iterator[Case]:
    """Every fault at every point that the story passes when nothing goes wrong, one at a time."""
    calm = run(Case(scenario, mode, plan={}, kind=kind))
    assert not calm.violations, report(calm)
    yield calm.case
    for point, kinds in calm.world.points.met.items():
        for fault in kinds:
            if point not in scenario.always:
                yield Case(scenario, mode, plan={point: fault}, kind=kind)


def pairs(scenario: Scenario, mode: Mode, kind: Kind = "dynamodb") -> Iterator[Case]:
    """Every fault, and every second one at each of the points that come after it then."""
    for case in singles(scenario, mode, kind):
        if not case.plan:
            continue
        ((first, fault),) = case.plan.items()
        points = run(case).world.points.met
        after = list(points)[list(points).index(first) + 1 :] if first in points else []
        for point in after:
            for second in points[point]:
                if point not in scenario.always:
                    yield Case(scenario, mode, plan={first: fault, point: second}, kind=kind)


def seeds(first: int, count: int) -> Iterator[Case]:
    """Random stories with random faults, in both modes by turns; one in four on the store of the port."""
    for seed in range(first, first + count):
        yield Case(random_scenario(seed), MODES[seed % 2], seed, kind="port" if seed % 8 in (3, 6) else "dynamodb")


def minimal(case: Case, seams: Seams | None = None) -> Ran:
    """The same failure with as few faults as it takes: drop one after the other, as long as it still fails."""
    found = run(case, seams)
    plan = dict(found.plan) if case.plan is None else dict(case.plan)
    smaller = True
    while smaller:
        smaller = False
        for size in sorted({len(plan) // 2, len(plan) // 4, 1} - {0}, reverse=True):
            for start in range(0, len(plan), size):
                left = dict(list(plan.items())[:start] + list(plan.items())[start + size :])
                again = run(Case(case.scenario, case.mode, case.seed, left, case.kind), seams)
                if again.violations:
                    found, plan, smaller = again, left, True
                    break
            if smaller:
                break
    return found


def report(ran: Ran) -> str:
    """A failure in words: what does not hold, the faults, and the trace."""
    wrong = "\n".join(f"  {violation}" for violation in ran.violations)
    return f"{ran.case}\n\nwhat does not hold:\n{wrong}\n\nthe faults:\n{plan_in_words(ran.plan)}\n\n{told(ran.world)}"


def stories(wanted: Callable[[Scenario], bool] = lambda scenario: True) -> list[tuple[Scenario, Mode]]:
    """Every story in both modes."""
    return [(scenario, mode) for scenario in STORIES if wanted(scenario) for mode in MODES]
