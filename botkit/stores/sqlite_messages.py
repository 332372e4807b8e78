"""Messages taken back in a transaction on the SQLite file: one of them, all of a person's, or all of a chat's."""

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
    if found is not None:
        gone += _take_out(db, said, found, found["taken"])
    return [row["expires_at"] for row in gone]


def forget(db: sqlite3.Connection, bot: str, user_id: str) -> list[int]:
    """Take back all of a person's messages; when what was deleted would have expired."""
    asked = {"bot": bot, "user_id": user_id, "own": shared_conversation(Chat("user", user_id))}
    gone = [row["expires_at"] for row in db.execute(sql.FORGET_PERSON, asked).fetchall()]
    for row in db.execute(sql.WAITING_OF, asked).fetchall():
        for turn in turns_in(pending_of(row)):
            gone += _unsend_turn(db, row, turn)
    return gone


def disband(db: sqlite3.Connection, bot: str, chat: Chat, until: int) -> None:
    """Delete what was said in a chat up to `until`, and take back what waits and was said before."""
    asked = {"bot": bot, "shared": shared_conversation(chat), "until": until}
    for row in db.execute(sql.WAITING_IN, asked).fetchall():
        for turn in turns_in(pending_of(row)):
            if _asked_at(db, bot, turn) < until:
                _unsend_turn(db, row, turn)
    db.execute(sql.DISBAND, asked)


def _asked_at(db: sqlite3.Connection, bot: str, event_id: str) -> int:
    found = db.execute(sql.ASKED_AT, {"bot": bot, "event": event_id}).fetchone()
    return found["at"] if found else 0  # forgotten, so it is long ago


def _unsend_turn(db: sqlite3.Connection, waits: sqlite3.Row, turn: str) -> list[int]:
    """Take what an event's turn has said, and its question, out of the history and what waits."""
    said = said_fields(waits["bot"], waits["conversation"], turn)
    gone = db.execute(sql.FORGET, said).fetchall()
    # Read again: another turn may have been taken out of it.
    gone += _take_out(db, said, db.execute(sql.EVENT, said | {"id": waits["id"]}).fetchone(), turn)
    return [row["expires_at"] for row in gone]


def _take_out(db: sqlite3.Connection, said: Fields, waits: sqlite3.Row, turn: str) -> list[sqlite3.Row]:
    """Take a turn out of what waits and out of the history, where nobody can have seen it; what was deleted."""
    before = pending_of(waits)
    if not is_certainly_unseen(before):
        return []
    db.execute(sql.TAKE_BACK, said | taken_fields(take_back(before, said["event"], turn)))
    return db.execute(sql.FORGET_ANSWER, said | {"turn": turn, "turn_order": ANSWERED}).fetchall()
