"""LINE's message objects as the page draws them, in a real browser, under the page's own security policy."""

import struct
import time
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from botkit.line.flex import code_bubble, table_contents
from botkit.simulator.page.app import STATIC
from botkit.simulator.page.guard import Guard
from botkit.simulator.server import serving
from tests.support.browser import PATIENCE, complaints_of, opened

JSON = dict[str, Any]
SHEETS = ("tokens", "app", "chat", "rows", "message", "flex")
HTML = "<!doctype html><html lang=en><meta charset=utf-8><link rel=icon href='data:,'>{}<script type=module src=/draw.js></script><div id=stage></div>"
SCRIPT = """
import { h, fill } from "/static/dom.js";
import { drawMessage, drawQuickReplies } from "/static/message.js";
window.calls = [];
const note = (name) => (...values) => { window.calls.push([name, ...values]); };
const context = Object.fromEntries(["say", "postback", "open", "tell", "pick"].map((name) => [name, note(name)]));
context.nameOf = (id) => ({ U1: "Hana" })[id];
const stage = document.getElementById("stage");
window.draw = (line, mine) => {
  const bubble = h("div", { class: "bubble", dataset: { type: String(line.message?.type) } }, drawMessage(line, { ...context, mine }));
  fill(stage, h("article", { class: `row ${mine ? "mine" : "theirs"}` }, h("div", { class: "stack" }, bubble)));
};
window.drawQuick = (items) => { fill(stage, drawQuickReplies(items, context)); };
"""
SOMEWHERE = "https://images.example.com/room.jpg"


def pixel() -> bytes:
    """A PNG of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    chunks = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0abc")), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def answer(content: str | bytes, kind: str) -> Any:
    def respond(_: Request) -> Response:
        return Response(content, media_type=kind)

    return respond


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of the page's files, with the headers that the page has."""
    sheets = "".join(f"<link rel=stylesheet href=/static/{name}.css>" for name in SHEETS)
    routes = [
        Route("/", answer(HTML.format(sheets), "text/html")),
        Route("/draw.js", answer(SCRIPT, "text/javascript")),
        Route("/sim/media/{message_id}", answer(pixel(), "image/png")),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    with serving(Starlette(routes=routes, middleware=[Middleware(Guard)])) as base:
        yield base


class Stage:
    """A page on which one message at a time is drawn."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.open()

    def open(self) -> None:
        """The page anew, with nothing in focus."""
        self.page.goto(self.url)

    def reset(self) -> None:
        """As it was at first, save for what is in focus."""
        self.page.set_viewport_size({"width": 800, "height": 700})
        self.page.emulate_media(color_scheme="light")
        self.page.evaluate(
            "window.calls.length = 0; document.querySelectorAll('dialog').forEach((one) => one.remove())"
        )

    def draw(self, message: Any, media: JSON | None = None, *, mine: bool = False) -> Any:
        """The bubble around it."""
        self.page.evaluate("([line, mine]) => window.draw(line, mine)", [{"message": message, "media": media}, mine])
        return self.page.locator(".bubble")

    def flex(self, contents: Any, **fields: Any) -> Any:
        return self.draw({"type": "flex", "altText": "What it says", "contents": contents, **fields})

    def body(self, *contents: Any, layout: str = "vertical", size: str = "mega", **fields: Any) -> Any:
        """The body of a bubble without padding: 300 pixels wide where nothing is said of its size."""
        body = box(*contents, layout=layout, paddingAll="none", **fields)
        self.flex({"type": "bubble", "size": size, "body": body})
        return self.page.locator(".fx-body > .fx-box")

    @property
    def calls(self) -> list[list[Any]]:
        """What was asked of the page since the last time."""
        calls: list[list[Any]] = self.page.evaluate("window.calls.splice(0)")
        return calls

    def until(self, script: str) -> None:
        """Wait for a script to be true; the page's policy forbids the waiting of playwright, which is by `eval`."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(script):
            assert time.monotonic() < deadline, script
            self.page.wait_for_timeout(10)

    def press(self, name: str) -> list[list[Any]]:
        """Press the button of this name; what it asked for."""
        self.page.get_by_role("button", name=name, exact=True).click()
        return self.calls


@pytest.fixture(scope="module")
def shared(browser: Any, url: str) -> Iterator[Stage]:
    """One page for all these tests: to open one takes longer than most of them."""
    with opened(browser) as page:
        yield Stage(page, url)


@pytest.fixture
def stage(shared: Stage) -> Iterator[Stage]:
    """The test fails if a script fails, or the browser complains."""
    shared.reset()
    complaints = complaints_of(shared.page)
    yield shared
    assert complaints == []


def box(*contents: Any, layout: str = "vertical", **fields: Any) -> JSON:
    return {"type": "box", "layout": layout, "contents": list(contents), **fields}


def text(words: str = "Hello", **fields: Any) -> JSON:
    return {"type": "text", "text": words, **fields}


def image(**fields: Any) -> JSON:
    return {"type": "image", "url": SOMEWHERE, **fields}


def button(action: JSON, **fields: Any) -> JSON:
    return {"type": "button", "action": action, **fields}


def says(words: str) -> JSON:
    return {"type": "message", "label": words, "text": words}


def boxes(parent: Any) -> list[tuple[float, float, float, float]]:
    """Where the children are in their parent: left, top, width, height."""
    found: list[tuple[float, float, float, float]] = parent.evaluate("""(parent) => {
        const from = parent.getBoundingClientRect();
        return [...parent.children].map((child) => {
            const at = child.getBoundingClientRect();
            return [at.left - from.left, at.top - from.top, at.width, at.height].map((value) => Math.round(value * 10) / 10);
        });
    }""")
    return [tuple(one) for one in found]


def style(locator: Any, name: str) -> str:
    value: str = locator.evaluate("(element, name) => getComputedStyle(element)[name]", name)
    return value


# Texts


def test_a_text_keeps_its_lines_and_is_never_markup(stage: Stage) -> None:
    bubble = stage.draw({"type": "text", "text": "一行目\n  <b onclick=alert(1)>two</b>"})
    assert bubble.inner_text() == "一行目\n  <b onclick=alert(1)>two</b>"
    assert bubble.locator("b").count() == 0


@pytest.mark.parametrize(
    ("words", "link"),
    [
        ("See https://example.com/a?b=c.", "https://example.com/a?b=c"),
        ("部屋はhttps://example.com/rooms。どうぞ", "https://example.com/rooms"),
        ("(http://a.example/b_(c))", "http://a.example/b_(c)"),
        ("「https://example.com/」", "https://example.com/"),
    ],
)
def test_a_link_opens_without_what_stands_around_it(stage: Stage, words: str, link: str) -> None:
    bubble = stage.draw({"type": "text", "text": words})
    assert bubble.inner_text() == words
    assert bubble.get_by_role("link").inner_text() == link
    bubble.get_by_role("link").click()
    assert stage.calls == [["open", link]]


@pytest.mark.parametrize("words", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "http://"])
def test_what_is_no_web_address_is_no_link(stage: Stage, words: str) -> None:
    assert stage.draw({"type": "text", "text": words}).get_by_role("link").count() == 0


def test_mentions_are_found_by_utf16_index(stage: Stage) -> None:
    mentionees = [{"index": 3, "length": 5, "type": "user"}, {"index": 9, "length": 4, "type": "all"}]
    bubble = stage.draw({"type": "text", "text": "🍎 @Hana @All hi", "mention": {"mentionees": mentionees}}, mine=True)
    assert bubble.locator(".msg-mention").all_inner_texts() == ["@Hana", "@All"]
    assert bubble.inner_text() == "🍎 @Hana @All hi"


def test_a_mention_that_does_not_lie_in_the_text_is_left_out(stage: Stage) -> None:
    mentionees = [{"index": 1, "length": 50}, {"index": -1, "length": 2}, {"index": "0", "length": 1}, None, 7]
    bubble = stage.draw({"type": "text", "text": "Hello", "mention": {"mentionees": mentionees}})
    assert (bubble.inner_text(), bubble.locator(".msg-mention").count()) == ("Hello", 0)


def test_emojis_of_line_have_names(stage: Stage) -> None:
    emojis = [{"index": 3, "length": 6, "productId": "p", "emojiId": "1"}]
    bubble = stage.draw({"type": "text", "text": "Hi (love)!", "emojis": emojis})
    assert bubble.get_by_role("img").get_attribute("aria-label") == "LINE emoji love"
    assert bubble.inner_text() == "Hi ☺!"
    bubble = stage.draw({"type": "text", "text": "$ a", "emojis": [{"index": 0, "productId": "p", "emojiId": "2"}]})
    assert bubble.get_by_role("img").get_attribute("aria-label") == "LINE emoji p/2"
    assert bubble.inner_text() == "☺ a"


def test_the_second_version_of_texts_puts_its_substitutions_in(stage: Stage) -> None:
    substitution = {
        "u1": {"type": "mention", "mentionee": {"type": "user", "userId": "U1"}},
        "all": {"type": "mention", "mentionee": {"type": "all"}},
        "e": {"type": "emoji", "productId": "p", "emojiId": "1"},
    }
    words = "{u1} and {all} {e} {{braces}} {constructor} https://a.example/{{x}}"
    bubble = stage.draw({"type": "textV2", "text": words, "substitution": substitution})
    assert bubble.inner_text() == "@Hana and @All ☺ {braces} {constructor} https://a.example/{x}"
    assert bubble.locator(".msg-mention").all_inner_texts() == ["@Hana", "@All"]
    assert bubble.get_by_role("link").inner_text() == "https://a.example/{x}"


# Stickers, media, places


@pytest.mark.parametrize(
    ("fields", "name", "shown"),
    [
        ({"keywords": ["unheard of", "thanks"]}, "Sticker: unheard of", "🙏"),
        ({}, "Sticker: 446/1988", "446/1988"),
        ({"text": "ありがとう"}, "Sticker: ありがとう", "ありがとう"),
    ],
)
def test_a_sticker_is_a_face_and_has_a_name(stage: Stage, fields: JSON, name: str, shown: str) -> None:
    bubble = stage.draw({"type": "sticker", "packageId": "446", "stickerId": "1988", **fields})
    assert bubble.get_by_role("img").get_attribute("aria-label") == name
    assert bubble.inner_text() == shown


def test_an_image_of_this_page_is_shown_and_grows_when_pressed(stage: Stage) -> None:
    media = {"url": "/sim/media/1", "type": "image/png", "name": "room.png", "duration": None}
    shown = stage.draw({"type": "image", "id": "1"}, media).get_by_role("img", name="room.png")
    assert shown.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 1
    shown.click()
    large = stage.page.get_by_role("dialog", name="room.png")
    assert large.get_by_role("img").get_attribute("src") == "/sim/media/1"
    stage.page.keyboard.press("Escape")
    stage.page.wait_for_selector("dialog", state="detached")


@pytest.mark.parametrize("kind", ["image", "video", "audio"])
def test_media_that_are_elsewhere_are_not_loaded_but_opened(stage: Stage, kind: str) -> None:
    asked: list[str] = []
    stage.page.on("request", lambda request: asked.append(request.url))
    message = {"type": kind, "originalContentUrl": SOMEWHERE, "previewImageUrl": SOMEWHERE, "duration": 5000}
    bubble = stage.draw(message)
    name = "Play" if kind == "audio" else f"{kind.title()} from images.example.com"
    assert bubble.get_by_role("button", name=name).is_visible()
    assert stage.press(name) == [["open", SOMEWHERE]]
    assert asked == []


def test_media_of_an_unknown_address_are_not_asked_for(stage: Stage) -> None:
    asked: list[str] = []
    stage.page.on("request", lambda request: asked.append(request.url))
    for address in (SOMEWHERE, "//images.example.com/x", "javascript:alert(1)", "/sim/do/reset", 7):
        for kind in ("image", "video", "audio", "file"):
            stage.draw({"type": kind}, {"url": address, "type": "image/png"})
    stage.page.wait_for_load_state("networkidle")
    assert asked == []


def test_audio_and_files_say_how_much_they_are(stage: Stage) -> None:
    media = {"url": "/sim/media/1", "type": "audio/mp3", "name": None, "duration": 65_000}
    bubble = stage.draw({"type": "audio", "duration": 65_000}, media)
    assert bubble.get_by_role("group", name="Audio, 1:05").inner_text() == "1:05"
    bubble = stage.draw({"type": "file", "fileName": "見積書.pdf", "fileSize": 1536}, media)
    assert bubble.inner_text().split() == ["見積書.pdf", "1.5", "KB"]
    assert bubble.get_by_role("link").get_attribute("download") == "見積書.pdf"


def test_a_place_has_a_title_and_an_address_and_opens_a_map(stage: Stage) -> None:
    place = {"type": "location", "title": "京都駅", "address": "下京区", "latitude": 34.98, "longitude": 135.75}
    stage.draw(place)
    assert stage.press("京都駅 下京区") == [["open", "https://www.google.com/maps/search/?api=1&query=34.98%2C135.75"]]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "hologram"},
        {"type": "__proto__"},
        {"type": None},
        {"type": "coupon", "couponId": "C1"},
        {"type": "text"},
        {"type": "textV2", "text": 7, "substitution": None},
        {"type": "sticker", "keywords": 7},
        {"type": "location"},
        {"type": "template"},
        {"type": "template", "template": {"type": "constructor"}},
        {"type": "template", "template": {"type": "buttons", "actions": [None, 7, {}], "text": {}}},
        {"type": "template", "template": {"type": "carousel", "columns": [None, {"actions": "x"}]}},
        {"type": "template", "template": {"type": "image_carousel", "columns": [{}]}},
        {
            "type": "imagemap",
            "actions": [None, {"area": {"x": "1"}}, {"area": 7}],
            "baseSize": {"width": "1", "height": -5},
        },
        {"type": "audio", "duration": "long"},
        {"type": "file", "fileSize": "big"},
        {"type": "flex"},
        {"type": "flex", "contents": {"type": "carousel", "contents": "x"}},
        {"type": "flex", "contents": {"type": "carousel", "contents": [None, 7, {}]}},
        {"type": "flex", "contents": {"type": "bubble", "body": 7, "styles": 7, "action": 7}},
        {"type": "flex", "contents": {"type": "bubble", "body": {"type": "box", "contents": [None, 7, "x", [], {}]}}},
        {"type": "flex", "contents": {"type": "bubble", "body": {"type": "text", "contents": [None, 7]}}},
        {"type": "flex", "contents": {"type": "bubble", "hero": {"type": "image"}, "footer": {"type": "button"}}},
        {"type": "flex", "contents": {"type": "bubble", "hero": {"type": "video"}, "body": {"type": "icon"}}},
    ],
)
def test_something_is_drawn_whatever_comes(stage: Stage, message: JSON) -> None:
    assert stage.draw(message).locator("> *").count() == 1


# Actions


@pytest.mark.parametrize(
    ("action", "calls"),
    [
        ({"type": "message", "text": "はい"}, [["say", "はい"]]),
        ({"type": "postback", "data": "a=1"}, [["postback", "a=1", None, None]]),
        ({"type": "postback", "data": "a=1", "displayText": "Yes"}, [["postback", "a=1", None, "Yes"]]),
        ({"type": "postback", "data": "a=1", "text": "Yes"}, [["say", "Yes"], ["postback", "a=1", None, None]]),
        ({"type": "camera"}, [["pick", "camera"]]),
        ({"type": "cameraRoll"}, [["pick", "cameraRoll"]]),
        ({"type": "location"}, [["pick", "location"]]),
        ({"type": "uri", "uri": "https://line.me/"}, [["open", "https://line.me/"]]),
        ({"type": "uri", "uri": "tel:0312345678"}, [["open", "tel:0312345678"]]),
        ({"type": "uri", "uri": "mailto:a@example.com"}, [["open", "mailto:a@example.com"]]),
        ({"type": "uri", "uri": "line://ti/p/@x"}, [["open", "line://ti/p/@x"]]),
    ],
)
def test_a_button_does_its_action(stage: Stage, action: JSON, calls: list[Any]) -> None:
    stage.body(button({"label": "Do", **action}))
    assert stage.press("Do") == calls


HOSTILE = (
    "javascript:alert(1)",
    " JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "vbscript:x",
    "blob:https://line.me/1",
    "/sim/do/reset",
    "",
    None,
    {},
)


@pytest.mark.parametrize("uri", HOSTILE)
def test_no_other_address_is_ever_opened(stage: Stage, uri: Any) -> None:
    action = {"type": "uri", "label": "Go", "uri": uri}
    stage.body(button(action))
    ((name, words),) = stage.press("Go")
    assert (name, words.split(":")[0]) == ("tell", "LINE does not open this address")
    stage.draw(
        {
            "type": "imagemap",
            "altText": "x",
            "actions": [{**action, "linkUri": uri, "area": {"width": 900, "height": 900}}],
        }
    )
    assert [call[0] for call in stage.press("Go")] == ["tell"]


@pytest.mark.parametrize("kind", ["richmenuswitch", "teleport", "constructor", None])
def test_an_action_that_is_not_played_is_told(stage: Stage, kind: str | None) -> None:
    stage.body(button({"type": kind, "label": "Do"}))
    assert [call[0] for call in stage.press("Do")] == ["tell"]


def test_the_clipboard_gets_the_text(stage: Stage) -> None:
    stage.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    stage.flex(code_bubble("  x = 1\ny"))
    stage.page.get_by_role("button", name="📋").click()
    stage.until("window.calls.length > 0")
    assert stage.calls == [["tell", "Copied"]]
    assert stage.page.evaluate("navigator.clipboard.readText()") == "  x = 1\ny"


@pytest.mark.parametrize(
    ("mode", "initial", "chosen"),
    [
        ("date", "2026-01-02", "2026-03-04"),
        ("time", "10:00", "11:30"),
        ("datetime", "2026-01-02t10:00", "2026-03-04T11:30"),
    ],
)
def test_a_date_picker_sends_a_postback_with_params(stage: Stage, mode: str, initial: str, chosen: str) -> None:
    stage.body(button({"type": "datetimepicker", "label": "When", "data": "d", "mode": mode, "initial": initial}))
    assert stage.press("When") == []
    field = stage.page.get_by_role("dialog", name="When").locator("input")
    assert field.input_value() == initial.replace("t", "T")
    assert stage.press("OK") == [["postback", "d", {mode: initial.replace("t", "T")}, None]]
    stage.page.wait_for_selector("dialog", state="detached")
    stage.press("When")
    field.fill(chosen)
    field.press("Enter")
    assert stage.calls == [["postback", "d", {mode: chosen}, None]]
    stage.page.wait_for_selector("dialog", state="detached")


def test_a_date_picker_keeps_to_its_limits_and_may_be_left(stage: Stage) -> None:
    picker = {
        "type": "datetimepicker",
        "label": "When",
        "data": "d",
        "mode": "date",
        "min": "2026-01-01",
        "max": "2026-12-31",
    }
    stage.body(button(picker))
    stage.press("When")
    field = stage.page.locator("dialog input")
    for outside in ("2025-12-31", "2027-01-01"):
        field.fill(outside)
        assert stage.press("OK") == []
    field.fill("2026-12-31")
    assert stage.press("Cancel") == []
    stage.page.wait_for_selector("dialog", state="detached")


def test_quick_replies_are_chips_that_can_be_used_by_keys(stage: Stage) -> None:
    stage.open()
    items = [{"type": "action", "imageUrl": SOMEWHERE, "action": says(f"Answer {number}")} for number in range(20)]
    stage.page.evaluate("(items) => window.drawQuick(items)", items)
    group = stage.page.get_by_role("group", name="Quick replies")
    assert group.get_by_role("button").all_inner_texts() == [f"Answer {number}" for number in range(13)]
    for _ in range(13):
        stage.page.keyboard.press("Tab")
    stage.page.keyboard.press("Enter")
    assert stage.calls == [["say", "Answer 12"]]
    assert group.evaluate("(track) => track.scrollLeft") > 0


# Templates and imagemaps


def test_the_button_of_a_slow_answer_says_what_it_sends(stage: Stage) -> None:
    action = {"type": "postback", "label": "見る", "data": "x", "displayText": "見る"}
    template = {"type": "buttons", "text": "This takes a little longer.", "actions": [action]}
    bubble = stage.draw({"type": "template", "altText": "This takes longer", "template": template})
    assert (
        bubble.get_by_role("group", name="This takes longer").inner_text().split("\n")[0]
        == "This takes a little longer."
    )
    assert stage.press("見る") == [["postback", "x", None, "見る"]]


def test_a_template_has_picture_title_text_and_actions(stage: Stage) -> None:
    template = {
        "type": "buttons",
        "thumbnailImageUrl": SOMEWHERE,
        "imageAspectRatio": "square",
        "title": "Menu",
        "text": "Please\nselect",
        "defaultAction": {"type": "uri", "label": "View", "uri": "https://line.me/"},
        "actions": [says("Buy"), says("Leave")],
    }
    bubble = stage.draw({"type": "template", "altText": "Menu", "template": template})
    assert bubble.inner_text().split()[1:] == ["Menu", "Please", "select", "Buy", "Leave"]
    wide, high = bubble.get_by_role("img").evaluate("(image) => [image.clientWidth, image.clientHeight]")
    assert wide == high == 260
    assert stage.press("View") == [["open", "https://line.me/"]]
    assert stage.press("Leave") == [["say", "Leave"]]


def test_the_choices_of_a_confirm_template_stand_side_by_side(stage: Stage) -> None:
    template = {"type": "confirm", "text": "Sure?", "actions": [says("Yes"), says("No")]}
    stage.draw({"type": "template", "altText": "Sure?", "template": template})
    yes, no = boxes(stage.page.locator(".tpl-choices"))
    assert (yes[1], yes[2], yes[0] + yes[2]) == (no[1], no[2], no[0])
    assert stage.press("No") == [["say", "No"]]


def test_carousel_templates_show_each_column(stage: Stage) -> None:
    columns = [{"text": "One", "actions": [says("First")]}, {"text": "Two\nlines", "actions": [says("Second")]}]
    stage.draw({"type": "template", "altText": "Rooms", "template": {"type": "carousel", "columns": columns}})
    one, two = boxes(stage.page.locator(".slider-track"))
    assert (one[3], one[0] + one[2] + 9) == (two[3], two[0])
    assert stage.press("Second") == [["say", "Second"]]
    columns = [{"imageUrl": SOMEWHERE, "action": says("First")}, {"imageUrl": SOMEWHERE, "action": says("Second")}]
    stage.draw({"type": "template", "altText": "Rooms", "template": {"type": "image_carousel", "columns": columns}})
    assert stage.press("Second") == [["say", "Second"]]


def test_the_areas_of_an_imagemap_are_buttons_in_their_places(stage: Stage) -> None:
    actions = [
        {
            "type": "uri",
            "linkUri": "https://line.me/",
            "label": "Left",
            "area": {"x": 0, "y": 0, "width": 520, "height": 780},
        },
        {"type": "message", "text": "Right", "area": {"x": 520, "y": 390, "width": 520, "height": 390}},
    ]
    size = {"width": 1040, "height": 780}
    stage.draw({"type": "imagemap", "altText": "A map", "baseUrl": SOMEWHERE, "baseSize": size, "actions": actions})
    _, left, right = boxes(stage.page.get_by_role("group", name="A map"))
    assert (left, right) == ((0, 0, 150, 225), (150, 112.5, 150, 112.5))
    assert stage.press("Left") == [["open", "https://line.me/"]]
    assert stage.press("Right") == [["say", "Right"]]


# Bubbles and carousels of Flex


@pytest.mark.parametrize(
    ("size", "width"),
    [
        ("nano", 120),
        ("micro", 160),
        ("deca", 220),
        ("hecto", 241),
        ("kilo", 260),
        ("mega", 300),
        ("giga", 386),
        ("vast", 300),
    ],
)
def test_a_bubble_is_as_wide_as_its_size_says(stage: Stage, size: str, width: int) -> None:
    stage.flex({"type": "bubble", "size": size, "body": box(text())})
    assert boxes(stage.page.get_by_role("group", name="What it says")) == [
        (0, 0, width, boxes(stage.page.locator(".flex"))[0][3])
    ]


def test_a_bubble_is_never_wider_than_the_screen(stage: Stage) -> None:
    stage.page.set_viewport_size({"width": 320, "height": 600})
    stage.flex(
        {
            "type": "bubble",
            "size": "giga",
            "body": box(text("word " * 50, wrap=True), image(size="5xl"), box(width="900px")),
        }
    )
    assert stage.page.evaluate("document.documentElement.scrollWidth") == 320


def test_blocks_stand_in_line_s_order_with_their_paddings(stage: Stage) -> None:
    blocks = {"footer": box(text("4")), "body": box(text("3")), "hero": image(size="full"), "header": box(text("1"))}
    stage.flex({"type": "bubble", **blocks})
    bubble = stage.page.locator(".fx-bubble")
    assert bubble.inner_text().split() == ["1", "images.example.com", "3", "4"]
    paddings = [style(bubble.locator(f".fx-{name} > .fx-box"), "padding") for name in ("header", "body", "footer")]
    assert paddings == ["20px", "19px 20px 10px", "10px"]
    assert [place[3] for place in boxes(bubble)][1] == 300


def test_blocks_have_grounds_and_separators_save_the_first(stage: Stage) -> None:
    line = {"separator": True, "separatorColor": "#ff0000", "backgroundColor": "#00ff00"}
    stage.flex({"type": "bubble", "header": box(text()), "body": box(text()), "styles": {"header": line, "body": line}})
    header, body = stage.page.locator(".fx-header"), stage.page.locator(".fx-body")
    assert style(header, "borderTopWidth") == "0px"
    assert (style(body, "borderTop"), style(body, "backgroundColor")) == ("1px solid rgb(255, 0, 0)", "rgb(0, 255, 0)")


def test_a_bubble_may_run_from_right_to_left(stage: Stage) -> None:
    row = box(text("a", flex=0), text("b", flex=0), layout="horizontal", spacing="10px", paddingStart="30px")
    stage.flex({"type": "bubble", "direction": "rtl", "body": row})
    first, second = boxes(stage.page.locator(".fx-body > .fx-box"))
    assert first[0] + first[2] == 300 - 30
    assert second[0] + second[2] + 10 == pytest.approx(first[0], abs=0.2)


def test_flex_is_light_in_the_dark(stage: Stage) -> None:
    stage.page.emulate_media(color_scheme="dark")
    stage.flex({"type": "bubble", "body": box(text(), image())})
    bubble = stage.page.locator(".fx-bubble")
    assert (style(bubble, "backgroundColor"), style(bubble, "color")) == ("rgb(255, 255, 255)", "rgb(17, 17, 17)")
    placeholder = style(bubble.get_by_role("img"), "backgroundImage")
    assert placeholder == "linear-gradient(135deg, rgb(227, 232, 238), rgb(207, 215, 224))"
    assert style(stage.page.locator("body"), "backgroundColor") == "rgb(16, 18, 20)"


def test_a_carousel_scrolls_by_keys_and_by_its_arrows(stage: Stage) -> None:
    bubbles = [{"type": "bubble", "body": box(text(f"line {number}\n" * number, wrap=True))} for number in range(1, 16)]
    stage.flex({"type": "carousel", "contents": bubbles})
    track = stage.page.get_by_role("group", name="What it says")
    places = boxes(track)
    assert len(places) == 12
    assert places[1][0] - places[0][0] == 309
    assert len({place[3] for place in places}) == 1
    assert track.get_attribute("tabindex") == "0"
    track.focus()
    stage.page.keyboard.press("ArrowRight")
    stage.until("document.querySelector('.slider-track').scrollLeft > 0")
    before = track.evaluate("(track) => track.scrollLeft")
    stage.page.get_by_text("›").click()
    stage.until(f"document.querySelector('.slider-track').scrollLeft > {before} + 200")


def test_a_carousel_that_fits_is_no_stop_for_the_tab_key(stage: Stage) -> None:
    stage.flex({"type": "carousel", "contents": [{"type": "bubble", "size": "nano", "body": box(text())}] * 2})
    assert stage.page.locator(".slider-track").get_attribute("tabindex") is None
    assert not stage.page.get_by_text("›").is_visible()


# Boxes of Flex


def test_across_components_share_the_width_by_their_flex(stage: Stage) -> None:
    words = text("a rather long text that does not count")
    row = stage.body({**words, "flex": 2}, {**words, "flex": 3}, layout="horizontal")
    assert [place[2] for place in boxes(row)] == [120, 180]
    row = stage.body(box(width="60px", height="20px"), words, text("x", flex=3), layout="horizontal")
    assert [place[2] for place in boxes(row)] == [60, 60, 180]
    row = stage.body(box(box(width="45px"), flex=0), text(), {"type": "filler"}, layout="horizontal")
    assert [place[2] for place in boxes(row)] == [45, 127.5, 127.5]


def test_downwards_components_share_what_height_is_left(stage: Stage) -> None:
    column = stage.body(box(height="40px"), box(flex=1), box(flex=3), {"type": "filler"}, height="240px")
    assert [place[3] for place in boxes(column)] == [40, 40, 120, 40]
    column = stage.body(box(height="40px"), box(height="10px"), height="240px")
    assert [place[3] for place in boxes(column)] == [40, 10]


@pytest.mark.parametrize(
    ("keyword", "pixels"),
    [("none", 0), ("xs", 2), ("sm", 4), ("md", 8), ("lg", 12), ("xl", 16), ("xxl", 20), ("7.5px", 7.5)],
)
def test_spacing_margin_and_padding_have_line_s_measures(stage: Stage, keyword: str, pixels: float) -> None:
    column = stage.body(box(height="10px"), box(height="10px"), box(height="10px", margin="30px"), spacing=keyword)
    assert [place[1] for place in boxes(column)] == [0, 10 + pixels, 50 + pixels]
    row = stage.body(box(width="10px", margin=keyword), box(width="10px", margin=keyword), layout="horizontal")
    assert [place[0] for place in boxes(row)] == [pixels, 10 + 2 * pixels]
    column = stage.body(box(box(height="10px"), paddingAll=keyword, paddingTop="3px", height="90px"))
    assert boxes(column.locator("> *"))[0] == (pixels, 3, 300 - 2 * pixels, 10)


def test_fillers_ignore_the_spacing(stage: Stage) -> None:
    row = stage.body(box(width="10px"), {"type": "filler"}, box(width="10px"), layout="horizontal", spacing="20px")
    assert [place[0] for place in boxes(row)] == [0, 10, 290]


def test_boxes_have_sizes_in_pixels_and_per_cent(stage: Stage) -> None:
    column = stage.body(
        box(width="50%", height="20px"), box(width="500px", maxWidth="120px", height="90px", maxHeight="30px")
    )
    assert [place[2:] for place in boxes(column)] == [(150, 20), (120, 30)]


def test_a_box_has_ground_border_and_corners(stage: Stage) -> None:
    stage.body(
        box(
            height="9px", backgroundColor="#11223380", borderWidth="semi-bold", borderColor="#ff0000", cornerRadius="lg"
        )
    )
    found = stage.page.locator(".fx-body > .fx-box > .fx-box")
    assert (style(found, "border"), style(found, "borderRadius")) == ("3px solid rgb(255, 0, 0)", "12px")
    assert style(found, "backgroundColor") == "rgba(17, 34, 51, 0.5)"


def test_a_gradient_may_have_a_centre(stage: Stage) -> None:
    gradient = {"type": "linearGradient", "angle": "90deg", "startColor": "#ff0000", "endColor": "#0000ff"}
    body = stage.body(background=gradient, height="9px")
    assert style(body, "backgroundImage") == "linear-gradient(90deg, rgb(255, 0, 0), rgb(0, 0, 255))"
    body = stage.body(background={**gradient, "centerColor": "#00ff00", "centerPosition": "10%"}, height="9px")
    assert (
        style(body, "backgroundImage") == "linear-gradient(90deg, rgb(255, 0, 0), rgb(0, 255, 0) 10%, rgb(0, 0, 255))"
    )


def test_children_are_placed_in_the_room_that_is_left(stage: Stage) -> None:
    small = box(width="20px", height="20px")
    row = stage.body(
        small, small, layout="horizontal", justifyContent="space-between", alignItems="center", height="100px"
    )
    assert [place[:2] for place in boxes(row)] == [(0, 40), (280, 40)]
    column = stage.body(small, small, justifyContent="flex-end", alignItems="flex-end", height="100px")
    assert [place[:2] for place in boxes(column)] == [(280, 60), (280, 80)]


def test_offsets_move_from_the_own_place_or_from_the_parent_s_edges(stage: Stage) -> None:
    column = stage.body(box(height="10px"), box(height="10px", offsetTop="5px", offsetStart="-7px"), height="100px")
    assert boxes(column)[1] == (-7, 15, 300, 10)
    there = box(position="absolute", offsetBottom="10%", offsetEnd="20px", width="30px", height="30px", margin="9px")
    column = stage.body(box(height="10px"), there, box(height="10px"), height="100px", spacing="md")
    assert boxes(column) == [(0, 0, 300, 10), (250, 60, 30, 30), (0, 18, 300, 10)]


# Texts, buttons and images of Flex


@pytest.mark.parametrize(
    ("size", "pixels"),
    [
        ("xxs", 11),
        ("xs", 13),
        ("sm", 14),
        ("md", 16),
        ("lg", 19),
        ("xl", 22),
        ("xxl", 29),
        ("3xl", 35),
        ("4xl", 48),
        ("5xl", 74),
        ("21px", 21),
    ],
)
def test_texts_spans_and_icons_have_line_s_sizes(stage: Stage, size: str, pixels: int) -> None:
    icon = {"type": "icon", "url": SOMEWHERE, "size": size, "aspectRatio": "2:1"}
    words = {"type": "text", "contents": [{"type": "span", "text": "a", "size": size}], "flex": 0}
    body = stage.body(text("a", size=size), box(icon, words, layout="baseline"))
    assert style(body.locator("p").first, "fontSize") == f"{pixels}px"
    assert style(body.locator("p span"), "fontSize") == f"{pixels}px"
    assert boxes(body.locator(".fx-icon"))[0][2:] == (2 * pixels, pixels)


def test_letters_have_weight_style_decoration_and_colour(stage: Stage) -> None:
    looks = {"weight": "bold", "style": "italic", "decoration": "line-through", "color": "#ff0000"}
    plain = {"weight": "regular", "style": "normal", "color": "#0000ff"}
    body = stage.body(
        {"type": "text", **looks, "contents": [{"type": "span", "text": "a"}, {"type": "span", "text": "b", **plain}]}
    )
    first, second = body.locator("p span").all()
    names = ("fontWeight", "fontStyle", "color")
    assert [style(first, name) for name in names] == ["700", "italic", "rgb(255, 0, 0)"]
    assert [style(second, name) for name in names] == ["400", "normal", "rgb(0, 0, 255)"]
    assert style(body.locator(".fx-text"), "textDecorationLine") == "line-through"


def test_a_text_is_one_line_until_it_may_wrap(stage: Stage) -> None:
    words = "one\ntwo three " + "four " * 30
    one, wrapped, three, spaced = boxes(
        stage.body(
            text(words),
            text(words, wrap=True),
            text(words, wrap=True, maxLines=3),
            text("a\nb", wrap=True, lineSpacing="10px"),
        )
    )
    assert one[3] == pytest.approx(22.4, abs=0.2)
    assert wrapped[3] > 4 * one[3]
    assert three[3] == pytest.approx(3 * one[3], abs=0.5)
    # Room between the two lines, none before and after.
    assert spaced[3] == pytest.approx(2 * one[3] + 10, abs=0.5)


def test_code_keeps_its_spaces_and_lines(stage: Stage) -> None:
    stage.flex(code_bubble("if x:\n    y()"))
    assert stage.page.locator(".fx-text").inner_text() == "if x:\n    y()"


def test_a_text_may_shrink_to_fit(stage: Stage) -> None:
    body = stage.body(text("a text that is too long for its box", adjustMode="shrink-to-fit", size="xxl"))
    stage.until("document.querySelector('.fx-text p').style.fontSize !== ''")
    assert body.locator("p").evaluate("(line) => line.scrollWidth <= line.clientWidth + 2")


def test_texts_and_images_are_aligned_both_ways(stage: Stage) -> None:
    row = stage.body(
        text("a", gravity="bottom", align="end"),
        image(size="20px", gravity="center", align="end"),
        layout="horizontal",
        height="100px",
    )
    ((_, top, _, height),) = boxes(row.locator(".fx-text"))
    assert (top + height, style(row.locator("p"), "textAlign")) == (100, "end")
    assert boxes(row.locator(".fx-image")) == [(130, 40, 20, 20)]


def test_in_a_baseline_box_letters_stand_on_one_line(stage: Stage) -> None:
    body = stage.body(text("a", size="5xl", flex=0), text("a", size="xs", flex=0, gravity="top"), layout="baseline")
    large, small = boxes(body)
    assert small[1] > large[3] / 2


@pytest.mark.parametrize(
    ("size", "width"),
    [
        (None, 100),
        ("xxs", 40),
        ("xs", 60),
        ("sm", 80),
        ("md", 100),
        ("lg", 120),
        ("xl", 140),
        ("xxl", 160),
        ("3xl", 180),
        ("4xl", 200),
        ("5xl", 220),
        ("full", 300),
        ("50%", 150),
        ("33px", 33),
    ],
)
def test_an_image_has_a_width_and_keeps_its_ratio(stage: Stage, size: str | None, width: int) -> None:
    body = stage.body(image(aspectRatio="2:1", **({"size": size} if size else {})))
    assert boxes(body.locator(".fx-image"))[0][2:] == (width, width / 2)


def test_an_image_has_a_text_for_those_who_do_not_see_it(stage: Stage) -> None:
    stage.body(image(), image(action=says("Look")), image(action={"type": "message", "text": "x"}), layout="horizontal")
    assert stage.page.get_by_role("img", name="Image from images.example.com").count() == 3
    assert stage.press("Look") == [["say", "Look"]]
    assert stage.press("images.example.com") == [["say", "x"]]


def test_nothing_of_a_bubble_is_loaded(stage: Stage) -> None:
    asked: list[str] = []
    stage.page.on("request", lambda request: asked.append(request.url))
    video = {"type": "video", "url": SOMEWHERE, "previewUrl": SOMEWHERE, "altContent": image()}
    icon = {"type": "icon", "url": SOMEWHERE}
    bubble = {"type": "bubble", "hero": video, "body": box(image(animated=True), box(icon, layout="baseline"))}
    stage.flex(bubble)
    stage.page.wait_for_load_state("networkidle")
    assert asked == []
    names = [one.get_attribute("aria-label") for one in stage.page.get_by_role("img").all()]
    assert names == [f"{kind} from images.example.com" for kind in ("Video", "Animation", "Icon")]


def test_buttons_have_line_s_styles_and_heights(stage: Stage) -> None:
    styles = [
        {"style": "primary"},
        {"style": "secondary", "height": "sm"},
        {},
        {"style": "primary", "color": "#905c44"},
    ]
    body = stage.body(*[button(says(f"b{number}"), **look) for number, look in enumerate(styles)])
    assert [place[3] for place in boxes(body)] == [52, 40, 52, 52]
    drawn = body.get_by_role("button").all()
    grounds = [style(one, "backgroundColor") for one in drawn]
    assert grounds == ["rgb(23, 201, 80)", "rgb(220, 223, 229)", "rgba(0, 0, 0, 0)", "rgb(144, 92, 68)"]
    assert [style(one, "color") for one in drawn] == [
        "rgb(255, 255, 255)",
        "rgb(17, 17, 17)",
        "rgb(66, 101, 154)",
        "rgb(255, 255, 255)",
    ]


def test_a_button_in_a_box_with_an_action_keeps_its_own(stage: Stage) -> None:
    inner = box(text("deep"), height="30px", action=says("box in box"))
    body = box(button(says("button")), inner, box(height="50px"), action=says("outer box"))
    stage.flex({"type": "bubble", "body": body, "footer": box(height="40px"), "action": says("bubble")})
    for name in ("button", "box in box", "outer box", "bubble"):
        place = stage.page.get_by_role("button", name=name, exact=True)
        # Where nothing lies above it, near its lower edge.
        height = place.bounding_box()["height"]
        place.click(position={"x": 30, "y": height - 6})
        assert stage.calls == [["say", name]]


def test_boxes_with_actions_can_be_used_by_keys(stage: Stage) -> None:
    stage.open()
    stage.flex({"type": "bubble", "body": box(text("Read me"), action={"type": "message", "text": "x"})})
    stage.page.keyboard.press("Tab")
    assert stage.page.evaluate("document.activeElement.ariaLabel") == "Read me"
    stage.page.keyboard.press("Enter")
    assert stage.calls == [["say", "x"]]


# What a bot should not send


EVIL = (
    "red",
    "red;background:url(https://e.example)",
    "url(https://e.example)",
    "#12345",
    "#1234567",
    "var(--accent)",
    "rgb(1,2,3)",
    5,
    None,
    ["#ff0000"],
    "#ff0000 ",
)


@pytest.mark.parametrize("value", EVIL)
def test_colours_of_any_other_form_are_none(stage: Stage, value: Any) -> None:
    gradient = {"type": "linearGradient", "angle": "0deg", "startColor": value, "endColor": "#000000"}
    stage.body(
        text("a", color=value),
        box(backgroundColor=value, borderWidth="1px", borderColor=value, height="9px", background=gradient),
    )
    found = stage.page.locator(".fx-body > .fx-box > .fx-box")
    assert style(stage.page.locator("p"), "color") == "rgb(17, 17, 17)"
    assert [style(found, name) for name in ("backgroundColor", "backgroundImage", "borderTopColor")] == [
        "rgba(0, 0, 0, 0)",
        "none",
        "rgba(0, 0, 0, 0)",
    ]


@pytest.mark.parametrize(
    "value",
    ["calc(1px)", "1e9px", "-5px", "5", "5vw", "5px;top:0", "5px 5px", 5, "", " 5px", "constructor", "__proto__", {}],
)
def test_lengths_of_any_other_form_are_none(stage: Stage, value: Any) -> None:
    names = ("width", "height", "maxWidth", "cornerRadius", "paddingAll", "margin", "spacing", "borderWidth")
    stage.body(box(text("a", size=value, margin=value), **dict.fromkeys(names, value)))
    assert boxes(stage.page.locator(".fx-body > .fx-box")) == [(0, 0, 300, 22.4)]


def test_numbers_are_bounded(stage: Stage) -> None:
    row = stage.body(
        text("a", flex=10**9), text("b", flex=1000), text("c", flex=-5), text("d", flex="9"), layout="horizontal"
    )
    widths = [place[2] for place in boxes(row)]
    assert (widths[0], widths[2]) == (widths[1], widths[3])
    body = stage.body(
        box(height="99999px"), text("a", size="9999px"), image(aspectRatio="1:99999"), image(aspectRatio="0:1")
    )
    heights = [place[3] for place in boxes(body)]
    assert heights == [2000, 420, 300, 100]


@pytest.mark.parametrize("offset", ["-99999px", "99999%"])
def test_nothing_leaves_its_bubble(stage: Stage, offset: str) -> None:
    stage.body(
        box(text("a"), position="absolute", offsetTop=offset, offsetStart=offset, width="300%", height="900px"),
        height="50px",
    )
    assert stage.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        800,
        700,
    ]
    assert style(stage.page.locator(".fx-bubble"), "overflow") == "hidden"


def test_what_is_nested_too_deep_is_not_drawn(stage: Stage) -> None:
    nested: JSON = text("the innermost")
    for _ in range(40):
        nested = box(nested)
    stage.flex({"type": "bubble", "body": nested})
    assert stage.page.locator(".fx-box").count() == 20
    assert stage.page.locator(".fx-bubble").inner_text() == "Nested too deep"


def test_a_component_that_line_does_not_know_is_named(stage: Stage) -> None:
    body = stage.body(
        text("before"), {"type": "hologram", "contents": [text("in it")]}, {"type": "toString"}, text("after")
    )
    assert body.inner_text().split() == ["before", "hologram", "toString", "after"]


# What botkit itself sends


def test_the_columns_of_a_table_stand_below_each_other(stage: Stage) -> None:
    stage.flex(table_contents(["Room", "Price"], [["梅の間", "¥18,000"], ["松の間 (garden)", "¥24,000"]]))
    rows = stage.page.locator(".fx-body .fx-horizontal").all()
    columns = [[place[0] for place in boxes(row)] for row in rows]
    assert len(columns) == 3
    assert columns[0] == columns[1] == columns[2]
    assert stage.page.get_by_role("separator").count() == 2
    assert style(rows[0].locator("p").first, "fontWeight") == "700"
