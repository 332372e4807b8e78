"""Handwriting: a draft as YAML that reads as if somebody had typed it, and that gives back every word."""

import re
from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap
from typing import Any, Final

import yaml

from botkit.scenarios.transcripts.draft import Draft, DraftTurn

WIDTH: Final = 120
"""Columns of a line, unless there is no place to break it."""

# What YAML lets stand as it is (YAML 1.2.2, section 5.1), less the ends of lines of YAML 1.1.
_PRINTABLE = re.compile("[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_INDICATORS = "-?:,[]{}#&*!|>'\"%@`"
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
_RESOLVER: Any = yaml.SafeLoader("")  # its `resolve` has no types


def handwritten(draft: Draft, indent: int = 0) -> str:
    """The scenario as an entry of a test file's list, whose dashes stand in this column (from 0)."""
    margin = " " * indent
    return "".join(f"{margin}{line}\n" if line else "\n" for line in _scenario(draft))


def _scenario(draft: Draft) -> Iterator[str]:
    yield from _entry("- name:", draft.name, 4)
    if draft.kind != "user":
        yield from _entry("  chat:", {"kind": draft.kind, "name": draft.group} if draft.group else draft.kind, 4)
    if draft.begins:
        # The hour that comes twice when summer time ends is told by its distance from UTC.
        yield f"  at: {draft.begins:%Y-%m-%d %H:%M}" + (draft.begins.isoformat()[-6:] if draft.begins.fold else "")
    yield "  turns:"
    for turn in draft.turns:
        yield from _turn(turn)


def _turn(turn: DraftTurn) -> Iterator[str]:
    if turn.remark:
        yield from (f"    # {line}" for line in wrap(turn.remark, WIDTH - 6))
    rows: dict[str, Any] = {**turn.happening}
    if turn.speaker is not None:
        rows[turn.speaker] = turn.deeds if len(turn.deeds) > 1 else turn.deeds[0]
    if turn.scripts:
        rows["model"] = turn.scripts if len(turn.scripts) > 1 else turn.scripts[0]
    if turn.expect:
        rows["expect"] = "silent" if turn.expect == {"silent": True} else turn.expect
    for number, (option, value) in enumerate(rows.items()):
        yield from _entry(f"    {'  ' if number else '- '}{_inline(option)}:", value, 8)


# ---------------------------------------------------------------- values


def _entry(head: str, value: Any, column: int) -> list[str]:
    """`head` and a value, on one line if that is short enough; else what is in it begins in this column."""
    flow = _flow(value)
    if flow is not None and len(head) + 1 + len(flow) <= WIDTH:
        return [f"{head} {flow}"]
    margin = " " * column
    if isinstance(value, Mapping):
        inner = [_entry(f"{margin}{option}:", one, column + 2) for option, one in value.items()]
    elif isinstance(value, tuple):
        inner = [_entry(f"{margin}-", one, column + 2) for one in value]
    else:
        return _text(head, value, margin)
    return [head, *(line for lines in inner for line in lines)]


def _text(head: str, text: str, margin: str) -> list[str]:
    """A text that is too long for its line, or has several."""
    if _fits_block(text):
        mark = "|" if text.endswith("\n") else "|-"
        return [f"{head} {mark}", *(f"{margin}{line}" if line else "" for line in text.removesuffix("\n").split("\n"))]
    if lines := _folded(text, WIDTH - len(margin)):
        return [f"{head} >-", *(f"{margin}{line}" for line in lines)]
    return [f"{head} {_inline(text)}"]


def _flow(value: Any) -> str | None:
    """A value on one line; None for a text that has several."""
    if isinstance(value, str):
        return None if "\n" in value and _fits_block(value) else _inline(value)
    if isinstance(value, Mapping):
        return _brackets("{}", (f"{option}: {_flow_inside(one)}" for option, one in value.items()), value.values())
    if isinstance(value, tuple):
        return _brackets("[]", map(_flow_inside, value), value)
    return _plain_value(value)


def _brackets(pair: str, parts: Iterable[str], values: Iterable[Any]) -> str | None:
    if any(_flow(one) is None for one in values):
        return None
    return f"{pair[0]}{', '.join(parts)}{pair[1]}"


def _flow_inside(value: Any) -> str:
    """A value within brackets, where a comma would end it."""
    return _inline(value, ",[]{}") if isinstance(value, str) else _flow(value) or ""


def _plain_value(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _inline(text: str, unwanted: str = "") -> str:
    """A text on one line, in quotes where it would be something else without them."""
    if _may_be_plain(text) and not any(char in text for char in unwanted):
        return text
    if '"' in text and "'" not in text and "\n" not in text and "\t" not in text and _PRINTABLE.fullmatch(text):
        return f"'{text}'"
    return '"' + "".join(map(_escaped, text)) + '"'


def _may_be_plain(text: str) -> bool:
    """Whether it needs no quotes, also to readers of YAML to whom `yes`, `1:30` and dates are no texts."""
    if not text or text != text.strip() or not _PRINTABLE.fullmatch(text) or text[0] in _INDICATORS:
        return False
    if "\n" in text or "\t" in text or ": " in text or " #" in text or text.endswith(":"):
        return False
    kind = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
    return kind == "tag:yaml.org,2002:str" and text.casefold() not in ("y", "n")


def _escaped(char: str) -> str:
    if known := _ESCAPES.get(char):
        return known
    if _PRINTABLE.fullmatch(char):
        return char
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"


def _fits_block(text: str) -> bool:
    """Whether it is of several lines that can stand in a literal block as they are."""
    lines = text.removesuffix("\n").split("\n")
    return (
        len(lines) > 1
        and bool(_PRINTABLE.fullmatch(text))
        and bool(lines[0].strip())
        and lines[0][0] not in " \t"
        and bool(lines[-1])
        and all(line.strip(" \t") or not line for line in lines)
    )


def _folded(text: str, width: int) -> list[str]:
    """The lines of a folded block that becomes this text; none where it cannot be one."""
    if not _PRINTABLE.fullmatch(text) or "\n" in text or "\t" in text:
        return []
    lines = wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return lines if len(lines) > 1 and " ".join(lines) == text else []
