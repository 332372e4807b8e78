"""The options of a bot as they count: what its file and those it extends say, and the defaults for the rest."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from botkit.pipeline import Step
from botkit.spec.bot import BotSpec, LineAccount
from botkit.spec.document import Path, Place
from botkit.spec.values import Duration, written_duration
from botkit.steps import STEPS
from botkit.steps.reply import QuickReply

_READS_DURATION = get_args(Duration)[1]
_WORDS = {kind: word for word, kind in STEPS.items()}


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its path in the file, its value as YAML would hold it, and its place; None is the default."""

    path: Path
    value: Any
    place: Place | None


def options_of(bot: BotSpec) -> list[Option]:
    """Every option that counts, section by section in the order of the pipeline; secrets as references."""
    sections: dict[str, Any] = {
        "description": bot.description,
        "timezone": bot.timezone.key,
        "line": _account(bot.line),
        **{name: step for step in bot.steps if (name := _WORDS.get(type(step)))},
    }
    found = [option for name, section in sections.items() for option in _walk(bot, (name,), section)]
    return [*found, *_pipeline(bot)]


def step_name(step: Step) -> str:
    """The word of the bot file for a step, or the class path of a user's own."""
    kind = type(step)
    return _WORDS.get(kind, f"{kind.__module__}:{kind.__qualname__}")


def _pipeline(bot: BotSpec) -> Iterator[Option]:
    """The order of the steps: one list where all are botkit's, else entry by entry with the options of the own ones."""
    if all(type(step) in _WORDS for step in bot.steps):
        yield Option(("pipeline",), [step_name(step) for step in bot.steps], bot.places.get(("pipeline",)))
        return
    for number, step in enumerate(bot.steps):
        path: Path = ("pipeline", number)
        if type(step) in _WORDS:
            yield Option(path, step_name(step), bot.places.get(path))
        else:
            yield Option((*path, "use"), step_name(step), bot.places.get((*path, "use")))
            yield from _walk(bot, (*path, "with"), step)


def _account(line: LineAccount | None) -> dict[str, Any] | None:
    if line is None:
        return None
    secrets = line.channel_secret
    # Of the two ways to a token only the one that is taken.
    options = {name: value for name, value in line if value is not None or name == "user_id"}
    return {**options, "channel_secret": secrets[0] if len(secrets) == 1 else secrets}


def _walk(bot: BotSpec, path: Path, value: Any) -> Iterator[Option]:
    """The options in a section; those of mappings one by one, since each may come from another file."""
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from _walk(bot, (*path, name), _written(name, info, getattr(value, name)))
    elif isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _walk(bot, (*path, str(key)), inner)
    else:
        yield Option(path, to_jsonable_python(value, fallback=str), bot.places.get(path))


def _written(name: str, info: FieldInfo, value: Any) -> Any:
    """A value as a person would write it."""
    if _READS_DURATION in info.metadata and isinstance(value, int):
        return written_duration(value)
    if name == "base_url" and value:
        return without_credentials(value)
    if isinstance(value, tuple):
        return [one.label if isinstance(one, QuickReply) and one.label == one.text else one for one in value]
    return value


def without_credentials(url: str) -> str:
    """`url` less what may be a secret in it: a user and password before the host, and values after a `?`."""
    return re.sub(r"\?.*", "?…", re.sub(r"(?<=//)[^/?#]*@", "…@", url))
