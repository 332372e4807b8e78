"""A DynamoDB table in memory: items, conditional writes, and an index that follows the table a little later."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.expressions import Invalid, Item, condition, mentioned, ordered, update

KEY = ("pk", "sk")
_TYPES = frozenset({"S", "N", "BOOL", "NULL", "L", "M", "SS", "NS", "B"})
Key = tuple[str, str]
Asked = Mapping[str, Any]


class Refused(Exception):
    """The condition of a write does not hold; `item` is as it is."""

    def __init__(self, item: Item | None) -> None:
        self.item = item
        super().__init__("The conditional request failed")


def key_of(item: Item) -> Key:
    """The key of an item. Raises Invalid where it has none."""
    if any(name not in item or "S" not in item[name] or not item[name]["S"] for name in KEY):
        raise Invalid("One of the required keys was not given a value, or one of the wrong type")
    return item["pk"]["S"], item["sk"]["S"]


@dataclass
class Index:
    """A sparse index, eventually consistent: `lag` says by how many ms each write comes later."""

    hash_name: str
    range_name: str
    projected: tuple[str, ...]
    lag: Callable[[], int]
    items: dict[Key, Item] = field(default_factory=dict)
    _coming: deque[tuple[int, Key, Item | None]] = field(default_factory=deque)

    def follow(self, key: Key, item: Item | None, now: int) -> None:
        """Take over a write, later on and in order."""
        image = None
        if item is not None and self.hash_name in item and self.range_name in item:
            shown = (*KEY, self.hash_name, self.range_name, *self.projected)
            image = {name: item[name] for name in shown if name in item}
        after = self._coming[-1][0] if self._coming else 0
        self._coming.append((max(after, now + self.lag()), key, image))

    def catch_up(self, now: int) -> list[Item]:
        """The items as the index shows them now."""
        while self._coming and self._coming[0][0] <= now:
            _, key, image = self._coming.popleft()
            self.items.pop(key, None)
            if image is not None:
                self.items[key] = image
        return list(self.items.values())


class FakeTable:
    """The items and their rules. Every method is all or nothing, and raises Invalid as DynamoDB would."""

    def __init__(self, index: Index, now: Callable[[], int]) -> None:
        self.index = index
        self._now = now
        self._partitions: dict[str, dict[str, Item]] = {}

    def get(self, key: Item) -> Item | None:
        """The item, as it is now."""
        pk, sk = key_of(key)
        return self._partitions.get(pk, {}).get(sk)

    def items(self) -> list[Item]:
        """Everything, by key: for those who check the table from outside."""
        return [part[sk] for _, part in sorted(self._partitions.items()) for sk in sorted(part)]

    def unordered(self) -> Iterator[Item]:
        """Everything, faster."""
        return (item for part in self._partitions.values() for item in part.values())

    def planned(self, kind: str, asked: Asked) -> tuple[Key, Item | None]:
        """What a Put, Update, Delete or ConditionCheck would leave there. Raises Refused."""
        _check_placeholders(asked)
        key = key_of(asked["Item"] if kind == "Put" else asked["Key"])
        if kind != "Put" and len(asked["Key"]) != len(KEY):
            raise Invalid("The provided key element does not match the schema")
        old = self._partitions.get(key[0], {}).get(key[1])
        scope = (old or {}, asked.get("ExpressionAttributeNames", {}), asked.get("ExpressionAttributeValues", {}))
        if "ConditionExpression" in asked and not condition(asked["ConditionExpression"])(scope):
            raise Refused(old)
        if kind == "Put":
            return key, _checked(asked["Item"])
        if kind == "Delete":
            return key, None
        if kind == "ConditionCheck":
            return key, old
        return key, _updated(asked, scope, old)

    def write(self, changes: Sequence[tuple[Key, Item | None]]) -> None:
        """Make planned changes."""
        for (pk, sk), item in changes:
            partition = self._partitions.setdefault(pk, {})
            if partition.get(sk) is item:
                continue
            partition.pop(sk, None)
            if item is not None:
                partition[sk] = item
            self.index.follow((pk, sk), item, self._now())

    def select(self, asked: Asked) -> list[Item]:
        """The items that a Query's key condition names, in its order, less those before its start."""
        _check_placeholders(asked)
        names, values = asked.get("ExpressionAttributeNames", {}), asked.get("ExpressionAttributeValues", {})
        matches = condition(asked["KeyConditionExpression"])
        found: list[Item]
        sort: tuple[str, ...]
        if asked.get("IndexName"):
            if asked.get("ConsistentRead"):
                raise Invalid("Consistent reads are not supported on global secondary indexes")
            found, sort = self.index.catch_up(self._now()), (self.index.range_name, *KEY)
        else:
            # The key condition names one partition; the others cannot match.
            owner = {value["S"] for value in values.values() if "S" in value}
            found, sort = [item for pk in owner for item in self._partitions.get(pk, {}).values()], ("sk", "pk")
        found = [item for item in found if matches((item, names, values))]

        def place(item: Item) -> list[Any]:
            return [ordered(item[name])[1] for name in sort]

        backwards = asked.get("ScanIndexForward") is False
        found.sort(key=place, reverse=backwards)
        start = asked.get("ExclusiveStartKey")
        if start is None:
            return found
        return [item for item in found if (place(item) < place(start) if backwards else place(item) > place(start))]


def _updated(asked: Asked, scope: Any, old: Item | None) -> Item:
    changes: dict[str, Any] = {}
    for change in update(asked["UpdateExpression"]) if asked.get("UpdateExpression") else ():
        new = change(scope)
        if changes.keys() & new.keys():
            raise Invalid("Two document paths overlap with each other")
        changes |= new
    if changes.keys() & set(KEY):
        raise Invalid("Cannot update attribute. This attribute is part of the key")
    _checked({name: value for name, value in changes.items() if value is not None})
    after = {**(old or asked["Key"]), **changes}
    return {name: value for name, value in after.items() if value is not None}


def _checked(item: Item) -> Item:
    for name, value in item.items():
        kind = next(iter(value), "")
        if len(value) != 1 or kind not in _TYPES:
            raise Invalid(f"Supplied AttributeValue of {name} is not one value of a known type: {value}")
        if kind in ("SS", "NS") and not value[kind]:
            raise Invalid("An set may not be empty")
    return item


def _check_placeholders(asked: Asked) -> None:
    """DynamoDB refuses placeholders that are not used, and those that stand for nothing."""
    texts = [str(text) for name, text in asked.items() if name.endswith("Expression")]
    used = frozenset[str]().union(*map(mentioned, texts))
    given = {*asked.get("ExpressionAttributeNames", {}), *asked.get("ExpressionAttributeValues", {})}
    if used != given:
        raise Invalid(
            f"Value provided in ExpressionAttribute… unused, or missing, in expressions: {sorted(used ^ given)}"
        )
    for empty in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        if empty in asked and not asked[empty]:
            raise Invalid(f"{empty} must not be empty")
