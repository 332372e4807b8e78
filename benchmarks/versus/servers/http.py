"""HTTP/1.1 over one event loop, as small as a measurement wants it: the server must cost less than what it serves."""

import asyncio
import json
import sys
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

END_OF_HEAD = b"\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
JSON = "application/json"

STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


class Request(NamedTuple):
    """What was asked. Names of headers are in lower case, and the path has no query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Response(NamedTuple):
    """What is answered, `delay` seconds later."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}
    kind: str = JSON
    delay: float = 0.0


class Service(Protocol):
    """One of the servers; `name` is what its calls are counted under."""

    name: str

    def answer(self, request: Request) -> Response:
        """Answer at once; what takes time is said in the response."""
        ...


@dataclass
class Ledger:
    """How often each thing happened since the last reset; lives as long as the process."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, amount: int = 1) -> None:
        """Count what happened."""
        self.counts[name] += amount


def respond(document: Any, status: int = 200, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """A JSON document as a response."""
    return Response(status, encode(document), headers or {}, **more)


def encode(document: Any) -> bytes:
    """JSON without blanks, as services write it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


class _Head(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    closes: bool


class Connection(asyncio.Protocol):
    """One connection of a client, kept alive until the client closes it; requests are answered one by one."""

    def __init__(self, service: Service, ledger: Ledger) -> None:
        self._service = service
        self._ledger = ledger
        self._received = bytearray()
        self._head: _Head | None = None
        self._is_waiting = False
        self._in, self._out = f"{service.name}.bytes_in", f"{service.name}.bytes_out"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ledger.add(f"{self._service.name}.connections")

    def data_received(self, data: bytes) -> None:
        self._ledger.add(self._in, len(data))
        self._received += data
        self._serve()

    def _serve(self) -> None:
        while not self._is_waiting and (request := self._next()):
            self._answer(request)

    def _answer(self, request: Request) -> None:
        try:
            response = self._service.answer(request)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            response = respond({"message": "the server failed"}, 500)
        closes = request.headers.get("connection", "").lower() == "close"
        if not response.delay:
            self._send(response, closes)
            return
        self._is_waiting = True
        asyncio.get_running_loop().call_later(response.delay, self._send_late, response, closes)

    def _send_late(self, response: Response, closes: bool) -> None:
        self._is_waiting = False
        self._send(response, closes)
        self._serve()

    def _send(self, response: Response, closes: bool) -> None:
        if self._transport.is_closing():
            return
        data = _written(response)
        self._ledger.add(self._out, len(data))
        self._transport.write(data)
        if closes:
            self._transport.close()

    # ---------------------------------------------------------------- reading

    def _next(self) -> Request | None:
        """The next whole request, taken out of what was received."""
        if self._head is None and not self._take_head():
            return None
        assert self._head is not None
        body = self._take_body(self._head.headers)
        if body is None:
            return None
        method, path, headers, _ = self._head
        self._head = None
        return Request(method, path, headers, body)

    def _take_head(self) -> bool:
        end = self._received.find(END_OF_HEAD)
        if end < 0:
            return False
        self._head = _read_head(self._received[:end].decode("latin-1"))
        del self._received[: end + len(END_OF_HEAD)]
        if self._head.headers.get("expect", "").lower() == "100-continue" and not self._received:
            self._transport.write(CONTINUE)
        return True

    def _take_body(self, headers: Mapping[str, str]) -> bytes | None:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._take_chunks()
        length = int(headers.get("content-length", 0))
        if len(self._received) < length:
            return None
        body = bytes(self._received[:length])
        del self._received[:length]
        return body

    def _take_chunks(self) -> bytes | None:
        found, at = _read_chunks(self._received)
        if found is None:
            return None
        del self._received[:at]
        return found


def _read_head(text: str) -> _Head:
    first, *lines = text.split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return _Head(method, target.partition("?")[0], headers, headers.get("connection", "").lower() == "close")


def _read_chunks(data: bytearray) -> tuple[bytes | None, int]:
    """The body, and where it ends; None while it is not whole. Trailers are not expected."""
    body, at = bytearray(), 0
    while (end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:end].split(b";")[0], 16)
        at = end + 2 + size + 2
        if len(data) < at:
            break
        if size == 0:
            return bytes(body), at
        body += data[end + 2 : end + 2 + size]
    return None, 0


def _written(response: Response) -> bytes:
    own = f"content-type: {response.kind}\r\ncontent-length: {len(response.body)}\r\n"
    more = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
    return f"{STATUS_LINES[response.status]}{own}{more}\r\n".encode("latin-1") + response.body
