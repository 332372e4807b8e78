"""What a bot's owner asks of LINE, as the platform answers it: the webhook's address, and LINE's test of it."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest
from linebot.v3.messaging import (
    BotInfoResponse,
    GetWebhookEndpointResponse,
    MessageQuotaResponse,
    QuotaConsumptionResponse,
)
from linebot.v3.messaging import TestWebhookEndpointResponse as WebhookTestResponse  # pytest takes Test… for a test
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from botkit.line.signature import sign
from botkit.simulator.api import Answer, Request, handle
from botkit.simulator.chats import Account
from botkit.simulator.platform import Platform
from botkit.simulator.records import Record
from botkit.simulator.server import serving
from tests.line.facts import FOLDER
from tests.line.openapi import mistakes
from tests.simulator.clock import MovableClock

ENDPOINT = "/v2/bot/channel/webhook/endpoint"
TEST = "/v2/bot/channel/webhook/test"
ADDRESS = "https://bots.example.com/line/concierge"


@dataclass
class Line:
    """A platform with one account, and its API called without a network."""

    platform: Platform
    account: Account

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> Answer:
        headers = {"authorization": f"Bearer {token or self.account.access_token}", "content-type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        return handle(self.platform, Request(method, path, headers, content))

    def set(self, address: object) -> Answer:
        return self.call("PUT", ENDPOINT, {"endpoint": address})

    def test(self, address: object = None) -> dict[str, Any]:
        answer = self.call("POST", TEST, None if address is None else {"endpoint": address})
        assert answer.status == 200
        return dict(json.loads(answer.body))


@dataclass
class Bot:
    """A bot behind HTTP: it notes what comes, and answers as it is told."""

    url: str = ""
    seen: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    answer: Callable[[], Response] = lambda: Response("{}")

    async def __call__(self, request: HttpRequest) -> Response:
        self.seen.append((dict(request.headers), await request.body()))
        return await run_in_threadpool(self.answer)


@pytest.fixture(scope="module")
def server() -> Iterator[Bot]:
    bot = Bot()
    with serving(Starlette(routes=[Route("/line/{name}", bot.__call__, methods=["POST"])])) as base:
        bot.url = f"{base}/line/concierge"
        yield bot


@pytest.fixture
def bot(server: Bot) -> Bot:
    server.seen.clear()
    server.answer = lambda: Response("{}")
    return server


@pytest.fixture
def line() -> Line:
    platform = Platform(MovableClock(), seed=1)
    return Line(platform, platform.add_account("concierge"))


def faults(model: Any, answer: Answer) -> list[str]:
    """What is wrong with an answer, by the SDK's model of it and, where it is here, by LINE's description."""
    document = json.loads(answer.body)
    read = model.from_dict(document)
    assert read is not None
    return mistakes(document, model.__name__) if FOLDER.exists() else []


def test_there_is_no_address_until_one_is_set(line: Line) -> None:
    assert line.call("GET", ENDPOINT).status == 404
    assert line.call("POST", TEST).status == 404


def test_the_address_is_the_one_that_was_set(line: Line) -> None:
    answer = line.set(ADDRESS)
    assert (answer.status, answer.body) == (200, b"{}")
    answer = line.call("GET", ENDPOINT)
    assert json.loads(answer.body) == {"endpoint": ADDRESS, "active": True}
    assert faults(GetWebhookEndpointResponse, answer) == []


def test_setting_an_address_does_not_switch_it_on(line: Line) -> None:
    line.platform.use_webhook(line.account, active=False)
    line.set(ADDRESS)
    assert json.loads(line.call("GET", ENDPOINT).body)["active"] is False


@pytest.mark.parametrize(
    "address",
    [
        "http://bots.example.com/line/concierge",
        "https:///line/concierge",
        "https://[/line/concierge",
        "ftp://127.0.0.1/",
        "nonsense",
        "https://bots.example.com/" + "x" * 476,
        7,
        None,
    ],
)
def test_an_address_that_line_cannot_call_is_refused(line: Line, address: object) -> None:
    answer = line.call("PUT", ENDPOINT, {"endpoint": address})
    assert (answer.status, json.loads(answer.body)) == (400, {"message": "Invalid webhook endpoint URL"})
    assert line.call("GET", ENDPOINT).status == 404


def test_five_hundred_characters_are_taken(line: Line) -> None:
    assert line.set("https://bots.example.com/" + "x" * 475).status == 200


@pytest.mark.parametrize("body", [b"", b"[]", b"no json"])
def test_a_body_that_is_no_object_is_refused(line: Line, body: bytes) -> None:
    headers = {"authorization": f"Bearer {line.account.access_token}", "content-type": "application/json"}
    assert handle(line.platform, Request("PUT", ENDPOINT, headers, body)).status == 400


@pytest.mark.parametrize(("method", "path"), [("GET", ENDPOINT), ("PUT", ENDPOINT), ("POST", TEST)])
def test_a_wrong_token_is_401(line: Line, method: str, path: str) -> None:
    assert line.call(method, path, {"endpoint": ADDRESS}, token="wrong").status == 401


def test_the_settings_of_an_account_are_kept(line: Line) -> None:
    kept: list[Record] = []
    line.platform.watch(kept.append)
    line.set(ADDRESS)
    line.platform.use_webhook(line.account, active=False)
    again = Platform(MovableClock())
    again.restore(kept)
    account = again.accounts[line.account.user_id]
    assert (account.webhook, account.webhook_active) == (ADDRESS, False)
    assert account == line.account


# ---------------------------------------------------------------- the test


def test_a_test_calls_the_bot_with_no_events_signed(line: Line, bot: Bot) -> None:
    line.set(bot.url)
    assert line.test() == {
        "success": True,
        "timestamp": "2026-09-21T14:13:20.000Z",
        "statusCode": 200,
        "reason": "OK",
        "detail": "200",
    }
    ((headers, body),) = bot.seen
    assert json.loads(body) == {"destination": line.account.user_id, "events": []}
    assert headers["x-line-signature"] == sign(line.account.channel_secret, body)


def test_an_address_in_the_request_is_tested_instead_and_not_set(line: Line, bot: Bot) -> None:
    line.set(ADDRESS)
    assert line.test(bot.url)["success"] is True
    assert json.loads(line.call("GET", ENDPOINT).body)["endpoint"] == ADDRESS


def test_a_test_goes_through_while_the_webhook_is_off(line: Line, bot: Bot) -> None:
    line.platform.use_webhook(line.account, active=False)
    assert line.test(bot.url)["success"] is True


@pytest.mark.parametrize("status", [204, 299])
def test_any_2xx_is_a_success(line: Line, bot: Bot, status: int) -> None:
    bot.answer = lambda: Response(status_code=status)
    assert (line.test(bot.url)["success"], line.test(bot.url)["statusCode"]) == (True, status)


@pytest.mark.parametrize("status", [301, 401, 404, 503])
def test_another_status_is_told(line: Line, bot: Bot, status: int) -> None:
    bot.answer = lambda: Response(status_code=status)
    found = line.test(bot.url)
    expected = (False, status, "ERROR_STATUS_CODE", str(status))
    assert (found["success"], found["statusCode"], found["reason"], found["detail"]) == expected


def test_redirects_are_not_followed(line: Line, bot: Bot) -> None:
    bot.answer = lambda: RedirectResponse(bot.url)
    assert line.test(bot.url)["statusCode"] == 307
    assert len(bot.seen) == 1


def test_where_nobody_listens_there_is_no_connection(line: Line) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/line/concierge"
        found = line.test(address)
    assert (found["success"], found["statusCode"], found["reason"]) == (False, 0, "COULD_NOT_CONNECT")
    assert found["detail"] == f"Connection failed: {address}"


def test_without_a_certificate_there_is_no_connection(line: Line, bot: Bot) -> None:
    found = line.test(bot.url.replace("http://", "https://"))
    assert (found["reason"], found["detail"][:21]) == ("COULD_NOT_CONNECT", "TLS handshake failure")


def test_two_seconds_are_waited_and_the_platform_goes_on_meanwhile(line: Line, bot: Bot) -> None:
    released = Event()

    def hang() -> Response:
        released.wait(30)
        return Response("{}")

    bot.answer = hang
    with ThreadPoolExecutor() as pool:
        test = pool.submit(line.test, bot.url)
        assert line.call("GET", "/v2/bot/info").status == 200
        assert not test.done()
        found = test.result(20)
        released.set()
    assert (found["success"], found["statusCode"], found["reason"]) == (False, 0, "REQUEST_TIMEOUT")


def test_what_a_test_answers_is_as_line_describes_it(line: Line, bot: Bot) -> None:
    for address in (bot.url, bot.url.replace("http://", "https://")):
        assert faults(WebhookTestResponse, line.call("POST", TEST, {"endpoint": address})) == []


def test_an_account_s_facts_are_as_line_describes_them(line: Line) -> None:
    answer = line.call("GET", "/v2/bot/info")
    assert faults(BotInfoResponse, answer) == []
    assert json.loads(answer.body)["chatMode"] == "bot"
    line.platform.set_read_mode(line.account, "manual")
    assert json.loads(line.call("GET", "/v2/bot/info").body)["chatMode"] == "chat"
    assert faults(MessageQuotaResponse, line.call("GET", "/v2/bot/message/quota")) == []
    assert faults(QuotaConsumptionResponse, line.call("GET", "/v2/bot/message/quota/consumption")) == []
