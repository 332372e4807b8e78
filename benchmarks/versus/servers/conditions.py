"""DynamoDB's conditions, parsed once for each text: of writes, of filters, and of keys."""

import operator
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

from benchmarks.versus.servers.expressions import Operand, Path, Scope, Size, Words
from benchmarks.versus.servers.values import Invalid, Item, Value, equal, kind_of, worth

ORDERINGS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ORDERED: Final = frozenset({"S", "N", "B"})


class Test(Protocol):
    """A condition, or a part of one."""

    def holds(self, item: Item, scope: Scope) -> bool:
        """Whether it holds of an item, which is empty where there is none."""
        ...


class Condition(NamedTuple):
    """A condition, the `#names` and `:values` that occur in it, and the attributes as they are written."""

    test: Test
    used: frozenset[str]
    paths: frozenset[str]


@dataclass(frozen=True, slots=True)
class Compared:
    """Two operands and what stands between them."""

    left: Operand
    sign: str
    right: Operand

    def holds(self, item: Item, scope: Scope) -> bool:
        """See `Test.holds`. What is not there is different from everything, and neither more nor less."""
        left, right = self.left.read(item, scope), self.right.read(item, scope)
        if left is None or right is None:
            return self.sign == "<>"
        if self.sign in ("=", "<>"):
            return equal(left, right) == (self.sign == "=")
        return is_ordered(left, right) and ORDERINGS[self.sign](worth(left), worth(right))


@dataclass(frozen=True, slots=True)
class Between:
    """An operand and its bounds, both included."""

    operand: Operand
    low: Operand
    high: Operand

    def holds(self, item: Item, scope: Scope) -> bool:
        """See `Test.holds`."""
        one, low, high = (each.read(item, scope) for each in (self.operand, self.low, self.high))
        if one is None or low is None or high is None or not is_ordered(one, low) or not is_ordered(one, high):
            return False
        return bool(worth(low) <= worth(one) <= worth(high))


@dataclass(frozen=True, slots=True)
class Among:
    """An operand, and what it may be."""

    operand: Operand
    choices: tuple[Operand, ...]

    def holds(self, item: Item, scope: Scope) -> bool:
        """See `Test.holds`."""
        one = self.operand.read(item, scope)
        found = [choice.read(item, scope) for choice in self.choices]
        return one is not None and any(other is not None and equal(one, other) for other in found)


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether there is such an attribute, or none."""

    path: Path
    wanted: bool

    def holds(self, item: Item, scope: Scope) -> bool:
        """See `Test.holds`."""
        return (self.path.read(item, scope) is not None) == self.wanted


@dataclass(frozen=True, slots=True)
class Called:
    """A function of an attribute and an operand."""

    function: Callable[[Value, Value], bool]
    left: Operand
    right: Operand

    def holds(self, item: Item, scope: Scope) -> bool:
        """See `Test.holds`."""
        left, right = self.left.read(item, scope), self.right.read(item, scope)
        return left is not None and right is not None and self.function(left, right)


@dataclass(frozen=True, slots=True)
class Both:
    """Two conditions of which both must hold."""

    left: Test
    right: Test

    def holds(self, item: Item, scope: Scope) -> bool:
        """See `Test.holds`."""
        return self.left.holds(item, scope) and self.right.holds(item, scope)


@dataclass(frozen=True, slots=True)
class Either:
    """Two conditions of which one must hold."""

    left: Test
    right: Test

    def holds(self, item: Item, scope: Scope) -> bool:
        """See `Test.holds`."""
        return self.left.holds(item, scope) or self.right.holds(item, scope)


@dataclass(frozen=True, slots=True)
class Not:
    """A condition that must not hold."""

    test: Test

    def holds(self, item: Item, scope: Scope) -> bool:
        """See `Test.holds`."""
        return not self.test.holds(item, scope)


def is_ordered(one: Value, other: Value) -> bool:
    """Whether one can be more than the other."""
    return kind_of(one) == kind_of(other) and kind_of(one) in ORDERED


def begins_with(value: Value, start: Value) -> bool:
    """Whether a text or bytes begin so."""
    kind = kind_of(value)
    if kind != kind_of(start) or kind not in ("S", "B"):
        return False
    return bool(worth(value).startswith(worth(start)))


def contains(value: Value, part: Value) -> bool:
    """Whether a text has a part, or a set or list an entry."""
    kind, content = kind_of(value), value[kind_of(value)]
    if kind == "S":
        return kind_of(part) == "S" and part["S"] in content
    if kind == "B":
        return kind_of(part) == "B" and b64decode(part["B"]) in b64decode(content)
    if kind == "L":
        return any(equal(one, part) for one in content)
    return kind in ("SS", "NS", "BS") and kind_of(part) == kind[0] and worth(part) in worth(value)


def is_of_type(value: Value, kind: Value) -> bool:
    """Whether a value is of the type named."""
    return kind_of(value) == kind.get("S")


FUNCTIONS: Final = {"begins_with": begins_with, "contains": contains, "attribute_type": is_of_type}
EXISTENCE: Final = {"attribute_exists": True, "attribute_not_exists": False}


@lru_cache(maxsize=4096)
def parse_condition(text: str, kind: str = "ConditionExpression") -> Condition:
    """A condition. Raises Invalid."""
    words = Words(text, kind)
    test = _either(words)
    if words.next:
        raise words.wrong(words.next)
    return Condition(test, frozenset(words.used), frozenset(words.paths))


def _either(words: Words) -> Test:
    test = _both(words)
    while words.accept("OR"):
        test = Either(test, _both(words))
    return test


def _both(words: Words) -> Test:
    test = _not(words)
    while words.accept("AND"):
        test = Both(test, _not(words))
    return test


def _not(words: Words) -> Test:
    return Not(_not(words)) if words.accept("NOT") else _primary(words)


def _primary(words: Words) -> Test:
    if words.accept("("):
        test = _either(words)
        words.expect(")")
        return test
    if words.after_next() == "(" and words.next != "size":
        return _called(words)
    return _compared(words)


def _called(words: Words) -> Test:
    name = words.take()
    words.expect("(")
    test: Test
    if name in EXISTENCE:
        test = Exists(words.path(), EXISTENCE[name])
    elif name in FUNCTIONS:
        left = words.path()
        words.expect(",")
        test = Called(FUNCTIONS[name], left, _operand(words))
    else:
        raise Invalid(f"Invalid {words.kind}: Invalid function name; function: {name}")
    words.expect(")")
    return test


def _compared(words: Words) -> Test:
    left = _operand(words)
    if words.accept("BETWEEN"):
        low = _operand(words)
        words.expect("AND")
        return Between(left, low, _operand(words))
    if words.accept("IN"):
        return Among(left, _choices(words))
    sign = words.take()
    if sign not in ORDERINGS and sign not in ("=", "<>"):
        raise words.wrong(sign)
    return Compared(left, sign, _operand(words))


def _choices(words: Words) -> tuple[Operand, ...]:
    words.expect("(")
    found = [_operand(words)]
    while words.accept(","):
        found.append(_operand(words))
    words.expect(")")
    if len(found) > 100:
        text = "The IN operator is provided with too many operands; number of operands: "
        raise Invalid(f"Invalid {words.kind}: {text}{len(found)}")
    return tuple(found)


def _operand(words: Words) -> Operand:
    if words.next.startswith(":"):
        return words.given()
    if words.next == "size" and words.after_next() == "(":
        words.take()
        words.expect("(")
        size = Size(words.path())
        words.expect(")")
        return size
    return words.path()
