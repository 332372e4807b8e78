"""The stream of what happens, read over HTTP."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

import pytest
import urllib3

from botkit.simulator.page.app import page_app
from botkit.simulator.playground.playground import Notice, Playground
from botkit.simulator.server import serving
from tests.simulator.page.web import BOT, JSON, PATIENCE, Web, opened


class Stream:
    """An open page, as far as the stream goes."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname or "", address.port or 0), timeout=PATIENCE)
        self._socket.sendall(f"GET /sim/stream HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        self._file = self._socket.makefile("rb")
        self.head = list(iter(lambda: self._file.readline().decode().strip().lower(), ""))

    def lines(self) -> Iterator[str]:
        """The lines of the body, until it ends (chunked transfer coding: RFC 9112, section 7.1)."""
        rest = b""
        end = monotonic() + PATIENCE
        while size := int(self._file.readline() or b"0", 16):
            assert monotonic() < end, "nothing but comments has come"
            *whole, rest = (rest + self._file.read(size + 2)[:-2]).split(b"\n")
            yield from (line.decode() for line in whole)

    def notices(self) -> Iterator[JSON]:
        return (json.loads(line.removeprefix("data: ")) for line in self.lines() if line.startswith("data: "))

    def until(self, *expected: Callable[[JSON], bool]) -> list[JSON]:
        """The notices until each of these was true of one, in whichever order."""
        seen: list[JSON] = []
        for notice in self.notices():
            seen.append(notice)
            if all(any(map(one, seen)) for one in expected):
                return seen
        raise AssertionError(f"the stream ended after {seen}")

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def is_state(notice: JSON) -> bool:
    return bool(notice["kind"] == "state")


def is_message(notice: JSON) -> bool:
    return bool(notice["kind"] == "message")


@contextmanager
def page(url: str) -> Iterator[Stream]:
    stream = Stream(url)
    try:
        yield stream
    finally:
        stream.close()


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.chdir(tmp_path)
    with opened(tmp_path) as web:
        yield web


def test_a_page_gets_the_whole_state_first(web: Web) -> None:
    with page(web.url) as stream:
        assert "content-type: text/event-stream; charset=utf-8" in stream.head
        assert "cache-control: no-store" in stream.head
        (first,) = stream.until(is_state)
        assert first["state"]["me"] == web.me
        assert web.state()["version"] > first["state"]["version"]


def test_a_message_and_its_answer_come_at_once_and_in_order(web: Web) -> None:
    with page(web.url) as stream:
        stream.until(is_state)
        event = web.do("say", **web.mine(text="hi"))["event"]
        told = stream.until(is_message)
        assert [(one["kind"], one.get("bot"), one.get("chat")) for one in told] == [
            ("message", "concierge", {"kind": "user", "id": web.me})
        ]
        assert (told[0]["message"]["text"], told[0]["message"]["event"]) == ("hi", event)
        rest = stream.until(
            lambda one: is_message(one) and one["message"]["via"] == "reply" and one["message"]["event"] == event,
            lambda one: one["kind"] == "trace" and (one["bot"], one["event"]) == ("concierge", event),
            lambda one: is_state(one) and one["state"]["chats"][0]["count"] == 2,
        )
        messages = [one["message"] for one in rest if is_message(one)]
        assert [(one["via"], one["read"]) for one in messages] == [("person", True), ("reply", False)]


def test_the_loading_animation_is_told(web: Web) -> None:
    with page(web.url) as stream:
        stream.until(is_state)
        web.do("trouble", name="slow_model", mode="on")
        web.do("say", **web.mine(text="hi"))
        loading = stream.until(lambda one: one["kind"] == "loading")[-1]
        assert (loading["bot"], loading["chat"]["id"]) == ("concierge", web.me)


def test_many_changes_of_the_world_become_few_states(web: Web) -> None:
    with page(web.url) as stream:
        (first,) = stream.until(is_state)
        with web.playground.platform.lock:  # nobody can look before all have come
            for number in range(40):
                web.playground.platform.add_person(f"P{number}")
        states = stream.until(lambda one: len(one["state"]["people"]) == 43)
        assert states[-1]["state"]["version"] > first["state"]["version"]
        name = first["state"]["troubles"][0]["name"]
        web.do("trouble", name=name, mode="on")
        states += stream.until(lambda one: one["state"]["troubles"][0]["mode"] == "on")
        assert len(states) <= 4


def test_every_page_is_told(web: Web) -> None:
    with page(web.url) as one, page(web.url) as other:
        one.until(is_state)
        other.until(is_state)
        web.do("say", **web.mine(text="hi"))
        assert one.until(is_message)[-1] == other.until(is_message)[-1]


def test_a_trouble_that_is_set_shows_on_every_page(web: Web) -> None:
    with page(web.url) as stream:
        (first,) = stream.until(is_state)
        web.do("trouble", name=first["state"]["troubles"][0]["name"], mode="on")
        assert stream.until(is_state)[-1]["state"]["troubles"][0]["mode"] == "on"


class Served:
    """A page whose hub can be looked at."""

    def __init__(self, playground: Playground) -> None:
        self.app = page_app(playground)
        self.hub = self.app.state.hub

    def wait_for(self, pages: int) -> None:
        """Until so many pages are open."""
        until = monotonic() + PATIENCE
        while self.hub.pages != pages:
            assert monotonic() < until, f"{self.hub.pages} pages are open, not {pages}"
            sleep(0.01)


def test_who_asks_for_the_head_of_the_stream_is_no_page(web: Web) -> None:
    answer = urllib3.request("HEAD", f"{web.url}/sim/stream", timeout=5)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert answer.data == b""


def test_a_closed_page_is_forgotten(web: Web) -> None:
    served = Served(web.playground)
    with serving(served.app) as url:
        with page(url) as stream, page(url) as other:
            stream.until(is_state)
            other.until(is_state)
            served.wait_for(2)
            other.close()
            served.wait_for(1)
        served.wait_for(0)


def test_the_server_ends_at_once_with_pages_open(web: Web) -> None:
    with serving(page_app(web.playground)) as url:
        stream = Stream(url)
        stream.until(is_state)
        ending = monotonic()
    try:
        assert monotonic() - ending < 1
        assert list(stream.lines()) == []  # and the response was ended as it should
    finally:
        stream.close()


def test_a_page_that_does_not_read_is_cut_off_and_the_others_go_on(web: Web) -> None:
    served = Served(web.playground)
    text = "x" * 30_000
    with serving(served.app) as url, page(url), page(url) as stream:
        stream.until(is_state)
        served.wait_for(2)
        for number in range(2000):  # 60 MB: more than the system takes for somebody
            served.hub.tell(Notice("webhook", "concierge", event=str(number), text=text))
            assert stream.until(lambda one: one["kind"] == "webhook")[-1]["event"] == str(number)
            if served.hub.pages == 1:
                break
        served.wait_for(1)


def test_what_is_wrong_with_a_file_comes_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with opened(tmp_path) as web, page(web.url) as stream:
        stream.until(is_state)
        (tmp_path / "bots" / "concierge.yaml").write_text(BOT + "modle: x\n", "utf-8")
        bot = next(one["state"]["bots"][0] for one in stream.notices() if one["state"]["problems"])
        assert (bot["stale"], bot["works"], bot["problems"][0]["line"]) == (True, True, 3)
