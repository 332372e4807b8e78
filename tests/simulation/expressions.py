"""DynamoDB's expression language (Developer Guide: Condition and filter expressions; Update expressions)."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

Item = Mapping[str, Mapping[str, Any]]
"""An item as on the wire; never changed in place."""


class Invalid(Exception):
    """What DynamoDB would answer with a ValidationException."""


Scope = tuple[Item, Mapping[str, str], Mapping[str, Any]]
"""An item, and what the names and values of the expression stand for."""
Condition = Callable[[Scope], bool]
Operand = Callable[[Scope], Any]
Change = Callable[[Scope], Mapping[str, Any]]
"""New values by attribute; None where it is removed. They are all computed from the item as it was."""

_TOKEN = re.compile(r"\s*(?:(<>|<=|>=|[=<>(),+-])|([#:]?[A-Za-z_][A-Za-z0-9_]*))")
_CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")


@cache
def condition(text: str) -> Condition:
    """A condition, parsed once."""
    parser = _Parser(text)
    found = parser.any_of()
    parser.end()
    return found


@cache
def update(text: str) -> Sequence[Change]:
    """The changes of an update expression, parsed once."""
    parser = _Parser(text)
    changes: list[Change] = []
    while parser.left:
        clause = parser.word()
        if clause not in _CLAUSES:
            raise Invalid(f"Syntax error at {clause}")
        changes.append(parser.change(clause))
        while parser.skip(","):
            changes.append(parser.change(clause))
    return changes


@cache
def mentioned(text: str) -> frozenset[str]:
    """The placeholders of an expression."""
    return frozenset(re.findall(r"[#:]\w+", text))


def ordered(value: Mapping[str, Any]) -> Any:
    """A value as something to compare, with others of its type."""
    ((kind, raw),) = value.items()
    return kind, Decimal(raw) if kind == "N" else raw


class _Parser:
    def __init__(self, text: str) -> None:
        self.left: list[str] = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise Invalid(f"Syntax error near {text[at : at + 20]!r}")
            self.left.append(match[1] or match[2])
            at = match.end()

    def skip(self, token: str) -> bool:
        if self.left and self.left[0].upper() == token:
            del self.left[0]
            return True
        return False

    def word(self) -> str:
        if not self.left:
            raise Invalid("the expression ends too soon")
        return self.left.pop(0)

    def expect(self, token: str) -> None:
        if not self.skip(token):
            raise Invalid(f"{token!r} is missing before {' '.join(self.left[:3])!r}")

    def end(self) -> None:
        if self.left:
            raise Invalid(f"Syntax error at {' '.join(self.left[:3])!r}")

    # ---------------------------------------------------------------- conditions

    def any_of(self) -> Condition:
        parts = [self.all_of()]
        while self.skip("OR"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else lambda scope: any(part(scope) for part in parts)

    def all_of(self) -> Condition:
        parts = [self.negated()]
        while self.skip("AND"):
            parts.append(self.negated())
        return parts[0] if len(parts) == 1 else lambda scope: all(part(scope) for part in parts)

    def negated(self) -> Condition:
        if self.skip("NOT"):
            inner = self.negated()
            return lambda scope: not inner(scope)
        if self.skip("("):
            inner = self.any_of()
            self.expect(")")
            return inner
        name = self.left[0].lower() if self.left else ""
        return self.function(name) if name in _FUNCTIONS else self.comparison()

    def function(self, name: str) -> Condition:
        self.word()
        self.expect("(")
        arguments = [self.operand()]
        while self.skip(","):
            arguments.append(self.operand())
        self.expect(")")
        return lambda scope: _FUNCTIONS[name](*(argument(scope) for argument in arguments))

    def comparison(self) -> Condition:
        left = self.operand()
        if self.skip("BETWEEN"):
            low = self.operand()
            self.expect("AND")
            high = self.operand()
            return lambda scope: _compare(">=", left(scope), low(scope)) and _compare("<=", left(scope), high(scope))
        if self.skip("IN"):
            self.expect("(")
            choices = [self.operand()]
            while self.skip(","):
                choices.append(self.operand())
            self.expect(")")
            return lambda scope: any(_compare("=", left(scope), choice(scope)) for choice in choices)
        sign = self.word()
        right = self.operand()
        return lambda scope: _compare(sign, left(scope), right(scope))

    # ---------------------------------------------------------------- operands and updates

    def operand(self) -> Operand:
        word = self.word()
        if word.lower() == "size":
            self.expect("(")
            inner = self.operand()
            self.expect(")")
            return lambda scope: _size(inner(scope))
        if word.startswith(":"):
            return lambda scope: _value(scope, word)
        return lambda scope: scope[0].get(_name(scope, word))

    def change(self, clause: str) -> Change:
        name = self.word()
        if clause == "REMOVE":
            return lambda scope: {_name(scope, name): None}
        if clause == "SET":
            self.expect("=")
            new = self.sum()
            return lambda scope: {_name(scope, name): new(scope)}
        value = self.word()
        apply = _added if clause == "ADD" else _taken_out
        return lambda scope: {_name(scope, name): apply(scope[0].get(_name(scope, name)), _value(scope, value))}

    def sum(self) -> Operand:
        left = self.term()
        for sign in "+-":
            if self.skip(sign):
                right, factor = self.term(), 1 if sign == "+" else -1
                return lambda scope: _number(_present(left(scope)), _present(right(scope)), factor)
        return lambda scope: _present(left(scope))

    def term(self) -> Operand:
        if self.skip("IF_NOT_EXISTS"):
            path, otherwise = self._pair()
            return lambda scope: found if (found := path(scope)) is not None else otherwise(scope)
        if self.skip("LIST_APPEND"):
            first, second = self._term_pair()
            return lambda scope: {"L": [*_present(first(scope))["L"], *_present(second(scope))["L"]]}
        if self.skip("("):
            inner = self.sum()
            self.expect(")")
            return inner
        return self.operand()

    def _pair(self) -> tuple[Operand, Operand]:
        self.expect("(")
        first = self.operand()
        self.expect(",")
        second = self.operand()
        self.expect(")")
        return first, second

    def _term_pair(self) -> tuple[Operand, Operand]:
        self.expect("(")
        first = self.term()
        self.expect(",")
        second = self.term()
        self.expect(")")
        return first, second


def _name(scope: Scope, word: str) -> str:
    if not word.startswith("#"):
        return word
    if word not in scope[1]:
        raise Invalid(f"An expression attribute name used in the document path is not defined: {word}")
    return scope[1][word]


def _value(scope: Scope, word: str) -> Any:
    if word not in scope[2]:
        raise Invalid(f"An expression attribute value used in expression is not defined: {word}")
    return scope[2][word]


def _compare(sign: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return sign == "<>" and left is not right
    one, other = ordered(left), ordered(right)
    if sign in ("=", "<>"):
        return (one == other) is (sign == "=")
    if one[0] != other[0]:
        return False
    return bool({"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[sign])


def _present(value: Any) -> Any:
    if value is None:
        raise Invalid("The provided expression refers to an attribute that does not exist in the item")
    return value


def _number(one: Any, other: Any, factor: int) -> Mapping[str, str]:
    if "N" not in one or "N" not in other:
        raise Invalid("An operand in the update expression has an incorrect data type")
    return {"N": str(Decimal(one["N"]) + factor * Decimal(other["N"]))}


def _added(old: Any, more: Any) -> Any:
    if "N" in more:
        return _number(old or {"N": "0"}, more, 1)
    ((kind, elements),) = more.items()
    if kind not in ("SS", "NS") or (old is not None and kind not in old):
        raise Invalid("An operand in the update expression has an incorrect data type")
    return {kind: sorted({*(old or {kind: []})[kind], *elements})}


def _taken_out(old: Any, less: Any) -> Any:
    ((kind, elements),) = less.items()
    left = sorted({*(old or {kind: []})[kind]} - {*elements})
    return {kind: left} if left else None


def _size(value: Any) -> Any:
    ((kind, raw),) = _present(value).items()
    return {"N": str(len(raw.encode()) if kind == "S" else len(raw))}


def _contains(whole: Any, part: Any) -> bool:
    if whole is None:
        return False
    ((kind, raw),) = whole.items()
    return part in raw if kind == "L" else next(iter(part.values())) in raw


_FUNCTIONS: Mapping[str, Callable[..., bool]] = {
    "attribute_exists": lambda value: value is not None,
    "attribute_not_exists": lambda value: value is None,
    "begins_with": lambda value, prefix: value is not None and "S" in value and value["S"].startswith(prefix["S"]),
    "contains": _contains,
}
