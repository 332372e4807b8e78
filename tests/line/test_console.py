"""What an owner asks of LINE, over real HTTP: against the platform, and against servers that answer oddly."""

import gc
import json
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from botkit.errors import LineError, LineRefused, LineUnsure
from botkit.line.console import Account, LineConsole, Quota, Verdict, Webhook, clock_ahead
from botkit.simulator.app import create_app
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving
from tests.line.raw import Raw, answering
from tests.simulator.clock import MovableClock

ADDRESS = "https://bots.example.com/line/concierge"
TOKEN = "channel-access-token-0123456789"

CALLS: dict[str, Callable[[LineConsole], Any]] = {
    "webhook": lambda line: line.webhook(),
    "set_webhook": lambda line: line.set_webhook(ADDRESS),
    "test_webhook": lambda line: line.test_webhook(ADDRESS),
    "account": lambda line: line.account(),
    "quota": lambda line: line.quota(),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@dataclass(frozen=True)
class Line:
    platform: Platform
    url: str


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    platform = Platform(MovableClock())
    with serving(create_app(platform)) as url:
        yield Line(platform, url)


@pytest.fixture
def console(line: Line) -> Iterator[LineConsole]:
    account = line.platform.add_account("concierge", quota=200)
    with LineConsole(account.access_token, line.url) as console:
        yield console


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_left_open() -> Iterator[None]:
    yield
    gc.collect()  # an open socket is told of when it is collected, and pytest makes that a failure


def http(status: int, body: bytes = b"", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d X" % status, b"Content-Length: %d" % len(body), b"X-Line-Request-Id: R-1", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def received(server: Raw) -> int:
    """How many requests came in. (The server's end makes one connection more.)"""
    return sum(bool(request) for request in server.requests)


# ---------------------------------------------------------------- what goes well


def test_an_address_is_set_and_read_back(console: LineConsole) -> None:
    assert console.webhook() is None
    console.set_webhook(ADDRESS)
    assert console.webhook() == Webhook(ADDRESS, active=True)


def test_a_test_gives_lines_verdict(console: LineConsole) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/line/concierge"
        assert console.test_webhook(address) == Verdict(False, 0, "COULD_NOT_CONNECT", f"Connection failed: {address}")


def test_an_account_is_known_by_its_token(line: Line, console: LineConsole) -> None:
    known = line.platform.account_named("concierge")
    found = console.account()
    assert known is not None
    assert found.ahead is not None
    assert abs(found.ahead) < 2  # one machine, one clock
    assert found == Account(
        known.user_id, "@" + known.user_id[1:9], "concierge", chat_mode="bot", read_mode="auto", ahead=found.ahead
    )


def test_the_quota_is_what_may_be_pushed_and_what_was(line: Line, console: LineConsole) -> None:
    assert console.quota() == Quota(200, 0)
    account = line.platform.account_named("concierge")
    assert account is not None
    line.platform.count_push(account, 7)
    line.platform.set_quota(account, None)
    assert console.quota() == Quota(None, 7)


# ---------------------------------------------------------------- what does not


def test_a_token_that_line_does_not_know_is_refused_with_its_words_and_the_request_id(line: Line) -> None:
    with LineConsole(TOKEN, line.url) as console, pytest.raises(LineRefused) as caught:
        console.account()
    assert caught.value.status == 401
    assert str(caught.value).startswith("LINE GET bot info: 401 Authentication failed. ")
    assert "(request " in str(caught.value)
    assert not caught.value.retryable


@every_call
def test_a_token_that_no_header_can_carry_is_not_sent_and_not_shown(call: Callable[[LineConsole], Any]) -> None:
    for token in ("", f"{TOKEN}\nX-Header: 1", f"{TOKEN} ", "トークン"):
        with (
            answering(http(200)) as server,
            LineConsole(token, server.url) as console,
            pytest.raises(LineRefused) as caught,
        ):
            call(console)
        assert caught.value.status == 0
        assert received(server) == 0
        assert not token or token not in str(caught.value)


@every_call
@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_a_status_is_a_refusal_or_unsure(call: Callable[[LineConsole], Any], status: int) -> None:
    body = json.dumps(
        {"message": f"no {TOKEN}", "details": [{"property": "endpoint", "message": "bad\nline"}]}
    ).encode()
    with answering(http(status, body)) as server, LineConsole(TOKEN, server.url) as console:
        if status == 404 and call is CALLS["webhook"]:
            assert call(console) is None
            return
        with pytest.raises(LineError) as caught:
            call(console)
    assert f"{status} no … endpoint: bad line (request R-1)" in str(caught.value)
    assert received(server) == 1
    assert isinstance(caught.value, LineUnsure) is (status >= 500)
    assert caught.value.retryable is (status >= 500 or status == 429)


@every_call
def test_a_token_is_in_no_traceback(call: Callable[[LineConsole], Any]) -> None:
    body = json.dumps({"message": f"no {TOKEN}"}).encode()
    with answering(http(400, body)) as server, LineConsole(TOKEN, server.url) as console:
        with pytest.raises(LineRefused) as caught:
            call(console)
        assert TOKEN not in "".join(traceback.format_exception(caught.value))
        assert TOKEN not in repr(console)


@every_call
@pytest.mark.parametrize(
    ("answer", "bodiless"),
    [
        (http(200, b"no json"), True),
        (http(200, b"[]"), True),
        (http(200, b"{}"), True),
        (http(200, b"null"), True),
        (http(200, b"[" * 100_000), True),
        (http(200, b"\xff\xfe"), False),
        (http(200, b"{}", b"Content-Type: text/html; charset=klingon"), False),
        (http(500, b"\xff"), False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", False),
        (b"nonsense\r\n\r\n", False),
        (b"", False),
    ],
    ids=["text", "list", "empty", "null", "deep", "bytes", "charset", "bytes of a 500", "cut", "no http", "nothing"],
)
def test_an_answer_that_is_none_of_lines_leaves_it_unsure(
    call: Callable[[LineConsole], Any], answer: bytes, bodiless: bool
) -> None:
    with answering(answer) as server, LineConsole(TOKEN, server.url) as console:
        if bodiless and call is CALLS["set_webhook"]:
            call(console)  # LINE's answer to it says nothing but its status
            return
        with pytest.raises(LineUnsure) as caught:
            call(console)
    assert received(server) == 1
    assert len(str(caught.value)) < 200


def test_a_redirect_is_not_followed_so_the_token_goes_nowhere_else(line: Line) -> None:
    before = len(line.platform.calls)
    location = f"Location: {line.url}/v2/bot/info".encode()
    with (
        answering(http(302, b"", location)) as server,
        LineConsole(TOKEN, server.url) as console,
        pytest.raises(LineRefused) as caught,
    ):
        console.account()
    assert caught.value.status == 302
    assert len(line.platform.calls) == before


@every_call
def test_where_nobody_listens_nothing_was_sent(call: Callable[[LineConsole], Any]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with LineConsole(TOKEN, url) as console, pytest.raises(LineRefused) as caught:
            call(console)
    assert (caught.value.status, caught.value.retryable) == (0, True)


@pytest.mark.parametrize("url", ["nonsense", "http://", "line://x", "https://127.0.0.1:1/"])
def test_an_address_that_leads_nowhere_is_refused(url: str) -> None:
    with LineConsole(TOKEN, url) as console, pytest.raises(LineRefused) as caught:
        console.account()
    assert caught.value.status == 0


def test_a_server_without_a_certificate_gets_no_token(line: Line) -> None:
    before = len(line.platform.calls)
    with LineConsole(TOKEN, line.url.replace("http://", "https://")) as console, pytest.raises(LineRefused) as caught:
        console.account()
    assert (caught.value.status, len(line.platform.calls)) == (0, before)


@every_call
def test_a_silent_server_is_waited_for_only_so_long_and_asked_once(call: Callable[[LineConsole], Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with (
            LineConsole(TOKEN, url, read=0.2, test_read=0.2) as console,
            pytest.raises(LineUnsure, match="ReadTimeout"),
        ):
            call(console)
        assert time.monotonic() - began < 2
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):  # no second connection: nothing is tried twice
            silent.accept()


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        ("Sun, 22 Nov 2026 12:00:00 GMT", -0.5),
        ("Sun, 22 Nov 2026 11:59:00 GMT", 59.5),
        ("Sun, 22 Nov 2026 21:00:00 +0900", -0.5),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_how_far_a_clock_is_ahead(date: str | None, ahead: float | None) -> None:
    assert clock_ahead(date, 1_795_348_800.0) == ahead
