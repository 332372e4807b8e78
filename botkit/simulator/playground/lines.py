"""Which calls of LINE's API were made for an event."""

from collections.abc import Collection, Sequence
from math import inf
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from botkit.simulator.world import Call, World

JsonObject = dict[str, Any]

ANSWERS: Final = ("reply", "push")

BESIDE: Final = 2_000
"""So long after its end, in ms, what a turn had begun beside itself may reach LINE; its answer waits for that."""


def calls_for(world: World, bot: str, events: Collection[str], turns: Sequence[JsonObject]) -> list[JsonObject]:
    """The calls, oldest first, as JSON: replies and pushes for any of the events, and what its turns have asked.

    A turn's own calls are known by the ids in their paths and bodies, and where these say little by their time.
    """
    keys = {str(uuid5(NAMESPACE_URL, f"botkit:{bot}:{event}")) for event in events}
    account = world.account_named(bot)
    since = min((turn["began"] for turn in turns), default=0)
    accounts = (account.user_id, None) if account else ()
    calls = [call for call in world.calls if call.at >= since and call.account in accounts]
    answers = [call for call in calls if _is_answer(world, call, events, keys)]
    spans = [(turn["ids"], turn["began"], _end(turn, answers)) for turn in turns]
    asked = [call for call in calls if call.account and any(_is_asked(call, *span) for span in spans)]
    return [_told(call) for call in sorted([*answers, *asked], key=lambda one: one.at)]


def _is_answer(world: World, call: Call, events: Collection[str], keys: Collection[str]) -> bool:
    match call.endpoint:
        case "reply":
            return _event_of(world, _body(call).get("replyToken")) in events
        case "push":
            return call.headers.get("x-line-retry-key", "") in keys
    return False


def _end(turn: JsonObject, answers: Sequence[Call]) -> float:
    """Until when LINE may be asked something for a turn (ms since 1970)."""
    ended: int | None = turn["ended"]
    if ended is None:
        return inf
    kept: list[int] = [one["at"] for one in turn.get("line", ()) if one["endpoint"] in ANSWERS]
    answered = (at for at in [*kept, *(call.at for call in answers)] if at >= ended)
    return min([ended + BESIDE, *answered])


def _is_asked(call: Call, ids: Collection[str], began: int, ended: float) -> bool:
    if call.endpoint in ANSWERS:
        return False
    body = _body(call)
    if not any(one in ids for one in (*call.path.split("/"), body.get("chatId"), body.get("markAsReadToken"))):
        return False
    # A message's own calls need no time to be known by.
    return call.endpoint in ("content", "mark_as_read") or began <= call.at <= ended


def _body(call: Call) -> JsonObject:
    return call.body if isinstance(call.body, dict) else {}


def _event_of(world: World, token: Any) -> str | None:
    try:
        return world.allowances.event_of(token)
    except (KeyError, TypeError):  # LINE does not know it, or it is no token at all
        return None


def _told(call: Call) -> JsonObject:
    return {
        "at": call.at,
        "endpoint": call.endpoint or "unknown",
        "method": call.method,
        "path": call.path,
        "status": call.status or None,
        "request": call.body if isinstance(call.body, dict) else None,
        "retry_key": call.headers.get("x-line-retry-key"),
    }
