"""LINE's rules for message objects: a table of what is refused, and of what is just within them."""

from typing import Any

import pytest

from botkit.simulator.rules import faults

HTTPS = "https://example.com/a.png"
ACTION = {"type": "message", "label": "Rooms", "text": "Rooms?"}


def values(*allowed: str) -> str:
    return f"Must be one of the following values: [{', '.join(allowed)}]"


def text(**fields: object) -> dict[str, Any]:
    return {"type": "text", "text": "hi", **fields}


def quick(*actions: object) -> dict[str, Any]:
    return text(quickReply={"items": [{"type": "action", "action": action} for action in actions]})


def bubble(filling: int = 0) -> dict[str, Any]:
    return {"type": "bubble", "body": box({"type": "text", "text": "x" * filling or "x"})}


def box(*contents: object, **fields: object) -> dict[str, Any]:
    return {"type": "box", "layout": "vertical", "contents": list(contents), **fields}


def body(*contents: object, **fields: object) -> dict[str, Any]:
    return flex({"type": "bubble", "body": box(*contents, **fields)})


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
        flex({"type": "bubble", "hero": {"type": "image", "url": HTTPS}, "size": "giga"}),
        body(),
        body(
            {"type": "text", "text": "a", "wrap": True, "size": "sm", "color": "#112233", "flex": 0},
            {"type": "text", "contents": [{"type": "span", "text": "a", "weight": "bold"}]},
            {"type": "separator", "margin": "md"},
            box({"type": "icon", "url": HTTPS}, layout="baseline", spacing="12px"),
            {"type": "button", "action": {"type": "uri", "label": "x" * 40, "uri": HTTPS}, "style": "link"},
            box({"type": "filler"}, layout="horizontal", action={"type": "message", "text": "a"}),
        ),
        text(quoteToken="q"),
        {"type": "sticker", "packageId": "446", "stickerId": "1988", "quoteToken": "q"},
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
        (flex(carousel(2) | {"contents": [bubble(31_000)]}), "contents.contents[0]", "Must be at most 30720 bytes"),
        (flex({"type": "bubble"}), "contents", "At least one block must be specified"),
        (
            flex({"type": "carousel", "contents": [bubble(), {**bubble(), "size": "kilo"}]}),
            "contents.contents",
            "All bubbles of a carousel must have the same size",
        ),
        (flex({**bubble(), "body": {"type": "text", "text": "a"}}), "contents.body.type", values("box")),
        (flex({**bubble(), "colour": "#fff"}), "contents.colour", "Unknown property"),
        (body({"type": "text"}), "contents.body.contents[0].text", "May not be empty"),
        (body({"type": "text", "text": ""}), "contents.body.contents[0].text", "May not be empty"),
        (
            body({"type": "text", "text": "a", "colour": "#000000"}),
            "contents.body.contents[0].colour",
            "Unknown property",
        ),
        (body({"type": "text", "text": "a", "color": "red"}), "contents.body.contents[0].color", "Invalid color"),
        (body({"type": "text", "text": "a", "size": "huge"}), "contents.body.contents[0].size", "Invalid size"),
        (body({"type": "text", "text": "a", "wrap": "yes"}), "contents.body.contents[0].wrap", "Must be a boolean"),
        (body({"type": "text", "text": "a", "flex": True}), "contents.body.contents[0].flex", "Must be an integer"),
        (
            body({"type": "image", "url": "http://a/b"}),
            "contents.body.contents[0].url",
            "Invalid scheme, it must be https",
        ),
        (body({"type": "button"}), "contents.body.contents[0].action", "May not be empty"),
        (
            body({"type": "button", "action": {**ACTION, "label": "x" * 41}}),
            "contents.body.contents[0].action.label",
            "Length must be between 0 and 40",
        ),
        (body(layout="diagonal"), "contents.body.layout", values("horizontal", "vertical", "baseline")),
        (body(spacing="wide"), "contents.body.spacing", "Invalid length"),
        (
            body(box({"type": "box"}, layout="baseline")),
            "contents.body.contents[0].contents[0].type",
            values("icon", "text", "filler"),
        ),
        (body(None), "contents.body.contents[0].type", values("box", "button", "image", "text", "separator", "filler")),
        (text(quoteToken=""), "quoteToken", "May not be empty"),
        (flex(bubble()) | {"quoteToken": "q"}, "quoteToken", "Unknown property"),
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


def test_what_is_nested_without_end_is_refused() -> None:
    nested = box()
    for _ in range(50):
        nested = box(nested)
    (fault,) = faults([flex({"type": "bubble", "body": nested})])
    assert fault["message"] == "Nested too deep"
