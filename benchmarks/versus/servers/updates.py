"""DynamoDB's update expressions, parsed once for each text."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from benchmarks.versus.servers.expressions import Operand, Path, Scope, Words
from benchmarks.versus.servers.values import Invalid, Item, Value, kind_of, total, worth

KIND: Final = "UpdateExpression"
MISSING: Final = "The provided expression refers to an attribute that does not exist in the item"


@dataclass(frozen=True, slots=True)
class IfNotExists:
    """An attribute, or else another value."""

    path: Path
    otherwise: Operand

    def read(self, item: Item, scope: Scope) -> Value | None:
        """See `Operand.read`."""
        found = self.path.read(item, scope)
        return self.otherwise.read(item, scope) if found is None else found


@dataclass(frozen=True, slots=True)
class Joined:
    """Two lists, one after the other."""

    left: Operand
    right: Operand

    def read(self, item: Item, scope: Scope) -> Value | None:
        """See `Operand.read`."""
        left, right = self.left.read(item, scope), self.right.read(item, scope)
        if left is None or right is None:
            raise Invalid(MISSING)
        if kind_of(left) != "L" or kind_of(right) != "L":
            raise Invalid("An operand in the update expression has an incorrect data type")
        return {"L": left["L"] + right["L"]}


@dataclass(frozen=True, slots=True)
class Sum:
    """Two numbers and the sign between them."""

    left: Operand
    sign: str
    right: Operand

    def read(self, item: Item, scope: Scope) -> Value | None:
        """See `Operand.read`."""
        left, right = self.left.read(item, scope), self.right.read(item, scope)
        if left is None or right is None:
            raise Invalid(MISSING)
        return added(left, right, -1 if self.sign == "-" else 1)


def added(value: Value, more: Value, sign: int = 1) -> Value:
    """The sum of two numbers."""
    if kind_of(value) != "N" or kind_of(more) != "N":
        raise Invalid("An operand in the update expression has an incorrect data type")
    return {"N": total(value["N"], more["N"], sign)}


class Change(NamedTuple):
    """What happens to one attribute; `value` says what it comes to, None where it goes."""

    path: Path
    value: Callable[[Item, Scope], Value | None]


class Update(NamedTuple):
    """All that an update expression does, and the `#names` and `:values` that occur in it."""

    changes: tuple[Change, ...]
    used: frozenset[str]
    creates: bool
    """Whether there is an item afterwards where none was."""


@lru_cache(maxsize=4096)
def parse_update(text: str) -> Update:
    """An update expression. Raises Invalid."""
    words = Words(text, KIND)
    changes: list[Change] = []
    seen: list[str] = []
    while words.next:
        clause = words.take().upper()
        if clause not in CLAUSES or clause in seen:
            raise words.wrong(clause)
        seen.append(clause)
        changes += _changes(words, CLAUSES[clause])
    return Update(tuple(changes), frozenset(words.used), bool({"SET", "ADD"}.intersection(seen)))


def _changes(words: Words, read: Callable[[Words], Change]) -> list[Change]:
    changes = [read(words)]
    while words.accept(","):
        changes.append(read(words))
    return changes


def _set(words: Words) -> Change:
    path = words.path()
    words.expect("=")
    operand = _operand(words)
    if words.next in ("+", "-"):
        operand = Sum(operand, words.take(), _operand(words))
    return Change(path, lambda item, scope: _present(operand.read(item, scope)))


def _present(value: Value | None) -> Value:
    if value is None:
        raise Invalid(MISSING)
    return value


def _operand(words: Words) -> Operand:
    if words.next.startswith(":"):
        return words.given()
    if words.after_next() == "(":
        return _function(words)
    return words.path()


def _function(words: Words) -> Operand:
    name = words.take()
    words.expect("(")
    operand: Operand
    if name == "if_not_exists":
        path = words.path()
        words.expect(",")
        operand = IfNotExists(path, _operand(words))
    elif name == "list_append":
        left = _operand(words)
        words.expect(",")
        operand = Joined(left, _operand(words))
    else:
        raise Invalid(f"Invalid {KIND}: Invalid function name; function: {name}")
    words.expect(")")
    return operand


def _remove(words: Words) -> Change:
    return Change(words.path(), lambda item, scope: None)


def _add(words: Words) -> Change:
    path, more = words.path(), words.given()
    return Change(path, lambda item, scope: _increased(path.read(item, scope), scope.value(more.written)))


def _increased(value: Value | None, more: Value) -> Value:
    kind = kind_of(more)
    if kind not in ("N", "SS", "NS", "BS"):
        text = "Incorrect operand type for operator or function; operator: ADD, operand type: "
        raise Invalid(f"Invalid {KIND}: {text}{kind}")
    if value is None:
        return more
    if kind == "N":
        return added(value, more)
    if kind_of(value) != kind:
        raise Invalid("An operand in the update expression has an incorrect data type")
    return {kind: list(dict.fromkeys(value[kind] + more[kind]))}


def _delete(words: Words) -> Change:
    path, less = words.path(), words.given()
    return Change(path, lambda item, scope: _decreased(path.read(item, scope), scope.value(less.written)))


def _decreased(value: Value | None, less: Value) -> Value | None:
    kind = kind_of(less)
    if kind not in ("SS", "NS", "BS"):
        text = "Incorrect operand type for operator or function; operator: DELETE, operand type: "
        raise Invalid(f"Invalid {KIND}: {text}{kind}")
    if value is None:
        return None
    if kind_of(value) != kind:
        raise Invalid("An operand in the update expression has an incorrect data type")
    gone = worth(less)
    left = [one for one in value[kind] if worth({kind[0]: one}) not in gone]
    return {kind: left} if left else None


CLAUSES: Final[dict[str, Callable[[Words], Change]]] = {"SET": _set, "REMOVE": _remove, "ADD": _add, "DELETE": _delete}


def updated(update: Update, item: Item, scope: Scope, keys: frozenset[str]) -> tuple[Item, list[str]]:
    """The item as it comes to be, and the attributes that were touched; `keys` must not be. Raises Invalid."""
    names = [scope.name(change.path.written) for change in update.changes]
    for name in names:
        if name in keys:
            text = "Cannot update attribute {}. This attribute is part of the key"
            raise Invalid(f"One or more parameter values were invalid: {text.format(name)}")
    if len(set(names)) < len(names):
        raise Invalid(
            f"Invalid {KIND}: Two document paths overlap with each other; must remove or rewrite one of these paths"
        )
    # All of them see the item as it was.
    values = [change.value(item, scope) for change in update.changes]
    after = item | {name: value for name, value in zip(names, values, strict=True) if value is not None}
    for name, value in zip(names, values, strict=True):
        if value is None:
            after.pop(name, None)
    return after, names
