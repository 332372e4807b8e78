"""The stores that the conformance suite runs on: three of our own, or the one that BOTKIT_CONFORMANCE_STORE names."""

import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from botkit.ports import Arrival, Conversation, Lease, Record, Store
from botkit.stores.dynamodb import DynamoStore
from botkit.stores.memory import MemoryStore
from botkit.stores.sqlite import SqliteStore

GIVEN = os.environ.get("BOTKIT_CONFORMANCE_STORE", "")
"""`sqlite:///path.db` or `dynamodb://TABLE`: the suite runs on this store alone, which others may use and need not be empty."""

Opener = Callable[[], Store]
"""Opens the same store anew each time, as a process that starts."""


def _memory(request: pytest.FixtureRequest, folder: Path) -> Opener:
    return MemoryStore


def _sqlite(request: pytest.FixtureRequest, folder: Path) -> Opener:
    return lambda: SqliteStore(folder / "botkit.db")


def _dynamodb(request: pytest.FixtureRequest, folder: Path) -> Opener:
    table = request.getfixturevalue("dynamodb_table")
    client = request.getfixturevalue("lean_dynamodb_client")
    return lambda: DynamoStore(table, client)


def _given(request: pytest.FixtureRequest, folder: Path) -> Opener:
    kind, _, place = GIVEN.partition("://")
    prefix = f"test-{uuid.uuid4().hex[:12]}-"
    if kind == "sqlite":
        return lambda: named_afresh(SqliteStore(Path(place[1:])), prefix)
    if kind == "dynamodb":
        return lambda: named_afresh(DynamoStore(place.strip("/")), prefix)
    raise pytest.UsageError(f"BOTKIT_CONFORMANCE_STORE is {GIVEN!r}; write sqlite:///path.db or dynamodb://TABLE")


OPENERS: dict[str, Callable[[pytest.FixtureRequest, Path], Opener]] = (
    {"given": _given} if GIVEN else {"memory": _memory, "sqlite": _sqlite, "dynamodb": _dynamodb}
)
"""How each kind of store is opened for one test. A further kind is a further line here."""

LASTING = [kind for kind in OPENERS if kind != "memory"]
"""The kinds that outlive their process."""


def named_afresh(store: Store, prefix: str) -> Store:
    """The store, with every bot's name prefixed on its way in and as the test knows it on its way out."""
    return cast(Store, _NamedAfresh(store, prefix))


class _NamedAfresh:
    BY_BOT = frozenset(
        {
            "unsend",
            "conversation_of",
            "said_by_bot",
            "forget",
            "disband",
            "part",
            "parted_at",
            "counted",
            "tally",
            "record",
        }
    )

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        rename = self._first if name in self.BY_BOT else self._each

        def call(*arguments: Any, **options: Any) -> Any:
            return self._old(method(*rename(arguments), **options))

        return call

    def overdue(self, now: int, limit: int, bots: Sequence[str]) -> list[Conversation]:
        found = self._store.overdue(now, limit, [self._prefix + bot for bot in bots])
        return [self._old(conversation) for conversation in found]

    def _first(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        bot, *others = arguments
        return (self._prefix + bot, *others)

    def _each(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(_rebotted(value, lambda bot: self._prefix + bot) for value in arguments)

    def _old(self, value: Any) -> Any:
        return _rebotted(value, lambda bot: bot.removeprefix(self._prefix))


def _rebotted(value: Any, name: Callable[[str], str]) -> Any:
    if isinstance(value, Conversation):
        return replace(value, bot=name(value.bot))
    if isinstance(value, Arrival | Lease | Record):
        return replace(value, conversation=_rebotted(value.conversation, name))
    return value
