"""The store in one SQLite file, for many threads and processes of one machine."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from botkit.messages import Chat, Message
from botkit.ports import Acceptance, Answer, Arrival, Conversation, Final, Lease, Memory, Pending, Usage, Via
from botkit.stores.sqlite_file import open_database, translated
from botkit.stores.values import (
    CONVERSATION_LIFE,
    DAY,
    EVENT_LIFE,
    PENDING_LIMIT,
    SENT_LIFE,
    Mark,
    chat_key,
    confirm,
    dump_answer,
    load_answer,
    lost,
    turn_order,
)

RECEIVE = """
INSERT OR REPLACE INTO events (bot, conversation, id, at, received_at, due_at, body)
VALUES (:bot, :conversation, :id, :at, :received_at, :due_at, :body)
"""
COUNT_ARRIVAL = """
INSERT INTO conversations (bot, id, inbox_seq, expires_at) VALUES (:bot, :conversation, 1, :expires_at)
ON CONFLICT DO UPDATE SET inbox_seq = inbox_seq + 1, expires_at = max(expires_at, excluded.expires_at)
"""
RENEW = """
UPDATE events SET received_at = max(received_at, :received_at)
WHERE bot = :bot AND conversation = :conversation AND id = :id
"""
LEASE = """
INSERT INTO conversations (bot, id, fence, owner, lease_until, expires_at)
VALUES (:bot, :conversation, 1, :owner, :until, :expires_at)
ON CONFLICT DO UPDATE SET fence = fence + 1, owner = excluded.owner, lease_until = excluded.lease_until,
    expires_at = max(expires_at, excluded.expires_at)
WHERE owner IS NULL OR owner = excluded.owner OR lease_until < :now
RETURNING fence, inbox_seq
"""
HELD = """
SELECT inbox_seq FROM conversations WHERE bot = :bot AND id = :conversation AND fence = :fence AND owner = :owner
"""
RELEASE = "UPDATE conversations SET owner = NULL, lease_until = NULL WHERE bot = :bot AND id = :conversation"
PENDING = """
SELECT * FROM events
WHERE bot = :bot AND conversation = :conversation AND due_at IS NOT NULL AND received_at > :oldest
ORDER BY at, id LIMIT :limit
"""
MARK = "SELECT state, fence, answer FROM events WHERE bot = :bot AND conversation = :conversation AND id = :id"
LIVE_STATE = """
SELECT state FROM events WHERE bot = :bot AND conversation = :conversation AND id = :id AND received_at > :oldest
"""
ATTEMPT = """
UPDATE events SET attempts = attempts + 1, due_at = :until
WHERE bot = :bot AND conversation = :conversation AND id = :id AND state IN ('RECEIVED', 'SENDING')
"""
FIX_ANSWER = """
UPDATE events SET state = 'SENDING', sends = 1, answer = :answer, retry_key = :retry_key, fence = :fence,
    model = :model, input_tokens = :input_tokens, output_tokens = :output_tokens
WHERE bot = :bot AND conversation = :conversation AND id = :id AND state = 'RECEIVED'
"""
STAY_SILENT = """
UPDATE events SET state = 'DONE', due_at = NULL, body = NULL, fence = :fence,
    model = :model, input_tokens = :input_tokens, output_tokens = :output_tokens
WHERE bot = :bot AND conversation = :conversation AND id = :id AND state = 'RECEIVED'
"""
RESEND = """
UPDATE events SET sends = sends + 1, via = :via
WHERE bot = :bot AND conversation = :conversation AND id = :id AND state = 'SENDING'
"""
POSTPONE = """
UPDATE events SET due_at = :due_at, sends = CASE WHEN :unsent THEN 0 ELSE sends END
WHERE bot = :bot AND conversation = :conversation AND id = :id AND state IN ('RECEIVED', 'SENDING')
"""
FINISH = """
UPDATE events SET state = :state, due_at = NULL, body = NULL, fence = :fence,
    answer = CASE :state WHEN 'UNDELIVERED' THEN answer END
WHERE bot = :bot AND conversation = :conversation AND id = :id AND state = 'SENDING'
"""
REMEMBER = """
INSERT OR REPLACE INTO messages (bot, conversation, at, event, turn_order, role, text, speaker, tokens, expires_at)
VALUES (:bot, :conversation, :at, :event, :turn_order, :role, :text, :speaker, :tokens, :expires_at)
"""
KEEP_SENT = """
INSERT OR REPLACE INTO sent (bot, chat, message_id, conversation, expires_at)
VALUES (:bot, :chat, :message_id, :conversation, :expires_at)
"""
OVERDUE = """
SELECT bot, conversation FROM events
WHERE due_at <= :now AND received_at > :oldest AND bot IN (SELECT value FROM json_each(:bots))
GROUP BY bot, conversation ORDER BY min(due_at) LIMIT :limit
"""
HISTORY = """
SELECT role, text, speaker, tokens FROM messages
WHERE bot = :bot AND conversation = :conversation AND expires_at > :now
ORDER BY at DESC, event DESC, turn_order DESC LIMIT :limit
"""
CLEAR = "DELETE FROM messages WHERE bot = :bot AND conversation = :conversation"
SENT = "SELECT 1 FROM sent WHERE bot = :bot AND chat = :chat AND message_id = :message_id"
PURGE = (
    "DELETE FROM events WHERE received_at <= :now - :event_life",
    "DELETE FROM messages WHERE expires_at <= :now",
    "DELETE FROM sent WHERE expires_at <= :now",
    "DELETE FROM conversations WHERE expires_at <= :now",
)


class SqliteStore:
    """The store in the SQLite file `path`, created with its folder where missing; lives until `close()`.

    One connection behind one lock serves all threads: SQLite writes one at a time anyway, and one
    connection is one thing to close. Other processes are waited for, `busy_timeout` seconds at most.
    Every method raises StoreError where the file fails.
    """

    def __init__(self, path: Path | str, busy_timeout: float = 5.0) -> None:
        self._path = path
        self._lock = Lock()
        self._next_purge = 0
        self._db = open_database(path, busy_timeout)

    def close(self) -> None:
        """Close the file; every later call fails."""
        with self._lock:
            self._db.close()

    def accept(self, arrival: Arrival) -> Acceptance:
        """See `Store.accept`. Now and then it also deletes what has expired."""
        asked = {**_event(arrival.conversation, arrival.event_id), "received_at": arrival.received_at}
        with self._writing() as db:
            self._purge(db, arrival.received_at)
            found = db.execute(LIVE_STATE, asked | {"oldest": arrival.received_at - EVENT_LIFE}).fetchone()
            if found is None:
                db.execute(RECEIVE, asked | {"at": arrival.at, "due_at": arrival.due_at, "body": arrival.body})
                db.execute(COUNT_ARRIVAL, asked | {"expires_at": arrival.received_at + CONVERSATION_LIFE})
                return Acceptance.NEW
            if found["state"] in ("DONE", "UNDELIVERED"):
                return Acceptance.FINISHED
            if arrival.renews:
                db.execute(RENEW, asked)
            return Acceptance.PENDING

    def lease(self, conversation: Conversation, owner: str, now: int, until: int) -> Lease | None:
        """See `Store.lease`. Its owner may take it again, before or after its end."""
        asked = {"owner": owner, "now": now, "until": until, "expires_at": now + CONVERSATION_LIFE}
        with self._writing() as db:
            granted = db.execute(LEASE, _conversation(conversation) | asked).fetchone()
        return Lease(conversation, owner, granted["fence"], until, granted["inbox_seq"]) if granted else None

    def pending(self, lease: Lease) -> Sequence[Pending]:
        """See `Store.pending`. Events that expire before the lease ends are left out."""
        asked = {"oldest": lease.until - EVENT_LIFE, "limit": PENDING_LIMIT}
        return [_pending(row) for row in self._read(PENDING, _conversation(lease.conversation) | asked)]

    def attempt(self, lease: Lease, event_id: str) -> None:
        """See `Store.attempt`."""
        with self._holding(lease) as db:
            _change(db, ATTEMPT, _event(lease.conversation, event_id) | {"until": lease.until})

    def answer(
        self,
        lease: Lease,
        event_id: str,
        answer: Answer | None,
        memories: Sequence[Memory] = (),
        usage: Usage | None = None,
    ) -> None:
        """See `Store.answer`."""
        messages = dump_answer(answer) if answer else None
        asked = _event(lease.conversation, event_id) | _usage(usage) | {"fence": lease.fence, "answer": messages}
        mark = Mark("SENDING" if answer else "DONE", lease.fence, messages)
        with self._holding(lease) as db:
            if answer:
                changed = _change(db, FIX_ANSWER, asked | {"retry_key": answer.retry_key}, mark)
            else:
                changed = _change(db, STAY_SILENT, asked, mark)
            if changed:
                db.executemany(REMEMBER, [_memory(lease.conversation, memory) for memory in memories])

    def resend(self, lease: Lease, event_id: str, via: Via) -> None:
        """See `Store.resend`."""
        with self._holding(lease) as db:
            _change(db, RESEND, _event(lease.conversation, event_id) | {"via": via})

    def postpone(self, lease: Lease, event_id: str, due_at: int, *, unsent: bool) -> None:
        """See `Store.postpone`."""
        with self._holding(lease) as db:
            _change(db, POSTPONE, _event(lease.conversation, event_id) | {"due_at": due_at, "unsent": unsent})

    def finish(self, lease: Lease, event_id: str, state: Final, chat: Chat, sent: Sequence[str] = ()) -> None:
        """See `Store.finish`. The bot's own message ids are kept for 30 days from the lease's end."""
        asked = _event(lease.conversation, event_id) | {"state": state, "fence": lease.fence}
        kept = asked | {"chat": chat_key(chat), "expires_at": lease.until + SENT_LIFE}
        with self._holding(lease) as db:
            if _change(db, FINISH, asked, Mark(state, lease.fence)):
                db.executemany(KEEP_SENT, [kept | {"message_id": message_id} for message_id in sent])

    def release(self, lease: Lease) -> Lease | None:
        """See `Store.release`."""
        with self._writing() as db:
            held = db.execute(HELD, _lease(lease)).fetchone()
            if held and held["inbox_seq"] != lease.inbox_seq:
                return replace(lease, inbox_seq=held["inbox_seq"])
            if held:
                db.execute(RELEASE, _conversation(lease.conversation))
        return None

    def overdue(self, now: int, limit: int, bots: Collection[str]) -> Sequence[Conversation]:
        """See `Store.overdue`."""
        asked = {"now": now, "oldest": now - EVENT_LIFE, "limit": limit, "bots": json.dumps(list(bots))}
        rows = self._read(OVERDUE, asked)
        return [Conversation(row["bot"], row["conversation"]) for row in rows]

    def history(self, conversation: Conversation, limit: int, now: int) -> Sequence[Message]:
        """See `Store.history`."""
        rows = self._read(HISTORY, _conversation(conversation) | {"now": now, "limit": limit})
        return [Message(row["role"], row["text"], row["speaker"], row["tokens"]) for row in reversed(rows)]

    def clear(self, conversation: Conversation) -> None:
        """See `Store.clear`."""
        with self._writing() as db:
            db.execute(CLEAR, _conversation(conversation))

    def said_by_bot(self, bot: str, chat: Chat, message_id: str) -> bool:
        """See `Store.said_by_bot`."""
        return bool(self._read(SENT, {"bot": bot, "chat": chat_key(chat), "message_id": message_id}))

    def _read(self, query: str, asked: dict[str, Any]) -> list[sqlite3.Row]:
        with self._lock, translated(self._path):
            return self._db.execute(query, asked).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        # IMMEDIATE: a transaction that reads first and then writes could otherwise not wait for others.
        with self._lock, translated(self._path), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db

    @contextmanager
    def _holding(self, lease: Lease) -> Iterator[sqlite3.Connection]:
        with self._writing() as db:
            if db.execute(HELD, _lease(lease)).fetchone() is None:
                raise lost(lease)
            yield db

    def _purge(self, db: sqlite3.Connection, now: int) -> None:
        if now >= self._next_purge:
            for statement in PURGE:
                db.execute(statement, {"now": now, "event_life": EVENT_LIFE})
            self._next_purge = now + DAY // 24


def _change(db: sqlite3.Connection, statement: str, asked: dict[str, Any], mark: Mark | None = None) -> bool:
    """Change an event's row; False where this lease had made this very change before. Raises StoreError."""
    if db.execute(statement, asked).rowcount:
        return True
    row = db.execute(MARK, asked).fetchone()
    confirm(asked["id"], row and _mark(row), mark)
    return False


def _mark(row: sqlite3.Row) -> Mark:
    return Mark(row["state"], row["fence"], row["answer"] if row["state"] == "SENDING" else None)


def _pending(row: sqlite3.Row) -> Pending:
    return Pending(
        row["id"],
        row["at"],
        row["received_at"],
        row["body"],
        row["state"],
        row["attempts"],
        row["sends"],
        load_answer(row["answer"], row["retry_key"]) if row["answer"] is not None else None,
        row["via"],
    )


def _conversation(conversation: Conversation) -> dict[str, Any]:
    return {"bot": conversation.bot, "conversation": conversation.id}


def _event(conversation: Conversation, event_id: str) -> dict[str, Any]:
    return _conversation(conversation) | {"id": event_id}


def _lease(lease: Lease) -> dict[str, Any]:
    return _conversation(lease.conversation) | {"fence": lease.fence, "owner": lease.owner}


def _usage(usage: Usage | None) -> dict[str, Any]:
    return {
        "model": usage and usage.model,
        "input_tokens": usage and usage.input_tokens,
        "output_tokens": usage and usage.output_tokens,
    }


def _memory(conversation: Conversation, memory: Memory) -> dict[str, Any]:
    said = memory.message
    return _conversation(conversation) | {
        "at": memory.at,
        "event": memory.event_id,
        "turn_order": turn_order(said),
        "role": said.role,
        "text": said.text,
        "speaker": said.speaker,
        "tokens": said.tokens,
        "expires_at": memory.expires_at,
    }
