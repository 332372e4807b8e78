"""Loads bot files: all mistakes of all files at once, each with its place."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic_core import ErrorDetails

from botkit.errors import Problem
from botkit.pipeline import Step
from botkit.spec import compiled, document
from botkit.spec.bot import BotSpec, CustomStep, Header, LineAccount
from botkit.spec.conflicts import conflicts
from botkit.spec.custom import NotAStep, import_step
from botkit.spec.document import Document, Place
from botkit.spec.files import bot_files, name_fault, shown_path
from botkit.spec.inherit import read_whole
from botkit.spec.problems import dotted, near
from botkit.spec.validation import M, Reading, get, put
from botkit.spec.values import is_reference
from botkit.steps import STEPS

_REQUIRED = {
    "persona": "persona: You are a friendly assistant.",
    "model": "model: gpt-4.1-mini",
}

MAX_STEPS = 50
"""Steps of one pipeline."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A bots folder as it was read: the good bots, and every problem of the others, by bot."""

    bots: Mapping[str, BotSpec] = field(default_factory=dict)
    broken: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, file by file, in reading order; one of a file that several bots extend comes once."""
        return tuple(dict.fromkeys(chain.from_iterable(self.broken.values())))


def load_folder(folder: Path, only: Iterable[str] = (), *, together: bool = True) -> Loaded:
    """Load every bot of `folder`, or those named in `only`. Raises nothing for what a file holds.

    `together`: bots that claim the same LINE account are wrong, too. A running handler, which reads
    one bot at a time, must judge each by itself.
    """
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
    for name, problem in _shared_accounts(bots.values()) if together else ():
        broken[name] = (*broken.get(name, ()), problem)
        bots.pop(name, None)
    return Loaded(bots, broken)


def load_file(path: Path) -> tuple[BotSpec | None, tuple[Problem, ...]]:
    """One bot file as a BotSpec, or None and its problems in reading order."""
    shown = shown_path(path)
    try:
        source = compiled.find(path, shown) or read_whole(path, shown)
    except OSError as error:
        return None, (Problem(shown, 0, 0, f"it cannot be read: {error.strerror}; check the file"),)
    spec = _BotFile(source, path).spec()
    if spec is not None and not source.problems:
        return spec, ()
    return None, tuple(
        sorted(dict.fromkeys(source.problems), key=lambda one: (one.file != shown, one.line, one.column))
    )


def _shared_accounts(bots: Iterable[BotSpec]) -> Iterator[tuple[str, Problem]]:
    """Bots that claim the same LINE account: their webhooks could not be told apart."""
    claims: defaultdict[tuple[str, str], list[BotSpec]] = defaultdict(list)
    for bot in bots:
        for option, value in _claims(bot.line):
            claims[option, value].append(bot)
    for (option, _), claimants in claims.items():
        for bot in claimants if len(claimants) > 1 else ():
            others = ", ".join(other.file.name for other in claimants if other is not bot)
            text = f"line.{option}: is the same as in {others}; each bot needs a LINE account of its own"
            yield bot.name, Problem(*bot.place_of(("line", option)), text)


def _claims(line: LineAccount | None) -> Iterator[tuple[str, str]]:
    if line is not None:
        yield from (("channel_secret", reference) for reference in dict.fromkeys(line.channel_secret))
        if line.channel_id is not None:
            yield "channel_id", line.channel_id
        if line.user_id is not None:
            yield "user_id", line.user_id


class _BotFile(Reading):
    """Validates one parsed file, section by section; lives for that one file."""

    def __init__(self, source: Document, path: Path) -> None:
        super().__init__(source)
        self.path = path

    def spec(self) -> BotSpec | None:
        self._check_name()
        data = self.source.data
        if not self.source.complete:  # what was not read cannot be said to be missing
            return None
        if not isinstance(data, dict):
            self.source.complain((), "a bot file is a mapping; start with `persona:` and `model:`")
            return None
        header = self._header(data)
        steps = self._pipeline(data)
        for path, text in conflicts(steps):
            self.complain(path, text)
        if header is None or self.source.problems:
            return None
        places = self.source.places
        return BotSpec(
            self.path.stem, header.description, header.timezone, header.line, steps, self.path, places, self.source.file
        )

    def _check_name(self) -> None:
        if self.path.suffix != ".yaml":
            self.source.complain((), f"a bot file ends in .yaml; rename it to {self.path.stem}.yaml")
        if fault := name_fault(self.path.stem):
            self.source.complain((), f"{fault}, such as night-desk")

    def _header(self, data: dict[str, Any]) -> Header | None:
        own = {key: value for key, value in data.items() if key not in STEPS and key != "pipeline"}
        return self.validate(Header, own, (), [*Header.model_fields, *STEPS, "extends", "pipeline"])

    def _pipeline(self, data: dict[str, Any]) -> tuple[Step, ...]:
        self._keep_digits(data.get("persona"))
        steps = {name: step for name in STEPS if (step := self._section(name, data)) is not None}
        if "pipeline" not in data:
            return tuple(steps.values())
        return self._ordered(data, steps)

    def _section(self, name: str, data: dict[str, Any]) -> Step | None:
        if name not in data and name in _REQUIRED:
            if self.source.whole:  # what another file may hold cannot be said to be missing
                self.complain((), f"`{name}` is missing; add a line such as `{_REQUIRED[name]}`")
            return None
        kind = STEPS[name]
        return self.validate(kind, data.get(name), (name,), kind.model_fields)

    def _keep_digits(self, persona: Any) -> None:
        """Numbers in `vars` that would lose digits (0312345678, 1.10) stay as they were written: they are shown."""
        for path, text in self.source.written.items():
            if path[:2] == ("persona", "vars") and len(path) > 2:
                value = get(persona, path[1:])
                if isinstance(value, int | float) and not isinstance(value, bool) and str(value) != text:
                    put(persona, path[1:], text)

    def _ordered(self, data: dict[str, Any], steps: dict[str, Step]) -> tuple[Step, ...]:
        entries = data["pipeline"]
        if not isinstance(entries, list) or not entries:
            self.complain(("pipeline",), f"pipeline: must be a list of steps, such as [{', '.join(STEPS)}]")
            return ()
        if len(entries) > MAX_STEPS:
            self.complain(("pipeline",), f"pipeline: {len(entries):,} steps; {MAX_STEPS} are the most")
            return ()
        chosen = [self._entry(entry, ("pipeline", number), steps) for number, entry in enumerate(entries)]
        self._check_order(entries)
        for name in data:
            if name in STEPS and name not in entries:
                cure = "add it there, or remove this"
                self.complain((name,), f"{name}: has options here but is not in the pipeline; {cure}")
        return tuple(step for step in chosen if step is not None)

    def _check_order(self, entries: list[Any]) -> None:
        for number, entry in enumerate(entries):
            if isinstance(entry, str) and entry in entries[:number]:
                self.complain(("pipeline", number), f"pipeline: `{entry}` stands here twice; keep one")
            elif "model" in entries[:number]:
                shown = entry if isinstance(entry, str) else "this step"
                text = f"pipeline: `{shown}` stands after `model`, which answers; move it before"
                self.complain(("pipeline", number), text)

    def _entry(self, entry: Any, path: document.Path, steps: dict[str, Step]) -> Step | None:
        if isinstance(entry, dict):
            custom = self.validate(CustomStep, entry, path, ["use", "with"])
            return self._custom(custom, path) if custom else None
        if not isinstance(entry, str) or entry not in STEPS:
            shown = "nothing" if entry is None else f"`{entry}`"
            self.complain(path, f"pipeline: {shown} is not a step{near(str(entry), STEPS)}")
            return None
        return steps.get(entry)

    def _custom(self, custom: CustomStep, path: document.Path) -> Step | None:
        try:
            kind = import_step(custom.use, self.path.parent)
        except NotAStep as error:
            self.complain((*path, "use"), f"{dotted((*path, 'use'))}: {error}")
            return None
        return self.validate(kind, custom.options, (*path, "with"), kind.model_fields)

    def validate(self, kind: type[M], value: Any, path: document.Path, known: Iterable[str]) -> M | None:
        """As for every file; a section of which nothing is written has what is standard."""
        try:
            return super().validate(kind, {} if value is None else value, path, known)
        except Exception as error:  # a validator of a step of the user's own
            self.complain(path, f"{dotted(path)}: {type(error).__name__}: {error}; correct the step's validator")
        return None

    def blame(self, kind: type[M], details: ErrorDetails, path: document.Path, known: Iterable[str]) -> None:
        """Complain of one finding; of a template there may be several in it."""
        if details["type"] == "template":
            self._blame_template(details, path)
        else:
            super().blame(kind, details, path, known)

    def context(self) -> Mapping[str, Any]:
        """What steps need to know of the file around them."""
        return {"folder": self.path.parent, "vars": self._vars(), "api_key": self._models_key()}

    def _vars(self) -> dict[str, Any]:
        """The persona's own values, which every template of the file may use."""
        given = get(self.source.data, ("persona", "vars"))
        return given if isinstance(given, dict) else {}

    def _models_key(self) -> str | None:
        """Where the key of the model is, unless it is one for a server of one's own."""
        model = get(self.source.data, ("model",))
        key = model.get("api_key") if isinstance(model, dict) and not model.get("base_url") else None
        return key if isinstance(key, str) and is_reference(key) else None

    def _blame_template(self, details: ErrorDetails, path: document.Path) -> None:
        """Faults of a template, each at its line in the file that holds the template."""
        context = details.get("ctx") or {}
        option = (*path, *details["loc"])
        locate = self._in_file(context["file"]) if context["file"] else self._in_text(option)
        for fault in context["faults"]:
            self.source.complain_at(locate(fault.line, fault.word), f"{dotted(option)}: {fault.text}")

    def _in_file(self, name: str) -> Callable[[int, str], Place]:
        shown = str(Path(self.source.file).parent / name)
        lines = (self.path.parent / name).read_text("utf-8-sig").splitlines()
        return lambda line, word: Place(shown, line, _column(lines, line, word))

    def _in_text(self, path: document.Path) -> Callable[[int, str], Place]:
        path = path if path in self.source.blocks else (*path, "text")
        place, begin = self.source.place_of(path), self.source.blocks.get(path)
        if begin is None:
            return lambda _line, _word: place
        lines = self.path.with_name(Path(place.file).name).read_text("utf-8-sig").splitlines()
        return lambda line, word: Place(place.file, begin + line - 1, _column(lines, begin + line - 1, word))


def _column(lines: list[str], line: int, word: str) -> int:
    """The column of `word` in the line, else where the line's text begins; from 1."""
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    found = text.find(word) if word else -1
    return (found if found >= 0 else len(text) - len(text.lstrip())) + 1
