"""Which calls of LINE's API were made for an event."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from botkit.simulator.world import Call, World

JsonObject = dict[str, Any]


def calls_for(world: World, bot: str, events: Collection[str], turns: Sequence[JsonObject]) -> list[JsonObject]:
    """The calls, oldest first, as JSON: replies and pushes for any of the events, and what its turns have asked.

    A turn's own calls are known by the ids in their paths and bodies, and where these say little by their time.
    """
    keys = {str(uuid5(NAMESPACE_URL, f"botkit:{bot}:{event}")) for event in events}
    account = world.account_named(bot)

    def is_for(call: Call) -> bool:
        body = call.body if isinstance(call.body, dict) else {}
        match call.endpoint:
            case "reply":
                return _event_of(world, body.get("replyToken")) in events
            case "push":
                return call.headers.get("x-line-retry-key") in keys
        if account is None or call.account != account.user_id:
            return False
        named = {*call.path.split("/"), body.get("chatId"), body.get("markAsReadToken")}
        return any(_is_of(turn, call, named) for turn in turns)

    return [_told(call) for call in sorted(world.calls, key=lambda one: one.at) if is_for(call)]


def _event_of(world: World, token: Any) -> str | None:
    try:
        return world.allowances.event_of(token)
    except (KeyError, TypeError):
        return None


def _is_of(turn: JsonObject, call: Call, named: Collection[str | None]) -> bool:
    if not any(one in named for one in turn["ids"]):
        return False
    if call.endpoint in ("content", "mark_as_read"):  # a message's own
        return True
    return turn["began"] <= call.at and (turn["ended"] is None or call.at <= turn["ended"])


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
