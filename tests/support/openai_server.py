"""A stand-in for OpenAI on loopback that refuses what OpenAI refuses, in OpenAI's own shape."""

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Literal

from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from botkit.models.known import CONTEXT_TOKENS, base_model
from botkit.models.tokens import count_tokens
from botkit.simulator.server import serving
from tests.support.openai_errors import Refusal, error_response
from tests.support.openai_media import (
    check_content,
    check_moderation,
    check_recording,
    findings,
    form_of,
    images_of,
    words_of,
)

Body = dict[str, Any]
Words = str | Callable[[Body], str]
Act = Callable[[Body], Response]
Place = Literal["chat", "audio", "moderation"]

FIELDS = frozenset(CompletionCreateParamsNonStreaming.__annotations__)
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
REASONING = ("o1", "o3", "o4", "gpt-5")


@dataclass(frozen=True)
class Seen:
    """A request that arrived, good or bad. Header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    connection: int  # the caller's port: the same for requests over one connection


@dataclass
class OpenAIServer:
    """Lives as long as its `with` block. What is said and what goes wrong is a queue for each place, in order.

    With an empty queue it echoes the last message, hears "hello", and finds only the words (and the bytes of
    photos) that are `banned`. `windows`: context tokens by model; others do not exist. `requests` are those for
    chat completions, `recordings` and `judged` the others; of a recording the body is the form's fields.
    """

    key: str = "sk-proj-loopback-0123456789-WXYZ"
    windows: dict[str, int] = field(default_factory=lambda: dict(CONTEXT_TOKENS))
    requests: list[Seen] = field(default_factory=list)
    recordings: list[Seen] = field(default_factory=list)
    judged: list[Seen] = field(default_factory=list)
    banned: set[str] = field(default_factory=set)
    url: str = ""
    _queues: dict[Place, deque[Act]] = field(
        default_factory=lambda: {"chat": deque(), "audio": deque(), "moderation": deque()}
    )
    _released: Event = field(default_factory=Event)
    _arrived: Event = field(default_factory=Event)

    def say(self, words: Words) -> None:
        """Answer with these words, or with what a function makes of the request's body."""
        self._act("chat", lambda body: completion(body, words(body) if callable(words) else words))

    def answer(self, words: str | None, finish_reason: str = "stop", refusal: str | None = None) -> None:
        """Answer with a message of this shape: blank, refused, filtered or cut."""
        self._act("chat", lambda body: completion(body, words, finish_reason, refusal))

    def omit_usage(self, words: str) -> None:
        """Answer as servers do that count no tokens."""
        self._act("chat", lambda body: completion(body, words, usage=False))

    def hear(self, words: str) -> None:
        """Write the next recording down as these words."""
        self._act("audio", lambda body: JSONResponse({"text": words}))

    def find(self, *categories: str) -> None:
        """Find these categories in what is judged next; none: it is harmless."""
        self._act("moderation", lambda body: JSONResponse(findings(body, *categories)))

    def fail(self, status: int, message: str = "Something failed.", at: Place = "chat", **error: Any) -> None:
        """Answer with OpenAI's error object; `kind`, `code`, `param`, `headers` as in `error_response`."""
        self._act(at, lambda body: error_response(status, message, **error))

    def send(self, status: int, content: Any, headers: Mapping[str, str] | None = None, at: Place = "chat") -> None:
        """Answer with this body: a str is HTML, all else JSON."""
        if isinstance(content, str):
            self._act(at, lambda body: HTMLResponse(content, status, headers))
        else:  # in ASCII: only so can JSON carry half a surrogate pair
            self._act(at, lambda body: Response(json.dumps(content), status, headers, "application/json"))

    def hang(self, at: Place = "chat") -> None:
        """Say nothing until `release` (or the end of the block), and then what is said with an empty queue."""
        released = self._released
        self._act(at, lambda body: Hanging(released, self._default(at)(body)))

    def trickle(self) -> None:
        """Send a blank every 20 ms until `release`, and then echo; some servers keep connections open like this."""
        released = self._released
        self._act("chat", lambda body: Trickling(released, echo(body)))

    def drop(self, at: Place = "chat") -> None:
        """Break the connection off in the middle of the answer."""
        self._act(at, lambda body: Broken())

    def release(self) -> None:
        """Let go of all that was asked to hang or trickle so far."""
        self._released.set()
        self._released = Event()

    def reset(self) -> None:
        """Forget what was asked for and what arrived, for the next test."""
        self.release()
        for waiting in (*self._queues.values(), self.requests, self.recordings, self.judged, self.banned):
            waiting.clear()
        self._arrived.clear()
        self.key = OpenAIServer.key

    def wait_for_request(self, timeout: float = 5) -> bool:
        """Whether a request has arrived, waiting at most `timeout` seconds."""
        return self._arrived.wait(timeout)

    async def complete(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        body = parsed(await request.body())
        self.requests.append(seen(request, body))
        self._arrived.set()
        return await self._answer(request, "chat", body, lambda: check_body(body, self.windows))

    async def transcribe(self, request: Request) -> Response:
        """POST /v1/audio/transcriptions."""
        try:
            form = form_of(request.headers.get("content-type", ""), await request.body())
        except Refusal as refusal:
            return refusal.response
        self.recordings.append(seen(request, form))
        return await self._answer(request, "audio", form, lambda: check_recording(form))

    async def moderate(self, request: Request) -> Response:
        """POST /v1/moderations."""
        body = parsed(await request.body())
        self.judged.append(seen(request, body))
        return await self._answer(request, "moderation", body, lambda: check_moderation(body))

    async def _answer(self, request: Request, place: Place, body: Any, check: Callable[[], None]) -> Response:
        try:
            self._admit(request.headers.get("authorization", ""))
            check()
        except Refusal as refusal:
            return refusal.response
        waiting = self._queues[place]
        act = waiting.popleft() if waiting else self._default(place)
        return await run_in_threadpool(act, body)

    def _act(self, place: Place, act: Act) -> None:
        self._queues[place].append(act)

    def _default(self, place: Place) -> Act:
        acts: dict[Place, Act] = {
            "chat": echo,
            "audio": lambda body: JSONResponse({"text": "hello"}),
            "moderation": lambda body: JSONResponse(findings(body, *self._found(body["input"]))),
        }
        return acts[place]

    def _found(self, judged: Any) -> list[str]:
        parts = [{"type": "text", "text": one} if isinstance(one, str) else one for one in judged]
        everything = [words_of(parts).encode(), *images_of(parts)]
        return ["violence"] if any(word.encode() in one for word in self.banned for one in everything) else []

    def _admit(self, authorization: str) -> None:
        key = authorization.removeprefix("Bearer ")
        if not authorization.startswith("Bearer ") or not key:
            raise Refusal(
                401, "You didn't provide an API key. You need to provide your API key in an Authorization header"
            )
        if key != self.key:
            text = f"Incorrect API key provided: {masked(key)}. You can find your API key at "
            raise Refusal(401, text + "https://platform.openai.com/account/api-keys.", code="invalid_api_key")


def parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def seen(request: Request, body: Any) -> Seen:
    port = request.client.port if request.client else 0
    return Seen(request.method, request.url.path, dict(request.headers), body, port)


def masked(key: str) -> str:
    """A key as OpenAI echoes it: its ends in the clear."""
    return key[:8] + "*" * max(3, len(key) - 12) + key[-4:]


def check_body(body: Any, windows: Mapping[str, int]) -> None:
    """OpenAI's rules for a request's body, in about the order OpenAI checks them."""
    if not isinstance(body, dict):
        raise Refusal(400, "We could not parse the JSON body of your request.")
    check_fields(body)
    check_messages(body["messages"], body["model"])
    check_limits(body)
    window = windows.get(body["model"])
    if window is None:
        text = f"The model `{body['model']}` does not exist or you do not have access to it."
        raise Refusal(404, text, code="model_not_found")
    check_window(body, window)


def check_fields(body: Body) -> None:
    for unknown in body.keys() - FIELDS:
        raise Refusal(400, f"Unknown parameter: '{unknown}'.", code="unknown_parameter", param=unknown)
    for name, kind in (("model", str), ("messages", list)):
        if not isinstance(body.get(name), kind):
            raise Refusal(400, f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name)


def check_messages(messages: list[Any], model: str) -> None:
    if not messages:
        text = (
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead."
        )
        raise Refusal(400, text, code="empty_array", param="messages")
    for number, message in enumerate(messages):
        place = f"messages[{number}]"
        if message.get("role") not in ROLES:
            supported = ", ".join(f"'{role}'" for role in ROLES)
            text = f"Invalid value: '{message.get('role')}'. Supported values are: {supported}."
            raise Refusal(400, text, code="invalid_value", param=f"{place}.role")
        if isinstance(message.get("content"), list):
            check_content(message["content"], f"{place}.content", message["role"], base_model(model))
        elif not isinstance(message.get("content"), str):
            text = f"Invalid type for '{place}.content': expected a string."
            raise Refusal(400, text, code="invalid_type", param=f"{place}.content")
        for unknown in message.keys() - {"role", "content", "name"}:
            text = f"Unknown parameter: '{place}.{unknown}'."
            raise Refusal(400, text, code="unknown_parameter", param=f"{place}.{unknown}")


def check_limits(body: Body) -> None:
    if "max_tokens" in body and "max_completion_tokens" in body:
        text = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise Refusal(400, text, code="invalid_parameter_combination")
    reasoning = base_model(body["model"]).startswith(REASONING)
    if reasoning and "max_tokens" in body:
        text = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        raise Refusal(400, text, code="unsupported_parameter", param="max_tokens")
    temperature = body.get("temperature", 1)
    if reasoning and temperature != 1:
        text = f"Unsupported value: 'temperature' does not support {temperature} with this model. "
        raise Refusal(
            400, text + "Only the default (1) value is supported.", code="unsupported_value", param="temperature"
        )
    if not 0 <= temperature <= 2:
        text = f"Invalid 'temperature': expected a value between 0 and 2, but got {temperature} instead."
        raise Refusal(400, text, code="decimal_out_of_range", param="temperature")


def check_window(body: Body, window: int) -> None:
    asked = prompt_tokens(body)
    if asked > window:
        text = (
            f"This model's maximum context length is {window} tokens. However, your messages resulted in "
            f"{asked} tokens. Please reduce the length of the messages."
        )
        raise Refusal(400, text, code="context_length_exceeded", param="messages")


def prompt_tokens(body: Body) -> int:
    """Tokens of the messages, by the rule of OpenAI's cookbook; a photo as a square one of 1024 pixels."""
    contents = [message["content"] for message in body["messages"]]
    texts = sum(3 + count_tokens(body["model"], words_of(content)) for content in contents)
    return 3 + texts + 765 * sum(len(images_of(content)) for content in contents)


def completion(
    body: Body, words: str | None, finish_reason: str = "stop", refusal: str | None = None, *, usage: bool = True
) -> Response:
    """A chat completion object."""
    asked, said = prompt_tokens(body), count_tokens(body["model"], words or refusal or "")
    spent = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
    message = {"role": "assistant", "content": words, "refusal": refusal, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
    head = {"id": "chatcmpl-loopback", "object": "chat.completion", "created": int(time.time()), "model": body["model"]}
    return JSONResponse({**head, "choices": [choice]} | ({"usage": spent} if usage else {}))


def echo(body: Body) -> Response:
    return completion(body, words_of(body["messages"][-1]["content"]))


@dataclass
class Hanging:
    """Nothing at all until the event, then the response."""

    released: Event
    response: Response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await run_in_threadpool(self.released.wait)
        await self.response(scope, receive, send)


@dataclass
class Trickling:
    """A blank every 20 ms until the event, then the response's body; blanks before JSON mean nothing."""

    released: Event
    response: Response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        while not await run_in_threadpool(self.released.wait, 0.02):
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
        await send({"type": "http.response.body", "body": self.response.body})


class Broken:
    """A body shorter than announced: the server closes the connection, and says so in its log."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"choices": [', "more_body": True})


async def refuse_place(request: Request, error: Exception) -> Response:
    """404 and 405 in OpenAI's shape."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = {
        404: f"Invalid URL ({request.method} {request.url.path})",
        405: f"Not allowed to {request.method} on {request.url.path}. "
        "(HINT: Perhaps you meant to use a different HTTP method?)",
    }
    return error_response(status, message.get(status, "The server had an error."))


@contextmanager
def openai_server(windows: Mapping[str, int] | None = None) -> Iterator[OpenAIServer]:
    """Serve a stand-in on loopback; `windows` adds models, or changes the context tokens of known ones."""
    server = OpenAIServer()
    server.windows |= windows or {}
    routes = [
        Route("/v1/chat/completions", server.complete, methods=["POST"]),
        Route("/v1/audio/transcriptions", server.transcribe, methods=["POST"]),
        Route("/v1/moderations", server.moderate, methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={404: refuse_place, 405: refuse_place})
    with serving(app) as base:
        server.url = f"{base}/v1"
        try:
            yield server
        finally:
            server.release()
