"""Text as LINE takes it: lengths in UTF-16 code units, splitting, and cleaning."""

import re
import unicodedata
from collections.abc import Iterator

LONGEST_TEXT = 5000
"""UTF-16 code units of one text message (LINE reference: Text message)."""

MOST_MESSAGES = 5
"""Message objects of one reply or push (LINE reference: Send reply message)."""

ELLIPSIS = "…"

_LONGEST_NAME = 64

# Where a text is best cut, the best first: at a paragraph, a line, the end of a sentence, a space.
_BREAKS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"[。！？]+[」』）】]*|[.!?]+[\"')\]”’]*(?=\s)"),
    re.compile(r"\s"),
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

_ZERO_WIDTH_JOINER = "\u200d"
# What extends the character before it although its category is not Mark: joiners, emoji skin tones, tags,
# half-width voiced marks, Thai and Lao AM (Unicode Annex 29: Extend and SpacingMark).
_EXTENDING = re.compile("[\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\uff9e\uff9f\u0e33\u0eb3]")
_REGIONAL = re.compile("[\U0001f1e6-\U0001f1ff]")
# Two parts of one Korean syllable.
_SYLLABLE = re.compile(
    "[\u1100-\u115f\ua960-\ua97c][\u1100-\u11a7\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7c6]"
    "|[\u1160-\u11ff\uac00-\ud7a3\ud7b0-\ud7fb][\u1160-\u11ff\ud7b0-\ud7fb]"
)
# Invisible though no format character to Unicode: fillers, the grapheme joiner, variation selectors, and all
# of the block of tags, where text can be hidden from people but not from models.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0000-\U000e0fff]")
# Controls, formats (zero-width, bidirectional), surrogates, private use. Not Cn: the newest emoji are in it.
_HIDDEN = ("Cc", "Cf", "Cs", "Co")


def utf16_length(text: str) -> int:
    """The length in UTF-16 code units, as LINE counts texts (LINE docs: Character counting in a text)."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def graphemes(text: str) -> Iterator[str]:
    """The user-perceived characters, by an approximation of Unicode Annex 29 that needs no tables.

    Where it errs it joins too much rather than too little, but for conjuncts of Indic scripts.
    """
    start = 0
    for index in range(1, len(text) + 1):
        if is_boundary(text, index):
            yield text[start:index]
            start = index


def is_boundary(text: str, index: int) -> bool:
    """Whether a cut before `text[index]` keeps the user-perceived characters on both sides whole."""
    if index <= 0 or index >= len(text):
        return True
    before, after = text[index - 1], text[index]
    if before in "\r\n":
        return before + after != "\r\n"
    if before == _ZERO_WIDTH_JOINER or _extends(after):
        return False
    if _REGIONAL.match(before) and _REGIONAL.match(after):
        return _flags_end_at(text, index)
    return not _SYLLABLE.match(before + after)


def split(text: str, limit: int = LONGEST_TEXT, most: int = MOST_MESSAGES) -> list[str]:
    """The text in at most `most` pieces of at most `limit` (≥ 2) UTF-16 code units, none of them blank.

    Nothing is lost but whitespace where it is cut; what exceeds the last piece is cut off with "…".
    A cut is made as late as possible at a paragraph, else a line, a sentence, a space, a character.
    """
    pieces: list[str] = []
    rest = text.strip()
    while rest and len(pieces) < most - 1 and utf16_length(rest) > limit:
        # A fuller piece, where otherwise the rest would not fit in the pieces left.
        needed = utf16_length(rest) - limit * (most - len(pieces) - 1)
        floor = max(limit // 2, needed) if needed <= limit else limit // 2
        cut = _best_cut(rest, floor, limit)
        pieces.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*pieces, shorten(rest, limit)] if rest else pieces


def shorten(text: str, limit: int) -> str:
    """The text, cut to `limit` UTF-16 code units with "…" at its end where it is longer."""
    if utf16_length(text) <= limit:
        return text
    return text[: _last_boundary(text, limit - 1)].rstrip() + ELLIPSIS


def clean(text: str) -> str:
    """The text without what LINE or a store may refuse: control characters but `\\n` and `\\t`, lone surrogates."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def clean_name(name: str) -> str:
    """A display name that can do no harm when it is quoted to a model: one visible line, at most 64 characters.

    People choose their names freely, so whatever could hide or forge text goes: control characters
    and line breaks, zero-width and bidirectional ones, variation selectors, the Tag block.
    """
    visible = "".join(" " if char.isspace() else char for char in name if char.isspace() or _is_visible(char))
    name = " ".join(visible.split())
    cut = min(len(name), _LONGEST_NAME)
    return name[: _boundary_before(name, cut)].rstrip()


def _is_visible(char: str) -> bool:
    return unicodedata.category(char) not in _HIDDEN and not _INVISIBLE.match(char)


def _extends(char: str) -> bool:
    return unicodedata.category(char)[0] == "M" or bool(_EXTENDING.match(char))


def _flags_end_at(text: str, index: int) -> bool:
    """Whether an even number of regional indicators stands before `index`: two make one flag."""
    start = index
    while start and _REGIONAL.match(text[start - 1]):
        start -= 1
    return (index - start) % 2 == 0


def _best_cut(text: str, floor: int, limit: int) -> int:
    """The index to cut at so that the first piece has `floor` to `limit` units, always above 0."""
    lowest, highest = max(1, _index_at(text, floor)), _index_at(text, limit)
    for pattern in _BREAKS:
        # One character more, for the look-ahead at the end of a sentence.
        ends = [match.end() for match in pattern.finditer(text, 0, highest + 1)]
        fitting = [end for end in ends if lowest <= end <= highest and is_boundary(text, end)]
        if fitting:
            return fitting[-1]
    return _last_boundary(text, limit)


def _last_boundary(text: str, limit: int) -> int:
    """The last place in the first `limit` units where no character is broken, or failing that no surrogate pair."""
    return _boundary_before(text, _index_at(text, limit))


def _boundary_before(text: str, index: int) -> int:
    for candidate in range(index, 0, -1):
        if is_boundary(text, candidate):
            return candidate
    return index


def _index_at(text: str, units: int) -> int:
    """How many characters of the text the first `units` UTF-16 code units hold."""
    used = 0
    for index, char in enumerate(text):
        used += 2 if char > "\uffff" else 1
        if used > units:
            return index
    return len(text)
