"""How all that a person or a chat has said is forgotten in the DynamoDB table, and the chats that the bot has left."""

from collections.abc import Iterable, Sequence

from botkit.messages import Chat
from botkit.ports import Conversation, Pending
from botkit.stores.dynamodb_history import delete, stored
from botkit.stores.dynamodb_items import (
    INDEX,
    LAST,
    PENDING,
    chat_item_key,
    chat_pk,
    conversation_pk,
    event_key,
    parted_fields,
    pending_of,
    person_pk,
    said_at,
)
from botkit.stores.dynamodb_messages import take_back_message
from botkit.stores.dynamodb_places import PLACES, conversation_at
from botkit.stores.dynamodb_table import Fields, Refused, Table
from botkit.stores.dynamodb_writes import change
from botkit.stores.values import chat_key, shared_conversation, turns_in

IS_NEWS = "attribute_not_exists(#parted_at) OR #parted_at < :parted_at"


def forget(table: Table, bot: str, user_id: str, now: int) -> int:
    """See `Store.forget`. Not all or nothing: after a StoreError, ask again.

    In each conversation first what waits, so that nothing of it can be committed from then on; then the history,
    when nothing can be added to it any more. It counts the messages of histories that had not expired.
    """
    own = Conversation(bot, shared_conversation(Chat("user", user_id)))
    return sum(
        int(item["expires_at"]) > now
        for conversation in [own, *_found_by(table, bot, person_pk(bot, user_id))]
        for item in _forget_in(table, conversation, user_id, all_theirs=conversation == own)
    )


def _forget_in(table: Table, conversation: Conversation, user_id: str, *, all_theirs: bool) -> Sequence[Fields]:
    waiting = [one for one in _waiting(table, conversation) if all_theirs or one.user_id == user_id]
    unsaid = _take_back(table, conversation, [(one, turn) for one in waiting for turn in turns_in(one)])
    items = list(stored(table, conversation))
    theirs = [item for item in items if all_theirs or item.get("user_id") == user_id or item["sk"] in unsaid]
    delete(table, theirs)
    return theirs


def disband(table: Table, bot: str, chat: Chat, until: int) -> None:
    """See `Store.disband`. Not all or nothing: after a StoreError, ask again."""
    shared = Conversation(bot, shared_conversation(chat))
    for conversation in dict.fromkeys([shared, *_had_in(table, bot, chat)]):
        _disband_in(table, conversation, until)


def _had_in(table: Table, bot: str, chat: Chat) -> list[Conversation]:
    """One person's conversations in a chat, by what is remembered of them and by the messages that came."""
    if chat.kind == "user":
        return []
    pk = chat_pk(bot, chat_key(chat))
    named = (item.get("conversation") for item in table.between(pk, INDEX, INDEX + LAST))
    return [*_found_by(table, bot, pk), *(Conversation(bot, str(name)) for name in named if name is not None)]


def _found_by(table: Table, bot: str, pk: str) -> list[Conversation]:
    places = table.between(pk, PLACES, PLACES + LAST)
    return list(dict.fromkeys(conversation_at(bot, place) for place in places))


def _disband_in(table: Table, conversation: Conversation, until: int) -> None:
    waiting = _waiting(table, conversation)
    before = [
        (one, turn)
        for one in waiting
        for turn in turns_in(one)
        if _asked_at(table, conversation.bot, one, turn) < until
    ]
    unsaid = _take_back(table, conversation, before)
    delete(table, [item for item in stored(table, conversation) if said_at(item) <= until or item["sk"] in unsaid])


def _asked_at(table: Table, bot: str, waits: Pending, turn: str) -> int:
    """When the event of a turn happened that has a part in what waits."""
    if turn == waits.event_id:
        return waits.at
    event = table.get(event_key(bot, turn))
    return int(event["at"]) if event else 0  # forgotten, so it is long ago


def _waiting(table: Table, conversation: Conversation) -> list[Pending]:
    items = table.between(conversation_pk(conversation), PENDING, PENDING + LAST)
    return [pending_of(item) for item in items]


def _take_back(table: Table, conversation: Conversation, parts: Iterable[tuple[Pending, str]]) -> set[object]:
    """Take turns out of what waits; the sort keys of what must leave the history then."""
    return {
        key["sk"]
        for waits, turn in parts
        for key in take_back_message(table, conversation, waits.event_id, waits.at, turn)
    }


def part(table: Table, bot: str, chat: Chat, at: int) -> None:
    """See `Store.part`."""
    try:
        table.update(change(chat_item_key(bot, chat), IS_NEWS, {}, sets=parted_fields(at)))
    except Refused:
        return


def parted_at(table: Table, bot: str, chat: Chat) -> int | None:
    """See `Store.parted_at`."""
    known = table.get(chat_item_key(bot, chat)) or {}
    return int(known["parted_at"]) if "parted_at" in known else None
