"""Tokens that LINE issues on demand: one call for all, kept while they last, replaced when LINE takes them no more."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from botkit.errors import LineError, LineRefused, LineUnsure
from botkit.line.bodies import render
from botkit.line.client import LineClient
from botkit.line.tokens import LIFE, Channel, Issued, Tokens
from botkit.messages import Chat, Reply
from botkit.simulator.app import create_app
from botkit.simulator.chats import Account, Person
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving
from tests.line.raw import answering
from tests.simulator.clock import MINUTE, SECOND, MovableClock

HELLO = render(Reply.of("hello"))
SECRET = "s3cr+t of a ch@nnel/33"
# Said aloud that the connection ends, or the next call would at times be made on one that is about to.
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"


@dataclass(frozen=True)
class Line:
    """A platform of its own for each test, and a client whose time is the platform's."""

    platform: Platform
    client: LineClient
    account: Account
    hana: Person

    def issue(self) -> str:
        return self.client.issue_token(self.account.channel_id, self.account.channel_secret)

    def reply(self, token: str) -> None:
        self.client.reply(token, self.platform.say(self.account, self.hana, "hi").event["replyToken"], HELLO)

    def statuses(self, endpoint: str) -> list[int]:
        return [call.status for call in self.platform.calls_of(endpoint)]

    @property
    def said(self) -> list[str]:
        return self.platform.chat(self.account, self.hana).texts


class Server:
    """One server for all tests; each puts a platform of its own behind it."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Server, str]]:
    server = Server()
    with serving(server) as url:
        yield server, url


@pytest.fixture
def line(server: tuple[Server, str]) -> Line:
    platform = Platform(MovableClock())
    server[0].app = create_app(platform)
    client = LineClient(server[1], platform.clock.now, read=10)
    return Line(platform, client, platform.add_account("kind", channel_secret=SECRET), platform.add_person("Hana"))


# ---------------------------------------------------------------- what is kept


def test_a_token_is_asked_for_once_and_serves_until_two_minutes_before_its_end(line: Line) -> None:
    first = line.issue()
    for moved in (0, 7 * MINUTE, 6 * MINUTE - SECOND):
        line.platform.clock.sleep(moved)
        assert line.issue() == first
    line.reply(first)
    line.platform.clock.sleep(SECOND)
    second = line.issue()
    assert second != first
    assert line.statuses("token") == [200, 200]
    line.reply(second)
    assert line.said == ["hello", "hello"]


def test_each_channel_has_tokens_of_its_own(line: Line) -> None:
    other = line.platform.add_account("other")
    mine, theirs = line.issue(), line.client.issue_token(other.channel_id, other.channel_secret)
    assert line.client.issue_token(other.channel_id, other.channel_secret) == theirs
    line.reply(mine)
    with pytest.raises(LineRefused):
        line.reply(theirs)
    assert line.statuses("token") == [200, 200]


def test_threads_that_ask_together_make_one_call(line: Line) -> None:
    hold = line.platform.troubles.hang("token")
    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(line.issue) for _ in range(8)]
        assert hold.reached.wait(10)
        hold.release()
        tokens = {one.result(10) for one in asking}
    assert len(tokens) == 1
    assert line.statuses("token") == [200]


def test_threads_that_ask_together_share_a_failure_and_nobody_keeps_it() -> None:
    asked: list[Channel] = []
    begun, go_on = Event(), Event()

    def ask(channel: Channel) -> Issued:
        asked.append(channel)
        begun.set()
        if len(asked) == 1:
            go_on.wait(10)
            raise LineUnsure("no answer")
        return Issued("token-of-the-second-call", 900)

    tokens, channel = Tokens(ask, lambda: 0), Channel("1", "s")
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(tokens.get, channel)
        assert begun.wait(10)
        others = [pool.submit(tokens.get, channel) for _ in range(3)]
        while sum(one.running() for one in others) < 3:
            pass
        go_on.set()
        errors = [one.exception(10) for one in (first, *others)]
    waited = [error for error in errors if error is not None]
    assert waited
    assert {type(error) for error in waited} == {LineUnsure}
    assert len({id(error) for error in waited}) == len(waited)
    assert tokens.get(channel) == "token-of-the-second-call"
    assert len(asked) == 2


def test_a_bug_in_asking_leaves_nobody_waiting() -> None:
    def ask(_: Channel) -> Issued:
        raise ZeroDivisionError

    tokens = Tokens(ask, lambda: 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            tokens.get(Channel("1", "s"))


@pytest.mark.parametrize(
    ("told", "kept"),
    [(900, 13 * MINUTE), (899, 13 * MINUTE - SECOND), (180, MINUTE), (120, 0), (1, 0), (0, 0), (10**12, 13 * MINUTE)],
)
def test_a_token_is_kept_as_long_as_line_says_and_never_longer_than_its_life(told: int, kept: int) -> None:
    clock, count = MovableClock(), iter(range(1_000))
    tokens = Tokens(lambda _: Issued(f"token-{next(count)}", told), clock.now)
    channel = Channel("1", "s")
    assert tokens.get(channel) == "token-0"
    if kept:
        clock.sleep(kept - 1)
        assert tokens.get(channel) == "token-0"
        clock.sleep(1)
    assert tokens.get(channel) == "token-1"


def test_the_time_that_line_takes_to_issue_it_is_part_of_its_life() -> None:
    clock, count = MovableClock(), iter(range(1_000))

    def ask(_: Channel) -> Issued:
        clock.sleep(5 * SECOND)
        return Issued(f"token-{next(count)}", 900)

    tokens, channel = Tokens(ask, clock.now), Channel("1", "s")
    assert tokens.get(channel) == "token-0"
    clock.sleep(13 * MINUTE - 5 * SECOND)
    assert tokens.get(channel) == "token-1"


def test_a_clock_that_was_set_back_costs_one_call_more(line: Line) -> None:
    token = line.issue()
    line.platform.tokens[token] = line.account.user_id, line.platform.clock.now() - 1
    line.platform.clock.sleep(-60 * MINUTE)
    line.platform.tokens.clear()
    line.reply(line.issue())
    assert line.said == ["hello"]


# ---------------------------------------------------------------- what LINE refuses


def test_a_clear_no_stands_for_half_a_minute(line: Line) -> None:
    wrong = line.account.channel_id, "wrong-secret-of-a-channel"
    for moved, calls in ((0, 1), (29 * SECOND, 1), (SECOND, 2)):
        line.platform.clock.sleep(moved)
        with pytest.raises(LineRefused) as caught:
            line.client.issue_token(*wrong)
        assert (caught.value.status, caught.value.retryable) == (400, False)
        assert "POST /oauth2/v3/token: 400 invalid_client invalid client_id or client_secret" in str(caught.value)
        assert len(line.statuses("token")) == calls
    line.reply(line.issue())


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failure_that_may_pass_is_not_kept(line: Line, status: int) -> None:
    line.platform.troubles.refuse("token", status, "not now")
    with pytest.raises(LineError) as caught:
        line.issue()
    assert caught.value.retryable
    line.reply(line.issue())


def test_where_nobody_listens_nothing_was_sent() -> None:
    with pytest.raises(LineRefused) as caught:
        LineClient("http://127.0.0.1:1").issue_token("2001234567", SECRET)
    assert (caught.value.status, caught.value.retryable) == (0, True)


ANSWERS = {
    "nothing": b"",
    "no JSON": b"<html>",
    "no token": b'{"token_type":"Bearer","expires_in":900}',
    "an empty token": b'{"access_token":"","expires_in":900}',
    "no text": b'{"access_token":7,"expires_in":900}',
    "what no header can hold": b'{"access_token":"a\\r\\nX-Evil: 1","expires_in":900}',
}


@pytest.mark.parametrize("body", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_without_a_token_is_no_token(body: bytes) -> None:
    with answering(HEAD % len(body) + body) as raw, pytest.raises(LineUnsure, match="the answer holds no token"):
        LineClient(raw.url).issue_token("2001234567", SECRET)


@pytest.mark.parametrize("seconds", [b"null", b'"900"', b"-5", b"1e400", b"9.5"])
def test_a_token_whose_life_line_does_not_tell_is_used_and_not_kept(seconds: bytes) -> None:
    body = b'{"access_token":"token-of-unknown-life","expires_in":%s}' % seconds
    with answering(HEAD % len(body) + body) as raw:
        client = LineClient(raw.url)
        assert client.issue_token("1", SECRET) == client.issue_token("1", SECRET) == "token-of-unknown-life"
        assert len(raw.requests) == 2


# ---------------------------------------------------------------- a token that ends before its time


def test_a_call_with_a_token_that_was_revoked_is_made_once_more_with_a_new_one(line: Line) -> None:
    token = line.issue()
    line.platform.tokens.clear()
    line.reply(token)
    assert line.said == ["hello"]
    assert line.statuses("reply") == [401, 200]
    assert line.issue() != token
    assert line.statuses("token") == [200, 200]


def test_who_still_holds_the_old_token_gets_the_new_one_without_another_call(line: Line) -> None:
    token = line.issue()
    line.platform.tokens.clear()
    line.reply(token)
    line.reply(token)
    assert line.statuses("token") == [200, 200]
    assert line.statuses("reply") == [401, 200, 401, 200]


def test_a_token_that_ends_during_a_long_turn_costs_the_answer_nothing(line: Line) -> None:
    token = line.issue()
    line.platform.clock.sleep(13 * MINUTE - 1)
    assert line.issue() == token
    line.platform.clock.sleep(3 * MINUTE)
    line.platform.follow(line.account, line.hana)
    line.client.push(token, line.hana.user_id, HELLO, "1b4e28ba-2fa1-41d2-883f-0016d3cca427")
    assert line.said == ["hello"]


def test_it_is_made_once_more_and_not_again_and_again(line: Line) -> None:
    token = line.issue()
    line.platform.troubles.refuse("reply", 401, "no", times=9)
    with pytest.raises(LineRefused) as caught:
        line.reply(token)
    assert (caught.value.status, caught.value.retryable) == (401, False)
    assert line.statuses("reply") == [401, 401]
    assert line.statuses("token") == [200, 200]


def test_a_token_that_was_not_issued_here_is_refused_as_ever(line: Line) -> None:
    with pytest.raises(LineRefused) as caught:
        line.reply("a-token-of-the-console")
    assert caught.value.status == 401
    assert (line.statuses("reply"), line.statuses("token")) == ([401], [])


def test_where_the_secret_has_changed_the_call_is_refused_and_not_lost(line: Line) -> None:
    token = line.issue()
    line.platform.tokens.clear()
    line.platform.set_secret(line.account, "another-secret-of-it")
    with pytest.raises(LineRefused) as caught:
        line.reply(token)
    assert (caught.value.status, caught.value.retryable) == (401, False)
    assert "no new token: LINE POST /oauth2/v3/token: 400 invalid_client" in str(caught.value)


@pytest.mark.parametrize("trouble", ["refuse", "drop"])
def test_where_no_new_token_can_be_had_now_the_call_was_certainly_not_made(line: Line, trouble: str) -> None:
    """It must never look as if a reply may have been delivered."""
    token = line.issue()
    line.platform.tokens.clear()
    if trouble == "refuse":
        line.platform.troubles.refuse("token", 500)
    else:
        line.platform.troubles.drop("token")
    with pytest.raises(LineRefused) as caught:
        line.reply(token)
    assert (caught.value.status, caught.value.retryable) == (401, True)
    line.reply(token)
    assert line.said == ["hello"]


def test_threads_whose_token_was_revoked_share_the_new_one(line: Line) -> None:
    token = line.issue()
    line.platform.tokens.clear()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: line.reply(token), range(6)))
    assert line.said == ["hello"] * 6
    assert len(line.statuses("token")) == 2


# ---------------------------------------------------------------- what is told


def test_neither_secret_nor_token_is_told_to_anybody(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = line.issue()
    line.reply(token)
    line.platform.troubles.refuse("token", 400, f"bad {SECRET} and s3cr%2Bt+of+a+ch%40nnel%2F33")
    errors = []
    for attempt in (lambda: line.client.issue_token("2001234567", SECRET), lambda: line.reply("x" * 40)):
        with pytest.raises(LineRefused) as caught:
            attempt()
        errors.append(caught.value)
    assert "400 bad … and …" in str(errors[0])
    told = [caplog.text, *map(str, errors), *map(repr, errors), repr(Issued(token, 1)), repr(Channel("1", SECRET))]
    for secret in (SECRET, "ch%40nnel", token):
        assert not any(secret in text for text in told)


def test_the_form_is_as_line_wants_it() -> None:
    body = json.dumps({"access_token": "a-token", "token_type": "Bearer", "expires_in": 899}).encode()
    with answering(HEAD % len(body) + body) as raw:
        LineClient(raw.url).issue_token("2001234567", SECRET)
        (request,) = raw.requests
    top, _, sent = request.partition(b"\r\n\r\n")
    names = {line.split(b":")[0].lower() for line in top.splitlines()[1:]}
    assert top.startswith(b"POST /oauth2/v3/token HTTP/1.1\r\n")
    assert b"content-type: application/x-www-form-urlencoded" in top.lower().splitlines()
    assert b"authorization" not in names
    assert sent == (b"grant_type=client_credentials&client_id=2001234567&client_secret=s3cr%2Bt+of+a+ch%40nnel%2F33")


def test_a_chat_is_asked_about_with_an_issued_token(line: Line) -> None:
    line.platform.follow(line.account, line.hana)
    chat = Chat("user", line.hana.user_id)
    known = line.client.profile(line.issue(), chat, line.hana.user_id)
    assert known is not None
    assert known.name == "Hana"


def test_a_life_is_what_the_platform_gives(line: Line) -> None:
    token = line.issue()
    (_, until) = line.platform.tokens[token]
    assert until - line.platform.clock.now() == LIFE
