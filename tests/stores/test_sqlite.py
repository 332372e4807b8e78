"""What is particular to the SQLite store: its file, and other processes at it."""

import multiprocessing
import sqlite3
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import TypeVar

import pytest

from botkit.errors import LeaseLost, StoreError
from botkit.stores.memory import MemoryStore
from botkit.stores.sqlite import SqliteStore
from tests.support.hammer import accept_all, lease_and_release, lease_many, meet_at
from tests.support.samples import (
    ANSWER,
    DAY,
    HANA,
    HANAS_CHAT,
    NOTE,
    NOW,
    arrival,
    memory,
    pending,
    read,
    receive,
    remember,
    texts,
    tokens,
)

T = TypeVar("T")


def in_two_processes(work: Callable[..., T], *arguments: tuple[object, ...]) -> list[T]:
    """What `work` returns for each of the two tuples of arguments, each in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn, initializer=meet_at, initargs=(spawn.Barrier(2),)) as pool:
        running = [pool.submit(work, *given) for given in arguments]
        return [future.result(timeout=60) for future in running]


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


# ---------------------------------------------------------------- other processes


def test_two_processes_that_create_the_file_and_accept_together_make_each_event_new_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "botkit.db"
    outcomes = in_two_processes(accept_all, (path, 100), (path, 100))
    assert [sorted(pair) for pair in zip(*outcomes, strict=True)] == [["NEW", "PENDING"]] * 100


def test_two_processes_leasing_never_both_win(tmp_path: Path) -> None:
    path = tmp_path / "botkit.db"
    granted = in_two_processes(lease_many, (path, "a", 100), (path, "b", 100))
    assert sorted(granted[0] + granted[1]) == list(range(100))


def test_two_processes_taking_turns_never_get_one_fence_twice(tmp_path: Path) -> None:
    path = tmp_path / "botkit.db"
    fences = in_two_processes(lease_and_release, (path, "a", 100), (path, "b", 100))
    assert sorted(fences[0] + fences[1]) == list(range(1, 201))


def test_another_process_that_writes_for_too_long_is_an_error_that_passes(tmp_path: Path) -> None:
    path = tmp_path / "botkit.db"
    with closing(SqliteStore(path, busy_timeout=0.01)) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"botkit\.db: database is locked") as caught:
            store.accept(arrival())
        other.rollback()
        assert caught.value.retryable
        assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
        assert store.accept(arrival()).name == "NEW"


def test_a_write_waits_for_another_process_and_sees_what_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "botkit.db"
    with closing(SqliteStore(path)) as store, closing(sqlite3.connect(path, check_same_thread=False)) as other:
        lease = receive(store)
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE conversations SET fence = 9")
        commit = Timer(0.05, other.commit)
        commit.start()
        with pytest.raises(LeaseLost):
            store.answer(lease, pending(), ANSWER)
        commit.join()


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "botkit.db"
    with closing(SqliteStore(path, busy_timeout=0.01)) as store, closing(sqlite3.connect(path)) as other:
        remember(store, HANA, memory("question"))
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM messages")
        assert texts(store) == ["question"]


# ---------------------------------------------------------------- the file


def test_the_folder_is_created(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "botkit.db"
    SqliteStore(path).close()
    assert path.exists()


def test_the_file_may_be_named_by_a_string(tmp_path: Path) -> None:
    SqliteStore(f"{tmp_path}/botkit.db").close()
    assert rows(tmp_path / "botkit.db", "PRAGMA journal_mode") == [("wal",)]


def test_a_file_that_is_no_database_is_named_with_a_cure(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary, " * 100)
    with pytest.raises(StoreError) as caught:
        SqliteStore(path)
    assert str(caught.value) == (f"{path}: it is not a database; move it away, or name another file in BOTKIT_STORE")
    assert not caught.value.retryable
    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)
    assert path.read_text().startswith("Dear diary")


def test_a_damaged_file_is_named_with_a_cure(tmp_path: Path) -> None:
    path = tmp_path / "botkit.db"
    with closing(SqliteStore(path)) as store:
        remember(store, HANA, *(memory("question " * 100, f"e{n}") for n in range(100)))
    pages = bytearray(path.read_bytes())
    pages[4096:] = b"\xff" * (len(pages) - 4096)
    path.write_bytes(pages)
    with (
        pytest.raises(StoreError, match=r"botkit\.db: it is damaged; restore a copy"),
        closing(SqliteStore(path)) as store,
    ):
        texts(store)


def test_a_folder_in_the_place_of_the_file_is_named_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        SqliteStore(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: it cannot be opened; name a file in a folder you may write to in BOTKIT_STORE"
    )


def test_a_folder_that_cannot_be_created_is_named_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "below" / "botkit.db"
    with pytest.raises(StoreError) as caught:
        SqliteStore(path)
    assert str(caught.value) == (
        f"{path}: its folder cannot be created (Not a directory); "
        "name a file in a folder you may write to in BOTKIT_STORE"
    )


def test_a_file_of_a_newer_botkit_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "botkit.db"
    SqliteStore(path).close()
    rows(path, "PRAGMA user_version = 7")
    with pytest.raises(StoreError) as caught:
        SqliteStore(path)
    assert str(caught.value) == (
        f"{path}: a newer botkit wrote it (schema 7, this one knows 4); "
        "upgrade botkit, or name another file in BOTKIT_STORE"
    )


def test_a_file_from_before_the_first_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "botkit.db"
    rows(path, "CREATE TABLE events (bot, conversation, id)")
    rows(path, "PRAGMA user_version = 1")
    with pytest.raises(StoreError) as caught:
        SqliteStore(path)
    assert str(caught.value) == (
        f"{path}: a botkit from before its first release wrote it (schema 1, this one knows 4); "
        "move it away, or name another file in BOTKIT_STORE"
    )
    assert not caught.value.retryable
    assert rows(path, "SELECT name FROM sqlite_master") == [("events",)]


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    rows(path, "CREATE TABLE photos (id)")
    with pytest.raises(StoreError, match="another program keeps its data in it"):
        SqliteStore(path)
    assert rows(path, "SELECT name FROM sqlite_master") == [("photos",)]


def test_the_schema_has_a_version(tmp_path: Path) -> None:
    path = tmp_path / "botkit.db"
    SqliteStore(path).close()
    assert rows(path, "PRAGMA user_version") == [(4,)]


def test_a_closed_store_fails(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "botkit.db")
    store.close()
    with pytest.raises(StoreError, match="closed database"):
        store.accept(arrival())


def test_memory_stores_share_nothing() -> None:
    with closing(MemoryStore()) as one, closing(MemoryStore()) as other:
        remember(one, HANA, memory("secret"))
        assert texts(other) == []


# ---------------------------------------------------------------- what stays and what goes


def test_accepting_deletes_what_has_expired(tmp_path: Path) -> None:
    path = tmp_path / "botkit.db"
    with closing(SqliteStore(path)) as store:
        lease = receive(store, message_id="m1")
        said = [memory("question", expires_at=NOW + DAY)]
        store.answer(lease, pending(), ANSWER, memories=said, counts=[tokens()])
        store.finish(lease, pending(), "DONE", HANAS_CHAT, ["m9"])
        store.unsend(HANA.bot, HANAS_CHAT, "never came", NOW)
        store.accept(arrival("e2", received_at=NOW + 100 * DAY))
    tables = ("events", "messages", "message_ids", "counters")
    left = {table: rows(path, f"SELECT count(*) FROM {table}")[0][0] for table in tables}
    assert left == {"events": 1, "messages": 0, "message_ids": 0, "counters": 0}
    assert rows(path, "SELECT inbox_seq, owner FROM conversations") == [(1, None)]


def test_a_parting_is_forgotten_after_400_days(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "botkit.db")) as store:
        store.part(HANA.bot, HANAS_CHAT, NOW)
        for days, known in ((399, NOW), (400, None)):
            store.accept(arrival(f"e{days}", received_at=NOW + days * DAY))
            assert store.parted_at(HANA.bot, HANAS_CHAT) == known


@pytest.mark.parametrize(("state", "answer_kept"), [("DONE", False), ("UNDELIVERED", True)])
def test_a_finished_event_drops_its_text(tmp_path: Path, state: str, answer_kept: bool) -> None:
    path = tmp_path / "botkit.db"
    with closing(SqliteStore(path)) as store:
        lease = receive(store)
        store.answer(lease, pending(), ANSWER)
        store.finish(lease, pending(), state, HANAS_CHAT)
    found = rows(path, "SELECT state, body, answer IS NOT NULL, retry_key FROM events")
    assert found == [(state, "", answer_kept, ANSWER.retry_key)]


def test_a_covered_event_drops_its_text_and_its_answer(tmp_path: Path) -> None:
    path = tmp_path / "botkit.db"
    with closing(SqliteStore(path)) as store:
        store.accept(arrival("e2"))
        lease = receive(store)
        store.answer(lease, pending(), ANSWER, waits=True)
        store.answer(lease, pending("e2"), None, covers=[pending()])
    assert rows(path, "SELECT id, body, answer FROM events") == [("e1", "", None), ("e2", "", None)]


def test_nothing_said_in_a_message_unsent_is_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "botkit.db"
    with closing(SqliteStore(path)) as store:
        lease = receive(store, message_id="m1")
        store.answer(lease, pending(), ANSWER, memories=[memory("question")], notes=[NOTE], waits=True)
        store.unsend(HANA.bot, HANAS_CHAT, "m1", NOW)
    assert rows(path, "SELECT body, answer FROM events") == [("", None)]
    assert rows(path, "SELECT text FROM messages") == []


def test_nothing_said_by_a_person_forgotten_is_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "botkit.db"
    with closing(SqliteStore(path)) as store:
        lease = receive(store, user_id="U1")
        store.answer(
            lease, read(store, lease), ANSWER, memories=[replace(memory("question"), user_id="U1")], waits=True
        )
        store.accept(arrival("e2", user_id="U1"))
        store.forget(HANA.bot, "U1", NOW)
    assert rows(path, "SELECT body, answer FROM events") == [("", None)] * 2
    assert rows(path, "SELECT text FROM messages") == []


def test_of_a_message_unsent_before_it_came_only_its_id_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "botkit.db"
    with closing(SqliteStore(path)) as store:
        store.unsend(HANA.bot, HANAS_CHAT, "m1", NOW)
        store.accept(arrival(message_id="m1", user_id="U1"))
    assert rows(path, "SELECT body, user_id, message_id, due_at FROM events") == [("", None, None, None)]
