"""LINE's rules for message objects (LINE reference: Message objects, Action objects, Quick reply)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from botkit.line.text import LONGEST_TEXT, MOST_MESSAGES, graphemes, utf16_length
from botkit.simulator.flex_rules import contents_faults

Fault = dict[str, str]
Checker = Callable[[Mapping[str, Any], str], Iterator[Fault]]

_QUOTING = ("text", "textV2", "sticker")
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([0-9a-zA-Z_]{1,20})\}|[{}]")
_LONGEST_ACTION_FIELD = {
    "message": {"text": 300},
    "postback": {"data": 300},
    "uri": {"uri": 1000},
    "clipboard": {"clipboardText": 1000},
    "datetimepicker": {"data": 300},
    "camera": {},
    "cameraRoll": {},
    "location": {},
}


def faults(messages: object) -> list[Fault]:
    """What is wrong with the `messages` of a reply or push, as LINE's `details`; empty where nothing is."""
    if not isinstance(messages, list) or not 1 <= len(messages) <= MOST_MESSAGES:
        return [_fault(f"Size must be between 1 and {MOST_MESSAGES}", "messages")]
    return [fault for index, message in enumerate(messages) for fault in _message(message, f"messages[{index}]")]


def quotes(messages: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """The quote tokens of messages that have no faults, and where they stand."""
    for index, message in enumerate(messages):
        if "quoteToken" in message:
            yield message["quoteToken"], f"messages[{index}].quoteToken"


def _message(message: object, place: str) -> Iterator[Fault]:
    if not isinstance(message, dict):
        yield _fault("Must be an object", place)
        return
    checker = _CHECKERS.get(str(message.get("type")))
    if checker is None:
        yield _fault("Must be one of the following values: [" + ", ".join(_CHECKERS) + "]", f"{place}.type")
        return
    yield from checker(message, place)
    if "quoteToken" in message:
        yield from _quote(message, place)
    if "quickReply" in message:
        yield from _quick_reply(message["quickReply"], f"{place}.quickReply")
    if "sender" in message:
        yield from _sender(message["sender"], f"{place}.sender")


def _quote(message: Mapping[str, Any], place: str) -> Iterator[Fault]:
    """Texts and stickers alone can quote."""
    if message["type"] in _QUOTING:
        yield from _filled(message, place, "quoteToken")
    else:
        yield _fault("Unknown property", f"{place}.quoteToken")


def _text(message: Mapping[str, Any], place: str) -> Iterator[Fault]:
    """A text of 1 to 5000 UTF-16 code units. Of white space alone it counts as empty here, to be on the safe side."""
    text = message.get("text")
    if not isinstance(text, str) or not text.strip():
        yield _fault("May not be empty", f"{place}.text")
    elif utf16_length(text) > LONGEST_TEXT:
        yield _fault(f"Length must be between 0 and {LONGEST_TEXT}", f"{place}.text")


def _text_v2(message: Mapping[str, Any], place: str) -> Iterator[Fault]:
    """Braces hold the key of a substitution; a literal brace is doubled."""
    yield from _text(message, place)
    substitution = message.get("substitution", {})
    known = substitution if isinstance(substitution, dict) else {}
    for match in _PLACEHOLDER.finditer(str(message.get("text", ""))):
        if match[0] not in ("{{", "}}") and match[1] not in known:
            yield _fault(f"Invalid placeholder {match[0]!r}", f"{place}.text")


def _sticker(message: Mapping[str, Any], place: str) -> Iterator[Fault]:
    yield from _filled(message, place, "packageId", "stickerId")


def _picture(message: Mapping[str, Any], place: str) -> Iterator[Fault]:
    yield from _https(message, place, "originalContentUrl", "previewImageUrl")


def _audio(message: Mapping[str, Any], place: str) -> Iterator[Fault]:
    yield from _https(message, place, "originalContentUrl")
    duration = message.get("duration")
    if not isinstance(duration, int) or duration <= 0:
        yield _fault("Must be a positive number", f"{place}.duration")


def _location(message: Mapping[str, Any], place: str) -> Iterator[Fault]:
    yield from _filled(message, place, "title", "address", longest=100)
    for key in ("latitude", "longitude"):
        if not isinstance(message.get(key), int | float):
            yield _fault("Must be a number", f"{place}.{key}")


def _with_alt_text(message: Mapping[str, Any], place: str) -> Iterator[Fault]:
    yield from _filled(message, place, "altText", longest=1500)


def _template(message: Mapping[str, Any], place: str) -> Iterator[Fault]:
    yield from _with_alt_text(message, place)
    template = message.get("template")
    kinds = ("buttons", "confirm", "carousel", "image_carousel")
    if not isinstance(template, dict) or template.get("type") not in kinds:
        yield _fault(f"Must be one of the following values: {list(kinds)}", f"{place}.template.type")


def _flex(message: Mapping[str, Any], place: str) -> Iterator[Fault]:
    yield from _with_alt_text(message, place)
    yield from contents_faults(message.get("contents"), f"{place}.contents", _flex_action)


def _flex_action(action: object, place: str, longest_label: int) -> Iterator[Fault]:
    if not isinstance(action, dict):
        yield _fault("May not be null", place)
    else:
        yield from _action(action, place, longest_label)


_CHECKERS: dict[str, Checker] = {
    "text": _text,
    "textV2": _text_v2,
    "sticker": _sticker,
    "image": _picture,
    "video": _picture,
    "audio": _audio,
    "location": _location,
    "imagemap": _with_alt_text,
    "template": _template,
    "flex": _flex,
}


def _quick_reply(quick_reply: object, place: str) -> Iterator[Fault]:
    items = quick_reply.get("items") if isinstance(quick_reply, dict) else None
    if not isinstance(items, list) or not 1 <= len(items) <= 13:
        yield _fault("Size must be between 1 and 13", f"{place}.items")
        return
    for index, item in enumerate(items):
        action = item.get("action") if isinstance(item, dict) else None
        if not isinstance(action, dict):
            yield _fault("May not be null", f"{place}.items[{index}].action")
        else:
            yield from _action(action, f"{place}.items[{index}].action")


def _action(action: Mapping[str, Any], place: str, longest_label: int = 20) -> Iterator[Fault]:
    """An action of a button with a label of so many characters; 0: it needs none."""
    longest = _LONGEST_ACTION_FIELD.get(str(action.get("type")))
    if longest is None:
        kinds = ", ".join(_LONGEST_ACTION_FIELD)
        yield _fault(f"Must be one of the following values: [{kinds}]", f"{place}.type")
        return
    if longest_label or "label" in action:
        yield from _filled(action, place, "label", longest=longest_label or 40)
    for key, most in longest.items():
        yield from _filled(action, place, key, longest=most)


def _sender(sender: object, place: str) -> Iterator[Fault]:
    if not isinstance(sender, dict):
        yield _fault("Must be an object", place)
        return
    if "name" in sender:
        yield from _filled(sender, place, "name", longest=20)
    if "iconUrl" in sender:
        yield from _https(sender, place, "iconUrl")


def _filled(fields: Mapping[str, Any], place: str, *keys: str, longest: int = 2000) -> Iterator[Fault]:
    """Each of these must be a text that is not blank, of at most `longest` user-perceived characters."""
    for key in keys:
        value = fields.get(key)
        if not isinstance(value, str) or not value.strip():
            yield _fault("May not be empty", f"{place}.{key}")
        elif sum(1 for _ in graphemes(value)) > longest:
            yield _fault(f"Length must be between 0 and {longest}", f"{place}.{key}")


def _https(fields: Mapping[str, Any], place: str, *keys: str) -> Iterator[Fault]:
    for key in keys:
        address = urlsplit(str(fields.get(key, "")))
        if address.scheme != "https" or not address.hostname:
            yield _fault("Invalid scheme, it must be https", f"{place}.{key}")


def _fault(message: str, place: str) -> Fault:
    return {"message": message, "property": place}
