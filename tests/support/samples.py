"""Sample values for stores. The time is far ahead, because DynamoDB's TTL goes by the real clock."""

from collections.abc import Sequence
from dataclasses import replace

from botkit.messages import Chat, Message, Role
from botkit.ports import Answer, Arrival, Conversation, Lease, Memory, Store

NOW = 4_102_444_800_000
SECOND = 1000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE

HANA = Conversation("inn", "user:U1")
HANAS_CHAT = Chat("user", "U1")
ANSWER = Answer(({"type": "text", "text": "三時からです 🏮", "quickReply": {"items": []}},), "9d3c-retry")
USER: Role = "user"
BOT: Role = "assistant"

_ARRIVAL = Arrival(HANA, "e1", NOW, NOW, NOW + 5 * SECOND, '{"text": "何時から？ 🏮"}')


def arrival(event_id: str = "e1", **changes: object) -> Arrival:
    return replace(_ARRIVAL, event_id=event_id, **changes)


def memory(
    text: str, event_id: str = "e1", *, role: Role = USER, at: int = NOW, expires_at: int = NOW + 30 * DAY
) -> Memory:
    return Memory(event_id, at, expires_at, Message(role, text))


def take_lease(
    store: Store, conversation: Conversation = HANA, owner: str = "a", *, now: int = NOW, until: int = NOW + MINUTE
) -> Lease:
    lease = store.lease(conversation, owner, now, until)
    assert lease is not None
    return lease


def receive(store: Store, event_id: str = "e1", **changes: object) -> Lease:
    """Accept an event and take the lease of its conversation."""
    coming = arrival(event_id, **changes)
    store.accept(coming)
    return take_lease(store, coming.conversation)


def settle(store: Store, lease: Lease, event_id: str = "e1", memories: Sequence[Memory] = ()) -> None:
    """Answer an event and say that it was sent."""
    store.answer(lease, event_id, ANSWER, memories)
    store.finish(lease, event_id, "DONE", HANAS_CHAT)


def remember(store: Store, conversation: Conversation, *memories: Memory, event_id: str = "carrier") -> None:
    """Put messages into a history, through an event of their own."""
    lease = receive(store, event_id, conversation=conversation)
    store.answer(lease, event_id, None, memories)
    store.release(lease)


def texts(store: Store, conversation: Conversation = HANA, limit: int = 100, now: int = NOW) -> list[str]:
    return [message.text for message in store.history(conversation, limit, now)]
