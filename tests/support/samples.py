"""Sample values for stores. The time is far ahead, because DynamoDB's TTL goes by the real clock."""

from collections.abc import Sequence
from dataclasses import replace

from botkit.messages import Chat, Message, Role
from botkit.ports import Answer, Arrival, Conversation, Count, Lease, Memory, Note, Pending, Store

NOW = 4_102_444_800_000
SECOND = 1000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE

HANA = Conversation("inn", "user:U1")
HANAS_CHAT = Chat("user", "U1")
ANSWER = Answer(({"type": "text", "text": "三時からです 🏮", "quickReply": {"items": []}},), "9d3c-retry")
OTHER_ANSWER = Answer(({"type": "text", "text": "四時からです"},), "77aa-retry")
NOTE = Note(NOW + 7, "model gpt-4.1-mini 1.2 s 🏮")
USER: Role = "user"
BOT: Role = "assistant"

_ARRIVAL = Arrival(HANA, "e1", NOW, NOW, NOW + 5 * SECOND, '{"text": "何時から？ 🏮"}', HANAS_CHAT)


def arrival(event_id: str = "e1", **changes: object) -> Arrival:
    return replace(_ARRIVAL, event_id=event_id, **changes)


def pending(event_id: str = "e1", **changes: object) -> Pending:
    """The event of `arrival` as the inbox has it when it has just come."""
    return replace(Pending(event_id, NOW, NOW, _ARRIVAL.body, "RECEIVED", 0, 0), **changes)


def memory(
    text: str, event_id: str = "e1", *, role: Role = USER, at: int = NOW, expires_at: int = NOW + 30 * DAY
) -> Memory:
    return Memory(event_id, at, expires_at, Message(role, text))


def tokens(amount: int = 150, counter: str = "U#U1", window: str = "day#2100-01-01", name: str = "tokens") -> Count:
    return Count(counter, window, {name: amount}, NOW + DAY)


def take_lease(
    store: Store, conversation: Conversation = HANA, owner: str = "a", *, now: int = NOW, until: int = NOW + MINUTE
) -> Lease:
    lease = store.lease(conversation, owner, now, until)
    assert isinstance(lease, Lease)
    return lease


def receive(store: Store, event_id: str = "e1", **changes: object) -> Lease:
    """Accept an event and take the lease of its conversation."""
    coming = arrival(event_id, **changes)
    store.accept(coming)
    return take_lease(store, coming.conversation)


def waiting(store: Store, lease: Lease) -> tuple[Pending, ...]:
    """The events in the inbox."""
    return store.inbox(lease, 0, NOW).pending


def read(store: Store, lease: Lease, event_id: str = "e1") -> Pending:
    """One event as the inbox has it now."""
    return next(event for event in waiting(store, lease) if event.event_id == event_id)


def settle(store: Store, lease: Lease, event_id: str = "e1", memories: Sequence[Memory] = ()) -> None:
    """Answer an event and say that it was sent."""
    store.answer(lease, read(store, lease, event_id), ANSWER, memories=memories)
    store.finish(lease, read(store, lease, event_id), "DONE", HANAS_CHAT)


def remember(store: Store, conversation: Conversation, *memories: Memory) -> None:
    """Put messages into a history, through an event of their own."""
    carrier = f"carrier of {conversation.id}"
    lease = receive(store, carrier, conversation=conversation)
    store.answer(lease, read(store, lease, carrier), None, memories=memories)
    store.release(lease)


def texts(store: Store, conversation: Conversation = HANA, limit: int = 100, now: int = NOW) -> list[str]:
    return [message.text for message in store.history(conversation, limit, now)]
