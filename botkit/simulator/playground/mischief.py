"""Mischief: the troubles that can be caused, to see what a bot does about them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Final, cast, get_args
from urllib.parse import urlsplit

from botkit.errors import ModelError
from botkit.ports import ChatModel, ChatRequest, Clock, Completion, ModerationRequest, TranscriptionRequest
from botkit.simulator.playground.mishaps import MISHAPS, Mishap, Mode
from botkit.simulator.playground.mortal import Killed, Life
from botkit.simulator.troubles import Endpoint, Trouble, Troubles
from botkit.simulator.wire import JsonObject

Request = ChatRequest | TranscriptionRequest | ModerationRequest

LOOK_EVERY: Final = 0.05
"""Seconds between two looks of a slow model at the clock, which may jump."""
LONGEST: Final = 600
"""What a slow model may take at most, in seconds."""
_OPENAI: Final = "https://api.openai.com"

_ON_LINE: Final[Mapping[Endpoint, Mapping[str, Trouble]]] = {
    "reply": {
        "token_expired": Trouble(done=False, status=400, message="Invalid reply token"),
        "line_500": Trouble(done=False, status=500, message="Internal Server Error"),
        "line_unsure": Trouble(status=500, message="Internal Server Error"),
    },
    "push": {
        "quota_used_up": Trouble(done=False, status=429, message="You have reached your monthly limit."),
        "line_500": Trouble(done=False, status=500, message="Internal Server Error"),
        "line_unsure": Trouble(status=500, message="Internal Server Error"),
    },
}


class Mischief:
    """Which troubles are on. Lives as long as the program; threads may share it.

    Each of the `listeners` is called after every change, in the thread that makes it.
    """

    def __init__(self) -> None:
        self.listeners: list[Callable[[], None]] = []
        self._mishaps = {mishap.name: mishap for mishap in MISHAPS}
        self._lock = Lock()

    def list(self) -> list[JsonObject]:
        """All troubles, as the page shows them."""
        with self._lock:
            return [_shown(mishap) for mishap in self._mishaps.values()]

    def set(self, name: str, mode: Mode, value: int | None = None) -> None:
        """Switch a trouble. Raises ValueError, with a sentence for the person who tried."""
        with self._lock:
            if name not in self._mishaps:
                raise ValueError(f"there is no trouble {name!r}; there are {', '.join(self._mishaps)}")
            self._mishaps[name] = _switched(self._mishaps[name], mode, value)
        self._tell()

    def happens(self, name: str) -> bool:
        """Whether a trouble happens now; `once` is used up by that."""
        with self._lock:
            mishap = self._mishaps[name]
            if mishap.mode == "once":
                self._mishaps[name] = replace(mishap, mode="off")
        if mishap.mode == "once":
            self._tell()
        return mishap.mode != "off"

    def value(self, name: str) -> int:
        """What a trouble that has a value is set to."""
        with self._lock:
            return self._mishaps[name].value or 0

    def dump(self) -> JsonObject:
        """What differs from the beginning, to be kept."""
        with self._lock:
            changed = [mishap for mishap in self._mishaps.values() if mishap not in MISHAPS]
            return {mishap.name: {"mode": mishap.mode, "value": mishap.value} for mishap in changed}

    def load(self, kept: Any) -> None:
        """Take up what `dump` has given. What is not understood, as of another version, stays as it is."""
        for name, state in (kept if isinstance(kept, dict) else {}).items():
            if name in self._mishaps and isinstance(state, dict):
                try:
                    self.set(name, state.get("mode", "off"), state.get("value"))
                except ValueError:
                    continue

    def troubles(self) -> Troubles:
        """LINE's failures, to be put in place of the world's `troubles`."""
        return _LineTroubles(self)

    def model(self, model: ChatModel, life: Life, clock: Clock) -> ChatModel:
        """The model as one invocation of this `life` finds it; how long it takes is by `clock`."""
        return _TroubledModel(self, model, life, clock)

    def _tell(self) -> None:
        for listener in tuple(self.listeners):
            listener()


def _shown(mishap: Mishap) -> JsonObject:
    return {
        "name": mishap.name,
        "label": mishap.label,
        "about": mishap.about,
        "mode": mishap.mode,
        "value": mishap.value,
        "unit": mishap.unit,
    }


def _switched(mishap: Mishap, mode: object, value: object) -> Mishap:
    if mode not in get_args(Mode):
        raise ValueError(f"{mishap.label} can be off, once or on, not {mode!r}")
    switched = replace(mishap, mode=cast(Mode, mode))
    if value is None:
        return switched
    if mishap.value is None:
        raise ValueError(f"{mishap.label} takes no value")
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LONGEST:
        raise ValueError(f"{mishap.label} takes a whole number from 1 to {LONGEST}, not {value!r}")
    return replace(switched, value=value)


class _LineTroubles(Troubles):
    """LINE's failures: those that are switched on, and else those that were queued."""

    def __init__(self, mischief: Mischief) -> None:
        super().__init__()
        self._mischief = mischief

    def take(self, endpoint: Endpoint) -> Trouble:
        """The next trouble of this endpoint."""
        for name, trouble in _ON_LINE.get(endpoint, {}).items():
            if self._mischief.happens(name):
                return trouble
        return super().take(endpoint)


@dataclass(frozen=True, slots=True)
class _TroubledModel:
    """A model of which one invocation has what is switched on."""

    mischief: Mischief
    model: ChatModel
    life: Life
    clock: Clock

    def complete(self, request: ChatRequest) -> Completion:
        """Ask the model. Raises Killed where the worker dies at it, or has died while it was slow."""
        began = self.clock.now()
        if self.mischief.happens("worker_killed"):
            self.life.end()
            raise Killed("the worker was killed while it asked the model")
        if self.mischief.happens("slow_model"):
            self._dawdle(request, began, self.mischief.value("slow_model"))
        self._fail(request, "model")
        return self.model.complete(request)

    def transcribe(self, request: TranscriptionRequest) -> str:
        """The words of a recording."""
        self._fail(request, "media.transcription")
        return self.model.transcribe(request)

    def moderate(self, request: ModerationRequest) -> tuple[str, ...]:
        """The categories found."""
        self._fail(request, "moderation")
        return self.model.moderate(request)

    def count_tokens(self, model: str, text: str) -> int:
        """Tokens of `text`; no server is asked for that."""
        return self.model.count_tokens(model, text)

    def _dawdle(self, request: ChatRequest, began: int, seconds: int) -> None:
        """Take so long, or as long as the request waits. Raises ModelError where it waits no longer."""
        until = began + int(min(seconds, request.timeout) * 1000)
        while (left := until - self.clock.now()) > 0:
            self.life.wait(min(left / 1000, LOOK_EVERY))
        if seconds > request.timeout:
            text = f"{_host(request)} did not answer for {request.model!r} in time: try again, or raise model.timeout"
            raise ModelError(text, retryable=True)

    def _fail(self, request: Request, section: str) -> None:
        """Fail as `botkit.models.openai` does, in the same words, after its own tries."""
        host = _host(request)
        if self.mischief.happens("model_down"):
            text = f"{host} cannot be reached, or it broke the connection off: check {section}.base_url"
            raise ModelError(text, retryable=True)
        if self.mischief.happens("rate_limit"):
            raise ModelError(f"{host} limits the rate for {request.model!r}: try again later", retryable=True)


def _host(request: Request) -> str:
    return urlsplit(request.base_url or _OPENAI).netloc.rpartition("@")[2]
