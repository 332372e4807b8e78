"""Reads the body of a chat completion: the answer's text, what it cost, and why there is none."""

from pydantic import BaseModel, ConfigDict, ValidationError

from botkit.errors import ModelError
from botkit.models.tokens import count_messages, count_tokens
from botkit.ports import ChatRequest, Completion, Usage


class _Part(BaseModel):
    # What a model said must not reach a log by way of a validation error.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class _Said(_Part):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Part):
    message: _Said
    finish_reason: str | None = None


class _Spent(_Part):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Body(_Part):
    """What botkit reads of a chat completion (OpenAI API reference: The chat completion object)."""

    choices: list[_Choice] | None = None
    usage: _Spent | None = None
    error: object = None


def read_completion(content: bytes, request: ChatRequest, host: str) -> Completion:
    """The completion in a 200's body; a refusal is an answer too. Raises ModelError where there is none."""
    try:
        body = _Body.model_validate_json(content)
    except ValidationError as error:
        raise ModelError(
            f"{host} answered with something else than a chat completion: check model.base_url, "
            "which usually ends in /v1"
        ) from error
    text = _text(body, request, host)
    return Completion(text, _usage(body.usage or _Spent(), request, text))


def _text(body: _Body, request: ChatRequest, host: str) -> str:
    if not body.choices:
        # Routers send a failure of the server behind them as a 200 with an `error`.
        raise ModelError(f"{host} answered without a choice for {request.model!r}: try again later", retryable=True)
    choice = body.choices[0]
    if choice.finish_reason == "content_filter":
        raise ModelError(f"{host} withheld the answer of {request.model!r}: its content filter was set off")
    text = (choice.message.content or "").strip() or (choice.message.refusal or "").strip()
    if not text and choice.finish_reason == "length":
        # Reasoning models think out of the same allowance.
        raise ModelError(f"{request.model!r} used up its tokens before it said anything: raise model.max_output_tokens")
    if not text:
        raise ModelError(f"{request.model!r} answered with an empty text: try again", retryable=True)
    return text


def _usage(spent: _Spent, request: ChatRequest, text: str) -> Usage:
    # Some compatible servers leave the usage out; limits must count all the same.
    asked = spent.prompt_tokens if spent.prompt_tokens is not None else count_messages(request.model, request.messages)
    said = spent.completion_tokens if spent.completion_tokens is not None else count_tokens(request.model, text)
    return Usage(request.model, asked, said)
