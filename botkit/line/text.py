"""Text as LINE takes it: lengths in UTF-16 code units, splitting, and cleaning."""

import re
import sys
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence

LONGEST_TEXT = 5000
"""UTF-16 code units of one text message (LINE reference: Text message)."""

MOST_MESSAGES = 5
"""Message objects of one reply or push (LINE reference: Send reply message)."""

ELLIPSIS = "…"

_LONGEST_NAME = 64
_SPACE = re.compile(r"\s*")

# Where a text is best cut, the best first: at a paragraph, a line, the end of a sentence, a space.
_LINE_BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"))
_BREAKS = (
    *_LINE_BREAKS,
    re.compile(r"[。！？]+[」』）】]*|[.!?]+[\"')\]”’]*(?=\s)"),
    re.compile(r"\s"),
)
# A flag that is spelled out, such as Scotland's, is kept (Unicode Technical Standard 51: emoji tag sequence). Dropped
# are control characters, lone surrogates, what turns the direction of writing around and so can forge what people
# read, and all else of the block of tags, where text can be hidden from people but not from models.
_UNWANTED = re.compile(
    "(?P<kept>\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,7}\U000e007f)"
    "|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]|\r(?=\n)"
)
_FENCE = re.compile(r"^ {0,3}(?P<marks>`{3,}(?=[^`\n]*$)|~{3,})", re.MULTILINE)

Stretch = tuple[int, int]
"""A part `text[start:end]` of a text."""

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


def split(text: str, limit: int = LONGEST_TEXT, most: int = MOST_MESSAGES, whole: Sequence[Stretch] = ()) -> list[str]:
    """The text in at most `most` pieces of at most `limit` (≥ 2) UTF-16 code units, none of them blank.

    Nothing is lost but whitespace where it is cut; what exceeds the last piece is cut off with "…".
    A cut is made as late as possible at a paragraph, else a line, a sentence, a space, a character. The
    stretches `whole`, none within another, are cut only where one is longer than a piece or where the text
    would not fit otherwise, and then at a line's end if there is one.
    """
    short = [one for one in whole if utf16_length(text[slice(*one)]) <= limit]
    pieces: list[str] = []
    for kept, lined in ((short, whole), ((), whole), ((), ())) if whole else (((), ()),):
        pieces = _pieces(text, limit, most, _Stretches(kept), _Stretches(lined))
        if not pieces or utf16_length(pieces[-1]) <= limit:
            return pieces
    return [*pieces[:-1], shorten(pieces[-1], limit)]


def fences(text: str) -> tuple[Stretch, ...]:
    """The fenced code blocks of a Markdown text, with their fences; one that is not closed ends with the text."""
    found: list[Stretch] = []
    end = 0
    while opening := _FENCE.search(text, end):
        marks = opening["marks"]
        closing = re.compile(rf"^ {{0,3}}{marks[0]}{{{len(marks)},}}[ \t]*$", re.MULTILINE)
        closed = closing.search(text, opening.end())
        end = closed.end() if closed else len(text)
        found.append((opening.start(), end))
    return tuple(found)


def shorten(text: str, limit: int) -> str:
    """The text, cut to `limit` UTF-16 code units with "…" at its end where it is longer."""
    if utf16_length(text) <= limit:
        return text
    return text[: _last_boundary(text, limit - 1)].rstrip() + ELLIPSIS


def clean(text: str) -> str:
    """The text without what LINE or a store may refuse, and what can forge or hide text.

    That is: control characters but `\\n` and `\\t`, lone surrogates, characters that turn the direction of writing
    around, and the block of tags, but for flags spelled with it.
    """
    return clean_stretches(text)[0]


def clean_stretches(text: str, stretches: Sequence[Stretch] = ()) -> tuple[str, tuple[Stretch, ...]]:
    """The text as `clean` leaves it, and where these stretches of it are then."""
    ends, lengths = [0], [0]  # up to each end of a dropped character, how many have been dropped
    for match in _UNWANTED.finditer(text):
        if match["kept"] is None:
            ends.append(match.end())
            lengths.append(lengths[-1] + 1)
    cleaned = _UNWANTED.sub(lambda match: match["kept"] or "", text).replace("\r", "\n")

    def moved(index: int) -> int:
        return index - lengths[bisect_right(ends, index) - 1]

    return cleaned, tuple((moved(start), moved(end)) for start, end in stretches)


def is_blank(text: str) -> bool:
    """Whether there is nothing to be seen in a text."""
    return not any(_is_visible(char) and not char.isspace() for char in text)


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


class _Stretches:
    """Stretches of one text, none within another."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self._all = sorted(stretches)

    def hold(self, index: int) -> bool:
        """Whether `text[index]` is in one of them."""
        return self._at(index)[0] <= index

    def are_cut(self, index: int) -> bool:
        """Whether a cut before `text[index]` goes through one of them."""
        return self._at(index)[0] < index

    def meet(self, start: int, end: int) -> bool:
        """Whether one of them has a part in `text[start:end]`."""
        return any(first < end and start < last for first, last in self._all)

    def _at(self, index: int) -> Stretch:
        """The stretch that holds `index`, or one past every text."""
        place = bisect_right(self._all, (index, sys.maxsize)) - 1
        found = self._all[place] if place >= 0 else (0, 0)
        return found if index < found[1] else (sys.maxsize, sys.maxsize)


def _pieces(text: str, limit: int, most: int, kept: _Stretches, whole: _Stretches) -> list[str]:
    """At most `most` pieces, the last one with all that is left. Stretches `kept` are not cut, `whole` at line ends."""
    pieces: list[str] = []
    start, end = _piece_start(text, 0, limit, whole), len(text.rstrip())
    while start < end and len(pieces) < most - 1 and (units := utf16_length(text[start:end])) > limit:
        # A fuller piece, where otherwise the rest would not fit in the pieces left.
        needed = units - limit * (most - len(pieces) - 1)
        floor = max(limit // 2, needed) if needed <= limit else limit // 2
        cut = _best_cut(text, start, floor, limit, kept, whole)
        pieces.append(text[start:cut].rstrip())
        start = _piece_start(text, cut, limit, whole)
    return [*pieces, text[start:end]] if start < end else pieces


def _piece_start(text: str, index: int, limit: int, whole: _Stretches) -> int:
    """Where a piece begins: white space is left out, but for that before a line of a stretch, unless it is long."""
    solid = _solid(text, index)
    line = text.rfind("\n", index, solid) + 1 or index
    return line if whole.hold(line) and solid - line < limit // 2 else solid


def _solid(text: str, index: int) -> int:
    """The first place from `index` on that is no white space."""
    space = _SPACE.match(text, index)
    return space.end() if space else index


def _best_cut(text: str, start: int, floor: int, limit: int, kept: _Stretches, whole: _Stretches) -> int:
    """Where to cut `text[start:]` so that the piece has `floor` to `limit` units; less, where stretches ask for it.

    There is something to be seen before the cut.
    """
    window = text[start : start + limit]
    highest, least = start + _index_at(window, limit), _solid(text, start) + 1
    lowest = max(least, start + _index_at(window, floor))
    # Within a stretch an early line end is better than a late space, and that better than none of both.
    meets = whole.meet(lowest, highest + 1)
    for bottom, lined in ((lowest, whole), (least, whole), (lowest, kept)) if meets else ((lowest, whole),):
        for pattern in _BREAKS:
            # One character more, for the look-ahead at the end of a sentence.
            ends = [match.end() for match in pattern.finditer(text, start, highest + 1)]
            through = kept if pattern in _LINE_BREAKS else lined
            fitting = [end for end in ends if bottom <= end <= highest and is_boundary(text, end)]
            fitting = [end for end in fitting if not kept.are_cut(end) and not through.are_cut(end)]
            if fitting:
                return fitting[-1]
    uncut = (end for end in range(highest, least - 1, -1) if not kept.are_cut(end))
    # Characters before stretches, which are cut here only where their edges are within a character.
    return next((end for end in uncut if is_boundary(text, end)), _boundary_before(text, highest, least))


def _last_boundary(text: str, limit: int) -> int:
    """The last place in the first `limit` units where no character is broken, or failing that no surrogate pair."""
    return _boundary_before(text, _index_at(text, limit))


def _boundary_before(text: str, index: int, least: int = 1) -> int:
    """The last place from `least` to `index` where no character is broken; `index` where there is none."""
    return next((place for place in range(index, least - 1, -1) if is_boundary(text, place)), index)


def _index_at(text: str, units: int) -> int:
    """How many characters of the text the first `units` UTF-16 code units hold."""
    used = 0
    for index, char in enumerate(text):
        used += 2 if char > "\uffff" else 1
        if used > units:
            return index
    return len(text)
