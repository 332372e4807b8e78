"""The store in one SQLite file, for many threads and processes of one machine."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock

from botkit.messages import Chat, Message
from botkit.ports import (
    Acceptance,
    Answer,
    Arrival,
    Budget,
    Conversation,
    Count,
    Final,
    Held,
    Inbox,
    Lease,
    Memory,
    Note,
    Pending,
    Record,
    State,
    Via,
)
from botkit.stores import sqlite_messages
from botkit.stores import sqlite_statements as sql
from botkit.stores.sqlite_file import open_database, translated
from botkit.stores.sqlite_messages import said_fields
from botkit.stores.sqlite_rows import (
    Fields,
    amounts_of,
    answer_fields,
    arrival_fields,
    conversation_fields,
    count_fields,
    counted_fields,
    event_fields,
    id_fields,
    lease_fields,
    memory_fields,
    message_of,
    parted_fields,
    pending_of,
    record_of,
    tally_of,
    unsent_fields,
)
from botkit.stores.values import (
    CONVERSATION_LIFE,
    DAY,
    EVENT_LIFE,
    NOT_COUNTED,
    PENDING_LIMIT,
    SENT_LIFE,
    answer_stamp,
    chat_key,
    dump_notes,
    lost,
    refusal,
    stamp,
    taken_back,
    within,
)

States = frozenset[State]
RECEIVED: States = frozenset({"RECEIVED"})
UNDELIVERED: States = frozenset({"UNDELIVERED"})
SENDING: States = frozenset({"SENDING"})
OPEN: States = RECEIVED | SENDING
UNFINISHED: States = OPEN | UNDELIVERED


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
        oldest = arrival.received_at - EVENT_LIFE
        with self._writing() as db:
            self._purge(db, arrival.received_at)
            found = db.execute(sql.FIND_EVENT, arrival_fields(arrival) | {"oldest": oldest}).fetchone()
            if found is None:
                return _receive(db, arrival)
            if found["state"] in ("DONE", "UNDELIVERED"):
                return Acceptance.FINISHED
            if arrival.renews:
                db.execute(sql.RENEW, arrival_fields(arrival))
            return Acceptance.PENDING

    def lease(self, conversation: Conversation, owner: str, now: int, until: int) -> Lease | Held:
        """See `Store.lease`."""
        asked = conversation_fields(conversation) | {"owner": owner, "until": until}
        with self._writing() as db:
            holder = db.execute(sql.HOLDER, asked).fetchone()
            abandoned = holder is not None and holder["owner"] is not None
            if abandoned and holder["owner"] != owner and holder["lease_until"] >= now:
                return Held(holder["lease_until"])
            granted = db.execute(sql.LEASE, asked | {"expires_at": now + CONVERSATION_LIFE}).fetchone()
        return Lease(conversation, owner, granted["fence"], until, granted["inbox_seq"], abandoned)

    def inbox(self, lease: Lease, window: int, now: int, overheard: int = 0) -> Inbox:
        """See `Store.inbox`."""
        asked = {"oldest": lease.until - EVENT_LIFE, "limit": PENDING_LIMIT}
        pending = self._read(sql.PENDING, conversation_fields(lease.conversation) | asked)
        recent = self.history(lease.conversation, window, now, overheard)
        return Inbox(tuple(map(pending_of, pending)), tuple(recent))

    def attempt(self, lease: Lease, events: Sequence[Pending]) -> None:
        """See `Store.attempt`."""
        asked = [event_fields(lease, event) | {"until": lease.until} for event in events]
        with self._writing() as db:
            db.executemany(sql.ATTEMPT, asked)

    def notice(self, lease: Lease, event: Pending, notes: Sequence[Note] = ()) -> None:
        """See `Store.notice`."""
        mark = stamp(lease, "notice")
        asked = event_fields(lease, event) | {"stamp": mark, "notes": dump_notes(notes)}
        with self._holding(lease) as db:
            found = _find(db, lease, event)
            if found["stamp"] == mark:
                return
            _check_state(found, RECEIVED)
            db.execute(sql.NOTICE, asked)

    def answer(
        self,
        lease: Lease,
        event: Pending,
        answer: Answer | None,
        *,
        covers: Sequence[Pending] = (),
        memories: Sequence[Memory] = (),
        counts: Sequence[Count] = (),
        notes: Sequence[Note] = (),
        waits: bool = False,
    ) -> None:
        """See `Store.answer`. An event that was unsent is ended in silence from any state."""
        state: State = "DONE" if answer is None else "UNDELIVERED" if waits else "SENDING"
        mark = answer_stamp(lease, state, answer, [covered.event_id for covered in covers])
        asked = event_fields(lease, event) | {
            "state": state,
            "stamp": mark,
            "notes": dump_notes(notes),
            "attempts": event.attempts,
        }
        fixed = answer_fields(answer) | {"retry_key": answer and answer.retry_key}
        with self._holding(lease) as db:
            found = _find(db, lease, event)
            if found["stamp"] == mark:
                return
            _check_revision(found, event)
            _check_state(found, UNFINISHED if event.unsent and answer is None else RECEIVED)
            db.execute(sql.ANSWER, asked | fixed)
            _cover(db, lease, event, covers)
            db.executemany(sql.REMEMBER, [memory_fields(lease.conversation, memory) for memory in memories])
            _count(db, lease.conversation.bot, counts)

    def resend(self, lease: Lease, event: Pending, via: Via, budget: Budget | None = None) -> bool:
        """See `Store.resend`."""
        asked = event_fields(lease, event) | {"via": via, "charged": budget is not None}
        with self._holding(lease) as db:
            found = _find(db, lease, event)
            _check_revision(found, event)
            _check_state(found, SENDING)
            if budget and not found["charged"] and not _charge(db, lease.conversation.bot, budget):
                return False
            db.execute(sql.RESEND, asked)
        return True

    def postpone(self, lease: Lease, event: Pending, due_at: int, *, refused: bool, notes: Sequence[Note] = ()) -> None:
        """See `Store.postpone`."""
        mark = stamp(lease, "postpone", due_at, refused)
        asked = {"due_at": due_at, "refused": refused, "stamp": mark, "notes": dump_notes(notes)}
        with self._holding(lease) as db:
            _check_state(_find(db, lease, event), OPEN)
            db.execute(sql.POSTPONE, event_fields(lease, event) | asked)

    def finish(
        self,
        lease: Lease,
        event: Pending,
        state: Final,
        chat: Chat,
        sent: Sequence[str] = (),
        *,
        counts: Sequence[Count] = (),
        notes: Sequence[Note] = (),
        release: bool = False,
    ) -> Lease | None:
        """See `Store.finish`. The bot's own message ids are kept for 30 days from the lease's end.

        Asked again because its response was lost, it may find that it has itself given the lease back.
        """
        mark = stamp(lease, "finish", state)
        asked = event_fields(lease, event) | {"state": state, "stamp": mark, "notes": dump_notes(notes)}
        kept = asked | {"role": "assistant", "expires_at": lease.until + SENT_LIFE}
        with self._writing() as db:
            held = _held(db, lease)
            found = db.execute(sql.EVENT, asked).fetchone()
            finished = found is not None and found["stamp"] == mark
            if held is None and finished and release:
                return None
            if held is None:
                raise lost(lease)
            if not finished:
                _check_state(_find(db, lease, event), SENDING | UNDELIVERED if state == "DONE" else SENDING)
                db.execute(sql.FINISH, asked)
                db.executemany(sql.KEEP_ID, [kept | id_fields(lease.conversation.bot, chat, one) for one in sent])
                _count(db, lease.conversation.bot, counts)
            return _give_back(db, lease, held) if release else lease

    def release(self, lease: Lease) -> Lease | None:
        """See `Store.release`."""
        with self._writing() as db:
            held = _held(db, lease)
            return held and _give_back(db, lease, held)

    def overdue(self, now: int, limit: int, bots: Collection[str]) -> Sequence[Conversation]:
        """See `Store.overdue`."""
        asked = {"now": now, "oldest": now - EVENT_LIFE, "limit": limit, "bots": json.dumps(list(bots))}
        return [Conversation(row["bot"], row["conversation"]) for row in self._read(sql.OVERDUE, asked)]

    def unsend(self, bot: str, chat: Chat, message_id: str, now: int) -> None:
        """See `Store.unsend`."""
        asked = id_fields(bot, chat, message_id) | {"now": now}
        with self._writing() as db:
            found = db.execute(sql.FIND_ID, asked).fetchone()
            if found is None:
                tombstone = {"role": "unsent", "conversation": None, "id": None, "expires_at": now + EVENT_LIFE}
                db.execute(sql.KEEP_ID, asked | tombstone)
            elif found["role"] == "user":
                sqlite_messages.unsend(db, said_fields(bot, found["conversation"], found["event"]))

    def edit(self, lease: Lease, chat: Chat, message_id: str, at: int, message: Message) -> bool:
        """See `Store.edit`."""
        asked = id_fields(lease.conversation.bot, chat, message_id) | {"now": 0}
        with self._holding(lease) as db:
            found = db.execute(sql.FIND_ID, asked).fetchone()
            if found is None or found["role"] != "user" or found["conversation"] != lease.conversation.id:
                return False
            said = said_fields(lease.conversation.bot, lease.conversation.id, found["event"])
            db.execute(sql.EDIT, said | {"text": message.text, "tokens": message.tokens or NOT_COUNTED, "at": at})
            return db.execute(sql.REMEMBERED, said).fetchone() is not None

    def conversation_of(self, bot: str, chat: Chat, message_id: str) -> Conversation | None:
        """See `Store.conversation_of`."""
        found = self._read(sql.FIND_ID, id_fields(bot, chat, message_id) | {"now": 0})
        return next((Conversation(bot, row["conversation"]) for row in found if row["role"] == "user"), None)

    def said_by_bot(self, bot: str, chat: Chat, message_id: str) -> bool:
        """See `Store.said_by_bot`."""
        found = self._read(sql.FIND_ID, id_fields(bot, chat, message_id) | {"now": 0})
        return any(row["role"] == "assistant" for row in found)

    def history(self, conversation: Conversation, limit: int, now: int, overheard: int = 0) -> Sequence[Message]:
        """See `Store.history`."""
        asked = {"now": now, "limit": limit, "overheard": overheard}
        return list(map(message_of, self._read(sql.HISTORY, conversation_fields(conversation) | asked)))

    def clear(self, conversation: Conversation, until: int | None = None, user_id: str | None = None) -> None:
        """See `Store.clear`."""
        with self._writing() as db:
            db.execute(sql.CLEAR, conversation_fields(conversation) | {"until": until, "user_id": user_id})

    def forget(self, bot: str, user_id: str, now: int) -> int:
        """See `Store.forget`. It counts the messages of histories that had not expired."""
        with self._writing() as db:
            return sum(expires_at > now for expires_at in sqlite_messages.forget(db, bot, user_id))

    def disband(self, bot: str, chat: Chat, until: int) -> None:
        """See `Store.disband`."""
        with self._writing() as db:
            sqlite_messages.disband(db, bot, chat, until)

    def part(self, bot: str, chat: Chat, at: int) -> None:
        """See `Store.part`. Known for 400 days."""
        with self._writing() as db:
            db.execute(sql.PART, parted_fields(bot, chat, at))

    def parted_at(self, bot: str, chat: Chat) -> int | None:
        """See `Store.parted_at`."""
        found = self._read(sql.PARTED_AT, {"bot": bot, "chat": chat_key(chat)})
        return next((int(row["parted_at"]) for row in found), None)

    def counted(self, bot: str, counters: Sequence[tuple[str, str]], now: int) -> Sequence[Mapping[str, int]]:
        """See `Store.counted`."""
        rows = self._read(sql.COUNTED, counted_fields(bot, counters, now))
        return [amounts_of(row for row in rows if row["place"] == place) for place in range(len(counters))]

    def tally(self, bot: str, counter: str, first: str, last: str, now: int) -> Sequence[Count]:
        """See `Store.tally`."""
        asked = {"bot": bot, "counter": counter, "first": first, "last": last, "now": now}
        return tally_of(counter, self._read(sql.TALLY, asked))

    def record(self, bot: str, event_id: str, now: int) -> Record | None:
        """See `Store.record`."""
        found = self._read(sql.FIND_EVENT, {"bot": bot, "id": event_id, "oldest": now - EVENT_LIFE})
        return record_of(found[0]) if found else None

    def _read(self, query: str, asked: Fields) -> list[sqlite3.Row]:
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
            if _held(db, lease) is None:
                raise lost(lease)
            yield db

    def _purge(self, db: sqlite3.Connection, now: int) -> None:
        if now >= self._next_purge:
            for statement in sql.PURGE:
                db.execute(statement, {"now": now, "event_life": EVENT_LIFE})
            self._next_purge = now + DAY // 24


def _receive(db: sqlite3.Connection, arrival: Arrival) -> Acceptance:
    coming = arrival_fields(arrival)
    if arrival.message_id is not None:
        named = id_fields(arrival.conversation.bot, arrival.chat, arrival.message_id)
        known = db.execute(sql.FIND_ID, named | {"now": arrival.received_at}).fetchone()
        if known is not None and known["role"] == "unsent":
            db.execute(sql.RECEIVE, unsent_fields(arrival))
            return Acceptance.FINISHED
        # Kept once: history has a message under the first event that named it.
        if known is None:
            db.execute(sql.KEEP_ID, coming | named | {"role": "user", "expires_at": arrival.received_at + EVENT_LIFE})
    db.execute(sql.RECEIVE, coming)
    db.execute(sql.COUNT_ARRIVAL, coming | {"expires_at": arrival.received_at + CONVERSATION_LIFE})
    return Acceptance.NEW


def _held(db: sqlite3.Connection, lease: Lease) -> Lease | None:
    held = db.execute(sql.HELD, lease_fields(lease)).fetchone()
    return held and replace(lease, inbox_seq=held["inbox_seq"])


def _give_back(db: sqlite3.Connection, lease: Lease, held: Lease) -> Lease | None:
    if held.inbox_seq != lease.inbox_seq:
        return held
    db.execute(sql.RELEASE, conversation_fields(lease.conversation))
    return None


def _find(db: sqlite3.Connection, lease: Lease, event: Pending) -> sqlite3.Row:
    found: sqlite3.Row | None = db.execute(sql.EVENT, event_fields(lease, event)).fetchone()
    if found is None:
        raise refusal(event.event_id, None)
    return found


def _check_state(found: sqlite3.Row, allowed: States) -> None:
    if found["state"] not in allowed:
        raise refusal(found["id"], found["state"])


def _check_revision(found: sqlite3.Row, event: Pending) -> None:
    if found["revision"] != event.revision:
        raise taken_back(event.event_id)


def _cover(db: sqlite3.Connection, lease: Lease, lead: Pending, covers: Iterable[Pending]) -> None:
    for covered in covers:
        found = _find(db, lease, covered)
        _check_revision(found, covered)
        _check_state(found, RECEIVED | UNDELIVERED)
        asked = {"lead": lead.event_id, "attempts": covered.attempts}
        db.execute(sql.COVER, event_fields(lease, covered) | asked)


def _count(db: sqlite3.Connection, bot: str, counts: Iterable[Count]) -> None:
    for count in counts:
        db.executemany(sql.COUNT, count_fields(bot, count))


def _charge(db: sqlite3.Connection, bot: str, budget: Budget) -> bool:
    asked = counted_fields(bot, [(budget.count.counter, budget.count.window)], now=0)
    allowed = within(budget, amounts_of(db.execute(sql.COUNTED, asked)))
    if allowed:
        _count(db, bot, [budget.count])
    return allowed
