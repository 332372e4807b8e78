"""A chat with a bot on the page, in a real browser: what a person does, from the first message on."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.simulator.page.pages import Visit, served_by
from tests.support.openai_server import OpenAIServer, openai_server


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    with openai_server() as server:
        yield server


@pytest.fixture
def model(server: OpenAIServer) -> OpenAIServer:
    server.reset()
    return server


def test_a_first_message_is_read_and_answered(visit: Visit, model: OpenAIServer) -> None:
    me = visit(environ=served_by(model))
    model.hang()
    me.open("concierge")
    me.say("朝食は何時ですか？")
    expect(me.mine).to_contain_text("朝食は何時ですか？")
    expect(me.mine).to_contain_text("Read")
    expect(me.typing).to_be_visible()
    expect(me.theirs).to_have_count(0)
    model.say("7時からです。")
    model.release()
    me.expect_answers("朝食は何時ですか？")
    expect(me.typing).to_be_hidden()
