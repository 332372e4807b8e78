"""The shelf: the bots of a folder, each read when it is first called for."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import Self

from botkit.errors import Problem, SpecError
from botkit.spec.bot import BotSpec
from botkit.spec.loader import Loaded, bot_files, load_folder

log = logging.getLogger(__name__)


class Shelf:
    """The bots that a process serves. A bot whose file is wrong is not found, and the log says why, once.

    Raises SpecError where the folder holds no bot files at all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unread = {path.stem for path in bot_files(folder)}
        self._bots: dict[str, BotSpec] = {}
        self._broken: dict[str, tuple[Problem, ...]] = {}
        self._taking_in = Lock()
        if not self._unread:
            raise SpecError([Problem(str(folder), 0, 0, "holds no bots; add one, such as hello.yaml")])

    @classmethod
    def of(cls, *bots: BotSpec) -> Self:
        """A shelf of bots that are loaded already."""
        shelf = cls.__new__(cls)
        shelf._folder, shelf._unread, shelf._broken, shelf._taking_in = Path(), set(), {}, Lock()
        shelf._bots = {bot.name: bot for bot in bots}
        return shelf

    def find(self, name: str) -> BotSpec | None:
        """The bot of this name; None where there is none, or its file is wrong."""
        if name in self._unread:
            self._take_in(load_folder(self._folder, [name], together=False), [name])
        return self._bots.get(name)

    def is_broken(self, name: str) -> bool:
        """Whether there is such a file, and it is wrong."""
        return self.find(name) is None and name in self._broken

    def find_by_user_id(self, user_id: str) -> BotSpec | None:
        """The bot with this `line.user_id`."""
        return next((bot for bot in self.all().values() if bot.line and bot.line.user_id == user_id), None)

    def all(self) -> Mapping[str, BotSpec]:
        """Every good bot, by name."""
        if self._unread:
            self._take_in(load_folder(self._folder, together=False), self._unread)
        return self._bots

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the files read so far."""
        return Loaded(broken=self._broken).problems

    def _take_in(self, loaded: Loaded, names: Iterable[str]) -> None:
        with self._taking_in:
            for problem in loaded.problems:
                if problem not in self.problems:
                    log.error("%s", problem)
            # New dicts, and what is unread last: threads that only look see the shelf before or after, never between.
            self._broken = {**self._broken, **loaded.broken}
            self._bots = {name: bot for name, bot in {**self._bots, **loaded.bots}.items() if name not in loaded.broken}
            self._unread = self._unread - set(names)
