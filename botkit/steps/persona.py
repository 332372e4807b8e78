"""`persona`: who the bot is, a Jinja2 template rendered for every turn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import Field, PrivateAttr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from botkit.line.text import clean_name
from botkit.messages import Reply
from botkit.pipeline import Handler, Step
from botkit.turn import Turn

_environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)

# What a template may use, and which attributes of it.
VARIABLES: dict[str, tuple[str, ...]] = {
    "bot": ("name", "description"),
    "user": ("name", "id", "language"),
    "chat": ("kind", "name"),
    "now": (),
    "today": (),
}


class Persona(Step):
    """Renders the system prompt from a text or a file. A mistake in the template fails the check, not a user."""

    short: ClassVar[str] = "text"

    text: str | None = Field(None, description="The persona itself, a Jinja2 template.")
    file: str | None = Field(None, description="A file in the bots folder that holds the template.")
    vars: dict[str, Any] = Field({}, description="Extra values for the template.")
    _template: Template = PrivateAttr()

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Render for this person, chat and moment, then go on."""
        if not turn.text:
            return call_next(turn)
        turn.system = self.render(
            bot=turn.bot,
            user=_Person(turn),
            chat=_Place(turn),
            now=datetime.fromtimestamp(turn.services.clock.now() // 1000, turn.bot.timezone),
        )
        return call_next(turn)

    def render(self, *, bot: Any, user: Any, chat: Any, now: datetime) -> str:
        """The system prompt. The arguments need the attributes that VARIABLES names."""
        return self._template.render(
            {**self.vars, "bot": bot, "user": user, "chat": chat, "now": now, "today": now.date()}
        ).strip()

    @model_validator(mode="after")
    def _compile(self, info: ValidationInfo) -> Self:
        """Read, compile, search for unknown names, and render once."""
        if (self.text is None) == (self.file is None):
            raise PydanticCustomError("persona", "needs either text or file; write one of them")
        folder = (info.context or {}).get("folder", Path())
        source, where = (self.text, "") if self.text is not None else (_read(folder, self.file or ""), f"{self.file}, ")
        try:
            _find_unknown_names(source or "", self.vars, where)
            self._template = _environment.from_string(source or "")
            rendered = self.render(**SAMPLE)
        except PydanticCustomError:
            raise
        except TemplateSyntaxError as error:
            raise _fault(f"{where}line {error.lineno}: {error.message}") from error
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise _fault(f"{where}it cannot be rendered: {error}") from error
        if not rendered:
            raise _fault(f"{where}the persona is empty; say who the bot is")
        return self


def _read(folder: Path, name: str) -> str:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise _fault(f"{name} is outside the bots folder; move it there")
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise _fault(f"there is no file {name} in the bots folder; the path counts from there") from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise _fault(f"{name} cannot be read: {error}; save it as a UTF-8 text file") from error


def _find_unknown_names(source: str, extra: Mapping[str, Any], where: str) -> None:
    """Search the whole syntax tree, also the branches that this rendering would not take."""
    tree = _environment.parse(source)
    known = {*VARIABLES, *extra, *_environment.globals}
    for name in sorted(find_undeclared_variables(tree) - known):
        line = next((node.lineno for node in tree.find_all(nodes.Name) if node.name == name), 1)
        raise _fault(
            f"{where}line {line}: unknown variable `{name}`{_near(name, known)}; or give it under persona.vars"
        )
    for node in tree.find_all(nodes.Getattr):
        owner = node.node.name if isinstance(node.node, nodes.Name) else ""
        attributes = VARIABLES.get(owner, ())
        if attributes and owner not in extra and node.attr not in attributes:
            choices = ", ".join(f"{owner}.{attribute}" for attribute in attributes)
            raise _fault(f"{where}line {node.lineno}: `{owner}.{node.attr}` does not exist; there is {choices}")


def _near(name: str, known: set[str]) -> str:
    near = get_close_matches(name, sorted(known), 1)
    return f"; did you mean `{near[0]}`?" if near else f"; there is {', '.join(VARIABLES)}"


def _fault(text: str) -> PydanticCustomError:
    # The text may quote the template, whose braces must not be read as pydantic's placeholders.
    return PydanticCustomError("template", "{text}", {"text": text})


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

    name: str = "Hana"
    description: str = "a bot"
    id: str = "U" + "0" * 32
    language: str = "ja"
    kind: str = "user"


SAMPLE: dict[str, Any] = {
    "bot": _Sample("sample"),
    "user": _Sample(),
    "chat": _Sample(),
    "now": datetime(2026, 1, 1, 12, tzinfo=UTC).astimezone(ZoneInfo("UTC")),
}
