"""LINE's rules for message objects: a table of what is refused, and of what is just within them."""

from typing import Any

import pytest

from botkit.simulator.rules import faults

HTTPS = "https://example.com/a.png"
ACTION = {"type": "message", "label": "Rooms", "text": "Rooms?"}


def text(**fields: object) -> dict[str, Any]:
    return {"type": "text", "text": "hi", **fields}


def quick(*actions: object) -> dict[str, Any]:
    return text(quickReply={"items": [{"type": "action", "action": action} for action in actions]})


def bubble(filling: int = 0) -> dict[str, Any]:
    return {"type": "bubble", "body": {"type": "text", "text": "x" * filling}}


def flex(contents: object, alt_text: str = "menu") -> dict[str, Any]:
    return {"type": "flex", "altText": alt_text, "contents": contents}


def carousel(count: int, filling: int = 0) -> dict[str, Any]:
    return {"type": "carousel", "contents": [bubble(filling)] * count}


@pytest.mark.parametrize(
    "message",
    [
        text(),
        text(text="x" * 5000),
        text(text="🍎" * 2500),
        quick(*[ACTION] * 13),
        quick({**ACTION, "label": "x" * 20, "text": "y" * 300}),
        quick({**ACTION, "label": "👨‍👩‍👧‍👦" * 20}),
        quick({"type": "postback", "label": "a", "data": "x" * 300}, {"type": "camera", "label": "a"}),
        text(sender={"name": "x" * 20, "iconUrl": HTTPS}),
        {"type": "textV2", "text": "Hi {user} {{literally}}", "substitution": {"user": {"type": "mention"}}},
        {"type": "sticker", "packageId": "446", "stickerId": "1988"},
        {"type": "image", "originalContentUrl": HTTPS, "previewImageUrl": HTTPS},
        {"type": "audio", "originalContentUrl": HTTPS, "duration": 1000},
        {"type": "location", "title": "Inn", "address": "Kyoto", "latitude": 35.0, "longitude": 135},
        {"type": "template", "altText": "menu", "template": {"type": "buttons"}},
        flex(bubble()),
        flex(bubble(30_000)),
        flex(carousel(12)),
    ],
)
def test_what_line_takes(message: dict[str, Any]) -> None:
    assert faults([message]) == []


@pytest.mark.parametrize(
    ("message", "place", "fault"),
    [
        (text(text=""), "text", "May not be empty"),
        (text(text=" \n"), "text", "May not be empty"),
        (text(text=None), "text", "May not be empty"),
        ({"type": "text"}, "text", "May not be empty"),
        (text(text="x" * 5001), "text", "Length must be between 0 and 5000"),
        (text(text="🍎" * 2500 + "x"), "text", "Length must be between 0 and 5000"),
        (quick(*[ACTION] * 14), "quickReply.items", "Size must be between 1 and 13"),
        (quick(), "quickReply.items", "Size must be between 1 and 13"),
        (text(quickReply=[]), "quickReply.items", "Size must be between 1 and 13"),
        (quick(None), "quickReply.items[0].action", "May not be null"),
        (quick({**ACTION, "label": ""}), "quickReply.items[0].action.label", "May not be empty"),
        (quick({**ACTION, "label": "x" * 21}), "quickReply.items[0].action.label", "Length must be between 0 and 20"),
        (quick({**ACTION, "text": "x" * 301}), "quickReply.items[0].action.text", "Length must be between 0 and 300"),
        (text(sender={"name": "x" * 21}), "sender.name", "Length must be between 0 and 20"),
        (text(sender={"iconUrl": "http://a/b"}), "sender.iconUrl", "Invalid scheme, it must be https"),
        (text(sender="Yoshi"), "sender", "Must be an object"),
        ({"type": "textV2", "text": "Hi {user}"}, "text", "Invalid placeholder '{user}'"),
        ({"type": "textV2", "text": "a { b"}, "text", "Invalid placeholder '{'"),
        ({"type": "textV2", "text": "a }"}, "text", "Invalid placeholder '}'"),
        ({"type": "sticker", "packageId": "446"}, "stickerId", "May not be empty"),
        (
            {"type": "image", "originalContentUrl": HTTPS, "previewImageUrl": "http://a/b"},
            "previewImageUrl",
            "Invalid scheme, it must be https",
        ),
        ({"type": "audio", "originalContentUrl": HTTPS}, "duration", "Must be a positive number"),
        (
            {"type": "location", "title": "Inn", "address": "Kyoto", "latitude": "35", "longitude": 135},
            "latitude",
            "Must be a number",
        ),
        (flex(bubble(), ""), "altText", "May not be empty"),
        (flex(bubble(), "x" * 1501), "altText", "Length must be between 0 and 1500"),
        (flex(None), "contents.type", "Must be one of the following values: [bubble, carousel]"),
        (flex(bubble(31_000)), "contents", "Must be at most 30720 bytes"),
        (flex(carousel(13)), "contents.contents", "Size must be between 1 and 12"),
        (flex(carousel(6, 10_000)), "contents", "Must be at most 51200 bytes"),
    ],
)
def test_what_line_refuses_and_where(message: dict[str, Any], place: str, fault: str) -> None:
    assert faults([text(), message]) == [{"message": fault, "property": f"messages[1].{place}"}]


@pytest.mark.parametrize("kind", ["hologram", None, 5, "Text", ""])
def test_an_unknown_type_is_refused(kind: object) -> None:
    (fault,) = faults([{"type": kind, "text": "x"}])
    assert fault["property"] == "messages[0].type"


@pytest.mark.parametrize("messages", [None, [], {}, "x", [text()] * 6])
def test_there_are_one_to_five_messages(messages: object) -> None:
    assert faults(messages) == [{"message": "Size must be between 1 and 5", "property": "messages"}]


def test_every_fault_is_told() -> None:
    assert [fault["property"] for fault in faults([text(text=""), 5, text(text="", sender={"name": ""})])] == [
        "messages[0].text",
        "messages[1]",
        "messages[2].text",
        "messages[2].sender.name",
    ]
