"""Webhook bodies, read into Events: one malformed or unknown event never costs the others."""

import hashlib
import json
import logging
import math
from dataclasses import dataclass
from typing import Any, NoReturn, TypeGuard

from botkit.errors import RequestError
from botkit.messages import Chat, ChatKind, Event, Mention

log = logging.getLogger(__name__)

# An id becomes part of a key in the store. LINE's longest is 68 characters (module channels' user ids).
_LONGEST_ID = 255
# LINE's own limit (LINE reference: Text message event, `mention.mentionees`).
_MOST_MENTIONS = 20
# More than people can pick at once in LINE's apps; beyond it a number is not believed.
_MOST_PHOTOS = 50
# Thirteen digits, until the year 2286: whatever sorts times as text keeps their order.
_LATEST = 9_999_999_999_999
# LINE nests about five deep; what is parsed on one stack must be parsable again on a deeper one.
_DEEPEST = 64

_CHAT_IDS: dict[str, tuple[ChatKind, str]] = {
    "user": ("user", "userId"),
    "group": ("group", "groupId"),
    "room": ("room", "roomId"),
}


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook call. `destination` is the user id of the bot it is for, "" where LINE names none."""

    destination: str
    events: tuple[Event, ...]


def parse_webhook(body: bytes) -> Webhook:
    """Read a webhook body (LINE reference: Webhooks). Verify its signature first.

    Raises RequestError(400) where it is not a JSON object with a string `destination` and a list
    `events`; `destination` may be missing, as in calls of before 2019. Entries of `events` that
    are no objects are left out.
    """
    document = _load(body)
    if not isinstance(document, dict):
        raise RequestError(400, "a webhook body is a JSON object")
    destination, entries = document.get("destination", ""), document.get("events")
    if not isinstance(destination, str):
        raise RequestError(400, "`destination` of a webhook is a string")
    if not isinstance(entries, list):
        raise RequestError(400, "`events` of a webhook is a list")
    bodies = [_storable(entry) for entry in entries if _is_event(entry)]
    if len(bodies) < len(entries):
        log.warning("skipped %d malformed of %d webhook events", len(entries) - len(bodies), len(entries))
    return Webhook(_whole(destination), tuple(map(parse_event, bodies)))


def parse_event(body: str) -> Event:
    """Read one event again from its stored `Event.body`; it equals the one first parsed.

    Every field is optional, and one of a wrong type counts as absent: the type is then "", the mode
    "active". `at` is 0 where LINE gave no time: then take the time of receipt, and never drop the
    event as old. An event without `webhookEventId` gets an id made from its content, the same one
    when it is redelivered. Raises RequestError(400) where the body is no JSON object.
    """
    raw = _load(body)
    if not isinstance(raw, dict):
        raise RequestError(400, "a webhook event is a JSON object")
    source, message = _object(raw, "source"), _object(raw, "message")
    message_type = _string(message, "type")
    text = _string(message, "text", empty=True) if message_type == "text" else None
    return Event(
        id=_id(raw, "webhookEventId") or _id_of_content(raw),
        type=_string(raw, "type") or "",
        at=_time(raw.get("timestamp")),
        mode=_string(raw, "mode") or "active",
        chat=_chat(source),
        user_id=_id(source, "userId"),
        reply_token=_string(raw, "replyToken"),
        redelivered=_object(raw, "deliveryContext").get("isRedelivery") is True,
        body=body,
        message_id=_id(message, "id") or _id(_object(raw, "unsend"), "messageId"),
        message_type=message_type,
        text=text,
        mentions=_mentions(text or "", _object(message, "mention").get("mentionees")),
        quote_token=_string(message, "quoteToken"),
        quoted_message_id=_id(message, "quotedMessageId"),
        postback=_string(_object(raw, "postback"), "data"),
        photo_set=_photo_set(_object(message, "imageSet")),
    )


# ---------------------------------------------------------------- JSON


def _load(text: bytes | str) -> object:
    """Parse JSON as RFC 8259 means it: UTF-8, and no NaN or Infinity, which could not be stored again."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, "the body is not JSON") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)


def _is_event(entry: object) -> bool:
    return isinstance(entry, dict) and not _is_deeper(entry, _DEEPEST)


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    children = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(child, levels - 1) for child in children)


def _storable(entry: object) -> str:
    return _whole(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))


def _whole(text: str) -> str:
    """The text with U+FFFD for each lone surrogate (JSON can write them as `\\ud800`): UTF-8 has none."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


# ---------------------------------------------------------------- fields


def _object(raw: dict[str, Any], key: str) -> dict[str, Any]:
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def _string(raw: dict[str, Any], key: str, *, empty: bool = False) -> str | None:
    value = raw.get(key)
    return value if isinstance(value, str) and (value or empty) else None


def _id(raw: dict[str, Any], key: str) -> str | None:
    value = _string(raw, key)
    return value if value and len(value) <= _LONGEST_ID else None


def _id_of_content(raw: dict[str, Any]) -> str:
    """An id for an event without one. LINE's own ids are ULIDs, which hold no colon."""
    content = {key: value for key, value in raw.items() if key != "deliveryContext"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _time(value: object) -> int:
    return value if _is_int(value) and 0 < value <= _LATEST else 0


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _photo_set(raw: dict[str, Any]) -> tuple[str, int] | None:
    """Photos sent together come as events of their own, in any order (LINE reference: Image message event)."""
    set_id, total = _id(raw, "id"), raw.get("total")
    return (set_id, total if _is_int(total) and 0 < total <= _MOST_PHOTOS else 0) if set_id else None


def _chat(source: dict[str, Any]) -> Chat | None:
    kind_and_key = _CHAT_IDS.get(_string(source, "type") or "")
    if kind_and_key is None:
        return None
    kind, key = kind_and_key
    chat_id = _id(source, key)
    return Chat(kind, chat_id) if chat_id else None


def _mentions(text: str, mentionees: object) -> tuple[Mention, ...]:
    if not isinstance(mentionees, list):
        return ()
    found = [_mention(text, entry) for entry in mentionees[:_MOST_MENTIONS] if isinstance(entry, dict)]
    return tuple(mention for mention in found if mention)


def _mention(text: str, raw: dict[str, Any]) -> Mention | None:
    """One mentionee, or None where it lies outside the text.

    LINE counts `index` and `length` in UTF-16 code units. A cut within a surrogate pair moves
    outwards, so that a mention never halves a character.
    """
    index, length = raw.get("index"), raw.get("length")
    if not (_is_int(index) and _is_int(length)) or index < 0 or length <= 0:
        return None
    units = text.encode("utf-16-le")
    start = len(units[: 2 * index].decode("utf-16-le", "ignore"))
    end = len(units[: 2 * (index + length)].decode("utf-16-le", "replace"))
    if start >= len(text):
        return None
    return Mention(start, end, _id(raw, "userId"), raw.get("isSelf") is True)
