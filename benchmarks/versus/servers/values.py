"""DynamoDB's attribute values as they go over the wire: what they are worth, and how large they are."""

import re
from base64 import b64decode
from collections.abc import Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any, Final

Value = dict[str, Any]
"""One type and its content, such as `{"S": "text"}`."""
Item = dict[str, Value]

WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,37}")
PRECISE: Final = Context(prec=38, traps=[Inexact, InvalidOperation])
"""How precise DynamoDB's numbers are (DynamoDB developer guide: Data types, Number)."""
LARGEST_ITEM: Final = 400 * 1024
"""Bytes (DynamoDB developer guide: Service quotas)."""
SETS: Final = frozenset({"SS", "NS", "BS"})


class Invalid(Exception):
    """What DynamoDB answers with a ValidationException."""


def kind_of(value: Value) -> str:
    """The type of a value."""
    if not isinstance(value, dict) or len(value) != 1:
        text = "more than one datatypes set, must contain exactly one of the supported datatypes"
        raise Invalid(f"Supplied AttributeValue has {text}")
    return next(iter(value))


def number(text: str) -> int | Decimal:
    """What a number is worth."""
    if WHOLE.fullmatch(text):
        return int(text)
    try:
        found = PRECISE.create_decimal(text)
    except Inexact:
        raise Invalid("Attempting to store more than 38 significant digits in a Number") from None
    except InvalidOperation:
        raise Invalid(f"The parameter cannot be converted to a numeric value: {text}") from None
    if not found.is_finite():
        raise Invalid(f"The parameter cannot be converted to a numeric value: {text}")
    return found


def written(amount: int | Decimal) -> str:
    """A number as DynamoDB writes it: plain, without zeros that say nothing."""
    if isinstance(amount, int):
        return str(amount)
    text = format(amount.normalize(PRECISE), "f")
    return "0" if text == "-0" else text


def total(one: str, other: str, sign: int) -> str:
    """The sum or the difference of two numbers."""
    first, second = number(one), number(other)
    if isinstance(first, int) and isinstance(second, int):
        return str(first + sign * second)
    return written(PRECISE.add(Decimal(first), Decimal(sign * second)))


def worth(value: Value) -> Any:
    """What two values of one type are compared by."""
    ((kind, content),) = value.items()
    if kind == "N":
        return number(content)
    if kind == "B":
        return b64decode(content)
    if kind in SETS:
        return frozenset(worth({kind[0]: one}) for one in content)
    if kind == "L":
        return [(kind_of(one), worth(one)) for one in content]
    if kind == "M":
        return {name: (kind_of(one), worth(one)) for name, one in content.items()}
    return content


def equal(one: Value, other: Value) -> bool:
    """Whether two values are the same, of the same type."""
    return kind_of(one) == kind_of(other) and bool(worth(one) == worth(other))


def checked(item: Mapping[str, Any]) -> Item:
    """The item as it is stored, numbers written plainly. Raises Invalid."""
    return {name: _checked(value) for name, value in item.items()}


def _checked(value: Any) -> Value:
    kind = kind_of(value)
    content = value[kind]
    match kind:
        case "S" if isinstance(content, str):
            return {"S": content}
        case "N" if isinstance(content, str):
            return {"N": content if WHOLE.fullmatch(content) else written(number(content))}
        case "BOOL" | "NULL" if isinstance(content, bool):
            return {kind: content}
        case "B" if isinstance(content, str):
            return {"B": content}
        case "M" if isinstance(content, dict):
            return {"M": checked(content)}
        case "L" if isinstance(content, list):
            return {"L": [_checked(one) for one in content]}
        case "SS" | "NS" | "BS" if isinstance(content, list):
            return _checked_set(kind, content)
    raise Invalid("Supplied AttributeValue is empty or of no type that DynamoDB knows")


def _checked_set(kind: str, content: list[Any]) -> Value:
    entries = [_checked({kind[0]: one})[kind[0]] for one in content]
    if not entries:
        raise Invalid("One or more parameter values were invalid: An string set  may not be empty")
    if len(set(entries)) < len(entries):
        raise Invalid("One or more parameter values were invalid: Input collection contains duplicates.")
    return {kind: entries}


def size_of(item: Mapping[str, Value]) -> int:
    """Bytes of an item (DynamoDB developer guide: Item sizes and formats)."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Value) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content) if content.isascii() else len(content.encode("utf-8", "surrogatepass"))
    if kind == "N":
        return len(content) // 2 + 1
    if kind == "B":
        return len(b64decode(content))
    if kind == "M":
        return 3 + size_of(content) + len(content)
    if kind == "L":
        return 3 + sum(_size(one) + 1 for one in content)
    return sum(_size({kind[0]: one}) for one in content) if kind in SETS else 1
