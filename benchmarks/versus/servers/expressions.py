"""What DynamoDB's expressions are made of: words, names, values, and what they stand for in an item."""

import pathlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from benchmarks.versus.servers.values import Invalid, Item, Value, kind_of

WORD: Final = re.compile(r"\s*(?:([#:]?[A-Za-z0-9_]+)|(<>|<=|>=|[=<>(),+\-.\[\]]))")
RESERVED: Final = frozenset(pathlib.Path(__file__).with_name("reserved.txt").read_text().split())
"""What has to be written as a `#name` (DynamoDB developer guide: Reserved words)."""
NAME: Final = re.compile(r"#[A-Za-z0-9_]+|[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Scope:
    """What `#names` and `:values` stand for in one request."""

    names: Mapping[str, str]
    values: Mapping[str, Value]

    def name(self, written: str) -> str:
        """The attribute that is meant."""
        if not written.startswith("#"):
            return written
        try:
            return self.names[written]
        except KeyError:
            text = "An expression attribute name used in the document path is not defined; attribute name: "
            raise Invalid(text + written) from None

    def value(self, written: str) -> Value:
        """The value that is meant."""
        try:
            return self.values[written]
        except KeyError:
            text = "An expression attribute value used in expression is not defined; attribute value: "
            raise Invalid(text + written) from None


class Operand(Protocol):
    """What can stand beside an operator."""

    def read(self, item: Item, scope: Scope) -> Value | None:
        """Its value; None where the item has none."""
        ...


@dataclass(frozen=True, slots=True)
class Path:
    """An attribute of the item. Paths into maps and lists are not known here."""

    written: str

    def read(self, item: Item, scope: Scope) -> Value | None:
        """See `Operand.read`."""
        return item.get(scope.name(self.written))


@dataclass(frozen=True, slots=True)
class Given:
    """A value of the request."""

    written: str

    def read(self, item: Item, scope: Scope) -> Value | None:
        """See `Operand.read`."""
        return scope.value(self.written)


@dataclass(frozen=True, slots=True)
class Size:
    """How large an attribute is: characters, bytes or entries."""

    path: Path

    def read(self, item: Item, scope: Scope) -> Value | None:
        """See `Operand.read`."""
        value = self.path.read(item, scope)
        if value is None or kind_of(value) in ("N", "BOOL", "NULL"):
            return None
        return {"N": str(len(value[kind_of(value)]))}


@dataclass
class Words:
    """The words of an expression, read from the left; lives while one is parsed."""

    text: str
    kind: str
    used: set[str] = field(default_factory=set)
    """The `#names` and `:values` that occur."""
    paths: set[str] = field(default_factory=set)
    """The attributes that occur, as they are written."""

    def __post_init__(self) -> None:
        self._words = list(self._split())
        self._at = 0

    def _split(self) -> Any:
        at, end = 0, len(self.text.rstrip())
        if not end:
            raise Invalid(f"Invalid {self.kind}: The expression can not be empty;")
        while at < end:
            match = WORD.match(self.text, at)
            if match is None:
                raise self.wrong(self.text[at:].strip()[:1])
            yield match[1] or match[2]
            at = match.end()

    def wrong(self, word: str) -> Invalid:
        """A word that must not stand where it stands."""
        return Invalid(f'Invalid {self.kind}: Syntax error; token: "{word or "<EOF>"}", near: "{self.text}"')

    @property
    def next(self) -> str:
        """The word that comes; empty at the end."""
        return self._words[self._at] if self._at < len(self._words) else ""

    def after_next(self) -> str:
        """The word that comes then."""
        return self._words[self._at + 1] if self._at + 1 < len(self._words) else ""

    def take(self) -> str:
        """The word that comes, which is passed."""
        word = self.next
        self._at += 1
        return word

    def accept(self, word: str) -> bool:
        """Pass a word, in whatever letters, if it comes."""
        if self.next.upper() != word:
            return False
        self._at += 1
        return True

    def expect(self, word: str) -> None:
        """Pass a word that has to come."""
        if not self.accept(word):
            raise self.wrong(self.next)

    def path(self) -> Path:
        """An attribute, by its name or by what stands for it."""
        word = self.take()
        if not NAME.fullmatch(word) or self.next in (".", "["):
            raise self.wrong(word)
        if word.startswith("#"):
            self.used.add(word)
        elif word.upper() in RESERVED:
            raise Invalid(f"Invalid {self.kind}: Attribute name is a reserved keyword; reserved keyword: {word}")
        self.paths.add(word)
        return Path(word)

    def given(self) -> Given:
        """A value of the request."""
        word = self.take()
        if not word.startswith(":"):
            raise self.wrong(word)
        self.used.add(word)
        return Given(word)
