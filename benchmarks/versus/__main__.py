"""botkit against handlers written by hand: cold starts, warm events, memory, calls, size; and what botkit scales with.

.venv/bin/python -m benchmarks.versus [--rounds N] [--only cold,warm,…] [--contestant NAME …] [--docs FOLDER]
.venv/bin/python -m benchmarks.versus --kept docs/performance.json --docs docs     after a change of how it is shown
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.versus import measure
from benchmarks.versus.contestants import BY_HAND, SDKS, Contestant, Layout, weigh
from benchmarks.versus.readings import Run, Weight
from benchmarks.versus.report import pages
from benchmarks.versus.report.terminal import show
from benchmarks.versus.servers import servers

KINDS = ("cold", "warm", "history", "bots", "batch", "size")
NAMES = (*BY_HAND, "botkit")
EVENTS_A_ROUND = 20
"""Warm events for each round that is asked for."""


def main() -> None:
    """Measure, print, and keep what was measured."""
    asked = _arguments()
    run = Run.from_json(asked.kept.read_text("utf-8")) if asked.kept else _measured(asked)
    if asked.json:
        asked.json.write_text(run.to_json(), "utf-8")
    show(run)
    if asked.docs:
        pages.write(asked.docs, run)


def _measured(asked: argparse.Namespace) -> Run:
    with _folder(asked.keep) as folder, servers() as world:
        layout = Layout(folder)
        contestants = [_lay(layout, name, asked.botkit) for name in asked.contestant]
        track = measure.Track(world, _tell)
        _measure(track, layout, contestants, asked)
        weights = tuple(weigh(one, folder) for one in contestants) if "size" in asked.only else ()
        return _run(track, weights, asked.rounds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.versus", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="cold starts of each; 20 warm events for each of them")
    parser.add_argument("--only", type=_Names(KINDS), default=KINDS, help=f"some of {','.join(KINDS)}")
    parser.add_argument("--contestant", type=_Names(NAMES), default=NAMES, help=f"some of {','.join(NAMES)}")
    parser.add_argument("--json", type=Path, help="where all raw values are written")
    parser.add_argument("--keep", type=Path, help="a folder to lay out in, which saves fetching packages again")
    parser.add_argument("--botkit", type=Path, help="a folder laid out already, to measure as botkit")
    parser.add_argument("--docs", type=Path, help="the folder whose performance.md, .json and .svg are written anew")
    parser.add_argument("--kept", type=Path, help="a run as --json or --docs wrote it, to show and not to measure")
    asked = parser.parse_args()
    if asked.docs and (asked.only, asked.contestant) != (KINDS, NAMES):
        parser.error("--docs shows a whole run: leave out --only and --contestant")
    return asked


class _Names:
    """Some of the known names, between commas, in the order in which they are known."""

    def __init__(self, known: Sequence[str]) -> None:
        self._known = known

    def __call__(self, text: str) -> tuple[str, ...]:
        named = text.split(",")
        if unknown := set(named) - set(self._known):
            raise argparse.ArgumentTypeError(f"no {', '.join(sorted(unknown))}; known are {', '.join(self._known)}")
        return tuple(name for name in self._known if name in named)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="versus-") as folder:
        yield Path(folder)


def _lay(layout: Layout, name: str, laid: Path | None) -> Contestant:
    if name != "botkit":
        return layout.by_hand(name)
    return Contestant("botkit", laid.resolve(), queued=True) if laid else layout.botkit()


def _measure(
    track: measure.Track, layout: Layout, contestants: Sequence[Contestant], asked: argparse.Namespace
) -> None:
    rounds, events = asked.rounds, EVENTS_A_ROUND * asked.rounds
    queued = next((one for one in contestants if one.queued), None)
    if "cold" in asked.only:
        measure.cold(track, contestants, rounds)
    if "warm" in asked.only:
        measure.warm(track, contestants, events)
    if "history" in asked.only:
        measure.history(track, contestants, max(measure.BLOCK, events // 4))
    if queued and "bots" in asked.only:
        measure.bots(track, {size: layout.botkit(size) for size in measure.BOTS}, rounds)
    if queued and "batch" in asked.only:
        measure.batches(track, queued, max(1, rounds // 4))


def _tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr)  # noqa: T201  progress, of whoever waits


def _run(track: measure.Track, weights: tuple[Weight, ...], rounds: int) -> Run:
    versions = {name: version(name) for name in (*SDKS, "botocore", "pydantic", "urllib3")}
    return Run(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}",
        cores=os.cpu_count() or 1,
        rounds=rounds,
        versions=versions,
        weights=weights,
        readings=track.ledger.readings(),
    )


if __name__ == "__main__":
    main()
