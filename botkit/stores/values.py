"""What the stores share: how long things live, answers as text, and a repeated write told from a wrong one."""

import json
from dataclasses import dataclass
from typing import Final

from botkit.errors import LeaseLost, StoreError
from botkit.messages import Chat, Message
from botkit.ports import Answer, Lease, State

DAY: Final = 24 * 60 * 60 * 1000
"""One day in ms."""

EVENT_LIFE: Final = 7 * DAY
"""An event is remembered this long after its webhook was received: a replay of it is never answered twice."""

CONVERSATION_LIFE: Final = 90 * DAY
"""`fence` and `inbox_seq` outlive every event by far, so neither starts again while an event could see it."""

SENT_LIFE: Final = 30 * DAY
"""The bot's own message ids are known this long, so that a quote of them addresses the bot."""

PENDING_LIMIT: Final = 100
"""Events handed out at once; also the most that BatchGetItem reads in one call (DynamoDB API reference)."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a change of state leaves on its event: the state, the fence it was made under, the answer while SENDING."""

    state: State
    fence: int
    answer: str | None = None


def confirm(event_id: str, found: Mark | None, asked: Mark | None) -> None:
    """Pass where the write that was refused had already been made by this very lease.

    `found` is what the event carries, None where there is no such event; `asked` is what the write
    would have left, None for a write that may be made again and again. Raises StoreError.
    """
    if found is None:
        raise StoreError(f"event {event_id} is not in the inbox")
    if found != asked:
        raise StoreError(f"event {event_id} is {found.state}, which does not allow this write")


def lost(lease: Lease) -> LeaseLost:
    """The error of a write whose lease has passed on."""
    return LeaseLost(f"the lease {lease.fence} on {lease.conversation.id} of {lease.conversation.bot} has passed on")


def turn_order(message: Message) -> int:
    """Within one event, what the person said (0) comes before what the bot said (1)."""
    return 1 if message.role == "assistant" else 0


def chat_key(chat: Chat) -> str:
    """A chat as one string; a kind holds no colon, so no two chats share one."""
    return f"{chat.kind}:{chat.id}"


def dump_answer(answer: Answer) -> str:
    """The messages as the JSON that is stored."""
    return json.dumps([dict(message) for message in answer.messages], ensure_ascii=False, separators=(",", ":"))


def load_answer(messages: str, retry_key: str) -> Answer:
    """The answer as it was given, key order included, so that its resend is the same bytes."""
    return Answer(tuple(json.loads(messages)), retry_key)
