"""Speaker: the model of one scenario, which says what a script says, what was recorded, or what a model answers."""

from collections.abc import Mapping
from threading import Lock
from typing import Final
from urllib.parse import urlsplit

from botkit.errors import ContextOverflow, ModelError
from botkit.models.tokens import count_messages, count_tokens
from botkit.ports import (
    ChatModel,
    ChatRequest,
    Clock,
    Completion,
    ModerationRequest,
    TranscriptionRequest,
    Usage,
)
from botkit.scenarios.file.scenario import Act, Script
from botkit.scenarios.model.asking import Call, ask, unanswered
from botkit.scenarios.model.asking import Mode as Mode
from botkit.scenarios.model.recordings import Tape
from botkit.scenarios.results import Failure
from botkit.spec.document import Place

NOWHERE: Final = Place("", 0, 0)
_OPENAI = "https://api.openai.com"


class Speaker:
    """The chat model of one scenario, and what is offered beside it. Lives as long as it; threads may share it.

    `real` is asked where the mode says so; offline there need be none. Between `begin` and `end` is one turn.
    """

    def __init__(self, mode: Mode, tape: Tape, clock: Clock, real: ChatModel | None) -> None:
        self._mode, self._tape, self._clock, self._real = mode, tape, clock, real
        tape.records = mode == "record"
        self._lock = Lock()
        self._stale = False
        self._voices: list[str] = []
        self.begin(0, None)

    def begin(self, turn: int, act: Act | None) -> None:
        """A turn begins, counted from 1: with what its act says of the model, or with nothing said."""
        voices = [deed.audio for deed in act.deeds if deed.audio is not None] if act else []
        with self._lock:
            self._turn = turn
            self._scripts = act.turn.model if act else ()
            self._flagged = (act.turn.flagged or ()) if act else ()
            self._voices, self._spoken = [*self._voices, *voices], iter(voices)
            self._places: Mapping[tuple[str | int, ...], Place] = act.places if act else {}
            self._place = act.place if act else NOWHERE
            self._moderated = False
            self._prompts: list[ChatRequest] = []
            self._usages: list[Usage] = []
            self._missing: Failure | None = None
            self._fault: ModelError | None = None

    def end(self) -> tuple[Failure, ...]:
        """What went wrong at the model's side in this turn."""
        with self._lock:
            if self._missing is not None:
                return (self._missing,)
            if self._fault is not None:
                self._tape.spares = True
                return (Failure("broken", self._place, "an answer of the model", str(self._fault)),)
            return self._unasked()

    @property
    def prompts(self) -> tuple[ChatRequest, ...]:
        """What the model was asked in this turn so far, in order."""
        with self._lock:
            return tuple(self._prompts)

    @property
    def usages(self) -> tuple[Usage, ...]:
        """What its answers took, without their price: that is the bot's to know."""
        with self._lock:
            return tuple(self._usages)

    # ---------------------------------------------------------------- the port

    def complete(self, request: ChatRequest) -> Completion:
        """Answer. Raises ModelError as a script says, as the real model does, and where there is no answer."""
        with self._lock:
            self._prompts.append(request)
            number = len(self._prompts)
            script = self._script(number)
        if script is not None:
            self._happen(script, request)
            if "say" in script.model_fields_set:
                return self._told(_said(script, request))
        return self._told(self._answer(request, number))

    def transcribe(self, request: TranscriptionRequest) -> str:
        """The words of a voice message: those that its bytes are, else those of the turn in order."""
        written = request.audio.data.decode("utf-8", "replace")
        with self._lock:
            return written if written in self._voices else next(self._spoken, "")

    def moderate(self, request: ModerationRequest) -> tuple[str, ...]:  # noqa: ARG002
        """What the turn says is found."""
        with self._lock:
            self._moderated = True
            return tuple(self._flagged)

    def count_tokens(self, model: str, text: str) -> int:
        """Tokens of `text` in the encoding of `model`."""
        return count_tokens(model, text)

    # ---------------------------------------------------------------- scripts

    def _script(self, number: int) -> Script | None:
        """What is written for this call. A real model takes the place of all but troubles."""
        script = self._scripts[number - 1] if number <= len(self._scripts) else None
        if self._mode == "live" and script and script.takes is None and script.fails is None:
            return None
        return script

    def _happen(self, script: Script, request: ChatRequest) -> None:
        """Take time, and fail as `botkit.models.openai` does, in the same words. Raises ModelError."""
        takes = request.timeout if script.fails == "timeout" else script.takes or 0
        self._clock.sleep(int(min(takes, request.timeout) * 1000))
        host, model = urlsplit(request.base_url or _OPENAI).netloc.rpartition("@")[2], request.model
        if script.fails == "timeout" or takes > request.timeout:
            text = f"{host} did not answer for {model!r} in time: try again, or raise model.timeout"
            raise ModelError(text, retryable=True)
        match script.fails:
            case "rate_limit":
                raise ModelError(f"{host} limits the rate for {model!r}: try again later", retryable=True)
            case "down":
                text = f"{host} cannot be reached, or it broke the connection off: check model.base_url"
                raise ModelError(text, retryable=True)
            case "overflow":
                raise ContextOverflow(
                    f"the prompt is too long for {model!r} at {host}: lower history or model.context_tokens"
                )

    def _unasked(self) -> tuple[Failure, ...]:
        """The scripts that nobody has asked for."""
        if self._flagged and not self._moderated:
            came = "the bot judges nothing: switch `moderation:` on in its file"
            return (Failure("unmet", self._places.get(("flagged",), self._place), "moderation", came, "flagged"),)
        asked, written = len(self._prompts), len(self._scripts)
        if asked >= written or self._mode == "live":
            return ()
        count = f"asked {_times(asked)}" if asked else "never asked"
        came = f"it was {count}, so nobody asked for “{_short(self._scripts[asked])}”"
        return (Failure("unmet", self._model_place(asked), f"the model asked {_times(written)}", came, "model"),)

    def _model_place(self, number: int) -> Place:
        paths: tuple[tuple[str | int, ...], ...] = (("model", number), ("model",))
        return next((self._places[path] for path in paths if path in self._places), self._place)

    # ---------------------------------------------------------------- recordings and real answers

    def _answer(self, request: ChatRequest, number: int) -> Completion:
        if self._missing is not None:  # as for the next of a bot's models: that has no answer either, for one reason
            raise ModelError(self._missing.came)
        if self._mode != "live" and 0 < len(self._scripts) < number:
            raise self._miss(self._too_few(number))
        real = self._real.complete if self._real else None
        try:
            found = ask(self._mode, self._tape, Call("model", self._turn, number), request, real)
        except ModelError as error:
            with self._lock:
                self._fault = error
            raise
        if isinstance(found, Completion):
            return found
        failure = unanswered(found, request, self._place, "the model", self._stale)
        self._stale = self._stale or failure.fault == "stale"
        raise self._miss(failure)

    def _too_few(self, number: int) -> Failure:
        written = len(self._scripts)
        came = f"`model` has {'1 answer' if written == 1 else f'{written} answers'}"
        cure = "write one more: model: [first, second]"
        return Failure("unrecorded", self._model_place(0), f"an answer to call {number} of the model", came, "", cure)

    def _miss(self, failure: Failure) -> ModelError:
        with self._lock:
            self._missing = self._missing or failure
            self._tape.spares = True
        return ModelError(f"{failure.came}: {failure.wanted}")

    def _told(self, completion: Completion) -> Completion:
        with self._lock:
            self._usages.append(completion.usage)
            if self._mode == "live":  # another model, or another try, has answered: that is what a bot is to do
                self._fault = None
        return completion


def _said(script: Script, request: ChatRequest) -> Completion:
    """The answer of a script, counted as a server counts. Raises ModelError where it is blank, as for a server's."""
    text = script.say.strip()
    if not text:
        raise ModelError(f"{request.model!r} answered with an empty text: try again", retryable=True)
    asked = count_messages(request.model, request.messages)
    return Completion(text, Usage(request.model, asked, count_tokens(request.model, text)))


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _short(script: Script) -> str:
    text = " ".join(script.say.split()) or script.fails or "…"
    return text if len(text) <= 60 else text[:59] + "…"
