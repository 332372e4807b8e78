"""What reaches the DynamoDB table without a lease: events that arrive, and messages that people take back."""

from typing import Final

from botkit.errors import StoreError
from botkit.messages import Chat
from botkit.ports import Acceptance, Arrival, Conversation, Pending
from botkit.stores.dynamodb_items import (
    answer_fields,
    asked_keys,
    event_item,
    event_key,
    index_key,
    pending_item,
    pending_key,
    pending_of,
    said_keys,
    seconds,
    state_of,
)
from botkit.stores.dynamodb_moves import OPEN, at_revision, in_state
from botkit.stores.dynamodb_places import places_of_arrival
from botkit.stores.dynamodb_table import Fields, Refused, Table
from botkit.stores.dynamodb_writes import EXISTS, Write, change, conditional, count_arrival, put, put_where
from botkit.stores.values import EVENT_LIFE, is_certainly_unseen, take_back

IS_NEW: Final = "attribute_not_exists(#pk) OR #received_at <= :expired"

# A later event of the same message, such as an edit, does not change where it is.
KEEP_PLACE: Final = (
    "SET #role = if_not_exists(#role, :role), #conversation = if_not_exists(#conversation, :conversation), "
    "#event_id = if_not_exists(#event_id, :event_id), #at = if_not_exists(#at, :at), "
    "#expires_at = :expires_at, #ttl = :ttl REMOVE #unsent"
)
IS_NOT_UNSENT: Final = "attribute_not_exists(#unsent) OR #expires_at <= :now"
MARK_UNSENT: Final = "SET #unsent = :one, #expires_at = :expires_at, #ttl = :ttl"
IS_A_PERSONS: Final = "attribute_not_exists(#role) OR #role = :user"

CERTAINLY_UNSEEN: Final = "(#state IN (:received, :undelivered) OR #state = :sending AND #sends = :none)"
_ALL: Final = ("body", "answer", "owners", "retry_key")
"""What an event in the inbox holds of what was said."""
_TRIES: Final = 10
"""How often an answer is read again that was changed before something could be taken out of it."""


# ---------------------------------------------------------------- arrivals


def accept(table: Table, arrival: Arrival) -> Acceptance:
    """See `Store.accept`. One round trip for a new event and for a duplicate, two to renew."""
    event = put_where(event_item(arrival), IS_NEW, _expired(arrival))
    index = [_keep_place(arrival, arrival.message_id)] if arrival.message_id is not None else []
    places = map(put, places_of_arrival(arrival))
    try:
        table.transact([event, put(pending_item(arrival)), count_arrival(arrival), *index, *places])
    except Refused as refused:
        if 0 in refused.found:
            return _accept_known(table, arrival, refused.found[0])
        return _accept_unsent(table, arrival)
    return Acceptance.NEW


def _accept_known(table: Table, arrival: Arrival, found: Fields | None) -> Acceptance:
    if found is None:  # DynamoDB shows the item that was in the way; without it nothing can be said
        raise StoreError(f"DynamoDB does not show the event {arrival.event_id}", retryable=True)
    if state_of(found) not in OPEN:
        return Acceptance.FINISHED
    if not arrival.renews or int(found["received_at"]) >= arrival.received_at:
        return Acceptance.PENDING
    try:
        table.transact(_renewal(arrival, found))
    except Refused as refused:  # finished or renewed by somebody else since we looked
        if 0 in refused.found:
            return _accept_known(table, arrival, refused.found[0])
    return Acceptance.PENDING


def _renewal(arrival: Arrival, event: Fields) -> list[Write]:
    """Where the event waits is its own affair: the arrival may come from elsewhere."""
    sets: Fields = {"received_at": arrival.received_at, "ttl": seconds(arrival.received_at + EVENT_LIFE)}
    is_open, states = in_state(*OPEN)
    conversation = Conversation(arrival.conversation.bot, str(event["conversation"]))
    waiting = pending_key(conversation, arrival.event_id, int(event["at"]))
    known = event_key(conversation.bot, arrival.event_id)
    return [
        {"Update": change(known, f"{is_open} AND #received_at < :received_at", states, sets=sets)},
        {"Update": change(waiting, EXISTS, {}, sets=sets)},
    ]


def _accept_unsent(table: Table, arrival: Arrival) -> Acceptance:
    """The message was unsent before it came: all that is kept of it is that it is done."""
    done = {**event_item(arrival), "state": "DONE", "lead": arrival.event_id, "lead_at": arrival.at}
    try:
        table.transact([put_where(done, IS_NEW, _expired(arrival))])
    except Refused as refused:
        return _accept_known(table, arrival, refused.found[0])
    return Acceptance.FINISHED


def _expired(arrival: Arrival) -> Fields:
    return {"expired": arrival.received_at - EVENT_LIFE}


def _keep_place(arrival: Arrival, message_id: str) -> Write:
    values: Fields = {
        "role": "user",
        "conversation": arrival.conversation.id,
        "event_id": arrival.event_id,
        "at": arrival.at,
        "now": arrival.received_at,
        **_expiry(arrival.received_at),
    }
    key = index_key(arrival.conversation.bot, arrival.chat, message_id)
    return {"Update": conditional(key, KEEP_PLACE, IS_NOT_UNSENT, values)}


def _expiry(now: int) -> Fields:
    return {"expires_at": now + EVENT_LIFE, "ttl": seconds(now + EVENT_LIFE)}


# ---------------------------------------------------------------- messages taken back


def unsend(table: Table, bot: str, chat: Chat, message_id: str, now: int) -> None:
    """See `Store.unsend`. Not all or nothing, but in an order that lets no race bring a text back.

    First the mark, which keeps the message out where it has yet to come; then the event, whose answer
    cannot be committed from then on; the history last, when nothing can be added to it any more.
    """
    values: Fields = {"one": 1, "user": "user", **_expiry(now)}
    try:
        said = table.update(conditional(index_key(bot, chat, message_id), MARK_UNSENT, IS_A_PERSONS, values))
    except Refused:
        return
    if "event_id" not in said:
        return
    conversation = Conversation(bot, str(said["conversation"]))
    table.delete(take_back_message(table, conversation, str(said["event_id"]), int(said["at"])))


def take_back_message(
    table: Table, conversation: Conversation, event_id: str, at: int, turn: str | None = None
) -> list[Fields]:
    """Take back what nobody can have seen: the event, or of its answer what another `turn` had made that was joined.

    Returns the keys of what must leave the history then, where it is there.
    """
    if turn is not None and turn != event_id:
        return _take_back(table, conversation, event_id, at, turn)
    return [*asked_keys(conversation, event_id, at), *_take_back(table, conversation, event_id, at, event_id)]


def _take_back(table: Table, conversation: Conversation, waits: str, waits_at: int, event_id: str) -> list[Fields]:
    """Take what answers an event out of what waits; the keys of what the bot has never said then."""
    turn = event_id
    while not _take_out(table, pending_key(conversation, waits, waits_at), event_id, turn):
        event = table.get(event_key(conversation.bot, waits)) or {}
        if waits == event_id:
            turn = str(event.get("turn", event_id))
        if event.get("lead", waits) == waits:
            return []
        waits, waits_at = str(event["lead"]), int(event["lead_at"])
    return said_keys(conversation, table.get(event_key(conversation.bot, turn)) or {})


def _take_out(table: Table, key: Fields, event_id: str, turn: str) -> bool:
    """Whether something waits there that nobody can have seen; then nothing of `turn` is in it any more."""
    for _ in range(_TRIES):
        item = table.get(key)
        if item is None or not is_certainly_unseen(before := pending_of(item)):
            return False
        after = take_back(before, event_id, turn)
        if after == before or _write_taken(table, item, after):
            return True
    raise StoreError(f"event {event_id}: its answer changes too often to be taken back", retryable=True)


def _write_taken(table: Table, item: Fields, after: Pending) -> bool:
    """Whether it could be written: what waits must be as it was read, and still certainly unseen."""
    same_revision, revision = at_revision(pending_of(item))
    same_answer = "#answer = :as_fixed" if "answer" in item else "attribute_not_exists(#answer)"
    fixed: Fields = {"as_fixed": item["answer"]} if "answer" in item else {}
    states: Fields = {"received": "RECEIVED", "undelivered": "UNDELIVERED", "sending": "SENDING", "none": 0}
    left: Fields = {"unsent": 1} if after.answer is None else answer_fields(after.answer)
    gone = _ALL if after.answer is None else () if after.body else ("body",)
    taken = change(
        {"pk": item["pk"], "sk": item["sk"]},
        f"{CERTAINLY_UNSEEN} AND {same_answer} AND {same_revision}",
        {**states, **fixed, **revision},
        sets={"revision": after.revision, **left},
        removes=gone,
    )
    try:
        table.update(taken)
    except Refused:
        return False
    return True
