import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.errors import RequestError
from botkit.line.events import Webhook, parse_event, parse_webhook
from botkit.messages import Chat, Event, Location, Mention
from tests.line.facts import load, webhook_bodies

TEXT: dict[str, Any] = {
    "type": "message",
    "message": {"type": "text", "id": "444573844083572737", "quoteToken": "q1", "text": "何時から？"},
    "webhookEventId": "01FZ74A0TDDPYRVKNK77XKC3ZR",
    "deliveryContext": {"isRedelivery": False},
    "timestamp": 1462629479859,
    "source": {"type": "group", "groupId": "C1", "userId": "U1"},
    "replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA",
    "mode": "active",
}


def webhook(*events: object) -> bytes:
    return json.dumps({"destination": "Ubot", "events": events}).encode()


def parsed(**changes: object) -> Event:
    """TEXT as an Event, with some keys changed, or left out where None."""
    event = {key: value for key, value in {**TEXT, **changes}.items() if value is not None}
    (only,) = parse_webhook(webhook(event)).events
    return only


def parsed_message(**message: object) -> Event:
    return parsed(message={**TEXT["message"], **message})


# ---------------------------------------------------------------- what LINE sends


@pytest.mark.parametrize("path", webhook_bodies())
def test_every_recorded_webhook_is_read_whole(path: Path) -> None:
    recorded = load(path)
    webhook = parse_webhook(path.read_bytes())
    assert webhook.destination == recorded["destination"]
    assert len(webhook.events) == len(recorded["events"])
    for event, raw in zip(webhook.events, recorded["events"], strict=True):
        assert (event.id, event.type, event.at) == (raw["webhookEventId"], raw["type"], raw["timestamp"])
        assert event.reply_token == raw.get("replyToken")
        assert event.redelivered == raw["deliveryContext"]["isRedelivery"]
        assert json.loads(event.body) == raw
        message = raw.get("message", {})
        assert event.message_id == (message.get("id") or raw.get("unsend", {}).get("messageId"))
        assert event.text == (message["text"] if message.get("type") == "text" else None)
        source = raw.get("source", {})
        chat_id = source.get("groupId") or source.get("roomId") or source.get("userId")
        assert event.chat == (
            Chat(source["type"], chat_id) if source.get("type") in ("user", "group", "room") else None
        )
        assert parse_event(event.body) == event


def test_a_text_in_a_group() -> None:
    assert parsed() == Event(
        id="01FZ74A0TDDPYRVKNK77XKC3ZR",
        type="message",
        at=1462629479859,
        mode="active",
        chat=Chat("group", "C1"),
        user_id="U1",
        reply_token="nHuyWiB7yP5Zw52FIkcQobQuGDXCTA",
        redelivered=False,
        body=json.dumps(TEXT, ensure_ascii=False, separators=(",", ":")),
        message_id="444573844083572737",
        message_type="text",
        text="何時から？",
        quote_token="q1",
    )


def test_an_edited_message_is_read_like_a_message() -> None:
    event = parsed(type="messageEdited")
    assert (event.type, event.text, event.message_id) == ("messageEdited", "何時から？", "444573844083572737")


def test_a_sticker_quotes_and_can_be_quoted_but_has_no_text() -> None:
    event = parsed_message(type="sticker", quotedMessageId="111", text="on the sticker")
    assert (event.message_type, event.quote_token, event.quoted_message_id, event.text) == (
        "sticker",
        "q1",
        "111",
        None,
    )


# ---------------------------------------------------------------- what is not a text


def test_a_sticker_has_the_words_written_on_it_and_lines_keywords() -> None:
    event = parsed_message(type="sticker", text="See you!", keywords=["happy", "hello"])
    assert event.words == ("See you!", "happy", "hello")


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        (None, ()),
        ("happy", ()),
        ({"happy": 1}, ()),
        ([], ()),
        (["happy", 5, None, "", " ", ["x"], "hello"], ("happy", "hello")),
        (["x" * 500], ("x" * 100,)),
        ([f"k{n}" for n in range(50)], tuple(f"k{n}" for n in range(20))),
    ],
)
def test_keywords_may_be_anything(keywords: object, words: tuple[str, ...]) -> None:
    assert parsed_message(type="sticker", text=None, keywords=keywords).words == words


def test_only_a_sticker_has_words_and_only_a_location_a_place() -> None:
    event = parsed_message(keywords=["happy"], latitude=35.0, longitude=135.0)
    assert (event.words, event.location) == ((), None)


PLACE = {"type": "location", "title": "Inn", "address": "Kyoto", "latitude": 35.0116, "longitude": 135.7681}


def test_a_place() -> None:
    assert parsed_message(**PLACE).location == Location("Inn", "Kyoto", 35.0116, 135.7681)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"title": None, "address": 5}, Location("", "", 35.0116, 135.7681)),
        ({"title": "x" * 999, "address": "y" * 999}, Location("x" * 200, "y" * 200, 35.0116, 135.7681)),
        ({"latitude": 90, "longitude": -180}, Location("Inn", "Kyoto", 90.0, -180.0)),
        ({"latitude": 90.1}, None),
        ({"longitude": -181}, None),
        ({"longitude": 10**400}, None),
        ({"latitude": "35"}, None),
        ({"latitude": True}, None),
        ({"longitude": None}, None),
    ],
)
def test_a_place_is_on_earth(changes: dict[str, object], place: Location | None) -> None:
    assert parsed_message(**{**PLACE, **changes}).location == place


@pytest.mark.parametrize(
    ("name", "read"), [("menu.pdf", "menu.pdf"), ("x" * 999, "x" * 255), ("", None), (None, None), (["menu"], None)]
)
def test_a_file_has_a_name(name: object, read: str | None) -> None:
    assert parsed_message(type="file", fileName=name).file_name == read


@pytest.mark.parametrize(
    ("duration", "read"),
    [
        (0, 0),
        (12_300, 12_300),
        (86_400_000, 86_400_000),
        (86_400_001, None),
        (-1, None),
        (12.5, None),
        ("12300", None),
        (True, None),
        (None, None),
    ],
)
def test_a_voice_message_has_a_length(duration: object, read: int | None) -> None:
    assert parsed_message(type="audio", duration=duration).duration == read


@pytest.mark.parametrize(
    ("provider", "is_external"),
    [({"type": "external"}, True), ({"type": "line"}, False), ({"type": ["external"]}, False), ("external", False)],
)
def test_media_may_be_held_elsewhere(provider: object, is_external: bool) -> None:
    assert parsed_message(type="image", contentProvider=provider).is_external is is_external


def test_a_message_can_be_marked_as_read() -> None:
    assert parsed_message(markAsReadToken="r1").read_token == "r1"
    assert parsed_message(markAsReadToken=5).read_token is None


@pytest.mark.parametrize(
    ("joined", "members"),
    [
        ({"members": [{"type": "user", "userId": "U1"}, {"type": "user", "userId": "U2"}]}, ("U1", "U2")),
        ({"members": [{"userId": "U1"}, {"userId": "U1"}, {}, "U3", None, {"userId": 5}]}, ("U1",)),
        ({"members": [{"userId": "U" * 256}]}, ()),
        ({"members": [{"userId": f"U{n}"} for n in range(999)]}, tuple(f"U{n}" for n in range(500))),
        ({"members": {"userId": "U1"}}, ()),
        ("U1", ()),
        (None, ()),
    ],
)
def test_who_has_joined(joined: object, members: tuple[str, ...]) -> None:
    assert parsed(type="memberJoined", joined=joined).members == members


@pytest.mark.parametrize("follow", [{"isUnblocked": True}, {"isUnblocked": "true"}, {}, None, [True]])
def test_only_what_says_so_is_a_return(follow: object) -> None:
    assert parsed(type="follow", follow=follow).is_unblocked is (follow == {"isUnblocked": True})


def test_an_empty_text_is_a_text() -> None:
    assert parsed_message(text="").text == ""


@pytest.mark.parametrize(
    ("source", "chat", "user_id"),
    [
        ({"type": "user", "userId": "U1"}, Chat("user", "U1"), "U1"),
        ({"type": "user"}, None, None),
        ({"type": "group", "groupId": "C1"}, Chat("group", "C1"), None),
        ({"type": "group", "userId": "U1"}, None, "U1"),
        ({"type": "room", "roomId": "R1", "userId": "U1"}, Chat("room", "R1"), "U1"),
        ({"type": "square", "squareId": "S1", "userId": "U1"}, None, "U1"),
        ({"type": ["group"], "groupId": "C1"}, None, None),
        ({"type": "group", "groupId": 5}, None, None),
        ({"type": "group", "groupId": "C" * 256}, None, None),
        ("group", None, None),
        (None, None, None),
    ],
)
def test_where_it_was_said(source: object, chat: Chat | None, user_id: str | None) -> None:
    event = parsed(source=source)
    assert (event.chat, event.user_id) == (chat, user_id)


@pytest.mark.parametrize(
    ("given", "mode"), [("active", "active"), ("standby", "standby"), ("new", "new"), (None, "active"), (7, "active")]
)
def test_the_mode(given: object, mode: str) -> None:
    assert parsed(mode=given).mode == mode


@pytest.mark.parametrize("timestamp", [None, "1462629479859", 1462629479859.0, True, -1, 0, 10**13, [], 10**400])
def test_an_event_without_a_sensible_time_has_none(timestamp: object) -> None:
    assert parsed(timestamp=timestamp).at == 0


@pytest.mark.parametrize("delivery", [None, {}, {"isRedelivery": "true"}, {"isRedelivery": 1}, "x", []])
def test_only_what_says_so_is_a_redelivery(delivery: object) -> None:
    assert not parsed(deliveryContext=delivery).redelivered
    assert parsed(deliveryContext={"isRedelivery": True}).redelivered


# ---------------------------------------------------------------- ids


def test_an_event_without_an_id_gets_the_same_one_when_redelivered() -> None:
    first = parsed(webhookEventId=None)
    again = parsed(webhookEventId=None, deliveryContext={"isRedelivery": True})
    other = parsed(webhookEventId=None, timestamp=1462629479860)
    assert first.id == again.id != other.id
    assert first.id.startswith("sha256:")


def test_the_order_of_keys_does_not_matter_to_an_id_made_from_content() -> None:
    event = {key: value for key, value in TEXT.items() if key != "webhookEventId"}
    backwards = dict(reversed(event.items()))
    first, second = parse_webhook(webhook(event, backwards)).events
    assert first.id == second.id


@pytest.mark.parametrize("event_id", [None, "", 5, {}, "x" * 256])
def test_an_unusable_id_counts_as_none(event_id: object) -> None:
    assert parsed(webhookEventId=event_id).id.startswith("sha256:")


# ---------------------------------------------------------------- mentions


def mentions(text: str, *mentionees: object) -> tuple[Mention, ...]:
    return parsed_message(text=text, mention={"mentionees": list(mentionees)}).mentions


def test_a_mention_of_the_bot() -> None:
    bot = {"index": 0, "length": 12, "type": "user", "userId": "Ubot", "isSelf": True}
    assert mentions("@example_bot Good Morning!!", bot) == (Mention(0, 12, "Ubot", True),)


def test_offsets_count_utf16_units() -> None:
    text = "🍎🍎 @宿 and @All"
    everyone = {"index": 12, "length": 4, "type": "all"}
    assert mentions(text, {"index": 5, "length": 2, "userId": "U2"}, everyone) == (
        Mention(3, 5, "U2", False),
        Mention(10, 14, None, False),
    )
    assert text[3:5] == "@宿"
    assert text[10:14] == "@All"


@pytest.mark.parametrize(
    ("index", "length", "span"),
    [
        (1, 1, (0, 1)),
        (0, 1, (0, 1)),
        (1, 2, (0, 2)),
        (2, 1, (1, 2)),
        (0, 10**6, (0, 3)),
        (3, 10**400, (2, 3)),
    ],
)
def test_a_mention_ends_with_the_text_and_halves_no_character(index: int, length: int, span: tuple[int, int]) -> None:
    (mention,) = mentions("🍎ab", {"index": index, "length": length})
    assert (mention.start, mention.end) == span


@pytest.mark.parametrize(
    "mentionee",
    [
        {"index": -1, "length": 2},
        {"index": 0, "length": 0},
        {"index": 0, "length": -5},
        {"index": 4, "length": 1},
        {"index": 10**400, "length": 1},
        {"index": "0", "length": 1},
        {"index": True, "length": True},
        {"index": 0.0, "length": 1.0},
        {"length": 1},
        {},
        "x",
        None,
    ],
)
def test_an_absurd_mention_is_left_out_alone(mentionee: object) -> None:
    assert mentions("🍎ab", mentionee, {"index": 2, "length": 1}) == (Mention(1, 2, None, False),)


def test_at_most_twenty_mentions_are_read() -> None:
    assert len(mentions("a" * 50, *({"index": index, "length": 1} for index in range(50)))) == 20


@pytest.mark.parametrize("mention", [None, [], "x", {"mentionees": {}}, {"mentionees": None}, {}])
def test_a_broken_mention_costs_nothing(mention: object) -> None:
    assert parsed_message(mention=mention).text == "何時から？"


# ---------------------------------------------------------------- storing


def test_lone_surrogates_become_storable() -> None:
    body = webhook("TEXT").replace(b'"TEXT"', json.dumps(TEXT).encode().replace(b'"q1"', b'"\\ud83d"'))
    body = body.replace(b"\\u4f55", b"\\ud800\\udc00\\udfff")
    (event,) = parse_webhook(body).events
    assert event.text == "\U00010000\ufffd時から？"
    assert event.quote_token == "\ufffd"
    assert event.body.encode().decode() == event.body
    assert parse_event(event.body) == event


@pytest.mark.parametrize("body", ["[]", "1", "", "{", "null", "NaN"])
def test_what_is_no_event_cannot_be_read_again(body: str) -> None:
    with pytest.raises(RequestError):
        parse_event(body)


# ---------------------------------------------------------------- hostile bodies


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"\xff\xfe{}", "the body is not JSON"),
        (b'\xef\xbb\xbf{"destination":"U","events":[]}', "the body is not JSON"),
        (b'{"destination":"\xc3","events":[]}', "the body is not JSON"),
        (b'{"destination":"\xed\xa0\x80","events":[]}', "the body is not JSON"),
        (b'{"destination":"U","events":[{"a":NaN}]}', "the body is not JSON"),
        (b'{"destination":"U","events":[{"a":-Infinity}]}', "the body is not JSON"),
        (b'{"destination":"U","events":[{"a":1e999}]}', "the body is not JSON"),
        (b'{"destination":"U","events":[' + b"9" * 5000 + b"]}", "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b'{"a":' * 100_000, "the body is not JSON"),
        (b'{"destination":"U","events":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}", "the body is not JSON"),
        (b"null", "a webhook body is a JSON object"),
        (b"[]", "a webhook body is a JSON object"),
        (b'"x"', "a webhook body is a JSON object"),
        (b"{}", "`events` of a webhook is a list"),
        (b'{"destination":"U"}', "`events` of a webhook is a list"),
        (b'{"destination":"U","events":{}}', "`events` of a webhook is a list"),
        (b'{"destination":"U","events":null}', "`events` of a webhook is a list"),
        (b'{"destination":5,"events":[]}', "`destination` of a webhook is a string"),
        (b'{"destination":null,"events":[]}', "`destination` of a webhook is a string"),
    ],
    ids=range(22),
)
def test_what_is_no_webhook_is_a_bad_request(body: bytes, reason: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_webhook(body)
    assert (caught.value.status, str(caught.value)) == (400, reason)


def test_a_webhook_without_events_is_the_console_saying_hello() -> None:
    assert parse_webhook(b'{"destination":"U","events":[]}') == Webhook("U", ())


def test_an_old_console_names_no_destination() -> None:
    assert parse_webhook(b'{"events":[]}') == Webhook("", ())


DEEP: list[Any] = []
for _ in range(100):
    DEEP = [DEEP]


@pytest.mark.parametrize("neighbour", [None, 5, "x", [], [TEXT], True, {"deep": DEEP}])
def test_what_is_no_event_costs_its_neighbours_nothing(neighbour: object, caplog: pytest.LogCaptureFixture) -> None:
    webhook_read = parse_webhook(webhook(neighbour, TEXT, neighbour))
    assert webhook_read.events == (parsed(),)
    assert caplog.messages == ["skipped 2 malformed of 3 webhook events"]


@pytest.mark.parametrize(
    "neighbour",
    [
        {},
        {"type": "hologram"},
        {"type": 5, "message": "x", "source": 3},
        {**TEXT, "message": {"type": "hologram", "id": "9"}},
        {**TEXT, "message": None},
        {**TEXT, "mode": "new", "source": {"type": "square"}},
        {**TEXT, "replyToken": 5},
        {**TEXT, "unheard": {"of": [1, 2.5, None]}},
    ],
)
def test_an_unknown_event_is_kept_and_costs_its_neighbours_nothing(neighbour: dict[str, object]) -> None:
    first, second = parse_webhook(webhook(neighbour, TEXT)).events
    assert json.loads(first.body) == neighbour
    assert second == parsed()


# ---------------------------------------------------------------- whatever else may come

texts = st.text(st.characters(exclude_categories=()), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


def objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects in which each field may be right, anything, or absent."""
    return st.fixed_dictionaries({}, optional={key: value | anything for key, value in fields.items()})


offsets = st.integers(-3, 60)
mentionees = objects(index=offsets, length=offsets, userId=texts, isSelf=st.booleans())
messages = objects(
    type=st.sampled_from(["text", "sticker", "image"]),
    id=texts,
    text=texts,
    quoteToken=texts,
    quotedMessageId=texts,
    mention=objects(mentionees=st.lists(mentionees, max_size=3)),
)
events = objects(
    type=st.sampled_from(["message", "messageEdited", "follow"]),
    message=messages,
    webhookEventId=texts,
    deliveryContext=objects(isRedelivery=st.booleans()),
    timestamp=st.integers(),
    source=objects(type=st.sampled_from(["user", "group", "room"]), userId=texts, groupId=texts, roomId=texts),
    replyToken=texts,
    mode=texts,
)


@settings(deadline=None)
@given(st.lists(events, max_size=3))
def test_any_event_is_read_stored_and_read_again(raw: list[dict[str, Any]]) -> None:
    found = parse_webhook(webhook(*raw)).events
    assert len(found) == len(raw)
    for event in found:
        assert parse_event(event.body) == event
        assert event.body.encode().decode() == event.body
        for text in (event.id, event.text, event.user_id, event.reply_token, event.quote_token):
            assert text is None or text.encode().decode() == text
        for mention in event.mentions:
            assert 0 <= mention.start < mention.end <= len(event.text or "")


def webhook_or_status(body: bytes) -> Webhook | int:
    try:
        return parse_webhook(body)
    except RequestError as error:
        return error.status


@settings(deadline=None)
@given(anything | objects(destination=texts, events=st.lists(anything, max_size=3)))
def test_any_json_is_a_webhook_or_a_bad_request(document: Any) -> None:
    is_webhook = (
        isinstance(document, dict)
        and isinstance(document.get("destination", ""), str)
        and isinstance(document.get("events"), list)
    )
    found = webhook_or_status(json.dumps(document).encode())
    assert (found != 400) == is_webhook
    if isinstance(found, Webhook):
        assert len(found.events) == sum(isinstance(entry, dict) for entry in document["events"])


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_webhook_or_a_bad_request(body: bytes) -> None:
    assert webhook_or_status(body) == 400 or json.loads(body)["events"] is not None
