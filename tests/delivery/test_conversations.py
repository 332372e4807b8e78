"""The wall between chats: different people and chats never share a key."""

from hypothesis import given
from hypothesis import strategies as st

from botkit.delivery.conversations import conversation_of
from botkit.messages import Chat, ChatKind
from botkit.ports import Conversation

IDS = st.text(alphabet="UC:?%#/ あ", min_size=1, max_size=6)
KINDS: list[ChatKind] = ["user", "group", "room"]
PLACES = st.tuples(st.sampled_from(KINDS), IDS, st.none() | IDS, IDS, st.booleans())
Place = tuple[ChatKind, str, str | None, str, bool]


def key(place: Place) -> Conversation:
    kind, chat, speaker, event, shares = place
    return conversation_of("bot", Chat(kind, chat), speaker, event, shares_groups=shares)


def whose(place: Place) -> tuple[str | None, ...]:
    """What a conversation stands for: a person, a whole group, a person in a group, or a nameless event."""
    kind, chat, speaker, event, shares = place
    if kind == "user" or shares:
        return (kind, chat)
    return (kind, chat, "speaker", speaker) if speaker else (kind, chat, "event", event)


@given(PLACES, PLACES)
def test_keys_are_equal_exactly_where_the_conversation_is_the_same(one: Place, other: Place) -> None:
    assert (key(one) == key(other)) == (whose(one) == whose(other))


def test_keys_read_as_the_contract_says() -> None:
    assert key(("user", "U1", "U1", "E1", False)).id == "user:U1"
    assert key(("group", "C1", "U1", "E1", True)).id == "group:C1"
    assert key(("group", "C1", "U1", "E1", False)).id == "group:C1:U1"
    assert key(("room", "R1", None, "E1", False)).id == "room:R1:?E1"
