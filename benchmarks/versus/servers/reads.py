"""What DynamoDB's reads ask for: which items, and which of their attributes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from benchmarks.versus.servers.conditions import Condition, parse_condition
from benchmarks.versus.servers.expressions import Path, Scope, Words
from benchmarks.versus.servers.keys import Asked as AskedKeys
from benchmarks.versus.servers.keys import asked_keys
from benchmarks.versus.servers.tables import DUE, EMPTY, MAIN, Keys, Partition, Place, Stored, Table
from benchmarks.versus.servers.values import Invalid, Item
from benchmarks.versus.servers.writes import check_used, scope_of

Asked = Mapping[str, Any]

PAGE: Final = 1024 * 1024
"""Bytes of one answer (DynamoDB API reference: Query)."""


class Projection(NamedTuple):
    """The attributes to show, and the `#names` that occur."""

    paths: tuple[Path, ...]
    used: frozenset[str]


@lru_cache(maxsize=1024)
def parse_projection(text: str) -> Projection:
    """A projection expression. Raises Invalid."""
    words = Words(text, "ProjectionExpression")
    paths = [words.path()]
    while words.accept(","):
        paths.append(words.path())
    if words.next:
        raise words.wrong(words.next)
    return Projection(tuple(paths), frozenset(words.used))


def shown(asked: Asked) -> Callable[[Item], Item]:
    """Makes of an item what is shown of it; for requests whose names are those of the projection alone."""
    text = asked.get("ProjectionExpression")
    projection = None if text is None else parse_projection(text)
    check_used(asked, [projection.used] if projection else [])
    return _showing(projection, scope_of(asked))


def _showing(projection: Projection | None, scope: Scope) -> Callable[[Item], Item]:
    if projection is None:
        return lambda item: item
    names = [scope.name(path.written) for path in projection.paths]
    return lambda item: {name: item[name] for name in names if name in item}


@dataclass(frozen=True, slots=True)
class Query:
    """A Query that has been understood."""

    partition: Partition
    keys: Keys
    wanted: AskedKeys
    forward: bool
    after: Place | None
    limit: int | None
    condition: Condition | None
    scope: Scope
    show: Callable[[Item], Item]
    counts_only: bool

    def answer(self) -> dict[str, Any]:
        """One page."""
        page, last = self._page()
        items = [self.show(item) for item in page if self._is_wanted(item)]
        more = {} if last is None else {"LastEvaluatedKey": {name: last[name] for name in self.keys.all}}
        found = {"Count": len(items), "ScannedCount": len(page), **more}
        return found if self.counts_only else {"Items": items, **found}

    def _is_wanted(self, item: Item) -> bool:
        return self.condition is None or self.condition.test.holds(item, self.scope)

    def _page(self) -> tuple[list[Item], Item | None]:
        """The items that are read, and the last of them where there may be more."""
        page: list[Item] = []
        size = 0
        for stored in self._stored():
            size += stored.size
            if page and size > PAGE:
                return page, page[-1]
            page.append(stored.item)
            if len(page) == self.limit:
                return page, stored.item
        return page, None

    def _stored(self) -> Iterator[Stored]:
        return self.partition.within(self.wanted.bounds, self.forward, self.after)


def read_query(table: Table, asked: Asked) -> Query:
    """Understand a Query. Raises Invalid."""
    keys = _keys(asked)
    scope = scope_of(asked)
    condition = parse_condition(_key_text(asked), "KeyConditionExpression")
    filtered = _filter(asked, scope, keys)
    projection = parse_projection(asked["ProjectionExpression"]) if "ProjectionExpression" in asked else None
    check_used(asked, [one.used for one in (condition, filtered, projection) if one])
    wanted = asked_keys(condition.test, scope, keys.partition, keys.sort, keys.sort_kind)
    return Query(
        partition=table.indexed(keys).get(wanted.partition["S"], EMPTY),
        keys=keys,
        wanted=wanted,
        forward=bool(asked.get("ScanIndexForward", True)),
        after=_after(asked, keys),
        limit=_limit(asked),
        condition=filtered,
        scope=scope,
        show=_showing(projection, scope),
        counts_only=asked.get("Select") == "COUNT",
    )


def _key_text(asked: Asked) -> str:
    text = asked.get("KeyConditionExpression")
    if not isinstance(text, str):
        raise Invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
    return text


def _keys(asked: Asked) -> Keys:
    name = asked.get("IndexName")
    if name is None:
        return MAIN
    if name != DUE.name:
        raise Invalid(f"The table does not have the specified index: {name}")
    if asked.get("ConsistentRead"):
        raise Invalid("Consistent reads are not supported on global secondary indexes")
    return DUE


def _filter(asked: Asked, scope: Scope, keys: Keys) -> Condition | None:
    text = asked.get("FilterExpression")
    if text is None:
        return None
    condition = parse_condition(text, "FilterExpression")
    for name in sorted(condition.paths):
        if scope.name(name) in (keys.partition, keys.sort):
            text = "Filter Expression can only contain non-primary key attributes: Primary key attribute: "
            raise Invalid(text + scope.name(name))
    return condition


def _limit(asked: Asked) -> int | None:
    limit = asked.get("Limit")
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise Invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )
    return limit


def _after(asked: Asked, keys: Keys) -> Place | None:
    start = asked.get("ExclusiveStartKey")
    if start is None:
        return None
    if set(start) != set(keys.all):
        raise Invalid("The provided starting key is invalid")
    return keys.place(start)
