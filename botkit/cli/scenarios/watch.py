"""Which bots a saved file concerns, and when one is saved."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import Final

from botkit.scenarios.file.loader import stem_of
from botkit.simulator.playground.glance import Glance
from botkit.simulator.playground.live import files_below
from botkit.spec.bot import BotSpec
from botkit.spec.files import bot_files
from botkit.spec.inherit import read_whole
from botkit.steps.persona import Persona

LOOK: Final = 0.2
SETTLE: Final = 0.05
"""Seconds between two looks at the files, and that they must have been quiet for: editors save in several steps."""

_TESTS: Final = (".test.yaml", ".test.json")
_PASSING: Final = ("~", ".swp", ".swx", ".tmp", ".pyc")
"""How names of files end that editors make beside the one they save."""


class Watch:
    """Looks for files of a bots folder that were saved. Lives as long as the command."""

    def __init__(self, folder: Path, pause: Callable[[float], None] = sleep) -> None:
        self._folder = folder
        self._pause = pause
        self._seen: dict[str, Glance] = {}
        self.look()

    def look(self) -> set[Path]:
        """The files that are new, gone or different since the last look."""
        now = {
            name: Glance.at(Path(name), found, self._seen.get(name))
            for name, found in files_below(self._folder)
            if not name.endswith(_PASSING)
        }
        different = {name for name, glance in now.items() if glance.differs(self._seen.get(name))}
        different |= self._seen.keys() - now.keys()
        self._seen = {name: glance.settled() for name, glance in now.items()}
        return {Path(name) for name in different}

    def wait(self) -> set[Path]:
        """Wait until files were saved; all of those that belong together."""
        while not (saved := self.look()):
            self._pause(LOOK)
        while more := self._later():
            saved |= more
        return saved

    def forgive(self, written: Iterable[Path]) -> None:
        """Pass over these files, which were written by ourselves since the last look."""
        mine = {path.resolve() for path in written}
        for name, found in files_below(self._folder):
            if Path(name).resolve() in mine:
                self._seen[name] = Glance.at(Path(name), found, None).settled()

    def _later(self) -> set[Path]:
        self._pause(SETTLE)
        return self.look()


class Uses:
    """Which files each bot of a folder is made of, as far as these can be known by name."""

    def __init__(self, folder: Path, bots: Mapping[str, BotSpec]) -> None:
        self._files = {path.stem: _files_of(path, bots.get(path.stem)) for path in bot_files(folder)}

    def concerned(self, saved: Iterable[Path]) -> set[str]:
        """The bots that these files concern: their own, those that use them, or all, where nobody can say."""
        found: set[str] = set()
        for path in saved:
            if path.name.endswith(_TESTS):
                found.add(stem_of(path.with_suffix(".yaml")))
                continue
            users = {bot for bot, files in self._files.items() if path.resolve() in files}
            found |= users or self._files.keys()
        return found


def _files_of(path: Path, bot: BotSpec | None) -> set[Path]:
    names = {path.name}
    with suppress(OSError):
        names |= set(read_whole(path, path.name).files)
    persona = bot.step(Persona) if bot else None
    if persona is not None and persona.file:
        names.add(persona.file)
    return {(path.parent / name).resolve() for name in names}
