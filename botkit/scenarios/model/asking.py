"""Asking: where the answer to a request comes from, a recording or a model."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from botkit.errors import ModelError
from botkit.models.rehearsal import REHEARSAL
from botkit.ports import ChatRequest, Completion
from botkit.scenarios.model.recordings import Kind, Stale, Tape
from botkit.scenarios.model.requests import plain
from botkit.scenarios.results import Failure, Recorded
from botkit.spec.document import Place

Mode = Literal["offline", "record", "live"]
"""Nobody is asked · where there is no fresh recording a model is, and its answer kept · a model is asked always."""
Ask = Callable[[ChatRequest], Completion]

NO_MODEL = "there is no model to ask: set OPENAI_API_KEY, or OPENAI_BASE_URL, in .env or the environment"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model: of its `kind` the `number`th in this turn, both counted from 1."""

    kind: Kind
    turn: int
    number: int


def ask(mode: Mode, tape: Tape, call: Call, request: ChatRequest, real: Ask | None) -> Completion | Stale | None:
    """The answer, as it was recorded or as a model gives it now.

    Stale: another request was recorded for this call, and no model is to be asked; None: none was. Raises ModelError
    where the model fails.
    """
    if mode != "live":
        found = tape.find(call.kind, call.turn, call.number, request)
        if isinstance(found, Recorded):
            return Completion(found.answer, found.usage)
        if mode == "offline":
            return found
    if real is None:
        raise ModelError(NO_MODEL)
    completion = real(request)
    if completion.usage.model == REHEARSAL:  # it would pass for a model's answer
        raise ModelError(NO_MODEL)
    if mode == "record":
        tape.keep(call.kind, call.turn, call.number, request, completion)
    return completion


def unanswered(found: Stale | None, request: ChatRequest, place: Place, who: str, again: bool) -> Failure:
    """The failure of a call that nothing answers. `who` is asked; `again`: an earlier one of the scenario was stale."""
    record = f"`botkit test {bot_of(place)} --record`"
    if found is None:
        cure = f"write `model: …` in this turn, or keep a real answer with {record}"
        cure = cure if who == "the model" else f"keep real answers with {record}, or run with --live"
        return Failure("unrecorded", place, f"an answer of {who}", "there is neither script nor recording", detail=cure)
    told = found.difference(plain(request))
    if again:  # what was answered before is in this prompt, too: one cause need not be told twice
        told = "an earlier prompt has changed, too: see there"
    cure = f"Look at what it answers now, and keep it: {record}"
    return Failure("stale", place, "the prompt that was recorded", "it has changed", detail=f"{told}\n{cure}")


def bot_of(place: Place) -> str:
    """The bot that a test file is about."""
    return PurePath(place.file).name.removesuffix(".test.yaml")
