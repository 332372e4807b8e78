"""Chat completions of OpenAI, or of any server that speaks the same, through the openai SDK."""

import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from threading import Thread
from typing import Any, TypeVar

import httpx2
import openai

from botkit.errors import ModelError
from botkit.messages import Message
from botkit.models.answers import read_completion
from botkit.models.faults import cause_of, fault_of, wait_asked_for, worth_retrying
from botkit.models.tokens import count_tokens
from botkit.ports import ChatRequest, Clock, Completion

T = TypeVar("T")

_OPENAI = "https://api.openai.com/v1"
# OpenAI's regions (eu.api.openai.com) and Azure's own (NAME.openai.azure.com/openai/v1) count too.
_OWN_HOSTS = (".api.openai.com", ".openai.azure.com")

_PAUSES = (500, 1000)
"""Milliseconds before the second and the third try; there is no fourth."""

_CONNECT = 5.0
"""Seconds to connect: the SDK's own limit, so that a dead address leaves time for another try."""


class OpenAIModel:
    """The chat model behind an OpenAI-compatible address. Lives as long as the process; threads may share it.

    Connections are kept per address and key; a server that needs no key is sent a stand-in for one.
    `http_client` replaces the SDK's own, for all of them.
    """

    def __init__(self, clock: Clock, http_client: httpx2.Client | None = None) -> None:
        self._clock = clock
        self._http_client = http_client
        self._client = lru_cache(maxsize=16)(self._connect)

    def complete(self, request: ChatRequest) -> Completion:
        """Ask the model; at most three tries, all of them within `request.timeout` seconds.

        Without a `base_url` the address is OPENAI_BASE_URL or OpenAI's own. Raises ContextOverflow
        where the prompt is too long, and ModelError for all else, saying what to do about it.
        """
        address = _address(request)
        _check_key(request, address)
        deadline = self._clock.now() + int(request.timeout * 1000)
        response = self._persist(request, address, deadline)
        return read_completion(response.content, request, address.host)

    def count_tokens(self, model: str, text: str) -> int:
        """Tokens of `text` in the encoding of `model`."""
        return count_tokens(model, text)

    def _persist(self, request: ChatRequest, address: "_Address", deadline: int) -> httpx2.Response:
        pauses = iter(_PAUSES)
        while True:
            try:
                return self._post(request, address, deadline)
            except openai.OpenAIError as error:
                if not self._wait(error, next(pauses, None), deadline):
                    raise fault_of(error, request, address.host) from cause_of(error, request)

    def _wait(self, error: openai.OpenAIError, pause: int | None, deadline: int) -> bool:
        """Wait before another try; False where there is none, or no time for it."""
        if pause is None or not worth_retrying(error):
            return False
        now = self._clock.now()
        wait = wait_asked_for(error, now) or pause
        if now + wait >= deadline:
            return False
        self._clock.sleep(wait)
        return True

    def _post(self, request: ChatRequest, address: "_Address", deadline: int) -> httpx2.Response:
        left = (deadline - self._clock.now()) / 1000
        if left <= 0:
            raise _too_late()
        # post(), not chat.completions.create(): that one builds its result unchecked, so that a
        # malformed answer would surface later as an AttributeError.
        return _within(
            left,
            lambda: self._client(address.url, request.api_key or "no-key").post(
                "/chat/completions",
                cast_to=httpx2.Response,
                body=_body(request, address),
                options={"timeout": httpx2.Timeout(left, connect=min(_CONNECT, left)), "max_retries": 0},
            ),
        )

    def _connect(self, base_url: str, api_key: str) -> openai.OpenAI:
        return openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0, http_client=self._http_client)


@dataclass(frozen=True, slots=True)
class _Address:
    """Where a request goes. `host` is what messages may show of it; `own`: it is OpenAI itself."""

    url: str
    host: str
    own: bool


def _address(request: ChatRequest) -> _Address:
    given = request.base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI
    try:
        url = httpx2.URL(given)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise ModelError(_NO_ADDRESS) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ModelError(_NO_ADDRESS)
    return _Address(given, url.netloc.decode("ascii"), f".{url.host}".endswith(_OWN_HOSTS))


_NO_ADDRESS = (
    "model.base_url (or OPENAI_BASE_URL) is not an address: write one such as https://api.openai.com/v1 "
    "or http://127.0.0.1:11434/v1"
)


def _check_key(request: ChatRequest, address: _Address) -> None:
    key = request.api_key
    if not key and address.own:
        raise ModelError(f"there is no API key for {address.host}: set model.api_key, by default env:OPENAI_API_KEY")
    # Found out here and not by the HTTP library, which would put the whole header into its message.
    if not all("!" <= character <= "~" for character in key):
        raise ModelError(
            f"the API key for {address.host} cannot be sent: it holds a space, a line break or a character "
            "outside ASCII; copy it again"
        )


def _body(request: ChatRequest, address: _Address) -> dict[str, Any]:
    # OpenAI calls `max_tokens` deprecated and its reasoning models refuse it; many compatible
    # servers know only that one. (OpenAI API reference: Create chat completion.)
    limit = "max_completion_tokens" if address.own else "max_tokens"
    options = {"temperature": request.temperature, limit: request.max_output_tokens}
    return {
        "model": request.model,
        "messages": [{"role": message.role, "content": _sendable(message)} for message in request.messages],
        **{name: value for name, value in options.items() if value is not None},
    }


def _sendable(message: Message) -> str:
    # Half of a surrogate pair (an emoji cut by a careless client) has no UTF-8: it becomes U+FFFD.
    return message.content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _within(seconds: float, call: Callable[[], T]) -> T:
    """The result of `call`, or APITimeoutError when the time is over, whatever it is doing then.

    An HTTP timeout bounds each single read, so a server that sends a byte now and then (some send
    blanks to keep the connection open) would never reach it, and a name look-up has none at all.
    A call given up ends in its own thread with the connection, and nobody reads what it returns.
    """
    outcome: Future[T] = Future()
    Thread(target=_settle, args=(outcome, call), name="model", daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError as error:
        raise _too_late() from error


def _too_late() -> openai.APITimeoutError:
    return openai.APITimeoutError(httpx2.Request("POST", "/chat/completions"))


def _settle(outcome: Future[T], call: Callable[[], T]) -> None:
    try:
        outcome.set_result(call())
    except BaseException as error:  # carried over to the thread that waits, which raises it
        outcome.set_exception(error)
