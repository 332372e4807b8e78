"""LINE without HTTP: the real client over the simulator's API, each call a fault point."""

from collections.abc import Mapping
from typing import Any

from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from botkit.line.client import LineClient
from botkit.simulator.api import Answer, Refusal, Request, handle
from botkit.simulator.platform import Platform
from tests.simulation.fake_dynamodb import Around
from tests.simulation.faults import COMMON, Fault, Nature

ENDPOINTS = {"reply": "reply", "push": "push", "start": "loading", "content": "content", "summary": "group"}


class _Answered(Exception):
    """LINE's own no, which the client sees as an answer and not as an error of the connection."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.status)


class _Response:
    """An answer as urllib3 would give it."""

    def __init__(self, answer: Answer) -> None:
        self.status, self.headers, self._left = answer.status, answer.headers, answer.body

    def read1(self, _size: int) -> bytes:
        data, self._left = self._left, b""
        return data

    def release_conn(self) -> None: ...

    def close(self) -> None: ...


class _Connection:
    """Stands in for urllib3's PoolManager."""

    def __init__(self, platform: Platform, around: Around) -> None:
        self._platform = platform
        self._around = around

    def request(self, method: str, url: str, *, body: bytes | None, headers: Mapping[str, str], **_: Any) -> _Response:
        path = url.removeprefix("line:")
        asked = Request(method, path, {name.lower(): value for name, value in headers.items()}, body or b"")
        name = ENDPOINTS.get(path.rpartition("/")[2], "profile")
        try:
            answer = self._around(f"line.{name}", _NATURES[name], lambda: handle(self._platform, asked), asked)
        except _Answered as error:
            answer = error.answer
        return _Response(answer)


def line_client(platform: Platform, around: Around) -> LineClient:
    """A client as one process holds it."""
    client = LineClient("line:")
    setattr(client, "_pool", _Connection(platform, around))  # noqa: B010  the seam is urllib3's, and not ours to type
    return client


def _error(fault: Fault, n: int) -> Exception:
    """By turns, what can be seen where LINE does not answer as it should."""
    if fault is Fault.ERROR_BEFORE and n % 3 == 0:
        return NewConnectionError(HTTPConnection("line"), "refused")
    if fault is Fault.ERROR_BEFORE and n % 3 == 1:
        return _Answered(Refusal(429, "The API rate limit has been exceeded. Try again later.").answer)
    if fault in (Fault.ERROR_BEFORE, Fault.ERROR_AFTER) and n % 2:
        return _Answered(Refusal(500, "Internal Server Error").answer)
    return ReadTimeoutError(HTTPConnectionPool("line"), "/", "no answer in time")


_NATURES = {
    "reply": Nature(_error, (30, 150), (2000, 4800), (*COMMON, Fault.LATE)),
    "push": Nature(_error, (30, 150), (2000, 4800), (*COMMON, Fault.LATE)),
    **dict.fromkeys(("loading", "content", "group", "profile"), Nature(_error, (20, 90), (1000, 1900))),
}
