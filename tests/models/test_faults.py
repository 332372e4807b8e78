from collections.abc import Iterator
from inspect import signature

import httpx2
import openai
import pytest

from botkit.errors import ContextOverflow
from botkit.messages import Message
from botkit.models.openai import OpenAIModel
from botkit.ports import ChatModel
from tests.models.asking import Ask, MovingClock, failure
from tests.support.openai_server import OpenAIServer

REFUSED = "{host} refused the request for 'gpt-4.1-mini' with status %s"
NO_ACCESS = "{host} does not let this API key use 'gpt-4.1-mini': ask for access, or choose another model"
NO_CREDIT = "{host} says that the account has no credit left: add some, or raise its budget"
TOO_FAST = "{host} limits the rate for 'gpt-4.1-mini': try again later"
FAILED = "{host} failed with status %s for 'gpt-4.1-mini': try again later"


@pytest.mark.parametrize(
    ("status", "error", "text", "retryable"),
    [
        (400, {"code": "unsupported_value"}, REFUSED % 400 + " (code unsupported_value)", False),
        (402, {}, NO_CREDIT, False),
        (403, {}, NO_ACCESS, False),
        (422, {}, REFUSED % 422, False),
        (429, {"code": "rate_limit_exceeded"}, TOO_FAST, True),
        (429, {"code": "insufficient_quota"}, NO_CREDIT, False),
        (429, {"kind": "insufficient_quota"}, NO_CREDIT, False),
        (408, {}, FAILED % 408, True),
        (409, {}, FAILED % 409, True),
        (500, {"kind": "server_error"}, FAILED % 500, True),
        (503, {}, FAILED % 503, True),
    ],
)
def test_each_status_says_the_cure(
    server: OpenAIServer, model: ChatModel, ask: Ask, status: int, error: dict[str, str], text: str, retryable: bool
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


def test_a_refused_option_is_named(model: ChatModel, ask: Ask) -> None:
    error = failure(model, ask(model="gpt-5-mini", temperature=0.7))
    assert str(error).endswith("with status 400 (code unsupported_value, parameter temperature)")


def test_a_servers_own_words_are_not_repeated_for_they_may_be_the_prompts(
    server: OpenAIServer, model: ChatModel, ask: Ask
) -> None:
    server.fail(400, "cannot read: my secret is 42", code="my secret is 42", param="messages[3].content")
    server.send(400, "<html>a page of a proxy</html>")
    assert str(failure(model, ask())).endswith("with status 400 (parameter messages[3].content)")
    assert str(failure(model, ask())).endswith("with status 400")


def test_a_prompt_too_long_is_an_overflow(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    error = failure(model, ask(Message("user", "hello " * 100), model="tiny"))
    assert isinstance(error, ContextOverflow)
    assert "the prompt is too long for 'tiny'" in str(error)
    assert len(server.requests) == 1


VLLM = (
    "This model's maximum context length is 16384 tokens. However, you requested 122946 tokens (112946 in the "
    "messages, 10000 in the completion). Please reduce the length of the messages or completion."
)
VLLM_2 = (
    "The prompt (total length 25938) is too long to fit into the model (context length 4096). Make sure that "
    "`max_model_len` is no smaller than the number of text tokens plus multimodal tokens."
)
LLAMA_CPP = "the request exceeds the available context size. try increasing the context size or enable context shift"
LM_STUDIO = (
    "Trying to keep the first 9999 tokens when context the overflows. However, the model is loaded with context "
    "length of only 4096 tokens, which is not enough."
)
GEMINI = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
ANTHROPIC = "prompt is too long: 210000 tokens > 200000 maximum"


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (400, {"object": "error", "message": VLLM, "type": "BadRequestError", "param": None, "code": 400}),
        (400, {"error": {"message": VLLM_2, "type": "BadRequestError", "param": None, "code": 400}}),
        (400, {"error": {"code": 400, "message": LLAMA_CPP, "type": "exceed_context_size_error", "n_ctx": 8192}}),
        (400, {"error": {"code": 400, "message": "", "type": "exceed_context_size_error", "n_ctx": 8192}}),
        (400, {"error": {"message": "the input length exceeds the context length", "type": "invalid_request_error"}}),
        (400, {"error": "the input length exceeds the context length"}),
        (500, {"error": {"message": "input exceeds context length", "type": "api_error"}}),
        (400, {"error": LM_STUDIO}),
        (400, {"error": {"code": 400, "message": GEMINI, "status": "INVALID_ARGUMENT"}}),
        (400, {"error": {"code": "invalid_request_error", "message": ANTHROPIC}}),
    ],
)
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
        (429, "Request too large for gpt-4.1 on tokens per min (TPM): Limit 30000, Requested 40000."),
    ],
)
def test_what_only_sounds_like_too_long_is_not(
    server: OpenAIServer, model: ChatModel, ask: Ask, status: int, message: str
) -> None:
    for _ in range(3):
        server.fail(status, message)
    assert not isinstance(failure(model, ask()), ContextOverflow)


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
    if "__init__" not in vars(kind) and kind.__init__ is Exception.__init__:
        return kind("Oh.")
    return kind(**{name: parts[name] for name in signature(kind).parameters if name in parts})


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
