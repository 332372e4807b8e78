"""The values of a test file's options: texts and lists of them, names, patterns, sums, moments."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic.types import Strict
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from botkit.scenarios.expecting.language_codes import code_fault
from botkit.spec.values import Duration, Words

LONGEST_PAUSE = 366 * 86400
"""In seconds; a hundred of them stay within the years that Python knows."""
LONGEST_NAME = 200
MOST_IN_A_LIST = 100
_MOST_OF_A_PATTERN = 1000

_MONEY = re.compile(r"\s*\$?\s*(?P<number>[0-9]{1,9}(\.[0-9]{1,9})?)\s*(USD)?\s*")
# Ends of lines and control characters, and those that turn the direction of writing (UAX #9): what holds them does
# not look in a terminal like what it is. Those within emoji and Indic words are none of these.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def name_fault(name: str) -> str | None:
    """What is wrong with a speaker's word, or a scenario's name; None where it can be shown on a line."""
    if len(name) > LONGEST_NAME:
        return f"may have {LONGEST_NAME} characters at most"
    return "must be on one line, without control characters" if _UNPRINTABLE.search(name) else None


_NO_PATTERN = "is not a regular expression: {why}; write \\ before a sign that is meant itself"


def _printable(value: str) -> str:
    if fault := name_fault(value):
        raise PydanticCustomError("name", "{fault}", {"fault": fault})
    return value


def _pattern(value: str) -> str:
    if len(value) > _MOST_OF_A_PATTERN:
        raise PydanticCustomError("pattern", "may have {most} characters at most", {"most": _MOST_OF_A_PATTERN})
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise PydanticCustomError("pattern", _NO_PATTERN, {"why": str(error)}) from error
    return value


def _money(value: Any) -> int:
    """US dollars in millionths, rounded up."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # A number such as 0.00001 would be written 1e-05.
    text = f"{Decimal(str(value)):f}" if is_number else value
    match = _MONEY.fullmatch(text) if isinstance(text, str) else None
    amount = Decimal(match["number"]) * 1_000_000 if match else Decimal(0)
    if amount <= 0:
        raise PydanticCustomError("money", "is not an amount of money; write US dollars, such as 0.002 USD")
    return int(amount.to_integral_value(ROUND_CEILING))


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or not 2000 <= moment.year <= 2100:
        raise PydanticCustomError("moment", "is not a date and time; write one such as 2026-04-01 22:30")
    return moment


def _language(value: str) -> str:
    if not re.fullmatch("[a-z]{2,3}", value):
        raise PydanticCustomError("language", "is not a language's code; write one such as ja, en or zh")
    if fault := code_fault(value):
        raise PydanticCustomError("language", "{fault}", {"fault": fault})
    return value


def _within_a_year(value: int) -> int:
    if value > LONGEST_PAUSE:
        raise PydanticCustomError("duration", "is too long; a year (366d) is the most")
    return value


class _Form:
    """Another form in which a value may be written. Lives as long as the type that it annotates."""

    def read(self, value: Any) -> Any:
        """The value in its long form. Raises PydanticCustomError."""
        raise NotImplementedError

    def shapes(self, long: JsonSchemaValue) -> list[JsonSchemaValue]:
        """The shapes that may be written."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        # Not a function before: the schema's generator takes what stands before a model for its usual short form.
        return core_schema.no_info_wrap_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": self.shapes(handler(schema))}

    def _read(self, value: Any, as_long: Callable[[Any], Any]) -> Any:
        return as_long(self.read(value))


class OneOrMore(_Form):
    """One alone stands for a list of one."""

    def read(self, value: Any) -> Any:
        """A list."""
        if isinstance(value, list) and len(value) > MOST_IN_A_LIST:
            raise PydanticCustomError(
                "too_long", "may have {max_length} entries at most", {"max_length": MOST_IN_A_LIST}
            )
        return value if isinstance(value, list | tuple | None) else (value,)

    def shapes(self, long: JsonSchemaValue) -> list[JsonSchemaValue]:
        """One, or a list."""
        return [long["items"], long]


class Silently(_Form):
    """The word `silent` stands for `{silent: true}`."""

    def read(self, value: Any) -> Any:
        """A mapping."""
        if isinstance(value, str) and value != "silent":
            raise PydanticCustomError(
                "expect", "is no expectation; write `silent`, or a mapping such as {example}", {"example": _EXAMPLE}
            )
        return {"silent": True} if value == "silent" else value

    def shapes(self, long: JsonSchemaValue) -> list[JsonSchemaValue]:
        """The word, or the mapping."""
        return [{"description": "Short for `silent: true`.", "const": "silent"}, long]


_EXAMPLE = "{contains: three}"


class TrueOr:
    """`true` for any, or a text."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._read, handler.generate_schema(Words))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"const": True}, handler(schema)]}

    def _read(self, value: Any, as_text: Callable[[Any], str]) -> Any:
        return True if value is True else as_text(value)


Flag = Annotated[bool, Strict()]
"""`true` or `false`; no other word is one."""
Name = Annotated[Words, AfterValidator(_printable)]
"""A text on one line, for people's eyes."""
Texts = Annotated[tuple[Words, ...], Field(min_length=1), OneOrMore()]
"""One text, or a list of them."""
Names = Annotated[tuple[Name, ...], Field(min_length=1), OneOrMore()]
"""One name, or a list of them."""
Patterns = Annotated[tuple[Annotated[Words, AfterValidator(_pattern)], ...], Field(min_length=1), OneOrMore()]
"""One regular expression of Python's, or a list of them."""
TrueOrWords = Annotated[Literal[True] | str, TrueOr()]
"""`true`, or a text."""
Span = Annotated[Duration, AfterValidator(_within_a_year)]
"""Seconds, of a year at most."""
Money = Annotated[
    int,
    BeforeValidator(_money),
    WithJsonSchema(
        {
            "title": "amount",
            "type": ["string", "number"],
            "pattern": r"^\s*\$?\s*(?=[0-9.]*[1-9])[0-9]{1,9}(\.[0-9]{1,9})?\s*(USD)?\s*$",
            "exclusiveMinimum": 0,
            "examples": ["0.002 USD"],
        }
    ),
]
"""US dollars, in millionths."""
Language = Annotated[
    str,
    AfterValidator(_language),
    WithJsonSchema({"title": "language", "type": "string", "pattern": "^[a-z]{2,3}$", "examples": ["ja", "en"]}),
]
"""A language's code of ISO 639, such as ja."""
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema(
        {"title": "moment", "type": "string", "pattern": "^2[01][0-9]{2}", "examples": ["2026-04-01 22:30"]}
    ),
]
"""A date and time; where it names no zone, in the bot's."""
