"""LiveShelf: the bots of a folder while it is edited. A change takes effect with the next message."""

import logging
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from os import DirEntry, scandir, stat_result
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Final

from botkit.errors import Problem
from botkit.simulator.playground.fresh import forget_modules, fresh_imports
from botkit.simulator.playground.glance import Glance
from botkit.spec.bot import BotSpec
from botkit.spec.files import bot_files
from botkit.spec.loader import Loaded, load_folder
from botkit.spec.shelf import Shelf

log = logging.getLogger(__name__)

MOST_FILES: Final = 5_000
"""Files that are watched at most, those nearest to the folder first."""
MANY: Final = 500
"""To look at more files than these takes some milliseconds, so it is not done at every call."""
PAUSE: Final = 0.1
"""Seconds between two looks at so many."""

LONGEST_WAIT: Final = 1.0
"""Seconds that a message waits for a reading of the folder that is under way; then the last good versions answer."""

_PASSED_OVER: Final = frozenset({"__pycache__", "node_modules"})


@dataclass(frozen=True, slots=True)
class _Row:
    """What stands on the shelf at a moment: the bots that serve, the problems by bot, and whose last version is old."""

    bots: Mapping[str, BotSpec] = field(default_factory=dict)
    broken: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    stale: frozenset[str] = frozenset()
    folder: tuple[Problem, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        return (*self.folder, *Loaded(broken=self.broken).problems)


class LiveShelf(Shelf):
    """The bots of a folder, reread when a file below it has changed. Safe to use from several threads.

    A bot whose file is wrong goes on as it last was right; one that never was right is broken. `dress` is given
    every good version and returns the one that serves; a lock is held meanwhile, so whoever holds a lock that
    `dress` takes must not look here. `changed` is called after each change, in the thread that found it.
    `only` names the one bot that this shelf has. Modules beside the folder that its steps import are Python's
    affair: they are imported once.
    """

    def __init__(
        self,
        folder: Path,
        dress: Callable[[BotSpec], BotSpec],
        changed: Callable[[], None],
        only: str | None = None,
    ) -> None:
        # Not Shelf's own, which refuses a folder without bots: here one may still be written.
        self._folder = folder
        self._dress = dress
        self._changed = changed
        self._only = (only,) if only else ()
        self._looking = Lock()
        self._look_at = 0.0
        self._seen: dict[str, Glance] = {}
        self._names: tuple[str, ...] = ()
        self._row = _Row()
        self._reread(self._glances(), modules=True)

    # ---------------------------------------------------------------- what a Runtime asks

    def find(self, name: str) -> BotSpec | None:
        """The bot of this name, as its file is now or was when it was last right; None where there is none."""
        self._keep_up()
        return self._row.bots.get(name)

    def is_broken(self, name: str) -> bool:
        """Whether there is such a file, and it never was right."""
        self._keep_up()
        row = self._row
        return name in row.broken and name not in row.bots

    def all(self) -> Mapping[str, BotSpec]:
        """Every bot that serves, by name."""
        self._keep_up()
        return self._row.bots

    # ---------------------------------------------------------------- what is shown

    @property
    def names(self) -> tuple[str, ...]:
        """Every bot that has a file, or had one since this shelf was set up, in alphabetical order."""
        return self._names

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What `botkit check` would say of the files as they were last seen; first that there are none."""
        return self._row.problems

    def problems_of(self, name: str) -> tuple[Problem, ...]:
        """What is wrong with one bot's file."""
        return self._row.broken.get(name, ())

    def is_stale(self, name: str) -> bool:
        """Whether the file is wrong now, and an older version answers."""
        return name in self._row.stale

    @property
    def serving(self) -> Mapping[str, BotSpec]:
        """Every bot that serves, as the folder was last seen; no file is looked at."""
        return self._row.bots

    def look(self) -> bool:
        """Reread the folder where a file has changed; whether one has. False where another thread is at it for long."""
        if not self._looking.acquire(timeout=LONGEST_WAIT):  # a step's import may take for ever
            return False
        try:
            glances = self._glances()
            changed = self._changes(glances)
            if changed:
                self._reread(glances, modules=any(name.endswith(".py") for name in changed))
            self._seen = {name: glance.settled() for name, glance in glances.items()}
            self._look_at = monotonic() + PAUSE if len(glances) > MANY else 0.0
        finally:
            self._looking.release()
        if changed:
            self._changed()
        return bool(changed)

    # ---------------------------------------------------------------- inside

    def _keep_up(self) -> None:
        if monotonic() >= self._look_at:
            self.look()

    def _glances(self) -> dict[str, Glance]:
        return {name: Glance.at(Path(name), found, self._seen.get(name)) for name, found in files_below(self._folder)}

    def _changes(self, glances: Mapping[str, Glance]) -> set[str]:
        """The files that are new, gone or different."""
        different = {name for name, glance in glances.items() if glance.differs(self._seen.get(name))}
        return different | (self._seen.keys() - glances.keys())

    def _reread(self, glances: dict[str, Glance], *, modules: bool) -> None:
        """Take in the folder. Its files were looked at before: what changes meanwhile shows in the next look."""
        self._seen = glances
        if modules:
            forget_modules(self._folder)
        try:
            with fresh_imports(self._folder):
                loaded = load_folder(self._folder, self._only)
                # As the deployed handler does: two bots that claim one LINE account are a problem, and each answers.
                alone = load_folder(self._folder, loaded.broken, together=False) if loaded.broken else Loaded()
        except (Exception, SystemExit) as error:  # whatever a step of the user's own does when it is made
            self._row = replace(self._row, folder=(_unreadable(self._folder, error),))
            log.exception("the bots folder could not be read anew")
            return
        good = {name: self._dress(bot) for name, bot in {**loaded.bots, **alone.bots}.items()}
        before = self._row
        stale = {name: before.bots[name] for name in loaded.broken if name in before.bots and name not in good}
        names = {path.stem for path in bot_files(self._folder) if not self._only or path.stem in self._only}
        self._names = tuple(sorted({*self._names, *names, *good, *loaded.broken}))
        missing = () if good or loaded.broken else (_nothing_in(self._folder),)
        self._row = _Row({**stale, **good}, loaded.broken, frozenset(stale), missing)
        _tell(problem for problem in self._row.problems if problem not in before.problems)


def _tell(problems: Iterable[Problem]) -> None:
    for problem in problems:
        log.warning("%s", problem)


def _unreadable(folder: Path, error: BaseException) -> Problem:
    text = f"cannot be read anew: {type(error).__name__}, the terminal says where; mend what was saved last"
    return Problem(str(folder), 0, 0, text)


def _nothing_in(folder: Path) -> Problem:
    text = "holds no bots; add one, such as hello.yaml"
    return Problem(
        str(folder), 0, 0, text if folder.is_dir() else "there is no such folder; make it and put a bot there"
    )


def files_below(folder: Path) -> Iterator[tuple[str, stat_result]]:
    """The files below a folder, level by level. Links to folders are not followed, so there is an end."""
    waiting, files = deque([str(folder)]), 0
    while waiting and files < MOST_FILES:
        for entry in _entries(waiting.popleft()):
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif stat.S_ISREG((found := entry.stat()).st_mode):
                    files += 1
                    yield entry.path, found
            except OSError:  # gone since the folder was listed, or a link to nowhere
                continue


def _entries(folder: str) -> list[DirEntry[str]]:
    try:
        with scandir(folder) as entries:
            return [one for one in entries if not one.name.startswith(".") and one.name not in _PASSED_OVER]
    except OSError:
        return []
