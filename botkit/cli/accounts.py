"""The LINE accounts of the bots: their tokens, and a way to ask LINE about many of them at once."""

import time
from collections import ChainMap
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from importlib import import_module
from threading import Semaphore
from typing import TYPE_CHECKING, Final, TypeVar

from botkit.delivery.access import access_token
from botkit.ports import Line, Secrets
from botkit.spec.bot import BotSpec
from botkit.threads import Threads
from botkit.wiring import services

if TYPE_CHECKING:
    from botkit.line.console import LineConsole

K = TypeVar("K")
T = TypeVar("T")

AT_ONCE: Final = 16
"""So many accounts at a time. LINE counts calls by channel, so this spares only the machine."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """How to ask LINE in the name of a bot. `base_url` stands for LINE's host where that is given."""

    secrets: Secrets
    line: Line
    base_url: str | None

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> "Accounts":
        """Those that the settings lead to. Neither store nor queue is touched."""
        wired = services(ChainMap({"BOTKIT_STORE": "memory:", "BOTKIT_QUEUE": ""}, dict(settings)))
        return cls(wired.secrets, wired.line, settings.get("BOTKIT_LINE_URL") or None)

    def token(self, bot: BotSpec) -> str:
        """The channel access token. Raises SecretError, also where the bot has no account, and LineError."""
        return access_token(bot, self.secrets, self.line)

    def console(self, token: str) -> "LineConsole":
        """LINE, for the account of this token."""
        # Here, because LINE's SDK takes more than a second to load, and every command's help would wait for it.
        console: LineConsole = import_module("botkit.line.console").LineConsole(token, self.base_url)
        return console


def each(asked: Mapping[K, Callable[[], T]], seconds: float) -> dict[K, T | None]:
    """What each of these gives, all of them at once; None for what takes longer than `seconds`.

    Nobody waits for what takes longer, not even when the process ends.
    """
    import_module("botkit.line.console")  # not by all threads at a time
    room, threads = Semaphore(AT_ONCE), Threads()

    def in_turn(task: Callable[[], T]) -> T:
        with room:
            return task()

    futures = {key: threads.submit(in_turn, task) for key, task in asked.items()}
    until = time.monotonic() + seconds
    return {key: _result(future, until) for key, future in futures.items()}


def _result(future: "Future[T]", until: float) -> T | None:
    try:
        return future.result(max(0.0, until - time.monotonic()))
    except NotInTime:
        if future.done():  # what was asked for has raised it itself
            raise
        return None
