"""A model that answers with what it was asked about, so that an answer shows which messages it covers."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import takewhile

from botkit.errors import ModelError
from botkit.ports import ChatRequest, Completion, Usage
from tests.simulation.fake_dynamodb import Around
from tests.simulation.faults import COMMON, Fault, Nature
from tests.simulation.scheduler import Scheduler

MARKS = re.compile(r"«m\d+»")
"""What names a message in the simulation; every text said there holds one of its own."""


@dataclass
class Completions:
    """All that the models of all processes have said: usage by the text of the answer. Each text is unique."""

    usage: dict[str, Usage] = field(default_factory=dict)
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass
class FakeModel:
    """The port `ChatModel`. Each call is made within a `turn`, which hears of the marks it is asked about."""

    scheduler: Scheduler
    around: Around
    said: Completions
    turn: Callable[[tuple[str, ...]], AbstractContextManager[None]]

    def complete(self, request: ChatRequest) -> Completion:
        said = list(takewhile(lambda message: message.role == "user", reversed(request.messages)))
        marks = tuple(mark for message in reversed(said) for mark in MARKS.findall(message.text))
        began, most = self.scheduler.now, int(request.timeout * 1000)
        nature = Nature(_error, (700, 4000), (30_000, 75_000), COMMON, most=most)
        with self.turn(marks):
            completion: Completion = self.around("model.complete", nature, lambda: self._say(request, marks), marks)
        if self.scheduler.now - began >= most:
            raise ModelError("the model took too long", retryable=True)
        return completion

    def _say(self, request: ChatRequest, marks: tuple[str, ...]) -> Completion:
        number = len(self.said.usage) + 1
        text = f"answer {number} to {' '.join(marks)}"
        # Powers of two, in a way: no sum of some is the sum of others.
        self.said.usage[text] = Usage(request.model, 1000 + number, 3**number)
        self.said.asked[text] = marks
        return Completion(text, self.said.usage[text])

    def count_tokens(self, model: str, text: str) -> int:
        return len(text) // 4


def _error(fault: Fault, n: int) -> Exception:
    return ModelError("the model failed", retryable=n % 2 == 0)
