"""The bodies of requests as OpenAI takes them: texts, photos, recordings."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from botkit.messages import Content, Message
from botkit.models.known import base_model
from botkit.ports import ChatRequest, ModerationRequest, TranscriptionRequest

JsonObject = dict[str, Any]

# OpenAI tells a recording's format by the ending of its file name. LINE's voice messages are m4a, whatever they
# are said to be. (OpenAI API reference: Create transcription, `file`.)
_ENDINGS = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/ogg": "ogg",
    "audio/opus": "ogg",
    "application/ogg": "ogg",
    "audio/webm": "webm",
    "video/webm": "webm",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
}


def chat_body(request: ChatRequest, *, own: bool) -> JsonObject:
    """A chat completion to make (OpenAI API reference: Create chat completion); `own`: by OpenAI itself."""
    # OpenAI calls `max_tokens` deprecated and its reasoning models refuse it; many compatible
    # servers know only that one.
    limit = "max_completion_tokens" if own else "max_tokens"
    options = {"temperature": request.temperature, limit: request.max_output_tokens}
    return {
        "model": request.model,
        "messages": [{"role": message.role, "content": _content(message)} for message in request.messages],
        **{name: value for name, value in options.items() if value is not None},
    }


def recording(request: TranscriptionRequest) -> tuple[str, bytes, str]:
    """The file of a recording: its name, bytes and media type, which is never what somebody else has written."""
    ending = _ENDINGS.get(request.audio.media_type, "m4a")
    return f"audio.{ending}", request.audio.data, f"audio/{ending}"


def moderation_bodies(request: ModerationRequest) -> Iterator[JsonObject]:
    """Moderations to make, one or more; none where there is nothing to judge.

    OpenAI takes one photo a request ("Number of images (2) exceeds maximum of 1"), so each further one is a
    request of its own. Models that judge words alone are sent no photos.
    """
    text, images = _whole(request.text), request.images if sees_photos(request.model) else ()
    if not images and text.strip():
        yield {"model": request.model, "input": [text]}
    for number, image in enumerate(images):
        words = [{"type": "text", "text": text}] if text.strip() and number == 0 else []
        yield {"model": request.model, "input": [*words, _image_part(image)]}


def sees_photos(model: str) -> bool:
    """Whether a moderation model judges photos, too (OpenAI: Moderation, "omni-moderation")."""
    return base_model(model).startswith("omni-")


def _content(message: Message) -> str | list[JsonObject]:
    text = _whole(message.content)
    if not message.images:
        return text
    return [{"type": "text", "text": text}, *map(_image_part, message.images)]


def _image_part(image: Content) -> JsonObject:
    url = f"data:{image.media_type};base64,{b64encode(image.data).decode('ascii')}"
    return {"type": "image_url", "image_url": {"url": url}}


def _whole(text: str) -> str:
    # Half of a surrogate pair (an emoji cut by a careless client) has no UTF-8: it becomes U+FFFD.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
