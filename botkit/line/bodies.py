"""Replies, written as LINE's message objects (LINE reference: Message objects)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from botkit.line.flex import fits
from botkit.line.text import (
    ELLIPSIS,
    LONGEST_TEXT,
    MOST_MESSAGES,
    clean,
    clean_stretches,
    fences,
    is_blank,
    shorten,
    split,
    utf16_length,
)
from botkit.messages import Button, Flex, Part, QuickReply, Reply, Sender, Sticker, Text
from botkit.ports import LineMessage

# LINE reference: Quick reply; Message action; Postback action; Change icon and display name.
_MOST_QUICK_REPLIES = 13
_LONGEST_LABEL = 20
_LONGEST_ACTION_TEXT = 300
_LONGEST_SENDER = 20
# LINE reference: Buttons template.
_LONGEST_BUTTON_TEXT = 160
# LINE reference: Flex Message.
_LONGEST_ALT_TEXT = 1500


def render(reply: Reply) -> tuple[LineMessage, ...]:
    """One to five message objects that say what the reply says; none for a silent one, or where nothing can be seen.

    Each part is a message of its own; a text is split where it exceeds LINE's limit, and Flex contents that
    LINE would refuse are said in words. While there are more than five messages, the first of these that can be
    done is done, from the end on: two texts that stand together and fit one message are joined; a sticker is
    left out; a Flex message is said in words; the sixth text is joined to the fifth, and cut there with "…".
    The first text or sticker carries the quote. Quick replies go on the last message, the only place where
    LINE shows them.
    """
    messages = [_message(part) for part in _within_five(_pieces(reply.parts))]
    if not messages:
        return ()
    if reply.quote:
        _quote(messages, reply.quote)
    if items := _items(reply.quick_replies):
        messages[-1]["quickReply"] = {"items": items}
    if sender := _sender(reply.sender):
        messages = [{**message, "sender": sender} for message in messages]
    return tuple(messages)


def render_button(button: Button, sender: Sender | None = None) -> tuple[LineMessage, ...]:
    """The message object of a text with one button (LINE reference: Buttons template)."""
    text, label = shorten(clean(button.text).strip(), _LONGEST_BUTTON_TEXT), _short(button.label, _LONGEST_LABEL)
    action = {"type": "postback", "label": label, "data": button.data, "displayText": label}
    template = {"type": "buttons", "text": text, "actions": [action]}
    message: dict[str, Any] = {"type": "template", "altText": text, "template": template}
    if fields := _sender(sender):
        message["sender"] = fields
    return (message,)


def _pieces(parts: tuple[Part, ...]) -> list[Part]:
    """The parts as one message each, however many; texts are clean and within their limit."""
    return [piece for part in parts for piece in _pieces_of(part)]


def _pieces_of(part: Part) -> list[Part]:
    if isinstance(part, Flex):
        return [replace(part, text=clean(part.text).strip())] if fits(part.contents) else _pieces_of(Text(part.text))
    if isinstance(part, Sticker):
        return [part]
    text, whole = clean_stretches(part.text, part.whole)
    stretches = fences(text) if part.markdown else whole
    return [Text(piece) for piece in split(text, whole=stretches)] if not is_blank(text) else []


def _within_five(pieces: list[Part]) -> list[Part]:
    """The pieces, less what the way of least loss takes away (see `render`)."""
    while len(pieces) > MOST_MESSAGES:
        pieces = _join(pieces) or _without_sticker(pieces) or _in_words(pieces) or _cut(pieces)
    return pieces


def _join(pieces: list[Part]) -> list[Part]:
    """The last two texts that stand together and fit one message, joined; nothing where there are none."""
    for place in range(len(pieces) - 1, 0, -1):
        first, second = pieces[place - 1 : place + 1]
        if isinstance(first, Text) and isinstance(second, Text):
            joint = f"{first.text}\n\n{second.text}"
            if utf16_length(joint) <= LONGEST_TEXT:
                return [*pieces[: place - 1], Text(joint), *pieces[place + 1 :]]
    return []


def _without_sticker(pieces: list[Part]) -> list[Part]:
    place = _last(pieces, lambda piece: isinstance(piece, Sticker))
    return [] if place is None else [*pieces[:place], *pieces[place + 1 :]]


def _in_words(pieces: list[Part]) -> list[Part]:
    place = _last(pieces, lambda piece: isinstance(piece, Flex))
    return [] if place is None else [*pieces[:place], *_pieces_of(Text(pieces[place].text)), *pieces[place + 1 :]]


def _cut(pieces: list[Part]) -> list[Part]:
    *head, fifth, sixth = pieces[: MOST_MESSAGES + 1]
    return [*head, Text(shorten(f"{fifth.text}\n\n{sixth.text}", LONGEST_TEXT))]


def _last(pieces: list[Part], wanted: Callable[[Part], bool]) -> int | None:
    return next((place for place in reversed(range(len(pieces))) if wanted(pieces[place])), None)


def _message(piece: Part) -> dict[str, Any]:
    if isinstance(piece, Sticker):
        return {"type": "sticker", "packageId": piece.package_id, "stickerId": piece.sticker_id}
    if isinstance(piece, Flex):
        # LINE takes no empty altText.
        alt_text = shorten(piece.text, _LONGEST_ALT_TEXT) or ELLIPSIS
        return {"type": "flex", "altText": alt_text, "contents": dict(piece.contents)}
    return {"type": "text", "text": piece.text}


def _quote(messages: list[dict[str, Any]], token: str) -> None:
    """LINE shows a quote above texts and stickers alone (LINE reference: quoteToken)."""
    for message in messages:
        if message["type"] in ("text", "sticker"):
            message["quoteToken"] = token
            return


def _items(quick_replies: tuple[QuickReply, ...]) -> list[dict[str, Any]]:
    actions = [_action(quick_reply) for quick_reply in quick_replies]
    # LINE refuses the whole reply for one blank label.
    usable = [action for action in actions if action["label"] and action["text"]]
    return [{"type": "action", "action": action} for action in usable[:_MOST_QUICK_REPLIES]]


def _action(quick_reply: QuickReply) -> dict[str, str]:
    text = clean(quick_reply.text).strip()
    return {
        "type": "message",
        "label": _short(quick_reply.label, _LONGEST_LABEL),
        "text": shorten(text, _LONGEST_ACTION_TEXT),
    }


def _sender(sender: Sender | None) -> dict[str, str]:
    if sender is None:
        return {}
    fields = {"name": _short(sender.name or "", _LONGEST_SENDER), "iconUrl": sender.icon or ""}
    return {key: value for key, value in fields.items() if value}


def _short(text: str, most: int) -> str:
    """One line of at most `most` UTF-16 units: however LINE counts characters here, it is not more than that."""
    return shorten(" ".join(clean(text).split()), most)
