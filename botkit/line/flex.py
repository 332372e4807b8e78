"""Tables and code as Flex messages (LINE reference: Flex Message)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botkit.line.text import utf16_length

LARGEST_BUBBLE = 30_000
LARGEST_CAROUSEL = 50_000
"""Bytes of JSON (LINE reference: Bubble; Carousel)."""
MOST_BUBBLES = 12
"""Bubbles of a carousel (LINE reference: Carousel)."""
LONGEST_CODE = 2000
"""Characters of code in a bubble; longer code is better read, and copied, as a text."""

_LONGEST_CLIPBOARD = 1000  # LINE reference: Clipboard action
_MOST_GRID_COLUMNS = 4
# What a phone shows of a row of small text in one line, in half-width characters.
_WIDEST_GRID = 36
_GREY, _LIGHT, _LINES = "#666666", "#F5F5F5", "#DDDDDD"

Component = dict[str, Any]


def fits(contents: Mapping[str, Any]) -> bool:
    """Whether LINE takes a bubble or carousel of this size."""
    bubbles = contents.get("contents", ()) if contents.get("type") == "carousel" else (contents,)
    if not 1 <= len(bubbles) <= MOST_BUBBLES:
        return False
    sizes = [_size(bubble) for bubble in bubbles]
    return max(sizes) <= LARGEST_BUBBLE and (contents.get("type") != "carousel" or _size(contents) <= LARGEST_CAROUSEL)


def table_contents(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Component | None:
    """A table: as a grid where its columns fit a phone, else a box for each row, its cells named.

    A long one is a carousel. None where it has no rows, or LINE would not take it.
    """
    if not rows:
        return None
    is_grid = len(header) <= _MOST_GRID_COLUMNS and sum(_widths(header, rows)) <= _WIDEST_GRID
    build = _grid if is_grid else _cards
    for count in range(1, MOST_BUBBLES + 1):
        per_bubble = -(-len(rows) // count)
        chunks = [rows[at : at + per_bubble] for at in range(0, len(rows), per_bubble)]
        bubbles = [_bubble(build(header, chunk)) for chunk in chunks]
        contents = bubbles[0] if len(bubbles) == 1 else {"type": "carousel", "contents": bubbles}
        if fits(contents):
            return contents
        if sum(map(_size, bubbles)) > LARGEST_CAROUSEL:
            return None
    return None


def code_bubble(code: str) -> Component | None:
    """Code on a light ground, with a button that copies it; None where it is blank or long."""
    if not code.strip() or len(code) > LONGEST_CODE:
        return None
    body = _box([_text(code, size="xs")])
    bubble = _bubble(body) | {"styles": {"body": {"backgroundColor": _LIGHT}}}
    if utf16_length(code) > _LONGEST_CLIPBOARD:
        return bubble
    # Texts of a Flex message cannot be selected.
    action = {"type": "clipboard", "label": "📋", "clipboardText": code}
    return bubble | {"footer": _box([{"type": "button", "action": action, "height": "sm"}], paddingAll="none")}


def _bubble(body: Component) -> Component:
    return {"type": "bubble", "size": "giga", "body": body}


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Component:
    """A horizontal box for each row, the header bold, a line between the rows."""
    shares = _shares(header, rows)
    lines = [_line(header, shares, weight="bold"), *(_line(row, shares) for row in rows)]
    return _box(_separated(lines))


def _line(cells: Sequence[str], shares: Sequence[int], **style: str) -> Component:
    fields = [_cell(cell, flex=share, **style) for cell, share in zip(cells, shares, strict=True)]
    return _box(fields, layout="horizontal", spacing="md", margin="md")


def _cards(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Component:
    """A vertical box for each row: its first cell bold, then each cell beside the name of its column."""
    return _box(_separated([_card(header, row) for row in rows]))


def _card(header: Sequence[str], row: Sequence[str]) -> Component:
    name = [_text(header[0], size="xs", color=_GREY)] if header[0] else []
    title = [_text(row[0], size="sm", weight="bold")] if row[0] else []
    fields = [_field(label, value) for label, value in zip(header[1:], row[1:], strict=True) if label or value]
    return _box([*name, *title, *fields], spacing="sm", margin="md")


def _field(label: str, value: str) -> Component:
    return _box([_cell(label, flex=2, color=_GREY), _cell(value, flex=3)], layout="horizontal", spacing="md")


def _cell(text: str, *, flex: int, **style: str) -> Component:
    """One cell; LINE takes no empty text."""
    return _box([], flex=flex) if not text else _text(text, size="sm", flex=flex, **style)


def _text(text: str, **style: Any) -> Component:
    return {"type": "text", "text": text, "wrap": True, **style}


def _box(contents: list[Component], *, layout: str = "vertical", **style: Any) -> Component:
    return {"type": "box", "layout": layout, "contents": contents, **style}


def _separated(lines: Sequence[Component]) -> list[Component]:
    separator = {"type": "separator", "margin": "md", "color": _LINES}
    return [component for line in lines for component in (separator, line)][1:]


def _widths(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """How wide each column would like to be, in half-width characters; beyond half of the row it wraps."""
    longest = [max(map(_width, column)) for column in zip(header, *rows, strict=True)]
    return [min(max(width, 2), _WIDEST_GRID // 2) for width in longest]


def _shares(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(2, width // 2) for width in _widths(header, rows)]


def _width(text: str) -> int:
    return sum(2 if char > "\u2e7f" else 1 for char in text)


def _size(contents: Mapping[str, Any]) -> int:
    """Bytes, as the client sends them."""
    return len(json.dumps(contents, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
