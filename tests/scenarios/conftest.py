"""A server that speaks as OpenAI's does, for whatever is recorded or asked live."""

import gc
from collections.abc import Iterator

import pytest

from tests.support.openai_server import OpenAIServer, openai_server


@pytest.fixture(scope="session")
def running() -> Iterator[OpenAIServer]:
    with openai_server() as server:
        yield server


@pytest.fixture
def server(running: OpenAIServer) -> OpenAIServer:
    running.reset()
    return running


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_left_open() -> Iterator[None]:
    """What was left open is told of when it is collected: here, and not in another file's test."""
    yield
    gc.collect()
