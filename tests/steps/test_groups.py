"""How the bot is called in a group, and what is left of the text when that is cut out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from botkit.line.events import parse_event
from botkit.line.text import graphemes
from botkit.messages import Mention
from botkit.simulator.wire import Mentionee, compact, mention
from botkit.steps.groups import Groups, cut_mentions

# Whole user-perceived characters: of one code point and of many, within the basic plane and beyond.
CHARACTERS = ["a", "B", " ", "\n", "@", "、", "あ", "𠮷", "🌸", "👍🏽", "👨‍👩‍👧", "🇯🇵", "☕️", "e\u0301", "ｶﾞ", "กำ"]
WORDS = st.lists(st.sampled_from(CHARACTERS), max_size=8).map("".join)
NAMES = ["kind", "コンシェルジュ", "花🌸", "👩‍🍳シェフ"]


def self_mention(start: int, end: int) -> Mention:
    return Mention(start, end, "Ubot", is_self=True)


@given(st.lists(st.tuples(WORDS, st.sampled_from(NAMES), st.booleans()), max_size=6), WORDS)
def test_exactly_the_bots_mentions_are_cut_out_and_the_white_space_around(
    mentioned: list[tuple[str, str, bool]], rest: str
) -> None:
    text, left, mentions = "", "", []
    for before, name, is_self in mentioned:
        text, left = text + before, left + before
        mentions.append(Mention(len(text), len(text) + len(name) + 1, "U1", is_self))
        text += f"@{name}"
        left += "" if is_self else f"@{name}"
    text, left = text + rest, left + rest
    assert cut_mentions(text, mentions) == (left.strip() or text)


PLACES = st.integers(-3, 60)


@given(
    st.lists(st.sampled_from(CHARACTERS), max_size=30).map("".join),
    st.lists(st.builds(Mention, PLACES, PLACES, st.none(), st.booleans()), max_size=20),
)
def test_no_character_is_halved_wherever_mentions_claim_to_be(text: str, mentions: list[Mention]) -> None:
    left = list(graphemes(cut_mentions(text, mentions)))
    of_text = iter(graphemes(text))
    assert all(one in of_text for one in left)  # the same characters, in the same order
    cut_mentions(text, mentions).encode("utf-8")  # no half of a surrogate pair


@given(WORDS, st.sampled_from(NAMES), WORDS)
def test_the_places_that_line_gives_in_utf_16_are_those_of_the_text(before: str, name: str, after: str) -> None:
    text = f"{before}🌸@{name} {after}"
    text, marks = mention(text, [Mentionee(name, {"type": "user", "userId": "Ubot", "isSelf": True})])
    event = parse_event(
        compact({"type": "message", "message": {"type": "text", "text": text, "mention": marks}}).decode()
    )
    where = text.index(f"@{name}")
    expected = (text[:where] + text[where + 1 + len(name) :]).strip()
    assert cut_mentions(event.text or "", event.mentions) == expected


OFF_THE_TEXT: list[tuple[str, list[Mention], str]] = [
    ("@kind", [self_mention(0, 5)], "@kind"),
    (" @kind @kind ", [self_mention(1, 6), self_mention(7, 12)], " @kind @kind "),
    ("@kind hi", [self_mention(0, 5), self_mention(0, 5)], "hi"),
    ("@kind hi", [self_mention(2, 5), self_mention(0, 4)], "hi"),
    ("@kind hi", [self_mention(0, 5), self_mention(1, 3)], "hi"),
    ("hi @kind", [self_mention(3, 99)], "hi"),
    ("hi", [self_mention(50, 60)], "hi"),
    ("hi", [self_mention(-9, 0)], "hi"),
    ("hi there", [self_mention(5, 2)], "hi there"),
    ("👨‍👩‍👧 hi", [self_mention(0, 1)], "hi"),
    ("", [self_mention(0, 1)], ""),
    ("@Ken and @all", [Mention(0, 4, "U2", is_self=False), Mention(9, 13, None, is_self=False)], "@Ken and @all"),
]


@pytest.mark.parametrize(("text", "mentions", "expected"), OFF_THE_TEXT)
def test_mentions_may_overlap_lie_outside_or_be_all_there_is(text: str, mentions: list[Mention], expected: str) -> None:
    assert cut_mentions(text, mentions) == expected


ASKED = {
    "@concierge /reset": "/reset",
    "＠concierge /reset": "/reset",
    "＠ＣＯＮＣＩＥＲＧＥ　/reset": "/reset",
    " @ concierge,  when?": "when?",
    "@concierge: when?": "when?",
    "@concierge、何時？": "何時？",
    "@concierge. When?": "When?",
    "@concierge -5 degrees": "-5 degrees",
    "@Concierge\nwhen?": "when?",
    "@コンシェルジュ リセット": "リセット",
    "@ｺﾝｼｪﾙｼﾞｭ！ 何時？": "何時？",
    "@STRASSE when?": "when?",
    "@straße when?": "when?",
    "@night desk when?": "when?",
    "@night\u3000desk when?": "when?",
    "@concierge": "@concierge",  # nothing would be left
    "@concierge!": "@concierge!",
    "concierge /reset": "concierge /reset",  # a bare name is part of what is said
    "@concierges are kind": "@concierges are kind",
    "@concierge.example.com": "@concierge.example.com",
    "@コンシェルジュさん、何時？": "@コンシェルジュさん、何時？",  # the name runs on
    "tell me @concierge": "tell me @concierge",
    "@Ken hi": "@Ken hi",
    "@all hi": "@all hi",
    "": "",
}


@pytest.mark.parametrize(("text", "expected"), ASKED.items())
def test_a_name_after_an_at_sign_at_the_start_is_cut_off(text: str, expected: str) -> None:
    groups = Groups(names=("con", "Concierge", "コンシェルジュ", "Straße", "night desk", "@nightdesk"))
    assert groups.asked(text) == expected


def test_a_real_mention_and_a_typed_name_are_both_cut_off() -> None:
    groups = Groups(names=("concierge",))
    assert groups.asked("@Inn @concierge /reset", [self_mention(0, 4)]) == "/reset"


@given(WORDS)
def test_without_names_only_mentions_are_cut(text: str) -> None:
    assert Groups().asked(f"@x {text}") == f"@x {text}".strip()


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"names": ["@"]}, "is no name; write one such as concierge, the @ is understood"),
        ({"overhear": 101}, "less than or equal to 100"),
        ({"overhear": True}, "valid integer"),
        ({"keep_overheard": "soon"}, "is not a duration"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        Groups(**options)
