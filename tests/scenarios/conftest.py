"""A server that speaks as OpenAI's does, for whatever is recorded or asked live."""

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
