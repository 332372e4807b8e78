"""The file of a bot's recordings, `bots/NAME.test.json`: read with care, and written so that `git diff` reads well."""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from botkit.errors import Problem, SpecError
from botkit.ports import Usage
from botkit.scenarios.model.requests import key_of
from botkit.scenarios.results import Recorded, Result
from botkit.spec.files import shown_path

VERSION: Final = 1
"""Another one wherever an older botkit could not read the file."""
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a file; some thousand long prompts."""
_TESTS, _ENDING = ".test.yaml", ".test.json"

Recordings = dict[str, tuple[Recorded, ...]]
"""By the scenario's name."""


class _Part(BaseModel):
    # What was said must not reach a message by way of a validation error.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


_Text = str | list[str]
"""A text, or its lines."""
_Count = Annotated[int, Field(ge=0)]


class _Image(_Part):
    media_type: str
    sha256: str


class _Message(_Part):
    role: Literal["system", "user", "assistant"]
    content: _Text
    images: list[_Image] | None = None


class _Request(_Part):
    model: str
    temperature: float | None = None
    max_output_tokens: int | None = None
    messages: list[_Message]


class _Spent(_Part):
    model: str
    input_tokens: _Count
    output_tokens: _Count


class _Call(_Part):
    kind: Literal["model", "judge", "user"]
    turn: _Count
    call: Annotated[int, Field(ge=1)]
    request: _Request
    answer: _Text
    usage: _Spent


class _File(_Part):
    version: Literal[1]
    about: str = ""
    scenarios: dict[str, list[_Call]]


def path_of(tests: Path) -> Path:
    """Where the recordings of a test file are kept: `NAME.test.json` beside `NAME.test.yaml`."""
    return tests.with_name(tests.name.removesuffix(_TESTS) + _ENDING)


def read(path: Path) -> Recordings:
    """The recordings of a file; none where there is no file. Raises SpecError where it is not as it was written."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _wrong(path, f"it cannot be read: {error.strerror}; check the file") from error
    if len(content) > LARGEST:
        raise _wrong(path, f"it has more than {LARGEST // 1024**2} MB; {_cure(path)}")
    data = _data(path, content)
    try:
        kept = _File.model_validate(data)
    except ValidationError as error:
        raise _wrong(path, *_told(path, error, content.decode("utf-8-sig"))) from error
    return {name: tuple(_recorded(call) for call in calls) for name, calls in kept.scenarios.items()}


def write(path: Path, recordings: Mapping[str, Iterable[Recorded]]) -> bool:
    """Keep the recordings, in this order, whole or not at all; whether that changes the file.

    Without any recording there is no file. Raises SpecError where it cannot be written.
    """
    text, path = _text(path, recordings), Path(os.path.realpath(path))
    growing = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if text is None:
            was_there = path.exists()
            path.unlink(missing_ok=True)
            return was_there
        if path.exists() and path.read_bytes() == text:
            return False
        growing.write_bytes(text)
        growing.replace(path)
    except OSError as error:
        raise _wrong(path, f"it cannot be written: {error.strerror}; correct that, and record again") from error
    finally:
        with suppress(OSError):
            growing.unlink(missing_ok=True)
    return True


def renewed(old: Mapping[str, tuple[Recorded, ...]], names: Iterable[str], results: Iterable[Result]) -> Recordings:
    """What is to be written after a recording run over some of the scenarios of a file, `names` being all of them.

    What was not played keeps its recordings; what is no longer in the file loses them. Of several runs of one
    scenario the last one counts.
    """
    # A run that broke down before it began knows nothing of its recordings, and loses none.
    new = {one.scenario: one.recorded for one in results if not one.skipped and (one.turns or one.recorded)}
    found = {name: new.get(name, old.get(name, ())) for name in names}
    return {name: recorded for name, recorded in found.items() if recorded}


# ---------------------------------------------------------------- reading


def _data(path: Path, content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise _wrong(path, f"it is not UTF-8; {_cure(path)}") from error
    except json.JSONDecodeError as error:
        raise _wrong(path, f"it is not JSON ({error.msg}); {_cure(path)}", error.lineno, error.colno) from error
    except (ValueError, RecursionError) as error:
        raise _wrong(path, f"it is not as botkit has written it ({error}); {_cure(path)}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Raises ValueError where a name stands twice: such is left of a merge, and half of it would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands twice in one object")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _told(path: Path, error: ValidationError, text: str) -> tuple[str, int, int]:
    """What is wrong first, with its line as far as the scenario goes."""
    first = error.errors(include_input=False, include_url=False)[0]
    names = [str(one) for one in first["loc"]]
    if names[:1] == ["version"] and first["type"] != "missing":
        return f"it is of another version of botkit, not {VERSION}; {_cure(path)}", 0, 0
    if names[:1] != ["scenarios"]:
        return "it is no file of recordings; move it away: botkit keeps its own under this name", 0, 0
    name = json.dumps(names[1], ensure_ascii=False) if len(names) > 1 else '"scenarios"'
    line = text[: max(0, text.find(f"{name}:"))].count("\n") + 1
    where = ".".join(names[2:])
    told = f"of {name} the call {where}" if where else name
    return f"{told} is not as botkit has written it ({first['msg']}); {_cure(path)}", line, 1


def _cure(path: Path) -> str:
    name = path.name.removesuffix(_ENDING)
    return f"take its last good version, or delete it and record again: botkit test {name} --record"


def _wrong(path: Path, text: str, line: int = 0, column: int = 0) -> SpecError:
    return SpecError([Problem(shown_path(path), line, column, text)])


def _recorded(call: _Call) -> Recorded:
    # The key is made anew: one in the file could be another request's after a careless merge.
    request = call.request.model_dump(exclude_none=True)
    for message in request["messages"]:
        message["content"] = _joined(message["content"])
    usage = Usage(call.usage.model, call.usage.input_tokens, call.usage.output_tokens)
    key = key_of(call.kind, request)
    return Recorded(call.kind, call.turn, call.call, key, request, _joined(call.answer), usage)


def _joined(text: _Text) -> str:
    return text if isinstance(text, str) else "\n".join(text)


# ---------------------------------------------------------------- writing


def _text(path: Path, recordings: Mapping[str, Iterable[Recorded]]) -> bytes | None:
    scenarios = {name: [_call(one) for one in recorded] for name, recorded in recordings.items()}
    scenarios = {name: calls for name, calls in scenarios.items() if calls}
    if not scenarios:
        return None
    name = path.name.removesuffix(_ENDING)
    about = f"What models have answered in {name}{_TESTS}; written by: botkit test {name} --record"
    whole = {"version": VERSION, "about": about, "scenarios": scenarios}
    return (json.dumps(whole, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def _call(one: Recorded) -> dict[str, Any]:
    messages = [{**message, "content": _lines(message["content"])} for message in one.request["messages"]]
    usage = one.usage
    return {
        "kind": one.kind,
        "turn": one.turn,
        "call": one.call,
        "request": {**one.request, "messages": messages},
        "answer": _lines(one.answer),
        "usage": {
            "model": usage.model,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
        },
    }


def _lines(text: str) -> _Text:
    """A text of several lines as their list: so that each stands on a line of its own in the file, too."""
    return text.split("\n") if "\n" in text else text
