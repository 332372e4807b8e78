from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.line.bodies import render
from botkit.line.text import utf16_length
from botkit.messages import SILENCE, Flex, Part, QuickReply, Reply, Sender, Sticker, Text
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


STICKER = Sticker("446", "1988")


def bubble(text: str = "x") -> dict[str, Any]:
    return {
        "type": "bubble",
        "body": {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": text}]},
    }


def kinds(*parts: Part) -> list[str]:
    """The messages of a reply in short: texts as they are, others by their type."""
    return [message.get("text", message["type"]) for message in render(Reply(parts))]


def test_stickers_and_flex_are_messages_of_their_own() -> None:
    assert render(Reply((STICKER, Flex("a menu\x00", bubble())))) == (
        {"type": "sticker", "packageId": "446", "stickerId": "1988"},
        {"type": "flex", "altText": "a menu", "contents": bubble()},
    )


def test_the_first_text_or_sticker_carries_the_quote() -> None:
    parts = (Flex("a menu", bubble()), STICKER, Text("hi"))
    assert [message.get("quoteToken") for message in render(Reply(parts, quote="q"))] == [None, "q", None]
    assert [message.get("quoteToken") for message in render(Reply(parts[2:] * 2, quote="q"))] == ["q", None]
    assert render(Reply(quote="q")) == ()


def test_quick_replies_and_sender_go_on_whatever_comes_last() -> None:
    (message,) = render(Reply((STICKER,), (QuickReply("a", "b"),), Sender("Yoshi")))
    assert (len(message["quickReply"]["items"]), message["sender"]) == (1, {"name": "Yoshi"})


@pytest.mark.parametrize(
    "contents",
    [
        bubble("語" * 10_000),
        {"type": "carousel", "contents": [bubble("x" * 20_000)] * 3},
        {"type": "carousel", "contents": [bubble()] * 13},
        {"type": "carousel", "contents": []},
    ],
)
def test_flex_that_line_would_refuse_is_said_in_words(contents: dict[str, Any]) -> None:
    assert kinds(Flex("in words", contents)) == ["in words"]


def test_an_alt_text_is_neither_long_nor_blank() -> None:
    long, blank = render(Reply((Flex("🍎" * 800, bubble()), Flex(" ", bubble()))))
    assert (utf16_length(long["altText"]), blank["altText"]) == (1499, "…")


FLEX = Flex("words", bubble())
LONG = Text("a" * 4990)


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ((FLEX, *map(Text, "abcde")), ["flex", "a", "b", "c", "d\n\ne"]),
        ((*map(Text, "ab"), FLEX, STICKER, Text("c"), FLEX), ["a\n\nb", "flex", "sticker", "c", "flex"]),
        ((STICKER, Text("a"), FLEX, Text("b"), FLEX, STICKER), ["sticker", "a", "flex", "b", "flex"]),
        ((Text("a"), FLEX, Text("b"), FLEX, Text("c"), FLEX), ["a", "flex", "b", "flex", "c\n\nwords"]),
        ((LONG, LONG, LONG, LONG, LONG, STICKER), ["a" * 4990] * 5),
        ((LONG, LONG, LONG, LONG, LONG, FLEX), ["a" * 4990] * 4 + ["a" * 4990 + "\n\nwords"]),
        ((LONG, LONG, LONG, LONG, LONG, Text("b" * 9)), ["a" * 4990] * 4 + ["a" * 4990 + "\n\n" + "b" * 7 + "…"]),
    ],
)
def test_what_is_too_much_for_five_messages_goes_the_way_of_least_loss(
    parts: tuple[Part, ...], shown: list[str]
) -> None:
    assert kinds(*parts) == shown


def test_stretches_stay_whole_also_where_the_text_is_cleaned() -> None:
    prose, code = "p\x00 " * 700, "\n" + "c\x00\u202e d\n" * 1000
    reply = Reply((Text(prose + code, whole=((len(prose), len(prose + code)),)),))
    assert texts(reply) == [("p " * 700).strip(), ("c d\n" * 1000).strip()]


def test_fenced_code_stays_whole_in_markdown_shown_as_it_is() -> None:
    prose, code = "word. " * 400, "```py\n" + "x = 1\n" * 700 + "```"
    assert texts(Reply((Text(f"{prose}\n{code}", markdown=True),))) == [prose.strip(), code]
    assert texts(Reply((Text(f"{prose}\n{code}"),)))[0] != prose.strip()


def test_a_text_in_which_nothing_can_be_seen_is_not_said() -> None:
    assert render(Reply((Text("\u200b\u2060\ufeff \n\u3164"), Text("\u202e\U000e0041")))) == ()


strings: st.SearchStrategy[Any] = st.text(st.characters(exclude_categories=()), max_size=40) | st.sampled_from(
    ["x" * 9000, "🍎 " * 4000, "\u0301" * 400]
)


parts: st.SearchStrategy[Part] = (
    st.builds(Text, strings, st.booleans())
    | st.just(STICKER)
    | st.builds(Flex, strings, st.sampled_from([bubble(), bubble("x" * 40_000)]))
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(parts, max_size=9),
    st.lists(st.builds(QuickReply, strings, strings), max_size=15),
    st.none() | st.builds(Sender, strings),
    st.none() | st.just("q"),
)
def test_whatever_a_bot_says_line_takes_it(
    said: list[Part], quick_replies: list[QuickReply], sender: Sender | None, quote: str | None
) -> None:
    messages = list(render(Reply(tuple(said), tuple(quick_replies), sender, quote)))
    assert not messages or faults(messages) == []
