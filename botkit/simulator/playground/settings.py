"""Settings: the environment over `.env`, as both are now; and whether a bot has a model to ask."""

import logging
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from threading import Lock
from typing import Final

from dotenv.parser import Binding, parse_stream

from botkit.errors import Problem
from botkit.simulator.playground.glance import Glance
from botkit.spec.bot import BotSpec
from botkit.steps.model import Model

log = logging.getLogger(__name__)

LARGEST: Final = 256 * 1024
"""Bytes of a `.env`; what is larger is something else."""

_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class _Read:
    """What a `.env` said when it was read."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    problems: tuple[Problem, ...] = ()


class Settings(Mapping[str, str]):
    """The environment's variables, and those of `.env` besides; always as they are now.

    A variable of the environment that is blank counts as not set, as everywhere in botkit. In `.env` nothing is
    filled in from elsewhere: `${NAME}` stays as it is. `changes` counts how often the file has become another one.
    Safe to use from several threads; shows no value in its repr.
    """

    def __init__(self, environ: Mapping[str, str], path: Path | None = None) -> None:
        """`path` is the file, by default `.env` of the working directory; there need not be one."""
        self._environ = environ
        self._path = path or Path.cwd() / ".env"
        self._lock = Lock()
        self.changes = 0
        self._seen: Glance | None = None
        self._read = _Read()
        self.look()

    def __getitem__(self, name: str) -> str:
        value = self._environ.get(name)
        if value is None or not value.strip():
            value = self._file().get(name, value)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._environ, *self._file()]))

    def __len__(self) -> int:
        return len({*self._environ, *self._file()})

    def __repr__(self) -> str:
        return f"Settings({len(self)} names, {self._path})"

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with `.env`; the rest of it holds."""
        self.look()
        return self._read.problems

    def look(self) -> bool:
        """Read `.env` anew where it has changed; whether it has."""
        with self._lock:
            try:
                found = self._path.stat()
                glance = Glance.at(self._path, found, self._seen) if stat.S_ISREG(found.st_mode) else None
            except OSError:
                glance = None
            changed = glance.differs(self._seen) if glance else self._seen is not None
            if changed:
                self.changes += 1
                before, self._read = self._read, _read(self._path) if glance else _Read()
                _tell(self._read, before)
            self._seen = glance.settled() if glance else None
        return changed

    def _file(self) -> Mapping[str, str]:
        self.look()
        return self._read.values


def rehearses(bot: BotSpec, environ: Mapping[str, str]) -> bool:
    """Whether there is no model to ask: no key, and no server of one's own."""
    model = bot.step(Model)
    if model is None or model.base_url or environ.get("OPENAI_BASE_URL", "").strip():
        return False
    return not environ.get(model.api_key.removeprefix("env:"), "").strip()


def _tell(read: _Read, before: _Read) -> None:
    for problem in read.problems:
        if problem not in before.problems:
            log.warning("%s", problem)


def _read(path: Path) -> _Read:
    """The file's values and problems. No problem shows what stands there: it may be a secret."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        return _refused(path, f"it cannot be read: {error.strerror}; check its permissions")
    if len(content) > LARGEST:
        return _refused(path, f"it has more than {LARGEST // 1024} KB, and is not read; keep only settings in it")
    if content.startswith(_UTF16):
        return _refused(path, "it is UTF-16, and is not read; save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _refused(path, "it is not UTF-8, and is not read; save it as UTF-8")
    if "\0" in text:
        return _refused(path, "it is not a text, and is not read; write lines such as OPENAI_API_KEY=…")
    return _parsed(path, text)


def _refused(path: Path, text: str) -> _Read:
    return _Read(problems=(Problem(path.name, 0, 0, text),))


def _parsed(path: Path, text: str) -> _Read:
    values: dict[str, str] = {}
    problems = []
    for binding in parse_stream(StringIO(text)):
        if binding.key is not None and binding.value is not None and not binding.error:
            values[binding.key] = binding.value
        elif binding.error or binding.key is not None:
            fault = "is not read; write NAME=value, with both quotes where there is one, or # before a remark"
            problems.append(Problem(path.name, _line(binding), 1, f"this line {fault}"))
    return _Read(values, tuple(problems))


def _line(binding: Binding) -> int:
    """The line where a binding's own text begins: what was read for it begins with the blank lines before it."""
    text = binding.original.string
    before = text[: len(text) - len(text.lstrip())]
    return binding.original.line + len(before.splitlines())
