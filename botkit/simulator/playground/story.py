"""Story: what happened in one turn, noted while it happens."""

import json
import re
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_tb
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from botkit.errors import BotkitError
from botkit.messages import Message, Reply
from botkit.ports import ChatRequest, ModerationRequest, TranscriptionRequest, Usage
from botkit.simulator.playground.mortal import Killed
from botkit.simulator.playground.switch import Asked, ModelSwitch
from botkit.spec.bot import BotSpec
from botkit.steps.model import Model
from botkit.turn import Span, Turn

JsonObject = dict[str, Any]

_DATA_URL: Final = re.compile(r"data:[\w.+/-]*;base64,[\w+/=-]{16,}")
_BOTKIT: Final = Path(__file__).parents[2]
_PYTHON: Final = Path(sysconfig.get_paths()["stdlib"])
_LEAST_SECRET: Final = 8
"""Characters of what is taken for a secret: a shorter one would be found in harmless words."""


@dataclass(slots=True)
class ModelCall:
    """One call of a model. Times are in ms since 1970; `ended` is None while it is thinking."""

    kind: Literal["chat", "transcription", "moderation"]
    asked: Asked = field(repr=False)
    prompt: tuple[JsonObject, ...]
    began: int
    rehearsed: bool
    address: str | None
    ended: int | None = None
    answer: str = ""
    failed: str | None = None
    usage: Usage | None = None

    @property
    def sent(self) -> tuple[Message, ...]:
        """The messages of a chat completion; none of other calls."""
        return self.asked.messages if isinstance(self.asked, ChatRequest) else ()


class Story:
    """What happened in one turn. Written by the turn's threads and told to others while it goes on.

    `now` tells the time, and goes on doing so when the invocation was killed. `changed` is called after each step.
    """

    def __init__(self, turn: Turn, switch: ModelSwitch, now: Callable[[], int], changed: Callable[[], None]) -> None:
        self.events = tuple(dict.fromkeys([*(one.event.id for one in turn.said), turn.event.id]))
        self.began = now()
        self.ended: int | None = None
        self._turn = turn
        self._switch = switch
        self._now = now
        self._changed = changed
        self._own = turn.spans[-1] if turn.spans else None
        self._recent = turn.recent
        self._calls: list[ModelCall] = []
        self._failed: str | None = None
        self._reply: tuple[str, ...] = ()

    # ---------------------------------------------------------------- what happens

    def ask(self, kind: Literal["chat", "transcription", "moderation"], asked: Asked) -> ModelCall:
        """A model is asked."""
        rehearsed, address = self._switch.rehearses(asked), _shown(self._switch.address(asked))
        call = ModelCall(kind, asked, self._prompt(asked), self._now(), rehearsed, address)
        self._calls.append(call)
        self._changed()
        return call

    def hear(self, call: ModelCall, answer: str, usage: Usage | None = None) -> None:
        """It has answered."""
        call.answer, call.usage = answer, usage
        self._end(call)

    def miss(self, call: ModelCall, error: BaseException) -> None:
        """It has not."""
        call.failed = _failure(error)
        self._end(call)

    def end(self, outcome: object) -> None:
        """The turn is over, with the steps' reply or what one of them has raised."""
        if isinstance(outcome, Reply):
            self._reply = tuple(part.text for part in outcome.parts)
        elif isinstance(outcome, BaseException):
            self._failed = _failure(outcome)
        else:
            self._failed = f"a step returned {type(outcome).__name__} instead of a Reply"
        self.ended = self._now()

    def _end(self, call: ModelCall) -> None:
        call.ended = self._now()
        self._changed()

    def _prompt(self, asked: Asked) -> tuple[JsonObject, ...]:
        """What is sent, as the model gets it. The last messages are those that the turn answers."""
        if isinstance(asked, TranscriptionRequest):
            return ()
        if isinstance(asked, ModerationRequest):
            return (_message("user", asked.text, len(asked.images), "new"),)
        new = len(asked.messages) - sum(bool(one.text) for one in self._turn.said)
        return tuple(
            _message(one.role, one.content, len(one.images), _part(one, place >= new))
            for place, one in enumerate(asked.messages)
        )

    # ---------------------------------------------------------------- what is told

    def tell(self) -> JsonObject:
        """All of it as JSON, without secrets and photos; tokens are not counted yet.

        `ids` are those of people, chats and messages by which LINE's calls for it are known.
        """
        turn, costs = self._turn, list(self._turn.usages)
        told = {
            "began": self.began,
            "ended": self.ended,
            "failed": self._failed,
            "events": list(self.events),
            "ids": self._ids(),
            "steps": self._steps(),
            "models": [self._told(call, costs) for call in tuple(self._calls)],
            "left_out": [_message(one.role, one.content) for one in self._left_out()],
            "reply": list(self._reply),
            "notes": [{"at": note.at, "text": note.text} for note in tuple(turn.notes)],
            "usage": {
                name: sum(getattr(one, name) for one in tuple(turn.usages))
                for name in ("input_tokens", "output_tokens", "cost")
            },
        }
        return _without(told, {turn.access_token, *(call.asked.api_key for call in tuple(self._calls))})

    def _ids(self) -> list[str]:
        """Of whom and of what it is."""
        events = [one.event for one in self._turn.said] or [self._turn.event]
        named = [one for event in events for one in (event.message_id, event.read_token, event.user_id)]
        return [one for one in dict.fromkeys([*named, self._turn.chat.id]) if one]

    def _steps(self) -> list[JsonObject]:
        until = self.ended or self._now()
        spans = [span for span in tuple(self._turn.spans) if span is not self._own]
        return [
            {
                "step": span.step,
                "after": span.began - self.began,
                "ms": _length(span, until) if span.ended is not None or self.ended else None,
                "own": _length(span, until) - sum(_length(one, until) for one in _inside(spans, place, until)),
            }
            for place, span in enumerate(spans)
        ]

    def _told(self, call: ModelCall, costs: list[Usage]) -> JsonObject:
        asked, model = call.asked, self._turn.bot.step(Model) if isinstance(self._turn.bot, BotSpec) else None
        chat = asked if isinstance(asked, ChatRequest) else None
        usage = _priced(call, costs)
        return {
            "kind": call.kind,
            "model": asked.model,
            "after": call.began - self.began,
            "ms": None if call.ended is None else call.ended - call.began,
            "temperature": chat.temperature if chat else None,
            "max_output_tokens": chat.max_output_tokens if chat else None,
            "base_url": call.address,
            "failed": call.failed,
            "rehearsed": call.rehearsed,
            "messages": [dict(message) for message in call.prompt],
            "answer": _clean(call.answer),
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cost": usage.cost,
            "context_tokens": model.context_window(asked.model) if model and chat else None,
        }

    def _left_out(self) -> list[Message]:
        """What was stored, and not sent with the prompt that was answered, or else with the last one."""
        chats = [call for call in tuple(self._calls) if call.kind == "chat"]
        if not chats:
            return []
        told = next((call for call in reversed(chats) if call.usage), chats[-1])
        sent = {_identity(message) for message in told.sent}
        return [message for message in self._recent if _identity(message) not in sent]


def _message(role: str, text: str, images: int = 0, part: str | None = None) -> JsonObject:
    told: JsonObject = {"role": role, "text": _clean(text)}
    return told if part is None else {**told, "images": images, "part": part}


def _part(message: Message, is_new: bool) -> str:
    if message.role == "system":
        return "persona"
    return "new" if is_new else "history"


def _identity(message: Message) -> tuple[object, ...]:
    """What tells a stored message from others; it may be counted on the way into a prompt."""
    return message.role, message.text, message.speaker, message.at


def _priced(call: ModelCall, costs: list[Usage]) -> Usage:
    """What a call has used, as the step that made it has priced it; each of `costs` is taken once."""
    if call.usage is None:
        return Usage(call.asked.model, 0, 0)
    used = call.usage.model, call.usage.input_tokens, call.usage.output_tokens
    for place, one in enumerate(costs):
        if (one.model, one.input_tokens, one.output_tokens) == used:
            return costs.pop(place)
    return call.usage


def _length(span: Span, until: int) -> int:
    return (until if span.ended is None else span.ended) - span.began


def _inside(spans: Sequence[Span], place: int, until: int) -> list[Span]:
    """The spans that lie in this one, and in no other that does; each comes after what it lies in."""
    over = spans[place].began + _length(spans[place], until)
    covered, inside = spans[place].began, []
    for span in spans[place + 1 :]:
        ended = span.began + _length(span, until)
        if covered <= span.began and ended <= over:
            inside.append(span)
            covered = ended
    return inside


def _failure(error: BaseException) -> str:
    if isinstance(error, Killed):
        return "the worker was killed"
    return str(error) if isinstance(error, BotkitError) else f"{type(error).__name__}: {error}{_place(error)}"


def _place(error: BaseException) -> str:
    """Where a step of the user's own has failed: the innermost line of it."""
    frames = [frame for frame in extract_tb(error.__traceback__) if not _is_installed(Path(frame.filename))]
    if not frames:
        return ""
    file = Path(frames[-1].filename)
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    return f" ({shown}:{frames[-1].lineno})"


def _is_installed(file: Path) -> bool:
    """Whether a file is botkit's or another library's, and not the user's."""
    return file.is_relative_to(_BOTKIT) or "site-packages" in file.parts or file.is_relative_to(_PYTHON)


def _shown(address: str | None) -> str | None:
    """An address without what may be secret in it."""
    if address is None:
        return None
    try:
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    except ValueError:
        return "(no address)"


def _clean(text: str) -> str:
    return _DATA_URL.sub(lambda found: f"data:… ({len(found.group())} characters)", text)


def _without(told: JsonObject, secrets: set[str]) -> JsonObject:
    text = json.dumps(told)
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _LEAST_SECRET:
            text = text.replace(json.dumps(secret)[1:-1], "…")
    cleaned: JsonObject = json.loads(text)
    return cleaned
