"""The shelf: the bots of a folder, each read when it is first called for."""

import logging
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

from botkit import demand
from botkit.errors import Problem, SpecError
from botkit.spec.account import Account
from botkit.spec.compiled import FOLDER, Accounts
from botkit.spec.files import bot_files

if TYPE_CHECKING:
    from botkit.spec import loader
    from botkit.spec.bot import BotSpec
    from botkit.spec.loader import Loaded
else:  # a door whose bots are in a package needs neither pydantic nor Jinja2 nor any step
    loader = demand.module("botkit.spec.loader")

log = logging.getLogger(__name__)


class Shelf:
    """The bots that a process serves. A bot whose file is wrong is not found, and the log says why, once.

    What a door asks (`account`, `account_of_user`, `is_broken`) costs no reading where the bots are in a package.
    `package` is the folder of what the package knows of them. Raises SpecError where `folder` holds no bot files.
    """

    def __init__(self, folder: Path, package: Path = FOLDER) -> None:
        self._folder = folder
        self._accounts = Accounts(package)
        self._read: frozenset[str] = frozenset()
        self._bots: dict[str, BotSpec] = {}
        self._broken: dict[str, tuple[Problem, ...]] = {}
        self._taking_in = Lock()
        if not self._accounts and not self.stems:
            raise SpecError([Problem(str(folder), 0, 0, "holds no bots; add one, such as hello.yaml")])

    @classmethod
    def of(cls, *bots: "BotSpec") -> Self:
        """A shelf of bots that are loaded already."""
        shelf = cls.__new__(cls)
        shelf._folder, shelf._broken, shelf._taking_in = Path(), {}, Lock()
        shelf._bots = {bot.name: bot for bot in bots}
        shelf.stems = shelf._read = frozenset(shelf._bots)
        return shelf

    # ---------------------------------------------------------------- what a door asks

    def account(self, name: str) -> Account | None:
        """The account of the bot of this name; None where there is none, or its file is wrong."""
        if (packed := self._packed(name)) is not None:
            return packed
        bot = self.find(name)
        return bot.account if bot else None

    def account_of_user(self, user_id: str) -> Account | None:
        """The account of the bot with this `line.user_id`."""
        account = next(filter(None, map(self._packed, self._accounts.claiming(user_id))), None)
        if account is not None or self._is_packed_whole:
            return account
        return next((bot.account for bot in self.all().values() if bot.line and bot.line.user_id == user_id), None)

    def is_broken(self, name: str) -> bool:
        """Whether there is such a file, and it is wrong."""
        if name not in self._broken and self._packed(name) is None:
            self.find(name)
        return name in self._broken

    # ---------------------------------------------------------------- what a worker asks

    def find(self, name: str) -> "BotSpec | None":
        """The bot of this name; None where there is none, or its file is wrong."""
        if name in self.stems and name not in self._read:
            self._take_in(loader.load_folder(self._folder, [name], together=False), [name])
        return self._bots.get(name)

    def good_names(self) -> Collection[str]:
        """The names of all good bots."""
        return self.stems if self._is_packed_whole else self.all().keys()

    def all(self) -> "Mapping[str, BotSpec]":
        """Every good bot, by name."""
        if self.stems - self._read:
            self._take_in(loader.load_folder(self._folder, together=False), self.stems)
        return self._bots

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the files read so far."""
        return tuple(dict.fromkeys(chain.from_iterable(self._broken.values())))

    # ---------------------------------------------------------------- inside

    @cached_property
    def stems(self) -> frozenset[str]:
        """The names of all files that are bots, good or not."""
        return frozenset(path.stem for path in bot_files(self._folder))

    @cached_property
    def _accounts(self) -> Accounts:
        return Accounts(None)

    @cached_property
    def _is_packed_whole(self) -> bool:
        """Whether the package knows the account of every bot, as its file is now."""
        return bool(self._accounts) and all(map(self._packed, self.stems))

    def _packed(self, name: str) -> Account | None:
        """What the package knows of the account, where that is still so."""
        return self._accounts.get(name, self._folder)

    def _take_in(self, loaded: "Loaded", names: Iterable[str]) -> None:
        with self._taking_in:
            for problem in loaded.problems:
                if problem not in self.problems:
                    log.error("%s", problem)
            # New dicts, and what was read last: threads that only look see the shelf before or after, never between.
            self._broken = {**self._broken, **loaded.broken}
            self._bots = {name: bot for name, bot in {**self._bots, **loaded.bots}.items() if name not in loaded.broken}
            self._read = self._read.union(names)
