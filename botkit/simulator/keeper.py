"""The memory of a local LINE: everything that it knows in one SQLite file, so that it goes on after a restart."""

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final

from botkit.errors import StoreError
from botkit.simulator.platform import Platform
from botkit.simulator.records import Record

log = logging.getLogger(__name__)

IN_MEMORY: Final = ":memory:"
APPLICATION: Final = 0x626B4C31
"""What marks the file as ours: "bkL1" (SQLite: PRAGMA application_id)."""
SCHEMA_VERSION: Final = 1
"""Another one wherever an older file's records could no longer be read."""
BUSY: Final = 2.0
"""Seconds that another process, which may be about to end, is waited for."""

# A record keeps its `seq` when it is replaced, so that what was said stays in order.
SCHEMA: Final = """
CREATE TABLE records (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, data BLOB, until INTEGER,
    UNIQUE (kind, key)
);
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX records_age ON records (until) WHERE until IS NOT NULL;
"""
ALL: Final = "SELECT kind, key, value, data, until FROM records ORDER BY seq"
KEEP: Final = """
INSERT INTO records (kind, key, value, data, until) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value, data = excluded.data, until = excluded.until
"""
FORGET: Final = "DELETE FROM records WHERE kind = ? AND key = ?"
DROP_OLD: Final = "DELETE FROM records WHERE until < ?"
GET: Final = "SELECT value FROM notes WHERE name = ?"
PUT: Final = "INSERT INTO notes VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"

MOVE: Final = "move it away, and a new one is made"
# What can be done about a file that fails, by primary result code. (SQLite: Result and Error Codes.)
CURES: Final = {
    sqlite3.SQLITE_NOTADB: f"it is not a database; {MOVE}",
    sqlite3.SQLITE_CORRUPT: f"it is damaged; {MOVE}",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; make its folder one that you may write to",
    sqlite3.SQLITE_READONLY: "it may not be written; change its permissions",
    sqlite3.SQLITE_PERM: "it may not be opened; change its permissions",
    sqlite3.SQLITE_FULL: "the disk is full; make room",
    sqlite3.SQLITE_BUSY: "another botkit is running with it; end that one first",
    sqlite3.SQLITE_LOCKED: "another botkit is running with it; end that one first",
}


class Keeper:
    """A local LINE's memory in the file `path`, made with its folder where missing; None: gone with the process.

    Lives until `close()`, and has the file to itself: two LINEs on one file would each forget what the other
    was told. The lock is the system's own, so it ends with the process however that ends. Safe to use from
    several threads.

    Raises StoreError, with the cure, where the file cannot be opened or read. Where it cannot be written later on,
    that is logged and LINE goes on: it then forgets at its next start.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = Lock()
        self._closed = False
        self._failing = False
        self._db = _open(path)

    def restore(self, platform: Platform) -> None:
        """Let the platform know all that was kept. What is too old to matter is dropped."""
        with self._lock, _translated(self._path):
            self._db.execute(DROP_OLD, (platform.clock.now(),))
            rows = self._db.execute(ALL).fetchall()
        try:
            platform.restore([_record(*row) for row in rows])
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(f"{self._path}: what is kept in it cannot be read; {MOVE}") from error

    def watch(self, platform: Platform) -> None:
        """Keep every change from now on, at once."""
        platform.watch(self._keep)

    def get(self, name: str) -> Any | None:
        """What was put under this name, None where nothing was."""
        with self._lock, _translated(self._path):
            row = self._db.execute(GET, (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, name: str, value: Any) -> None:
        """Keep some JSON under a name, instead of what was there."""
        self._write(PUT, name, json.dumps(value))

    def close(self) -> None:
        """Give the file back. What changes after that is not kept."""
        with self._lock:
            self._closed = True
            self._db.close()

    def _keep(self, record: Record) -> None:
        key = json.dumps(record.key)
        if record.value is None:
            self._write(FORGET, record.kind, key)
        else:
            self._write(KEEP, record.kind, key, json.dumps(record.value), record.data, record.until)

    def _write(self, statement: str, *values: object) -> None:
        with self._lock:
            if self._closed:
                return
            try:
                with _translated(self._path):
                    self._db.execute(statement, values)
            except StoreError as error:
                if not self._failing:  # once, until it works again
                    log.error("what happens now is not kept: %s", error)
                self._failing = True
            else:
                self._failing = False


def _record(kind: Any, key: str, value: str, data: bytes | None, until: int | None) -> Record:
    return Record(kind, tuple(json.loads(key)), json.loads(value), data, until)


def _open(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        with suppress(OSError):  # SQLite says what is wrong with the place
            path.parent.mkdir(parents=True, exist_ok=True)
    with _translated(path):
        db = sqlite3.connect(path or IN_MEMORY, timeout=BUSY, isolation_level=None, check_same_thread=False)
    try:
        with _translated(path):
            _claim(db)
            _check(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _claim(db: sqlite3.Connection) -> None:
    """Lock the file for as long as the connection lives. (SQLite: PRAGMA locking_mode.)"""
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("BEGIN EXCLUSIVE")
    db.execute("COMMIT")


def _check(db: sqlite3.Connection, path: Path | None) -> None:
    """Make the schema in an empty file; refuse one that is not ours, or of another version, as it is."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    is_empty = (application, version, tables) == (0, 0, 0)
    if not is_empty and application != APPLICATION:
        raise StoreError(f"{path}: another program keeps its data in it; {MOVE}")
    if not is_empty and version != SCHEMA_VERSION:
        writer, cure = ("a newer", f"upgrade botkit, or {MOVE}") if version > SCHEMA_VERSION else ("an older", MOVE)
        known = f"schema {version}, this one knows {SCHEMA_VERSION}"
        raise StoreError(f"{path}: {writer} botkit wrote it ({known}); {cure}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    if is_empty:
        _create(db)


def _create(db: sqlite3.Connection) -> None:
    with db:
        db.execute("BEGIN IMMEDIATE")
        for statement in filter(str.strip, SCHEMA.split(";")):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION}")
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


@contextmanager
def _translated(path: Path | None) -> Iterator[None]:
    """Turns what sqlite3 raises into a StoreError that names the file and the cure."""
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the primary code; a misuse found by the module itself carries no code.
        cure = CURES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, str(error))
        raise StoreError(f"{path or 'the memory'}: {cure}") from error
