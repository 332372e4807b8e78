"""The ports: what botkit needs of the world, as Protocols, and the frozen Services that carry them.

Times are integers, milliseconds since 1970, as in LINE's webhooks. What a method may raise is an
`UpstreamError`; writes under a lease may also raise `LeaseLost`.
"""

from base64 import b64decode
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, Protocol

from botkit.errors import RequestError
from botkit.messages import Chat, Message, Profile

LineMessage = Mapping[str, Any]
"""A message object as LINE's API takes it (LINE reference: Message objects)."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, the same from every front end.

    Header names are lower-case, and all values of a header are kept. `content` is the body as the
    front end gave it, Base64 where `is_base64`.
    """

    method: str
    path: str
    headers: Mapping[str, Sequence[str]]
    content: str
    is_base64: bool = False

    @property
    def size(self) -> int:
        """The body's length in bytes, without decoding it."""
        if not self.is_base64:
            return len(self.content.encode("utf-8", "surrogatepass"))
        return len(self.content) * 3 // 4 - self.content[-2:].count("=")

    def body(self) -> bytes:
        """The body's bytes, as they were signed. Raises RequestError(400) where it is not Base64."""
        if not self.is_base64:
            return self.content.encode("utf-8", "surrogatepass")
        try:
            return b64decode(self.content, validate=True)
        except ValueError as error:
            raise RequestError(400, "the body is not Base64") from error


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP status and the JSON object to send with it."""

    status: int
    body: Mapping[str, Any]


# ---------------------------------------------------------------- the store


@dataclass(frozen=True, slots=True)
class Conversation:
    """The key of one conversation of one bot.

    `id` is `user:U…`, `group:C…`, `room:R…`, or `group:C…:U…` for one person in a group.
    """

    bot: str
    id: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event on its way into a conversation's inbox.

    `at`: when it happened; `received_at`: when its webhook reached us; `due_at`: when the sweep
    should look after it. `renews`: a redelivery for which LINE has renewed the reply token.
    """

    conversation: Conversation
    event_id: str
    at: int
    received_at: int
    due_at: int
    body: str
    renews: bool = False


class Acceptance(Enum):
    """What became of an arrival: put into the inbox, or found there unfinished, or found done with."""

    NEW = "new"
    PENDING = "pending"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to an event once it is fixed: every resend is these messages, byte for byte.

    `retry_key` is the UUID that a push of it carries (LINE reference: Retry a failed API request).
    """

    messages: tuple[LineMessage, ...]
    retry_key: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that an answer cost, by the model's own count."""

    model: str
    input_tokens: int
    output_tokens: int


State = Literal["RECEIVED", "SENDING", "DONE", "UNDELIVERED"]
Final = Literal["DONE", "UNDELIVERED"]
Via = Literal["reply", "push"]


@dataclass(frozen=True, slots=True)
class Pending:
    """An event in the inbox. `answer` is there once the state is SENDING.

    `attempts` counts the turns begun for it. `sends` counts the calls to LINE that may have delivered
    the answer: each is recorded before it is made. `via` is the way the last of them took.
    """

    event_id: str
    at: int
    received_at: int
    body: str
    state: State
    attempts: int
    sends: int
    answer: Answer | None = None
    via: Via = "reply"


@dataclass(frozen=True, slots=True)
class Memory:
    """A message on its way into the history. It sorts by `at`, then the event, then who spoke."""

    event_id: str
    at: int
    expires_at: int
    message: Message


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a conversation until `until`. Each grant has a higher `fence`.

    `inbox_seq` is the inbox's count of arrivals as the holder last saw it.
    """

    conversation: Conversation
    owner: str
    fence: int
    until: int
    inbox_seq: int


class Store(Protocol):
    """Where events wait, answers are fixed and conversations are kept. One contract, several adapters."""

    def accept(self, arrival: Arrival) -> Acceptance:
        """Put an event into its inbox if it was never seen: event, pointer and `inbox_seq + 1`, all or nothing.

        Of an unfinished event whose arrival `renews`, `received_at` is moved forward. Finished
        events are remembered for seven days.
        """

    def lease(self, conversation: Conversation, owner: str, now: int, until: int) -> Lease | None:
        """Take the conversation's lease; None while another owner holds it."""

    def pending(self, lease: Lease) -> Sequence[Pending]:
        """The unfinished events, oldest first by `at`, then id; at most 100."""

    def attempt(self, lease: Lease, event_id: str) -> None:
        """Count one attempt and make the event due at the lease's end. Raises LeaseLost."""

    def answer(
        self,
        lease: Lease,
        event_id: str,
        answer: Answer | None,
        memories: Sequence[Memory] = (),
        usage: Usage | None = None,
    ) -> None:
        """The answer transaction: fix the answer, remember, book the usage; all or nothing, once.

        RECEIVED → SENDING with `sends` = 1 (the caller sends at once), or → DONE where there is
        nothing to say. Asked again under the same lease after a lost response, it is a success.
        Raises LeaseLost.
        """

    def resend(self, lease: Lease, event_id: str, via: Via) -> None:
        """Record one more send and its way, before it is made. Raises LeaseLost."""

    def postpone(self, lease: Lease, event_id: str, due_at: int, *, unsent: bool) -> None:
        """Leave an event to a later worker, from `due_at` on. Raises LeaseLost.

        `unsent`: LINE has certainly refused every send recorded so far, so `sends` becomes 0.
        """

    def finish(self, lease: Lease, event_id: str, state: Final, chat: Chat, sent: Sequence[str] = ()) -> None:
        """SENDING → `state`; the pointer goes. Keeps the LINE message ids `sent`, by chat, as the bot's own.

        The event's text and, once DONE, its answer are dropped: history keeps what is to be kept.
        Raises LeaseLost.
        """

    def release(self, lease: Lease) -> Lease | None:
        """Give the lease back; where events arrived meanwhile keep it, and return it with the new `inbox_seq`.

        Of a lease lost meanwhile, None.
        """

    def overdue(self, now: int, limit: int, bots: Collection[str]) -> Sequence[Conversation]:
        """Conversations of these bots with an event due at or before `now`, the longest due first, each once."""

    def history(self, conversation: Conversation, limit: int, now: int) -> Sequence[Message]:
        """The newest `limit` messages that have not expired, oldest first."""

    def clear(self, conversation: Conversation) -> None:
        """Delete the conversation's history; its inbox and its memory of finished events stay."""

    def said_by_bot(self, bot: str, chat: Chat, message_id: str) -> bool:
        """Whether the bot itself sent this message in this chat."""


# ---------------------------------------------------------------- LINE, the model, secrets, time


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a photo, voice message, video or file, and their media type."""

    data: bytes
    media_type: str


class Line(Protocol):
    """LINE's Messaging API. `token` is always the channel access token.

    Raises LineRefused where LINE certainly did nothing, LineUnsure where nobody can tell.
    """

    def reply(self, token: str, reply_token: str, messages: Sequence[LineMessage]) -> tuple[str, ...]:
        """Spend the reply token on 1 to 5 messages; returns the ids of the messages sent."""

    def push(self, token: str, to: str, messages: Sequence[LineMessage], retry_key: str) -> tuple[str, ...]:
        """Push 1 to 5 messages to a user, group or room, at most once per retry key (valid for 24 h)."""

    def start_loading(self, token: str, user_id: str, seconds: int) -> None:
        """Show the loading animation in a 1:1 chat for 5, 10, … 60 seconds."""

    def profile(self, token: str, chat: Chat, user_id: str) -> Profile | None:
        """The profile of a person in a chat; None where LINE does not tell it."""

    def chat_name(self, token: str, chat: Chat) -> str | None:
        """The name of a group; None where LINE does not tell it (rooms have none)."""

    def content(self, token: str, message_id: str) -> Content | None:
        """What a media message holds; None while LINE is still preparing it."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One chat completion to make. `timeout` is in seconds and covers all its retries."""

    model: str
    messages: tuple[Message, ...]
    timeout: float
    temperature: float | None = None
    max_output_tokens: int | None = None
    base_url: str | None = None
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Completion:
    """The model's answer and what it cost."""

    text: str
    usage: Usage


class ChatModel(Protocol):
    """A chat-completion model. Raises ModelError, and ContextOverflow where the prompt is too long."""

    def complete(self, request: ChatRequest) -> Completion:
        """Ask the model once."""

    def count_tokens(self, model: str, text: str) -> int:
        """Tokens of `text` in the encoding of `model`; never fetches anything."""


class Secrets(Protocol):
    """Resolves references such as `env:NAME` and `ssm:/path/name`. Raises SecretError."""

    def get(self, reference: str) -> str:
        """The secret's value."""

    def warm(self, references: Collection[str]) -> None:
        """Fetch what is not at hand, in as few calls as it takes. What fails is raised by `get`."""


class Clock(Protocol):
    """Time, so that a test can move it."""

    def now(self) -> int:
        """Milliseconds since 1970."""

    def sleep(self, ms: int) -> None:
        """Wait."""


@dataclass(frozen=True, slots=True)
class Services:
    """The ports. Lives as long as the process."""

    store: Store
    line: Line
    model: ChatModel
    secrets: Secrets
    clock: Clock
    pool: Executor
