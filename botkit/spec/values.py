"""The values of options: durations, secret references, time zones."""

import re
from functools import cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AllowInfNan, BeforeValidator, PlainValidator, StringConstraints, WithJsonSchema
from pydantic.types import Strict
from pydantic_core import PydanticCustomError

from botkit.aws.references import reference_fault

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,6})\s*([smhd])")


def _seconds(value: Any) -> int:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[1]) == 0:
        raise PydanticCustomError(
            "duration", "is not a duration; write a number and a unit, such as 45s, 10m, 24h or 30d"
        )
    return int(match[1]) * _UNITS[match[2]]


def written_duration(seconds: int) -> str:
    """A duration in its largest whole unit: `30d`."""
    unit, size = next((unit, size) for unit, size in reversed(_UNITS.items()) if seconds % size == 0)
    return f"{seconds // size}{unit}"


def _reference(value: Any) -> str:
    if fault := reference_fault(value):
        # The value may be the secret itself: it is never shown.
        raise PydanticCustomError("literal_secret", "{fault}; the value is not shown", {"fault": fault})
    return str(value)


def _references(value: Any) -> tuple[str, ...]:
    many = value if isinstance(value, list) else [value]
    if not many:
        raise PydanticCustomError("reference", "is empty; write env:NAME")
    return tuple(_reference(one) for one in many)


def _timezone(value: Any) -> ZoneInfo:
    # The list is asked first: ZoneInfo() opens whatever file the name leads to.
    if isinstance(value, ZoneInfo):
        return value
    if not isinstance(value, str) or value not in _zones():
        raise PydanticCustomError("timezone", "is not a time zone; write a name such as Asia/Tokyo or UTC")
    return ZoneInfo(value)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # walks the whole folder of zones


Whole = Annotated[int, Strict()]
"""A whole number; `true` is none."""

Number = Annotated[float, Strict(), AllowInfNan(False)]
"""An ordinary number; `true` is none."""

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""A text that is not blank."""

Duration = Annotated[
    int,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {
            "title": "duration",
            "type": "string",
            "pattern": r"^(?=[0-9]*[1-9])[0-9]{1,6}\s*[smhd]$",
            "examples": ["45s", "10m", "24h", "30d"],
        }
    ),
]
"""Seconds, written with a unit: `45s`, `10m`, `24h`, `30d`."""

_SECRET_SHAPE: dict[str, Any] = {
    "title": "secret reference",
    "type": "string",
    "pattern": r"^(env:[A-Za-z_][A-Za-z0-9_]*|ssm:(/[A-Za-z0-9_.-]+)+|secretsmanager:[^\s#]+(#[^\s#]+)?)$",
    "examples": ["env:NAME"],
}

SecretRef = Annotated[str, PlainValidator(_reference), WithJsonSchema(_SECRET_SHAPE)]
"""Where a secret is found, such as `env:OPENAI_API_KEY`; never the secret."""

SecretRefs = Annotated[
    tuple[str, ...],
    PlainValidator(_references),
    WithJsonSchema({"anyOf": [_SECRET_SHAPE, {"type": "array", "items": _SECRET_SHAPE, "minItems": 1}]}),
]
"""One reference or a list of them, all valid at once, for rotation."""

Timezone = Annotated[
    ZoneInfo,
    PlainValidator(_timezone),
    WithJsonSchema(
        {
            "title": "time zone",
            "type": "string",
            "pattern": r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$",
            "examples": ["Asia/Tokyo", "UTC"],
        }
    ),
]
"""An IANA time zone name."""
