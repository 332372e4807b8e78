"""The items of the DynamoDB table: their keys, what they hold, and values of the port made of them.

| item          | pk                          | sk                        | holds                                      |
|---------------|-----------------------------|---------------------------|--------------------------------------------|
| event         | B#bot#E#eventId             | EVENT                     | its state and its story, but no text       |
| pending event | B#bot#C#conversation        | P#at#eventId              | body and answer, until it is DONE          |
| conversation  | B#bot#C#conversation        | META                      | the lease, the count of arrivals           |
| message       | B#bot#C#conversation        | M#at#eventId#0 (asked), 1 | a message of the history                   |
| overheard one | B#bot#C#conversation        | H#at#eventId#0            | likewise                                   |
| message index | B#bot#G#kind:id of the chat | S#messageId               | whose it is, and where; or that it is gone |
| chat          | B#bot#G#kind:id of the chat | CHAT                      | when the bot was blocked or removed last   |
| place         | B#bot#G#kind:id of the chat | C#conversation#days       | one person's conversation in the chat      |
| place         | B#bot#U#user                | C#conversation#days       | where in a group this person has spoken    |
| counter       | B#bot#counter               | W#window                  | amounts                                    |

The event is the bot's own, so that it is known in whichever conversation it comes again. As M# < META <
P#, one query downwards reads what is pending and then the newest messages; what was overheard is below.

A place lives longer than what is to be found by it. What lives for other days has a place of its own, or what
expires early would shorten the life of a place that something else is still found by. No place is kept where
the id tells: of a person's 1:1 chat, of the conversation that a group shares.

Times are ms, in sort keys with 15 digits so that they sort as numbers; only `ttl` is in seconds, as
DynamoDB asks (Developer Guide: Time to Live). Ids are escaped in keys, so that no two keys meet.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from botkit.messages import Chat, Message, Role
from botkit.ports import Answer, Arrival, Conversation, Count, Lease, Memory, Note, Pending, Record, State, Via
from botkit.stores.dynamodb_table import Fields
from botkit.stores.values import (
    ANSWERED,
    ASKED,
    EVENT_LIFE,
    NOT_COUNTED,
    PARTED_LIFE,
    SENT_LIFE,
    chat_key,
    dump_answer,
    dump_notes,
    dump_owners,
    load_answer,
    load_notes,
    turn_order,
)

META: Final = "META"
PENDING: Final = "P#"
MESSAGES: Final = "M#"
OVERHEARD: Final = "H#"
INDEX: Final = "S#"
LAST: Final = "~"
"""Sorts after everything that follows a prefix: a digit, or the id of a conversation."""

DUE_INDEX: Final = "due"
DUE: Final = "inbox"
"""The one partition of the index `due`. It takes 1000 writes a second, and an event costs four."""

WINDOWS: Final = "W#"
AMOUNT: Final = "n_"
NOTES: Final = "note_"
STORY: Final = ("notice", "SENDING", "postpone", "UNDELIVERED", "DONE")
"""The writes that add to an event's story, in the order in which one worker makes them."""

# ---------------------------------------------------------------- keys


def escape(text: str) -> str:
    """An id as a part of a key."""
    return text.replace("%", "%25").replace("#", "%23")


def unescape(part: str) -> str:
    """The reverse of `escape`."""
    return part.replace("%23", "#").replace("%25", "%")


def seconds(ms: int) -> int:
    """A time in ms as DynamoDB's TTL wants it; rounded up, so nothing goes early."""
    return -(-ms // 1000)


def conversation_pk(conversation: Conversation) -> str:
    """The partition that holds all of a conversation."""
    return f"B#{escape(conversation.bot)}#C#{escape(conversation.id)}"


def conversation_at(pk: str) -> Conversation:
    """The reverse of `conversation_pk`."""
    _, bot, _, conversation = pk.split("#")
    return Conversation(unescape(bot), unescape(conversation))


def meta_key(conversation: Conversation) -> Fields:
    """The key of the conversation's own item."""
    return {"pk": conversation_pk(conversation), "sk": META}


def event_key(bot: str, event_id: str) -> Fields:
    """The key of an event."""
    return {"pk": f"B#{escape(bot)}#E#{escape(event_id)}", "sk": "EVENT"}


def pending_key(conversation: Conversation, event_id: str, at: int) -> Fields:
    """The key of an event's place in the inbox."""
    return {"pk": conversation_pk(conversation), "sk": f"{PENDING}{at:015d}#{escape(event_id)}"}


def message_key(
    conversation: Conversation, event_id: str, at: int, order: int = ASKED, *, overheard: bool = False
) -> Fields:
    """The key of a message of the history."""
    prefix = OVERHEARD if overheard else MESSAGES
    return {"pk": conversation_pk(conversation), "sk": f"{prefix}{at:015d}#{escape(event_id)}#{order}"}


def asked_keys(conversation: Conversation, event_id: str, at: int) -> list[Fields]:
    """The keys under which what a person said by an event can be in the history: said to the bot, or overheard."""
    return [message_key(conversation, event_id, at, overheard=overheard) for overheard in (False, True)]


def place_in_time(item: Fields) -> str:
    """What messages sort by, overheard or not: time, event and speaker."""
    return str(item["sk"])[len(MESSAGES) :]


def chat_pk(bot: str, chat: str) -> str:
    """The partition of what is known of a chat, which is given by its `chat_key`."""
    return f"B#{escape(bot)}#G#{escape(chat)}"


def chat_item_key(bot: str, chat: Chat) -> Fields:
    """The key of a chat's own item."""
    return {"pk": chat_pk(bot, chat_key(chat)), "sk": "CHAT"}


def person_pk(bot: str, user_id: str) -> str:
    """The partition of what is known of a person. Counters of theirs may be there, too."""
    return f"B#{escape(bot)}#U#{escape(user_id)}"


def index_key(bot: str, chat: Chat, message_id: str) -> Fields:
    """The key under which a message is found by LINE's id of it."""
    return {"pk": chat_pk(bot, chat_key(chat)), "sk": f"{INDEX}{escape(message_id)}"}


def counters_pk(bot: str, counter: str) -> str:
    """The partition of a counter. Its name may hold anything: no other item has the sort key of one."""
    return f"B#{escape(bot)}#{counter}"


def counter_key(bot: str, counter: str, window: str) -> Fields:
    """The key of a counter in a window."""
    return {"pk": counters_pk(bot, counter), "sk": f"{WINDOWS}{window}"}


# ---------------------------------------------------------------- items


def event_item(arrival: Arrival) -> Fields:
    """An event as it comes in."""
    return {
        **event_key(arrival.conversation.bot, arrival.event_id),
        "ttl": seconds(arrival.received_at + EVENT_LIFE),
        "conversation": arrival.conversation.id,
        "state": "RECEIVED",
        "at": arrival.at,
        "received_at": arrival.received_at,
        "attempts": 0,
        "sends": 0,
    }


def pending_item(arrival: Arrival) -> Fields:
    """A new event's place in the inbox and, as long as it has one, in the index of what is due."""
    known = {"user_id": arrival.user_id, "message_id": arrival.message_id}
    return {
        **pending_key(arrival.conversation, arrival.event_id, arrival.at),
        "ttl": seconds(arrival.received_at + EVENT_LIFE),
        "due_pk": DUE,
        "due_at": arrival.due_at,
        "event_id": arrival.event_id,
        "state": "RECEIVED",
        "at": arrival.at,
        "received_at": arrival.received_at,
        "attempts": 0,
        "sends": 0,
        "body": arrival.body,
        **{name: value for name, value in known.items() if value is not None},
    }


def message_item(conversation: Conversation, memory: Memory) -> Fields:
    """A message of the history."""
    said = memory.message
    known = {"speaker": said.speaker, "user_id": memory.user_id}
    return {
        **message_key(conversation, memory.event_id, memory.at, turn_order(said), overheard=said.overheard),
        "ttl": seconds(memory.expires_at),
        "expires_at": memory.expires_at,
        "role": said.role,
        "text": said.text,
        "tokens": said.tokens or NOT_COUNTED,
        **{name: value for name, value in known.items() if value is not None},
    }


def parted_fields(at: int) -> Fields:
    """What a chat's own item holds: when the bot was blocked or removed last."""
    return {"parted_at": at, "ttl": seconds(at + PARTED_LIFE)}


def sent_item(lease: Lease, event: Pending, chat: Chat, message_id: str) -> Fields:
    """A message of the bot's own, found by its id."""
    return {
        **index_key(lease.conversation.bot, chat, message_id),
        "ttl": seconds(lease.until + SENT_LIFE),
        "role": "assistant",
        "conversation": lease.conversation.id,
        "event_id": event.event_id,
        "at": event.at,
    }


# ---------------------------------------------------------------- parts of items


def said_fields(items: Iterable[Fields]) -> Fields:
    """Where those of an answer's messages are that the bot says, for an event that may yet be taken back."""
    said = [item["sk"] for item in items if str(item["sk"]).endswith(f"#{ANSWERED}")]
    return {"said": json.dumps(said)} if said else {}


def said_keys(conversation: Conversation, event: Fields) -> list[Fields]:
    """The reverse of `said_fields`: keys."""
    return [{"pk": conversation_pk(conversation), "sk": sk} for sk in json.loads(str(event.get("said", "[]")))]


def answer_fields(answer: Answer) -> Fields:
    """A fixed answer, but for its retry key; whose its messages are where they are not all the event's own."""
    owners: Fields = {"owners": dump_owners(answer)} if answer.owners else {}
    return {"answer": dump_answer(answer), **owners}


def note_fields(lease: Lease, write: str, notes: Sequence[Note], *details: int) -> Fields:
    """Notes as the attribute that one write adds: made twice, it adds them once.

    The attributes of an event sort as its story goes, by fence, then by time, then as in `STORY`.
    `details` tell writes of the same name apart.
    """
    if not notes:
        return {}
    place = (f"{lease.fence:015d}", f"{notes[0].at:015d}", STORY.index(write), *details)
    return {NOTES + "_".join(map(str, place)): dump_notes(notes)}


def notes_of(item: Fields) -> tuple[Note, ...]:
    """The story of an event so far."""
    texts = [str(item[name]) for name in sorted(item) if name.startswith(NOTES)]
    return tuple(note for text in texts for note in load_notes(text))


def amounts_of(counter: Fields) -> dict[str, int]:
    """What a counter has counted."""
    return {name.removeprefix(AMOUNT): int(counter[name]) for name in counter if name.startswith(AMOUNT)}


# ---------------------------------------------------------------- values


def pending_of(item: Fields) -> Pending:
    """An event in the inbox as the port has it."""
    return Pending(
        event_id=str(item["event_id"]),
        at=int(item["at"]),
        received_at=int(item["received_at"]),
        body=str(item.get("body", "")),
        state=state_of(item),
        attempts=int(item["attempts"]),
        sends=int(item["sends"]),
        user_id=_text_of(item, "user_id"),
        message_id=_text_of(item, "message_id"),
        answer=answer_of(item),
        via=_VIAS[str(item.get("via", "reply"))],
        noticed="noticed" in item,
        unsent="unsent" in item,
        revision=int(item.get("revision", 0)),
        notes=notes_of(item),
    )


def answer_of(item: Fields) -> Answer | None:
    """The answer that an event in the inbox has."""
    if "answer" not in item:
        return None
    return load_answer(str(item["answer"]), str(item["retry_key"]), str(item.get("owners", "[]")))


def record_of(bot: str, event_id: str, event: Fields) -> Record:
    """What is known of an event as the port has it."""
    return Record(
        conversation=Conversation(bot, str(event["conversation"])),
        event_id=event_id,
        at=int(event["at"]),
        received_at=int(event["received_at"]),
        state=state_of(event),
        attempts=int(event["attempts"]),
        sends=int(event["sends"]),
        lead=_text_of(event, "lead"),
        notes=notes_of(event),
    )


def message_of(item: Fields) -> Message:
    """A message of the history as the port has it."""
    return Message(
        role=_ROLES[str(item["role"])],
        text=str(item["text"]),
        speaker=_text_of(item, "speaker"),
        tokens=int(item["tokens"]) or None,
        overheard=str(item["sk"]).startswith(OVERHEARD),
        at=said_at(item),
    )


def said_at(item: Fields) -> int:
    """When a message of the history was said."""
    return int(str(item["sk"]).split("#")[1])


def count_of(counter: str, item: Fields) -> Count:
    """A counter in a window as the port has it."""
    return Count(counter, str(item["sk"]).removeprefix(WINDOWS), amounts_of(item), int(item["expires_at"]))


def state_of(item: Fields) -> State:
    """The state of an event."""
    return _STATES[str(item["state"])]


def _text_of(item: Fields, name: str) -> str | None:
    return str(item[name]) if name in item else None


_STATES: Final[Mapping[str, State]] = {
    "RECEIVED": "RECEIVED",
    "SENDING": "SENDING",
    "DONE": "DONE",
    "UNDELIVERED": "UNDELIVERED",
}
_VIAS: Final[Mapping[str, Via]] = {"reply": "reply", "push": "push"}
_ROLES: Final[Mapping[str, Role]] = {"system": "system", "user": "user", "assistant": "assistant"}
