"""One write to a DynamoDB table: its condition, and what the item comes to be."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from benchmarks.versus.servers.conditions import parse_condition
from benchmarks.versus.servers.expressions import Scope
from benchmarks.versus.servers.tables import KEYS, Table, check_storable, exact_key, key_of
from benchmarks.versus.servers.updates import parse_update, updated
from benchmarks.versus.servers.values import Invalid, Item, checked

Asked = Mapping[str, Any]

OLD_OR_NONE: Final = ("NONE", "ALL_OLD")
RETURNS: Final = {
    "Put": OLD_OR_NONE,
    "Delete": OLD_OR_NONE,
    "Update": (*OLD_OR_NONE, "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"),
}


class Unmet(Exception):
    """The condition of a write does not hold of the item, which is None where there is none."""

    def __init__(self, found: Item | None) -> None:
        self.found = found
        super().__init__("The conditional request failed")


class Written(NamedTuple):
    """What a write comes to: the item before and after, and the attributes that it touched."""

    before: Item | None
    after: Item | None
    touched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Write:
    """One write as it was asked for; `kind` is the name that transactions have for it."""

    kind: str
    table: Table
    key: tuple[str, str]
    asked: Asked

    @property
    def place(self) -> tuple[int, str, str]:
        """What tells the item from all others of all tables."""
        return id(self.table), *self.key

    def planned(self) -> Written:
        """What it comes to, without doing it. Raises Unmet, and Invalid."""
        before = self.table.find(*self.key)
        scope = scope_of(self.asked)
        self._check(before or {}, scope)
        return self._outcome(before, scope)

    def _check(self, before: Item, scope: Scope) -> None:
        text = self.asked.get("ConditionExpression")
        if text is not None and not parse_condition(text).test.holds(before, scope):
            raise Unmet(before or None)

    def _outcome(self, before: Item | None, scope: Scope) -> Written:
        return OUTCOMES[self.kind](self.asked, before, scope)

    def done(self, written: Written) -> None:
        """Do it."""
        if self.kind != "ConditionCheck":
            self.table.write(*self.key, written.after)


def _put(asked: Asked, before: Item | None, scope: Scope) -> Written:
    item = checked(asked["Item"])
    check_storable(item)
    return Written(before, item)


def _delete(asked: Asked, before: Item | None, scope: Scope) -> Written:
    return Written(before, None)


def _keep(asked: Asked, before: Item | None, scope: Scope) -> Written:
    return Written(before, before)


def _update(asked: Asked, before: Item | None, scope: Scope) -> Written:
    text = asked.get("UpdateExpression")
    if text is None:
        return Written(before, before or dict(asked["Key"]))
    update = parse_update(text)
    after, touched = updated(update, before or dict(asked["Key"]), scope, KEYS)
    if before is None and not update.creates:
        return Written(None, None)
    check_storable(after)
    return Written(before, after, tuple(touched))


OUTCOMES: Final[dict[str, Callable[[Asked, Item | None, Scope], Written]]] = {
    "Put": _put,
    "Delete": _delete,
    "ConditionCheck": _keep,
    "Update": _update,
}


def write_of(kind: str, table: Table, asked: Asked) -> Write:
    """A write, its expressions parsed and its names all used. Raises Invalid."""
    check_used(asked, _used(asked))
    key = key_of(asked["Item"]) if kind == "Put" else exact_key(asked["Key"])
    if kind == "ConditionCheck" and "ConditionExpression" not in asked:
        raise Invalid("The expression can not be empty;")
    return Write(kind, table, key, asked)


def _used(asked: Asked) -> Iterable[frozenset[str]]:
    if (condition := asked.get("ConditionExpression")) is not None:
        yield parse_condition(condition).used
    if (update := asked.get("UpdateExpression")) is not None:
        yield parse_update(update).used


def scope_of(asked: Asked) -> Scope:
    """What the names and values of a request stand for, values checked. Raises Invalid."""
    values = asked.get("ExpressionAttributeValues", {})
    return Scope(asked.get("ExpressionAttributeNames", {}), checked(values))


def check_used(asked: Asked, used: Iterable[frozenset[str]]) -> None:
    """Raises Invalid unless a request names what its expressions use, all of it and nothing else."""
    words = frozenset().union(*used)
    for field, what in (("ExpressionAttributeNames", "name"), ("ExpressionAttributeValues", "value")):
        given = asked.get(field)
        if given is None:
            given = {}
        elif not given:
            raise Invalid(f"{field} must not be empty")
        mark = "#" if what == "name" else ":"
        wanted = {word for word in words if word.startswith(mark)}
        if missing := wanted - given.keys():
            raise Invalid(_undefined(what, sorted(missing)[0]))
        if spare := given.keys() - wanted:
            raise Invalid(f"Value provided in {field} unused in expressions: keys: {{{', '.join(sorted(spare))}}}")


def _undefined(what: str, word: str) -> str:
    used = "used in the document path" if what == "name" else "used in expression"
    return f"An expression attribute {what} {used} is not defined; attribute {what}: {word}"


def returned(kind: str, asked: Asked, written: Written) -> dict[str, Item]:
    """What a write alone answers with. Raises Invalid."""
    wanted = check_returns(kind, asked)
    item = written.before if wanted.endswith("OLD") else written.after
    if wanted == "NONE" or not item:
        return {}
    if wanted.startswith("UPDATED"):
        item = {name: item[name] for name in written.touched if name in item}
    return {"Attributes": item} if item else {}


def check_returns(kind: str, asked: Asked) -> str:
    """What is to be returned. Raises Invalid."""
    wanted = str(asked.get("ReturnValues", "NONE"))
    if wanted not in RETURNS[kind]:
        raise Invalid("Return values set to invalid value")
    return wanted
