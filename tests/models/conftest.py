from collections.abc import Iterator
from typing import Any

import pytest

from botkit.messages import Message
from botkit.models.openai import OpenAIModel
from botkit.ports import ChatModel, ChatRequest
from tests.models.asking import Ask, MovingClock
from tests.support.openai_server import OpenAIServer, openai_server


@pytest.fixture(scope="module")
def running() -> Iterator[OpenAIServer]:
    with openai_server({"tiny": 40}) as server:
        yield server


@pytest.fixture
def server(running: OpenAIServer) -> Iterator[OpenAIServer]:
    yield running
    running.reset()


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
def model(clock: MovingClock) -> ChatModel:
    return OpenAIModel(clock)


@pytest.fixture
def ask(server: OpenAIServer) -> Ask:
    """Make a request to the stand-in; keywords replace its parts."""

    def make(*messages: Message, **parts: Any) -> ChatRequest:
        said = messages or (Message("user", "hello world"),)
        parts = {"model": "gpt-4.1-mini", "timeout": 30.0, "base_url": server.url, "api_key": server.key} | parts
        return ChatRequest(messages=said, **parts)

    return make
