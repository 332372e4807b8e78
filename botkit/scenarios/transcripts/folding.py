"""Folded text: a text without case, width and what cannot be seen, that knows where each of its characters was."""

from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import category, normalize

from botkit.line.text import graphemes


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` for searching; its `n`th character comes from `whole[starts[n]:ends[n]]`."""

    whole: str
    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def stretch(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]`, which is not empty, was."""
        return self.starts[start], self.ends[end - 1]


def folded(whole: str) -> Folded:
    """Fold a text: NFKC, case, and without format characters and variation selectors (Unicode categories Cf, Mn)."""
    found = list(_characters(whole))
    return Folded(
        whole,
        "".join(char for char, _, _ in found),
        tuple(start for _, start, _ in found),
        tuple(end for _, _, end in found),
    )


def fold(text: str) -> str:
    """The folded text alone."""
    return folded(text).text


def _characters(whole: str) -> Iterator[tuple[str, int, int]]:
    start = 0
    for one in graphemes(whole):
        end = start + len(one)
        for char in normalize("NFKC", normalize("NFKC", one).casefold()):
            if category(char) != "Cf" and not "\ufe00" <= char <= "\ufe0f":
                yield char, start, end
        start = end
