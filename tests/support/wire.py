"""HTTP servers on loopback that misbehave in the ways AWS can."""

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T", bound=ThreadingHTTPServer)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.answer(dict(self.headers), body)
        if answer is None:
            self.close_connection = True
            return
        status, content = answer
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


class Canned(ThreadingHTTPServer):
    """Answers with `answers` one after the other, the last one again and again; `bodies` are the requests."""

    def __init__(self, answers: Sequence[tuple[int, Mapping[str, Any] | bytes]]) -> None:
        self.answers = list(answers)
        self.bodies: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, _headers: Mapping[str, str], body: bytes) -> tuple[int, bytes] | None:
        self.bodies.append(json.loads(body))
        status, content = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return status, content if isinstance(content, bytes) else json.dumps(content).encode()


class Lossy(ThreadingHTTPServer):
    """Passes everything on to `upstream`, and loses `times` responses to the operation `loses`, after `skip` of them.

    `before`: it loses the requests instead, so that nothing is done.
    """

    def __init__(self, upstream: str, loses: str, *, skip: int = 0, times: int = 1, before: bool = False) -> None:
        self.before = before
        self.upstream = urlsplit(upstream)
        self.loses = loses
        self.skip = skip
        self.times = times
        self.lost = 0
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes] | None:
        if self.before and self._loses(headers):
            return None
        connection = http.client.HTTPConnection(self.upstream.hostname or "", self.upstream.port)
        try:
            connection.request("POST", "/", body, dict(headers))
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if not self.before and self._loses(headers):
            return None
        return response.status, content

    def _loses(self, headers: Mapping[str, str]) -> bool:
        if self.lost >= self.times or not headers["X-Amz-Target"].endswith(f".{self.loses}"):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.lost += 1
        return True


@contextmanager
def serving(server: T) -> Iterator[T]:
    """Run a server beside the test."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
