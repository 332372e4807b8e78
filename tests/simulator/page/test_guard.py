"""Who may use the page."""

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from botkit.simulator.page.guard import POLICY, Guard
from botkit.simulator.server import serving

JSON = {"content-type": "application/json"}


def _yes(request: Request) -> JSONResponse:
    return JSONResponse({"ok": True})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = Starlette(routes=[Route("/{path:path}", _yes, methods=["GET", "POST", "PUT"])])
    with serving(Guard(app)) as url:
        yield urlsplit(url).port or 0


def ask(port: int, method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers={"Host": f"127.0.0.1:{port}", **headers})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:{port}", "[::1]:{port}", "127.0.0.1:80"])
def test_names_that_lead_only_to_this_machine_are_let_in(port: int, host: str) -> None:
    assert ask(port, "GET", "/sim/state", {"Host": host.format(port=port)})[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example/127.0.0.1",
        "localhost@evil.example",
        "127.0.0.2",
        "192.168.0.7:{port}",
        "[::2]",
        "localhost:",
        "",
    ],
)
def test_any_other_name_is_refused_as_rebinding_would_use_it(port: int, host: str) -> None:
    status, headers, body = ask(port, "GET", "/", {"Host": host.format(port=port)})
    assert status == 403
    assert body == '{"error":"This page answers only to this machine; open it as 127.0.0.1 or localhost."}'
    assert headers["content-security-policy"] == POLICY


def test_the_page_itself_may_do_things(port: int) -> None:
    own = {"Origin": f"http://localhost:{port}", "Host": f"localhost:{port}", "Sec-Fetch-Site": "same-origin"}
    assert ask(port, "POST", "/sim/do/say", {**JSON, **own})[0] == 200
    assert ask(port, "POST", "/sim/do/say", {"Content-Type": "application/json; charset=utf-8"})[0] == 200


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://localhost:{port}", "http://127.0.0.1:1", "https://127.0.0.1:{port}", "null", ""],
)
def test_another_origin_may_not(port: int, origin: str) -> None:
    status, _, body = ask(port, "POST", "/sim/do/say", {**JSON, "Origin": origin.format(port=port)})
    assert (status, "another origin" in body) == (403, True)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_could_send_is_refused(port: int, kind: str) -> None:
    status, _, body = ask(port, "POST", "/sim/do/say", {"Content-Type": kind})
    assert (status, "Content-Type: application/json" in body) == (403, True)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/sim/state"), ("GET", "/sim/stream"), ("POST", "/sim/do/say")])
def test_another_site_can_ask_for_nothing(port: int, site: str, method: str, path: str) -> None:
    headers = {**JSON, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}
    assert ask(port, method, path, headers)[0] == 403


VISIT = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize(
    ("method", "path", "changed", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/", {"Sec-Fetch-Site": "none"}, 200),
        ("GET", "/", {"Sec-Fetch-Dest": "iframe"}, 403),
        ("GET", "/", {"Sec-Fetch-Mode": "no-cors"}, 403),
        ("GET", "/sim/state", {}, 403),
        ("GET", "/sim/media/1", {}, 403),
        ("POST", "/", {}, 403),
    ],
)
def test_a_link_elsewhere_may_open_the_page_and_nothing_else(
    port: int, method: str, path: str, changed: dict[str, str], status: int
) -> None:
    assert ask(port, method, path, {**JSON, **VISIT, **changed})[0] == status


def test_every_answer_carries_the_pages_safety(port: int) -> None:
    headers = ask(port, "GET", "/", {})[1]
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
