"""Webhooks as LINE writes them on the wire: identifiers, events, mentions and signed bodies."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from botkit.line.text import utf16_length
from botkit.messages import Chat

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_OPAQUE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_CHAT_IDS = {"user": "userId", "group": "groupId", "room": "roomId"}

JsonObject = dict[str, Any]


class Delivery(NamedTuple):
    """One webhook call of LINE's: its raw body and the value of `x-line-signature`."""

    body: bytes
    signature: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers that LINE sends with it."""
        return {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "LineBotWebhook/2.0",
            "x-line-signature": self.signature,
        }

    @property
    def destination(self) -> str:
        """The user id of the bot it is for."""
        return str(json.loads(self.body)["destination"])

    @property
    def events(self) -> list[JsonObject]:
        """Its events, parsed anew at each call."""
        return list(json.loads(self.body)["events"])

    @property
    def event(self) -> JsonObject:
        """Its only event."""
        (event,) = self.events
        return event

    @property
    def message_id(self) -> str:
        """The id of its only event's message."""
        return str(self.event["message"]["id"])


class Ids:
    """Makes identifiers in LINE's shapes; the same `seed` gives the same ones, None ever new ones."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = Random(seed)  # noqa: S311 - looks, not secrecy, is what these need

    def hexadecimal(self, digits: int) -> str:
        """Lower-case hexadecimal digits: user ids without their prefix, reply tokens, channel secrets."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def message(self) -> str:
        """A message id: 18 digits."""
        return str(self._random.randrange(10**17, 10**18))

    def opaque(self, length: int) -> str:
        """An opaque token, such as a quote token."""
        return "".join(self._random.choices(_OPAQUE, k=length))

    def request(self) -> str:
        """A request id, as in `X-Line-Request-Id`."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def webhook_event(self, at: int) -> str:
        """A ULID of the time the webhook is built, which is 0.1 to 0.5 s after the event's."""
        number = (at + self._random.randrange(100, 500)) << 80 | self._random.getrandbits(80)
        return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def event_of(
    ids: Ids,
    kind: str,
    fields: Mapping[str, Any],
    *,
    at: int,
    source: Mapping[str, str],
    reply_token: str | None,
) -> JsonObject:
    """A webhook event with its keys in LINE's order; those without a value are absent."""
    event: JsonObject = {
        "type": kind,
        **fields,
        "webhookEventId": ids.webhook_event(at),
        "deliveryContext": {"isRedelivery": False},
        "timestamp": at,
        "source": dict(source),
    }
    if reply_token is not None:
        event["replyToken"] = reply_token
    return {**event, "mode": "active"}


def source_of(chat: Chat, user_id: str | None) -> dict[str, str]:
    """LINE's `source`: the chat, and who acted in it where that is somebody."""
    source = {"type": chat.kind, _CHAT_IDS[chat.kind]: chat.id}
    return source if user_id is None else {**source, "userId": user_id}


def compact(document: object) -> bytes:
    """JSON as LINE writes it: no spaces, UTF-8 unescaped."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


class Mentionee(NamedTuple):
    """Whom a text mentions: the name shown after the @, and what identifies the person to LINE."""

    name: str
    fields: Mapping[str, Any]


def mention(text: str, mentionees: Sequence[Mentionee]) -> tuple[str, JsonObject]:
    """The text and LINE's `mention` object. An "@name" that the text does not hold yet is put before it.

    `index` and `length` are UTF-16 code units.
    """
    for mentionee in reversed(mentionees):
        if f"@{mentionee.name}" not in text:
            text = f"@{mentionee.name} {text}"
    places: dict[int, range] = {}
    longest_first = sorted(range(len(mentionees)), key=lambda one: len(mentionees[one].name), reverse=True)
    for one in longest_first:  # "@Hanako" is not Hana's
        places[one] = _find(text, f"@{mentionees[one].name}", places.values())
    return text, {"mentionees": [_position(text, places[one], who.fields) for one, who in enumerate(mentionees)]}


def _find(text: str, label: str, taken: Iterable[range]) -> range:
    """Where the label stands, elsewhere than what is taken; the first place if there is no such."""
    found = [range(match.start(), match.end()) for match in re.finditer(re.escape(label), text)]
    return next((one for one in found if not any(one.start in other for other in taken)), found[0])


def _position(text: str, place: range, fields: Mapping[str, Any]) -> JsonObject:
    length = utf16_length(text[place.start : place.stop])
    return {"index": utf16_length(text[: place.start]), "length": length, **fields}
