"""LINE's Messaging API: each reply token is good for one message, and all that is said is kept."""

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import uuid4

from benchmarks.versus.servers.http import Ledger, Request, Response, respond
from botkit.simulator.rules import faults

Document = dict[str, Any]

UNKNOWN_TOKEN: Final = "Authentication failed. Confirm that the access token in the authorization header is valid."


class Refused(Exception):
    """A call that LINE refuses."""

    def __init__(self, status: int, message: str, details: Any = None) -> None:
        self.status = status
        self.document = {"message": message, **({"details": details} if details else {})}
        super().__init__(message)


class Line:
    """LINE's side; lives as long as the process."""

    name = "line"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._routes: tuple[tuple[str, str, re.Pattern[str], Callable[[Document], Response]], ...] = (
            ("POST", "reply", re.compile(r"/v2/bot/message/reply"), self._reply),
            ("POST", "push", re.compile(r"/v2/bot/message/push"), self._push),
            ("POST", "loading", re.compile(r"/v2/bot/chat/loading/start"), _load),
            ("POST", "read", re.compile(r"/v2/bot/chat/markAsRead|/v2/bot/message/markAsRead"), _accept),
            ("GET", "profile", re.compile(r"/v2/bot/(profile|(group|room)/[^/]+/member)/[^/]+"), _profile),
            ("GET", "summary", re.compile(r"/v2/bot/group/[^/]+/summary"), _summary),
            ("GET", "members", re.compile(r"/v2/bot/(group|room)/[^/]+/members/count"), _members),
        )
        self.reset()

    def reset(self) -> None:
        """Forget what was said."""
        self.replies: list[Document] = []
        self._spent: set[str] = set()
        self._sent = int(time.time() * 1000) * 100_000

    def answer(self, request: Request) -> Response:
        """See `Service.answer`."""
        try:
            response = self._answer(request)
        except Refused as refused:
            response = respond(refused.document, refused.status)
        return response._replace(headers={"x-line-request-id": str(uuid4()), **response.headers})

    def _answer(self, request: Request) -> Response:
        for method, name, path, act in self._routes:
            if method == request.method and path.fullmatch(request.path):
                self._ledger.add(f"line.{name}")
                _check_token(request.headers)
                return act(_body(request))
        self._ledger.add("line.unknown")
        raise Refused(404, "Not found")

    def _reply(self, body: Document) -> Response:
        """Send reply message. Its faults are found before the token is spent."""
        token = body.get("replyToken")
        _check([] if isinstance(token, str) and token else [_empty("replyToken")])
        _check(faults(body.get("messages")))
        return self._say(str(token), body, Refused(400, "Invalid reply token"))

    def _push(self, body: Document) -> Response:
        """Send push message. A retry key is good for one message, too."""
        _check([] if isinstance(body.get("to"), str) and body["to"] else [_empty("to")])
        _check(faults(body.get("messages")))
        return self._say(str(body.get("retryKey", uuid4())), body, Refused(409, "The retry key is already accepted"))

    def _say(self, token: str, body: Document, spent: Refused) -> Response:
        if token in self._spent:
            raise spent
        self._spent.add(token)
        texts = [message.get("text", message.get("altText", "")) for message in body["messages"]]
        self.replies.append({"token": token, "texts": texts})
        return respond({"sentMessages": [self._message() for _ in texts]})

    def _message(self) -> Document:
        self._sent += 1
        return {"id": str(self._sent), "quoteToken": uuid4().hex}


def _check_token(headers: Mapping[str, str]) -> None:
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind != "Bearer" or not token.strip():
        raise Refused(401, UNKNOWN_TOKEN)


def _body(request: Request) -> Document:
    """The body of a call, and the retry key of its headers with it."""
    if request.method == "GET":
        return {"userId": request.path.rpartition("/")[2]}
    try:
        found = json.loads(request.body)
    except ValueError:
        raise Refused(400, "The request body could not be parsed as JSON") from None
    if not isinstance(found, dict):
        raise Refused(400, "The request body could not be parsed as JSON")
    key = request.headers.get("x-line-retry-key")
    if key is not None and request.path.endswith("/reply"):
        raise Refused(400, "The header X-Line-Retry-Key is not supported by this endpoint")
    return found | ({"retryKey": key} if key else {})


def _check(found: list[dict[str, str]]) -> None:
    if found:
        raise Refused(400, f"The request body has {len(found)} error(s)", found)


def _empty(name: str) -> dict[str, str]:
    return {"message": "May not be empty", "property": name}


def _load(body: Document) -> Response:
    seconds = body.get("loadingSeconds", 20)
    _check([] if isinstance(body.get("chatId"), str) and body["chatId"] else [_empty("chatId")])
    fault = {"message": "Must be a multiple of 5 between 5 and 60", "property": "loadingSeconds"}
    _check([] if seconds in range(5, 61, 5) else [fault])
    return respond({}, 202)


def _accept(body: Document) -> Response:
    _check([] if body.get("markAsReadToken") or body.get("chat") else [_empty("markAsReadToken")])
    return respond({})


def _profile(body: Document) -> Response:
    return respond({"displayName": "Hana", "language": "ja", **body})


def _summary(body: Document) -> Response:
    return respond({"groupId": "C1", "groupName": "Inn"})


def _members(body: Document) -> Response:
    return respond({"count": 3})
