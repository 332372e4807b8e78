"""A plugin of pytest's: `pytest bots/` plays the scenarios of `NAME.test.yaml`, each as a test of its own.

Every run of pytest loads this module once botkit is installed. So it has nothing but pytest and the standard library,
and the rest comes with the first file of scenarios.
"""

import os
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest

ENDING: Final = ".test.yaml"
UNJUDGED: Final = "not judged"
"""The property of a report that holds an expectation for which there was no judge."""
SHOWN: Final = 5
"""So many of those are told at the end of a run; -v tells all."""

# What every bot's file begins a line with: its persona, or the file that it has it from.
_BOT: Final = re.compile(rb"^(persona|extends)[ \t]*:", re.MULTILINE)
_LARGEST: Final = 256 * 1024


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take in a file of scenarios. Other projects have files of this ending, too: theirs are left alone."""
    if file_path.name.endswith(ENDING) and file_path.name[0] not in "._" and _is_of_a_bot(file_path):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.File):
    """The scenarios of one bot."""

    def collect(self) -> Iterable[pytest.Item]:
        """One item for each. Raises CollectError with what is wrong with the file, or with the bot's."""
        items = self._items()
        try:
            return list(items.items_of(self))
        except items.Wrong as error:
            raise self.CollectError(str(error)) from None

    def _items(self) -> Any:
        """The module that plays scenarios: the one place from which the rest of botkit is loaded."""
        try:
            return import_module("botkit.cli.scenarios.items")
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] == "botkit":
                raise
            needed = f"{self.path.name} cannot be played: {error.name} is not installed"
            raise self.CollectError(f"{needed}; botkit's scenarios need: pip install 'botkit[dev]'") from None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell which expectations were not judged."""
    unjudged = list(_unjudged(terminalreporter.stats.values()))
    if not unjudged:
        return
    terminalreporter.section(UNJUDGED, sep="-", yellow=True)
    shown = unjudged if terminalreporter.verbosity > 0 else unjudged[:SHOWN]
    for line in shown:
        terminalreporter.line(line)
    more = f"and {len(unjudged) - len(shown)} more; " if len(unjudged) > len(shown) else ""
    terminalreporter.line(f"{more}a model judges these: botkit test --live, or once with --record")


def _unjudged(reports: Iterable[Iterable[Any]]) -> Iterator[str]:
    for report in (one for several in reports for one in several):
        if getattr(report, "when", None) == "call":
            for name, value in report.user_properties:
                if name == UNJUDGED:
                    yield f"{report.nodeid}: {value}"


def _is_of_a_bot(path: Path) -> bool:
    """Whether a bot lies beside it; in the folder of the bots, where any does, so that no slip in a name is missed."""
    stem = path.name.removesuffix(ENDING)
    if any(map(_is_bot, (path.with_name(f"{stem}.yaml"), path.with_name(f"{stem}.yml")))):
        return True
    bots = Path(os.environ.get("BOTKIT_BOTS") or "bots")
    return path.parent.resolve() == bots.resolve() and any(map(_is_bot, path.parent.glob("[!_.]*.y*ml")))


def _is_bot(path: Path) -> bool:
    if path.name.endswith(ENDING):
        return False
    try:
        with path.open("rb") as file:
            return _BOT.search(file.read(_LARGEST)) is not None
    except OSError:
        return False
