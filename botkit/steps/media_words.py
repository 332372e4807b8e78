"""What is no text, in words for the model: `sticker: happy, hello`; `video, 12 s`."""

from botkit.line.text import clean_name, graphemes, shorten
from botkit.messages import Event, Location

NAMES = {
    "image": "photo",
    "audio": "voice message",
    "sticker": "sticker",
    "location": "location",
    "video": "video",
    "file": "file",
}
"""The kinds of messages besides texts, by LINE's name for them (LINE reference: Message event)."""

_LONGEST = 200

# The first bytes tell what a picture is; a header only what somebody says it is.
_HEADS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF8", "image/gif"))


def words_of(event: Event) -> str:
    """What a message of one of the kinds in NAMES is; on one line, whatever its sender has put into it."""
    kind = event.message_type or ""
    match kind:
        case "sticker":
            details = ", ".join(filter(None, map(_visible, event.words)))
        case "location":
            details = _place(event.location) if event.location else ""
        case "file":
            details = _visible(event.file_name or "")
        case _:
            length = "" if event.duration is None else f", {max(1, round(event.duration / 1000))} s"
            return f"{NAMES[kind]}{length}"
    return f"{NAMES[kind]}: {details}" if details else NAMES[kind]


def picture_type(data: bytes) -> str | None:
    """The media type of a picture that models can see, None of all else.

    (OpenAI: Images and vision, "Image input requirements".)
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((media_type for head, media_type in _HEADS if data.startswith(head)), None)


def _place(location: Location) -> str:
    degrees = (f"{number:.5f}".rstrip("0").rstrip(".") for number in (location.latitude, location.longitude))
    return ", ".join(filter(None, (_visible(location.title), _visible(location.address), *degrees)))


def _visible(text: str) -> str:
    """Somebody else's words without what could hide or forge text, as `clean_name` has names, but longer."""
    shown = "".join(" " if one.isspace() else clean_name(one) for one in graphemes(text))
    return shorten(" ".join(shown.split()), _LONGEST)
