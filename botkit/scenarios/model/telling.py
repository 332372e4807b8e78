"""Telling a model of a conversation, none of whose words it is to obey; and reading the JSON that it answers."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from botkit.errors import ModelError
from botkit.messages import Message
from botkit.ports import ChatRequest, Completion, Usage
from botkit.scenarios.model.asking import Ask
from botkit.scenarios.model.requests import whole
from botkit.scenarios.results import Line

LONGEST_TEXT: Final = 4_000
"""Characters of one message that are told, from its beginning and its end."""
MOST_LINES: Final = 60
"""Messages that are told, the newest."""

T = TypeVar("T")

_DECODER = json.JSONDecoder()
_AGAIN = "That was not understood. Answer with the JSON object alone, with all its members and nothing around it."


class Misunderstood(Exception):
    """A model answers something else than what it was asked for, also when it is asked again."""


def told(lines: Sequence[Line]) -> str:
    """A conversation as JSON, a message a line, between marks that nobody in it can write."""
    newest = lines[-MOST_LINES:]
    rows = [json.dumps(_row(line), ensure_ascii=False).replace("<", "\\u003c") for line in newest]
    left_out = f"[{len(lines) - len(newest)} earlier messages are left out]\n" if len(newest) < len(lines) else ""
    return f"<conversation>\n{left_out}" + "\n".join(rows) + "\n</conversation>"


def asking(real: Ask, read: Callable[[str], T | None]) -> Ask:
    """Asks until `read` makes something of the answer, twice at most. Raises Misunderstood, and ModelError."""

    def persist(request: ChatRequest) -> Completion:
        first = _without_refused(real, request)
        if read(first.text) is not None:
            return first
        again = (*request.messages, Message("assistant", first.text), Message("user", _AGAIN))
        second = _without_refused(real, replace(request, messages=again))
        if read(second.text) is None:
            raise Misunderstood(second.text)
        return replace(second, usage=_sum(first.usage, second.usage))

    return persist


def objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects in a text, whatever stands around them; of nested ones the outermost."""
    found, start = [], text.find("{")
    while start >= 0:
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            found.append(value)
        start = text.find("{", end)
    return found


def cut(text: str, longest: int) -> str:
    """A text of at most about so many characters: what is in the middle goes."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} … ({len(text) - 2 * half} characters left out) … {text[-half:]}"


def _row(line: Line) -> dict[str, Any]:
    text = cut(whole(line.text), LONGEST_TEXT)
    row: dict[str, Any] = {"from": line.kind, "name": cut(whole(line.who), 100), "text": text}
    return {**row, "buttons": [cut(whole(one), 100) for one in line.buttons[:20]]} if line.buttons else row


def _without_refused(real: Ask, request: ChatRequest) -> Completion:
    """Ask; where the model takes no temperature, as OpenAI's reasoning models, without one."""
    try:
        return real(request)
    except ModelError as error:
        if request.temperature is None or error.retryable or "temperature" not in str(error):
            raise
    return real(replace(request, temperature=None))


def _sum(first: Usage, second: Usage) -> Usage:
    return replace(
        second,
        input_tokens=first.input_tokens + second.input_tokens,
        output_tokens=first.output_tokens + second.output_tokens,
    )
