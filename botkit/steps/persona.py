"""`persona`: who the bot is, a Jinja2 template rendered for every turn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from botkit.line.text import clean_name
from botkit.messages import Reply
from botkit.pipeline import Handler, Step
from botkit.steps.template import DAY, MOMENT, Fault, Template, TemplateFaults
from botkit.turn import Turn

# What a template may use, and which attributes of it.
VARIABLES: dict[str, frozenset[str]] = {
    "bot": frozenset({"name", "description"}),
    "user": frozenset({"name", "id", "language"}),
    "chat": frozenset({"kind", "name"}),
    "now": MOMENT,
    "today": DAY,
}
_RESERVED = {*VARIABLES, "range", "namespace", "dict"}


class Persona(Step):
    """Renders the system prompt from a text or a file. A mistake in the template fails the check, not a user."""

    short: ClassVar[str] = "text"

    text: str | None = Field(None, description="The persona itself, a Jinja2 template.")
    file: str | None = Field(None, description="A file in the bots folder that holds the template.")
    vars: dict[str, Any] = Field({}, description="Extra values for the template, by name.")
    _template: Template = PrivateAttr()

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Render for this person, chat and moment, then go on."""
        if not turn.text:
            return call_next(turn)
        now = datetime.fromtimestamp(turn.services.clock.now() // 1000, turn.bot.timezone)
        bot = _Facts(turn.bot.name, turn.bot.description)
        turn.system = self.render(bot=bot, user=_Person(turn), chat=_Place(turn), now=now)
        return call_next(turn)

    def render(self, *, bot: Any, user: Any, chat: Any, now: datetime) -> str:
        """The system prompt. The arguments need the attributes that VARIABLES names. Raises TemplateFaults."""
        values = {**self.vars, "bot": bot, "user": user, "chat": chat, "now": now, "today": now.date()}
        return self._template.render(values).strip()

    def render_sample(self) -> str:
        """The system prompt for a made-up person in a 1:1 chat."""
        return self.render(**SAMPLES[0])

    @model_validator(mode="after")
    def _compile(self, info: ValidationInfo) -> Self:
        """Read and compile it, and render it once for each kind of chat."""
        if (self.text is None) == (self.file is None):
            raise PydanticCustomError("persona", "needs either text or file; write one of them")
        for name in self.vars:
            if name in _RESERVED or not name.isidentifier():
                raise _wrong(f"vars: `{name[:40]}` cannot be used as a name; choose another")
        folder = (info.context or {}).get("folder", Path())
        source = self.text if self.text is not None else _read(folder, self.file or "")
        try:
            self._template = Template(source, {**VARIABLES, **dict.fromkeys(self.vars)})
            rendered = [self.render(**sample) for sample in SAMPLES]
            if not all(rendered):
                raise TemplateFaults(Fault(1, "", "the persona is empty; say who the bot is"))
        except TemplateFaults as error:
            # The texts go in the context: they may hold braces, which pydantic would read as its own.
            context = {"file": self.file or "", "faults": error.faults}
            raise PydanticCustomError("template", "the template is wrong", context) from error
        return self


def _read(folder: Path, name: str) -> str:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise _wrong(f"{name[:80]} is outside the bots folder; move it there")
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise _wrong(f"there is no file {name} in the bots folder; the path counts from there") from None
    except UnicodeDecodeError:
        raise _wrong(f"{name} is not UTF-8; save it as UTF-8") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise _wrong(f"{name[:80]} cannot be read: {reason}; name a text file") from None


def _wrong(text: str) -> PydanticCustomError:
    return PydanticCustomError("persona", "{text}", {"text": text})


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
