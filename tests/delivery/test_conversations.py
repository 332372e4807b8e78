"""The wall between chats: different people and chats never share a key, here or in a store."""

from collections.abc import Callable
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from botkit.delivery.conversations import conversation_of
from botkit.messages import Chat, ChatKind
from botkit.ports import Conversation
from botkit.stores.dynamodb_items import conversation_pk, counter_key, event_key, index_key, message_key, pending_key
from botkit.stores.values import chat_key
from botkit.usage import chat_counter, user_counter

# Short ids of few characters, so that they meet often: with what separates the parts of keys, and what escapes it.
IDS = st.text(alphabet="UC:?%#/3A あ", min_size=1, max_size=6)
KINDS: list[ChatKind] = ["user", "group", "room"]
BOTS = st.sampled_from(["inn", "inn-2", "in"])
PLACES = st.tuples(BOTS, st.sampled_from(KINDS), IDS, st.none() | IDS, IDS, st.booleans())
Place = tuple[str, ChatKind, str, str | None, str, bool]


def key(place: Place) -> Conversation:
    bot, kind, chat, speaker, event, shares = place
    return conversation_of(bot, Chat(kind, chat), speaker, event, shares_groups=shares)


def whose(place: Place) -> tuple[str | None, ...]:
    """What a conversation stands for: a person, a whole group, a person in a group, or a nameless event."""
    bot, kind, chat, speaker, event, shares = place
    if kind == "user" or shares:
        return (bot, kind, chat)
    return (bot, kind, chat, "speaker", speaker) if speaker else (bot, kind, chat, "event", event)


@given(PLACES, PLACES)
@example(("inn", "group", "C", "U:3", "E", False), ("inn", "group", "C:U", "3", "E", False))
@example(("inn", "group", "C:U", None, "E", True), ("inn", "group", "C", "U", "E", False))
@example(("inn", "group", "C:U", None, "E", True), ("inn", "group", "C%3AU", None, "E", True))
@example(("inn", "group", "C", "?E", "E", False), ("inn", "group", "C", None, "E", False))
@example(("inn", "group", "U", None, "E", True), ("inn", "user", "U", "U", "E", True))
def test_keys_are_equal_exactly_where_the_conversation_is_the_same(one: Place, other: Place) -> None:
    assert (key(one) == key(other)) == (whose(one) == whose(other))


def test_keys_read_as_the_contract_says() -> None:
    assert key(("inn", "user", "U1", "U1", "E1", False)) == Conversation("inn", "user:U1")
    assert key(("inn", "group", "C1", "U1", "E1", True)).id == "group:C1"
    assert key(("inn", "group", "C1", "U1", "E1", False)).id == "group:C1:U1"
    assert key(("inn", "room", "R1", None, "E1", False)).id == "room:R1:?E1"


CHATS = st.builds(Chat, st.sampled_from(KINDS), IDS)
CONVERSATIONS = st.builds(Conversation, BOTS, IDS)
TIMES = st.integers(0, 3)
ITEMS: dict[Callable[..., Any], st.SearchStrategy[tuple[Any, ...]]] = {
    lambda one: {"pk": conversation_pk(one), "sk": "META"}: st.tuples(CONVERSATIONS),
    event_key: st.tuples(BOTS, IDS),
    pending_key: st.tuples(CONVERSATIONS, IDS, TIMES),
    message_key: st.tuples(CONVERSATIONS, IDS, TIMES, st.sampled_from([0, 1])),
    index_key: st.tuples(BOTS, CHATS, IDS),
    lambda bot, user, window: counter_key(bot, user_counter(user), window): st.tuples(BOTS, IDS, IDS),
    lambda bot, chat, window: counter_key(bot, chat_counter(chat), window): st.tuples(BOTS, CHATS, IDS),
}
STORED = st.one_of(*(st.tuples(st.just(number), arguments) for number, arguments in enumerate(ITEMS.values())))


@given(STORED, STORED)
def test_no_two_items_of_the_table_have_the_same_key(
    one: tuple[int, tuple[Any, ...]], other: tuple[int, tuple[Any, ...]]
) -> None:
    make = list(ITEMS)
    assert (make[one[0]](*one[1]) == make[other[0]](*other[1])) == (one == other)


@given(CHATS, CHATS)
def test_chats_are_told_apart_where_they_are_one_column(one: Chat, other: Chat) -> None:
    assert (chat_key(one) == chat_key(other)) == (one == other)
