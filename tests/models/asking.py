"""What the tests of the models share: a clock that only tests move, and how to ask."""

from collections.abc import Callable

import pytest

from botkit.errors import ModelError
from botkit.ports import ChatModel, ChatRequest

NOON = 1_750_000_000_000


class MovingClock:
    """A clock that only `sleep` moves."""

    def __init__(self) -> None:
        self.time = NOON
        self.slept: list[int] = []

    def now(self) -> int:
        return self.time

    def sleep(self, ms: int) -> None:
        self.slept.append(ms)
        self.time += ms


Ask = Callable[..., ChatRequest]


def failure(model: ChatModel, request: ChatRequest) -> ModelError:
    with pytest.raises(ModelError) as caught:
        model.complete(request)
    return caught.value
