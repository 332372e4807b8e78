"""Keeps what models answered in scenarios, in one file for each bot, and says what has become of what was there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from botkit.cli.printing import printable
from botkit.cli.scenarios.cases import Selection
from botkit.errors import Problem, SpecError
from botkit.scenarios.model.recording_file import read, renewed, write
from botkit.scenarios.results import Recorded, Result
from botkit.spec.files import shown_path

Kept = Mapping[str, tuple[Recorded, ...]]


@dataclass(frozen=True, slots=True)
class Keeping:
    """What has become of a bot's recordings. `fault` says why they could not be written: then the file is as it was."""

    path: Path
    recorded: int
    kept: int
    dropped: int
    fault: Problem | None = None

    def told(self) -> Text:
        """In one line."""
        shown = printable(shown_path(self.path))
        if self.fault:
            return Text(printable(str(self.fault)), "bold red")
        counts = {"recorded": self.recorded, "kept": self.kept, "dropped": self.dropped}
        parts = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        return Text.assemble((shown, "bold"), f": {parts}")

    def facts(self) -> dict[str, Any]:
        """For programs."""
        counts = {"recorded": self.recorded, "kept": self.kept, "dropped": self.dropped}
        return {"file": shown_path(self.path), **counts, "fault": self.fault.text if self.fault else None}


def keep(chosen: Selection, results: Sequence[Result]) -> tuple[Keeping, ...]:
    """Write what came of these scenarios, a file for each of their bots; nothing is said of bots without recordings.

    Of scenarios of the same files that were not played, what was there stays; of those that are gone, it goes, once
    all of a file are played.
    """
    bots = dict.fromkeys(one.bot for one in chosen.scenarios)
    kept = (_keep(chosen, bot, results) for bot in bots)
    return tuple(one for one in kept if one.recorded or one.kept or one.dropped or one.fault)


def _keep(chosen: Selection, bot: str, results: Sequence[Result]) -> Keeping:
    path, now, fault = chosen.recordings_of(bot), chosen.recorded[bot], None
    names = [one.name for one in chosen.all_scenarios if one.bot == bot]
    own = [one for one in results if one.bot == bot]
    try:
        before = read(path)  # again: another run may have recorded meanwhile
        if {one.scenario for one in own} != set(names):
            names += before  # as long as not all were played, nothing else is cleared away
        now = renewed(before, names, own)
        write(path, now)
    except SpecError as error:
        fault = error.problems[0]
    old, new, mine = _keys(chosen.recorded[bot]), _keys(now), _keys({one.scenario: one.recorded for one in own})
    return Keeping(path, len(new & mine - old), len(new & old), len(old - new), fault)


def _keys(kept: Kept) -> set[tuple[str, str, str]]:
    """What tells recordings apart: a changed prompt has another key."""
    return {(name, one.kind, f"{one.turn}.{one.call} {one.key}") for name, those in kept.items() for one in those}
