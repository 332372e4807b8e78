"""The store in one DynamoDB table, for the deployed bots."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from botkit.errors import StoreError
from botkit.messages import Chat, Message
from botkit.ports import (
    Acceptance,
    Answer,
    Arrival,
    Budget,
    Conversation,
    Count,
    Final,
    Held,
    Inbox,
    Lease,
    Memory,
    Note,
    Pending,
    Record,
    State,
    Via,
)
from botkit.stores import dynamodb_history, dynamodb_messages, dynamodb_moves, dynamodb_people
from botkit.stores.dynamodb_items import (
    DUE,
    DUE_INDEX,
    WINDOWS,
    amounts_of,
    asked_keys,
    conversation_at,
    count_of,
    counter_key,
    counters_pk,
    event_key,
    index_key,
    message_item,
    place_in_time,
    record_of,
    said_fields,
    seconds,
    sent_item,
)
from botkit.stores.dynamodb_moves import Move, flatten, judge
from botkit.stores.dynamodb_places import places_of_memories
from botkit.stores.dynamodb_schema import create_table
from botkit.stores.dynamodb_table import Fields, Refused, Table, connect, expressions, spread
from botkit.stores.dynamodb_writes import Write, add_counts, charge, check_held, edit_message, give_back, put, take
from botkit.stores.values import EVENT_LIFE, answer_stamp, lost, stamp, within

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

__all__ = ["DynamoStore", "create_table"]

ATTEMPTS_AT_ONCE = 50
"""Events in one transaction of 100 writes (DynamoDB API reference: TransactWriteItems)."""


class DynamoStore:
    """The store in the DynamoDB table `table`; lives as long as the process, shared by all its threads.

    A `client` given stays the caller's to close. `pause` waits some seconds where another write is in the
    way, and `jitter` picks how many, up to a limit. Every method raises StoreError where AWS fails.
    """

    def __init__(
        self,
        table: str,
        client: "DynamoDBClient | None" = None,
        *,
        pause: Callable[[float], None] = time.sleep,
        jitter: Callable[[float], float] = spread,
    ) -> None:
        self._client = client or connect()
        self._owns_client = client is None
        self._table = Table(table, self._client, pause, jitter)

    def close(self) -> None:
        """Close the connections, where the store opened them."""
        if self._owns_client:
            self._client.close()

    # ---------------------------------------------------------------- arrivals and the lease

    def accept(self, arrival: Arrival) -> Acceptance:
        """See `Store.accept`. One round trip for a new event and for a duplicate, two to renew."""
        return dynamodb_messages.accept(self._table, arrival)

    def lease(self, conversation: Conversation, owner: str, now: int, until: int) -> Lease | Held:
        """See `Store.lease`. Its owner may take it again, so a retry after a lost response succeeds."""
        asked = Lease(conversation, owner, 1, until, 0)
        try:
            before = self._table.update(take(asked, now))
        except Refused as refused:
            holder = refused.found[0]
            if holder is None:  # DynamoDB shows the item that was in the way; without it nothing can be said
                raise StoreError(f"DynamoDB does not show who holds {conversation.id}", retryable=True) from refused
            return Held(int(holder["lease_until"]))
        fence, seen = int(before.get("fence", 0)) + 1, int(before.get("inbox_seq", 0))
        return replace(asked, fence=fence, inbox_seq=seen, abandoned="owner" in before)

    def release(self, lease: Lease) -> Lease | None:
        """See `Store.release`."""
        try:
            self._table.update(give_back(lease))
        except Refused as refused:
            return _still_held(lease, refused.found[0])
        return None

    def inbox(self, lease: Lease, window: int, now: int, overheard: int = 0) -> Inbox:
        """See `Store.inbox`. One query, and another one where overheard messages are asked for."""
        return dynamodb_history.inbox(self._table, lease, window, now, overheard)

    def overdue(self, now: int, limit: int, bots: Collection[str]) -> Sequence[Conversation]:
        """See `Store.overdue`. The index follows the table within a second or so: the next sweep sees the rest."""
        return list(islice((one for one in self._due(now) if one.bot in bots), limit))

    def _due(self, now: int) -> Iterator[Conversation]:
        asked = expressions({"due": DUE, "now": now}, KeyConditionExpression="#due_pk = :due AND #due_at <= :now")
        seen = set()
        for item in self._table.query(IndexName=DUE_INDEX, **asked):
            conversation = conversation_at(str(item["pk"]))
            if int(item["ttl"]) > seconds(now) and conversation not in seen:
                seen.add(conversation)
                yield conversation

    # ---------------------------------------------------------------- an event's life

    def attempt(self, lease: Lease, events: Sequence[Pending]) -> None:
        """See `Store.attempt`. Events with nothing left to do are passed over."""
        for start in range(0, len(events), ATTEMPTS_AT_ONCE):
            moves = [dynamodb_moves.attempted(lease, event) for event in events[start : start + ATTEMPTS_AT_ONCE]]
            self._attempt(moves)

    def _attempt(self, moves: Sequence[Move]) -> None:
        while moves:
            try:
                self._table.transact(flatten(moves))
            except Refused as refused:
                moves = [move for n, move in enumerate(moves) if not refused.found.keys() & {2 * n, 2 * n + 1}]
            else:
                return

    def notice(self, lease: Lease, event: Pending, notes: Sequence[Note] = ()) -> None:
        """See `Store.notice`."""
        self._commit(lease, [dynamodb_moves.noticed(lease, event, notes)])

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
        """See `Store.answer`. Of a transaction's 100 writes, it takes three, and two for each event that it covers.

        And one for each person whose words are remembered, and for the chat, where that has to be found again.
        """
        state: State = "DONE" if answer is None else "UNDELIVERED" if waits else "SENDING"
        mark = answer_stamp(lease, state, answer, [one.event_id for one in covers])
        items = (message_item(lease.conversation, memory) for memory in memories)
        messages = {place_in_time(item): item for item in items}
        places = places_of_memories(lease.conversation, memories)
        said = said_fields(messages.values())
        moves = [
            dynamodb_moves.answered(lease, event, answer, state, mark, said, notes),
            *(dynamodb_moves.covered(lease, one, event) for one in covers),
        ]
        others = [*map(put, [*messages.values(), *places]), *add_counts(lease.conversation.bot, counts)]
        self._commit(lease, moves, others, mark)

    def resend(self, lease: Lease, event: Pending, via: Via, budget: Budget | None = None) -> bool:
        """See `Store.resend`. Two round trips where the event was paid for before, or the budget forbids."""
        if budget is None:
            return self._resend(lease, dynamodb_moves.resent(lease, event, via, None))
        if within(budget, {}):
            first = dynamodb_moves.resent(lease, event, via, paid=False)
            if self._resend(lease, first, charge(lease.conversation.bot, budget)):
                return True
        return self._resend(lease, dynamodb_moves.resent(lease, event, via, paid=True))

    def _resend(self, lease: Lease, move: Move, payment: Sequence[Write] = ()) -> bool:
        """Whether it was allowed: what the lease and the event do not forbid, only the payment can."""
        try:
            self._commit(lease, [move], payment)
        except Refused:
            return False
        return True

    def postpone(self, lease: Lease, event: Pending, due_at: int, *, refused: bool, notes: Sequence[Note] = ()) -> None:
        """See `Store.postpone`."""
        self._commit(lease, [dynamodb_moves.postponed(lease, event, due_at, refused, notes)])

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
        """See `Store.finish`. The bot's own message ids are kept for 30 days from the lease's end."""
        mark = stamp(lease, "finish", state)
        move = dynamodb_moves.finished(lease, event, state, mark, notes)
        keep = [put(sent_item(lease, event, chat, message_id)) for message_id in dict.fromkeys(sent)]
        others = [*keep, *add_counts(lease.conversation.bot, counts)]
        if not release:
            self._commit(lease, [move], others, mark)
            return lease
        try:
            self._table.transact([{"Update": give_back(lease)}, *flatten([move]), *others])
        except Refused as refused:
            if 0 not in refused.found:
                self._judge([move], refused, mark)
                return self.release(lease)
            still = _still_held(lease, refused.found[0])
            if still is not None:
                return self.finish(still, event, state, chat, sent, counts=counts, notes=notes)
            # Asked again for its response was lost, it finds the lease given back, by itself.
            if self._stamp(lease, event) != mark:
                raise lost(lease) from refused
        return None

    def record(self, bot: str, event_id: str, now: int) -> Record | None:
        """See `Store.record`."""
        event = self._table.get(event_key(bot, event_id))
        if event is None or int(event["received_at"]) <= now - EVENT_LIFE:
            return None
        return record_of(bot, event_id, event)

    # ---------------------------------------------------------------- messages and counters

    def unsend(self, bot: str, chat: Chat, message_id: str, now: int) -> None:
        """See `Store.unsend`. Not all or nothing: after a StoreError, ask again."""
        dynamodb_messages.unsend(self._table, bot, chat, message_id, now)

    def edit(self, lease: Lease, chat: Chat, message_id: str, at: int, message: Message) -> bool:
        """See `Store.edit`."""
        said = self._table.get(index_key(lease.conversation.bot, chat, message_id)) or {}
        if said.get("role") != "user" or said.get("conversation") != lease.conversation.id:
            self._commit(lease, [])
            return False
        keys = asked_keys(lease.conversation, str(said["event_id"]), int(said["at"]))
        return any(self._edit(lease, edit_message(key, at, message)) for key in keys)

    def _edit(self, lease: Lease, edit: Write) -> bool:
        """Whether the message is there."""
        try:
            self._commit(lease, [], [edit])
        except Refused as refused:
            return refused.found[1] is not None
        return True

    def conversation_of(self, bot: str, chat: Chat, message_id: str) -> Conversation | None:
        """See `Store.conversation_of`."""
        said = self._table.get(index_key(bot, chat, message_id)) or {}
        return Conversation(bot, str(said["conversation"])) if said.get("role") == "user" else None

    def said_by_bot(self, bot: str, chat: Chat, message_id: str) -> bool:
        """See `Store.said_by_bot`."""
        said = self._table.get(index_key(bot, chat, message_id)) or {}
        return said.get("role") == "assistant"

    def history(self, conversation: Conversation, limit: int, now: int, overheard: int = 0) -> Sequence[Message]:
        """See `Store.history`."""
        return dynamodb_history.history(self._table, conversation, limit, now, overheard)

    def clear(self, conversation: Conversation, until: int | None = None, user_id: str | None = None) -> None:
        """See `Store.clear`. Not all or nothing: after a StoreError, ask again."""
        dynamodb_history.clear(self._table, conversation, until, user_id)

    def forget(self, bot: str, user_id: str, now: int) -> int:
        """See `Store.forget`. Not all or nothing: after a StoreError, ask again."""
        return dynamodb_people.forget(self._table, bot, user_id, now)

    def disband(self, bot: str, chat: Chat, until: int) -> None:
        """See `Store.disband`. Not all or nothing: after a StoreError, ask again."""
        dynamodb_people.disband(self._table, bot, chat, until)

    def part(self, bot: str, chat: Chat, at: int) -> None:
        """See `Store.part`. Known for 400 days."""
        dynamodb_people.part(self._table, bot, chat, at)

    def parted_at(self, bot: str, chat: Chat) -> int | None:
        """See `Store.parted_at`."""
        return dynamodb_people.parted_at(self._table, bot, chat)

    def counted(self, bot: str, counters: Sequence[tuple[str, str]], now: int) -> Sequence[Mapping[str, int]]:
        """See `Store.counted`. One round trip."""
        keys = [counter_key(bot, counter, window) for counter, window in counters]
        found = self._table.get_all(keys) if keys else []
        amounts = {(item["pk"], item["sk"]): amounts_of(item) for item in found if int(item["expires_at"]) > now}
        return [amounts.get((key["pk"], key["sk"]), {}) for key in keys]

    def tally(self, bot: str, counter: str, first: str, last: str, now: int) -> Sequence[Count]:
        """See `Store.tally`."""
        items = self._table.between(counters_pk(bot, counter), WINDOWS + first, WINDOWS + last)
        return [count_of(counter, item) for item in items if int(item["expires_at"]) > now]

    # ---------------------------------------------------------------- how it is done

    def _commit(
        self, lease: Lease, moves: Sequence[Move], others: Sequence[Write] = (), mark: str | None = None
    ) -> None:
        """Write under a lease. `mark`: the stamp of a write that is made once, and that it leaves on the first event.

        Raises Refused where neither the lease nor an event is why.
        """
        try:
            self._table.transact([check_held(lease), *flatten(moves), *others])
        except Refused as refused:
            if 0 in refused.found:
                raise lost(lease) from refused
            self._judge(moves, refused, mark)

    def _judge(self, moves: Sequence[Move], refused: Refused, mark: str | None) -> None:
        """Pass where the very same write had been made before, and raise what stands against it where not."""
        found = refused.found.get(1) or {}
        if mark is None or found.get("stamp") != mark:
            judge(moves, refused.found)
            raise refused

    def _stamp(self, lease: Lease, event: Pending) -> object:
        return (self._table.get(event_key(lease.conversation.bot, event.event_id)) or {}).get("stamp")


def _still_held(lease: Lease, meta: Fields | None) -> Lease | None:
    """The lease with the new count of arrivals, where it has not passed on."""
    if meta and meta.get("fence") == lease.fence and meta.get("owner") == lease.owner:
        return replace(lease, inbox_seq=int(meta["inbox_seq"]))
    return None
