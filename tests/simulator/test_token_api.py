"""The platform issues access tokens as LINE does: by its rules, in its shapes, and for 15 minutes."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from linebot.v3.messaging import ApiClient as MessagingClient
from linebot.v3.messaging import Configuration as MessagingConfiguration
from linebot.v3.messaging import MessagingApi
from linebot.v3.messaging.exceptions import UnauthorizedException
from linebot.v3.oauth import ApiClient, ApiException, ChannelAccessToken, Configuration

from botkit.simulator.api import Answer, Request, handle
from botkit.simulator.app import create_app
from botkit.simulator.chats import Account
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving
from tests.line.facts import fact
from tests.simulator.clock import MINUTE, SECOND, MovableClock

FORM = "application/x-www-form-urlencoded"
INVALID_REQUEST = (400, "invalid_request")
INVALID_CLIENT = (400, "invalid_client")


@pytest.fixture
def platform() -> Platform:
    return Platform(MovableClock(), seed=1)


@pytest.fixture
def account(platform: Platform) -> Account:
    return platform.add_account("concierge")


@pytest.fixture
def url(platform: Platform) -> Iterator[str]:
    with serving(create_app(platform)) as url:
        yield url


def form_of(account: Account, **changes: str | None) -> dict[str, str]:
    right = {"client_id": account.channel_id, "client_secret": account.channel_secret}
    fields = {"grant_type": "client_credentials", **right, **changes}
    return {name: value for name, value in fields.items() if value is not None}


def ask(platform: Platform, body: bytes, headers: Mapping[str, str] = {"content-type": FORM}) -> Answer:
    return handle(platform, Request("POST", "/oauth2/v3/token", headers, body))


def issued(platform: Platform, account: Account) -> str:
    return str(json.loads(ask(platform, urlencode(form_of(account)).encode()).body)["access_token"])


def status_with(platform: Platform, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return handle(platform, Request("GET", "/v2/bot/info", headers)).status


def test_lines_own_sdk_reads_the_token_and_speaks_with_it(platform: Platform, account: Account, url: str) -> None:
    with ApiClient(Configuration(host=url)) as client:
        api = ChannelAccessToken(client)
        got = api.issue_stateless_channel_token_by_client_secret(
            client_id=account.channel_id, client_secret=account.channel_secret
        )
    assert (got.token_type, got.expires_in) == ("Bearer", 900)
    with MessagingClient(MessagingConfiguration(host=url, access_token=got.access_token)) as messaging:
        assert MessagingApi(messaging).get_bot_info().user_id == account.user_id
        platform.clock.sleep(15 * MINUTE)
        with pytest.raises(UnauthorizedException):
            MessagingApi(messaging).get_bot_info()


def test_lines_own_sdk_sees_a_wrong_secret_refused(platform: Platform, account: Account, url: str) -> None:
    with ApiClient(Configuration(host=url)) as client, pytest.raises(ApiException) as caught:
        ChannelAccessToken(client).issue_stateless_channel_token_by_client_secret(
            client_id=account.channel_id, client_secret="0" * 32
        )
    assert (caught.value.status, json.loads(caught.value.body)["error"]) == INVALID_CLIENT


def test_the_answers_are_as_line_describes_them(platform: Platform, account: Account) -> None:
    schemas = yaml.safe_load(fact("openapi", "channel-access-token.yml").read_text("utf-8"))["components"]["schemas"]
    good = json.loads(ask(platform, urlencode(form_of(account)).encode()).body)
    described = schemas["IssueStatelessChannelAccessTokenResponse"]
    assert set(good) == set(described["required"]) == set(described["properties"])
    bad = json.loads(ask(platform, b"").body)
    assert set(bad) == set(schemas["ErrorResponse"]["properties"])


def test_a_token_is_good_for_fifteen_minutes_beside_the_others(platform: Platform, account: Account) -> None:
    first = issued(platform, account)
    platform.clock.sleep(14 * MINUTE)
    second = issued(platform, account)
    assert first != second
    assert [status_with(platform, one) for one in (first, second, account.access_token)] == [200, 200, 200]
    platform.clock.sleep(MINUTE - SECOND)
    assert status_with(platform, first) == 200
    platform.clock.sleep(SECOND)
    assert [status_with(platform, one) for one in (first, second, account.access_token)] == [401, 200, 200]
    assert status_with(platform, "") == 401


def test_a_token_is_that_of_its_account_alone(platform: Platform, account: Account) -> None:
    other = platform.add_account("other")
    assert other.channel_id != account.channel_id
    answer = handle(platform, Request("GET", "/v2/bot/info", {"authorization": f"Bearer {issued(platform, other)}"}))
    assert json.loads(answer.body)["userId"] == other.user_id


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "0" * 32}, INVALID_CLIENT),
        ({"client_id": "2000000000"}, INVALID_CLIENT),
        ({"client_id": ""}, INVALID_REQUEST),
        ({"client_secret": None}, INVALID_REQUEST),
        ({"grant_type": None}, INVALID_REQUEST),
        ({"grant_type": "authorization_code"}, (400, "unsupported_grant_type")),
        ({"client_assertion": "a.signed.jwt"}, INVALID_REQUEST),
    ],
)
def test_a_form_that_is_not_right_is_refused(
    platform: Platform, account: Account, changes: dict[str, str | None], error: tuple[int, str]
) -> None:
    answer = ask(platform, urlencode(form_of(account, **changes)).encode())
    assert (answer.status, json.loads(answer.body)["error"]) == error
    assert platform.tokens == {}


def test_another_accounts_secret_is_refused(platform: Platform, account: Account) -> None:
    other = platform.add_account("other")
    answer = ask(platform, urlencode(form_of(account, client_secret=other.channel_secret)).encode())
    assert (answer.status, json.loads(answer.body)["error"]) == INVALID_CLIENT


@pytest.mark.parametrize("body", [b"", b"\xff", b"grant_type", b"a=1&" * 100])
def test_what_is_no_form_is_refused(platform: Platform, account: Account, body: bytes) -> None:
    assert json.loads(ask(platform, body).body)["error"] == "invalid_request"
    twice = urlencode(form_of(account)).encode() + f"&client_id={account.channel_id}".encode()
    assert json.loads(ask(platform, twice).body)["error"] == "invalid_request"


def test_json_is_refused(platform: Platform, account: Account) -> None:
    answer = ask(platform, json.dumps(form_of(account)).encode(), {"content-type": "application/json"})
    assert (answer.status, json.loads(answer.body)["error"]) == INVALID_REQUEST


def test_what_is_recorded_of_the_call_holds_no_secret(platform: Platform, account: Account) -> None:
    token = issued(platform, account)
    (call,) = platform.calls_of("token")
    assert (call.status, call.account, call.body) == (200, None, None)
    for secret in (token, account.channel_secret):
        assert secret not in repr(call)


def test_the_old_secret_issues_no_more_tokens_once_there_is_a_new_one(platform: Platform, account: Account) -> None:
    new = platform.set_secret(account, "5" * 32)
    assert ask(platform, urlencode(form_of(account)).encode()).status == 400
    assert status_with(platform, issued(platform, new)) == 200


def test_the_channel_id_is_the_same_at_every_start(platform: Platform, account: Account) -> None:
    again: Any = Platform(MovableClock()).add_account("else", user_id=account.user_id)
    assert again.channel_id == account.channel_id
    assert len(account.channel_id) == 10
    assert account.channel_id.isdigit()
