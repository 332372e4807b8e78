"""Values of the port as parameters of the SQLite store's statements, and its rows as values of the port."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from botkit.messages import Chat, Message
from botkit.ports import Answer, Arrival, Conversation, Count, Lease, Memory, Pending, Record
from botkit.stores.values import (
    NOT_COUNTED,
    PARTED_LIFE,
    chat_key,
    dump_answer,
    dump_owners,
    load_answer,
    load_notes,
    turn_order,
)

Fields = dict[str, Any]
"""Parameters of a statement, by name."""


def conversation_fields(conversation: Conversation) -> Fields:
    """What names a conversation."""
    return {"bot": conversation.bot, "conversation": conversation.id}


def lease_fields(lease: Lease) -> Fields:
    """What tells a lease from every other."""
    return conversation_fields(lease.conversation) | {"fence": lease.fence, "owner": lease.owner}


def event_fields(lease: Lease, event: Pending) -> Fields:
    """What names an event in a leased conversation."""
    return conversation_fields(lease.conversation) | {"id": event.event_id}


def id_fields(bot: str, chat: Chat, message_id: str) -> Fields:
    """What names a message by the id LINE gave it."""
    return {"bot": bot, "chat": chat_key(chat), "message_id": message_id}


def arrival_fields(arrival: Arrival) -> Fields:
    """A new event."""
    return conversation_fields(arrival.conversation) | {
        "id": arrival.event_id,
        "at": arrival.at,
        "received_at": arrival.received_at,
        "due_at": arrival.due_at,
        "state": "RECEIVED",
        "body": arrival.body,
        "user_id": arrival.user_id,
        "message_id": arrival.message_id,
        "lead": None,
    }


def unsent_fields(arrival: Arrival) -> Fields:
    """A new event whose message was unsent before it came: all that is kept of it is that it is done."""
    nothing = {"due_at": None, "body": "", "user_id": None, "message_id": None}
    return arrival_fields(arrival) | nothing | {"state": "DONE", "lead": arrival.event_id}


def answer_fields(answer: Answer | None) -> Fields:
    """A fixed answer, but for its retry key."""
    return {"answer": answer and dump_answer(answer), "owners": answer and dump_owners(answer)}


def taken_fields(event: Pending) -> Fields:
    """An event of which something was taken back."""
    kept = {"id": event.event_id, "unsent": event.unsent, "revision": event.revision, "body": event.body}
    return answer_fields(event.answer) | kept


def memory_fields(conversation: Conversation, memory: Memory) -> Fields:
    """A message for the history."""
    said = memory.message
    return conversation_fields(conversation) | {
        "at": memory.at,
        "event": memory.event_id,
        "turn_order": turn_order(said),
        "role": said.role,
        "text": said.text,
        "speaker": said.speaker,
        "tokens": said.tokens or NOT_COUNTED,
        "overheard": said.overheard,
        "user_id": memory.user_id,
        "expires_at": memory.expires_at,
    }


def parted_fields(bot: str, chat: Chat, at: int) -> Fields:
    """That the bot was blocked, or removed from a group."""
    return {"bot": bot, "chat": chat_key(chat), "parted_at": at, "expires_at": at + PARTED_LIFE}


def counted_fields(bot: str, counters: Sequence[tuple[str, str]], now: int) -> Fields:
    """The question for the amounts of counters, given as counter and window."""
    return {"bot": bot, "asked": json.dumps(counters), "now": now}


def count_fields(bot: str, count: Count) -> list[Fields]:
    """What is added to a counter, amount by amount."""
    counter = {"bot": bot, "counter": count.counter, "window": count.window, "expires_at": count.expires_at}
    return [counter | {"name": name, "amount": amount} for name, amount in count.amounts.items()]


def pending_of(row: sqlite3.Row) -> Pending:
    """A row of `events` as the inbox has it."""
    return Pending(
        event_id=row["id"],
        at=row["at"],
        received_at=row["received_at"],
        body=row["body"],
        state=row["state"],
        attempts=row["attempts"],
        sends=row["sends"],
        user_id=row["user_id"],
        message_id=row["message_id"],
        answer=load_answer(row["answer"], row["retry_key"], row["owners"]) if row["answer"] is not None else None,
        via=row["via"],
        noticed=bool(row["noticed"]),
        unsent=bool(row["unsent"]),
        revision=row["revision"],
        notes=load_notes(row["notes"]),
    )


def record_of(row: sqlite3.Row) -> Record:
    """A row of `events` as `botkit explain` has it."""
    return Record(
        conversation=Conversation(row["bot"], row["conversation"]),
        event_id=row["id"],
        at=row["at"],
        received_at=row["received_at"],
        state=row["state"],
        attempts=row["attempts"],
        sends=row["sends"],
        lead=row["lead"],
        notes=load_notes(row["notes"]),
    )


def message_of(row: sqlite3.Row) -> Message:
    """A row of `messages` as the model sees it."""
    return Message(
        role=row["role"],
        text=row["text"],
        speaker=row["speaker"],
        tokens=row["tokens"] or None,
        overheard=bool(row["overheard"]),
        at=row["at"],
    )


def tally_of(counter: str, rows: Sequence[sqlite3.Row]) -> list[Count]:
    """Rows of `counters`, window by window."""
    windows: dict[str, list[sqlite3.Row]] = {}
    for row in rows:
        windows.setdefault(row["time_window"], []).append(row)
    return [
        Count(counter, window, amounts_of(named), max(row["expires_at"] for row in named))
        for window, named in windows.items()
    ]


def amounts_of(rows: Iterable[sqlite3.Row]) -> dict[str, int]:
    """The amounts of one counter, by name."""
    return {row["name"]: row["amount"] for row in rows}
