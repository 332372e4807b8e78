from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.line.bodies import render
from botkit.line.text import utf16_length
from botkit.messages import SILENCE, QuickReply, Reply, Sender, Text
from botkit.simulator.rules import faults


def texts(reply: Reply) -> list[str]:
    return [message["text"] for message in render(reply)]


def labels(*quick_replies: QuickReply) -> list[tuple[str, str]]:
    (message,) = render(Reply((Text("hi"),), quick_replies))
    return [
        (item["action"]["label"], item["action"]["text"]) for item in message.get("quickReply", {}).get("items", ())
    ]


@pytest.mark.parametrize(
    "reply", [SILENCE, Reply((Text(""), Text(" \n\x00"))), Reply(quick_replies=(QuickReply("a", "b"),))]
)
def test_silence_is_no_message(reply: Reply) -> None:
    assert render(reply) == ()


def test_a_reply_with_everything() -> None:
    reply = Reply(
        (Text("From three.\r\n"), Text("See you!")),
        (QuickReply("Rooms", "Which rooms are free?"),),
        Sender("Yoshi", "https://example.com/yoshi.png"),
    )
    sender = {"name": "Yoshi", "iconUrl": "https://example.com/yoshi.png"}
    action = {"type": "message", "label": "Rooms", "text": "Which rooms are free?"}
    assert render(reply) == (
        {"type": "text", "text": "From three.", "sender": sender},
        {
            "type": "text",
            "text": "See you!",
            "quickReply": {"items": [{"type": "action", "action": action}]},
            "sender": sender,
        },
    )


def test_long_parts_are_split() -> None:
    assert texts(Reply((Text("a" * 7000), Text("b")))) == ["a" * 5000, "a" * 2000, "b"]


def test_more_than_five_messages_share_the_fifth() -> None:
    assert texts(Reply(tuple(map(Text, "abcdefg")))) == ["a", "b", "c", "d", "e\n\nf\n\ng"]


def test_what_exceeds_five_messages_is_cut() -> None:
    said = texts(Reply((Text("a" * 26_000), Text("b"))))
    assert [utf16_length(text) for text in said] == [5000] * 5
    assert said[-1] == "a" * 4999 + "…"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (QuickReply("Check-in\ntimes ", "Check-in\ntimes"), ("Check-in times", "Check-in\ntimes")),
        (QuickReply("x" * 30, "y" * 400), ("x" * 19 + "…", "y" * 299 + "…")),
        (QuickReply("🍎" * 11, "a"), ("🍎" * 9 + "…", "a")),
    ],
)
def test_quick_replies_fit_their_buttons(given: QuickReply, shown: tuple[str, str]) -> None:
    assert labels(given) == [shown]


def test_at_most_thirteen_quick_replies_and_no_blank_one() -> None:
    given = [QuickReply(str(number), str(number)) for number in range(20)]
    assert labels(QuickReply(" ", "x"), QuickReply("x", "\x00"), *given) == [(str(n), str(n)) for n in range(13)]


def test_a_message_without_quick_replies_or_sender_says_nothing_of_them() -> None:
    reply = Reply((Text("hi"),), (QuickReply("", ""),), Sender("", None))
    assert render(reply) == ({"type": "text", "text": "hi"},)


def test_a_sender_may_have_a_name_alone() -> None:
    (message,) = render(Reply((Text("hi"),), sender=Sender("The concierge of Yoshi-an")))
    assert message["sender"] == {"name": "The concierge of Yo…"}


strings: st.SearchStrategy[Any] = st.text(st.characters(exclude_categories=()), max_size=40) | st.sampled_from(
    ["x" * 9000, "🍎 " * 4000, "\u0301" * 400]
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(strings, max_size=7),
    st.lists(st.builds(QuickReply, strings, strings), max_size=15),
    st.none() | st.builds(Sender, strings),
)
def test_whatever_a_bot_says_line_takes_it(
    said: list[str], quick_replies: list[QuickReply], sender: Sender | None
) -> None:
    messages = list(render(Reply(tuple(map(Text, said)), tuple(quick_replies), sender)))
    assert not messages or faults(messages) == []
