"""The SQLite file under a store: opening it, its schema, and its errors in our words."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from botkit.errors import StoreError

IN_MEMORY: Final = ":memory:"
SCHEMA_VERSION: Final = 4

# An event is in the inbox until it is DONE, and looked after by the sweep while it has a due_at. Events that
# are DONE keep their row for the dedupe. `turn` is the event whose turn answered this one; `lead` is later the
# event into whose answer that was joined.
SCHEMA: Final = """
CREATE TABLE conversations (
    bot TEXT, id TEXT, inbox_seq INTEGER NOT NULL DEFAULT 0, fence INTEGER NOT NULL DEFAULT 0,
    owner TEXT, lease_until INTEGER, expires_at INTEGER NOT NULL,
    PRIMARY KEY (bot, id)
) WITHOUT ROWID;
CREATE TABLE events (
    bot TEXT, id TEXT, conversation TEXT NOT NULL, at INTEGER NOT NULL, received_at INTEGER NOT NULL, due_at INTEGER,
    state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, sends INTEGER NOT NULL DEFAULT 0,
    via TEXT NOT NULL DEFAULT 'reply', charged INTEGER NOT NULL DEFAULT 0,
    noticed INTEGER NOT NULL DEFAULT 0, unsent INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL DEFAULT 0,
    user_id TEXT, message_id TEXT, body TEXT NOT NULL, answer TEXT, owners TEXT, retry_key TEXT,
    turn TEXT, lead TEXT, stamp TEXT, notes TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (bot, id)
) WITHOUT ROWID;
CREATE TABLE messages (
    bot TEXT, conversation TEXT, at INTEGER, event TEXT, turn_order INTEGER,
    role TEXT NOT NULL, text TEXT NOT NULL, speaker TEXT, tokens INTEGER NOT NULL, edited_at INTEGER,
    overheard INTEGER NOT NULL, user_id TEXT, expires_at INTEGER NOT NULL,
    PRIMARY KEY (bot, conversation, at, event, turn_order)
) WITHOUT ROWID;
CREATE TABLE message_ids (
    bot TEXT, chat TEXT, id TEXT, role TEXT NOT NULL, conversation TEXT, event TEXT, expires_at INTEGER NOT NULL,
    PRIMARY KEY (bot, chat, id)
) WITHOUT ROWID;
CREATE TABLE counters (
    bot TEXT, counter TEXT, time_window TEXT, name TEXT, amount INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    PRIMARY KEY (bot, counter, time_window, name)
) WITHOUT ROWID;
CREATE TABLE chats (
    bot TEXT, chat TEXT, parted_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    PRIMARY KEY (bot, chat)
) WITHOUT ROWID;
CREATE INDEX inbox ON events (bot, conversation, at, id) WHERE state != 'DONE';
CREATE INDEX due ON events (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX waiting_of ON events (bot, user_id) WHERE state != 'DONE';
CREATE INDEX events_age ON events (received_at);
CREATE INDEX messages_of ON messages (bot, user_id);
CREATE INDEX messages_age ON messages (expires_at);
CREATE INDEX message_ids_age ON message_ids (expires_at);
CREATE INDEX counters_age ON counters (expires_at);
CREATE INDEX conversations_age ON conversations (expires_at);
CREATE INDEX chats_age ON chats (expires_at);
"""

# What asking again does not mend, by primary result code, and its cure. (SQLite: Result and Error Codes.)
CURES: Final = {
    sqlite3.SQLITE_NOTADB: "it is not a database; move it away, or name another file in BOTKIT_STORE",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore a copy, or move it away and start afresh",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; name a file in a folder you may write to in BOTKIT_STORE",
    sqlite3.SQLITE_READONLY: "it may not be written; change its permissions, or name another file in BOTKIT_STORE",
    sqlite3.SQLITE_PERM: "it may not be opened; change its permissions, or name another file in BOTKIT_STORE",
}


@contextmanager
def translated(path: Path | str) -> Iterator[None]:
    """Turns what sqlite3 raises into a StoreError that names the file and, where there is one, the cure."""
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the primary code; a misuse found by the module itself carries no code.
        cure = CURES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        raise StoreError(f"{path}: {cure or error}", retryable=cure is None) from error


def open_database(path: Path | str, busy_timeout: float) -> sqlite3.Connection:
    """A connection for all threads of this process (its user must lock), the schema in place.

    `busy_timeout`: seconds to wait for other processes. Raises StoreError.
    """
    _create_folder(path)
    with translated(path):
        db = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None, check_same_thread=False)
    try:
        with translated(path):
            db.row_factory = sqlite3.Row
            _use_wal(db, busy_timeout)
            _create_schema(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _create_folder(path: Path | str) -> None:
    if str(path) == IN_MEMORY:
        return
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cure = "name a file in a folder you may write to in BOTKIT_STORE"
        raise StoreError(f"{path}: its folder cannot be created ({error.strerror}); {cure}") from error


def _use_wal(db: sqlite3.Connection, patience: float) -> None:
    # Two processes that open a new file together refuse each other the switch at once, whatever the
    # busy timeout says, so we wait here. (SQLite: sqlite3_busy_handler, on deadlocks.)
    give_up = time.monotonic() + patience
    while True:
        try:
            with closing(db.execute("PRAGMA journal_mode = WAL")) as cursor:
                cursor.fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def _create_schema(db: sqlite3.Connection, path: Path | str) -> None:
    with db:
        db.execute("BEGIN IMMEDIATE")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{path}: a newer botkit wrote it (schema {version}, this one knows {SCHEMA_VERSION}); "
                "upgrade botkit, or name another file in BOTKIT_STORE"
            )
        if version == SCHEMA_VERSION:
            return
        if version:
            raise StoreError(
                f"{path}: a botkit from before its first release wrote it (schema {version}, this one knows "
                f"{SCHEMA_VERSION}); move it away, or name another file in BOTKIT_STORE"
            )
        if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise StoreError(f"{path}: another program keeps its data in it; name another file in BOTKIT_STORE")
        # Not executescript: that would commit first, and another process could create the schema in between.
        for statement in filter(str.strip, SCHEMA.split(";")):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
