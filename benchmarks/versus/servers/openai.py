"""OpenAI's chat completions: a model that repeats what it was asked last, in as much time as it is told to take."""

import json
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from benchmarks.versus.servers.http import Ledger, Request, Response, respond

Document = dict[str, Any]

KEPT: Final = 20
ECHOED: Final = 60
"""Characters of what is repeated."""
NO_KEY: Final = "You didn't provide an API key."
ROLES: Final = frozenset({"developer", "system", "user", "assistant", "tool"})


class Refused(Exception):
    """A call that OpenAI refuses."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        self.status = status
        self.document = {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}
        super().__init__(message)


class OpenAI:
    """The model; lives as long as the process. `seconds` is how long it thinks."""

    name = "openai"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.seconds = 0.0
        self.reset()

    def reset(self) -> None:
        """Forget what was asked."""
        self.asked: deque[Document] = deque(maxlen=KEPT)

    def answer(self, request: Request) -> Response:
        """See `Service.answer`."""
        headers = {"x-request-id": f"req_{uuid4().hex}", "openai-version": "2020-10-01"}
        try:
            document = self._complete(request)
        except Refused as refused:
            return respond(refused.document, refused.status, headers)
        return respond(document, 200, headers, delay=self.seconds)

    def _complete(self, request: Request) -> Document:
        if (request.method, request.path) != ("POST", "/v1/chat/completions"):
            self._ledger.add("openai.unknown")
            raise Refused(404, f"Invalid URL ({request.method} {request.path})")
        self._ledger.add("openai.chat")
        _check_key(request.headers)
        body = _read(request.body)
        self.asked.append(body)
        return _completion(body, request.body)


def _check_key(headers: Mapping[str, str]) -> None:
    kind, _, key = headers.get("authorization", "").partition(" ")
    if kind != "Bearer" or not key.strip():
        raise Refused(401, NO_KEY)


def _read(body: bytes) -> Document:
    """The body of a request, where it is one."""
    try:
        found = json.loads(body)
    except ValueError:
        raise Refused(400, "We could not parse the JSON body of your request.") from None
    if not isinstance(found, dict) or not isinstance(found.get("model"), str) or not found["model"]:
        raise Refused(400, "you must provide a model parameter")
    _check_messages(found.get("messages"))
    if found.get("stream"):
        raise Refused(400, "Unsupported value: 'stream' is not known to this server.", "stream", "unsupported_value")
    return found


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list):
        raise Refused(400, "Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
    if not messages:
        text = (
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead."
        )
        raise Refused(400, text, "messages", "empty_array")
    for at, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            place = f"messages[{at}].role"
            raise Refused(400, f"Invalid value for '{place}'.", place, "invalid_value")


def _completion(body: Document, sent: bytes) -> Document:
    text = f"echo: {_text(body['messages'][-1])[:ECHOED]}"
    asked, answered = len(sent) // 4, len(text.encode()) // 4 + 1
    return {
        "id": f"chatcmpl-{uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": [_choice(text)],
        "usage": {
            "prompt_tokens": asked,
            "completion_tokens": answered,
            "total_tokens": asked + answered,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": None,
    }


def _choice(text: str) -> Document:
    message: Document = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    return {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}


def _text(message: Document) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)
