"""Harmless: what in a text would tell who somebody is, or open a door, made into something of the same shape."""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Final

from botkit.scenarios.transcripts.naming import Found

_EMAIL: Final = re.compile(r"[\w.+%-]{1,64}[@＠](?:[\w-]{1,63}\.){1,6}[\w-]{2,63}")
_URL: Final = re.compile(
    r"https?://(?:(?P<user>[^\s/?#@]{1,200})@)?(?P<host>[^\s/?#<>\"'、。）」]{1,253})"
    r"(?P<path>/[^\s?#<>\"'、。）」]*)?(?:\?(?P<query>[^\s#<>\"'、。）」]*))?(?:#(?P<fragment>[^\s<>\"'、。）」]*))?"
)
# Hosts whose paths are invitations, or stand for other addresses.
_DOORS: Final = re.compile(
    r"(?:^|\.)(?:line\.me|lin\.ee|t\.me|wa\.me|discord\.gg|zoom\.us|meet\.google\.com|bit\.ly|goo\.gl|tinyurl\.com)$",
    re.IGNORECASE,
)
_TOKEN_SEGMENT: Final = re.compile(r"(?=[^/]{0,199}\d)(?=[^/]{0,199}[A-Za-z])[\w.~%+=-]{8,}|[\w~%+=]{16,}")
_TOKEN: Final = re.compile(
    r"(?<![\w-])(?:(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])[A-Za-z0-9_-]{20,}|(?:sk|pk|ghp|xox[abp])[-_][\w-]{8,})"
)
_PASSWORD: Final = re.compile(
    r"(?i:\b(?:password|passcode|passphrase|pin(?: ?code)?)|パスワード|暗証番号|비밀번호|密码)"
    r"\s*(?i:is\b|:|：|=|は|が|는|是)?\s*(?P<word>[\x21-\x7e]*\d[\x21-\x7e]*)"
)
_LINE_ID: Final = re.compile(r"(?<![A-Za-z0-9])[UCR][0-9a-f]{32}(?![0-9a-f])")
_BETWEEN = r"[ \u3000\-\u2010-\u2015\u2212\uff0dー.()（）・]"
_NUMBER: Final = re.compile(rf"[+＋]?\(?\d(?:{_BETWEEN}{{0,2}}\d){{6,30}}")
_DATE: Final = re.compile(r"(?:19|20)\d\d[-.](?:0?[1-9]|1[0-2])[-.](?:0?[1-9]|[12]\d|3[01])(?!\d)")
_LEAST_ID: Final = 5


class Harmless:
    """Finds such things, and gives the same one the same stand-in. Lives as long as one scenario is made.

    `ids` are ids that are known to be there, beside those that look like LINE's.
    """

    def __init__(self, ids: Collection[str] = ()) -> None:
        self._stand_ins: dict[tuple[str, str], str] = {}
        known = [re.escape(one) for one in ids if len(one) >= _LEAST_ID]
        self._known = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(known)})(?![A-Za-z0-9])" if known else "(?!)")

    def find(self, text: str) -> Iterator[Found]:
        """Where they stand; stretches may overlap."""
        for match in _EMAIL.finditer(text):
            yield self._found(match, "e-mail address", match[0].casefold(), _email)
        for pattern in (_LINE_ID, self._known):
            for match in pattern.finditer(text):
                yield self._found(match, "id", match[0], _id)
        for pattern, group in ((_TOKEN, 0), (_PASSWORD, "word")):
            for match in pattern.finditer(text):
                yield self._found(match, "secret", match[group], _masked, group)
        for match in _NUMBER.finditer(text):
            if _tells(match[0]):
                yield self._found(match, "long number", "".join(filter(str.isdigit, match[0])), _number)
        for match in _URL.finditer(text):
            yield from self._secrets(match)

    def _secrets(self, url: re.Match[str]) -> Iterator[Found]:
        """What in an address opens a door: a password, what is asked with, and segments that nobody has written."""
        if url["user"]:  # with its host, or the two would look like an address of e-mail
            start, end = url.start("user"), url.end("host")
            new = f"{_masked(url['user'], 0)}@{url['host']}"
            yield Found(start, end, new, "secret", url["user"])
        for part, inner in (("query", r"(?<==)[^&;=]+"), ("fragment", r".+")):
            for match in re.finditer(inner, url[part] or ""):
                yield self._inner(url.start(part) + match.start(), match[0])
        host, path = url["host"].partition(":")[0], url["path"] or ""
        segments = [*re.finditer(r"[^/]+", path)]
        for segment in segments:
            if _TOKEN_SEGMENT.fullmatch(segment[0]) or (_DOORS.search(host) and segment is segments[-1]):
                yield self._inner(url.start("path") + segment.start(), segment[0])

    def _inner(self, start: int, text: str) -> Found:
        return Found(start, start + len(text), _masked(text, 0), "secret", text)

    def _found(
        self, match: re.Match[str], kind: str, key: str, make: Callable[[str, int], str], group: str | int = 0
    ) -> Found:
        """What stands there instead: for the same thing always the same, however it is written."""
        number = len([one for one in self._stand_ins if one[0] == kind]) + 1
        known = self._stand_ins.setdefault((kind, key), str(number))
        return Found(match.start(group), match.end(group), make(match[group], int(known)), kind, key)


def _tells(number: str) -> bool:
    """Whether it is a telephone's, a card's, a customer's: not a date, and not just some numbers in a row."""
    groups = re.findall(r"\d+", number)
    digits = sum(map(len, groups))
    if _DATE.match(number) or (len(groups) > 1 and max(map(len, groups)) < 3):
        return False
    return digits >= 9 or len(groups) == 1 or number[:1] in "+＋(" or len(groups[-1]) == 4


def _email(_: str, number: int) -> str:
    return f"person{number}@example.com"


def _id(written: str, number: int) -> str:
    """An id of the same length and kind that is nobody's."""
    return written[0] + f"{number:0{len(written) - 1}x}"[-(len(written) - 1) :]


def _masked(written: str, _: int) -> str:
    """The same length, with each letter an x and each digit a 0."""
    plain = re.sub("%[0-9A-Fa-f]{2}", "xxx", written)
    return "".join("0" if one.isdigit() else ("X" if one.isupper() else "x") if one.isalpha() else one for one in plain)


def _number(written: str, number: int) -> str:
    """Zeros, and at their end which number it is, with all that stands between the digits."""
    digits = sum(map(str.isdigit, written))
    new = iter(f"{number:0{digits}d}"[-digits:])
    wide = any("\uff10" <= one <= "\uff19" for one in written)
    shift = 0xFF10 - ord("0") if wide else 0
    return "".join(chr(ord(next(new)) + shift) if one.isdigit() else one for one in written)
