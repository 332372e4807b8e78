"""How all that a person or a chat has said is forgotten in the DynamoDB table, and the chats that the bot has left."""

from collections.abc import Sequence

from botkit.messages import Chat
from botkit.ports import Conversation
from botkit.stores.dynamodb_history import clear, delete, stored
from botkit.stores.dynamodb_items import (
    LAST,
    PENDING,
    chat_item_key,
    chat_pk,
    conversation_pk,
    parted_fields,
    pending_of,
    person_pk,
)
from botkit.stores.dynamodb_messages import take_back_message
from botkit.stores.dynamodb_places import PLACES, conversation_at
from botkit.stores.dynamodb_table import Fields, Refused, Table
from botkit.stores.dynamodb_writes import change
from botkit.stores.values import chat_key, shared_conversation, turns_in

IS_NEWS = "attribute_not_exists(#pk) OR #at < :at OR (#at = :at AND #gone = :one)"


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
    pk = conversation_pk(conversation)
    waiting = [pending_of(item) for item in table.between(pk, PENDING, PENDING + LAST)]
    unsaid = {
        key["sk"]
        for one in waiting
        if all_theirs or one.user_id == user_id
        for turn in turns_in(one)
        for key in take_back_message(table, conversation, one.event_id, one.at, turn)
    }
    items = list(stored(table, conversation))
    theirs = [item for item in items if all_theirs or item.get("user_id") == user_id or item["sk"] in unsaid]
    delete(table, theirs)
    return theirs


def disband(table: Table, bot: str, chat: Chat, until: int) -> None:
    """See `Store.disband`. Not all or nothing: after a StoreError, ask again."""
    shared = Conversation(bot, shared_conversation(chat))
    for conversation in [shared, *_found_by(table, bot, chat_pk(bot, chat_key(chat)))]:
        clear(table, conversation, until)


def _found_by(table: Table, bot: str, pk: str) -> list[Conversation]:
    places = table.between(pk, PLACES, PLACES + LAST)
    return list(dict.fromkeys(conversation_at(bot, place) for place in places))


def part(table: Table, bot: str, chat: Chat, at: int, *, gone: bool) -> None:
    """See `Store.part`. Known for 400 days; of what happened in one moment, that the bot can speak wins."""
    try:
        table.update(change(chat_item_key(bot, chat), IS_NEWS, {"one": 1}, sets=parted_fields(at, gone=gone)))
    except Refused:
        return


def is_gone(table: Table, bot: str, chat: Chat) -> bool:
    """See `Store.is_gone`."""
    known = table.get(chat_item_key(bot, chat)) or {}
    return bool(known.get("gone"))
