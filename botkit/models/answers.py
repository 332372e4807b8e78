"""Reads what OpenAI answers: the text of a completion and what it cost, a transcript, a moderation's findings."""

import re
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from botkit.errors import ModelError
from botkit.models.calls import CHAT, MODERATION, TRANSCRIPTION, Service
from botkit.models.tokens import count_messages, count_tokens
from botkit.ports import ChatRequest, Completion, Usage

# What a server calls its categories goes into notes, which hold nobody's words: OpenAI has 13 such as
# `self-harm/intent`, the longest of 22 characters.
_MOST_NAMES, _LONGEST_NAME = 20, 64
_NAME = re.compile(r"[A-Za-z0-9_/.-]+")


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


class _Transcript(_Part):
    text: str


class _Finding(_Part):
    flagged: bool
    categories: dict[str, bool | None] = {}


class _Findings(_Part):
    """What botkit reads of a moderation (OpenAI API reference: The moderation object)."""

    results: list[_Finding] = Field(min_length=1)


P = TypeVar("P", bound=_Part)


def read_completion(content: bytes, request: ChatRequest, host: str) -> Completion:
    """The completion in a 200's body; a refusal is an answer too. Raises ModelError where there is none."""
    body = _read(_Body, content, CHAT, host)
    text = _text(body, request, host)
    return Completion(text, _usage(body.usage or _Spent(), request, text))


def read_transcription(content: bytes, host: str) -> str:
    """The words in a 200's body; "" where nothing was said. Raises ModelError where it is no transcription."""
    return _read(_Transcript, content, TRANSCRIPTION, host).text.strip()


def read_moderation(content: bytes, host: str) -> tuple[str, ...]:
    """The categories found in any of the inputs, in alphabetical order. Raises ModelError where it is no moderation."""
    flagged = [one for one in _read(_Findings, content, MODERATION, host).results if one.flagged]
    found = {name[:_LONGEST_NAME] for one in flagged for name, is_found in one.categories.items() if is_found}
    names = sorted(name for name in found if _NAME.fullmatch(name))
    return tuple(names[:_MOST_NAMES]) or (("unnamed",) if flagged else ())


def _read(kind: type[P], content: bytes, service: Service, host: str) -> P:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise ModelError(
            f"{host} answered with something else than a {service.result}: check {service.section}.base_url, "
            "which usually ends in /v1"
        ) from error


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
