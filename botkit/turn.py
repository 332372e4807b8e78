"""Turn: one answer in the making, and all that the steps learn on the way."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import ParamSpec, Protocol, TypeVar
from zoneinfo import ZoneInfo

from botkit.errors import UpstreamError
from botkit.messages import Chat, Event, Message, Profile
from botkit.ports import Conversation, Memory, Services, Usage

P = ParamSpec("P")
T = TypeVar("T")


class Bot(Protocol):
    """What a step may know of the bot it works for."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def timezone(self) -> ZoneInfo: ...


@dataclass(slots=True)
class User:
    """The person who spoke. The profile is asked of LINE at the first use of name or language.

    Both are empty where LINE does not tell them, so a missing profile never costs an answer.
    """

    id: str
    lookup: Callable[[], Profile | None] = field(repr=False)
    _profile: Profile | None = field(default=None, init=False, repr=False)

    @property
    def name(self) -> str:
        return self._known().name

    @property
    def language(self) -> str:
        return self._known().language or ""

    def _known(self) -> Profile:
        if self._profile is None:
            try:
                self._profile = self.lookup() or Profile("")
            except UpstreamError:
                self._profile = Profile("")
        return self._profile


@dataclass(slots=True)
class Turn:
    """One answer in the making; lives from the pick-up of an event until its reply is known.

    Steps read what came before them and write what those after them need:
    `text` is what was said (a mention of the bot cut out), `system` the rendered persona, `history`
    the earlier messages, oldest first. `memories` and `usage` are committed together with the answer.
    `deadline` (ms since 1970) is when the process must be done; `access_token` is the LINE account's.
    """

    bot: Bot
    event: Event
    chat: Chat
    conversation: Conversation
    user: User
    services: Services
    deadline: int
    access_token: str = field(repr=False)
    text: str = ""
    speaker: str | None = None
    system: str = ""
    history: tuple[Message, ...] = ()
    memories: list[Memory] = field(default_factory=list)
    usage: Usage | None = None
    _beside: list[Future[object]] = field(default_factory=list, init=False, repr=False)

    def spawn(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Run I/O beside the turn, on the process's thread pool; it is joined before the turn ends."""
        future = self.services.pool.submit(fn, *args, **kwargs)
        self._beside.append(future)
        return future

    def join(self) -> list[BaseException]:
        """Wait for all that was spawned (Lambda freezes what is left over) and return what failed."""
        failures = [error for future in self._beside if (error := future.exception()) is not None]
        self._beside.clear()
        return failures

    def remember(self, message: Message, expires_at: int) -> None:
        """Stage a message for the history, to be committed with the answer."""
        self.memories.append(Memory(self.event.id, self.event.at, expires_at, message))

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, (self.deadline - self.services.clock.now()) / 1000)
