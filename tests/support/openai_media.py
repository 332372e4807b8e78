"""OpenAI's rules for photos, recordings and moderations, as the stand-in applies them."""

from base64 import b64decode
from email import policy
from email.parser import BytesParser
from typing import Any

from openai.types import ModerationCreateParams
from openai.types.audio.transcription_create_params import TranscriptionCreateParamsNonStreaming
from openai.types.moderation import Categories

from tests.support.openai_errors import Refusal

Body = dict[str, Any]

BLIND = ("gpt-3.5", "gpt-4", "gpt-4-0613", "gpt-4-turbo-preview", "o3-mini")
LISTENERS = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")
JUDGES = ("omni-moderation-latest", "omni-moderation-2024-09-26", "text-moderation-latest", "text-moderation-stable")
CATEGORIES = [field.alias or name for name, field in Categories.model_fields.items()]

LARGEST_IMAGE = 50_000_000
LARGEST_AUDIO = 26_214_400
AUDIO_ENDINGS = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")

IMAGE_HEADS = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}


# ---------------------------------------------------------------- photos


def check_content(content: list[Any], place: str, role: str, model: str) -> None:
    """The parts of a message (OpenAI API reference: Create chat completion, `content`)."""
    if not content:
        raise Refusal(400, f"Invalid '{place}': empty array.", code="empty_array", param=place)
    for number, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        where = f"{place}[{number}]"
        if kind == "image_url":
            check_image_place(role, model, place)
        check_part(part, where)


def check_image_place(role: str, model: str, place: str) -> None:
    if role != "user":
        text = f"Invalid '{place}'. Image URLs are only allowed for messages with role 'user'."
        raise Refusal(400, text, code="invalid_value", param=place)
    if model in BLIND or model.startswith("gpt-3.5"):
        raise Refusal(400, "Invalid content type. image_url is only supported by certain models.", param=place)


def check_part(part: Any, place: str) -> None:
    """A text or a photo, in a prompt or in what is to be judged."""
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in ("text", "image_url") or part.keys() != {"type", kind}:
        raise Refusal(400, f"Invalid value for '{place}'.", code="invalid_value", param=place)
    if kind == "text" and not isinstance(part["text"], str):
        raise Refusal(400, f"Invalid type for '{place}.text'.", code="invalid_type", param=place)
    if kind == "image_url":
        check_image(part["image_url"], place)


def check_image(image: Any, place: str) -> None:
    url = image.get("url") if isinstance(image, dict) else None
    if not isinstance(url, str) or image.keys() - {"url", "detail"}:
        raise Refusal(400, f"Invalid type for '{place}.image_url'.", code="invalid_type", param=place)
    head, comma, data = url.partition(",")
    media_type = head.removeprefix("data:").removesuffix(";base64")
    if not comma or head != f"data:{media_type};base64":
        raise Refusal(400, "Failed to download image.", code="invalid_image_url", param=place)
    try:
        content = b64decode(data, validate=True)
    except ValueError as error:
        raise Refusal(400, "Invalid base64 image_url.", code="invalid_base64", param=place) from error
    if media_type not in IMAGE_HEADS or not content.startswith(IMAGE_HEADS[media_type]):
        text = "You uploaded an unsupported image. Please make sure your image has of one the following formats: "
        raise Refusal(400, text + "['png', 'jpeg', 'gif', 'webp'].", code="invalid_image_format", param=place)
    if len(content) > LARGEST_IMAGE:
        raise Refusal(400, "The image is too large.", code="image_too_large", param=place)


def words_of(content: Any) -> str:
    """A message's text, also where photos come with it."""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def images_of(content: Any) -> list[bytes]:
    """The photos of a message."""
    parts = [] if isinstance(content, str) else content
    return [b64decode(part["image_url"]["url"].partition(",")[2]) for part in parts if part["type"] == "image_url"]


# ---------------------------------------------------------------- recordings


def form_of(content_type: str, raw: bytes) -> Body:
    """The fields of a multipart form; `file` is its name, bytes and media type. Raises Refusal where it is none."""
    message = BytesParser(policy=policy.HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + raw)
    if message.get_content_type() != "multipart/form-data" or not message.is_multipart():
        raise Refusal(400, "Could not parse multipart form")
    form: Body = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        assert isinstance(name, str)
        assert isinstance(content, bytes)
        file_name = part.get_filename()
        form[name] = content.decode() if file_name is None else (file_name, content, part.get_content_type())
    return form


def check_recording(form: Body) -> None:
    """OpenAI's rules for a recording (OpenAI API reference: Create transcription)."""
    for unknown in form.keys() - TranscriptionCreateParamsNonStreaming.__annotations__.keys():
        raise Refusal(400, f"Unknown parameter: '{unknown}'.", code="unknown_parameter", param=unknown)
    for name, kind in (("model", str), ("file", tuple)):
        if not isinstance(form.get(name), kind):
            raise Refusal(400, f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name)
    file_name, content, _ = form["file"]
    if len(content) > LARGEST_AUDIO:
        raise Refusal(413, f"Maximum content size limit ({LARGEST_AUDIO}) exceeded ({len(content)} bytes read)")
    ending = file_name.rpartition(".")[2]
    if ending not in AUDIO_ENDINGS:
        raise Refusal(400, f"Unrecognized file format. Supported formats: {list(AUDIO_ENDINGS)}", param="file")
    if not content:
        text = "Audio file is too short. Minimum audio length is 0.1 seconds."
        raise Refusal(400, text, code="audio_too_short", param="file")
    if ending in ("m4a", "mp4") and content[4:8] != b"ftyp":
        raise Refusal(400, "Audio file might be corrupted or unsupported", code="invalid_value", param="file")
    if form["model"] not in LISTENERS:
        text = f"The model `{form['model']}` does not exist or you do not have access to it."
        raise Refusal(404, text, code="model_not_found")


# ---------------------------------------------------------------- moderations


def check_moderation(body: Any) -> None:
    """OpenAI's rules for what is to be judged (OpenAI API reference: Create moderation)."""
    if not isinstance(body, dict):
        raise Refusal(400, "We could not parse the JSON body of your request.")
    for unknown in body.keys() - ModerationCreateParams.__annotations__.keys():
        raise Refusal(400, f"Unknown parameter: '{unknown}'.", code="unknown_parameter", param=unknown)
    if body.get("model") not in JUDGES:
        text = f"The model `{body.get('model')}` does not exist or you do not have access to it."
        raise Refusal(404, text, code="model_not_found")
    check_judged(body.get("input"), sees=body["model"].startswith("omni-"))


def check_judged(judged: Any, *, sees: bool) -> None:
    texts = [judged] if isinstance(judged, str) else judged
    if not isinstance(texts, list) or not texts:
        raise Refusal(400, "Invalid type for 'input'.", code="invalid_type", param="input")
    if all(isinstance(text, str) for text in texts):
        return
    if not sees:
        raise Refusal(400, "Invalid type for 'input': expected a string.", code="invalid_type", param="input")
    for number, part in enumerate(texts):
        check_part(part, f"input[{number}]")
    images = sum(part["type"] == "image_url" for part in texts)
    if images > 1:
        text = f"Number of images ({images}) exceeds maximum of 1"
        raise Refusal(400, text, code="too_many_images", param="input")


def findings(body: Body, *categories: str) -> Body:
    """A moderation object: one result for each text of a list, one for all parts together."""
    judged = body["input"]
    several = isinstance(judged, list) and isinstance(judged[0], str)
    found = {name: name in categories for name in CATEGORIES}
    result = {"flagged": bool(categories), "categories": found, "category_scores": dict.fromkeys(CATEGORIES, 0.0)}
    return {"id": "modr-loopback", "model": body["model"], "results": [result] * (len(judged) if several else 1)}
