"""The values of options: durations, rates and money, secret references, time zones."""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, Literal, cast, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AllowInfNan,
    BeforeValidator,
    PlainValidator,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic.types import Strict
from pydantic_core import PydanticCustomError

from botkit.aws.references import reference_fault

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,6})\s*([smhd])")

Period = Literal["min", "hour", "day", "month"]
_PERIODS: Final[tuple[Period, ...]] = get_args(Period)
_NUMBER = r"[0-9]{1,12}(\.[0-9]{1,6})?"
_PER = rf"({'|'.join(_PERIODS)})"
_RATE = re.compile(rf"(?P<number>{_NUMBER})(?P<scale>[kM]?)/(?P<period>{_PER})", re.ASCII)
_MONEY = re.compile(rf"(?P<number>{_NUMBER}) USD/(?P<period>{_PER})", re.ASCII)
_SCALES = {"": 1, "k": 1_000, "M": 1_000_000}
_MILLIONTHS = 1_000_000
_FOUR = "min, hour, day and month"
# What people write instead, to be shown what is meant.
_LOOSE = re.compile(
    r"\s*(?P<before>[$])?\s*(?P<number>[0-9]+([,_][0-9]{3})*(\.[0-9]+)?)\s*(?P<scale>[kKmM]?)\s*(?P<after>USD|usd|[$])?"
    r"\s*(/|per\b|an?\b)\s*(?P<period>[A-Za-z]+)\s*",
    re.ASCII,
)
_OTHER_PERIODS: Final[dict[str, Period]] = {
    **dict.fromkeys(("m", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("h", "hr", "hrs", "hours"), "hour"),
    **dict.fromkeys(("d", "days"), "day"),
    **dict.fromkeys(("mo", "mon", "mth", "months"), "month"),
    **{period: period for period in _PERIODS},
}


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


class Rate(str):
    """So much in a period, as it was written, such as `100k/day`; lives as long as its bot.

    `amount` is a whole number: messages, tokens, or millionths of a US dollar.
    """

    __slots__ = ("amount", "period")
    amount: int
    period: Period

    def __new__(cls, text: str, amount: int, period: Period) -> "Rate":
        """The text, and what it says."""
        rate = super().__new__(cls, text)
        rate.amount, rate.period = amount, period
        return rate


def _rate(value: Any) -> Rate:
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        if _is_money(value):
            raise PydanticCustomError("rate", "is money, which belongs under `cost:`")
        cure = _did_you_mean(value, _RATE) or "write a number, / and one of {periods}, such as 20/min or 100k/day"
        raise PydanticCustomError("rate", f"is not a rate; {cure}", {"periods": _FOUR})
    amount = Decimal(match["number"]) * _SCALES[match["scale"]]
    if amount != int(amount):
        raise PydanticCustomError("rate", "is not a whole number; write one, such as 20/min or 1.5k/day")
    return Rate(value, _more_than_nothing(int(amount)), cast(Period, match["period"]))


def _money(value: Any) -> Rate:
    match = _MONEY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        cure = _did_you_mean(value, _MONEY) or (
            "write US dollars, in which models are paid for, / and one of {periods}, such as 1 USD/month"
        )
        raise PydanticCustomError("money", f"is not money in a period; {cure}", {"periods": _FOUR})
    return Rate(value, _more_than_nothing(int(Decimal(match["number"]) * _MILLIONTHS)), cast(Period, match["period"]))


def _more_than_nothing(amount: int) -> int:
    if amount == 0:
        raise PydanticCustomError(
            "nothing",
            "would never let the bot answer; for silence in groups write `answer: never` under `groups:`, to stop a "
            "bot remove its file",
        )
    return amount


def _did_you_mean(value: Any, form: re.Pattern[str]) -> str:
    """What to say where something is only spelled in another way; "" where nobody can tell what is meant."""
    match = _loosely(value)
    period = _OTHER_PERIODS.get(match["period"].lower()) if match else None
    if match is None or period is None:
        return ""
    scale = {"K": "k", "m": "M"}.get(match["scale"], match["scale"])
    near = re.sub("[,_]", "", match["number"]) + scale + (" USD" if form is _MONEY else "") + f"/{period}"
    return f"did you mean `{near}`? The periods are {{periods}}" if form.fullmatch(near) else ""


def _loosely(value: Any) -> re.Match[str] | None:
    return _LOOSE.fullmatch(value) if isinstance(value, str) and len(value) <= 60 else None


def _is_money(value: Any) -> bool:
    match = _loosely(value)
    return match is not None and bool(match["before"] or match["after"])


def _several(value: Any, validate: ValidatorFunctionWrapHandler, read: Any) -> tuple[Rate, ...]:
    if not isinstance(value, list | tuple):
        return (read(value),)
    rates: Sequence[Rate] = validate(value)
    periods = [rate.period for rate in rates]
    if twice := next((period for period in periods if periods.count(period) > 1), None):
        raise PydanticCustomError("rate", "has two limits for the same period ({period}); keep one", {"period": twice})
    return tuple(rates)


def _rates(value: Any, validate: ValidatorFunctionWrapHandler) -> tuple[Rate, ...]:
    return _several(value, validate, _rate)


def _moneys(value: Any, validate: ValidatorFunctionWrapHandler) -> tuple[Rate, ...]:
    return _several(value, validate, _money)


def is_reference(value: Any) -> bool:
    """Whether it is a secret reference of a kind that is known."""
    return reference_fault(value) is None


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

_RATE_SHAPE: dict[str, Any] = {
    "title": "rate",
    "type": "string",
    "pattern": rf"^(?=[0-9.]*[1-9]){_NUMBER}[kM]?/{_PER}$",
    "examples": ["20/min", "200/hour", "100k/day", "1.5M/month"],
}
_MONEY_SHAPE: dict[str, Any] = {
    "title": "money",
    "type": "string",
    "pattern": rf"^(?=[0-9.]*[1-9]){_NUMBER} USD/{_PER}$",
    "examples": ["1 USD/month", "0.50 USD/day"],
}

Rates = Annotated[
    tuple[Annotated[Rate, PlainValidator(_rate)], ...],
    WrapValidator(_rates),
    WithJsonSchema({"anyOf": [_RATE_SHAPE, {"type": "array", "items": _RATE_SHAPE}]}),
]
"""One rate or a list of them, at most one for each period: `20/min`, `[20/min, 1.5M/month]`, `[]` for no limit."""

Money = Annotated[
    tuple[Annotated[Rate, PlainValidator(_money)], ...],
    WrapValidator(_moneys),
    WithJsonSchema({"anyOf": [_MONEY_SHAPE, {"type": "array", "items": _MONEY_SHAPE}]}),
]
"""As `Rates`, of US dollars: `1 USD/month`; the amounts are in millionths of one."""

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
