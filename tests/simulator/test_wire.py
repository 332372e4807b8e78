"""Webhooks made by the platform, against what LINE's SDK and botkit read in them."""

import json
import re
from collections.abc import Callable

import pytest
from linebot.v3.models.events import UnknownEvent
from linebot.v3.webhook import WebhookParser
from linebot.v3.webhooks import Event as SdkEvent

from botkit.line.events import parse_webhook
from botkit.line.signature import sign, verify
from botkit.messages import Chat, Content, Mention
from botkit.simulator.chats import Account, Person
from botkit.simulator.platform import Platform
from botkit.simulator.wire import Delivery
from tests.simulator.clock import START, MovableClock


class World:
    """A platform with one account and two people, alone and in a group."""

    def __init__(self) -> None:
        self.platform = Platform(MovableClock(), seed=1)
        self.account: Account = self.platform.add_account("concierge")
        self.hana: Person = self.platform.add_person("花🍎", language="ja")
        self.ken: Person = self.platform.add_person("Ken")
        self.group: Chat = self.platform.add_group(self.hana, self.ken, name="Trip")
        self.platform.join(self.account, self.group)


@pytest.fixture
def world() -> World:
    return World()


def said(world: World) -> str:
    return world.platform.say(world.account, world.hana, "hi", chat=world.group).message_id


ELSEWHERE = "https://example.com/media"
PHOTO = Content(b"png", "image/png")
DELIVERIES: dict[str, Callable[[World], Delivery]] = {
    "text": lambda w: w.platform.say(w.account, w.hana, "何時から？"),
    "text in a group": lambda w: w.platform.say(w.account, w.hana, "lunch?", chat=w.group),
    "mention": lambda w: w.platform.say(w.account, w.ken, "hi", chat=w.group, mention=[w.hana, w.account, "all"]),
    "quote": lambda w: w.platform.say(w.account, w.ken, "this", chat=w.group, quote=said(w)),
    "sticker": lambda w: w.platform.send_sticker(w.account, w.hana, keywords=["love"]),
    "message sticker": lambda w: w.platform.send_sticker(w.account, w.hana, text="See you!"),
    "sticker with many keywords": lambda w: w.platform.send_sticker(w.account, w.hana, keywords=["love"] * 20),
    "location": lambda w: w.platform.send_location(w.account, w.hana, "Inn", "Kyoto"),
    "image": lambda w: w.platform.send_media(w.account, w.hana, "image", PHOTO),
    "video": lambda w: w.platform.send_media(w.account, w.hana, "video", PHOTO),
    "audio": lambda w: w.platform.send_media(w.account, w.hana, "audio", PHOTO),
    "file": lambda w: w.platform.send_media(w.account, w.hana, "file", PHOTO),
    "image elsewhere": lambda w: w.platform.send_media(w.account, w.hana, "image", None, external=ELSEWHERE),
    "video elsewhere": lambda w: w.platform.send_media(w.account, w.hana, "video", None, external=ELSEWHERE),
    "audio elsewhere": lambda w: w.platform.send_media(w.account, w.hana, "audio", None, external=ELSEWHERE),
    "photo of a set": lambda w: w.platform.send_photos(w.account, w.hana, PHOTO, PHOTO)[1],
    "photo of a set that is not numbered": lambda w: w.platform.send_photos(
        w.account, w.hana, PHOTO, PHOTO, numbered=False
    )[1],
    "edit": lambda w: w.platform.edit(w.account, w.hana, said(w), "hello", chat=w.group),
    "unsend": lambda w: w.platform.unsend(w.account, w.hana, said(w), chat=w.group),
    "follow": lambda w: w.platform.follow(w.account, w.hana),
    "unfollow": lambda w: w.platform.unfollow(w.account, w.hana),
    "join": lambda w: w.platform.join(w.account, w.group),
    "leave": lambda w: w.platform.leave(w.account, w.group),
    "come": lambda w: w.platform.come(w.account, w.group, w.platform.add_person("Mio")),
    "go": lambda w: w.platform.go(w.account, w.group, w.ken),
    "postback": lambda w: w.platform.postback(w.account, w.hana, "menu=1"),
    "picked": lambda w: w.platform.postback(w.account, w.hana, "day", params={"date": "2026-11-22"}),
}
every_delivery = pytest.mark.parametrize("make", DELIVERIES.values(), ids=DELIVERIES)


@every_delivery
def test_lines_sdk_reads_every_webhook(world: World, make: Callable[[World], Delivery]) -> None:
    delivery = make(world)
    parser = WebhookParser(world.account.channel_secret)
    (event,) = parser.parse(delivery.body.decode(), delivery.signature)
    assert isinstance(event, SdkEvent)
    assert not isinstance(event, UnknownEvent)
    assert event.type == delivery.event["type"]


@every_delivery
def test_botkit_reads_every_webhook(world: World, make: Callable[[World], Delivery]) -> None:
    delivery = make(world)
    assert verify([world.account.channel_secret], delivery.body, delivery.headers["x-line-signature"])
    webhook = parse_webhook(delivery.body)
    assert webhook.destination == world.account.user_id
    (event,) = webhook.events
    assert event.chat is not None
    assert (event.at, event.mode, event.redelivered) == (START, "active", False)


@every_delivery
def test_the_wire_format_is_lines(world: World, make: Callable[[World], Delivery]) -> None:
    delivery = make(world)
    document = json.loads(delivery.body)
    assert json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() == delivery.body
    assert list(document) == ["destination", "events"]
    event = delivery.event
    tail = ["webhookEventId", "deliveryContext", "timestamp", "source", "replyToken", "mode"]
    assert [key for key in event if key in tail] == [key for key in tail if key in event]
    assert next(iter(event)) == "type"
    assert re.fullmatch("U[0-9a-f]{32}", document["destination"])
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", event["webhookEventId"])
    assert re.fullmatch("[0-9a-f]{32}", event.get("replyToken", "0" * 32))
    assert re.fullmatch("[0-9]{18}", event.get("message", {}).get("id", "1" * 18))


def test_the_keys_of_a_text_stand_in_lines_order(world: World) -> None:
    assert list(DELIVERIES["text"](world).event) == [
        "type",
        "message",
        "webhookEventId",
        "deliveryContext",
        "timestamp",
        "source",
        "replyToken",
        "mode",
    ]


@pytest.mark.parametrize("name", ["unsend", "unfollow", "leave", "go"])
def test_what_cannot_be_replied_to_has_no_reply_token(world: World, name: str) -> None:
    assert "replyToken" not in DELIVERIES[name](world).event


def test_an_event_id_holds_the_time_it_was_made(world: World) -> None:
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = 0
    for char in DELIVERIES["text"](world).event["webhookEventId"]:
        number = number * 32 + alphabet.index(char)
    assert START + 100 <= number >> 80 < START + 500


def test_mentions_are_put_in_and_counted_in_utf16_units(world: World) -> None:
    delivery = DELIVERIES["mention"](world)
    message = delivery.event["message"]
    assert message["text"] == "@花🍎 @concierge @All hi"
    assert message["mention"] == {
        "mentionees": [
            {"index": 0, "length": 4, "userId": world.hana.user_id, "type": "user", "isSelf": False},
            {"index": 5, "length": 10, "userId": world.account.user_id, "type": "user", "isSelf": True},
            {"index": 16, "length": 4, "type": "all"},
        ]
    }
    (event,) = parse_webhook(delivery.body).events
    assert event.text is not None
    assert [event.text[mention.start : mention.end] for mention in event.mentions] == ["@花🍎", "@concierge", "@All"]


def test_who_has_the_longer_name_is_not_taken_for_the_other(world: World) -> None:
    hanako = world.platform.add_person("花🍎子")
    world.platform.come(world.account, world.group, hanako)
    delivery = world.platform.say(
        world.account, world.ken, "@花🍎子 and @花🍎", chat=world.group, mention=[world.hana, hanako]
    )
    text = delivery.event["message"]["text"].encode("utf-16-le")
    marked = [
        (text[2 * one["index"] : 2 * (one["index"] + one["length"])].decode("utf-16-le"), one["index"])
        for one in delivery.event["message"]["mention"]["mentionees"]
    ]
    assert marked == [("@花🍎", 10), ("@花🍎子", 0)]


def test_a_mention_that_is_in_the_text_is_marked_there(world: World) -> None:
    text = "ねえ@concierge、何時から？"
    (event,) = parse_webhook(
        world.platform.say(world.account, world.ken, text, chat=world.group, mention=world.account).body
    ).events
    assert event.text == text
    assert event.mentions == (Mention(2, 12, world.account.user_id, is_self=True),)


def test_a_group_names_the_group_and_who_spoke(world: World) -> None:
    source = DELIVERIES["text in a group"](world).event["source"]
    assert source == {"type": "group", "groupId": world.group.id, "userId": world.hana.user_id}


def test_photos_of_a_set_share_its_id_and_are_numbered(world: World) -> None:
    photos = world.platform.send_photos(world.account, world.hana, PHOTO, PHOTO)
    sets = [photo.event["message"]["imageSet"] for photo in photos]
    assert sets == [{"id": sets[0]["id"], "index": index, "total": 2} for index in (1, 2)]
    other, *_ = world.platform.send_photos(world.account, world.hana, PHOTO, numbered=False)
    assert other.event["message"]["imageSet"].keys() == {"id"}
    assert other.event["message"]["imageSet"]["id"] != sets[0]["id"]


def test_what_is_held_elsewhere_cannot_be_got(world: World) -> None:
    photo = world.platform.send_media(world.account, world.hana, "image", PHOTO, external=ELSEWHERE)
    with pytest.raises(KeyError):
        world.platform.content(world.account, photo.message_id)
    assert parse_webhook(photo.body).events[0].is_external


def test_line_tells_fifteen_keywords_of_a_sticker(world: World) -> None:
    sticker = world.platform.send_sticker(world.account, world.hana, keywords=[f"k{n}" for n in range(20)])
    assert parse_webhook(sticker.body).events[0].words == tuple(f"k{n}" for n in range(15))


def test_an_edit_keeps_the_message_id_and_has_a_new_reply_token(world: World) -> None:
    first = world.platform.say(world.account, world.hana, "hi", chat=world.group)
    edit = world.platform.edit(world.account, world.hana, first.message_id, "hello", chat=world.group)
    assert edit.message_id == first.message_id
    assert edit.event["replyToken"] != first.event["replyToken"]
    assert "markAsReadToken" not in edit.event["message"]
    assert [line.text for line in world.platform.chat(world.account, world.group)] == ["hello"]


def test_what_was_unsent_can_be_read_no_more(world: World) -> None:
    first = world.platform.say(world.account, world.hana, "a secret")
    world.platform.unsend(world.account, world.hana, first.message_id)
    (line,) = world.platform.chat(world.account, world.hana)
    assert (line.text, line.unsent) == ("", True)


def test_a_redelivery_differs_in_nothing_but_saying_so(world: World) -> None:
    first = DELIVERIES["mention"](world)
    again = world.platform.redeliver(first)
    assert again.body == first.body.replace(b'"isRedelivery":false', b'"isRedelivery":true')
    assert again.signature == sign(world.account.channel_secret, again.body)


def test_events_of_several_people_may_come_together(world: World) -> None:
    first, second = DELIVERIES["text"](world), DELIVERIES["follow"](world)
    together = world.platform.bundle(first, second)
    assert together.events == [first.event, second.event]
    assert together.destination == world.account.user_id


def test_the_verify_button_sends_no_events(world: World) -> None:
    delivery = world.platform.webhook(world.account)
    assert delivery.body == b'{"destination":"%s","events":[]}' % world.account.user_id.encode()


def test_the_same_seed_makes_the_same_ids_and_no_seed_new_ones() -> None:
    def first(seed: int | None) -> str:
        return Platform(MovableClock(), seed=seed).add_person("Hana").user_id

    assert first(1) == first(1)
    assert first(None) != first(None)


def test_an_account_hears_nothing_of_a_group_it_is_not_in(world: World) -> None:
    other = world.platform.add_account("other")
    with pytest.raises(ValueError, match="other is not in this group"):
        world.platform.say(other, world.hana, "hi", chat=world.group)
    with pytest.raises(ValueError, match="another official account"):
        world.platform.join(other, world.group)


def test_only_members_speak_in_a_group(world: World) -> None:
    with pytest.raises(ValueError, match="Mio is not in this group"):
        world.platform.say(world.account, world.platform.add_person("Mio"), "hi", chat=world.group)
