"""Plays many cases at once: in processes where all is offline, in threads where a real model is asked."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Final

from botkit.scenarios.crew import PATIENCE, Crew, Done, played
from botkit.scenarios.performance import Case
from botkit.scenarios.results import Result
from botkit.scenarios.running import Player

MANY: Final = 8
"""So many real conversations at a time: servers of models limit how many they take."""


def play_all(
    cases: Sequence[Case], environ: Mapping[str, str], jobs: int, done: Done, patience: float = PATIENCE
) -> list[Result]:
    """Play all; results are in the order of the cases, also of those whose process has died or was stopped.

    `done` is told of each with its place among the cases, as soon as it is known, in this thread. Offline there are
    `jobs` processes, whose output goes to stderr, and in which a scenario may take `patience` seconds; with one job
    all is played here, and nothing stops it. Where a model is asked there are `jobs` threads. An interrupt (Ctrl-C)
    ends it at once, and is raised. Raises BotkitError where no process can be started.
    """
    results: dict[int, Result] = {}

    def take(number: int, result: Result) -> None:
        results[number] = result
        done(number, result)

    if any(case.mode != "offline" for case in cases):
        _in_threads(cases, environ, jobs, take)
    elif jobs > 1 and cases:
        Crew(environ, jobs, patience).play(cases, take)
    else:
        player = Player(environ)
        for number, case in enumerate(cases):
            take(number, played(player, case))
    return [results[number] for number in range(len(cases))]


def _in_threads(cases: Sequence[Case], environ: Mapping[str, str], jobs: int, take: Done) -> None:
    player, pool = Player(environ), ThreadPoolExecutor(max(1, jobs), thread_name_prefix="scenario")
    try:
        numbers: dict[Future[Result], int] = {
            pool.submit(played, player, case): number for number, case in enumerate(cases)
        }
        for future in as_completed(numbers):
            take(numbers[future], future.result())
    finally:  # not waited for: whoever interrupts does not want to wait for models
        pool.shutdown(wait=False, cancel_futures=True)
        player.close()
