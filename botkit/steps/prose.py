"""Texts of the bot file that are templates: tried at load, filled in for every turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from botkit.line.text import clean_name
from botkit.steps.template import DAY, MAX_TEXT, MOMENT, Template, TemplateFaults
from botkit.turn import Turn

# What a template may use, and which attributes of it.
VARIABLES: dict[str, frozenset[str]] = {
    "bot": frozenset({"name", "description"}),
    "user": frozenset({"name", "id", "language"}),
    "chat": frozenset({"kind", "name"}),
    "now": MOMENT,
    "today": DAY,
}
RESERVED = frozenset({*VARIABLES, "range", "namespace", "dict"})
"""Names that nobody's own values may have."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Prose(str):
    """A text that is a Jinja2 template, as it was written; lives as long as its bot.

    As an option it takes the persona's `vars` from the validation context, and from there, too, the
    `samples`: further variables of this one option, each with a value for either of `SAMPLES`.
    """

    __slots__ = ("_given", "_template")
    _given: Mapping[str, Any]
    _template: Template | None

    @classmethod
    def of(
        cls, source: str, given: Mapping[str, Any] = _NOTHING, samples: Mapping[str, Sequence[Any]] = _NOTHING
    ) -> Self:
        """Compile it and render it once for each of `SAMPLES`; `given` are values by name. Raises TemplateFaults."""
        prose = cls(source)
        prose._given, prose._template = given, None
        if "{" not in source and len(source) <= MAX_TEXT:
            return prose  # most texts are plain, and compiling takes a millisecond or two of a cold start
        prose._template = Template(source, {**dict.fromkeys(given), **VARIABLES, **dict.fromkeys(samples)})
        for number, sample in enumerate(SAMPLES):
            prose.render({**sample, **{name: both[number] for name, both in samples.items()}})
        return prose

    def render(self, values: Mapping[str, Any]) -> str:
        """The text, without white space around it. `values` are VARIABLES less `today`. Raises TemplateFaults."""
        if self._template is None:
            return self.strip()
        return self._template.render({**self._given, "today": values["now"].date(), **values}).strip()

    def fill(self, turn: Turn, more: Mapping[str, Any] = _NOTHING) -> str:
        """The text for this turn's person, chat and moment. Raises TemplateFaults."""
        now = datetime.fromtimestamp(turn.services.clock.now() // 1000, turn.bot.timezone)
        bot = _Facts(turn.bot.name, turn.bot.description)
        return self.render({"bot": bot, "user": _Person(turn), "chat": _Place(turn), "now": now, **more})

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(cls._read, core_schema.str_schema())

    @classmethod
    def _read(cls, text: str, info: ValidationInfo) -> Self:
        context = info.context or {}
        given = {name: value for name, value in context.get("vars", {}).items() if is_name(name)}
        try:
            return cls.of(text, given, context.get("samples", {}))
        except TemplateFaults as error:
            raise at_fault(error) from error


def is_name(name: Any) -> bool:
    """Whether a value of one's own may have this name in a template."""
    return isinstance(name, str) and name.isidentifier() and name not in RESERVED


def at_fault(error: TemplateFaults, file: str = "") -> PydanticCustomError:
    """What to raise for a wrong template; the loader tells each fault at its line, of `file` where it names one."""
    # The texts go in the context: they may hold braces, which pydantic would read as its own.
    return PydanticCustomError("template", "the template is wrong", {"file": file, "faults": error.faults})


# ---------------------------------------------------------------- what a template is given


@dataclass(frozen=True, slots=True)
class _Facts:
    """`bot` in a template: these two, and nothing that leads further."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class _Person:
    """`user` in a template. Reading the name or language asks LINE for the profile, once a turn."""

    _turn: Turn

    @property
    def name(self) -> str:
        return clean_name(self._turn.user.name)

    @property
    def id(self) -> str:
        return self._turn.user.id

    @property
    def language(self) -> str:
        return clean_name(self._turn.user.language)


@dataclass(frozen=True, slots=True)
class _Place:
    """`chat` in a template."""

    _turn: Turn

    @property
    def kind(self) -> str:
        return self._turn.chat.kind

    @property
    def name(self) -> str:
        return clean_name(self._turn.chat_name)


@dataclass(frozen=True, slots=True)
class _Sample:
    """Stands for bot, user and chat when a template is tried at load."""

    name: str
    description: str = "a bot"
    id: str = "U" + "0" * 32
    language: str = ""
    kind: str = "user"


# One where LINE tells everything, and one where it tells nothing.
SAMPLES: tuple[Mapping[str, Any], ...] = (
    {
        "bot": _Sample("sample"),
        "user": _Sample("Hana", language="ja"),
        "chat": _Sample("Hana"),
        "now": datetime(2026, 1, 1, 12, tzinfo=UTC),
    },
    {
        "bot": _Sample("sample", description=""),
        "user": _Sample(""),
        "chat": _Sample("", kind="group"),
        "now": datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
    },
)
