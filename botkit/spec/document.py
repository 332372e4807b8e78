"""Reads one YAML file into plain data, safely, and remembers where everything stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from botkit.errors import Problem

MAX_BYTES = 256 * 1024
MAX_DEPTH = 50

Path = tuple[str | int, ...]

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# YAML 1.2's core schema, so that `off`, `on`, `yes` and `no` stay words (YAML 1.2.2, section 10.3.2).
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INT = re.compile(r"[-+]?[0-9]{1,30}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")


@dataclass(slots=True)
class Document:
    """A file's data with the place (line, column, both from 1) of every key and item.

    `written` holds the text of each unquoted scalar that is not a string, for options that want
    the words a person wrote (`1e3`, `0123`, `true`).
    """

    file: str
    data: Any = None
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    written: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, path: Path, text: str) -> None:
        """Add an error at the place of `path`, or of its nearest ancestor that stands in the file."""
        while path and path not in self.places:
            path = path[:-1]
        line, column = self.places.get(path, (1, 1))
        self.problems.append(Problem(self.file, line, column, text))


def read(content: bytes, file: str) -> Document:
    """Parse `content`; every mistake found is in the document's `problems`, none is raised."""
    document = Document(file)
    text = _decode(content, document)
    if text is None:
        return document
    try:
        _Builder(document, yaml.parse(text, Loader=_Loader)).build()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = error.problem or error.context or "it cannot be parsed"
        document.problems.append(Problem(file, line, column, f"this is not valid YAML: {what}; check the indentation"))
    except yaml.YAMLError as error:  # the reader's errors carry no mark
        document.complain((), f"this is not valid YAML: {str(error).splitlines()[0]}; save it as plain UTF-8 text")
    except _TooDeep as error:
        document.problems.append(Problem(file, error.line, error.column, f"nested deeper than {MAX_DEPTH}; flatten it"))
    return document


def _decode(content: bytes, document: Document) -> str | None:
    if len(content) > MAX_BYTES:
        document.complain(
            (), f"{len(content):,} bytes; a bot file may have {MAX_BYTES:,}; move long texts to a persona file"
        )
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        document.complain((), f"byte {error.start} is not UTF-8; save the file as UTF-8")
        return None


class _TooDeep(Exception):
    def __init__(self, mark: yaml.Mark) -> None:
        self.line, self.column = mark.line + 1, mark.column + 1


class _Builder:
    """Builds the data from parser events: what YAML could hide (tags, aliases, merges) is seen before it acts.

    PyYAML's own constructor expands merge keys while loading, exponentially (yaml/pyyaml#897).
    """

    def __init__(self, document: Document, events: Iterator[Any]) -> None:
        self.document = document
        self.events = events

    def build(self) -> None:
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if self.document.places:
                    self._complain_at(event, "a second document starts here; one file holds one bot")
                    return
                self.document.data = self._value(next(self.events), (), 0)
                self.document.places.setdefault((), (1, 1))

    def _value(self, event: Any, path: Path, depth: int) -> Any:
        self.document.places.setdefault(path, _place(event))
        if depth > MAX_DEPTH:
            raise _TooDeep(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            self._complain_at(event, f"aliases (`*{event.anchor}`) are not supported; write the value out")
            return None
        if event.anchor:
            self._complain_at(event, f"anchors (`&{event.anchor}`) are not supported; leave it out")
        if event.tag and event.tag != "!":
            self._complain_at(event, f"tags (`{event.tag}`) are not supported; leave it out")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        return self._scalar(event, path)

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event, path, depth)
            if key in result:
                self._complain_at(event, f"`{key}` stands here twice; keep one")
            # A key's place is the key, not its value: that is where a person looks.
            self.document.places[*path, key] = _place(event)
            result[key] = self._value(next(self.events), (*path, key), depth + 1)
        return result

    def _key(self, event: Any, path: Path, depth: int) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._complain_at(event, "a key must be a word; put quotes around a text that starts with {, [ or *")
            self._value(event, (*path, ""), depth + 1)
            return ""
        if event.value == "<<" and event.implicit[0]:
            self._complain_at(event, "merge keys (`<<`) are not supported; write the keys out")
        return str(event.value)

    def _sequence(self, path: Path, depth: int) -> list[Any]:
        result: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            result.append(self._value(event, (*path, len(result)), depth + 1))
        return result

    def _scalar(self, event: yaml.ScalarEvent, path: Path) -> Any:
        if not event.implicit[0]:  # quoted or a block: a text, whatever it looks like
            return event.value
        value = _resolve(event.value)
        if not isinstance(value, str):
            self.document.written[path] = event.value
        return value

    def _complain_at(self, event: Any, text: str) -> None:
        self.document.problems.append(Problem(self.document.file, *_place(event), text))


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _resolve(text: str) -> Any:
    if text.lower() in _WORDS and text in (text.lower(), text.upper(), text.capitalize()):
        return _WORDS[text.lower()]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
