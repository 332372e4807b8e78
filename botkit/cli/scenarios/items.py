"""Scenarios as items of pytest: collected from their file, played offline, told as `botkit test` tells them."""

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from botkit.cli.scenarios.view import plain, show_failed
from botkit.errors import BotkitError, Problem, SpecError
from botkit.pytest_plugin import UNJUDGED
from botkit.scenarios.file.loader import load_tests, stem_of
from botkit.scenarios.model.recording_file import path_of, read
from botkit.scenarios.own_modules import OwnModules
from botkit.scenarios.performance import Case
from botkit.scenarios.results import Result
from botkit.scenarios.running import Player
from botkit.spec.files import bot_files
from botkit.spec.loader import load_file

NEEDS_MODEL = "it needs a real model: botkit test --live"


class Wrong(Exception):
    """What is wrong with the files, each mistake on a line of its own."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))


class Failed(Exception):
    """A scenario has failed: what came of it."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.scenario)
        self.result = result


class _Company:
    """What the items of one process share. Lives as long as the session."""

    key = pytest.StashKey["_Company"]()

    def __init__(self) -> None:
        self.player = Player(os.environ)
        self._own: dict[Path, OwnModules] = {}

    def own_modules(self, folder: Path) -> OwnModules:
        """Those of a bots folder."""
        return self._own.setdefault(folder, OwnModules(folder))


class ScenarioItem(pytest.Item):
    """One scenario."""

    def __init__(self, *, case: Case, company: _Company, **rest: Any) -> None:
        super().__init__(**rest)
        self._case, self._company = case, company
        if case.scenario.header.live:
            self.add_marker(pytest.mark.skip(reason=NEEDS_MODEL))

    def runtest(self) -> None:
        """Play it. Raises Failed."""
        with self._company.own_modules(self._case.folder).at_hand(), _without_our_log():
            result = self._company.player.play(self._case)
        if result.skipped:
            pytest.skip(result.skipped)
        self.user_properties += [(UNJUDGED, plain(criterion)) for criterion in _unjudged(result)]
        if not result.passed:
            raise Failed(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is shown of a failure: the conversation. How it came to it in here is nobody's business."""
        if isinstance(excinfo.value, Failed):
            return _Told(excinfo.value.result)
        if isinstance(excinfo.value, BotkitError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands; lines count from 0."""
        return self.path, self._case.scenario.place.line - 1, self.name


def items_of(file: pytest.File) -> Iterator[ScenarioItem]:
    """The scenarios of a file. Raises Wrong where it, or the bot's own, is wrong."""
    loaded = load_tests(file.path)
    if loaded.problems:
        raise Wrong(loaded.problems)
    stash, folder = file.config.stash, file.path.parent
    if _Company.key not in stash:
        stash[_Company.key] = _Company()
    company = stash[_Company.key]
    with company.own_modules(folder).at_hand():
        bot, problems = load_file(next(one for one in bot_files(folder) if one.stem == stem_of(file.path)))
    if bot is None:
        raise Wrong(problems)
    try:
        recorded = read(path_of(file.path))
    except SpecError as error:
        raise Wrong(error.problems) from None
    for scenario in loaded.scenarios:
        case = Case(folder, scenario, recorded=recorded.get(scenario.name, ()))
        yield ScenarioItem.from_parent(file, name=plain(scenario.name), case=case, company=company)


@contextmanager
def _without_our_log() -> Iterator[None]:
    """Keep what botkit logs from pytest: troubles are in the result, some are meant. What own steps log is shown."""
    log, silence = logging.getLogger("botkit"), logging.NullHandler()
    propagates = log.propagate
    log.addHandler(silence)
    log.propagate = False
    try:
        yield
    finally:
        log.propagate = propagates
        log.removeHandler(silence)


def _unjudged(result: Result) -> Iterator[str]:
    for turn in result.turns:
        yield from turn.unjudged
    yield from result.unjudged


@dataclass(frozen=True, slots=True)
class _Crash:
    """Where a failure is, and what, for what is told of it on one line."""

    path: str
    lineno: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.lineno}: {self.message}"


class _Told:
    """A failure as pytest prints it: `toterminal` on its own screen, `str` anywhere else."""

    def __init__(self, result: Result) -> None:
        self._result = result
        first = result.all_failures[0]
        self.reprcrash = _Crash(first.place.file, first.place.line, plain(f"wanted {first.wanted}; {first.came}"))

    def toterminal(self, out: Any) -> None:
        """Print it as wide as the screen is, in colours where pytest has them."""
        out.write(self._text(out.fullwidth, colored=out.hasmarkup))

    def __str__(self) -> str:
        return self._text(100, colored=False)

    def _text(self, width: int, *, colored: bool) -> str:
        page = StringIO()
        console = Console(
            file=page,
            width=width,
            force_terminal=colored,
            color_system="standard" if colored else None,
            highlight=False,
            emoji=False,
        )
        show_failed(console, self._result)
        return page.getvalue()
