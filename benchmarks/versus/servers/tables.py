"""DynamoDB's tables: partitions in the order of their sort keys, and the sparse index that follows them."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final, NamedTuple

from benchmarks.versus.servers.keys import Bounds
from benchmarks.versus.servers.values import LARGEST_ITEM, Invalid, Item, kind_of, size_of, worth

LARGEST_KEYS: Final = {"pk": 2048, "sk": 1024}
"""Bytes (DynamoDB developer guide: Service quotas)."""

Place = tuple[Any, ...]
"""What items of a partition are sorted by: the sort key first, and then what tells those of one sort key apart."""

_sort_key = itemgetter(0)


class Keys(NamedTuple):
    """How a table or an index is keyed."""

    name: str
    partition: str
    sort: str
    sort_kind: str
    others: tuple[str, ...] = ()
    """What tells items of one partition and sort key apart."""

    @property
    def all(self) -> tuple[str, ...]:
        """The attributes of which a key consists."""
        return self.partition, self.sort, *self.others

    def place(self, item: Item) -> Place:
        """Where an item stands in its partition."""
        return worth(item[self.sort]), *(item[name]["S"] for name in self.others)

    def has(self, item: Item) -> bool:
        """Whether the item belongs there."""
        return self.partition in item and self.sort in item


MAIN: Final = Keys("", "pk", "sk", "S")
DUE: Final = Keys("due", "due_pk", "due_at", "N", ("pk", "sk"))
KEYS: Final = frozenset(MAIN.all)
PROJECTED: Final = (*DUE.all, "ttl")


class Stored(NamedTuple):
    """An item and its bytes."""

    item: Item
    size: int


@dataclass(slots=True)
class Partition:
    """The items of one partition key."""

    places: list[Place] = field(default_factory=list)
    items: dict[Place, Stored] = field(default_factory=dict)

    def put(self, place: Place, item: Item) -> None:
        """Put an item, whatever is there."""
        if place not in self.items:
            insort(self.places, place)
        self.items[place] = Stored(item, size_of(item))

    def drop(self, place: Place) -> None:
        """Take an item out, if there is one."""
        if self.items.pop(place, None) is not None:
            del self.places[bisect_left(self.places, place)]

    def within(self, bounds: Bounds, forward: bool, after: Place | None) -> Iterator[Stored]:
        """The items within bounds, in order, behind the place where the last page ended."""
        first, last = self._range(bounds)
        if after is not None and forward:
            first = max(first, bisect_right(self.places, after))
        elif after is not None:
            last = min(last, bisect_left(self.places, after))
        for at in range(first, last) if forward else range(last - 1, first - 1, -1):
            yield self.items[self.places[at]]

    def _range(self, bounds: Bounds) -> tuple[int, int]:
        first, last = 0, len(self.places)
        if bounds.low is not None:
            find = bisect_left if bounds.with_low else bisect_right
            first = find(self.places, bounds.low, key=_sort_key)
        if bounds.high is not None:
            find = bisect_right if bounds.with_high else bisect_left
            last = find(self.places, bounds.high, key=_sort_key)
        return first, last


EMPTY: Final = Partition()

Partitions = dict[str, Partition]


@dataclass(slots=True)
class Table:
    """One table and its index; lives until all is reset."""

    main: Partitions = field(default_factory=dict)
    due: Partitions = field(default_factory=dict)

    def indexed(self, keys: Keys) -> Partitions:
        """The partitions of the table itself, or of its index."""
        return self.due if keys is DUE else self.main

    def find(self, pk: str, sk: str) -> Item | None:
        """The item of a key."""
        stored = self.main.get(pk, EMPTY).items.get((sk,))
        return stored.item if stored else None

    def write(self, pk: str, sk: str, item: Item | None) -> None:
        """Put an item that has been checked; None deletes what is there."""
        before = self.find(pk, sk)
        if before is not None and DUE.has(before):
            self.due[before[DUE.partition]["S"]].drop(DUE.place(before))
        if item is None:
            self.main.get(pk, EMPTY).drop((sk,))
            return
        self.main.setdefault(pk, Partition()).put((sk,), item)
        if DUE.has(item):
            projected = {name: item[name] for name in PROJECTED if name in item}
            self.due.setdefault(item[DUE.partition]["S"], Partition()).put(DUE.place(item), projected)


def key_of(key: Mapping[str, Any]) -> tuple[str, str]:
    """The partition key and the sort key of an item. Raises Invalid."""
    return _text(key, "pk"), _text(key, "sk")


def exact_key(key: Mapping[str, Any]) -> tuple[str, str]:
    """The same of what is a key and nothing else. Raises Invalid."""
    if key.keys() != KEYS or any(kind_of(value) != "S" for value in key.values()):
        raise Invalid("The provided key element does not match the schema")
    return key_of(key)


def _text(key: Mapping[str, Any], name: str) -> str:
    value = key.get(name)
    if value is None:
        raise Invalid(f"One or more parameter values were invalid: Missing the key {name} in the item")
    if kind_of(value) != "S":
        text = f"Type mismatch for key {name} expected: S actual: {kind_of(value)}"
        raise Invalid(f"One or more parameter values were invalid: {text}")
    found = str(value["S"])
    if not found:
        text = "The AttributeValue for a key attribute cannot contain an empty string value. Key: "
        raise Invalid(f"One or more parameter values are not valid. {text}{name}")
    if len(found.encode()) > LARGEST_KEYS[name]:
        text = f"Size of {name} has exceeded the maximum size limit of {LARGEST_KEYS[name]} bytes"
        raise Invalid(f"One or more parameter values were invalid: {text}")
    return found


def check_storable(item: Item) -> None:
    """Raises Invalid where an item is too large, or where a key of the index is none."""
    for name, kind in ((DUE.partition, "S"), (DUE.sort, DUE.sort_kind)):
        if name in item and kind_of(item[name]) != kind:
            text = f"Type mismatch for Index Key {name} Expected: {kind} Actual: {kind_of(item[name])} IndexName: due"
            raise Invalid(f"One or more parameter values were invalid: {text}")
    if item.get(DUE.partition) == {"S": ""}:
        text = "The AttributeValue for a key attribute cannot contain an empty string value. IndexName: due"
        raise Invalid(f"One or more parameter values are not valid. {text}, IndexKey: {DUE.partition}")
    if size_of(item) > LARGEST_ITEM:
        raise Invalid("Item size has exceeded the maximum allowed size")


def check_distinct(keys: Sequence[Hashable], text: str) -> None:
    """Raises Invalid where a key comes twice."""
    if len(set(keys)) < len(keys):
        raise Invalid(text)
