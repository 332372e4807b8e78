"""The store in one DynamoDB table, for the deployed bots."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from botkit.errors import StoreError
from botkit.messages import Chat, Message
from botkit.ports import Acceptance, Answer, Arrival, Conversation, Final, Lease, Memory, Pending, Usage, Via
from botkit.stores.dynamodb_items import (
    DUE,
    DUE_INDEX,
    HELD,
    MESSAGES,
    POINTERS,
    change,
    check_held,
    conditional,
    conversation_of,
    conversation_pk,
    delete,
    event_item,
    event_key,
    event_of,
    mark_of,
    message_item,
    message_of,
    meta_key,
    pending_of,
    pointer_item,
    pointer_key,
    put,
    seconds,
    sent_item,
    sent_key,
    usage_fields,
)
from botkit.stores.dynamodb_table import READ_BATCH, Fields, Refused, Table, connect, expressions, to_wire, translated
from botkit.stores.values import CONVERSATION_LIFE, EVENT_LIFE, PENDING_LIMIT, Mark, confirm, dump_answer, lost

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OPEN = frozenset({"RECEIVED", "SENDING"})
IS_OPEN = "#state IN (:received, :sending)"
OPEN_VALUES: Fields = {"received": "RECEIVED", "sending": "SENDING"}

IS_NEW = "attribute_not_exists(#pk) OR #received_at <= :expired"
IS_FREE = "attribute_not_exists(#owner) OR #owner = :owner OR #lease_until < :now"
COUNT_ARRIVAL = "SET #ttl = :ttl ADD #inbox_seq :one"
TAKE_LEASE = (
    "SET #owner = :owner, #lease_until = :until, #ttl = :ttl, #inbox_seq = if_not_exists(#inbox_seq, :zero) "
    "ADD #fence :one"
)

KNOWN_TIMES = 1000
"""How many events a store knows the time of without asking."""


class DynamoStore:
    """The store in the DynamoDB table `table`; lives as long as the process, shared by all its threads.

    A `client` given stays the caller's to close. Every method raises StoreError where AWS fails.
    """

    def __init__(self, table: str, client: "DynamoDBClient | None" = None) -> None:
        self._client = client or connect()
        self._owns_client = client is None
        self._table = Table(table, self._client)
        self._times: dict[tuple[Conversation, str], int] = {}

    def close(self) -> None:
        """Close the connections, where the store opened them."""
        if self._owns_client:
            self._client.close()

    def accept(self, arrival: Arrival) -> Acceptance:
        """See `Store.accept`. One round trip for a new event and for a duplicate, two to renew."""
        values: Fields = {"expired": arrival.received_at - EVENT_LIFE}
        condition = expressions(values, ConditionExpression=IS_NEW)
        event = {"Item": to_wire(event_item(arrival)), "ReturnValuesOnConditionCheckFailure": "ALL_OLD", **condition}
        try:
            self._table.transact([{"Put": event}, put(pointer_item(arrival)), _count_arrival(arrival)])
        except Refused as refused:
            return self._accept_known(arrival, refused.found[0])
        return Acceptance.NEW

    def _accept_known(self, arrival: Arrival, found: Fields | None) -> Acceptance:
        if found is None:  # DynamoDB shows the item that was in the way; without it nothing can be said
            raise StoreError(f"DynamoDB does not show the event {arrival.event_id}", retryable=True)
        if found["state"] not in OPEN:
            return Acceptance.FINISHED
        if not arrival.renews or int(found["received_at"]) >= arrival.received_at:
            return Acceptance.PENDING
        sets: Fields = {"received_at": arrival.received_at, "ttl": seconds(arrival.received_at + EVENT_LIFE)}
        key = event_key(arrival.conversation, arrival.event_id)
        try:
            self._table.update(change(key, f"{IS_OPEN} AND #received_at < :received_at", OPEN_VALUES, sets))
        except Refused as refused:  # finished or renewed by somebody else since we looked
            return self._accept_known(arrival, refused.found[0])
        return Acceptance.PENDING

    def lease(self, conversation: Conversation, owner: str, now: int, until: int) -> Lease | None:
        """See `Store.lease`. Its owner may take it again, so a retry after a lost response succeeds."""
        values: Fields = {
            "owner": owner,
            "now": now,
            "until": until,
            "ttl": seconds(now + CONVERSATION_LIFE),
            "zero": 0,
            "one": 1,
        }
        try:
            meta = self._table.update(conditional(meta_key(conversation), TAKE_LEASE, IS_FREE, values))
        except Refused:
            return None
        return Lease(conversation, owner, int(meta["fence"]), until, int(meta["inbox_seq"]))

    def pending(self, lease: Lease) -> Sequence[Pending]:
        """See `Store.pending`. Events that expire before the lease ends are left out."""
        found = list(islice(self._unfinished(lease), PENDING_LIMIT))
        for event in found:
            self._learn_time(lease.conversation, event.event_id, event.at)
        return found

    def _unfinished(self, lease: Lease) -> Iterator[Pending]:
        pointers = self._partition(lease.conversation, POINTERS, Limit=READ_BATCH)
        while batch := list(islice(pointers, READ_BATCH)):
            keys = {key["sk"]: key for key in map(event_of, batch)}
            events = {event["sk"]: event for event in self._table.read(list(keys.values()))}
            for event in (events[sk] for sk in keys if sk in events):
                if event["state"] in OPEN and int(event["received_at"]) > lease.until - EVENT_LIFE:
                    yield pending_of(event)

    def attempt(self, lease: Lease, event_id: str) -> None:
        """See `Store.attempt`."""
        key = event_key(lease.conversation, event_id)
        count = conditional(key, "ADD #attempts :one", IS_OPEN, {**OPEN_VALUES, "one": 1})
        postpone = change(self._pointer(lease, event_id), "attribute_exists(#pk)", {}, {"due_at": lease.until})
        self._write(lease, event_id, [{"Update": count}, {"Update": postpone}])

    def answer(
        self,
        lease: Lease,
        event_id: str,
        answer: Answer | None,
        memories: Sequence[Memory] = (),
        usage: Usage | None = None,
    ) -> None:
        """See `Store.answer`. A transaction takes 100 items, which leaves room for 97 memories."""
        key = event_key(lease.conversation, event_id)
        items = {item["sk"]: item for item in (message_item(lease.conversation, memory) for memory in memories)}
        remember = [put(item) for item in items.values()]
        received: Fields = {"received": "RECEIVED"}
        sets: Fields = {"fence": lease.fence, **usage_fields(usage)}
        if answer is None:
            done = change(key, "#state = :received", received, {**sets, "state": "DONE"}, ["body"])
            leave = delete(self._pointer(lease, event_id))
            self._write(lease, event_id, [{"Update": done}, leave, *remember], Mark("DONE", lease.fence))
            return
        text = dump_answer(answer)
        sets = {**sets, "state": "SENDING", "sends": 1, "answer": text, "retry_key": answer.retry_key}
        fix = change(key, "#state = :received", received, sets)
        self._write(lease, event_id, [{"Update": fix}, *remember], Mark("SENDING", lease.fence, text))

    def resend(self, lease: Lease, event_id: str, via: Via) -> None:
        """See `Store.resend`."""
        key = event_key(lease.conversation, event_id)
        values: Fields = {"sending": "SENDING", "one": 1, "via": via}
        count = conditional(key, "SET #via = :via ADD #sends :one", "#state = :sending", values)
        self._write(lease, event_id, [{"Update": count}])

    def postpone(self, lease: Lease, event_id: str, due_at: int, *, unsent: bool) -> None:
        """See `Store.postpone`."""
        key = event_key(lease.conversation, event_id)
        sends = ("SET #sends = :zero", {"zero": 0}) if unsent else ("SET #sends = #sends", {})
        still = conditional(key, sends[0], IS_OPEN, {**OPEN_VALUES, **sends[1]})
        later = change(self._pointer(lease, event_id), "attribute_exists(#pk)", {}, {"due_at": due_at})
        self._write(lease, event_id, [{"Update": still}, {"Update": later}])

    def finish(self, lease: Lease, event_id: str, state: Final, chat: Chat, sent: Sequence[str] = ()) -> None:
        """See `Store.finish`. The bot's own message ids are kept for 30 days from the lease's end."""
        key = event_key(lease.conversation, event_id)
        dropped = ["body", "answer"] if state == "DONE" else ["body"]
        sets: Fields = {"state": state, "fence": lease.fence}
        end = change(key, "#state = :sending", {"sending": "SENDING"}, sets, dropped)
        keep = [put(sent_item(lease, chat, message_id)) for message_id in dict.fromkeys(sent)]
        leave = delete(self._pointer(lease, event_id))
        self._write(lease, event_id, [{"Update": end}, leave, *keep], Mark(state, lease.fence))

    def release(self, lease: Lease) -> Lease | None:
        """See `Store.release`."""
        values: Fields = {"held_fence": lease.fence, "held_owner": lease.owner, "seen": lease.inbox_seq}
        condition = f"{HELD} AND #inbox_seq = :seen"
        key = meta_key(lease.conversation)
        try:
            self._table.update(conditional(key, "REMOVE #owner, #lease_until", condition, values))
        except Refused as refused:
            meta = refused.found[0] or {}
            if meta.get("fence") == lease.fence and meta.get("owner") == lease.owner:
                return replace(lease, inbox_seq=int(meta["inbox_seq"]))
        return None

    def overdue(self, now: int, limit: int, bots: Collection[str]) -> Sequence[Conversation]:
        """See `Store.overdue`. The index follows the table within a second or so: the next sweep sees the rest."""
        return list(islice((one for one in self._due(now) if one.bot in bots), limit))

    def _due(self, now: int) -> Iterator[Conversation]:
        asked = expressions(
            {"due": DUE, "now": now, "now_seconds": seconds(now)},
            KeyConditionExpression="#due_pk = :due AND #due_at <= :now",
            FilterExpression="#ttl > :now_seconds",
        )
        seen = set()
        for pointer in self._table.query(IndexName=DUE_INDEX, **asked):
            conversation = conversation_of(str(pointer["pk"]))
            if conversation not in seen:
                seen.add(conversation)
                yield conversation

    def history(self, conversation: Conversation, limit: int, now: int) -> Sequence[Message]:
        """See `Store.history`. Messages that expired but are still there cost pages, not places."""
        filtered = {"FilterExpression": "#expires_at > :now"}
        newest = self._partition(
            conversation, MESSAGES, {"now": now}, filtered, ScanIndexForward=False, Limit=max(limit, 1)
        )
        return [message_of(item) for item in islice(newest, limit)][::-1]

    def clear(self, conversation: Conversation) -> None:
        """See `Store.clear`. Not all or nothing: after a StoreError, ask again."""
        keys = {"ProjectionExpression": "#pk, #sk"}
        self._table.delete(list(self._partition(conversation, MESSAGES, {}, keys)))

    def said_by_bot(self, bot: str, chat: Chat, message_id: str) -> bool:
        """See `Store.said_by_bot`."""
        found = self._table.get(sent_key(bot, chat, message_id))
        return found is not None and found["role"] == "assistant"

    def _write(
        self, lease: Lease, event_id: str, writes: Sequence[Mapping[str, Any]], asked: Mark | None = None
    ) -> None:
        """Write under a lease; the first of `writes` is the event's. `asked`: the mark of a write that is made once."""
        try:
            self._table.transact([check_held(lease), *writes])
        except Refused as refused:
            if 0 in refused.found:
                raise lost(lease) from refused
            found = refused.found.get(1)
            confirm(event_id, mark_of(found) if found else None, asked)

    def _partition(
        self,
        conversation: Conversation,
        prefix: str,
        values: Fields | None = None,
        texts: Mapping[str, str] | None = None,
        **asked: Any,
    ) -> Iterator[Fields]:
        """The items of a conversation whose sort key starts with `prefix`, strongly consistent."""
        worded = expressions(
            {"pk": conversation_pk(conversation), "prefix": prefix, **(values or {})},
            KeyConditionExpression="#pk = :pk AND begins_with(#sk, :prefix)",
            **(texts or {}),
        )
        return self._table.query(ConsistentRead=True, **worded, **asked)

    def _pointer(self, lease: Lease, event_id: str) -> Fields:
        # A pointer's key holds the event's time, which never changes; `pending` has usually told it.
        at = self._times.get((lease.conversation, event_id))
        if at is None and (event := self._table.get(event_key(lease.conversation, event_id))):
            at = int(event["at"])
            self._learn_time(lease.conversation, event_id, at)
        # Of an event that is not there no pointer is either; the transaction is what says so.
        return pointer_key(lease.conversation, event_id, at or 0)

    def _learn_time(self, conversation: Conversation, event_id: str, at: int) -> None:
        if len(self._times) >= KNOWN_TIMES:
            self._times.clear()
        self._times[conversation, event_id] = at


def create_table(table: str, client: "DynamoDBClient") -> None:
    """Create the table as the deployment does, for local set-ups and tests; returns when it can be used.

    On-demand billing, the sparse index that the sweep reads, and TTL on `ttl`. Raises StoreError.
    """
    with translated(table):
        client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
                {"AttributeName": "due_pk", "AttributeType": "S"},
                {"AttributeName": "due_at", "AttributeType": "N"},
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": DUE_INDEX,
                    "KeySchema": [
                        {"AttributeName": "due_pk", "KeyType": "HASH"},
                        {"AttributeName": "due_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["ttl"]},
                }
            ],
        )
        client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        client.update_time_to_live(TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})


def _count_arrival(arrival: Arrival) -> dict[str, Any]:
    values: Fields = {"ttl": seconds(arrival.received_at + CONVERSATION_LIFE), "one": 1}
    key = to_wire(meta_key(arrival.conversation))
    return {"Update": {"Key": key, **expressions(values, UpdateExpression=COUNT_ARRIVAL)}}
