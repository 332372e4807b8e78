"""Where words are to be found in the DynamoDB table: those of a person in groups, and those of a chat's people."""

from collections.abc import Iterable
from typing import Final

from botkit.messages import Chat
from botkit.ports import Arrival, Conversation, Memory
from botkit.stores.dynamodb_items import chat_pk, escape, person_pk, seconds, unescape
from botkit.stores.dynamodb_table import Fields
from botkit.stores.values import DAY, EVENT_LIFE, chat_of, shared_conversation

PLACES: Final = "C#"


def places_of_memories(conversation: Conversation, memories: Iterable[Memory]) -> list[Fields]:
    """By which it is found where the words of these memories are: by whose they are, and by their chat."""
    places: dict[tuple[object, object], Fields] = {}
    for one in sorted(memories, key=lambda one: one.expires_at):
        by_person = _by_person(conversation, one.user_id, one.at, one.expires_at)
        for item in [*by_person, *_by_chat(conversation, one.at, one.expires_at)]:
            places[item["pk"], item["sk"]] = item
    return list(places.values())


def places_of_arrival(arrival: Arrival) -> list[Fields]:
    """By which it is found, as long as an event waits, where it does: by whose it is.

    Not by its chat, which would be one more write for each event of a group: there it is found by the index of
    the chat's messages. An event without a message is found once anything is remembered of its conversation.
    """
    at = arrival.received_at
    return _by_person(arrival.conversation, arrival.user_id, at, at + EVENT_LIFE)


def conversation_at(bot: str, place: Fields) -> Conversation:
    """The conversation that is found by a place."""
    _, conversation, _ = str(place["sk"]).split("#")
    return Conversation(bot, unescape(conversation))


def _by_person(conversation: Conversation, user_id: str | None, at: int, expires_at: int) -> list[Fields]:
    """By which it is found where a person's words of `at` are, until they expire; nothing for their 1:1 chat."""
    if user_id is None or conversation.id == shared_conversation(Chat("user", user_id)):
        return []
    return [_place(person_pk(conversation.bot, user_id), conversation, at, expires_at)]


def _by_chat(conversation: Conversation, at: int, expires_at: int) -> list[Fields]:
    """By which one person's conversation is found among those of its chat; nothing for any other."""
    if conversation.id.count(":") < 2:
        return []
    return [_place(chat_pk(conversation.bot, chat_of(conversation.id)), conversation, at, expires_at)]


def _place(pk: str, conversation: Conversation, at: int, expires_at: int) -> Fields:
    days = -(-(expires_at - at) // DAY)
    # The last put decides, and may be of what was said earlier: as much earlier as an event can wait.
    ttl = seconds(expires_at + EVENT_LIFE + DAY)
    return {"pk": pk, "sk": f"{PLACES}{escape(conversation.id)}#{days}", "ttl": ttl}
