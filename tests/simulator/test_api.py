"""The Messaging API's rules, as the platform keeps them."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from botkit.messages import Chat, Content
from botkit.simulator.api import NOT_ANSWERED, Answer, Request, handle
from botkit.simulator.chats import Account, Person
from botkit.simulator.platform import Platform
from botkit.simulator.wire import Delivery
from tests.line.openapi import mistakes
from tests.simulator.clock import DAY, HOUR, MINUTE, SECOND, MovableClock

HELLO = [{"type": "text", "text": "hello"}]


@dataclass
class Line:
    """A platform with one account and one person, and its API called without a network."""

    platform: Platform
    clock: MovableClock
    account: Account
    hana: Person

    def call(self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str) -> Answer:
        given = {"authorization": f"Bearer {token or self.account.access_token}", "content-type": "application/json"}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return handle(self.platform, Request(method, path, given | named, content))

    def reply(self, reply_token: str, messages: object = HELLO, **headers: str) -> Answer:
        body = {"replyToken": reply_token, "messages": messages}
        return self.call("POST", "/v2/bot/message/reply", body, **headers)

    def push(self, to: str, messages: object = HELLO, **headers: str) -> Answer:
        return self.call("POST", "/v2/bot/message/push", {"to": to, "messages": messages}, **headers)

    def loading(self, body: Mapping[str, object]) -> Answer:
        return self.call("POST", "/v2/bot/chat/loading/start", body)

    def said(self) -> Delivery:
        return self.platform.say(self.account, self.hana, "when?")

    @property
    def texts(self) -> list[str]:
        return self.platform.chat(self.account, self.hana).texts


@pytest.fixture
def line() -> Line:
    clock = MovableClock()
    platform = Platform(clock, seed=1)
    return Line(platform, clock, platform.add_account("concierge"), platform.add_person("Hana", language="ja"))


def token_of(delivery: Delivery) -> str:
    return str(delivery.event["replyToken"])


def document(answer: Answer) -> dict[str, Any]:
    return dict(json.loads(answer.body))


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, document(answer)["message"]


INVALID = (400, "Invalid reply token")


# ---------------------------------------------------------------- reply tokens


def test_a_reply_token_is_good_once(line: Line) -> None:
    token = token_of(line.said())
    answer = line.reply(token)
    assert answer.status == 200
    (sent,) = document(answer)["sentMessages"]
    assert sent["id"] == line.platform.chat(line.account, line.hana).answers[0].id
    assert sent["quoteToken"]
    assert refused(line.reply(token)) == INVALID
    assert line.texts == ["hello"]


@pytest.mark.parametrize(("late", "good"), [(0, True), (MINUTE, True), (MINUTE + 1, False), (HOUR, False)])
def test_a_reply_token_is_good_for_a_minute(line: Line, late: int, good: bool) -> None:
    token = token_of(line.said())
    line.clock.sleep(late)
    assert (line.reply(token).status == 200) == good
    assert line.texts == ["hello"] * good


def test_a_redelivery_renews_the_minute(line: Line) -> None:
    delivery = line.said()
    line.clock.sleep(10 * MINUTE)
    assert refused(line.reply(token_of(delivery))) == INVALID
    line.platform.redeliver(delivery)
    line.clock.sleep(MINUTE)
    assert line.reply(token_of(delivery)).status == 200


def test_a_redelivery_does_not_renew_a_used_token(line: Line) -> None:
    delivery = line.said()
    line.reply(token_of(delivery))
    line.platform.redeliver(delivery)
    assert refused(line.reply(token_of(delivery))) == INVALID


@pytest.mark.parametrize(
    ("redelivered", "then", "good"),
    [
        (19 * MINUTE, MINUTE, True),
        (19 * MINUTE + 30 * SECOND, 30 * SECOND, True),
        (19 * MINUTE + 30 * SECOND, 31 * SECOND, False),
        (21 * MINUTE, 0, False),
    ],
)
def test_no_redelivery_renews_a_token_beyond_twenty_minutes(
    line: Line, redelivered: int, then: int, good: bool
) -> None:
    delivery = line.said()
    line.clock.sleep(redelivered)
    line.platform.redeliver(delivery)
    line.clock.sleep(then)
    assert (line.reply(token_of(delivery)).status == 200) == good


def test_a_redelivery_at_once_takes_nothing_away(line: Line) -> None:
    delivery = line.said()
    line.clock.sleep(30 * SECOND)
    line.platform.redeliver(delivery)
    line.clock.sleep(MINUTE)
    assert line.reply(token_of(delivery)).status == 200


def test_a_reply_token_is_no_good_to_another_account(line: Line) -> None:
    other = line.platform.add_account("other")
    token = token_of(line.said())
    assert refused(line.reply(token, authorization=f"Bearer {other.access_token}")) == INVALID
    assert line.reply(token).status == 200


def test_a_refused_reply_does_not_use_its_token_up(line: Line) -> None:
    token = token_of(line.said())
    assert line.reply(token, [{"type": "text", "text": ""}]).status == 400
    assert line.reply(token, x_line_retry_key=str(uuid.uuid4())).status == 400
    assert line.reply(token).status == 200


def test_a_reply_in_a_group_is_seen_in_the_group_alone(line: Line) -> None:
    group = line.platform.add_group(line.hana)
    line.platform.join(line.account, group)
    line.reply(token_of(line.platform.say(line.account, line.hana, "hi", chat=group)))
    assert line.platform.chat(line.account, group).texts == ["hello"]
    assert line.texts == []


# ---------------------------------------------------------------- messages


@pytest.mark.parametrize("count", [0, 6])
def test_a_reply_holds_one_to_five_messages(line: Line, count: int) -> None:
    answer = line.reply(token_of(line.said()), HELLO * count)
    assert answer.status == 400
    assert document(answer) == {
        "message": "The request body has 1 error(s)",
        "details": [{"message": "Size must be between 1 and 5", "property": "messages"}],
    }
    assert line.reply(token_of(line.said()), HELLO * 5).status == 200


def test_a_call_is_done_wholly_or_not_at_all(line: Line) -> None:
    assert line.reply(token_of(line.said()), [*HELLO, {"type": "text", "text": ""}]).status == 400
    assert line.texts == []


def test_messages_can_be_validated_without_sending_them(line: Line) -> None:
    for kind in ("reply", "push"):
        path = f"/v2/bot/message/validate/{kind}"
        assert line.call("POST", path, {"messages": HELLO}).status == 200
        assert line.call("POST", path, {"messages": HELLO * 6}).status == 400
    assert line.texts == []


# ---------------------------------------------------------------- quotes


def quoting(token: str) -> list[dict[str, str]]:
    return [*HELLO, {"type": "text", "text": "as you said", "quoteToken": token}]


def test_a_person_and_the_bot_itself_can_be_quoted(line: Line) -> None:
    said = line.said()
    answer = line.reply(token_of(said), quoting(said.event["message"]["quoteToken"]))
    assert answer.status == 200
    sticker = [{"type": "sticker", "packageId": "446", "stickerId": "1988"}]
    for sent in document(answer)["sentMessages"] + document(line.push(line.hana.user_id, sticker))["sentMessages"]:
        assert line.push(line.hana.user_id, quoting(sent["quoteToken"])).status == 200


def test_what_was_never_said_cannot_be_quoted(line: Line) -> None:
    fault = {"message": "Invalid quote token", "property": "messages[1].quoteToken"}
    told = {"message": "The request body has 1 error(s)", "details": [fault]}
    for answer in (line.reply(token_of(line.said()), quoting("x")), line.push(line.hana.user_id, quoting("x"))):
        assert (answer.status, document(answer)) == (400, told)
    assert line.texts == []


def test_what_was_said_in_another_chat_cannot_be_quoted(line: Line) -> None:
    group, other = line.platform.add_group(line.hana), line.platform.add_account("other")
    line.platform.join(line.account, group)
    grouped = line.platform.say(line.account, line.hana, "hi", chat=group).event["message"]["quoteToken"]
    mine = line.said().event["message"]["quoteToken"]
    (sent,) = document(line.push(group.id))["sentMessages"]
    assert line.push(group.id, quoting(grouped)).status == 200
    assert line.push(line.hana.user_id, quoting(grouped)).status == 400
    assert line.push(line.hana.user_id, quoting(sent["quoteToken"])).status == 400
    assert line.push(group.id, quoting(mine)).status == 400
    line.platform.say(other, line.hana, "hi")
    theirs = line.push(line.hana.user_id, quoting(mine), authorization=f"Bearer {other.access_token}")
    assert theirs.status == 400


def test_an_edited_message_can_be_quoted_by_its_old_token_and_its_new_one(line: Line) -> None:
    group = line.platform.add_group(line.hana)
    line.platform.join(line.account, group)
    said = line.platform.say(line.account, line.hana, "hi", chat=group)
    edited = line.platform.edit(line.account, line.hana, said.message_id, "hello", chat=group)
    tokens = [delivery.event["message"]["quoteToken"] for delivery in (said, edited)]
    assert len(set(tokens)) == 2
    assert [line.push(group.id, quoting(token)).status for token in tokens] == [200, 200]
    assert line.push(line.hana.user_id, quoting(tokens[1])).status == 400


def test_a_reply_with_a_quote_of_another_chat_leaves_its_token_good(line: Line) -> None:
    group = line.platform.add_group(line.hana)
    line.platform.join(line.account, group)
    grouped = line.platform.say(line.account, line.hana, "hi", chat=group).event["message"]["quoteToken"]
    token = token_of(line.said())
    assert line.reply(token, quoting(grouped)).status == 400
    assert line.texts == []
    assert line.reply(token).status == 200
    assert line.texts == ["hello"]


# ---------------------------------------------------------------- push


def test_a_push_reaches_who_has_written_or_is_a_friend(line: Line) -> None:
    assert line.push(line.hana.user_id).status == 400
    line.said()
    assert line.push(line.hana.user_id).status == 200
    assert [answer.via for answer in line.platform.chat(line.account, line.hana).answers] == ["push"]


@pytest.mark.parametrize("to", ["U0", "", None, 5, ["U0"]])
def test_a_push_to_nobody_is_refused(line: Line, to: Any) -> None:
    assert line.push(to).status == 400


def test_a_push_to_who_blocks_the_account_looks_delivered_and_is_not(line: Line) -> None:
    line.platform.follow(line.account, line.hana)
    line.platform.unfollow(line.account, line.hana)
    assert line.push(line.hana.user_id).status == 200
    assert line.texts == []


def test_a_retry_key_sends_once_in_twenty_four_hours(line: Line) -> None:
    line.said()
    key = str(uuid.uuid4())
    first = line.push(line.hana.user_id, x_line_retry_key=key)
    line.clock.sleep(DAY - 1)
    again = line.push(line.hana.user_id, x_line_retry_key=key)
    assert refused(again) == (409, "The retry key is already accepted")
    assert document(again)["sentMessages"] == document(first)["sentMessages"]
    assert again.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
    assert line.texts == ["hello"]
    line.clock.sleep(1)
    assert line.push(line.hana.user_id, x_line_retry_key=key).status == 200
    assert line.texts == ["hello", "hello"]


def test_a_refused_push_does_not_use_its_retry_key_up(line: Line) -> None:
    line.said()
    key = str(uuid.uuid4())
    assert line.push(line.hana.user_id, [], x_line_retry_key=key).status == 400
    assert line.push(line.hana.user_id, x_line_retry_key=key).status == 200


def test_a_retry_key_is_a_uuid_of_one_account(line: Line) -> None:
    line.said()
    other, key = line.platform.add_account("other"), str(uuid.uuid4())
    line.platform.follow(other, line.hana)
    assert line.push(line.hana.user_id, x_line_retry_key="once").status == 400
    assert line.push(line.hana.user_id, x_line_retry_key=key).status == 200
    theirs = line.push(line.hana.user_id, x_line_retry_key=key, authorization=f"Bearer {other.access_token}")
    assert theirs.status == 200


def test_the_months_quota_counts_recipients_and_not_replies(line: Line) -> None:
    account = line.platform.add_account("poor", quota=3)
    bearer = f"Bearer {account.access_token}"
    group = line.platform.add_group(line.hana, line.platform.add_person("Ken"))
    line.platform.join(account, group)
    said = line.platform.say(account, line.hana, "hi")
    assert line.reply(token_of(said), HELLO * 5, authorization=bearer).status == 200
    assert line.push(group.id, HELLO * 5, authorization=bearer).status == 200
    assert refused(line.push(group.id, authorization=bearer)) == (429, "You have reached your monthly limit.")
    assert line.push(line.hana.user_id, authorization=bearer).status == 200
    usage = line.call("GET", "/v2/bot/message/quota/consumption", token=account.access_token)
    assert document(usage) == {"totalUsage": 3}
    quota = line.call("GET", "/v2/bot/message/quota", token=account.access_token)
    assert document(quota) == {"type": "limited", "value": 3}
    line.clock.sleep(31 * DAY)
    assert line.push(group.id, authorization=bearer).status == 200


@pytest.mark.parametrize("kind", ["group", "room"])
def test_a_push_counts_for_as_many_as_are_there_at_the_time(line: Line, kind: str) -> None:
    add = line.platform.add_group if kind == "group" else line.platform.add_room
    chat = add(line.hana)
    line.platform.join(line.account, chat)
    people = [line.platform.add_person(name) for name in ("Ken", "Yui")]
    used = []
    for change in (lambda: None, lambda: line.platform.come(line.account, chat, *people)):
        change()
        there = document(line.call("GET", f"/v2/bot/{kind}/{chat.id}/members/count"))["count"]
        assert line.push(chat.id, HELLO * 2).status == 200
        used.append((there, document(line.call("GET", "/v2/bot/message/quota/consumption"))["totalUsage"]))
    assert used == [(1, 1), (3, 4)]


def test_a_push_repeated_under_its_key_counts_once(line: Line) -> None:
    group, key = line.platform.add_group(line.hana, line.platform.add_person("Ken")), str(uuid.uuid4())
    line.platform.join(line.account, group)
    assert [line.push(group.id, x_line_retry_key=key).status for _ in range(2)] == [200, 409]
    assert document(line.call("GET", "/v2/bot/message/quota/consumption")) == {"totalUsage": 2}


# ---------------------------------------------------------------- loading, profiles, content, bot info


def test_the_loading_animation_ends_with_its_time_or_an_answer(line: Line) -> None:
    token = token_of(line.said())
    assert line.loading({"chatId": line.hana.user_id, "loadingSeconds": 10}).status == 202
    line.clock.sleep(9_999)
    assert line.platform.chat(line.account, line.hana).loading_until == line.clock.now() + 1
    line.clock.sleep(1)
    assert line.platform.chat(line.account, line.hana).loading_until is None
    assert line.loading({"chatId": line.hana.user_id}).status == 202
    assert line.platform.chat(line.account, line.hana).loading_until == line.clock.now() + 20_000
    line.reply(token)
    assert line.platform.chat(line.account, line.hana).loading_until is None


@pytest.mark.parametrize("seconds", [0, 4, 7, 61, 65, -5, "20", 10.0, None, True])
def test_loading_seconds_come_in_fives(line: Line, seconds: object) -> None:
    assert line.loading({"chatId": line.hana.user_id, "loadingSeconds": seconds}).status == 400


def test_no_loading_animation_in_a_group(line: Line) -> None:
    group = line.platform.add_group(line.hana)
    line.platform.join(line.account, group)
    assert line.loading({"chatId": group.id}).status == 400


def test_a_profile_is_told_of_friends_and_people_who_wrote(line: Line) -> None:
    path = f"/v2/bot/profile/{line.hana.user_id}"
    assert line.call("GET", path).status == 404
    line.said()
    known = {"displayName": "Hana", "userId": line.hana.user_id, "language": "ja"}
    assert document(line.call("GET", path)) == known
    line.platform.unfollow(line.account, line.hana)
    assert line.call("GET", path).status == 404
    assert line.platform.follow(line.account, line.hana).event["follow"] == {"isUnblocked": True}
    assert line.call("GET", path).status == 200


def test_a_members_profile_is_told_to_accounts_in_the_group(line: Line) -> None:
    group = line.platform.add_group(line.hana, name="Trip")
    path = f"/v2/bot/group/{group.id}/member/{line.hana.user_id}"
    assert line.call("GET", path).status == 404
    line.platform.join(line.account, group)
    assert document(line.call("GET", path)) == {"displayName": "Hana", "userId": line.hana.user_id}
    summary = line.call("GET", f"/v2/bot/group/{group.id}/summary")
    assert document(summary) == {"groupId": group.id, "groupName": "Trip"}
    line.platform.leave(line.account, group)
    assert line.call("GET", path).status == 404


@pytest.mark.parametrize(
    ("kind", "schema"), [("group", "GroupMemberCountResponse"), ("room", "RoomMemberCountResponse")]
)
def test_the_people_of_a_chat_are_counted_for_accounts_in_it(line: Line, kind: str, schema: str) -> None:
    ken = line.platform.add_person("Ken")
    add = line.platform.add_group if kind == "group" else line.platform.add_room
    chat = add(line.hana, ken)
    path = f"/v2/bot/{kind}/{chat.id}/members/count"
    assert refused(line.call("GET", path)) == (404, "Not found")
    line.platform.join(line.account, chat)
    counted = document(line.call("GET", path))
    assert counted == {"count": 2}
    assert mistakes(counted, schema) == []
    line.platform.leave(line.account, chat)
    assert line.call("GET", path).status == 404


def test_a_group_is_no_room(line: Line) -> None:
    group = line.platform.add_group(line.hana)
    line.platform.join(line.account, group)
    assert line.call("GET", f"/v2/bot/room/{group.id}/members/count").status == 404
    assert line.call("GET", "/v2/bot/group/C0/members/count").status == 404


def test_content_is_for_the_account_it_was_sent_to(line: Line) -> None:
    sent = line.platform.send_media(line.account, line.hana, "image", Content(b"png", "image/png"))
    path = f"/v2/bot/message/{sent.message_id}/content"
    answer = line.call("GET", path)
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"png", "image/png")
    other = line.platform.add_account("other")
    assert line.call("GET", path, token=other.access_token).status == 404


def test_content_is_being_prepared_and_goes_when_unsent(line: Line) -> None:
    sent = line.platform.send_media(line.account, line.hana, "video", None)
    path = f"/v2/bot/message/{sent.message_id}/content"
    assert line.call("GET", path).status == 202
    line.platform.prepare(line.account, sent.message_id, Content(b"film", "video/mp4"))
    assert line.call("GET", path).status == 200
    line.platform.unsend(line.account, line.hana, sent.message_id)
    assert line.call("GET", path).status == 410


def test_the_bot_learns_its_own_user_id(line: Line) -> None:
    info = document(line.call("GET", "/v2/bot/info"))
    assert (info["userId"], info["displayName"]) == (line.account.user_id, "concierge")


def test_a_message_can_be_marked_as_read(line: Line) -> None:
    token = line.said().event["message"]["markAsReadToken"]
    assert line.call("POST", "/v2/bot/chat/markAsRead", {"markAsReadToken": token}).status == 200
    assert line.call("POST", "/v2/bot/chat/markAsRead", {}).status == 400


# ---------------------------------------------------------------- what every call needs


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", "Basic {token}", "{token}"])
def test_a_call_needs_the_token_of_an_account(line: Line, authorization: str) -> None:
    header = authorization.format(token=line.account.access_token)
    assert line.call("GET", "/v2/bot/info", authorization=header).status == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_body_is_a_json_object(line: Line, body: bytes) -> None:
    assert line.call("POST", "/v2/bot/message/push", body).status == 400


def test_a_body_is_called_json(line: Line) -> None:
    assert line.push(line.hana.user_id, content_type="text/plain").status == 415


def test_a_body_is_at_most_two_megabytes(line: Line) -> None:
    assert line.call("POST", "/v2/bot/message/push", b" " * 2_000_001).status == 413
    assert line.call("POST", "/v2/bot/message/push", b" " * 2_000_000).status == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/v2/bot/message/reply"), ("POST", "/v2/bot/info"), ("GET", "/v2/bot/profile/a/b")],
)
def test_there_is_nothing_else(line: Line, method: str, path: str) -> None:
    assert line.call(method, path, {}).status == 404


def test_every_answer_has_a_request_id_of_its_own(line: Line) -> None:
    first, second = line.call("GET", "/v2/bot/info"), line.call("GET", "/nowhere")
    assert first.headers["x-line-request-id"] != second.headers["x-line-request-id"]


# ---------------------------------------------------------------- what is recorded


def test_every_call_is_recorded_without_its_token(line: Line) -> None:
    token = token_of(line.said())
    line.reply(token)
    line.call("GET", "/nowhere")
    reply, nowhere = line.platform.calls
    assert (reply.endpoint, reply.method, reply.path, reply.status) == ("reply", "POST", "/v2/bot/message/reply", 200)
    assert reply.body == {"replyToken": token, "messages": HELLO}
    assert reply.headers == {"content-type": "application/json"}
    assert (nowhere.endpoint, nowhere.status) == (None, 404)
    assert line.platform.calls_of("reply") == (reply,)
    assert line.account.access_token not in repr(line.platform.calls)


def test_a_transcript_shows_who_said_what_and_how(line: Line) -> None:
    message = {
        "type": "text",
        "text": "From three.",
        "quickReply": {"items": [{"type": "action", "action": {"type": "message", "label": "Rooms", "text": "?"}}]},
        "sender": {"name": "Yoshi"},
    }
    line.reply(token_of(line.said()), [message])
    line.platform.send_sticker(line.account, line.hana)
    asked, answered, sticker = line.platform.chat(line.account, line.hana)
    assert (asked.who, asked.text, asked.via, asked.at) == ("Hana", "when?", "person", line.clock.now())
    assert (answered.who, answered.text, answered.via) == ("concierge", "From three.", "reply")
    assert (answered.quick_replies, answered.sender) == (("Rooms",), "Yoshi")
    assert sticker.text == "[sticker]"


def test_two_accounts_do_not_share_a_chat(line: Line) -> None:
    other = line.platform.add_account("other")
    line.reply(token_of(line.said()))
    assert len(line.platform.chat(other, line.hana)) == 0


# ---------------------------------------------------------------- troubles


def test_a_refused_call_is_not_carried_out(line: Line) -> None:
    line.platform.troubles.refuse("reply", 500, times=2)
    token = token_of(line.said())
    assert [line.reply(token).status for _ in range(3)] == [500, 500, 200]
    assert line.texts == ["hello"]


def test_a_lost_answer_leaves_the_call_carried_out(line: Line) -> None:
    line.platform.troubles.lose("reply")
    token = token_of(line.said())
    assert line.reply(token).status == 500
    assert refused(line.reply(token)) == INVALID
    assert line.texts == ["hello"]


@pytest.mark.parametrize("done", [True, False])
def test_a_dropped_call_has_no_answer(line: Line, done: bool) -> None:
    line.platform.troubles.drop("reply", done=done)
    token = token_of(line.said())
    assert line.reply(token).status == NOT_ANSWERED
    assert line.texts == ["hello"] * done
    assert line.platform.calls[-1].status == NOT_ANSWERED


def test_a_trouble_befalls_its_own_endpoint_in_order(line: Line) -> None:
    line.said()
    line.platform.troubles.refuse("push", 429, "slow down")
    line.platform.troubles.refuse("push", 503)
    assert line.call("GET", "/v2/bot/info").status == 200
    assert refused(line.push(line.hana.user_id)) == (429, "slow down")
    assert [line.push(line.hana.user_id).status for _ in range(2)] == [503, 200]


def test_there_is_no_trouble_at_an_endpoint_that_does_not_exist(line: Line) -> None:
    with pytest.raises(ValueError, match="no endpoint 'replies'; there are reply, push, "):
        line.platform.troubles.refuse("replies", 500)


def test_a_chat_can_be_named_by_its_id(line: Line) -> None:
    line.said()
    assert len(line.platform.chat(line.account, Chat("user", line.hana.user_id))) == 1
