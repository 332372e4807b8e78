"""A server that speaks as OpenAI's does, for whatever is recorded or asked live."""

import gc
import warnings
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
def connections_go_with_their_tests() -> Iterator[None]:
    """The SDK's clients are not closed, and end with the process. Here that would be told of a later file's test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
