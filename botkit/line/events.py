"""Webhook bodies, read into Events: one malformed or unknown event never costs the others."""

import hashlib
import json
import logging
import math
from dataclasses import dataclass
from typing import Any, NoReturn

from botkit.errors import RequestError
from botkit.line.fields import (
    duration_in,
    file_name_in,
    id_in,
    is_int,
    location_in,
    members_in,
    object_in,
    photo_set_in,
    string_in,
    words_in,
)
from botkit.messages import Chat, ChatKind, Event, Mention

log = logging.getLogger(__name__)

# LINE's own limit (LINE reference: Text message event, `mention.mentionees`).
_MOST_MENTIONS = 20
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
    source, message = object_in(raw, "source"), object_in(raw, "message")
    message_type = string_in(message, "type")
    text = string_in(message, "text", empty=True) if message_type == "text" else None
    return Event(
        id=id_in(raw, "webhookEventId") or _id_of_content(raw),
        type=string_in(raw, "type") or "",
        at=_time(raw.get("timestamp")),
        mode=string_in(raw, "mode") or "active",
        chat=_chat(source),
        user_id=id_in(source, "userId"),
        reply_token=string_in(raw, "replyToken"),
        redelivered=object_in(raw, "deliveryContext").get("isRedelivery") is True,
        body=body,
        message_id=id_in(message, "id") or id_in(object_in(raw, "unsend"), "messageId"),
        message_type=message_type,
        text=text,
        mentions=_mentions(text or "", object_in(message, "mention").get("mentionees")),
        quote_token=string_in(message, "quoteToken"),
        quoted_message_id=id_in(message, "quotedMessageId"),
        postback=string_in(object_in(raw, "postback"), "data"),
        photo_set=photo_set_in(message),
        words=words_in(message) if message_type == "sticker" else (),
        location=location_in(message) if message_type == "location" else None,
        file_name=file_name_in(message),
        duration=duration_in(message),
        is_external=object_in(message, "contentProvider").get("type") == "external",
        members=members_in(raw),
        is_unblocked=object_in(raw, "follow").get("isUnblocked") is True,
        read_token=string_in(message, "markAsReadToken"),
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


def _id_of_content(raw: dict[str, Any]) -> str:
    """An id for an event without one. LINE's own ids are ULIDs, which hold no colon."""
    content = {key: value for key, value in raw.items() if key != "deliveryContext"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _time(value: object) -> int:
    return value if is_int(value) and 0 < value <= _LATEST else 0


def _chat(source: dict[str, Any]) -> Chat | None:
    kind_and_key = _CHAT_IDS.get(string_in(source, "type") or "")
    if kind_and_key is None:
        return None
    kind, key = kind_and_key
    chat_id = id_in(source, key)
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
    if not (is_int(index) and is_int(length)) or index < 0 or length <= 0:
        return None
    units = text.encode("utf-16-le")
    start = len(units[: 2 * index].decode("utf-16-le", "ignore"))
    end = len(units[: 2 * (index + length)].decode("utf-16-le", "replace"))
    if start >= len(text):
        return None
    return Mention(start, end, id_in(raw, "userId"), raw.get("isSelf") is True)
