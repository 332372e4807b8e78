"""Messages that people take back, in a transaction on the SQLite file: one of them, or all of a person's."""

import sqlite3

from botkit.messages import Chat
from botkit.stores import sqlite_statements as sql
from botkit.stores.sqlite_rows import Fields, pending_of, taken_fields
from botkit.stores.values import ANSWERED, ASKED, is_certainly_unseen, shared_conversation, take_back, turns_in


def said_fields(bot: str, conversation: str, event_id: str) -> Fields:
    """What names what a person said by an event."""
    return {"bot": bot, "conversation": conversation, "event": event_id, "turn_order": ASKED}


def unsend(db: sqlite3.Connection, said: Fields) -> list[int]:
    """Take a message out of the history and what waits; when what was deleted would have expired."""
    gone = db.execute(sql.FORGET, said).fetchall()
    found = db.execute(sql.WAITING, said).fetchone()
    if found is not None and is_certainly_unseen(before := pending_of(found)):
        after = take_back(before, said["event"], found["taken"])
        db.execute(sql.TAKE_BACK, said | taken_fields(after))
        gone += db.execute(sql.FORGET_ANSWER, said | {"turn": found["taken"], "turn_order": ANSWERED}).fetchall()
    return [row["expires_at"] for row in gone]


def forget(db: sqlite3.Connection, bot: str, user_id: str) -> list[int]:
    """Take back all of a person's messages; when what was deleted would have expired."""
    asked = {"bot": bot, "user_id": user_id, "own": shared_conversation(Chat("user", user_id))}
    gone = [row["expires_at"] for row in db.execute(sql.FORGET_PERSON, asked).fetchall()]
    for row in db.execute(sql.WAITING_OF, asked).fetchall():
        for event_id in turns_in(pending_of(row)):
            gone += unsend(db, said_fields(bot, row["conversation"], event_id))
    return gone
