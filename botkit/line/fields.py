"""Fields of a webhook event: every one optional, none trusted; what is of a wrong type counts as absent."""

from typing import Any, TypeGuard

from botkit.messages import Location

# An id becomes part of a key in the store. LINE's longest is 68 characters (module channels' user ids).
_LONGEST_ID = 255
# More than people can pick at once in LINE's apps; beyond it a number is not believed.
_MOST_PHOTOS = 50
# LINE names at most 15 keywords, and a message sticker holds at most 100 characters (LINE reference: Sticker).
_MOST_WORDS, _LONGEST_WORD = 20, 100
_LONGEST_FILE_NAME = 255
_LONGEST_PLACE = 200
_LONGEST_DURATION = 24 * 3600 * 1000
# LINE's groups have at most 500 members.
_MOST_MEMBERS = 500


def object_in(raw: dict[str, Any], key: str) -> dict[str, Any]:
    """The object at `key`; an empty one where there is none."""
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def string_in(raw: dict[str, Any], key: str, *, empty: bool = False) -> str | None:
    """The string at `key`; an empty one counts where `empty`."""
    value = raw.get(key)
    return value if isinstance(value, str) and (value or empty) else None


def id_in(raw: dict[str, Any], key: str) -> str | None:
    """The id at `key`, short enough for a key of the store."""
    value = string_in(raw, key)
    return value if value and len(value) <= _LONGEST_ID else None


def is_int(value: object) -> TypeGuard[int]:
    """Whether it is a whole number; `true` is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def words_in(message: dict[str, Any]) -> tuple[str, ...]:
    """What is written on a sticker, then its keywords (LINE reference: Sticker), each cut to 100 characters."""
    keywords = message.get("keywords")
    words = [message.get("text"), *(keywords[:_MOST_WORDS] if isinstance(keywords, list) else ())]
    found = [word[:_LONGEST_WORD] for word in words if isinstance(word, str) and word.strip()]
    return tuple(found[:_MOST_WORDS])


def location_in(message: dict[str, Any]) -> Location | None:
    """The place of a location message; None where it has no place on earth."""
    latitude, longitude = _degrees(message.get("latitude"), 90), _degrees(message.get("longitude"), 180)
    if latitude is None or longitude is None:
        return None
    title, address = (string_in(message, key) or "" for key in ("title", "address"))
    return Location(title[:_LONGEST_PLACE], address[:_LONGEST_PLACE], latitude, longitude)


def file_name_in(message: dict[str, Any]) -> str | None:
    """The name of a file as its sender has it, at most 255 characters."""
    name = string_in(message, "fileName")
    return name[:_LONGEST_FILE_NAME] if name else None


def duration_in(message: dict[str, Any]) -> int | None:
    """The length of a video or voice message in ms; None beyond a day."""
    value = message.get("duration")
    return value if is_int(value) and 0 <= value <= _LONGEST_DURATION else None


def photo_set_in(message: dict[str, Any]) -> tuple[str, int] | None:
    """Photos sent together come as events of their own, in any order (LINE reference: Image message event)."""
    raw = object_in(message, "imageSet")
    set_id, total = id_in(raw, "id"), raw.get("total")
    return (set_id, total if is_int(total) and 0 < total <= _MOST_PHOTOS else 0) if set_id else None


def members_in(raw: dict[str, Any]) -> tuple[str, ...]:
    """The user ids of those who joined, each once (LINE reference: Member join event)."""
    members = object_in(raw, "joined").get("members")
    entries = members[:_MOST_MEMBERS] if isinstance(members, list) else []
    ids = (id_in(entry, "userId") for entry in entries if isinstance(entry, dict))
    return tuple(dict.fromkeys(one for one in ids if one))


def _degrees(value: object, most: int) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -most <= value <= most else None
