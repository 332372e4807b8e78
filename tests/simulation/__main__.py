"""`make simulate`: every single fault, every pair of faults of the stories that need it, and ten thousand seeds."""

import argparse
import sys
import time
from collections.abc import Iterator

from tests.simulation.explore import MODES
from tests.simulation.parallel import Job, Seeds, Singles, Tally, cores, work_all
from tests.simulation.scenarios import STORIES, Scenario

PARTS = 8
SEEDS_AT_ONCE = 50


def jobs(stories: list[Scenario], seeds: int, *, all_pairs: bool) -> Iterator[Job]:
    """What is to be run."""
    for story in stories:
        for mode in MODES:
            yield Singles(story.name, mode)
            yield Singles(story.name, mode, kind="port")
            for part in range(PARTS if all_pairs or story.often == "pairs" else 0):
                yield Singles(story.name, mode, pairs=True, part=part, parts=PARTS)
    for first in range(0, seeds, SEEDS_AT_ONCE):
        yield Seeds(first, min(SEEDS_AT_ONCE, seeds - first))


def say(text: str) -> None:
    """Show something at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def main() -> int:
    """Run all, say how far it is, and end with 1 where something does not hold."""
    names = [story.name for story in STORIES]
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many seeds")
    parser.add_argument("--all-pairs", action="store_true", help="pairs of every story: some hours")
    parser.add_argument("--story", action="append", choices=names, help="only this story; may be repeated")
    asked = parser.parse_args()
    total, began = Tally(), time.monotonic()
    stories = [story for story in STORIES if story.name in (asked.story or names)]
    todo = list(jobs(stories, asked.seeds, all_pairs=asked.all_pairs))
    with cores() as pool:
        for done, tally in enumerate(work_all(pool, todo), start=1):
            total.merge(tally)
            for report in tally.reports:
                say(f"{report}\n\n")
            seconds = time.monotonic() - began
            line = f"{done}/{len(todo)} jobs, {total.runs:,} runs, {total.failed} failed, {seconds:.0f} s"
            say(line + ("\r" if sys.stdout.isatty() else "\n"))
    say(f"\n{total.runs:,} runs with {total.faults:,} faults, {total.failed} failed; {dict(total.metrics)}\n")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
