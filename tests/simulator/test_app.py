"""The platform's API over HTTP."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3

from botkit.simulator.app import create_app
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving
from tests.simulator.clock import MovableClock

REPLY = "/v2/bot/message/reply"


class Http:
    """A platform and a client that speaks HTTP to it, as its one account."""

    def __init__(self, platform: Platform, url: str) -> None:
        self.platform, self.url = platform, url
        self.account = platform.add_account("concierge")
        self.hana = platform.add_person("Hana")
        self.pool = urllib3.PoolManager(retries=False, timeout=10, maxsize=8)

    def call(self, method: str, path: str, **options: object) -> urllib3.BaseHTTPResponse:
        headers = {"Authorization": f"Bearer {self.account.access_token}"}
        return self.pool.request(method, self.url + path, headers=headers, **options)

    def reply(self, token: str) -> urllib3.BaseHTTPResponse:
        return self.call("POST", REPLY, json={"replyToken": token, "messages": [{"type": "text", "text": "hello"}]})

    def reply_token(self) -> str:
        return self.platform.say(self.account, self.hana, "when?").event["replyToken"]


@pytest.fixture(scope="module")
def http() -> Iterator[Http]:
    platform = Platform(MovableClock())
    with serving(create_app(platform)) as url:
        http = Http(platform, url)
        yield http
        http.pool.clear()


def test_a_call_is_answered_in_json_with_a_request_id(http: Http) -> None:
    response = http.call("GET", "/v2/bot/info")
    assert response.status == 200
    assert response.json()["userId"] == http.account.user_id
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-line-request-id"]


def test_an_unknown_path_is_404_in_lines_shape(http: Http) -> None:
    response = http.call("DELETE", "/v2/bot/nothing?x=1")
    assert (response.status, response.json()) == (404, {"message": "Not found"})
    assert http.platform.calls[-1].path == "/v2/bot/nothing"


def test_an_escaped_slash_stays_within_an_id(http: Http) -> None:
    assert http.call("GET", "/v2/bot/profile/a%2Fb").status == 404
    assert http.platform.calls[-1].endpoint == "profile"


def test_a_body_over_two_megabytes_is_413(http: Http) -> None:
    headers = {"Authorization": f"Bearer {http.account.access_token}", "Content-Type": "application/json"}
    for size, status in ((2_000_000, 400), (2_000_001, 413), (9_000_000, 413)):
        assert http.pool.request("POST", http.url + REPLY, headers=headers, body=b" " * size).status == status


def test_a_reply_token_is_spent_once_however_many_come_at_once(http: Http) -> None:
    token = http.reply_token()
    with ThreadPoolExecutor(8) as threads:
        statuses = [response.status for response in threads.map(http.reply, [token] * 16)]
    assert sorted(statuses) == [200] + [400] * 15


def test_a_dropped_call_ends_without_a_byte(http: Http) -> None:
    http.platform.troubles.drop("reply")
    with pytest.raises(urllib3.exceptions.ProtocolError, match="closed connection without response"):
        http.reply(http.reply_token())
    assert http.call("GET", "/v2/bot/info").status == 200


def test_a_hanging_call_holds_up_no_other_and_is_carried_out_once_released(http: Http) -> None:
    hold = http.platform.troubles.hang("reply")
    said = len(http.platform.chat(http.account, http.hana).answers)
    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(http.reply, http.reply_token())
        try:
            assert hold.reached.wait(10)
            assert http.reply(http.reply_token()).status == 200
            assert len(http.platform.chat(http.account, http.hana).answers) == said + 1
        finally:
            hold.release()
        assert hanging.result(10).status == 200
    assert len(http.platform.chat(http.account, http.hana).answers) == said + 2
