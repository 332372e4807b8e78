"""The pipeline: an onion of steps, composed once per bot."""

from collections.abc import Callable, Iterable
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from botkit.messages import SILENCE, Reply
from botkit.turn import Span, Turn

Handler = Callable[[Turn], Reply]


class Step(BaseModel):
    """One entry of a pipeline: its fields are its options in the bot file, calling it runs it.

    A step lives as long as the process and serves many turns at once, so it is frozen. Return a
    Reply to stop early, raise to fail, `return call_next(turn)` to go on; code after the call runs
    on the way back. `short` names the field that the option's short form fills.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    short: ClassVar[str | None] = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """References of the secrets that the step needs, so that they are fetched together."""
        return ()

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Answer the turn, or let the steps inside do it."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, turn, call_next)")


def compose(steps: Iterable[Step]) -> Handler:
    """One handler out of the steps, the first one outermost; past the last one there is silence."""
    handler: Handler = _silence
    for step in reversed(list(steps)):
        handler = _wrap(step, handler)
    return handler


def run(handler: Handler, turn: Turn) -> tuple[Reply, list[BaseException]]:
    """Run one turn; returns its reply and what failed of the work spawned beside it."""
    try:
        reply = handler(turn)
    finally:
        failures = turn.join()
    if not isinstance(reply, Reply):
        raise TypeError(
            f"a step returned {type(reply).__name__} instead of a Reply; end it with `return call_next(turn)`"
        )
    return reply, failures


def _wrap(step: Step, call_next: Handler) -> Handler:
    name = type(step).__name__

    def timed(turn: Turn) -> Reply:
        now = turn.services.clock.now
        span = Span(name, now())
        turn.spans.append(span)
        try:
            return step(turn, call_next)
        finally:
            span.ended = now()

    return timed


def _silence(_turn: Turn) -> Reply:
    return SILENCE
