"""Document: one YAML file as plain data, with the place of everything in it."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from botkit import demand
from botkit.errors import Problem

parser = demand.module("botkit.spec.parser")
"""On demand: in a package the bots are parsed already, and a cold start does without PyYAML."""

MAX_BYTES = 256 * 1024
MAX_DEPTH = 50
MAX_VALUES = 5_000

MAX_PROBLEMS = 50
"""Mistakes told of one file; a file with more has one cause."""


class Limits(NamedTuple):
    """How much a kind of file may hold, in bytes and in values, and what to do where there is more."""

    kind: str
    size: int
    too_long: str
    values: int
    too_many: str
    second_document: str


BOT_FILE = Limits(
    *("a bot file", MAX_BYTES, "move long texts to a persona file", MAX_VALUES, "no bot needs so many"),
    "one file holds one bot",
)

Path = tuple[str | int, ...]


class Place(NamedTuple):
    """Where something stands: a file as it is shown to people, line and column from 1."""

    file: str
    line: int
    column: int


@dataclass(slots=True)
class Document:
    """A file's data with the place of every key and item.

    `written` holds the text of each unquoted scalar that is not a string, for options that want
    the words a person wrote (`1e3`, `0123`, `true`). `blocks` says on which line the text of a
    literal block (`|`) begins. `complete` is false where the YAML could not be read to its end,
    `whole` where a file that it extends could not be had. `files` are the names of all files that
    are in it, the file itself first.
    """

    file: str
    data: Any = None
    places: dict[Path, Place] = field(default_factory=dict)
    written: dict[Path, str] = field(default_factory=dict)
    blocks: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = False
    whole: bool = True
    files: tuple[str, ...] = ()

    def place_of(self, path: Path) -> Place:
        """The place of `path`, or of its nearest ancestor that stands in the file."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(self.file, 1, 1))

    def complain(self, path: Path, text: str) -> None:
        """Add an error at the place of `path`."""
        self.complain_at(self.place_of(path), text)

    def complain_at(self, place: Place, text: str) -> None:
        """Add an error at a place."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(*place, text))


def read(content: bytes, file: str, limits: Limits = BOT_FILE) -> Document:
    """Parse `content`; every mistake found is in the document's `problems`, none is raised."""
    document: Document = parser.read(content, file, limits)
    return document
