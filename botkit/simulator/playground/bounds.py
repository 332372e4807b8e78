"""What is shown and kept of a story: its tokens counted, and its texts cut where they are too long to be kept."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from botkit.models.tokens import IMAGE_TOKENS

JsonObject = dict[str, Any]

LARGEST: Final = 200_000
"""Bytes of a story that is kept: a prompt may fill a context window of a million tokens."""

_LENGTHS: Final = (20_000, 5_000, 1_000, 200)
"""Characters that are left of a long text, tried in turn."""
_FEW_MESSAGES: Final = 50
_FEW_CALLS: Final = 5


def counted(story: JsonObject, count: Callable[[str, str], int]) -> JsonObject:
    """The story with the tokens of each message; those of a photo are about what OpenAI charges for one."""
    models = story["models"]
    for model in models:
        for message in model["messages"]:
            if "tokens" not in message:
                message["tokens"] = count(model["model"], message["text"]) + message["images"] * IMAGE_TOKENS
    for message in story["left_out"]:
        if "tokens" not in message:
            message["tokens"] = count(models[-1]["model"] if models else "", message["text"])
    return story


def bounded(story: JsonObject, count: Callable[[str, str], int]) -> JsonObject:
    """The story in at most about LARGEST bytes. What is cut is marked, and was counted whole."""
    if _size(story) <= LARGEST:
        return story
    story = counted(story, count)
    for length in _LENGTHS:
        for holder, key in _texts(story):
            holder[key] = _cut(holder[key], length)
        if _size(story) <= LARGEST:
            return story
    return _thinned(story)


def _size(story: JsonObject) -> int:
    return len(json.dumps(story))


def _texts(story: JsonObject) -> Iterator[tuple[Any, Any]]:
    """Where each text stands that may be long: what holds it, and under which key."""
    for model in story["models"]:
        yield from ((message, "text") for message in model["messages"])
        yield model, "answer"
    yield from ((message, "text") for message in story["left_out"])
    yield from ((story["reply"], place) for place in range(len(story["reply"])))


def _cut(text: str, length: int) -> str:
    if len(text) <= length + 60:  # the mark has its length, too
        return text
    return f"{text[:length]}… (cut here: {len(text):,} characters in all)"


def _thinned(story: JsonObject) -> JsonObject:
    """Of many messages the first and the newest; of many calls of a model the last."""
    models = story["models"][-_FEW_CALLS:]
    for model in models:
        model["messages"] = _ends(model["messages"])
    return {**story, "models": models, "left_out": _ends(story["left_out"]), "notes": story["notes"][-_FEW_MESSAGES:]}


def _ends(messages: list[JsonObject]) -> list[JsonObject]:
    gone = messages[1:-_FEW_MESSAGES]
    if not gone:
        return messages
    text = f"… ({len(gone)} messages are not kept here)"
    mark = {**gone[0], "text": text, "tokens": sum(one["tokens"] for one in gone)}
    return [messages[0], mark, *messages[-_FEW_MESSAGES:]]
