"""Requests to a model as plain JSON: what is kept of them, by which key they are known, and how two of them differ."""

import json
import textwrap
import unicodedata
from collections.abc import Iterator
from difflib import unified_diff
from hashlib import sha256
from typing import Any, Final

from botkit.messages import Content, Message
from botkit.ports import ChatRequest

Plain = dict[str, Any]
"""`{"model": …, "temperature": …, "max_output_tokens": …, "messages": [{"role": …, "content": …, "images": […]}]}`.

Options that are not given are not in it, nor are key, address and timeout: they do not change the answer.
"""

OPTIONS: Final = ("model", "temperature", "max_output_tokens")
LONGEST_LINE: Final = 160
"""Characters of a line of a difference; longer ones are wrapped, so that a change in a long paragraph is seen."""
MOST_LINES: Final = 120
"""Of a difference."""
_CONTEXT = 2


def plain(request: ChatRequest) -> Plain:
    """What of a request changes its answer; a photo is there as the hash of its bytes."""
    options = {
        "model": request.model,
        # 1 and 1.0 are one temperature, but not one text.
        "temperature": None if request.temperature is None else float(request.temperature),
        "max_output_tokens": request.max_output_tokens,
    }
    given = {name: value for name, value in options.items() if value is not None}
    return {**given, "messages": [_message(message) for message in request.messages]}


def key_of(kind: str, request: Plain) -> str:
    """The key of a request, in hexadecimal digits: equal for what is asked in the same way, and for nothing else."""
    canonical = json.dumps([kind, request], sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode("ascii")).hexdigest()


def difference(before: Plain, now: Plain) -> str:
    """What has changed, for people: a line for each option, and a unified diff of the messages."""
    lines = [
        f"{name}: {_option(before, name)} → {_option(now, name)}"
        for name in OPTIONS
        if before.get(name) != now.get(name)
    ]
    changes = list(
        unified_diff(list(_lines(before)), list(_lines(now)), "recorded", "now", n=_CONTEXT, lineterm=""),
    )
    if len(changes) > MOST_LINES:
        changes = [*changes[:MOST_LINES], f"… and {len(changes) - MOST_LINES} lines more"]
    return "\n".join([*lines, *changes])


def whole(text: str) -> str:
    """A text that has a UTF-8: half of a surrogate pair, as of an emoji that was cut, becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def visible(text: str) -> str:
    """A text without characters that a terminal would obey."""
    return "".join(f"\\x{ord(one):02x}" if unicodedata.category(one) == "Cc" and one != "\t" else one for one in text)


def _message(message: Message) -> Plain:
    said = {"role": message.role, "content": whole(message.content)}
    return {**said, "images": [_image(image) for image in message.images]} if message.images else said


def _image(image: Content) -> Plain:
    return {"media_type": image.media_type, "sha256": sha256(image.data).hexdigest()}


def _option(request: Plain, name: str) -> str:
    return visible(str(request.get(name, "not given")))


def _lines(request: Plain) -> Iterator[str]:
    """The messages as a text to be compared line by line."""
    for message in request["messages"]:
        yield f"[{message['role']}]"
        for line in message["content"].split("\n"):
            yield from _wrapped(visible(line))
        for image in message.get("images", ()):
            yield f"[photo: {image['media_type']}, sha256 {image['sha256'][:12]}]"


def _wrapped(line: str) -> list[str]:
    if len(line) <= LONGEST_LINE:
        return [line]
    return textwrap.wrap(line, LONGEST_LINE, drop_whitespace=False, replace_whitespace=False) or [line]
