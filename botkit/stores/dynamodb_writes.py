"""Writes to the DynamoDB table in DynamoDB's own words, and those that are not about one event."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from botkit.messages import Message
from botkit.ports import Arrival, Budget, Count, Lease
from botkit.stores.dynamodb_items import AMOUNT, counter_key, meta_key, seconds
from botkit.stores.dynamodb_table import Fields, expressions, to_wire
from botkit.stores.values import CONVERSATION_LIFE, NOT_COUNTED

Write = Mapping[str, Any]
"""One write of a transaction: its kind, and what it asks."""

EXISTS: Final = "attribute_exists(#pk)"

_HELD: Final = "#fence = :held_fence AND #owner = :held_owner"
_IS_FREE: Final = "attribute_not_exists(#owner) OR #owner = :owner OR #lease_until < :now"
_TAKE_LEASE: Final = "SET #owner = :owner, #lease_until = :until, #ttl = :ttl ADD #fence :one, #inbox_seq :zero"


def put(item: Fields) -> Write:
    """Put an item, whatever is there."""
    return {"Put": {"Item": to_wire(item)}}


def put_where(item: Fields, condition: str, values: Fields) -> Write:
    """Put an item where what is there fulfils `condition`; a refusal shows what is there."""
    return {"Put": {"Item": to_wire(item), **_where(condition, values)}}


def delete_where(key: Fields, condition: str, values: Fields) -> Write:
    """Delete an item that fulfils `condition`; a refusal shows the item."""
    return {"Delete": {"Key": to_wire(key), **_where(condition, values)}}


def conditional(key: Fields, update: str, condition: str, values: Fields) -> dict[str, Any]:
    """An update of an item that fulfils `condition`; a refusal shows the item."""
    return {"Key": to_wire(key), **_where(condition, values, UpdateExpression=update)}


def change(
    key: Fields,
    condition: str,
    values: Fields,
    *,
    sets: Fields | None = None,
    adds: Fields | None = None,
    removes: Sequence[str] = (),
) -> dict[str, Any]:
    """An update that sets attributes, adds to them and removes them."""
    sets, adds = sets or {}, adds or {}
    parts = {
        "SET": [f"#{name} = :{name}" for name in sets],
        "ADD": [f"#{name} :more_{name}" for name in adds],
        "REMOVE": [f"#{name}" for name in removes],
    }
    update = " ".join(f"{clause} {', '.join(part)}" for clause, part in parts.items() if part)
    more = {f"more_{name}": amount for name, amount in adds.items()}
    return conditional(key, update, condition, {**values, **sets, **more})


def _where(condition: str, values: Fields, **texts: str) -> dict[str, Any]:
    asked = expressions(values, ConditionExpression=condition, **texts)
    return {"ReturnValuesOnConditionCheckFailure": "ALL_OLD", **asked}


# ---------------------------------------------------------------- the conversation


def count_arrival(arrival: Arrival) -> Write:
    """Count an event that comes into a conversation."""
    values: Fields = {"ttl": seconds(arrival.received_at + CONVERSATION_LIFE), "one": 1}
    key = to_wire(meta_key(arrival.conversation))
    return {"Update": {"Key": key, **expressions(values, UpdateExpression="SET #ttl = :ttl ADD #inbox_seq :one")}}


def take(lease: Lease, now: int) -> dict[str, Any]:
    """Take a lease that nobody else holds."""
    values: Fields = {
        "owner": lease.owner,
        "until": lease.until,
        "now": now,
        "ttl": seconds(now + CONVERSATION_LIFE),
        "zero": 0,
        "one": 1,
    }
    return conditional(meta_key(lease.conversation), _TAKE_LEASE, _IS_FREE, values)


def check_held(lease: Lease) -> Write:
    """The check that a lease has not passed on."""
    asked = expressions(_holder(lease), ConditionExpression=_HELD)
    return {"ConditionCheck": {"Key": to_wire(meta_key(lease.conversation)), **asked}}


def give_back(lease: Lease) -> dict[str, Any]:
    """Give a lease back, unless events have come since its holder looked."""
    values = {**_holder(lease), "seen": lease.inbox_seq}
    condition = f"{_HELD} AND #inbox_seq = :seen"
    return conditional(meta_key(lease.conversation), "REMOVE #owner, #lease_until", condition, values)


def _holder(lease: Lease) -> Fields:
    return {"held_fence": lease.fence, "held_owner": lease.owner}


# ---------------------------------------------------------------- the history

_IS_OLDER: Final = "attribute_exists(#pk) AND (attribute_not_exists(#edited_at) OR #edited_at < :edited_at)"


def edit_message(key: Fields, at: int, message: Message) -> Write:
    """Replace text and tokens of a message that is there and was not edited at `at` or later."""
    sets: Fields = {"text": message.text, "tokens": message.tokens or NOT_COUNTED, "edited_at": at}
    return {"Update": change(key, _IS_OLDER, {}, sets=sets)}


# ---------------------------------------------------------------- counters


def add_counts(bot: str, counts: Iterable[Count]) -> list[Write]:
    """Add to counters; a transaction takes one write of each."""
    merged: dict[tuple[str, str], Count] = {}
    for count in counts:
        key = count.counter, count.window
        merged[key] = _sum(merged[key], count) if key in merged else count
    return [{"Update": _add(bot, count)} for count in merged.values() if count.amounts]


def charge(bot: str, budget: Budget) -> list[Write]:
    """Add to a counter what a push costs, unless an amount would come to exceed the limit."""
    if not budget.count.amounts:
        return []
    rooms = [budget.limit - amount for amount in budget.count.amounts.values()]
    condition = " AND ".join(f"(attribute_not_exists(#n{n}) OR #n{n} <= :room{n})" for n in range(len(rooms)))
    return [{"Update": _add(bot, budget.count, condition, {f"room{n}": room for n, room in enumerate(rooms)})}]


def _sum(one: Count, other: Count) -> Count:
    names = dict.fromkeys([*one.amounts, *other.amounts])
    amounts = {name: one.amounts.get(name, 0) + other.amounts.get(name, 0) for name in names}
    return Count(one.counter, one.window, amounts, max(one.expires_at, other.expires_at))


def _add(bot: str, count: Count, condition: str | None = None, rooms: Fields | None = None) -> dict[str, Any]:
    # What is counted has names of any kind, so they are numbered in the expression.
    added = ", ".join(f"#n{n} :n{n}" for n in range(len(count.amounts)))
    values: dict[str, int] = {f"n{n}": amount for n, amount in enumerate(count.amounts.values())}
    texts = {"UpdateExpression": f"SET #expires_at = :expires_at, #ttl = :ttl ADD {added}"}
    asked = expressions(
        {"expires_at": count.expires_at, "ttl": seconds(count.expires_at), **values, **(rooms or {})},
        {f"n{n}": AMOUNT + name for n, name in enumerate(count.amounts)},
        **texts | ({"ConditionExpression": condition} if condition else {}),
    )
    return {"Key": to_wire(counter_key(bot, count.counter, count.window)), **asked}
