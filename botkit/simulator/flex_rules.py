"""LINE's rules for what a Flex message holds (LINE reference: Flex Message)."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

Fault = dict[str, str]
Object = Mapping[str, Any]

LARGEST_BUBBLE = 30 * 1024
LARGEST_CAROUSEL = 50 * 1024
MOST_BUBBLES = 12
# LINE states no depth; beyond this a message is a mistake, and a server's stack is at stake.
DEEPEST = 20

_SIZES = ("xxs", "xs", "sm", "md", "lg", "xl", "xxl", "3xl", "4xl", "5xl")
_SPACES = ("none", "xs", "sm", "md", "lg", "xl", "xxl")
_LENGTH = re.compile(r"\d+(?:\.\d+)?(?:px|%)")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}(?:[0-9A-Fa-f]{2})?")
_EDGES = ("Top", "Bottom", "Start", "End")


def one_of(*values: str) -> Callable[[object], str | None]:
    """A check that a value is one of these."""
    return lambda value: None if value in values else f"Must be one of the following values: [{', '.join(values)}]"


def is_a(kind: type, name: str) -> Callable[[object], str | None]:
    """A check that a value is of a kind; a truth value is no number."""
    return lambda value: None if type(value) is kind else f"Must be {name}"


def _space(value: object) -> str | None:
    return None if value in _SPACES or (isinstance(value, str) and _LENGTH.fullmatch(value)) else "Invalid length"


def _size(value: object) -> str | None:
    return None if value in _SIZES or (isinstance(value, str) and _LENGTH.fullmatch(value)) else "Invalid size"


def _image_size(value: object) -> str | None:
    return None if value == "full" else _size(value)


def _colour(value: object) -> str | None:
    return None if isinstance(value, str) and _COLOUR.fullmatch(value) else "Invalid color"


def _words(value: object) -> str | None:
    return None if isinstance(value, str) and value.strip() else "May not be empty"


def _https(value: object) -> str | None:
    address = urlsplit(value) if isinstance(value, str) else urlsplit("")
    return None if address.scheme == "https" and address.hostname else "Invalid scheme, it must be https"


def _anything(_value: object) -> str | None:
    return None


_flex = is_a(int, "an integer")
_truth = is_a(bool, "a boolean")
_weight, _style = one_of("regular", "bold"), one_of("normal", "italic")
_decoration = one_of("none", "underline", "line-through")
_align, _gravity = one_of("start", "end", "center"), one_of("top", "bottom", "center")
_placed = {"position": one_of("relative", "absolute"), "margin": _space, **{f"offset{edge}": _space for edge in _EDGES}}
_font = {"size": _size, "color": _colour, "weight": _weight, "style": _style, "decoration": _decoration}

# What each component may have; LINE refuses what it does not know. `contents` and `action` are looked into besides.
_PROPERTIES: dict[str, dict[str, Callable[[object], str | None]]] = {
    "box": {
        **_placed,
        **{f"padding{edge}": _space for edge in (*_EDGES, "All")},
        **dict.fromkeys(("width", "height", "maxWidth", "maxHeight", "borderWidth", "cornerRadius"), _anything),
        "layout": one_of("horizontal", "vertical", "baseline"),
        "contents": is_a(list, "an array"),
        "backgroundColor": _colour,
        "borderColor": _colour,
        "flex": _flex,
        "spacing": _space,
        "action": _anything,
        "justifyContent": one_of("center", "flex-start", "flex-end", "space-between", "space-around", "space-evenly"),
        "alignItems": one_of("center", "flex-start", "flex-end"),
        "background": _anything,
    },
    "button": {
        **_placed,
        "action": _anything,
        "flex": _flex,
        "height": one_of("sm", "md"),
        "style": one_of("primary", "secondary", "link"),
        "color": _colour,
        "gravity": _gravity,
        "adjustMode": one_of("shrink-to-fit"),
        "scaling": _truth,
    },
    "image": {
        **_placed,
        "url": _https,
        "flex": _flex,
        "align": _align,
        "gravity": _gravity,
        "size": _image_size,
        "aspectRatio": _anything,
        "aspectMode": one_of("cover", "fit"),
        "backgroundColor": _colour,
        "action": _anything,
        "animated": _truth,
    },
    "icon": {**_placed, "url": _https, "size": _size, "aspectRatio": _anything, "scaling": _truth},
    "text": {
        **_placed,
        **_font,
        "text": _words,
        "contents": is_a(list, "an array"),
        "adjustMode": one_of("shrink-to-fit"),
        "flex": _flex,
        "align": _align,
        "gravity": _gravity,
        "wrap": _truth,
        "lineSpacing": _space,
        "maxLines": _flex,
        "action": _anything,
        "scaling": _truth,
    },
    "span": {**_font, "text": _words},
    "separator": {"margin": _space, "color": _colour},
    "filler": {"flex": _flex},
    "video": {
        "url": _https,
        "previewUrl": _https,
        "altContent": _anything,
        "aspectRatio": _anything,
        "action": _anything,
    },
}
_REQUIRED = {
    "box": ("layout", "contents"),
    "button": ("action",),
    "image": ("url",),
    "icon": ("url",),
    "span": ("text",),
    "video": ("url", "previewUrl", "altContent"),
}
_WITHIN_BOX = ("box", "button", "image", "text", "separator", "filler")
_WITHIN = {"horizontal": _WITHIN_BOX, "vertical": _WITHIN_BOX, "baseline": ("icon", "text", "filler")}
_BLOCKS = {"header": ("box",), "hero": ("box", "image", "video"), "body": ("box",), "footer": ("box",)}
_BUBBLE = {
    "size": one_of("nano", "micro", "deca", "hecto", "kilo", "mega", "giga"),
    "direction": one_of("ltr", "rtl"),
    "styles": is_a(dict, "an object"),
    "action": _anything,
}

Actions = Callable[[Object, str, int], Iterator[Fault]]
"""The rules for an action: the action, where it stands, and how long its label may be (0: it needs none)."""


def contents_faults(contents: object, place: str, actions: Actions) -> Iterator[Fault]:
    """What is wrong with a bubble or carousel."""
    kind = contents.get("type") if isinstance(contents, dict) else None
    if isinstance(contents, dict) and kind == "bubble":
        yield from _bubble(contents, place, actions)
    elif isinstance(contents, dict) and kind == "carousel":
        yield from _carousel(contents, place, actions)
    else:
        yield _fault("Must be one of the following values: [bubble, carousel]", f"{place}.type")


def _carousel(carousel: Object, place: str, actions: Actions) -> Iterator[Fault]:
    bubbles = carousel.get("contents")
    if not isinstance(bubbles, list) or not 1 <= len(bubbles) <= MOST_BUBBLES:
        yield _fault(f"Size must be between 1 and {MOST_BUBBLES}", f"{place}.contents")
        return
    if _bytes(carousel) > LARGEST_CAROUSEL:
        yield _fault(f"Must be at most {LARGEST_CAROUSEL} bytes", place)
        return
    if len({str(bubble.get("size", "mega")) for bubble in bubbles if isinstance(bubble, dict)}) > 1:
        yield _fault("All bubbles of a carousel must have the same size", f"{place}.contents")
    for number, bubble in enumerate(bubbles):
        where = f"{place}.contents[{number}]"
        if isinstance(bubble, dict) and bubble.get("type") == "bubble":
            yield from _bubble(bubble, where, actions)
        else:
            yield _fault("Must be one of the following values: [bubble]", f"{where}.type")


def _bubble(bubble: Object, place: str, actions: Actions) -> Iterator[Fault]:
    if _bytes(bubble) > LARGEST_BUBBLE:
        yield _fault(f"Must be at most {LARGEST_BUBBLE} bytes", place)
        return
    if not bubble.keys() & _BLOCKS.keys():
        yield _fault("At least one block must be specified", place)
    yield from _values({key: value for key, value in bubble.items() if key not in _BLOCKS}, _BUBBLE, place)
    for block, kinds in _BLOCKS.items():
        if block in bubble:
            yield from _component(bubble[block], f"{place}.{block}", kinds, actions, 1)


def _component(component: object, place: str, kinds: tuple[str, ...], actions: Actions, depth: int) -> Iterator[Fault]:
    kind = component.get("type") if isinstance(component, dict) else None
    if not isinstance(component, dict) or kind not in kinds:
        yield _fault(f"Must be one of the following values: [{', '.join(kinds)}]", f"{place}.type")
        return
    if depth > DEEPEST:
        yield _fault("Nested too deep", place)
        return
    needed = _REQUIRED.get(kind, ())
    yield from (_fault("May not be empty", f"{place}.{key}") for key in needed if key not in component)
    if kind == "text" and not component.keys() & {"text", "contents"}:
        yield _fault("May not be empty", f"{place}.text")
    yield from _values(component, _PROPERTIES[kind], place)
    if "action" in component:
        # The label of a button's action is what it shows; elsewhere it is read aloud at most.
        yield from actions(component["action"], f"{place}.action", 40 if kind == "button" else 0)
    yield from _children(component, place, actions, depth)


def _children(component: Object, place: str, actions: Actions, depth: int) -> Iterator[Fault]:
    contents, layout = component.get("contents"), component.get("layout")
    if not isinstance(contents, list):
        return
    kinds = _WITHIN.get(str(layout), ()) if component["type"] == "box" else ("span",)
    for number, child in enumerate(contents):
        yield from _component(child, f"{place}.contents[{number}]", kinds, actions, depth + 1)


def _values(fields: Object, known: Mapping[str, Callable[[object], str | None]], place: str) -> Iterator[Fault]:
    for key, value in fields.items():
        if key == "type":
            continue
        check = known.get(key)
        fault = check(value) if check else "Unknown property"
        if fault:
            yield _fault(fault, f"{place}.{key}")


def _bytes(document: object) -> int:
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def _fault(message: str, place: str) -> Fault:
    return {"message": message, "property": place}
