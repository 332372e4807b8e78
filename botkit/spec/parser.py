"""Reads one YAML file into plain data, safely, and remembers where everything stands."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from botkit.spec.document import BOT_FILE, MAX_DEPTH, MAX_PROBLEMS, Document, Limits, Path, Place

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# YAML 1.2's core schema, so that `off`, `on`, `yes` and `no` stay words (YAML 1.2.2, section 10.3.2).
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INT = re.compile(r"[-+]?[0-9]{1,30}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")


def read(content: bytes, file: str, limits: Limits = BOT_FILE) -> Document:
    """See `document.read`."""
    document = Document(file)
    text = _decode(content, document, limits)
    if text is None:
        return document
    try:
        _Builder(document, yaml.parse(text, Loader=_Loader), limits).build()
        document.complete = True
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
        document.complain_at(place, _explain(error.problem or error.context or "", text, place))
    except yaml.YAMLError as error:  # the reader's errors carry no mark
        document.complain((), f"this is not valid YAML: {str(error).splitlines()[0]}; save it as plain UTF-8 text")
    except _TooMuch as error:
        document.complain_at(Place(file, error.line, error.column), error.text)
    return document


def _decode(content: bytes, document: Document, limits: Limits) -> str | None:
    if len(content) > limits.size:
        document.complain((), f"{len(content):,} bytes; {limits.kind} may have {limits.size:,}; {limits.too_long}")
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        document.complain((), f"byte {error.start} is not UTF-8; save the file as UTF-8")
        return None


class _TooMuch(Exception):
    """A limit is reached; reading on would only cost time."""

    def __init__(self, mark: yaml.Mark, text: str) -> None:
        self.line, self.column, self.text = mark.line + 1, mark.column + 1, text


class _Builder:
    """Builds the data from parser events: what YAML could hide (tags, aliases, merges) is seen before it acts.

    PyYAML's own constructor expands merge keys while loading, exponentially (yaml/pyyaml#897).
    """

    def __init__(self, document: Document, events: Iterator[Any], limits: Limits) -> None:
        self.document = document
        self.limits = limits
        self.events = events
        self.values = 0

    def build(self) -> None:
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if () in self.document.places:
                    self._complain_at(event, f"a second document starts here; {self.limits.second_document}")
                    return
                self.document.data = self._value(next(self.events), (), 0)

    def _value(self, event: Any, path: Path, depth: int) -> Any:
        self.document.places.setdefault(path, self._place(event))
        self._check_limits(event, depth)
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

    def _check_limits(self, event: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise _TooMuch(event.start_mark, f"nested deeper than {MAX_DEPTH}; flatten it")
        self.values += 1
        if self.values > self.limits.values:
            text = f"more than {self.limits.values:,} values; {self.limits.too_many}"
            raise _TooMuch(event.start_mark, text)
        if len(self.document.problems) >= MAX_PROBLEMS:
            raise _TooMuch(event.start_mark, "")

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event, path, depth)
            if key in result:
                self._complain_at(event, f"`{key}` stands here twice; keep one")
            # A key's place is the key, not its value: that is where a person looks.
            self.document.places[*path, key] = self._place(event)
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

    def _scalar(self, event: Any, path: Path) -> Any:
        if not event.implicit[0]:  # quoted or a block: a text, whatever it looks like
            if event.style == "|":
                self.document.blocks[path] = event.start_mark.line + 2
            return event.value
        value = _resolve(event.value)
        if not isinstance(value, str):
            self.document.written[path] = event.value
        return value

    def _complain_at(self, event: Any, text: str) -> None:
        self.document.complain_at(self._place(event), text)

    def _place(self, event: Any) -> Place:
        return Place(self.document.file, event.start_mark.line + 1, event.start_mark.column + 1)


# What PyYAML says, and what the person probably did.
_CAUSES = (
    (
        "mapping values are not allowed",
        "a text that holds `: ` needs quotes around it, or this line is indented too far",
    ),
    ("cannot start any token", "a text that starts with @, `, % or a tab needs quotes around it"),
    ("could not find expected ':'", "a line lacks its `: `, or a quote is not closed"),
    ("end of stream", "a quote or a bracket is not closed"),
    ("expected ',' or", "a bracket is not closed, or a comma is missing"),
    ("block end", "check the indentation: keys of one mapping start in the same column"),
    ("block mapping", "check the indentation: keys of one mapping start in the same column"),
)


def _explain(said: str, text: str, place: Place) -> str:
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    before = lines[place.line - 2] if 1 < place.line <= len(lines) + 1 else ""
    cure = next((cure for cause, cure in _CAUSES if cause in said), "check the indentation and the quotes")
    if "\t" in line[: place.column]:
        cure = "indent with spaces, not with tabs"
    if "：" in line.partition(":")[0] or "：" in before.partition(":")[0]:
        cure = "a key ends with a half-width `: `, not with `：`"
    return f"this is not valid YAML: {said or 'it cannot be read'}; {cure}"


def _resolve(text: str) -> Any:
    if text.lower() in _WORDS and text in (text.lower(), text.upper(), text.capitalize()):
        return _WORDS[text.lower()]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
