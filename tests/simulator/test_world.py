"""What is seen in a chat, who is told of it, and which event it belongs to."""

import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from botkit.messages import Chat, Content
from botkit.simulator.api import Answer, Request, handle
from botkit.simulator.chats import Account, Person, Utterance
from botkit.simulator.platform import Platform
from botkit.simulator.wire import Delivery
from botkit.simulator.world import Change, one_to_one
from tests.simulator.clock import SECOND, MovableClock

PHOTO = Content(b"png", "image/png")
HELLO = {"type": "text", "text": "hello"}


class Scene:
    """An account, two people alone and in a group, somebody outside of it, and what a listener was told."""

    def __init__(self) -> None:
        self.clock = MovableClock()
        self.platform = Platform(self.clock, seed=1)
        self.account: Account = self.platform.add_account("concierge")
        self.hana: Person = self.platform.add_person("Hana")
        self.ken: Person = self.platform.add_person("Ken")
        self.mio: Person = self.platform.add_person("Mio")
        self.yui: Person = self.platform.add_person("Yui")
        self.group: Chat = self.platform.add_group(self.hana, self.ken, name="Trip")
        self.platform.join(self.account, self.group)
        self.changes: list[Change] = []
        self.platform.listen(self.changes.append)

    @property
    def alone(self) -> Chat:
        return one_to_one(self.hana)

    def say(self, text: str = "hi", chat: Chat | None = None, person: Person | None = None) -> Delivery:
        return self.platform.say(self.account, person or self.hana, text, chat=chat)

    def seen(self, chat: Chat | None = None) -> list[Utterance]:
        return self.platform.log(self.account, chat or self.alone).utterances

    def last(self, chat: Chat | None = None) -> Utterance:
        return self.seen(chat)[-1]

    def kinds(self) -> list[str]:
        return [change.kind for change in self.changes]

    def post(self, path: str, body: object, **headers: str) -> Answer:
        given = {"authorization": f"Bearer {self.account.access_token}", "content-type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return handle(self.platform, Request("POST", path, given | named, json.dumps(body).encode()))

    def reply(self, delivery: Delivery, *messages: object) -> None:
        body = {"replyToken": delivery.event["replyToken"], "messages": messages or [HELLO]}
        assert self.post("/v2/bot/message/reply", body).status == 200

    def push(self, chat: Chat, **headers: str) -> None:
        assert self.post("/v2/bot/message/push", {"to": chat.id, "messages": [HELLO]}, **headers).status == 200

    def mark(self, token: str) -> None:
        assert self.post("/v2/bot/chat/markAsRead", {"markAsReadToken": token}).status == 200

    def info(self) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.account.access_token}"}
        return dict(json.loads(handle(self.platform, Request("GET", "/v2/bot/info", headers)).body))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def event_id(delivery: Delivery) -> str:
    return str(delivery.event["webhookEventId"])


def read_token(delivery: Delivery) -> str:
    return str(delivery.event["message"]["markAsReadToken"])


# ---------------------------------------------------------------- what is shown


def test_a_message_tells_who_said_it_and_what_it_caused(scene: Scene) -> None:
    said = scene.say()
    seen = scene.last()
    assert (seen.via, seen.who, seen.user_id, seen.event_id) == ("person", "Hana", scene.hana.user_id, event_id(said))


def block(scene: Scene) -> Delivery:
    return scene.platform.unfollow(scene.account, scene.hana)


def unblock(scene: Scene) -> Delivery:
    block(scene)
    return scene.platform.follow(scene.account, scene.hana)


def into_a_room(scene: Scene) -> Delivery:
    return scene.platform.join(scene.account, scene.platform.add_room(scene.hana))


HAPPENINGS: list[tuple[str, Callable[[Scene], Delivery]]] = [
    ("Hana added concierge as a friend", lambda s: s.platform.follow(s.account, s.hana)),
    ("Hana blocked concierge", block),
    ("Hana unblocked concierge", unblock),
    ("concierge joined the group", lambda s: s.platform.join(s.account, s.platform.add_group(s.hana))),
    ("concierge joined the chat", into_a_room),
    ("concierge left the group", lambda s: s.platform.leave(s.account, s.group)),
    ("Mio joined the group", lambda s: s.platform.come(s.account, s.group, s.mio)),
    ("Mio and Yui joined the group", lambda s: s.platform.come(s.account, s.group, s.mio, s.yui)),
    ("Ken left the group", lambda s: s.platform.go(s.account, s.group, s.ken)),
    ("Hana tapped a button", lambda s: s.platform.postback(s.account, s.hana, "menu=1")),
    ("Ken tapped a button", lambda s: s.platform.postback(s.account, s.ken, "menu=1", chat=s.group)),
]


@pytest.mark.parametrize(("text", "happens"), HAPPENINGS, ids=[text for text, _ in HAPPENINGS])
def test_what_happens_is_told_by_a_line_in_its_chat(
    scene: Scene, text: str, happens: Callable[[Scene], Delivery]
) -> None:
    delivery = happens(scene)
    *_, change = (change for change in scene.changes if change.kind == "said")
    assert change.account == scene.account
    assert change.chat is not None
    source = delivery.event["source"]
    assert (change.chat.kind, change.chat.id) == (source["type"], source[f"{source['type']}Id"])
    line = scene.last(change.chat)
    assert line == change.utterance
    assert (line.via, line.text, line.line, line.user_id) == ("system", text, text, None)
    assert line.event_id == event_id(delivery)


def test_lines_have_ids_of_their_own(scene: Scene) -> None:
    scene.say(chat=scene.group)
    for _ in range(2):
        scene.platform.postback(scene.account, scene.hana, "menu=1", chat=scene.group)
    ids = [one.id for one in scene.seen(scene.group)]
    assert len(set(ids)) == len(ids) == 4


def test_a_transcript_leaves_lines_out(scene: Scene) -> None:
    scene.platform.follow(scene.account, scene.hana)
    said = scene.say()
    scene.reply(said)
    assert [one.via for one in scene.seen()] == ["system", "person", "reply"]
    transcript = scene.platform.chat(scene.account, scene.hana)
    assert [one.via for one in transcript] == ["person", "reply"]
    assert transcript.texts == ["hello"]


def test_a_buttons_display_text_is_shown_as_said_and_told_to_nobody(scene: Scene) -> None:
    tapped = scene.platform.postback(scene.account, scene.hana, "menu=1", text="The menu, please")
    (seen,) = scene.seen()
    assert (seen.via, seen.text, seen.user_id) == ("person", "The menu, please", scene.hana.user_id)
    assert seen.event_id == event_id(tapped)
    assert (tapped.event["type"], tapped.event["postback"]) == ("postback", {"data": "menu=1"})
    assert b"The menu" not in tapped.body


SECRETS: list[Callable[[Scene], Delivery]] = [
    lambda s: s.say("a secret"),
    lambda s: s.platform.send_location(s.account, s.hana, "a secret", "a secret"),
    lambda s: s.platform.send_sticker(s.account, s.hana, text="a secret", keywords=["a secret"]),
    lambda s: s.platform.send_media(s.account, s.hana, "file", PHOTO, name="a secret"),
]


@pytest.mark.parametrize("send", SECRETS)
def test_nothing_is_left_of_an_unsent_message_but_a_line(scene: Scene, send: Callable[[Scene], Delivery]) -> None:
    sent = send(scene)
    scene.platform.unsend(scene.account, scene.hana, sent.message_id)
    (seen,) = scene.seen()
    assert (seen.id, seen.unsent, seen.text, seen.line) == (sent.message_id, True, "", "Hana unsent a message")
    assert "secret" not in repr(seen)
    assert (scene.account.user_id, sent.message_id) not in scene.platform.contents


def test_what_was_unsent_while_it_was_prepared_is_held_no_more(scene: Scene) -> None:
    sent = scene.platform.send_media(scene.account, scene.hana, "video", None)
    scene.platform.unsend(scene.account, scene.hana, sent.message_id)
    scene.platform.prepare(scene.account, sent.message_id, PHOTO)
    assert scene.platform.contents == {}


def test_an_edited_message_says_so_and_mentions_nobody_by_old_places(scene: Scene) -> None:
    platform = scene.platform
    said = platform.say(scene.account, scene.hana, "@concierge hi", chat=scene.group, mention=scene.account)
    assert not scene.last(scene.group).edited
    platform.edit(scene.account, scene.hana, said.message_id, "never mind", chat=scene.group)
    seen = scene.last(scene.group)
    assert (seen.id, seen.text, seen.edited, seen.event_id) == (said.message_id, "never mind", True, event_id(said))
    assert "mention" not in seen.message


def test_what_cannot_be_told_changes_nothing(scene: Scene) -> None:
    said = scene.say(chat=scene.group)
    scene.platform.leave(scene.account, scene.group)
    before, members = list(scene.seen(scene.group)), dict(scene.platform.places[scene.group].members)
    attempts: Sequence[Callable[[], object]] = [
        lambda: scene.platform.unsend(scene.account, scene.hana, said.message_id, chat=scene.group),
        lambda: scene.platform.edit(scene.account, scene.hana, said.message_id, "no", chat=scene.group),
        lambda: scene.platform.come(scene.account, scene.group, scene.mio),
        lambda: scene.platform.go(scene.account, scene.group, scene.ken),
    ]
    for attempt in attempts:
        with pytest.raises(ValueError, match="concierge is not in this group"):
            attempt()
    assert scene.seen(scene.group) == before
    assert scene.platform.places[scene.group].members == members


def test_a_cleared_chat_is_empty_and_others_are_not(scene: Scene) -> None:
    scene.platform.send_media(scene.account, scene.hana, "image", PHOTO)
    scene.say(chat=scene.group)
    scene.post("/v2/bot/chat/loading/start", {"chatId": scene.hana.user_id})
    scene.changes.clear()
    scene.platform.clear(scene.account, scene.alone)
    assert scene.seen() == []
    assert scene.platform.chat(scene.account, scene.hana).loading_until is None
    assert scene.platform.contents == {}
    assert [one.via for one in scene.seen(scene.group)] == ["system", "person"]
    assert scene.changes == [Change("world", scene.account, scene.alone)]


# ---------------------------------------------------------------- which event an answer belongs to


def test_a_reply_belongs_to_the_event_of_its_token(scene: Scene) -> None:
    first, second = scene.say("one"), scene.say("two")
    scene.reply(first)
    assert scene.last().event_id == event_id(first) != event_id(second)


def test_a_push_belongs_to_the_event_that_its_retry_key_is_made_of(scene: Scene) -> None:
    said, _ = scene.say("one"), scene.say("two")
    key = str(uuid5(NAMESPACE_URL, f"botkit:concierge:{event_id(said)}"))
    scene.push(scene.alone, x_line_retry_key=key)
    assert scene.last().event_id == event_id(said)


def test_another_push_belongs_to_the_newest_event_of_its_chat(scene: Scene) -> None:
    said = scene.say("one")
    scene.reply(said)
    scene.say("elsewhere", chat=scene.group)
    scene.push(scene.alone)
    assert scene.last().event_id == event_id(said)
    tapped = scene.platform.postback(scene.account, scene.hana, "menu=1")
    scene.push(scene.alone, x_line_retry_key=str(uuid5(NAMESPACE_URL, "another")))
    assert scene.last().event_id == event_id(tapped)


def test_a_push_into_an_empty_chat_belongs_to_nothing(scene: Scene) -> None:
    scene.say()
    scene.platform.clear(scene.account, scene.alone)
    scene.push(scene.alone)
    assert scene.last().event_id is None


# ---------------------------------------------------------------- read marks


def marks(scene: Scene, chat: Chat | None = None) -> list[bool]:
    return [one.read for one in scene.seen(chat)]


def test_a_message_is_read_by_itself_once_its_webhook_was_taken_in(scene: Scene) -> None:
    first, _ = scene.say("one"), scene.say("two")
    scene.changes.clear()
    for _ in range(2):
        scene.platform.read(scene.account, event_id(first))
    assert marks(scene) == [True, False]
    assert scene.changes == [Change("said", scene.account, scene.alone, scene.seen()[0])]


def test_events_that_are_no_messages_are_not_read(scene: Scene) -> None:
    follow = scene.platform.follow(scene.account, scene.hana)
    scene.platform.read(scene.account, event_id(follow))
    assert marks(scene) == [False]


def test_a_bot_that_marks_by_itself_says_so(scene: Scene) -> None:
    assert scene.info()["markAsReadMode"] == "auto"
    scene.platform.set_read_mode(scene.account, "manual")
    assert scene.info()["markAsReadMode"] == "manual"
    said = scene.say()
    scene.platform.read(scene.account, event_id(said))
    assert marks(scene) == [False]
    scene.mark(read_token(said))
    assert marks(scene) == [True]


def test_a_mark_reads_all_up_to_its_message_in_its_chat(scene: Scene) -> None:
    scene.say("in the group", chat=scene.group)
    said = [scene.say(text) for text in ("one", "two", "three")]
    scene.reply(said[0])
    scene.mark(read_token(said[1]))
    assert marks(scene) == [True, True, False, False]
    assert marks(scene, scene.group) == [False, False]


def test_the_token_of_an_unsent_message_is_still_good(scene: Scene) -> None:
    said = [scene.say(text) for text in ("one", "two")]
    scene.platform.unsend(scene.account, scene.hana, said[1].message_id)
    scene.mark(read_token(said[1]))
    assert marks(scene) == [True, True]


def test_no_account_marks_what_was_said_to_another(scene: Scene) -> None:
    said = scene.say()
    scene.account, owner = scene.platform.add_account("other"), scene.account
    scene.mark(read_token(said))
    scene.platform.read(scene.account, event_id(said))
    scene.account = owner
    assert marks(scene) == [False]


# ---------------------------------------------------------------- who is told

ACTS: dict[str, tuple[list[str], Callable[[Scene], object]]] = {
    "the first words 1:1": (["world", "said"], lambda s: s.say()),
    "words in a group": (["said"], lambda s: s.say(chat=s.group)),
    "a new person": (["world"], lambda s: s.platform.add_person("Aki")),
    "a new account": (["world"], lambda s: s.platform.add_account("other")),
    "a new group": (["world"], lambda s: s.platform.add_group(s.hana, name="Two")),
    "a quota": (["world"], lambda s: s.platform.set_quota(s.account, 3)),
    "a friend": (["world", "said"], lambda s: s.platform.follow(s.account, s.hana)),
    "a block": (["world", "said"], block),
    "come": (["world", "said"], lambda s: s.platform.come(s.account, s.group, s.mio)),
    "go": (["world", "said"], lambda s: s.platform.go(s.account, s.group, s.ken)),
    "leave": (["world", "said"], lambda s: s.platform.leave(s.account, s.group)),
    "push": (["world", "said"], lambda s: s.push(s.group)),
}


@pytest.mark.parametrize(("kinds", "act"), ACTS.values(), ids=ACTS)
def test_what_can_be_seen_to_change_is_told(scene: Scene, kinds: list[str], act: Callable[[Scene], object]) -> None:
    act(scene)
    assert scene.kinds() == kinds


def test_what_becomes_of_a_message_is_told(scene: Scene) -> None:
    said = scene.say(chat=scene.group)
    scene.platform.edit(scene.account, scene.hana, said.message_id, "hello", chat=scene.group)
    scene.platform.unsend(scene.account, scene.hana, said.message_id, chat=scene.group)
    told = [change.utterance for change in scene.changes if change.utterance]
    assert [(one.id, one.text, one.edited, one.unsent) for one in told] == [
        (said.message_id, "hi", False, False),
        (said.message_id, "hello", True, False),
        (said.message_id, "", True, True),
    ]


def test_a_video_that_is_ready_is_told(scene: Scene) -> None:
    sent = scene.platform.send_media(scene.account, scene.hana, "video", None)
    scene.changes.clear()
    scene.platform.prepare(scene.account, sent.message_id, PHOTO)
    assert scene.changes == [Change("said", scene.account, scene.alone, scene.last())]


def test_the_animation_is_told_when_it_begins_and_when_an_answer_ends_it(scene: Scene) -> None:
    said = scene.say()
    scene.changes.clear()
    body = {"chatId": scene.hana.user_id, "loadingSeconds": 20}
    assert scene.post("/v2/bot/chat/loading/start", body).status == 202
    assert scene.changes == [Change("loading", scene.account, scene.alone)]
    assert scene.platform.log(scene.account, scene.alone).loading_until == scene.clock.now() + 20 * SECOND
    scene.changes.clear()
    scene.reply(said)
    assert scene.kinds() == ["said", "loading"]
    assert scene.platform.log(scene.account, scene.alone).loading_until == 0


def test_the_animation_goes_on_over_a_line(scene: Scene) -> None:
    scene.post("/v2/bot/chat/loading/start", {"chatId": scene.hana.user_id})
    scene.platform.postback(scene.account, scene.hana, "menu=1")
    assert scene.platform.chat(scene.account, scene.hana).loading_until == scene.clock.now() + 20 * SECOND


def test_who_blocks_a_stranger_makes_no_friend_of_it(scene: Scene) -> None:
    block(scene)
    assert not scene.platform.is_acquainted(scene.account, scene.hana)
    scene.platform.follow(scene.account, scene.hana)
    assert scene.platform.is_reachable(scene.account, scene.hana)
    block(scene)
    assert scene.platform.is_acquainted(scene.account, scene.hana)
    assert not scene.platform.is_reachable(scene.account, scene.hana)


def test_who_blocks_the_bot_is_told_nothing_it_says(scene: Scene) -> None:
    block(scene)
    said = scene.say()
    scene.changes.clear()
    scene.reply(said)
    assert scene.changes == []


# ---------------------------------------------------------------- accounts and people


def test_accounts_and_people_are_found_again(scene: Scene) -> None:
    assert scene.platform.account_named("concierge") == scene.account
    assert scene.platform.account_named("nobody") is None
    newer = scene.platform.add_account("concierge")
    assert scene.platform.account_named("concierge") == newer
    assert scene.platform.person(scene.hana.user_id) == scene.hana
    assert scene.platform.person("U0") is None


def test_a_quota_set_anew_holds_at_once_and_in_the_groups_the_account_is_in(scene: Scene) -> None:
    account = scene.platform.set_quota(scene.account, 2)
    assert (account.quota, scene.platform.account_named("concierge")) == (2, account)
    scene.push(scene.group)  # of two members
    body = {"to": scene.group.id, "messages": [HELLO]}
    assert scene.post("/v2/bot/message/push", body).status == 429
    scene.platform.set_quota(scene.account, None)
    assert scene.post("/v2/bot/message/push", body).status == 200


def test_a_call_tells_when_it_came_and_from_which_account(scene: Scene) -> None:
    scene.info()
    scene.clock.sleep(SECOND)
    handle(scene.platform, Request("GET", "/v2/bot/info", {"authorization": "Bearer wrong"}))
    told = [(call.at, call.account, call.status) for call in scene.platform.calls]
    now = scene.clock.now()
    assert told == [(now - SECOND, scene.account.user_id, 200), (now, None, 401)]
