"""The delivery code keeps its promise, whatever fails: every single fault of every story, and 500 seeds."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.simulation.explore import MODES, Case, run
from tests.simulation.parallel import Job, Seeds, Singles, Tally, cores, work_all
from tests.simulation.scenarios import STORIES, Scenario, random_scenario
from tests.simulation.trace import told

AT_ONCE = 25
SEEDS = range(0, 500, 2 * AT_ONCE)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with cores() as pool:
        yield pool


@pytest.fixture(scope="module")
def sums() -> Tally:
    """All that the seeds have come to."""
    return Tally()


def explored(pool: ProcessPoolExecutor, *jobs: Job) -> Tally:
    total = Tally()
    for tally in work_all(pool, jobs):
        total.merge(tally)
    assert not total.failed, "\n".join([f"{total.failed} of {total.runs} runs failed", *total.reports])
    return total


@pytest.mark.parametrize("story", [story for story in STORIES if story.often], ids=lambda story: story.name)
def test_no_single_fault_breaks_the_promise(pool: ProcessPoolExecutor, story: Scenario) -> None:
    total = explored(pool, *(Singles(story.name, mode) for mode in MODES))
    assert total.runs >= 50


@pytest.mark.parametrize("first", SEEDS)
def test_no_seed_breaks_the_promise(pool: ProcessPoolExecutor, sums: Tally, first: int) -> None:
    sums.merge(explored(pool, Seeds(first, AT_ONCE), Seeds(first + AT_ONCE, AT_ONCE)))


def test_the_seeds_have_seen_everything(sums: Tally) -> None:
    if sums.runs != len(SEEDS) * 2 * AT_ONCE:
        pytest.skip("not all seeds were run")
    seen = {metric for metric, times in sums.metrics.items() if times}
    assert seen >= {"reply", "push", "notice", "kept", "dropped", "ambiguous"}
    assert sums.faults > sums.runs


@pytest.mark.parametrize("mode", MODES)
def test_the_same_seed_is_the_same_run(mode: str) -> None:
    case = Case(random_scenario(7), mode, 7)  # type: ignore[arg-type]
    assert told(run(case).world) == told(run(case).world)
