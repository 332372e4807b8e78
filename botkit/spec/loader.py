"""Loads bot files: all mistakes of all files at once, each with its place."""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from botkit.errors import Problem
from botkit.pipeline import Step
from botkit.spec import document
from botkit.spec.bot import BotSpec, CustomStep, Header
from botkit.spec.document import Document
from botkit.spec.problems import dotted, explain, near
from botkit.steps import STEPS

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_REQUIRED = {
    "persona": "persona: You are a friendly assistant.",
    "model": "model: gpt-4.1-mini",
}

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A bots folder as it was read: the good bots, and every problem of the others, by bot."""

    bots: Mapping[str, BotSpec] = field(default_factory=dict)
    broken: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, file by file, in reading order."""
        return tuple(problem for problems in self.broken.values() for problem in problems)


def load_folder(folder: Path, only: Iterable[str] = ()) -> Loaded:
    """Load every bot of `folder`, or those named in `only`. Raises nothing for what a file holds."""
    bots: dict[str, BotSpec] = {}
    broken: dict[str, tuple[Problem, ...]] = {}
    for path in bot_files(folder):
        if only and path.stem not in only:
            continue
        spec, problems = load_file(path)
        if spec is None:
            broken[path.stem] = problems
        else:
            bots[path.stem] = spec
    return Loaded(bots, broken)


def bot_files(folder: Path) -> list[Path]:
    """The files of `folder` that are bots: `*.yaml` but for `_*` and `*.test.yaml`, by name."""
    files = sorted(folder.glob("*.yaml"))
    return [path for path in files if not path.name.startswith("_") and not path.name.endswith(".test.yaml")]


def load_file(path: Path) -> tuple[BotSpec | None, tuple[Problem, ...]]:
    """One bot file as a BotSpec, or None and its problems in reading order."""
    try:
        source = document.read(path.read_bytes(), _shown_path(path))
    except OSError as error:
        return None, (Problem(_shown_path(path), 0, 0, f"it cannot be read: {error.strerror}; check the file"),)
    if not source.problems:
        spec = _Reading(source, path).spec()
        if spec is not None and not source.problems:
            return spec, ()
    return None, tuple(sorted(source.problems, key=lambda problem: (problem.line, problem.column)))


def _shown_path(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


class _Reading:
    """Validates one parsed file, section by section; lives for that one file."""

    def __init__(self, source: Document, path: Path) -> None:
        self.source = source
        self.path = path

    def spec(self) -> BotSpec | None:
        self._check_name()
        data = self.source.data
        if not isinstance(data, dict):
            self.source.complain((), "a bot file is a mapping; start with `persona:` and `model:`")
            return None
        header = self._header(data)
        steps = self._pipeline(data)
        if header is None or self.source.problems:
            return None
        return BotSpec(self.path.stem, header.description, header.timezone, header.line, steps, self.path)

    def _check_name(self) -> None:
        if not _NAME.fullmatch(self.path.stem):
            self.source.complain(
                (),
                f"`{self.path.stem}` cannot be a bot's name; use up to 32 of a-z, 0-9 and -, such as night-desk.yaml",
            )

    def _header(self, data: dict[str, Any]) -> Header | None:
        own = {key: value for key, value in data.items() if key not in STEPS and key != "pipeline"}
        known = [*Header.model_fields, *STEPS, "pipeline"]
        return self._validate(Header, own, (), known)

    def _pipeline(self, data: dict[str, Any]) -> tuple[Step, ...]:
        steps = {name: step for name in STEPS if (step := self._section(name, data)) is not None}
        if "pipeline" not in data:
            return tuple(steps.values())
        return self._ordered(data, steps)

    def _section(self, name: str, data: dict[str, Any]) -> Step | None:
        kind = STEPS[name]
        if name not in data and name in _REQUIRED:
            self.source.complain((), f"`{name}` is missing; add a line such as `{_REQUIRED[name]}`")
            return None
        options = data.get(name, {})
        if kind.short is not None and not isinstance(options, dict | list | None):
            # The short form: its one value stands for the field it fills.
            self._note_short_form(name, kind.short)
            options = {kind.short: options}
        return self._validate(kind, options, (name,), kind.model_fields)

    def _note_short_form(self, name: str, option: str) -> None:
        self.source.places.setdefault((name, option), self.source.places[name,])
        if (name,) in self.source.written:
            self.source.written[name, option] = self.source.written[name,]

    def _ordered(self, data: dict[str, Any], steps: dict[str, Step]) -> tuple[Step, ...]:
        entries = data["pipeline"]
        if not isinstance(entries, list) or not entries:
            self.source.complain(("pipeline",), f"pipeline: must be a list of steps, such as [{', '.join(STEPS)}]")
            return ()
        chosen = [self._entry(entry, number, steps) for number, entry in enumerate(entries)]
        for name in data:
            if name in STEPS and name not in entries:
                self.source.complain(
                    (name,), f"{name}: has options here but is not in the pipeline; add it there, or remove this"
                )
        return tuple(step for step in chosen if step is not None)

    def _entry(self, entry: Any, number: int, steps: dict[str, Step]) -> Step | None:
        path = ("pipeline", number)
        if isinstance(entry, dict):
            custom = self._validate(CustomStep, entry, path, ["use", "with"])
            return self._custom(custom, path) if custom else None
        if not isinstance(entry, str) or entry not in STEPS:
            self.source.complain(path, f"pipeline: `{entry}` is not a step{near(str(entry), STEPS)}")
            return None
        return steps.get(entry)

    def _custom(self, custom: CustomStep, path: document.Path) -> Step | None:
        try:
            kind = _import(custom.use, self.path.parent)
        except _NotAStep as error:
            self.source.complain((*path, "use"), f"{dotted((*path, 'use'))}: {error}")
            return None
        return self._validate(kind, custom.options, (*path, "with"), kind.model_fields)

    def _validate(self, kind: type[M], value: Any, path: document.Path, known: Iterable[str]) -> M | None:
        """`value` as a `kind`; each finding becomes a problem at its place."""
        try:
            return self._validated(kind, {} if value is None else value, path)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                neighbours = known if len(details["loc"]) == 1 else _fields_at(kind, details["loc"][:-1])
                self.source.complain((*path, *details["loc"]), explain(details, path, neighbours))
        return None

    def _validated(self, kind: type[M], value: Any, path: document.Path) -> M:
        """Validate; where a text was wanted and a plain scalar stands, take it as it was written, and try again."""
        context = {"folder": self.path.parent}
        try:
            return kind.model_validate(value, context=context)
        except ValidationError as error:
            texts = [details["loc"] for details in error.errors() if details["type"] in ("string_type", "model_type")]
            written = {
                loc: self.source.written[*path, *loc] for loc in texts if loc and (*path, *loc) in self.source.written
            }
            if not written:
                raise
        for loc, text in written.items():
            _put(value, loc, text)
        return kind.model_validate(value, context=context)


def _put(value: Any, loc: document.Path, text: str) -> None:
    for key in loc[:-1]:
        value = value[key]
    value[loc[-1]] = text


def _fields_at(kind: Any, loc: document.Path) -> list[str]:
    """The options of the model that stands at `loc` inside `kind`; none where it is no model."""
    for key in loc:
        if isinstance(key, str) and isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = _model_in(kind.model_fields[key].annotation) if key in kind.model_fields else None
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)


class _NotAStep(Exception):
    """What is wrong with a `use:`."""


def _import(use: str, folder: Path) -> type[Step]:
    """The step class at `bots.steps.hours:Hours`, from the folder that holds the bots folder."""
    module_name, _, class_name = use.partition(":")
    if module_name.partition(".")[0] != folder.resolve().name:
        raise _NotAStep(f"`{use}` does not start with the bots folder's name; write {folder.resolve().name}.…")
    parent = str(folder.resolve().parent)
    if parent not in sys.path:
        sys.path.append(parent)
    try:
        found = getattr(import_module(module_name), class_name, None)
    except Exception as error:  # the user's own module runs here: whatever it raises is for the user to read
        raise _NotAStep(f"`{module_name}` cannot be imported: {type(error).__name__}: {error}") from error
    if found is None:
        raise _NotAStep(f"`{module_name}` has no `{class_name}`")
    if not isinstance(found, type) or not issubclass(found, Step):
        raise _NotAStep(f"`{use}` is not a step; subclass botkit.Step")
    return found
