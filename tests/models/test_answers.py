import traceback
from collections.abc import Callable

import httpx2
import pytest

from botkit.messages import Message
from botkit.models.tokens import count_messages, count_tokens
from botkit.ports import ChatModel, Usage
from tests.models.asking import Ask, failure
from tests.support.openai_server import OpenAIServer

Trouble = Callable[[OpenAIServer], None]
EMPTY = "'gpt-4.1-mini' answered with an empty text: try again"
CUT = "'gpt-4.1-mini' used up its tokens before it said anything: raise model.max_output_tokens"
FILTERED = "{host} withheld the answer of 'gpt-4.1-mini': its content filter was set off"
NO_CHOICE = "{host} answered without a choice for 'gpt-4.1-mini': try again later"
OTHER = "{host} answered with something else than a chat completion: check model.base_url, which usually ends in /v1"


@pytest.mark.parametrize(
    ("trouble", "text", "retryable"),
    [
        (lambda server: server.answer(None), EMPTY, True),
        (lambda server: server.answer(" \n"), EMPTY, True),
        (lambda server: server.answer("", "length"), CUT, False),
        (lambda server: server.answer("Half", "content_filter"), FILTERED, False),
        (lambda server: server.send(200, "<html>Welcome!</html>"), OTHER, False),
        (lambda server: server.send(200, ["x"]), OTHER, False),
        (lambda server: server.send(200, {"choices": [{"message": "hi"}]}), OTHER, False),
        (lambda server: server.send(200, {"choices": []}), NO_CHOICE, True),
        (lambda server: server.send(200, {"error": {"message": "Upstream", "code": 502}}), NO_CHOICE, True),
    ],
)
def test_an_answer_that_is_none_says_why(
    server: OpenAIServer,
    model: ChatModel,
    ask: Ask,
    trouble: Trouble,
    text: str,
    retryable: bool,
) -> None:
    trouble(server)
    error = failure(model, ask())
    assert str(error) == text.format(host=httpx2.URL(server.url).netloc.decode())
    assert error.retryable is retryable


def test_what_the_model_said_is_in_no_error(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    server.send(200, {"choices": [{"message": {"content": ["a secret"]}}]})
    assert "a secret" not in "".join(traceback.format_exception(failure(model, ask())))


def test_a_refusal_is_an_answer(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    server.answer(None, refusal="I cannot help with that.")
    assert model.complete(ask()).text == "I cannot help with that."


def test_a_text_cut_at_the_limit_is_an_answer(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    server.answer("\nOnce upon a", "length")
    assert model.complete(ask()).text == "Once upon a"


def test_usage_that_the_server_leaves_out_is_counted(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    server.omit_usage("at three")
    request = ask(Message("user", "when?"))
    asked = count_messages("gpt-4.1-mini", request.messages)
    assert model.complete(request).usage == Usage("gpt-4.1-mini", asked, count_tokens("gpt-4.1-mini", "at three"))
