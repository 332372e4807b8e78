"""`persona`: who the bot is, a Jinja2 template rendered for every turn."""

from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from botkit.messages import Reply
from botkit.pipeline import Handler, Step
from botkit.steps.prose import SAMPLES, Prose, at_fault, is_name
from botkit.steps.template import Fault, TemplateFaults
from botkit.turn import Turn


class Persona(Step):
    """Renders the system prompt from a text or a file. A mistake in the template fails the check, not a user."""

    short: ClassVar[str] = "text"

    text: str | None = Field(None, description="The persona itself, a Jinja2 template.")
    file: str | None = Field(None, description="A file in the bots folder that holds the template.")
    vars: dict[str, Any] = Field({}, description="Extra values for the template, by name.")
    _prose: Prose = PrivateAttr()

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Render for this person, chat and moment, then go on."""
        if not turn.text:
            return call_next(turn)
        turn.system = self._prose.fill(turn)
        return call_next(turn)

    def render(self, *, bot: Any, user: Any, chat: Any, now: datetime) -> str:
        """The system prompt. The arguments need the attributes that VARIABLES names. Raises TemplateFaults."""
        return self._prose.render({"bot": bot, "user": user, "chat": chat, "now": now})

    def render_sample(self) -> str:
        """The system prompt for a made-up person in a 1:1 chat."""
        return self.render(**SAMPLES[0])

    @model_validator(mode="after")
    def _compile(self, info: ValidationInfo) -> Self:
        """Read and compile it, and render it once for each kind of chat."""
        if (self.text is None) == (self.file is None):
            raise PydanticCustomError("persona", "needs either text or file; write one of them")
        for name in self.vars:
            if not is_name(name):
                raise _wrong(f"vars: `{name[:40]}` cannot be used as a name; choose another")
        folder = (info.context or {}).get("folder", Path())
        source = self.text if self.text is not None else _read(folder, self.file or "")
        try:
            self._prose = Prose.of(source, self.vars)
            if not all(self.render(**sample) for sample in SAMPLES):
                raise TemplateFaults(Fault(1, "", "the persona is empty; say who the bot is"))
        except TemplateFaults as error:
            raise at_fault(error, self.file or "") from error
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
