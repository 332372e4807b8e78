"""Media of people: which types LINE's app sends, and which a browser may show."""

import re
from typing import Final

from starlette.responses import Response

from botkit.messages import Content

# What a browser shows without running anything of it. No SVG: it may hold script.
SHOWN: Final = {
    "image": ("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/heic", "image/bmp"),
    "audio": (
        *("audio/mpeg", "audio/mp4", "audio/x-m4a", "audio/m4a", "audio/aac", "audio/wav", "audio/x-wav"),
        *("audio/ogg", "audio/webm", "audio/flac"),
    ),
    "video": ("video/mp4", "video/webm", "video/quicktime", "video/ogg"),
}
_RANGE: Final = re.compile(r"\s*bytes\s*=\s*(\d{0,15})-(\d{0,15})\s*", re.ASCII)
_ALL_SHOWN = frozenset(one for types in SHOWN.values() for one in types)


def plain_type(media_type: str) -> str:
    """A media type without its parameters."""
    return media_type.partition(";")[0].strip().lower()


def fits(kind: str, media_type: str) -> bool:
    """Whether a photo, voice message or video can be of this type; a file may be of any."""
    return kind == "file" or plain_type(media_type) in SHOWN[kind]


def media_response(content: Content, asked: str | None) -> Response:
    """What a message holds, or the range of it that is `asked` for; what is no picture or sound is only saved.

    Safari plays nothing that it cannot ask for in ranges (RFC 9110, section 14).
    """
    headers = {
        # Whatever the bytes are, they run nothing: not as a page of their own either.
        "content-security-policy": "sandbox; default-src 'none'",
        "cache-control": "private, max-age=3600",
        "accept-ranges": "bytes",
    }
    media_type = content.media_type
    if media_type not in _ALL_SHOWN:
        media_type = "application/octet-stream"
        headers["content-disposition"] = "attachment"
    total = len(content.data)
    part = _range(asked, total)
    if part is None:
        return Response(content.data, 200, headers, media_type)
    if not part:
        return Response(b"", 416, {**headers, "content-range": f"bytes */{total}"})
    headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{total}"
    return Response(content.data[part.start : part.stop], 206, headers, media_type)


def _range(asked: str | None, total: int) -> range | None:
    """The positions of `bytes=FIRST-LAST`; None where all is meant, which any form but that is taken for."""
    found = _RANGE.fullmatch(asked or "")
    if found is None:
        return None
    first, last = found.groups()
    if not first:
        return range(max(0, total - int(last or 0)), total) if last else None
    return range(int(first), min(total, int(last) + 1 if last else total))
