"""Many runs on all cores: jobs that can be sent to another process, and what came of each."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context

from tests.simulation.explore import Case, Ran, minimal, pairs, report, run, seeds, singles
from tests.simulation.scenarios import STORIES
from tests.simulation.world import Kind, Mode

MOST_REPORTS = 1
"""Failures of one job that are made small and told; the others are only counted."""


@dataclass
class Tally:
    """What came of some runs. `metrics` are botkit's own, `faults` how many struck."""

    runs: int = 0
    faults: int = 0
    failed: int = 0
    metrics: Counter[str] = field(default_factory=Counter)
    reports: list[str] = field(default_factory=list)

    def add(self, ran: Ran) -> None:
        """Count a run; the first that failed is made small."""
        self.runs += 1
        self.faults += len(ran.plan)
        self.metrics.update(metric for metric, _ in ran.world.metrics)
        if ran.violations:
            self.failed += 1
            if len(self.reports) < MOST_REPORTS:
                self.reports.append(report(minimal(ran.case)))

    def merge(self, other: "Tally") -> None:
        """Add up."""
        self.runs += other.runs
        self.faults += other.faults
        self.failed += other.failed
        self.metrics.update(other.metrics)
        self.reports += other.reports


@dataclass(frozen=True)
class Singles:
    """Every single fault of a story; or every pair, of which this is the `part`-th of `parts`."""

    story: str
    mode: Mode
    kind: Kind = "dynamodb"
    pairs: bool = False
    part: int = 0
    parts: int = 1

    def cases(self) -> Iterator[Case]:
        """The runs."""
        (story,) = (one for one in STORIES if one.name == self.story)
        every = pairs if self.pairs else singles
        return islice(every(story, self.mode, self.kind), self.part, None, self.parts)


@dataclass(frozen=True)
class Seeds:
    """So many seeds from `first` on."""

    first: int
    count: int

    def cases(self) -> Iterator[Case]:
        """The runs."""
        return seeds(self.first, self.count)


Job = Singles | Seeds


def work(job: Job) -> Tally:
    """Run a job, in whatever process."""
    tally = Tally()
    for case in job.cases():
        tally.add(run(case))
    return tally


@contextmanager
def cores() -> Iterator[ProcessPoolExecutor]:
    """Processes to work with, one for each core."""
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        yield pool


def work_all(pool: ProcessPoolExecutor, jobs: Iterable[Job]) -> Iterator[Tally]:
    """Run jobs on all cores; what came of each, in the order in which they end."""
    waiting = iter(jobs)
    running: set[Future[Tally]] = {pool.submit(work, job) for job in islice(waiting, 2 * (os.cpu_count() or 1))}
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        running |= {pool.submit(work, job) for job in islice(waiting, len(done))}
        yield from (future.result() for future in done)
