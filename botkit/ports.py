"""The ports: what botkit needs of the world, as Protocols, and the frozen Services that carry them.

Times are integers, milliseconds since 1970, as in LINE's webhooks. What a method may raise is an
`UpstreamError`; writes under a lease may also raise `LeaseLost`.
"""

from base64 import b64decode
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, Protocol
from uuid import uuid4

from botkit.errors import RequestError
from botkit.messages import Chat, Content, Message, Part, Profile

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
class Note:
    """One line of an event's story, for `botkit explain`: what happened at `at`. No message text, no secret."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event on its way into a conversation's inbox.

    `at`: when it happened; `received_at`: when its webhook reached us; `due_at`: when the sweep
    should look after it. `user_id` is who caused it, `message_id` LINE's id of the message in it.
    `renews`: a redelivery for which LINE has renewed the reply token.
    """

    conversation: Conversation
    event_id: str
    at: int
    received_at: int
    due_at: int
    body: str
    chat: Chat
    user_id: str | None = None
    message_id: str | None = None
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
    `owners`: for each message the id of the event whose turn made it, where answers that had been kept
    are joined in it; empty where all are the answered event's own.
    """

    messages: tuple[LineMessage, ...]
    retry_key: str
    owners: tuple[str, ...] = ()

    def owned(self, event_id: str) -> tuple[str, ...]:
        """The owner of each message, this being the answer to `event_id`."""
        return self.owners or (event_id,) * len(self.messages)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call of a model used, by the model's own count, and what that cost.

    `cost` is in millionths of a US dollar, rounded up; 0 where the price is not known.
    """

    model: str
    input_tokens: int
    output_tokens: int
    cost: int = 0


State = Literal["RECEIVED", "SENDING", "UNDELIVERED", "DONE"]
Final = Literal["DONE", "UNDELIVERED"]
Via = Literal["reply", "push"]

MEANING: Mapping[State, str] = {
    "RECEIVED": "waiting for an answer",
    "SENDING": "its answer is on the way",
    "UNDELIVERED": "its answer waits for a tap or the next reply",
    "DONE": "answered, or nothing to say",
}
"""What each state of an event means, in words for people."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An event in the inbox.

    RECEIVED: it has no answer yet. SENDING: its `answer` is fixed and on its way. UNDELIVERED: its
    `answer` waits for a tap on the notice's button, or for the next reply; the sweep leaves it alone.

    `attempts` counts the turns begun for it. `sends` counts the calls to LINE that may have delivered
    the answer: each is recorded before it is made. `via` is the way the last of them took. `noticed`:
    its reply token was spent on a notice. `unsent`: the person took back all that it stands for; `body`
    is "" then, in every UNDELIVERED one, and where a SENDING one's own message was taken back. `revision`
    counts what was taken back of it, in whole or in part: a worker that has read another one knows too much.
    """

    event_id: str
    at: int
    received_at: int
    body: str
    state: State
    attempts: int
    sends: int
    user_id: str | None = None
    message_id: str | None = None
    answer: Answer | None = None
    via: Via = "reply"
    noticed: bool = False
    unsent: bool = False
    revision: int = 0
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """A message on its way into the history. It sorts by `at`, then the event, then who spoke.

    `user_id` is whose words these are, or whom the bot answered with them.
    """

    event_id: str
    at: int
    expires_at: int
    message: Message
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """What to add to one of a bot's counters, such as the tokens of a day.

    `counter` says of whom or what (`U#U…`, `G#group:C…`, `Q#7`, `push`), `window` which stretch of
    time (`day#2026-11-22`, `month#2026-11`); `amounts` are by name and never negative.
    """

    counter: str
    window: str
    amounts: Mapping[str, int]
    expires_at: int


@dataclass(frozen=True, slots=True)
class Budget:
    """What a push costs and may cost: `count` is added unless an amount would come to exceed `limit`."""

    count: Count
    limit: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a conversation until `until`. Each grant has a higher `fence`.

    `inbox_seq` is the inbox's count of arrivals as the holder last saw it. `abandoned`: the holder
    before did not give it back, so it has crashed.
    """

    conversation: Conversation
    owner: str
    fence: int
    until: int
    inbox_seq: int
    abandoned: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """Another worker's lease, which ends at `until` if it is not given back before."""

    until: int


@dataclass(frozen=True, slots=True)
class Inbox:
    """A conversation as a worker finds it.

    `pending`: the unfinished events, oldest first by `at`, then id; at most 100. `recent`: the newest
    messages of the history that have not expired, oldest first, overheard ones in their places among them.
    """

    pending: tuple[Pending, ...]
    recent: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one event, for `botkit explain`; kept for seven days.

    `lead` is the event whose answer covers this one: its own id, or another's where several messages
    were answered at once; None while it is RECEIVED. `notes` are its story, oldest first.
    """

    conversation: Conversation
    event_id: str
    at: int
    received_at: int
    state: State
    attempts: int
    sends: int
    lead: str | None
    notes: tuple[Note, ...]


class Store(Protocol):
    """Where events wait, answers are fixed and conversations are kept. One contract, several adapters.

    All times are given by the caller; no method looks at a clock. Writes under a lease are all or
    nothing and raise LeaseLost once it has passed on. A write that is asked again under the same
    lease, because its response was lost, is a success and changes nothing. `notes` are added to the
    event's story together with the write.
    """

    def accept(self, arrival: Arrival) -> Acceptance:
        """Put an event into its inbox if the bot never saw it: event, pointer and `inbox_seq + 1`, all or nothing.

        Of an unfinished event whose arrival `renews`, `received_at` is moved forward, in whichever of
        the bot's conversations it waits. Finished events are remembered for seven days from their
        receipt. The message's id is kept with the conversation, for as long. A message that was unsent
        before it came is FINISHED at once, and nothing of it is stored.
        """

    def lease(self, conversation: Conversation, owner: str, now: int, until: int) -> Lease | Held:
        """Take the conversation's lease. Its owner may take it again, before or after its end."""

    def inbox(self, lease: Lease, window: int, now: int, overheard: int = 0) -> Inbox:
        """The unfinished events, the newest `window` messages and besides them the newest `overheard` ones.

        Events that expire before the lease ends are left out.
        """

    def attempt(self, lease: Lease, events: Sequence[Pending]) -> None:
        """Count one attempt of each event, and make it due at the lease's end.

        For a turn that takes its time, or failed: one that is soon answered is counted by its answer. Not under
        the lease: counted by a worker that has lost it, it does no harm.
        """

    def notice(self, lease: Lease, event: Pending, notes: Sequence[Note] = ()) -> None:
        """Record, before the call, that a RECEIVED event's reply token goes to a notice. Raises LeaseLost."""

    def answer(
        self,
        lease: Lease,
        event: Pending,
        answer: Answer | None,
        *,
        covers: Sequence[Pending] = (),
        memories: Sequence[Memory] = (),
        counts: Sequence[Count] = (),
        notes: Sequence[Note] = (),
        waits: bool = False,
    ) -> None:
        """The answer transaction: fix the answer, remember, count; all or nothing, once.

        `event` goes RECEIVED → SENDING with `sends` = 1 (the caller sends at once), or → UNDELIVERED
        where the answer `waits`, or → DONE where there is nothing to say (None). Each event that it
        `covers`, RECEIVED or UNDELIVERED before, is DONE and leaves the inbox with `event` as its lead.
        An event read as `unsent` may be ended with None from any state. The `attempts` of all of them become
        what they are here. At most 20 covered events and 50 memories and counts. Raises LeaseLost, and TakenBack
        where something was taken back of one of the events after it was read (`revision` is not as it is in the
        store).
        """

    def resend(self, lease: Lease, event: Pending, via: Via, budget: Budget | None = None) -> bool:
        """Record one more send and its way, before it is made; False, and nothing recorded, where the budget forbids.

        The budget is charged once for an event, however often it is pushed. Raises LeaseLost, and
        TakenBack where something was taken back of the event after it was read.
        """

    def postpone(self, lease: Lease, event: Pending, due_at: int, *, refused: bool, notes: Sequence[Note] = ()) -> None:
        """Leave a RECEIVED or SENDING event to a later worker, from `due_at` on. Raises LeaseLost.

        `refused`: LINE has certainly refused every send recorded so far, so `sends` becomes 0.
        """

    def finish(
        self,
        lease: Lease,
        event: Pending,
        state: Final,
        chat: Chat,
        sent: Sequence[str] = (),
        *,
        counts: Sequence[Count] = (),
        notes: Sequence[Note] = (),
        release: bool = False,
    ) -> Lease | None:
        """SENDING → `state`, and UNDELIVERED → DONE. Keeps the LINE message ids `sent`, by chat, as the bot's own.

        The `counts` are added once, however often the write is asked for.

        DONE leaves the inbox, with text and answer: history keeps what is to be kept. UNDELIVERED
        stays, with its answer, but is never due. `release` gives the lease back in the same write,
        unless events arrived meanwhile. Returns the lease if it is still held (with the new `inbox_seq`
        where events arrived), None once it is given back. Raises LeaseLost.
        """

    def release(self, lease: Lease) -> Lease | None:
        """Give the lease back; where events arrived meanwhile keep it, and return it with the new `inbox_seq`.

        Of a lease lost meanwhile, None.
        """

    def overdue(self, now: int, limit: int, bots: Collection[str]) -> Sequence[Conversation]:
        """Conversations of these bots with an event due at or before `now`, the longest due first, each once."""

    def unsend(self, bot: str, chat: Chat, message_id: str, now: int) -> None:
        """Delete a message everywhere (LINE reference: Unsend event): history, the waiting event and its answer.

        A RECEIVED event becomes `unsent`. Of an answer that waits, and of one whose sends were all refused,
        wherever it was joined into another, the messages of the turn that answered the event are taken out,
        and what that turn said leaves the history. A burst is one turn: with one of its messages the answer
        to all of them goes. Other turns' messages stay where they wait; where there are none, the event that
        waits becomes `unsent`. The next worker ends what is `unsent` in silence, and nothing read before can
        be committed or sent. What may have been sent is only forgotten, once that is known to be over. Of a
        message not known yet, it is remembered for seven days that it was unsent. May be asked again and again.
        """

    def edit(self, lease: Lease, chat: Chat, message_id: str, at: int, message: Message) -> bool:
        """Replace the text and tokens of a message in this conversation's history by an edit made at `at`.

        The newest edit wins; one whose tokens are not counted leaves none. False where the history does not hold
        the message. Raises LeaseLost.
        """

    def conversation_of(self, bot: str, chat: Chat, message_id: str) -> Conversation | None:
        """The conversation that a person's message of this chat was accepted into; None where it is not known."""

    def said_by_bot(self, bot: str, chat: Chat, message_id: str) -> bool:
        """Whether the bot itself sent this message in this chat."""

    def history(self, conversation: Conversation, limit: int, now: int, overheard: int = 0) -> Sequence[Message]:
        """The newest `limit` messages that have not expired, and the newest `overheard` ones, oldest first."""

    def clear(self, conversation: Conversation, until: int | None = None, user_id: str | None = None) -> None:
        """Delete the conversation's history; its inbox and its memory of finished events stay.

        Overheard lines go, too. Where `until` is given (ms since 1970), only what was said then or before;
        where `user_id` is given, only that person's words and what the bot answered to them.
        """

    def forget(self, bot: str, user_id: str, now: int) -> int:
        """Delete what a person said to the bot, what it answered to them, and what waits, in all conversations.

        Their 1:1 chat, their conversations in groups, and their lines in conversations that groups share.
        Of what waits, each message is taken back as by `unsend`. That events were seen, and what was
        counted, stays. Returns how many messages were deleted. May be asked again and again.
        """

    def disband(self, bot: str, chat: Chat, until: int) -> None:
        """Delete the history of every conversation that was had in this chat up to `until`, and take back what waits
        there and was said before (ms since 1970).

        What waits is taken back as by `forget`. What was said at `until` waits on, as all that came later does;
        of answers joined into one, each goes or stays with the event whose turn made it. May be asked again and again.
        """

    def part(self, bot: str, chat: Chat, at: int) -> None:
        """Note that the bot was blocked or removed at `at` (ms since 1970); the newest wins, whenever it is told."""

    def parted_at(self, bot: str, chat: Chat) -> int | None:
        """When the bot was blocked by this person or removed from this group last (ms since 1970), as far as is known.

        None where it never was. It may have come back since.
        """

    def counted(self, bot: str, counters: Sequence[tuple[str, str]], now: int) -> Sequence[Mapping[str, int]]:
        """The amounts of counters, each given as counter and window, in this order.

        Empty where nothing was counted or it has expired. At most 100.
        """

    def tally(self, bot: str, counter: str, first: str, last: str, now: int) -> Sequence[Count]:
        """What a counter has counted in its windows from `first` to `last`, both included, in the order of names."""

    def record(self, bot: str, event_id: str, now: int) -> Record | None:
        """What is known of an event; None where it never came or is forgotten."""


# ---------------------------------------------------------------- LINE, the model, secrets, time


class Line(Protocol):
    """LINE's Messaging API. `token` is always the channel access token, as the bot file names it or as issued here.

    Raises LineRefused where LINE certainly did nothing, LineUnsure where nobody can tell.
    """

    def issue_token(self, channel_id: str, channel_secret: str) -> str:
        """A channel access token, at hand or new, good for two minutes more at least. Many threads may ask."""

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

    def member_count(self, token: str, chat: Chat) -> int:
        """How many people a group or room has: each counts when a push is paid for."""

    def content(self, token: str, message_id: str) -> Content | None:
        """What a media message holds; None while LINE is still preparing it."""

    def mark_as_read(self, token: str, read_token: str) -> None:
        """Show the person that their messages up to this one were read."""


class Markdown(Protocol):
    """Makes of a model's Markdown what LINE can show."""

    def plain(self, text: str) -> tuple[Part, ...]:
        """As a person would write it on LINE: texts without marks."""

    def flex(self, text: str) -> tuple[Part, ...]:
        """The same, with tables and code as Flex messages where LINE takes them."""


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


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """A recording to be written down. `timeout` is in seconds and covers all its retries."""

    model: str
    audio: Content
    timeout: float
    base_url: str | None = None
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ModerationRequest:
    """What was said, to be judged. `timeout` is in seconds and covers all its retries."""

    model: str
    text: str
    timeout: float
    images: tuple[Content, ...] = ()
    base_url: str | None = None
    api_key: str = field(default="", repr=False)


class ChatModel(Protocol):
    """A model that speaks, and what is offered beside it. Raises ModelError."""

    def complete(self, request: ChatRequest) -> Completion:
        """Ask the model once. Raises ContextOverflow where the prompt is too long."""

    def transcribe(self, request: TranscriptionRequest) -> str:
        """The words of a recording; "" where there are none."""

    def moderate(self, request: ModerationRequest) -> tuple[str, ...]:
        """The categories that were found in it, such as `harassment`; none of what is harmless."""

    def count_tokens(self, model: str, text: str) -> int:
        """Tokens of `text` in the encoding of `model`, at most one for each of its bytes; never fetches anything.

        The first count of a process may be slow: ask where `botkit.messages.most_tokens` does not decide.
        """


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

    def wait(self, future: Future[Any], until: int) -> bool:
        """Wait until the future is done, or until a time in ms since 1970; whether it is done."""


@dataclass(frozen=True, slots=True)
class Wakeup:
    """A message of the queue: this conversation has something to do.

    `id` names the message in the batch, `receipt` is what the queue knows this delivery of it by,
    `receives` counts its deliveries, this one included.
    """

    id: str
    receipt: str
    receives: int
    conversation: Conversation


class Wake(Protocol):
    """The queue that wakes a worker. Raises WakeError; what it loses, the sweep finds."""

    def send(self, conversations: Sequence[Conversation]) -> None:
        """Wake a worker for each conversation."""

    def come_back(self, wakeup: Wakeup, ms: int) -> None:
        """Let a message that is handed back as failed come again after so long, instead of the queue's own time."""


@dataclass(frozen=True, slots=True)
class Services:
    """The ports. Lives as long as the process.

    `wake` is None where webhooks are answered inline. `pool` runs drains, turns and the I/O beside them,
    which wait for one another: it must begin every task at once. `new_id` makes names that nobody else has.
    """

    store: Store
    line: Line
    model: ChatModel
    markdown: Markdown
    secrets: Secrets
    clock: Clock
    pool: Executor
    wake: Wake | None = None
    new_id: Callable[[], str] = field(default=lambda: uuid4().hex)
