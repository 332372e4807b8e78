import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from threading import Timer
from time import perf_counter

import httpx2
import pytest

from botkit.messages import Message
from botkit.models.openai import OpenAIModel
from botkit.ports import ChatModel, Usage
from tests.models.asking import NOON, Ask, MovingClock, failure
from tests.support.openai_server import OpenAIServer


class Redirected(httpx2.BaseTransport):
    """Carries requests for any host to the stand-in, as if it were that host."""

    def __init__(self, server: OpenAIServer) -> None:
        self.port = httpx2.URL(server.url).port
        self.inner = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(
            scheme="http", host="127.0.0.1", port=self.port, path="/v1/chat/completions"
        )
        return self.inner.handle_request(request)

    def close(self) -> None:
        self.inner.close()


# ---------------------------------------------------------------- what is sent


def test_the_conversation_is_sent_and_the_answer_comes_back(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    server.say("三時からです。")
    said = (Message("system", "Be kind."), Message("user", "hi", "hana"), Message("assistant", "yes?"))
    completion = model.complete(ask(*said, Message("user", "何時から？", tokens=7)))
    assert completion.text == "三時からです。"
    assert server.requests[0].body == {
        "model": "gpt-4.1-mini",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "hana: hi"},
            {"role": "assistant", "content": "yes?"},
            {"role": "user", "content": "何時から？"},
        ],
    }
    assert server.requests[0].headers["authorization"] == f"Bearer {server.key}"


def test_the_usage_is_the_servers(model: ChatModel, ask: Ask) -> None:
    assert model.complete(ask()).usage == Usage("gpt-4.1-mini", 3 + 3 + 2, 2)


def test_options_are_sent_where_they_are_given(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    model.complete(ask(temperature=0.0, max_output_tokens=800))
    assert server.requests[0].body["temperature"] == 0.0
    assert server.requests[0].body["max_tokens"] == 800
    assert "max_completion_tokens" not in server.requests[0].body


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        (None, "max_completion_tokens"),
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://eu.api.openai.com/v1/", "max_completion_tokens"),
        ("https://mine.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://api.openai.com.example.org/v1", "max_tokens"),
        ("https://openrouter.example.org/api/v1", "max_tokens"),
    ],
)
def test_openai_itself_gets_the_newer_name_of_the_limit(
    server: OpenAIServer,
    ask: Ask,
    clock: MovingClock,
    monkeypatch: pytest.MonkeyPatch,
    base_url: str | None,
    name: str,
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with httpx2.Client(transport=Redirected(server)) as client:
        OpenAIModel(clock, client).complete(ask(base_url=base_url, max_output_tokens=5))
    body = server.requests[0].body
    assert {key: body[key] for key in body if "tokens" in key} == {name: 5}


def test_the_environments_base_url_is_used_as_any_other(
    server: OpenAIServer, model: ChatModel, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    model.complete(ask(base_url=None, max_output_tokens=5))
    assert server.requests[0].body["max_tokens"] == 5


def test_a_server_that_needs_no_key_is_asked_without_one(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    server.key = "no-key"
    assert model.complete(ask(api_key="")).text == "hello world"


def test_half_an_emoji_is_replaced(model: ChatModel, ask: Ask) -> None:
    assert model.complete(ask(Message("user", "sushi \ud83c!"))).text == "sushi \ufffd!"


def test_one_connection_serves_many_requests(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    for _ in range(3):
        model.complete(ask())
    assert len({seen.connection for seen in server.requests}) == 1


def test_threads_share_the_model(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    texts = [f"number {number}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda text: model.complete(ask(Message("user", text))).text, texts)
    assert list(answers) == texts


# ---------------------------------------------------------------- keys and addresses


@pytest.mark.parametrize("base_url", [None, "https://api.openai.com/v1"])
def test_openai_without_a_key_is_not_even_asked(
    model: ChatModel, ask: Ask, monkeypatch: pytest.MonkeyPatch, base_url: str | None
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    error = failure(model, ask(base_url=base_url, api_key=""))
    assert str(error) == "there is no API key for api.openai.com: set model.api_key, by default env:OPENAI_API_KEY"
    assert not error.retryable


@pytest.mark.parametrize(
    "key", ["sk-seekrit\n", "sk-seekrit\r\nX-Evil: 1", " sk-seekrit", "sk-秘密seekrit", "sk-seekrit\0"]
)
def test_a_key_that_no_header_can_carry_is_refused_without_a_trace_of_it(
    server: OpenAIServer, model: ChatModel, ask: Ask, key: str
) -> None:
    error = failure(model, ask(api_key=key))
    assert "cannot be sent" in str(error)
    assert "seekrit" not in "".join(traceback.format_exception(error))
    assert not server.requests


def test_a_wrong_key_is_named_neither_whole_nor_in_part(model: ChatModel, ask: Ask) -> None:
    error = failure(model, ask(api_key="sk-proj-seekrit-0123456789-TAIL"))
    shown = "".join(traceback.format_exception(error))
    assert "did not accept the API key: check model.api_key, by default env:OPENAI_API_KEY" in shown
    assert "sk-proj" not in shown
    assert "TAIL" not in shown
    assert not error.retryable


def test_a_server_that_repeats_the_key_is_not_repeated(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    server.fail(400, f"Bad header: Bearer {server.key}")
    error = failure(model, ask())
    assert str(error).endswith("with status 400")
    assert server.key not in "".join(traceback.format_exception(error))


def test_the_key_is_in_no_repr(model: ChatModel, ask: Ask, server: OpenAIServer) -> None:
    request = ask()
    model.complete(request)
    assert server.key not in f"{request!r} {model!r} {vars(model)!r}"


@pytest.mark.parametrize(
    "base_url", ["127.0.0.1:11434/v1", "ftp://example.org", "https://", "http://[::1", "no address"]
)
def test_what_is_no_address_is_said_to_be_none(model: ChatModel, ask: Ask, base_url: str) -> None:
    error = failure(model, ask(base_url=base_url))
    assert "is not an address: write one such as" in str(error)
    assert not error.retryable


def test_an_address_is_shown_without_its_password(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    error = failure(model, ask(base_url=server.url.replace("//", "//user:seekrit@"), model="gpt-9"))
    assert "seekrit" not in str(error)


# ---------------------------------------------------------------- tries and time


def test_a_failing_server_is_tried_three_times(
    server: OpenAIServer, model: ChatModel, ask: Ask, clock: MovingClock
) -> None:
    server.fail(500)
    server.fail(503)
    server.say("at last")
    assert model.complete(ask()).text == "at last"
    assert clock.slept == [500, 1000]


def test_a_connection_broken_off_is_tried_again(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    server.drop()
    server.say("at last")
    assert model.complete(ask()).text == "at last"


def test_a_server_that_is_not_there_is_said_to_be_unreachable(ask: Ask, model: ChatModel, clock: MovingClock) -> None:
    error = failure(model, ask(base_url="http://127.0.0.1:9/v1"))
    assert str(error) == "127.0.0.1:9 cannot be reached, or it broke the connection off: check model.base_url"
    assert error.retryable
    assert clock.slept == [500, 1000]


@pytest.mark.parametrize(
    ("asked", "slept"),
    [
        ("7", [7000]),
        ("0.25", [250]),
        ("0", [500]),
        (formatdate(NOON / 1000 + 4, usegmt=True), [4000]),
        (formatdate(NOON / 1000 - 4, usegmt=True), [500]),
        ("soon", [500]),
        ("-3", [500]),
    ],
)
def test_the_wait_that_the_server_asks_for_is_kept(
    server: OpenAIServer, model: ChatModel, ask: Ask, clock: MovingClock, asked: str, slept: list[int]
) -> None:
    server.fail(429, "Slow down.", headers={"Retry-After": asked})
    server.say("at last")
    assert model.complete(ask()).text == "at last"
    assert clock.slept == slept


def test_a_wait_beyond_the_time_there_is_ends_it_at_once(
    server: OpenAIServer, model: ChatModel, ask: Ask, clock: MovingClock
) -> None:
    server.fail(429, "Slow down.", headers={"Retry-After": "30"})
    assert failure(model, ask(timeout=30)).retryable
    assert clock.slept == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("trouble", [OpenAIServer.hang, OpenAIServer.trickle])
def test_the_time_covers_a_server_that_never_ends(
    server: OpenAIServer, model: ChatModel, ask: Ask, trouble: Callable[[OpenAIServer], None]
) -> None:
    model.complete(ask())  # so that building the first client is not measured
    trouble(server)
    rescue = Timer(3, server.release)  # so that a model that waits for ever fails this test and does not hang it
    rescue.start()
    start = perf_counter()
    error = failure(model, ask(timeout=0.3))
    took = perf_counter() - start
    rescue.cancel()
    assert 0.25 < took < 2
    assert "did not answer for 'gpt-4.1-mini' in time: try again, or raise model.timeout" in str(error)
    assert error.retryable


def test_an_answer_within_the_time_is_waited_for(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    server.trickle()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(model.complete, ask(Message("user", "late")))
        assert server.wait_for_request()
        server.release()
        assert answer.result().text == "late"


def test_without_time_nothing_is_sent(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    assert failure(model, ask(timeout=0)).retryable
    assert not server.requests
