import json
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from inspect import signature
from time import perf_counter
from typing import Any

import httpx2
import openai
import pytest

from botkit.errors import ContextOverflow, ModelError
from botkit.messages import Message
from botkit.models.openai import OpenAIModel
from botkit.models.tokens import count_messages, count_tokens
from botkit.ports import ChatModel, ChatRequest, Usage
from tests.support.openai_server import OpenAIServer, openai_server

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


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with openai_server({"tiny": 40}) as server:
        yield server


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
def model(clock: MovingClock) -> ChatModel:
    return OpenAIModel(clock)


@pytest.fixture
def ask(server: OpenAIServer) -> Callable[..., ChatRequest]:
    """Make a request to the stand-in; keywords replace its parts."""

    def make(*messages: Message, **parts: Any) -> ChatRequest:
        said = messages or (Message("user", "hello world"),)
        parts = {"model": "gpt-4.1-mini", "timeout": 30.0, "base_url": server.url, "api_key": server.key} | parts
        return ChatRequest(messages=said, **parts)

    return make


Ask = Callable[..., ChatRequest]


def failure(model: ChatModel, request: ChatRequest) -> ModelError:
    with pytest.raises(ModelError) as caught:
        model.complete(request)
    return caught.value


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


def test_usage_that_the_server_leaves_out_is_counted(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    server.omit_usage("at three")
    request = ask(Message("user", "when?"))
    asked = count_messages("gpt-4.1-mini", request.messages)
    assert model.complete(request).usage == Usage("gpt-4.1-mini", asked, count_tokens("gpt-4.1-mini", "at three"))


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
    assert "status 400: Bad header: Bearer …" in str(error)
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


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("status", "error", "retryable", "text"),
    [
        (400, {"code": "unsupported_value"}, False, "{host} refused the request for 'gpt-4.1-mini' with status 400: Oh."),
        (402, {}, False, "{host} says that the account has no credit left: add some, or raise its budget"),
        (403, {}, False, "{host} does not let this API key use 'gpt-4.1-mini': ask for access, or choose another model"),
        (422, {}, False, "{host} refused the request for 'gpt-4.1-mini' with status 422: Oh."),
        (429, {"code": "rate_limit_exceeded"}, True, "{host} limits the rate for 'gpt-4.1-mini': try again later"),
        (429, {"code": "insufficient_quota"}, False, "{host} says that the account has no credit left: add some, or raise its budget"),
        (429, {"kind": "insufficient_quota"}, False, "{host} says that the account has no credit left: add some, or raise its budget"),
        (408, {}, True, "{host} failed with status 408 for 'gpt-4.1-mini': try again later"),
        (409, {}, True, "{host} failed with status 409 for 'gpt-4.1-mini': try again later"),
        (500, {"kind": "server_error"}, True, "{host} failed with status 500 for 'gpt-4.1-mini': try again later"),
        (503, {}, True, "{host} failed with status 503 for 'gpt-4.1-mini': try again later"),
    ],
)  # fmt: skip
def test_each_status_says_the_cure(
    server: OpenAIServer, model: ChatModel, ask: Ask, status: int, error: dict[str, str], retryable: bool, text: str
) -> None:
    for _ in range(3):
        server.fail(status, "Oh.", **error)
    raised = failure(model, ask())
    assert str(raised) == text.format(host=httpx2.URL(server.url).netloc.decode())
    assert raised.retryable is retryable
    assert len(server.requests) == (3 if retryable else 1)


def test_an_unknown_model_is_named(model: ChatModel, ask: Ask) -> None:
    error = failure(model, ask(model="gpt-9"))
    assert "knows no model 'gpt-9'" in str(error)
    assert not error.retryable


def test_a_base_url_with_the_whole_path_is_told_from_a_right_one(
    server: OpenAIServer, model: ChatModel, ask: Ask
) -> None:
    error = failure(model, ask(base_url=f"{server.url}/chat/completions"))
    assert "model.base_url, which usually ends in /v1" in str(error)


def test_a_refused_option_is_said_in_the_servers_words(model: ChatModel, ask: Ask) -> None:
    error = failure(model, ask(model="gpt-5-mini", temperature=0.7))
    assert "'temperature' does not support 0.7 with this model" in str(error)


def test_long_words_are_cut_and_pages_left_out(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    server.fail(400, "word " * 1000)
    server.send(400, "<html>a page of a proxy</html>")
    assert len(str(failure(model, ask()))) < 300
    assert str(failure(model, ask())).endswith("with status 400")


def test_a_prompt_too_long_is_an_overflow(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    error = failure(model, ask(Message("user", "hello " * 100), model="tiny"))
    assert isinstance(error, ContextOverflow)
    assert "the prompt is too long for 'tiny'" in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "content"),
    [
        # vLLM, before and after 0.10
        (400, {"object": "error", "message": "This model's maximum context length is 16384 tokens. However, you requested 122946 tokens (112946 in the messages, 10000 in the completion).", "type": "BadRequestError", "code": 400}),
        (400, {"error": {"message": "The prompt (total length 25938) is too long to fit into the model (context length 4096). Make sure that `max_model_len` is no smaller than the number of text tokens.", "type": "BadRequestError", "code": 400}}),
        # llama.cpp
        (400, {"error": {"code": 400, "message": "the request exceeds the available context size. try increasing the context size or enable context shift", "type": "exceed_context_size_error", "n_prompt_tokens": 14429, "n_ctx": 8192}}),
        # Ollama
        (400, {"error": {"message": "the input length exceeds the context length", "type": "invalid_request_error"}}),
        (500, {"error": {"message": "input exceeds context length", "type": "api_error"}}),
        (400, {"error": "the input length exceeds the context length"}),
        # LM Studio
        (400, {"error": "Trying to keep the first 9999 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens"}),
        # Gemini and Anthropic, through their OpenAI-compatible doors
        (400, {"error": {"code": 400, "message": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", "status": "INVALID_ARGUMENT"}}),
        (400, {"error": {"code": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"}}),
    ],
)  # fmt: skip
def test_every_servers_way_to_say_too_long_is_understood(
    server: OpenAIServer, model: ChatModel, ask: Ask, status: int, content: object
) -> None:
    server.send(status, content)
    assert isinstance(failure(model, ask()), ContextOverflow)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (500, "context deadline exceeded"),
        (400, "max_tokens is too large: 99999. This model supports at most 16384 completion tokens."),
        (429, "Request too large for gpt-4.1 in organization org-1 on tokens per min (TPM): Limit 30000, Requested 40000."),
    ],
)  # fmt: skip
def test_what_only_sounds_like_too_long_is_not(
    server: OpenAIServer, model: ChatModel, ask: Ask, status: int, message: str
) -> None:
    for _ in range(3):
        server.fail(status, message)
    assert not isinstance(failure(model, ask()), ContextOverflow)


@pytest.mark.parametrize(
    ("trouble", "retryable", "text"),
    [
        (lambda server: server.answer(None), True, "'gpt-4.1-mini' answered with an empty text: try again"),
        (lambda server: server.answer(" \n"), True, "'gpt-4.1-mini' answered with an empty text: try again"),
        (lambda server: server.answer("", "length"), False, "'gpt-4.1-mini' used up its tokens before it said anything: raise model.max_output_tokens"),
        (lambda server: server.answer("Half", "content_filter"), False, "{host} withheld the answer of 'gpt-4.1-mini': its content filter was set off"),
        (lambda server: server.send(200, "<html>Welcome!</html>"), False, "{host} answered with something else than a chat completion: check model.base_url, which usually ends in /v1"),
        (lambda server: server.send(200, ["x"]), False, "{host} answered with something else than a chat completion: check model.base_url, which usually ends in /v1"),
        (lambda server: server.send(200, {"choices": [{"message": "hi"}]}), False, "{host} answered with something else than a chat completion: check model.base_url, which usually ends in /v1"),
        (lambda server: server.send(200, {"choices": []}), True, "{host} answered without a choice for 'gpt-4.1-mini': try again later"),
        (lambda server: server.send(200, {"error": {"message": "Upstream", "code": 502}}), True, "{host} answered without a choice for 'gpt-4.1-mini': try again later"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_says_why(
    server: OpenAIServer,
    model: ChatModel,
    ask: Ask,
    trouble: Callable[[OpenAIServer], None],
    retryable: bool,
    text: str,
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
    start = perf_counter()
    error = failure(model, ask(timeout=0.3))
    assert 0.25 < perf_counter() - start < 1
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


# ---------------------------------------------------------------- the SDK's exceptions

RETRYABLE = {"APIConnectionError", "APITimeoutError", "ConflictError", "RateLimitError", "InternalServerError"}


def subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from subclasses(sub)


def example(kind: type[Exception]) -> Exception:
    request = httpx2.Request("POST", "http://127.0.0.1/v1")
    status = getattr(kind, "status_code", 500 if kind is openai.InternalServerError else 418)
    parts = {
        "message": "Oh.",
        "request": request,
        "response": httpx2.Response(status, request=request),
        "body": None,
        "completion": openai.types.chat.ChatCompletion.model_construct(usage=None),
        "unsent_messages": [],
        "symbol": "Completion",
    }
    names = [name for name, part in signature(kind).parameters.items() if part.kind.name.endswith("KEYWORD")]
    keywords = {name: parts[name] for name in names if name in parts}
    return kind(**keywords)


@pytest.mark.parametrize(
    "kind", sorted({openai.OpenAIError, *subclasses(openai.OpenAIError)}, key=lambda kind: kind.__name__)
)
def test_every_exception_of_the_sdk_becomes_a_model_error(ask: Ask, clock: MovingClock, kind: type[Exception]) -> None:
    def fail(request: httpx2.Request) -> httpx2.Response:
        raise example(kind)

    with httpx2.Client(transport=httpx2.MockTransport(fail)) as client:
        error = failure(OpenAIModel(clock, client), ask())
    assert error.retryable is (kind.__name__ in RETRYABLE)
    assert "127.0.0.1" in str(error)


# ---------------------------------------------------------------- the stand-in keeps OpenAI's rules


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/chat/completions", {"model": "gpt-4o", "messages": []}, 400, "empty_array"),
        ("POST", "/chat/completions", {"model": "gpt-4o"}, 400, "missing_required_parameter"),
        ("POST", "/chat/completions", {"model": "gpt-4o", "messages": [{"role": "bot", "content": ""}]}, 400, "invalid_value"),
        ("POST", "/chat/completions", {"model": "gpt-4o", "messages": [{"role": "user", "content": None}]}, 400, "invalid_type"),
        ("POST", "/chat/completions", {"model": "gpt-4o", "messages": [{"role": "user", "content": "", "text": ""}]}, 400, "unknown_parameter"),
        ("POST", "/chat/completions", {"model": "gpt-4o", "messages": [{"role": "user", "content": ""}], "tokens": 1}, 400, "unknown_parameter"),
        ("POST", "/chat/completions", {"model": "gpt-4o", "messages": [{"role": "user", "content": ""}], "max_tokens": 1, "max_completion_tokens": 1}, 400, "invalid_parameter_combination"),
        ("POST", "/chat/completions", {"model": "gpt-5", "messages": [{"role": "user", "content": ""}], "max_tokens": 1}, 400, "unsupported_parameter"),
        ("POST", "/chat/completions", {"model": "gpt-4o", "messages": [{"role": "user", "content": ""}], "temperature": 3}, 400, "decimal_out_of_range"),
        ("POST", "/chat/completions", [], 400, None),
        ("POST", "/completions", {}, 404, None),
        ("GET", "/chat/completions", None, 405, None),
    ],
)  # fmt: skip
def test_the_stand_in_refuses_what_openai_refuses(
    server: OpenAIServer, method: str, path: str, body: object, status: int, code: str | None
) -> None:
    headers = {"Authorization": f"Bearer {server.key}"}
    with httpx2.Client() as client:
        response = client.request(method, server.url + path, content=json.dumps(body), headers=headers)
    assert response.status_code == status
    assert response.json()["error"]["code"] == code
