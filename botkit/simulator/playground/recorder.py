"""Recorder: a model that notes in a story what it is asked and what it answers."""

from collections.abc import Callable
from typing import TypeVar

from botkit.ports import ChatModel, ChatRequest, Completion, ModerationRequest, TranscriptionRequest, Usage
from botkit.simulator.playground.story import ModelCall, Story

T = TypeVar("T")


class Recorder:
    """A chat model that asks another one and notes it. Lives as long as the turn; threads may share it."""

    def __init__(self, model: ChatModel, story: Story) -> None:
        self._model = model
        self._story = story

    def complete(self, request: ChatRequest) -> Completion:
        """Ask the model once. Raises what it raises."""
        call = self._story.ask("chat", request)
        completion = self._noted(call, lambda: self._model.complete(request))
        self._story.hear(call, completion.text, completion.usage)
        return completion

    def transcribe(self, request: TranscriptionRequest) -> str:
        """The words of a recording. Raises what the model raises."""
        call = self._story.ask("transcription", request)
        words = self._noted(call, lambda: self._model.transcribe(request))
        self._story.hear(call, words, Usage(request.model, 0, 0))
        return words

    def moderate(self, request: ModerationRequest) -> tuple[str, ...]:
        """The categories found. Raises what the model raises."""
        call = self._story.ask("moderation", request)
        found = self._noted(call, lambda: self._model.moderate(request))
        self._story.hear(call, ", ".join(found) or "nothing was found")
        return found

    def count_tokens(self, model: str, text: str) -> int:
        """Tokens of `text` in the encoding of `model`."""
        return self._model.count_tokens(model, text)

    def _noted(self, call: ModelCall, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except BaseException as error:
            self._story.miss(call, error)
            raise
