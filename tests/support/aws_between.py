"""Stands between botkit and ministack: sees every call to AWS, and answers some in AWS's place."""

import http.client
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

S3_PARTS = {
    "publicAccessBlock": "PublicAccessBlock",
    "encryption": "BucketEncryption",
    "policy": "BucketPolicy",
    "lifecycle": "BucketLifecycleConfiguration",
}


@dataclass
class Call:
    """A call to AWS: its operation as AWS names it, and what was sent."""

    operation: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def asked(self) -> dict[str, str]:
        """The parameters of a call whose body is a form."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    def with_template(self, change: Callable[[Any], None]) -> "Call":
        """The same call with another template."""
        asked = parse_qsl(self.body.decode(), keep_blank_values=True)
        template = json.loads(dict(asked)["TemplateBody"])
        change(template)
        body = urlencode([(name, json.dumps(template) if name == "TemplateBody" else text) for name, text in asked])
        return Call(self.operation, self.method, self.path, self.headers, body.encode())


Answer = tuple[int, bytes]
"""A status, and a body."""


@dataclass
class Between:
    """What is done with calls, by operation. Lives as long as a test; `calls` are all that came.

    `answers`: these, and AWS is not asked; `lost`: AWS is asked, and its answer never arrives, so many times;
    `changed`: the call is changed on its way; `read`: the answer is.
    """

    upstream: str
    calls: list[Call] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    changed: dict[str, Callable[[Call], Call]] = field(default_factory=dict)
    read: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    url: str = ""

    @property
    def operations(self) -> list[str]:
        return [call.operation for call in self.calls]

    def answer(self, call: Call) -> tuple[int, bytes, Mapping[str, str]] | None:
        self.calls.append(call)
        if call.operation in self.answers:
            return *self.answers[call.operation], {}
        status, body, headers = self._pass_on(self.changed.get(call.operation, lambda same: same)(call))
        if self.lost.get(call.operation, 0):
            self.lost[call.operation] -= 1
            return None
        return status, self.read.get(call.operation, lambda same: same)(body), headers

    def _pass_on(self, call: Call) -> tuple[int, bytes, Mapping[str, str]]:
        where = urlsplit(self.upstream)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        headers = {**call.headers, "Host": where.netloc, "Content-Length": str(len(call.body))}
        try:
            connection.request(call.method, call.path, call.body, headers)
            response = connection.getresponse()
            return response.status, response.read(), dict(response.headers)
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    between: Between

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.title(): text for name, text in self.headers.items()}
        found = self.between.answer(
            Call(_operation(self.command, self.path, headers, body), self.command, self.path, headers, body)
        )
        if found is None:
            self.close_connection = True
            return
        status, content, answered = found
        self.send_response(status)
        for name, text in answered.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, text)
        length = answered.get("content-length", "0") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


def _operation(method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
    if target := headers.get("X-Amz-Target"):
        return target.rpartition(".")[2]
    if action := re.search(rb"(?:^|&)Action=(\w+)", body):
        return action[1].decode()
    where = urlsplit(path)
    if part := next((words for name, words in S3_PARTS.items() if name in where.query), ""):
        return f"{method.title()}{part}"
    what = "Object" if where.path.count("/") > 1 else "Bucket"
    if "X-Amz-Copy-Source" in headers:
        return "CopyObject"
    return {("PUT", "Bucket"): "CreateBucket"}.get((method, what), f"{method.title()}{what}")


@contextmanager
def between(upstream: str) -> Iterator[Between]:
    """Run one beside the test."""
    made = Between(upstream)
    handler = type("Handler", (_Handler,), {"between": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def denied(action: str) -> Answer:
    """What AWS says to who may not, in each of its ways to say it."""
    text = f"User: arn:aws:iam::000000000000:user/hana is not authorized to perform: {action} on resource: x"
    return refusal("AccessDenied", text, 403)


def refusal(code: str, text: str = "no", status: int = 400) -> Answer:
    """An error as AWS's query protocol and S3 have it."""
    inner = f"<Code>{code}</Code><Message>{text}</Message>"
    return status, f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>{inner}</ErrorResponse>".encode()


def json_refusal(code: str, status: int = 400) -> Answer:
    """An error as AWS's JSON protocol has it."""
    return status, json.dumps({"__type": f"com.amazonaws#{code}", "message": "no"}).encode()
