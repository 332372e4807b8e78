"""What others wrote, made fit for a terminal."""

import re
from unicodedata import category

_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """The text with what would steer a terminal, or turn the direction of writing, spelled out."""
    return "".join(_spelled(char) if _steers(char) else char for char in text)


def _steers(char: str) -> bool:
    return char != "\t" and (category(char) in ("Cc", "Cs", "Zl", "Zp") or _TURNS.match(char) is not None)


def _spelled(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
