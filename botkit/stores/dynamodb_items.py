"""The items of the DynamoDB table: their keys, what they hold, and the writes that make them.

| item          | pk                           | sk                                                  |
|---------------|------------------------------|-----------------------------------------------------|
| event         | B#bot#C#conversation         | E#eventId                                           |
| inbox pointer | B#bot#C#conversation         | I#at#eventId, and due_pk, due_at for the index      |
| conversation  | B#bot#C#conversation         | META                                                |
| message       | B#bot#C#conversation         | M#at#eventId#0 (was told) or #1 (said)              |
| message index | B#bot#G#kind:id of the chat  | S#messageId                                         |

Times are ms, in sort keys with 15 digits so that they sort as numbers; only `ttl` is in seconds, as
DynamoDB asks (Developer Guide: Time to Live). Ids are escaped in keys, so that no two keys meet.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from botkit.messages import Chat, Message, Role
from botkit.ports import Arrival, Conversation, Lease, Memory, Pending, State, Usage, Via
from botkit.stores.dynamodb_table import Fields, expressions, to_wire
from botkit.stores.values import EVENT_LIFE, SENT_LIFE, Mark, chat_key, load_answer, turn_order

META: Final = "META"
POINTERS: Final = "I#"
MESSAGES: Final = "M#"

DUE_INDEX: Final = "due"
DUE: Final = "inbox"
"""The one partition of the index `due`. It takes 1000 writes a second, and an event costs three."""

HELD: Final = "#fence = :held_fence AND #owner = :held_owner"


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


def conversation_of(pk: str) -> Conversation:
    """The reverse of `conversation_pk`."""
    _, bot, _, conversation = pk.split("#")
    return Conversation(unescape(bot), unescape(conversation))


def meta_key(conversation: Conversation) -> Fields:
    """The key of the conversation's own item."""
    return {"pk": conversation_pk(conversation), "sk": META}


def event_key(conversation: Conversation, event_id: str) -> Fields:
    """The key of an event."""
    return {"pk": conversation_pk(conversation), "sk": f"E#{escape(event_id)}"}


def pointer_key(conversation: Conversation, event_id: str, at: int) -> Fields:
    """The key of an event's place in the inbox."""
    return {"pk": conversation_pk(conversation), "sk": f"{POINTERS}{at:015d}#{escape(event_id)}"}


def sent_key(bot: str, chat: Chat, message_id: str) -> Fields:
    """The key under which the bot finds a message of its own."""
    return {"pk": f"B#{escape(bot)}#G#{escape(chat_key(chat))}", "sk": f"S#{escape(message_id)}"}


def event_of(pointer: Fields) -> Fields:
    """The key of the event that a pointer points to."""
    return {"pk": pointer["pk"], "sk": f"E#{str(pointer['sk']).rpartition('#')[2]}"}


def event_item(arrival: Arrival) -> Fields:
    """An event as it comes in."""
    return {
        **event_key(arrival.conversation, arrival.event_id),
        "ttl": seconds(arrival.received_at + EVENT_LIFE),
        "event_id": arrival.event_id,
        "state": "RECEIVED",
        "at": arrival.at,
        "received_at": arrival.received_at,
        "attempts": 0,
        "sends": 0,
        "body": arrival.body,
    }


def pointer_item(arrival: Arrival) -> Fields:
    """An event's place in the inbox and, as long as it has one, in the index of what is due."""
    return {
        **pointer_key(arrival.conversation, arrival.event_id, arrival.at),
        "ttl": seconds(arrival.received_at + EVENT_LIFE),
        "due_pk": DUE,
        "due_at": arrival.due_at,
    }


def message_item(conversation: Conversation, memory: Memory) -> Fields:
    """A message of the history."""
    said = memory.message
    place = f"{memory.at:015d}#{escape(memory.event_id)}#{turn_order(said)}"
    speaker: Fields = {} if said.speaker is None else {"speaker": said.speaker}
    return {
        "pk": conversation_pk(conversation),
        "sk": f"{MESSAGES}{place}",
        "ttl": seconds(memory.expires_at),
        "expires_at": memory.expires_at,
        "role": said.role,
        "text": said.text,
        "tokens": said.tokens,
        **speaker,
    }


def sent_item(lease: Lease, chat: Chat, message_id: str) -> Fields:
    """A message of the bot's own, found by its id."""
    return {
        **sent_key(lease.conversation.bot, chat, message_id),
        "ttl": seconds(lease.until + SENT_LIFE),
        "role": "assistant",
        "conversation": lease.conversation.id,
    }


def usage_fields(usage: Usage | None) -> Fields:
    """What an answer cost, as attributes of its event."""
    if usage is None:
        return {}
    return {"model": usage.model, "input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}


def mark_of(event: Fields) -> Mark:
    """What the last change of state left on an event."""
    state = _STATES[str(event["state"])]
    return Mark(state, int(event.get("fence", 0)), str(event["answer"]) if state == "SENDING" else None)


def pending_of(event: Fields) -> Pending:
    """An unfinished event as the port has it."""
    answer = load_answer(str(event["answer"]), str(event["retry_key"])) if "answer" in event else None
    return Pending(
        str(event["event_id"]),
        int(event["at"]),
        int(event["received_at"]),
        str(event["body"]),
        _STATES[str(event["state"])],
        int(event["attempts"]),
        int(event["sends"]),
        answer,
        _VIAS[str(event.get("via", "reply"))],
    )


def message_of(item: Fields) -> Message:
    """A message of the history as the port has it."""
    speaker = str(item["speaker"]) if "speaker" in item else None
    return Message(_ROLES[str(item["role"])], str(item["text"]), speaker, int(item["tokens"]))


def put(item: Fields) -> dict[str, Any]:
    """Put an item, whatever is there."""
    return {"Put": {"Item": to_wire(item)}}


def delete(key: Fields) -> dict[str, Any]:
    """Delete an item, also where there is none."""
    return {"Delete": {"Key": to_wire(key)}}


def check_held(lease: Lease) -> dict[str, Any]:
    """The check that a lease has not passed on."""
    asked = expressions({"held_fence": lease.fence, "held_owner": lease.owner}, ConditionExpression=HELD)
    return {"ConditionCheck": {"Key": to_wire(meta_key(lease.conversation)), **asked}}


def change(key: Fields, condition: str, values: Fields, sets: Fields, removes: Sequence[str] = ()) -> dict[str, Any]:
    """Update an item that fulfils `condition`; a refusal shows the item."""
    parts = "SET " + ", ".join(f"#{name} = :{name}" for name in sets)
    if removes:
        parts += " REMOVE " + ", ".join(f"#{name}" for name in removes)
    return conditional(key, parts, condition, {**values, **sets})


def conditional(key: Fields, update: str, condition: str, values: Fields) -> dict[str, Any]:
    """An update in DynamoDB's own words; a refusal shows the item."""
    return {
        "Key": to_wire(key),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        **expressions(values, UpdateExpression=update, ConditionExpression=condition),
    }


_STATES: Final[Mapping[str, State]] = {
    "RECEIVED": "RECEIVED",
    "SENDING": "SENDING",
    "DONE": "DONE",
    "UNDELIVERED": "UNDELIVERED",
}
_VIAS: Final[Mapping[str, Via]] = {"reply": "reply", "push": "push"}
_ROLES: Final[Mapping[str, Role]] = {"system": "system", "user": "user", "assistant": "assistant"}
