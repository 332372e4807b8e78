"""The client, over real HTTP: against the platform, and against servers that break the protocol."""

import json
import logging
import socket
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from linebot.v3.messaging import PushMessageRequest, ReplyMessageRequest, ShowLoadingAnimationRequest

from botkit.errors import LineRefused, LineUnsure
from botkit.line.bodies import render
from botkit.line.client import LineClient
from botkit.messages import Chat, ChatKind, Content, Profile, QuickReply, Reply, Sender, Text
from botkit.simulator.app import create_app
from botkit.simulator.chats import Account, Person
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving
from tests.line.openapi import mistakes
from tests.line.raw import answering
from tests.simulator.clock import MovableClock

HELLO = render(Reply.of("From three in the afternoon. 🏮"))
FULL = render(
    Reply(
        (Text("From three."), Text("何時でも。")),
        (QuickReply("Rooms", "Which rooms are free?"),),
        Sender("Yoshi", "https://example.com/yoshi.png"),
    )
)


@dataclass(frozen=True)
class Line:
    """A platform at a URL, with one account and one person of its own for each test."""

    platform: Platform
    url: str
    client: LineClient
    account: Account
    hana: Person

    @property
    def token(self) -> str:
        return self.account.access_token

    def reply_token(self) -> str:
        return self.platform.say(self.account, self.hana, "when?").event["replyToken"]

    @property
    def said(self) -> list[str]:
        return self.platform.chat(self.account, self.hana).texts


@pytest.fixture(scope="module")
def platform_at() -> Iterator[tuple[Platform, str]]:
    platform = Platform(MovableClock())
    with serving(create_app(platform)) as url:
        yield platform, url


@pytest.fixture
def line(platform_at: tuple[Platform, str]) -> Line:
    platform, url = platform_at
    client = LineClient(url, read=10)
    return Line(platform, url, client, platform.add_account("concierge"), platform.add_person("Hana", language="ja"))


def key() -> str:
    return str(uuid.uuid4())


# Every method of the client, by the name of its endpoint.
CALLS: dict[str, Callable[[Line, LineClient], Any]] = {
    "reply": lambda line, client: client.reply(line.token, line.reply_token(), HELLO),
    "push": lambda line, client: client.push(line.token, line.hana.user_id, HELLO, key()),
    "loading": lambda line, client: client.start_loading(line.token, line.hana.user_id, 20),
    "mark_as_read": lambda line, client: client.mark_as_read(line.token, "read-token"),
    "profile": lambda line, client: client.profile(line.token, Chat("user", line.hana.user_id), line.hana.user_id),
    "group": lambda line, client: client.chat_name(line.token, Chat("group", "C0")),
    "member_count": lambda line, client: client.member_count(line.token, Chat("group", "C0")),
    "content": lambda line, client: client.content(line.token, "123456789012345678"),
}
every_call = pytest.mark.parametrize("endpoint", CALLS)


# ---------------------------------------------------------------- what goes well


def test_a_reply_is_delivered_and_its_ids_returned(line: Line) -> None:
    ids = line.client.reply(line.token, line.reply_token(), FULL)
    answers = line.platform.chat(line.account, line.hana).answers
    assert [(answer.id, answer.text, answer.via) for answer in answers] == [
        (ids[0], "From three.", "reply"),
        (ids[1], "何時でも。", "reply"),
    ]
    assert answers[-1].quick_replies == ("Rooms",)
    assert answers[-1].sender == "Yoshi"


def test_a_reply_carries_no_retry_key_and_a_push_does(line: Line) -> None:
    line.client.reply(line.token, line.reply_token(), HELLO)
    retry_key = key()
    line.client.push(line.token, line.hana.user_id, HELLO, retry_key)
    reply, push = line.platform.calls[-2:]
    assert "x-line-retry-key" not in reply.headers
    assert push.headers["x-line-retry-key"] == retry_key


def test_a_push_repeated_under_its_key_is_a_success_and_delivered_once(line: Line) -> None:
    line.platform.follow(line.account, line.hana)
    retry_key = key()
    first = line.client.push(line.token, line.hana.user_id, HELLO, retry_key)
    assert line.client.push(line.token, line.hana.user_id, HELLO, retry_key) == first
    assert [call.status for call in line.platform.calls[-2:]] == [200, 409]
    assert len(line.said) == 1


def test_the_loading_animation_shows(line: Line) -> None:
    line.client.start_loading(line.token, line.hana.user_id, 20)
    assert line.platform.chat(line.account, line.hana).loading_until == line.platform.clock.now() + 20_000


def test_a_chat_is_marked_as_read(line: Line) -> None:
    said = line.platform.say(line.account, line.hana, "when?")
    line.client.mark_as_read(line.token, said.event["message"]["markAsReadToken"])
    call = line.platform.calls[-1]
    assert (call.endpoint, call.status) == ("mark_as_read", 200)
    assert call.body == {"markAsReadToken": said.event["message"]["markAsReadToken"]}


def test_a_profile_has_a_language_in_a_1_1_chat_only(line: Line) -> None:
    line.platform.follow(line.account, line.hana)
    user = line.hana.user_id
    assert line.client.profile(line.token, Chat("user", user), user) == Profile("Hana", "ja")
    for chat in (line.platform.add_group(line.hana), line.platform.add_room(line.hana)):
        line.platform.join(line.account, chat)
        assert line.client.profile(line.token, chat, user) == Profile("Hana")


@pytest.mark.parametrize("chat", [Chat("user", "U0"), Chat("group", "C0"), Chat("room", "R0")])
def test_a_profile_that_line_does_not_tell_is_none(line: Line, chat: Chat) -> None:
    assert line.client.profile(line.token, chat, "U0") is None


def test_a_group_has_a_name_where_the_account_is_in_it(line: Line) -> None:
    group = line.platform.add_group(line.hana, name="Trip\nto Kyoto")
    line.platform.join(line.account, group)
    assert line.client.chat_name(line.token, group) == "Trip to Kyoto"


def test_a_group_that_the_account_is_not_in_has_no_name(line: Line) -> None:
    assert line.client.chat_name(line.token, line.platform.add_group(line.hana, name="Trip")) is None


def test_the_people_of_a_group_or_room_are_counted(line: Line) -> None:
    ken = line.platform.add_person("Ken")
    for chat in (line.platform.add_group(line.hana, ken), line.platform.add_room(line.hana, ken)):
        line.platform.join(line.account, chat)
        assert line.client.member_count(line.token, chat) == 2
        line.platform.go(line.account, chat, ken)
        assert line.client.member_count(line.token, chat) == 1


def test_a_1_1_chat_has_one_person_and_line_is_not_asked(line: Line) -> None:
    calls = len(line.platform.calls)
    assert line.client.member_count(line.token, Chat("user", "U0")) == 1
    assert len(line.platform.calls) == calls


@pytest.mark.parametrize("kind", ["group", "room"])
def test_the_people_of_a_chat_that_the_account_is_not_in_are_not_counted(line: Line, kind: ChatKind) -> None:
    with pytest.raises(LineRefused, match="404 Not found") as caught:
        line.client.member_count(line.token, Chat(kind, "X0"))
    assert caught.value.status == 404


def test_line_is_not_asked_for_names_that_do_not_exist(line: Line) -> None:
    calls = len(line.platform.calls)
    assert line.client.chat_name(line.token, Chat("room", "R0")) is None
    assert line.client.chat_name(line.token, Chat("user", "U0")) is None
    assert len(line.platform.calls) == calls


def test_a_name_is_cleaned_before_anyone_uses_it(line: Line) -> None:
    mallory = line.platform.add_person("Mal\nlory\u202e\U000e0041")
    line.platform.follow(line.account, mallory)
    assert line.client.profile(line.token, Chat("user", mallory.user_id), mallory.user_id) == Profile("Mal lory")


@pytest.mark.parametrize("hostile", ["../../message/quota", "a/b?c=d#e", "%2e%2e", "{user}", "é\ud800", " ", "a\r\nb"])
def test_an_id_stays_one_segment_of_the_path(line: Line, hostile: str) -> None:
    assert line.client.profile(line.token, Chat("group", "C0"), hostile) is None
    call = line.platform.calls[-1]
    assert call.endpoint == "profile"
    assert call.path.startswith("/v2/bot/group/C0/member/")
    assert call.path.count("/") == 6


def test_content_comes_with_its_media_type(line: Line) -> None:
    photo = Content(bytes(range(256)) * 1000, "image/png")
    sent = line.platform.send_media(line.account, line.hana, "image", photo)
    assert line.client.content(line.token, sent.message_id) == photo


def test_content_is_none_while_it_is_being_prepared(line: Line) -> None:
    sent = line.platform.send_media(line.account, line.hana, "video", None)
    assert line.client.content(line.token, sent.message_id) is None
    line.platform.prepare(line.account, sent.message_id, Content(b"film", "video/mp4"))
    assert line.client.content(line.token, sent.message_id) == Content(b"film", "video/mp4")


def test_bodies_are_compact_utf_8() -> None:
    with answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}") as server:
        LineClient(server.url).reply("token", "reply-token", HELLO)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert (
        body
        == json.dumps(
            {"replyToken": "reply-token", "messages": HELLO}, ensure_ascii=False, separators=(",", ":")
        ).encode()
    )
    assert b"\r\nAuthorization: Bearer token" in head
    assert b"\r\nContent-Type: application/json" in head


# ---------------------------------------------------------------- names are kept for a while


@dataclass
class Patience:
    """Seconds that only a test moves."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def patience() -> Patience:
    return Patience()


@pytest.fixture
def keeping(line: Line, patience: Patience) -> Line:
    """A line whose client's time is the test's."""
    return replace(line, client=LineClient(line.url, read=10, clock=patience))


def asked(line: Line, endpoint: str) -> int:
    return [call.endpoint for call in line.platform.calls].count(endpoint)


def test_a_profile_is_asked_for_once_in_ten_minutes(keeping: Line, patience: Patience) -> None:
    keeping.platform.follow(keeping.account, keeping.hana)
    chat, before = Chat("user", keeping.hana.user_id), asked(keeping, "profile")
    for seconds, times in ((0, 1), (599, 1), (1, 2), (1, 2)):
        patience.now += seconds
        assert keeping.client.profile(keeping.token, chat, keeping.hana.user_id) == Profile("Hana", "ja")
        assert asked(keeping, "profile") - before == times


def test_a_groups_name_is_asked_for_once_in_ten_minutes(keeping: Line, patience: Patience) -> None:
    group = keeping.platform.add_group(keeping.hana, name="Trip")
    keeping.platform.join(keeping.account, group)
    before = asked(keeping, "group")
    for seconds, times in ((0, 1), (599, 1), (1, 2)):
        patience.now += seconds
        assert keeping.client.chat_name(keeping.token, group) == "Trip"
        assert asked(keeping, "group") - before == times


def test_what_line_does_not_tell_is_asked_for_again_after_a_minute(keeping: Line, patience: Patience) -> None:
    chat = Chat("user", keeping.hana.user_id)
    assert keeping.client.profile(keeping.token, chat, keeping.hana.user_id) is None
    keeping.platform.follow(keeping.account, keeping.hana)
    patience.now += 59
    assert keeping.client.profile(keeping.token, chat, keeping.hana.user_id) is None
    patience.now += 1
    assert keeping.client.profile(keeping.token, chat, keeping.hana.user_id) == Profile("Hana", "ja")


def test_a_failure_is_not_kept(keeping: Line) -> None:
    keeping.platform.follow(keeping.account, keeping.hana)
    keeping.platform.troubles.refuse("profile", 500)
    chat = Chat("user", keeping.hana.user_id)
    with pytest.raises(LineUnsure):
        keeping.client.profile(keeping.token, chat, keeping.hana.user_id)
    assert keeping.client.profile(keeping.token, chat, keeping.hana.user_id) == Profile("Hana", "ja")


def test_nobody_is_given_what_another_account_or_chat_was_told(keeping: Line) -> None:
    keeping.platform.follow(keeping.account, keeping.hana)
    other, user = keeping.platform.add_account("other"), keeping.hana.user_id
    assert keeping.client.profile(keeping.token, Chat("user", user), user) == Profile("Hana", "ja")
    assert keeping.client.profile(other.access_token, Chat("user", user), user) is None
    group = keeping.platform.add_group(keeping.hana)
    keeping.platform.join(keeping.account, group)
    assert keeping.client.profile(keeping.token, group, user) == Profile("Hana")


# ---------------------------------------------------------------- the oracles


def test_what_is_sent_is_what_lines_sdk_would_send(line: Line) -> None:
    line.client.reply(line.token, line.reply_token(), FULL)
    line.client.push(line.token, line.hana.user_id, FULL, key())
    line.client.start_loading(line.token, line.hana.user_id, 20)
    models = (ReplyMessageRequest, PushMessageRequest, ShowLoadingAnimationRequest)
    for call, model in zip(line.platform.calls[-3:], models, strict=True):
        # The SDK drops what it does not know without a word, so only the way back shows that it knew everything.
        known = {name: value for name, value in model.from_dict(call.body).to_dict().items() if name in call.body}
        assert known == call.body


def test_what_is_sent_is_what_lines_openapi_describes(line: Line) -> None:
    line.client.reply(line.token, line.reply_token(), FULL)
    line.client.push(line.token, line.hana.user_id, FULL, key())
    line.client.start_loading(line.token, line.hana.user_id, 20)
    line.client.mark_as_read(line.token, "read-token")
    schemas = (
        "ReplyMessageRequest",
        "PushMessageRequest",
        "ShowLoadingAnimationRequest",
        "MarkMessagesAsReadByTokenRequest",
    )
    for call, schema in zip(line.platform.calls[-4:], schemas, strict=True):
        assert mistakes(call.body, schema) == []


def test_the_openapi_check_finds_mistakes() -> None:
    body = {"messages": [{"type": "text", "tekst": "x", "sender": {"name": "x" * 21}}] * 6}
    found = mistakes(body, "ReplyMessageRequest")
    assert "ReplyMessageRequest: replyToken is missing" in found
    assert "ReplyMessageRequest.messages: 6 items" in found
    assert "ReplyMessageRequest.messages[0]: tekst is unknown" in found
    assert "ReplyMessageRequest.messages[0]: text is missing" in found
    assert "ReplyMessageRequest.messages[0].sender.name: longer than 20" in found


# ---------------------------------------------------------------- LINE says no


@every_call
@pytest.mark.parametrize("status", [400, 401, 403, 405, 410, 413, 415, 429])
def test_a_4xx_is_a_certain_no(line: Line, endpoint: str, status: int) -> None:
    line.platform.troubles.refuse(endpoint, status, "No such luck")
    with pytest.raises(LineRefused) as caught:
        CALLS[endpoint](line, line.client)
    assert caught.value.status == status
    assert caught.value.retryable == (status == 429)
    assert line.said == []


def test_the_monthly_limit_is_final(line: Line) -> None:
    poor = line.platform.add_account("poor", quota=0)
    line.platform.follow(poor, line.hana)
    with pytest.raises(LineRefused, match="You have reached your monthly limit") as caught:
        line.client.push(poor.access_token, line.hana.user_id, HELLO, key())
    assert (caught.value.status, caught.value.retryable) == (429, False)


def test_a_reply_token_used_twice_is_refused(line: Line) -> None:
    token = line.reply_token()
    line.client.reply(line.token, token, HELLO)
    with pytest.raises(LineRefused, match="400 Invalid reply token"):
        line.client.reply(line.token, token, HELLO)


def test_content_that_was_unsent_or_never_was_is_refused(line: Line) -> None:
    sent = line.platform.send_media(line.account, line.hana, "image", Content(b"x", "image/png"))
    line.platform.unsend(line.account, line.hana, sent.message_id)
    for message_id, status in ((sent.message_id, 410), ("1", 404)):
        with pytest.raises(LineRefused) as caught:
            line.client.content(line.token, message_id)
        assert caught.value.status == status


def test_an_error_says_what_line_said_and_nothing_secret(line: Line) -> None:
    token = line.reply_token()
    with pytest.raises(LineRefused) as caught:
        line.client.reply(line.token, token, [{"type": "text", "text": "my secret " * 600}])
    text = str(caught.value)
    assert text.startswith(
        "LINE POST /v2/bot/message/reply: 400 The request body has 1 error(s) "
        "messages[0].text: Length must be between 0 and 5000 (request "
    )
    for secret in (line.token, token, "my secret"):
        assert secret not in text


def test_secrets_that_the_other_side_echoes_are_cut_out_and_long_reasons_shortened(line: Line) -> None:
    token = line.reply_token()
    line.platform.troubles.refuse("reply", 400, f"bad {line.token} {token} " + "x" * 1000)
    with pytest.raises(LineRefused) as caught:
        line.client.reply(line.token, token, HELLO)
    assert "400 bad … … xxx" in str(caught.value)
    assert len(str(caught.value)) < 420


@pytest.mark.parametrize("token", ["", "a\nb", "a\r\nX-Evil: 1", "töken", "トークン", "a b", "\x00", "\ud800"])
@every_call
def test_a_token_that_no_header_can_hold_is_refused_before_anything_is_sent(
    line: Line, endpoint: str, token: str
) -> None:
    broken = Account("broken", line.account.user_id, "secret", token)
    calls = len(line.platform.calls)
    with pytest.raises(LineRefused) as caught:
        CALLS[endpoint](Line(line.platform, line.url, line.client, broken, line.hana), line.client)
    assert (caught.value.status, caught.value.retryable) == (0, False)
    assert len(line.platform.calls) == calls


# ---------------------------------------------------------------- nobody knows


@every_call
@pytest.mark.parametrize("status", [500, 502, 503])
def test_after_a_5xx_nobody_knows(line: Line, endpoint: str, status: int) -> None:
    line.platform.troubles.refuse(endpoint, status)
    with pytest.raises(LineUnsure, match=str(status)):
        CALLS[endpoint](line, line.client)


def test_a_reply_whose_answer_was_lost_may_have_been_delivered(line: Line) -> None:
    token = line.reply_token()
    line.platform.troubles.lose("reply")
    with pytest.raises(LineUnsure):
        line.client.reply(line.token, token, HELLO)
    assert len(line.said) == 1


@every_call
def test_after_a_connection_lost_nobody_knows_and_nothing_is_tried_twice(line: Line, endpoint: str) -> None:
    line.platform.troubles.drop(endpoint)
    calls = len(line.platform.calls_of(endpoint))
    with pytest.raises(LineUnsure, match="ProtocolError"):
        CALLS[endpoint](line, line.client)
    assert len(line.platform.calls_of(endpoint)) == calls + 1


@every_call
def test_after_no_answer_in_time_nobody_knows(line: Line, endpoint: str) -> None:
    hold = line.platform.troubles.hang(endpoint)
    impatient = LineClient(line.url, read=0.1, content=0.1)
    try:
        with pytest.raises(LineUnsure, match="ReadTimeoutError"):
            CALLS[endpoint](line, impatient)
        assert hold.reached.wait(10)
    finally:
        hold.release()


# ---------------------------------------------------------------- no connection


def refused_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@every_call
def test_without_a_connection_nothing_was_sent(line: Line, endpoint: str) -> None:
    with pytest.raises(LineRefused, match="no connection") as caught:
        CALLS[endpoint](line, LineClient(refused_url()))
    assert (caught.value.status, caught.value.retryable) == (0, True)


def test_a_connection_that_takes_too_long_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        # The kernel lets so many wait to be accepted; the next one gets no answer.
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        try:
            with pytest.raises(LineRefused, match="ConnectTimeoutError") as caught:
                LineClient(f"http://127.0.0.1:{listener.getsockname()[1]}", connect=0.1).reply("token", "t", HELLO)
        finally:
            for client in waiting:
                client.close()
    assert caught.value.retryable


@pytest.mark.parametrize("url", ["http://", "http://127.0.0.1:99999", "ftp://127.0.0.1"])
def test_a_base_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(LineRefused) as caught:
        LineClient(url).reply("token", "t", HELLO)
    assert (caught.value.status, caught.value.retryable) == (0, False)


def test_lines_own_hosts_are_the_default_and_a_name_that_cannot_be_resolved_is_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def resolve(host: str, *_: object) -> None:
        asked.append(host)
        raise socket.gaierror("offline")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    client = LineClient()
    for call in (lambda: client.reply("token", "t", HELLO), lambda: client.content("token", "1")):
        with pytest.raises(LineRefused, match="NameResolutionError") as caught:
            call()
        assert caught.value.retryable
    assert asked == ["api.line.me", "api-data.line.me"]


# ---------------------------------------------------------------- answers that no proper server gives


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nnot json!",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\xff\xff",
        b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b'HTTP/1.1 200 OK\r\ncontent-length: 22\r\n\r\n{"sentMessages":[5,{}]}',
        b'HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\n{"sentMessages":"x"}',
        b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + b"[" * 100_000,
        b"HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n" + b"x" * 2_000_000,
        b"HTTP/1.1 409 Conflict\r\ncontent-length: 0\r\n\r\n",
    ],
    ids=range(10),
)
def test_a_success_whose_body_is_lost_is_still_a_success(answer: bytes) -> None:
    with answering(answer) as server:
        assert LineClient(server.url).push("token", "U1", HELLO, key()) == ()


@pytest.mark.parametrize("status", [b"301 Moved", b"307 Temporary Redirect", b"304 Not Modified"])
def test_a_redirect_is_not_followed(status: bytes) -> None:
    head = b"HTTP/1.1 %s\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n" % status
    with answering(head) as server, pytest.raises(LineRefused) as caught:
        LineClient(server.url).reply("token", "t", HELLO)
    assert caught.value.status == int(status[:3])
    assert len([request for request in server.requests if request]) == 1


def test_an_answer_that_is_no_http_leaves_the_outcome_unknown() -> None:
    with answering(b"SSH-2.0-OpenSSH\r\n") as server, pytest.raises(LineUnsure):
        LineClient(server.url).reply("token", "t", HELLO)


def test_content_that_breaks_off_is_not_half_a_photo() -> None:
    with answering(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nhalf") as server, pytest.raises(LineUnsure):
        LineClient(server.url).content("token", "1")


def test_content_larger_than_botkit_takes_is_refused() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 30000000\r\n\r\n"
    with (
        answering(head + b"x" * 20_100_000) as server,
        pytest.raises(LineRefused, match="larger than 20,000,000 bytes"),
    ):
        LineClient(server.url).content("token", "1")


def test_content_that_drips_ends_with_its_time() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\n"
    with answering(head, drip=True) as server, pytest.raises(LineUnsure, match="did not end in time"):
        LineClient(server.url, content=0.2).content("token", "1")


def test_content_without_a_media_type_is_bytes() -> None:
    with answering(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx") as server:
        assert LineClient(server.url).content("token", "1") == Content(b"x", "application/octet-stream")


def test_a_language_told_of_a_member_is_not_taken_for_the_persons() -> None:
    body = b'{"displayName":"Hana","language":"ja"}'
    with answering(
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    ) as server:
        client = LineClient(server.url)
        assert client.profile("token", Chat("user", "U1"), "U1") == Profile("Hana", "ja")
        assert client.profile("token", Chat("group", "C1"), "U1") == Profile("Hana")


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b"3", b"nope", b"", b'{"count":%s}' % (b"9" * 5000)]
    + [b'{"count":%s}' % count for count in (b"null", b'"3"', b"3.0", b"true", b"0", b"-1", b"[3]", b"NaN")],
)
def test_an_answer_without_a_number_of_people_is_none(body: bytes) -> None:
    with (
        answering(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)) as server,
        pytest.raises(LineUnsure, match="the answer holds no number of people"),
    ):
        LineClient(server.url).member_count("token", Chat("group", "C1"))


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"displayName":5}', b"nope"])
def test_a_profile_without_a_name_is_none(body: bytes) -> None:
    with answering(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)) as server:
        assert LineClient(server.url).profile("token", Chat("user", "U1"), "U1") is None


# ---------------------------------------------------------------- the log


def test_the_log_names_the_call_and_no_person(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    line.platform.follow(line.account, line.hana)
    with caplog.at_level(logging.DEBUG, "botkit"):
        CALLS["profile"](line, line.client)
        CALLS["push"](line, line.client)
    first, second = caplog.messages
    assert first.startswith("LINE GET /v2/bot/profile/{user} → 200 (request ")
    assert second.startswith("LINE POST /v2/bot/message/push → 200 (request ")
    for private in (line.hana.user_id, line.token, "From three"):
        assert private not in caplog.text
