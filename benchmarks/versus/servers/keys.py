"""DynamoDB's key conditions: which partition a Query reads, and which of its sort keys."""

from typing import Any, NamedTuple

from benchmarks.versus.servers.conditions import Between, Both, Called, Compared, Test, begins_with
from benchmarks.versus.servers.expressions import Given, Operand, Path, Scope
from benchmarks.versus.servers.values import Invalid, Value, kind_of, worth


class Bounds(NamedTuple):
    """Which sort keys are asked for: what they are worth, and whether the bound itself is meant. None: no bound."""

    low: Any = None
    with_low: bool = True
    high: Any = None
    with_high: bool = True


class Asked(NamedTuple):
    """The partition and the sort keys of a Query."""

    partition: Value
    bounds: Bounds


def asked_keys(test: Test, scope: Scope, partition: str, sort: str, sort_kind: str) -> Asked:
    """What a key condition asks for, in a table or index of these keys. Raises Invalid."""
    first, second = (test.left, test.right) if isinstance(test, Both) else (test, None)
    if second is not None and _name(second, scope) == partition:
        first, second = second, first
    if not isinstance(first, Compared) or first.sign != "=" or _name(first, scope) != partition:
        raise Invalid(f"Query condition missed key schema element: {partition}")
    value = _given(first.right, scope, "S")
    if second is None:
        return Asked(value, Bounds())
    if _name(second, scope) != sort:
        raise Invalid(f"Query condition missed key schema element: {sort}")
    return Asked(value, _bounds(second, scope, sort_kind))


def _name(test: Test, scope: Scope) -> str:
    operand = test.operand if isinstance(test, Between) else getattr(test, "left", None)
    if not isinstance(operand, Path):
        raise Invalid("Invalid KeyConditionExpression: Invalid condition in KeyConditionExpression")
    return scope.name(operand.written)


def _given(operand: Operand, scope: Scope, kind: str) -> Value:
    if not isinstance(operand, Given):
        raise Invalid("Invalid KeyConditionExpression: Invalid condition in KeyConditionExpression")
    value = scope.value(operand.written)
    if kind_of(value) != kind:
        raise Invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
    return value


def _bounds(test: Test, scope: Scope, kind: str) -> Bounds:
    if isinstance(test, Between):
        low, high = worth(_given(test.low, scope, kind)), worth(_given(test.high, scope, kind))
        if low > high:
            text = "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"
            raise Invalid(f"Invalid KeyConditionExpression: {text}")
        return Bounds(low, True, high, True)
    if isinstance(test, Called) and test.function is begins_with and kind == "S":
        start = worth(_given(test.right, scope, kind))
        return Bounds(start, True, start + "\U0010ffff", True)
    if isinstance(test, Compared) and test.sign != "<>":
        return _one_sided(test.sign, worth(_given(test.right, scope, kind)))
    raise Invalid("Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression")


def _one_sided(sign: str, value: Any) -> Bounds:
    if sign == "=":
        return Bounds(value, True, value, True)
    if sign in ("<", "<="):
        return Bounds(high=value, with_high=sign == "<=")
    return Bounds(low=value, with_low=sign == ">=")
