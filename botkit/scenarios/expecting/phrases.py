"""Phrases: texts as they are compared, and as they are shown where they are not what was expected."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Final

LONGEST: Final = 240
"""Characters of a text that is quoted in a sentence; of a longer one the middle is left out."""
MOST_LINES: Final = 12
"""Lines of a difference or of a list."""

# A single word is soon like another.
_NEAR: Final = 0.65
_NEAR_WORD: Final = 0.8
_MOST_WORDS: Final = 1_500
_MOST_SEARCHED: Final = 6_000
# A word; where a script sets no spaces, one character; any other sign.
_WORDS = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]|\w+|[^\S\n]+|.", re.DOTALL)


def plain(text: str) -> str:
    """A text as it is compared: NFKC, so that full and half width are one; without case; any blanks as one."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def shown(text: str, most: int = LONGEST) -> str:
    """A text between quotation marks, on one line; the middle of a long one is left out."""
    line = " ".join(text.split())
    if len(line) > most:
        line = f"{line[: most // 2].rstrip()} … {line[-most // 2 :].lstrip()}"
    return f"“{line}”"


def around(text: str, words: str) -> str:
    """Where `words` stand in a text, with what is around them; the text's beginning and end where that is not found."""
    found = re.search(re.escape(words), text, re.IGNORECASE)
    if found is None or len(text) <= LONGEST:
        return shown(text)
    start, end = max(0, found.start() - LONGEST // 3), found.end() + LONGEST // 3
    before, after = "… " if start else "", " …" if end < len(text) else ""
    return shown(f"{before}{text[start:end]}{after}")


def times(number: int) -> str:
    """How often: never, once, twice, 3 times."""
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def counted(number: int, noun: str) -> str:
    """So many: 1 message, 2 messages, no messages."""
    return f"{number or 'no'} {noun}{'s' * (number != 1)}"


def listed(texts: Iterable[str]) -> str:
    """Texts, each between quotation marks."""
    return ", ".join(shown(text, 80) for text in texts)


def nearest(words: str, texts: Iterable[str]) -> str:
    """The stretch in some texts that is most like `words`; "" where none is much like them."""
    wanted = _split(plain(words))
    matcher = SequenceMatcher(None, "", "".join(wanted), autojunk=False)
    best, found, left = _NEAR if len(wanted) > 1 else _NEAR_WORD, "", _MOST_SEARCHED
    for text in texts:
        parts = _split(" ".join(unicodedata.normalize("NFKC", text).split()))[:left]
        left -= len(parts)
        for start in range(max(1, len(parts) - len(wanted) + 1)):
            stretch = "".join(parts[start : start + len(wanted)])
            matcher.set_seq1(stretch.casefold())
            if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best and matcher.ratio() > best:
                best, found = matcher.ratio(), stretch
    return found.strip()


def marked(wanted: str, came: str) -> str:
    """One text on top of the other: `From [-three-]{+four+}.`, where [-…-] was wanted and {+…+} came.

    Of long texts only the lines that differ.
    """
    before, now = _split(wanted), _split(came)
    same = next((number for number, (one, other) in enumerate(zip(before, now, strict=False)) if one != other), 0)
    text = "".join(before[:same])
    before, now = before[same : same + _MOST_WORDS], now[same : same + _MOST_WORDS]
    for kind, start, end, start_now, end_now in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        old, new = "".join(before[start:end]), "".join(now[start_now:end_now])
        text += old if kind == "equal" else _mark("[-", old, "-]") + _mark("{+", new, "+}")
    lines = text.split("\n")
    changed = [line for line in lines if "[-" in line or "{+" in line]
    return cut(lines if len(lines) <= MOST_LINES else changed)


def cut(lines: Sequence[str]) -> str:
    """Lines under each other, those in excess left out."""
    more = len(lines) - MOST_LINES
    return "\n".join(lines if more <= 1 else [*lines[:MOST_LINES], f"… {more} more lines"])


def _split(text: str) -> list[str]:
    return _WORDS.findall(text)


def _mark(opening: str, text: str, closing: str) -> str:
    """A stretch between marks, line by line; the end of a line is to be seen."""
    lines = text.replace("\n", "⏎\n").split("\n")
    return "\n".join(f"{opening}{line}{closing}" if line else "" for line in lines)
