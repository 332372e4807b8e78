"""What the stores share: how long things live, answers and notes as text, a repeated write told from a wrong one."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Final
from urllib.parse import quote, unquote

from botkit.errors import LeaseLost, StoreError, TakenBack
from botkit.messages import Chat, Message
from botkit.ports import Answer, Budget, Lease, Note, Pending, State

NOT_COUNTED: Final = 0
"""What is stored for the tokens of a message that nobody has counted."""
DAY: Final = 24 * 60 * 60 * 1000
"""One day in ms."""

EVENT_LIFE: Final = 7 * DAY
"""An event is remembered this long after its webhook was received: a replay of it is never answered twice.

So is the id of its message after its receipt, and after `unsend` that a message unknown then was unsent.
"""

CONVERSATION_LIFE: Final = 90 * DAY
"""`fence` and `inbox_seq` outlive every event by far, so neither starts again while an event could see it."""

SENT_LIFE: Final = 30 * DAY
"""The bot's own message ids are known this long, so that a quote of them addresses the bot."""

PARTED_LIFE: Final = 400 * DAY
"""That the bot was blocked or removed is known this long."""

PENDING_LIMIT: Final = 100
"""Events handed out at once; also the most that BatchGetItem reads in one call (DynamoDB API reference)."""


def stamp(lease: Lease, write: str, *details: str | int) -> str:
    """What a write under a lease leaves on its event, so that it is known again when it is asked twice.

    `details` are what tells it from another write of its name, such as the answer's text. The last write
    alone leaves it: a lost response is asked for again before anything else is written.
    """
    digest = sha256(json.dumps(details).encode()).hexdigest()[:16]
    return f"{lease.fence} {write} {digest}"


def answer_stamp(lease: Lease, state: State, answer: Answer | None, covers: Iterable[str]) -> str:
    """The stamp of an answer transaction that leaves its event in `state` and `covers` these events too."""
    fixed = [dump_answer(answer), dump_owners(answer), answer.retry_key] if answer else []
    return stamp(lease, "answer", state, *fixed, *covers)


def refusal(event_id: str, found: State | None) -> StoreError:
    """The error of a write that the event's state does not allow; None where there is no such event."""
    if found is None:
        return StoreError(f"event {event_id} is not in the inbox")
    return StoreError(f"event {event_id} is {found}, which does not allow this write")


def taken_back(event_id: str) -> TakenBack:
    """The error of a write on what was read of an event before something of it was taken back."""
    return TakenBack(f"event {event_id}: something of it was unsent meanwhile")


def is_certainly_unseen(event: Pending) -> bool:
    """Whether nobody can have seen an answer to it: there is none, it waits, or LINE has refused every send."""
    return event.state in ("RECEIVED", "UNDELIVERED") or (event.state == "SENDING" and event.sends == 0)


def take_back(waiting: Pending, event_id: str, turn: str) -> Pending:
    """What waits, certainly unseen, once the message of `event_id`, which `turn` has answered, is taken back.

    Itself where nothing of that is in it, or not any more.
    """
    left = _without(waiting.answer, waiting.event_id, turn)
    body = "" if left is None or waiting.event_id == event_id else waiting.body
    after = replace(waiting, answer=left, body=body, unsent=left is None)
    return waiting if after == waiting else replace(after, revision=waiting.revision + 1)


def turns_in(waiting: Pending) -> list[str]:
    """The events whose turns have a part in what waits: its own, and those whose answers were joined into its answer.

    They are one person's, as answers are joined for one person alone.
    """
    owners = waiting.answer.owned(waiting.event_id) if waiting.answer else ()
    return list(dict.fromkeys([*owners, waiting.event_id]))


def _without(answer: Answer | None, event_id: str, turn: str) -> Answer | None:
    owners = answer.owned(event_id) if answer else ()
    left = [n for n, owner in enumerate(owners) if owner != turn]
    if answer is None or not left:
        return None
    if len(left) == len(owners):
        return answer
    # The retry key stays, though a key must always carry the same messages: every push under it was certainly
    # refused, so LINE has never taken it with others.
    return replace(answer, messages=tuple(answer.messages[n] for n in left), owners=tuple(owners[n] for n in left))


def within(budget: Budget, spent: Mapping[str, int]) -> bool:
    """Whether the budget allows its count on top of what was `spent`."""
    return all(spent.get(name, 0) + amount <= budget.limit for name, amount in budget.count.amounts.items())


def lost(lease: Lease) -> LeaseLost:
    """The error of a write whose lease has passed on."""
    return LeaseLost(f"the lease {lease.fence} on {lease.conversation.id} of {lease.conversation.bot} has passed on")


ASKED: Final = 0
ANSWERED: Final = 1


def turn_order(message: Message) -> int:
    """Within one event, what the person said (ASKED) comes before what the bot said (ANSWERED)."""
    return ANSWERED if message.role == "assistant" else ASKED


def chat_key(chat: Chat) -> str:
    """A chat as one string; a kind holds no colon, so no two chats share one."""
    return f"{chat.kind}:{chat.id}"


def shared_conversation(chat: Chat) -> str:
    """The id of the conversation that a chat's people share; those of one person there have it and a colon before.

    Ids are quoted in the ids of conversations, so that a colon ends them.
    """
    return f"{chat.kind}:{quote(chat.id, safe='')}"


def chat_of(conversation_id: str) -> str:
    """The `chat_key` of the chat that a conversation, shared or one person's, is had in."""
    kind, chat_id, *_ = conversation_id.split(":")
    return f"{kind}:{unquote(chat_id)}"


def dump_answer(answer: Answer) -> str:
    """The messages as the JSON that is stored."""
    return json.dumps([dict(message) for message in answer.messages], ensure_ascii=False, separators=(",", ":"))


def dump_owners(answer: Answer) -> str:
    """Whose its messages are, as the JSON that is stored beside them."""
    return json.dumps(answer.owners, separators=(",", ":"))


def load_answer(messages: str, retry_key: str, owners: str = "[]") -> Answer:
    """The answer as it was given, key order included, so that its resend is the same bytes."""
    return Answer(tuple(json.loads(messages)), retry_key, tuple(json.loads(owners)))


def dump_notes(notes: Iterable[Note]) -> str:
    """Notes as lines of JSON, each with its end: adding to a story is appending to its text."""
    return "".join(f"{json.dumps([note.at, note.text])}\n" for note in notes)


def load_notes(text: str) -> tuple[Note, ...]:
    """The reverse of `dump_notes`."""
    return tuple(Note(*json.loads(line)) for line in text.splitlines())
