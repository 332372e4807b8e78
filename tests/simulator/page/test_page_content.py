"""What is said on the page besides plain words, in a real browser: media, Flex messages, and what means harm."""

import struct
import wave
import zlib
from io import BytesIO
from typing import Any

import pytest

from botkit.simulator.page.app import STATIC
from tests.simulator.page.pages import Visit, Visitor, expect, served_by
from tests.simulator.page.web import BOT
from tests.support.openai_server import OpenAIServer

MARKUP = """<img src=x onerror="document.title='owned'">"""
BACKWARDS = "\u202egnp.exe\u200f\u2067"
DROP = """(main, files) => {
    const dataTransfer = new DataTransfer();
    for (const [content, name, type] of files) {
        dataTransfer.items.add(new File([new Uint8Array(content)], name, { type }));
    }
    main.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""
"""Drops files: their bytes, or how many there are."""


def photo() -> dict[str, Any]:
    """A PNG of 2 × 2 pixels, as a file chosen."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header, rows = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0), zlib.compress(2 * (b"\0" + b"\x20\x80\x60" * 2))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return {"name": "room.png", "mimeType": "image/png", "buffer": data}


def sound() -> dict[str, Any]:
    """Two seconds of silence, as a file chosen."""
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(8000)
        out.writeframes(b"\x80" * 16_000)
    return {"name": "voice.wav", "mimeType": "audio/wav", "buffer": file.getvalue()}


# ---------------------------------------------------------------- more than text


def test_a_photo_is_shown_and_seen_by_the_bot(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.pick_files("Photo", photo())
    picture = me.mine.get_by_role("img", name="Image")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 2)
    me.expect_answers("Photos: 1, which I cannot see.")
    me.mine.get_by_role("button", name="Image").click()
    expect(me.page.get_by_role("dialog", name="Image")).to_be_visible()
    me.page.keyboard.press("Escape")
    expect(me.page.get_by_role("dialog")).to_have_count(0)


def test_a_voice_message_is_shown_with_its_length_and_written_down(visit: Visit, model: OpenAIServer) -> None:
    me = visit(environ=served_by(model))
    me.open("concierge")
    model.hear("夕食は何時ですか")
    me.press("Add")
    me.page.get_by_role("menuitem", name="Voice message").click()
    with me.page.expect_file_chooser() as chosen:
        me.press("Choose an audio file …")
    chosen.value.set_files([sound()])
    expect(me.mine.get_by_role("group", name="Audio, 0:02")).to_be_visible()
    me.expect_answers("夕食は何時ですか")


def test_a_sticker_and_a_place_are_shown_and_told_to_the_bot(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.choose("Stickers", "Thanks")
    expect(me.mine.get_by_role("img", name="Sticker: thanks")).to_be_visible()
    expect(me.theirs).to_contain_text("thanks")
    me.choose("Add", "Location")
    dialog = me.page.get_by_role("dialog", name="Location")
    dialog.get_by_label("Title").fill("由庵")
    dialog.get_by_label("Address").fill("京都市左京区1-2-3")
    dialog.get_by_role("button", name="Send").click()
    expect(me.mine.nth(1)).to_contain_text("由庵京都市左京区1-2-3")
    me.expect_answers("thanks", "由庵")


def test_a_file_is_shown_and_refused_by_the_bot(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.pick_files("File", {"name": "予約.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"})
    expect(me.mine.get_by_role("link", name="予約.pdf")).to_contain_text("8 B")
    me.expect_answers("Sorry, I cannot open that.")


def test_a_photo_is_dropped_into_the_chat_and_what_is_too_large_refused(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    files = [[10_000_001, "film.mkv", "video/x-matroska"], [list(photo()["buffer"]), "room.png", "image/png"]]
    me.page.get_by_role("main").evaluate(DROP, files)
    expect(me.page.get_by_text("film.mkv is larger than 10 MB, the most that is taken here.")).to_be_visible()
    me.expect_answers("Photos: 1")
    expect(me.mine).to_have_count(1)


def test_a_table_is_drawn_as_a_flex_message(visit: Visit, model: OpenAIServer) -> None:
    me = visit({"concierge": f"{BOT}reply: {{markdown: flex}}\n"}, served_by(model))
    me.open("concierge")
    model.say("空室です。\n\n| 部屋 | 料金 |\n|---|---|\n| 桜 | 12,000円 |\n| 楓 | 15,000円 |\n")
    me.say("空いている部屋は？")
    me.expect_answers("空室です。", "桜")
    table = me.theirs.nth(1).locator(".fx-bubble")
    for cell in ("部屋", "料金", "桜", "12,000円", "楓", "15,000円"):
        expect(table.get_by_text(cell, exact=True)).to_be_visible()
    left, right = (table.get_by_text(cell, exact=True).bounding_box() for cell in ("桜", "12,000円"))
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] <= right["x"]
    assert abs(left["y"] - right["y"]) < 2
    me.picture("flex")


# ---------------------------------------------------------------- what means harm


@pytest.fixture
def intruded(visit: Visit, model: OpenAIServer) -> Visitor:
    """The page with a bot whose description is markup."""
    return visit({"concierge": f"description: '{MARKUP.replace(chr(39), chr(39) * 2)}'\n{BOT}"}, served_by(model))


def expect_harmless(me: Visitor) -> None:
    expect(me.page.locator("img[src='x']")).to_have_count(0)
    assert "owned" not in me.page.title()
    me.expect_no_sideways_scroll()


def test_a_description_is_no_markup(intruded: Visitor) -> None:
    expect(intruded.item("concierge")).to_contain_text(MARKUP)
    intruded.open("concierge")
    expect(
        intruded.page.get_by_role("main").get_by_role("banner").or_(intruded.page.locator("main header"))
    ).to_contain_text(MARKUP)
    expect_harmless(intruded)


def test_what_a_bot_and_a_person_say_is_no_markup_anywhere(intruded: Visitor, model: OpenAIServer) -> None:
    intruded.open("concierge")
    model.say(MARKUP)
    intruded.say(f"<script>document.title='owned'</script>{MARKUP}")
    intruded.expect_answers(MARKUP)
    expect(intruded.mine).to_contain_text(f"<script>document.title='owned'</script>{MARKUP}")
    expect(intruded.item("concierge")).to_contain_text(MARKUP)
    story = intruded.look_into(intruded.theirs)
    expect(story.locator(".trace-answer")).to_contain_text(MARKUP)
    expect_harmless(intruded)


def test_a_name_is_no_markup(intruded: Visitor) -> None:
    intruded.press("New person")
    dialog = intruded.page.get_by_role("dialog", name="New person")
    dialog.get_by_label("Name").fill("<i onclick=x>Mal\u202e")
    dialog.get_by_role("button", name="Add").click()
    me = intruded.chats.get_by_role("button", name="You are <i onclick=x>Mal")
    expect(me).to_be_visible()
    intruded.open("concierge")
    intruded.say("Who am I?")
    intruded.expect_answers("Who am I?")
    expect(intruded.page.locator("i[onclick]")).to_have_count(0)


def test_the_longest_text_and_marks_of_direction_stay_in_their_bubble(intruded: Visitor, model: OpenAIServer) -> None:
    intruded.open("concierge")
    longest = "W" * 4990 + BACKWARDS[:9]
    model.say(longest)
    intruded.say(BACKWARDS + "京" * 900)
    intruded.expect_answers("W" * 4990)
    for bubble in intruded.log.locator(".bubble").all():
        box = bubble.bounding_box()
        assert box is not None
        assert box["x"] > 320
        assert box["x"] + box["width"] < 1280
    expect(intruded.item("concierge")).to_be_in_viewport(ratio=1)
    expect_harmless(intruded)


# ---------------------------------------------------------------- the page's own files


def test_all_files_of_the_page_weigh_less_than_300_kilobytes() -> None:
    assert sum(path.stat().st_size for path in STATIC.iterdir()) < 300_000


def test_every_module_is_asked_for_at_once() -> None:
    index = (STATIC / "index.html").read_text("utf-8")
    scripts = {path.name for path in STATIC.glob("*.js") if f'<script src="/static/{path.name}">' not in index}
    preloaded = {line.split('"')[3].removeprefix("/static/") for line in index.splitlines() if "modulepreload" in line}
    assert preloaded == scripts - {"main.js"}
