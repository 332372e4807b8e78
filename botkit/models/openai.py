"""Chat completions, transcriptions and moderations of OpenAI, or of any server that speaks the same."""

import platform
import ssl
from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import TypeVar
from weakref import finalize

import httpx2
import openai
from urllib3.util import IS_PYOPENSSL

from botkit.models.answers import read_completion, read_moderation, read_transcription
from botkit.models.bodies import chat_body, moderation_bodies, recording
from botkit.models.calls import CHAT, MODERATION, TRANSCRIPTION, Asked, Call, address_for
from botkit.models.faults import cause_of, fault_of, wait_asked_for, worth_retrying
from botkit.models.tokens import count_tokens
from botkit.ports import ChatRequest, Clock, Completion, ModerationRequest, TranscriptionRequest
from botkit.threads import Threads
from botkit.wire.tls import tls_context

T = TypeVar("T")

_PAUSES = (500, 1000)
"""Milliseconds before the second and the third try; there is no fourth."""

_CONNECT = 5.0
"""Seconds to connect: the SDK's own limit, so that a dead address leaves time for another try."""


class OpenAIModel:
    """The chat model behind an OpenAI-compatible address. Lives as long as the process; threads may share it.

    Of each request at most three tries are made, all of them within its `timeout`. Without a `base_url`
    the address is OPENAI_BASE_URL or OpenAI's own. Connections are kept per address and key; a server that
    needs no key is sent a stand-in for one. `http_client` replaces the SDK's own, for all of them.
    """

    def __init__(self, clock: Clock, http_client: httpx2.Client | None = None) -> None:
        self._clock = clock
        self._http_client = http_client
        self._client = lru_cache(maxsize=16)(self._connect)
        self._connecting = Lock()
        self._beside = Threads()
        self._clients: list[openai.OpenAI] = []

    def close(self) -> None:
        """End all connections; what is asked afterwards makes new ones. On Lambda they end with the process."""
        with self._connecting:
            self._client.cache_clear()
            clients, self._clients = self._clients, []
        for client in clients:
            client.close()

    def complete(self, request: ChatRequest) -> Completion:
        """Ask the model once.

        Raises ContextOverflow where the prompt is too long, and ModelError for all else, saying what to do about it.
        """
        deadline, address = self._deadline(request), address_for(CHAT, request)
        content = self._persist(Call(CHAT, request, address, chat_body(request, own=address.own)), deadline)
        return read_completion(content, request, address.host)

    def transcribe(self, request: TranscriptionRequest) -> str:
        """The words of a recording; "" where there are none. Raises ModelError."""
        deadline, address = self._deadline(request), address_for(TRANSCRIPTION, request)
        call = Call(TRANSCRIPTION, request, address, {"model": request.model}, recording(request))
        return read_transcription(self._persist(call, deadline), address.host)

    def moderate(self, request: ModerationRequest) -> tuple[str, ...]:
        """The categories found, by their names at the server. Raises ModelError.

        Photos are judged one after the other, by models that can, until something is found.
        """
        deadline, address = self._deadline(request), address_for(MODERATION, request)
        for body in moderation_bodies(request):
            content = self._persist(Call(MODERATION, request, address, body), deadline)
            if found := read_moderation(content, address.host):
                return found
        return ()

    def count_tokens(self, model: str, text: str) -> int:
        """Tokens of `text` in the encoding of `model`."""
        return count_tokens(model, text)

    def _deadline(self, asked: Asked) -> int:
        return self._clock.now() + int(asked.timeout * 1000)

    def _persist(self, call: Call, deadline: int) -> bytes:
        """The body of the answer, after as many tries as it takes and may take."""
        pauses = iter(_PAUSES)
        while True:
            try:
                return self._post(call, deadline).content
            except openai.OpenAIError as error:
                if not self._wait(error, next(pauses, None), deadline):
                    raise fault_of(error, call) from cause_of(error, call)

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

    def _post(self, call: Call, deadline: int) -> httpx2.Response:
        left = (deadline - self._clock.now()) / 1000
        if left <= 0:
            raise _too_late()
        with self._connecting:  # else two first calls at once would make two clients, and leave one open
            client = self._client(call.address.url, call.asked.api_key or "no-key")
        timeout = httpx2.Timeout(left, connect=min(_CONNECT, left))
        options: openai.RequestOptions = {"timeout": timeout, "max_retries": 0}
        if call.file:
            options["headers"] = {"Content-Type": "multipart/form-data"}
        # post(), not chat.completions.create() and the like: these build their results unchecked, so that a
        # malformed answer would surface later as an AttributeError.
        return self._within(
            left,
            lambda: client.post(
                call.service.path,
                cast_to=httpx2.Response,
                body=call.body,
                files=[("file", call.file)] if call.file else None,
                options=options,
            ),
        )

    def _within(self, seconds: float, call: Callable[[], T]) -> T:
        """The result of `call`, or APITimeoutError when the time is over, whatever it is doing then.

        An HTTP timeout bounds each single read, so a server that sends a byte now and then (some send
        blanks to keep the connection open) would never reach it, and a name look-up has none at all.
        A call given up ends in its own thread with the connection, and nobody reads what it returns.
        """
        outcome = self._beside.submit(call)
        try:
            return outcome.result(seconds)
        except TimeoutError as error:
            raise _too_late() from error

    def _connect(self, base_url: str, api_key: str) -> openai.OpenAI:
        own = None if self._http_client else _http_client()
        http_client = self._http_client or own
        client = openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0, http_client=http_client)
        if own:
            finalize(client, own.close)  # as the SDK does with one that it has made itself
        self._clients.append(client)
        return client


def _http_client() -> httpx2.Client | None:
    """The SDK's own client on the process's TLS context; None where the SDK is to make one as it would."""
    # On macOS and Windows httpx2 asks the system whom it trusts, which a context of OpenSSL's cannot. And urllib3 makes
    # a context of any other library lax, since it looks at host names itself then, which httpx2 does not.
    if platform.system() in ("Darwin", "Windows") or not ssl.OPENSSL_VERSION.startswith("OpenSSL ") or IS_PYOPENSSL:
        return None
    return openai.DefaultHttpxClient(verify=tls_context())


def _too_late() -> openai.APITimeoutError:
    return openai.APITimeoutError(httpx2.Request("POST", "/"))
