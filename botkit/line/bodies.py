"""Replies, written as LINE's message objects (LINE reference: Message objects)."""

from typing import Any

from botkit.line.text import LONGEST_TEXT, MOST_MESSAGES, clean, shorten, split
from botkit.messages import Button, QuickReply, Reply, Sender
from botkit.ports import LineMessage

# LINE reference: Quick reply; Message action; Postback action; Change icon and display name.
_MOST_QUICK_REPLIES = 13
_LONGEST_LABEL = 20
_LONGEST_ACTION_TEXT = 300
_LONGEST_SENDER = 20
# LINE reference: Buttons template.
_LONGEST_BUTTON_TEXT = 160


def render(reply: Reply) -> tuple[LineMessage, ...]:
    """One to five message objects that say what the reply says; none for a silent one.

    Each part is a message of its own, split where it exceeds LINE's limit. What would be a sixth
    message is joined to the fifth, and cut there with "…" where it does not fit. Quick replies go
    on the last message, the only place where LINE shows them.
    """
    messages: list[dict[str, Any]] = [{"type": "text", "text": text} for text in _texts(reply)]
    if not messages:
        return ()
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


def _texts(reply: Reply) -> list[str]:
    pieces = [piece for part in reply.parts for piece in split(clean(part.text))]
    if len(pieces) <= MOST_MESSAGES:
        return pieces
    head, tail = pieces[: MOST_MESSAGES - 1], pieces[MOST_MESSAGES - 1 :]
    return [*head, shorten("\n\n".join(tail), LONGEST_TEXT)]


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
