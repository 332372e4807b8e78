"""Naming: where people's names stand in texts, in any case and width, and what is put in their place."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from botkit.scenarios.transcripts.folding import Folded, fold
from botkit.scenarios.transcripts.name_words import HONORIFIC, NAMES_TOO, OWN_WORDS, TITLE

Manner = Literal["sure", "kana", "capital", "alone", "addressed"]
"""When a name's letters are the name: wherever they are a word · where kana around do not make another word of them
· where they begin with a capital within a sentence · as a word on their own · only with @, a title or an honorific."""

SURE_WITHIN: Final = 7
"""So many letters are a name also within a longer word."""

_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff々〆ヶー가-힣\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_HIRAGANA, _KATAKANA = re.compile("[ぁ-ゖ]"), re.compile("[ァ-ヶー]")
_PARTICLE = re.compile("[はがもをにとのへやでだ]|から|まで|より|です|さ|ちゃ|く")
_ADDRESS, _TITLE, _HONORIFIC = re.compile(r"@\s?$"), re.compile(TITLE), re.compile(HONORIFIC)
_SENTENCE = re.compile(r"(?:^|[.!?:。！？：\n\"“「(]\s*|@\S{1,20}\s+)$")
_GOES_ON = re.compile(r"['’]s\b|,| (?:says|said|is|was|has|had|wants|told|asked|thinks|and|knows|likes|came|went)\b")
_MONTH = re.compile(r"\s*\d"), re.compile(r"(?:\d(?:st|nd|rd|th)?|\bin|\bof|\bsince|\buntil|\bby)\s*$")
_MEMBER = re.compile(r"\s*\(member\)$")
_WINDOW: Final = 24


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch `text[start:end]` of a text that is to become `new`. What `kind` of thing it is, and which: `key`."""

    start: int
    end: int
    new: str
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class _Name:
    letters: str
    new: str
    manner: Manner
    pattern: re.Pattern[str]
    is_part: bool


class Names:
    """Names and those that stand instead of them. `kept` are names that stay, such as the bot's."""

    def __init__(self, kept: Collection[str] = ()) -> None:
        self._kept = {fold(one) for one in kept}
        self._names: dict[str, _Name] = {}

    def add(self, name: str, new: str, *, sure: bool = False) -> None:
        """Take a name in, and the parts it has. `sure`: it is no other word, and has no parts."""
        whole = fold(_MEMBER.sub("", name)).strip()
        if whole and whole not in self._kept:
            self._put(whole, new, "sure" if sure else _manner(whole))
            for part, manner in () if sure else _parts(whole):
                self._put(part, new, manner, is_part=True)

    def knows(self, name: str) -> bool:
        """Whether a name is one of these, or one that stays."""
        return fold(name).strip() in self._names.keys() | self._kept

    def find(self, text: Folded) -> Iterator[Found]:
        """Where they stand; stretches may overlap."""
        for name in self._names.values():
            for match in name.pattern.finditer(text.text):
                if _is_meant(name, text, *match.span()):
                    start, end = text.stretch(*match.span())
                    yield Found(start, end, _in_the_case_of(name.new, text, start, end), "name", name.new)

    def careful(self, people: Iterable[str]) -> int:
        """How many of these names are also ordinary words, which are not replaced everywhere."""
        letters = {fold(_MEMBER.sub("", one)).strip() for one in people}
        return sum(self._names[one].manner in ("capital", "alone", "addressed") for one in letters & self._names.keys())

    def _put(self, letters: str, new: str, manner: Manner, *, is_part: bool = False) -> None:
        """A name that somebody has takes the place of a part of another's."""
        known = self._names.get(letters)
        if letters in self._kept or (known and (is_part or not known.is_part)):
            return
        words = [re.escape(word) for word in letters.split()]
        gap = r"\s*" if all(map(_UNSPACED.match, letters.replace(" ", ""))) else r"\s+"
        self._names[letters] = _Name(letters, new, manner, re.compile(gap.join(words)), is_part)


def _manner(letters: str) -> Manner:
    """How a name can be told from the same letters that are none."""
    if not any(char.isalpha() for char in letters):
        return "sure" if sum(char.isdigit() for char in letters) >= 4 else "addressed"
    if letters in OWN_WORDS:
        return "addressed"
    if not _UNSPACED.search(letters):
        return "sure" if len(letters) > 2 and letters not in NAMES_TOO else "capital"
    if len(letters) == 1:
        return "alone"
    if all(map(_is_kana, letters)):
        return "kana" if len(letters) == 2 or letters in NAMES_TOO else "sure"
    return "alone" if letters in NAMES_TOO else "sure"


def _parts(whole: str) -> Iterator[tuple[str, Manner]]:
    """By what parts of a name people may be called; within one of kanji nobody knows where the family name ends."""
    words = re.findall(r"[^\W\d_]+", whole)
    for word in words:
        if word != whole and word not in OWN_WORDS and (len(word) > 2 or _UNSPACED.search(word)):
            yield word, _manner(word)
        if len(word) >= 3 and all(map(_UNSPACED.match, word)):
            cuts = range(1, len(word))
            halves = {word[:2], word[2:]} if len(word) == 4 and not any(map(_is_kana, word)) else set()
            for part in dict.fromkeys([*(word[:cut] for cut in cuts), *(word[cut:] for cut in cuts)]):
                yield part, "sure" if part in halves and part not in OWN_WORDS | NAMES_TOO else "addressed"


def _is_meant(name: _Name, text: Folded, start: int, end: int) -> bool:
    """Whether these letters are the name."""
    before, after = text.text[max(0, start - _WINDOW) : start], text.text[end : end + _WINDOW]
    letters = name.letters
    joined_before = _continues(before[-1:], letters[0])
    joined_after = _continues(after[:1], letters[-1])
    is_long = len(letters) >= SURE_WITHIN
    if joined_before and not is_long:
        return False
    if _ADDRESS.search(before) or _TITLE.search(before) or (_HONORIFIC.match(after) and not _is_tail(letters, before)):
        return not joined_after or bool(_HONORIFIC.match(after))
    if joined_after and not is_long:
        return False
    match name.manner:
        case "capital":
            return _is_capital(text, start, before, after)
        case "alone":
            return not before[-1:].isalpha() and not after[:1].isalpha()
        case "kana":
            return _stands_free(letters, before[-1:], after)
        case manner:
            return manner == "sure"


def _continues(neighbour: str, letter: str) -> bool:
    """Whether a letter beside another makes one word with it; scripts without spaces never tell."""
    return neighbour.isalpha() and letter.isalpha() and not _UNSPACED.match(neighbour) and not _UNSPACED.match(letter)


def _is_tail(letters: str, before: str) -> bool:
    """Whether a single letter is the end of something else."""
    return len(letters) == 1 and before[-1:].isalpha()


def _is_capital(text: Folded, start: int, before: str, after: str) -> bool:
    """Whether it is written as a name within a sentence, and not as a month."""
    first = text.whole[text.starts[start]]
    in_date = _MONTH[0].match(after) or _MONTH[1].search(before)
    is_free = not _SENTENCE.search(before) or _GOES_ON.match(after)
    return first.isupper() and bool(is_free) and not in_date


def _stands_free(letters: str, before: str, after: str) -> bool:
    """Whether kana around it do not go on with the word, but for what follows a name."""
    kind = _KATAKANA if _KATAKANA.match(letters) else _HIRAGANA
    return not kind.match(before) and (not kind.match(after) or bool(_PARTICLE.match(after)))


def _is_kana(char: str) -> bool:
    return bool(_HIRAGANA.match(char) or _KATAKANA.match(char))


def _in_the_case_of(new: str, text: Folded, start: int, end: int) -> str:
    """The new name as the old one was written; after @ as it is, since that is how LINE has it."""
    old = text.whole[start:end]
    if text.whole[:start].rstrip().endswith(("@", "\uff20")):
        return new
    if old.isupper() and sum(char.isalpha() for char in old) > 1:
        return new.upper()
    return new if old[:1].islower() else new[:1].upper() + new[1:]
