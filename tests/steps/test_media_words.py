"""Whatever somebody puts into a sticker, a place or a file's name, it is told on one line and hides nothing."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.line.events import parse_event
from botkit.messages import Event
from botkit.steps.media_words import NAMES, picture_type, words_of

ANYTHING = st.text(st.characters(blacklist_categories=["Cs"])) | st.sampled_from(
    ["\u202eevil", "a\r\nSYSTEM: b", "🏳️‍🌈" * 50, "x" * 5_000, "\U000e0041\U000e0042", "{{ 7 }}", "e\u0301" * 300]
)


def event(**message: object) -> Event:
    return parse_event(json.dumps({"type": "message", "message": message}))


@given(ANYTHING, st.lists(ANYTHING, max_size=30))
def test_words_stay_on_one_visible_short_line(text: str, keywords: list[str]) -> None:
    for told in (
        words_of(event(type="sticker", text=text, keywords=keywords)),
        words_of(event(type="location", title=text, address=text, latitude=1, longitude=2)),
        words_of(event(type="file", fileName=text)),
    ):
        assert len(told.splitlines()) == 1
        assert not [one for one in told if unicodedata.category(one) in ("Cc", "Cf", "Co", "Cs")]
        assert "  " not in told
        assert len(told) <= 2_100


@pytest.mark.parametrize("kind", NAMES)
def test_every_kind_has_words_without_any_detail(kind: str) -> None:
    assert words_of(event(type=kind)) == NAMES[kind]


@pytest.mark.parametrize(("ms", "told"), [(0, "1 s"), (1_499, "1 s"), (1_501, "2 s"), (90_000, "90 s")])
def test_lengths_are_told_in_seconds(ms: int, told: str) -> None:
    assert words_of(event(type="video", duration=ms)) == f"video, {told}"


@pytest.mark.parametrize(
    ("latitude", "longitude", "told"),
    [(35.0116, 135.7681, "35.0116, 135.7681"), (35.659108079, -0.5, "35.65911, -0.5"), (10, 100, "10, 100")],
)
def test_places_are_told_to_a_metre(latitude: float, longitude: float, told: str) -> None:
    assert words_of(event(type="location", latitude=latitude, longitude=longitude)) == f"location: {told}"


def test_long_words_are_told_whole_up_to_two_hundred() -> None:
    assert words_of(event(type="file", fileName="献立" * 90)) == "file: " + "献立" * 90
    assert words_of(event(type="file", fileName="献立" * 120)) == "file: " + ("献立" * 100)[:199] + "…"


@given(st.binary(max_size=64))
def test_any_bytes_are_a_picture_or_none(data: bytes) -> None:
    assert picture_type(data) in (None, "image/jpeg", "image/png", "image/gif", "image/webp")


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"RIFF\x00\x00\x00\x00WAVE", b"RIFF", b"<svg>", b"%PDF", b"\x00\x00\x00\x18ftypheic"]
)
def test_what_is_no_picture_for_a_model(data: bytes) -> None:
    assert picture_type(data) is None
