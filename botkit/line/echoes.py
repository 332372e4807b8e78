"""Keeps what was said in a chat out of LINE's error messages, which go into logs, in case LINE repeats it there."""

import re
from collections.abc import Iterator

RUN = 10
"""So many characters in a row that were sent and come back are an echo, and no chance."""
_SHORTEST = 4
_NOT_ASCII = re.compile(r"[^\x20-\x7e]+")  # what LINE itself says is English
_VOCABULARY = re.compile(r"[a-z]+")  # values of LINE's own, such as text, bubble, postback


def without_echoes(text: str, sent: object) -> str:
    """`text` with "…" for each stretch of it that is also in a string of `sent`, a JSON value, or is not ASCII.

    Strings shorter than RUN are only found as whole words, and single lower-case words of that length are let be.
    """
    text = _NOT_ASCII.sub("…", text)
    strings = set(_strings(sent))
    for short in sorted((one for one in strings if _SHORTEST <= len(one) < RUN), key=len, reverse=True):
        if not _VOCABULARY.fullmatch(short):
            text = re.sub(rf"(?<!\w){re.escape(short)}(?!\w)", "…", text)
    runs = {one[at : at + RUN] for one in strings for at in range(len(one) - RUN + 1)}
    echoed = [False] * len(text)
    for at in range(len(text) - RUN + 1):
        if text[at : at + RUN] in runs:
            echoed[at : at + RUN] = [True] * RUN
    return re.sub("\0+", "…", "".join("\0" if echo else one for one, echo in zip(text, echoed, strict=True)))


def _strings(value: object) -> Iterator[str]:
    """Every string in a JSON value, as one line, as error messages are."""
    left = [value]
    while left:
        match left.pop():
            case str(text):
                yield " ".join(text.split())
            case dict(fields):
                left += fields.values()
            case list(values) | tuple(values):
                left += values
            case _:
                pass
