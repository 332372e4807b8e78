"""Turn: one answer in the making, and all that the steps learn on the way."""

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal, ParamSpec, Protocol, TypeVar
from zoneinfo import ZoneInfo

from botkit.errors import UpstreamError
from botkit.messages import Chat, Content, Event, Message, Profile
from botkit.ports import Conversation, Count, Memory, Note, Services, Usage

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class Bot(Protocol):
    """What a step may know of the bot it works for."""

    @property
    def name(self) -> str:
        """The file's stem."""

    @property
    def description(self) -> str:
        """As in the bot file."""

    @property
    def timezone(self) -> ZoneInfo:
        """Where the bot lives."""


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
        """The display name, as the person wrote it: hostile text."""
        return self._known().name

    @property
    def language(self) -> str:
        """A BCP 47 tag such as `ja`."""
        return self._known().language or ""

    def _known(self) -> Profile:
        if self._profile is None:
            try:
                self._profile = self.lookup() or Profile("")
            except UpstreamError as error:
                log.warning("no profile: %s", error)
                self._profile = Profile("")
        return self._profile


@dataclass(frozen=True, slots=True)
class Said:
    """One message that a turn answers: its event, and its text as the steps so far have left it.

    A photo or sticker has the text "" until a step has put it into words; `images` is what the model sees.
    """

    event: Event
    text: str
    images: tuple[Content, ...] = ()


@dataclass(slots=True)
class Span:
    """When a step was at work (ms since 1970), the steps inside it included; `ended` is None while it is."""

    step: str
    began: int
    ended: int | None = None


@dataclass(slots=True)
class Turn:
    """One answer in the making; lives from the pick-up of an event until its reply is known.

    Steps read what came before them and write what those after them need: `said` is what the person
    said, one message or several sent in a row, oldest first (a mention of the bot cut out); `event` is
    the last event, `system` the rendered persona, `recent` the newest stored messages and `history`
    those of them that go to the model, oldest first. `memories`, `usages` (one for each call of a model) and
    `counts` are committed together with the answer, and the answer itself is remembered until
    `keep_reply_until` (ms since 1970; None = not at all). `erases`: with it the history of the conversation
    is deleted, or the speaker's part of it, and with either the answers that still wait. `deadline` (ms
    since 1970) is when the process must be done; `access_token` is the LINE account's. `spans` are the
    steps by which the turn has passed, outermost first, named by their classes. `is_slow`: it takes its time.
    """

    bot: Bot
    event: Event
    chat: Chat
    conversation: Conversation
    user: User
    services: Services
    deadline: int
    access_token: str = field(repr=False)
    said: tuple[Said, ...] = ()
    recent: tuple[Message, ...] = ()
    speaker: str | None = None
    system: str = ""
    history: tuple[Message, ...] = ()
    memories: list[Memory] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    erases: Literal["conversation", "speaker"] | None = None
    keep_reply_until: int | None = None
    notes: list[Note] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    is_slow: bool = False
    _counted: dict[str, int] = field(default_factory=dict, init=False, repr=False)
    _chat_name: str | None = field(default=None, init=False, repr=False)
    _beside: list[Future[Any]] = field(default_factory=list, init=False, repr=False)
    _meanwhile: deque[tuple[Future[Any], Callable[[], Any]]] = field(default_factory=deque, init=False, repr=False)

    @property
    def text(self) -> str:
        """All that was said in words, a line for each message; "" where nothing was. Setting it leaves one message."""
        return "\n".join(one.text for one in self.said if one.text)

    @text.setter
    def text(self, text: str) -> None:
        self.said = (Said(self.event, text),) if text else ()

    def note(self, text: str) -> None:
        """Add a line to the event's story, for `botkit explain`. Write no message text and no secret into it."""
        self.notes.append(Note(self.services.clock.now(), text))

    def spawn(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Run I/O beside the turn, on the process's thread pool; it is joined before the turn ends."""
        future = self.services.pool.submit(fn, *args, **kwargs)
        self._beside.append(future)
        return future

    def if_slow(self, do: Callable[[], T]) -> "Future[T]":
        """Do this beside the turn if it takes its time: nobody pays for it where the answer is there at once.

        Until then the future can be cancelled. A failure is logged, and costs no answer.
        """
        future: Future[T] = Future()
        self._meanwhile.append((future, do))
        if self.is_slow:
            self.spawn(self.be_slow)
        return future

    def be_slow(self) -> None:
        """The turn does take its time: what was left for that is done now."""
        self.is_slow = True
        while self._meanwhile:
            with suppress(IndexError):  # another thread has just taken it
                _settle(*self._meanwhile.popleft())

    def join(self) -> list[BaseException]:
        """Wait for all that was spawned (Lambda freezes what is left over) and return what failed."""
        done = (future for future in self._beside if not future.cancelled())
        failures = [error for future in done if (error := future.exception()) is not None]
        self._beside.clear()
        return failures

    def remember(self, message: Message, expires_at: int, event: Event | None = None) -> None:
        """Stage a message for the history, to be committed with the answer.

        Its place in time is that of `event`, by default the last one. Of each event and role one is kept, the last.
        """
        event = event or self.event
        self.memories.append(Memory(event.id, event.at, expires_at, message, event.user_id))

    def tokens_of(self, message: Message) -> int:
        """The tokens of a message of the history: as stored, or counted, once in the turn.

        The first count of a process takes a third of a second, so ask where `message.most_tokens` does not decide.
        """
        if message.tokens is not None:
            return message.tokens
        content = message.content
        if content not in self._counted:
            self._counted[content] = self.services.model.count_tokens("", content)
        return self._counted[content]

    @property
    def has_counted(self) -> bool:
        """Whether the turn has had to count tokens, so that more of them cost next to nothing."""
        return bool(self._counted)

    def counted_memories(self) -> list[Memory]:
        """What is staged for the history, each message with its tokens where the turn has counted them."""
        return [replace(one, message=self._with_tokens(one.message)) for one in self.memories]

    def _with_tokens(self, message: Message) -> Message:
        if message.tokens is not None:
            return message
        return replace(message, tokens=self._counted.get(message.content))

    @property
    def chat_name(self) -> str:
        """The group's name, the person's in a 1:1 chat; empty where LINE does not tell it."""
        if self.chat.kind == "user":
            return self.user.name
        if self._chat_name is None:
            try:
                self._chat_name = self.services.line.chat_name(self.access_token, self.chat) or ""
            except UpstreamError as error:
                log.warning("no chat name: %s", error)
                self._chat_name = ""
        return self._chat_name

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, (self.deadline - self.services.clock.now()) / 1000)


def _settle(future: "Future[Any]", do: Callable[[], Any]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(do())
        except Exception as error:  # an ornament; of a bug only the name, since its words may quote what was said
            log.warning("beside the turn: %s", error if isinstance(error, UpstreamError) else type(error).__name__)
            future.set_exception(error)
