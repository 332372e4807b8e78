"""The trace of a run, in words."""

from collections.abc import Mapping
from typing import Any

from botkit.ports import Arrival, Conversation, Lease, Pending
from botkit.simulator.api import Request
from tests.simulation.faults import Plan
from tests.simulation.world import World

LONGEST = 400
"""Lines of a trace that are shown: a run that never rests has thousands, and its beginning says why."""


def told(world: World, most: int = LONGEST) -> str:
    """Every port call, fault and message of a run, with its virtual time in seconds."""
    start = world.scheduler.start
    lines = [
        f"{(at - start) / 1000:9.3f}  {who:9} {mark:34} {_words(what)}" for at, who, mark, what in world.scheduler.trace
    ]
    left_out = [f"… and {len(lines) - most} lines more"] if len(lines) > most else []
    return "\n".join([*(line.rstrip() for line in lines[:most]), *left_out])


def plan_in_words(plan: Plan) -> str:
    """The faults of a run, one a line."""
    return "\n".join(f"  {point}: {fault.value}" for point, fault in plan.items()) or "  no faults"


def _words(what: object) -> str:
    if isinstance(what, Request):
        return _short(what.body.decode()) if what.body else what.path
    if isinstance(what, Mapping) and ("TableName" in what or "TransactItems" in what):
        return _short(_operation(what))
    return _short(_brief(what))


def _brief(what: object) -> str:
    if isinstance(what, list | tuple):
        return " ".join(map(_brief, what))
    if isinstance(what, set):
        return " ".join(sorted(what))
    if isinstance(what, Lease):
        return f"lease of {what.owner}, fence {what.fence}"
    if isinstance(what, Arrival):
        return f"{what.event_id} {'renews' if what.renews else ''}"
    if isinstance(what, Pending):
        return f"{what.event_id} ({what.state}, {what.attempts} attempts, {what.sends} sends)"
    if isinstance(what, Conversation):
        return f"{what.bot}/{what.id}"
    return str(what)


def _operation(asked: Mapping[str, Any]) -> str:
    """A call of DynamoDB: the items it is about, and what it does to each."""
    if "TransactItems" in asked:
        return " | ".join(
            f"{kind} {_operation(write)}" for one in asked["TransactItems"] for kind, write in one.items()
        )
    key = asked.get("Key") or asked.get("Item") or {}
    values = {**asked.get("ExpressionAttributeValues", {})}
    words = [next(iter(key["sk"].values())) if "sk" in key else "", asked.get("UpdateExpression", "")]
    words += [
        asked.get("KeyConditionExpression", ""),
        " ".join(f"{name}={_value(one)}" for name, one in values.items()),
    ]
    return " ".join(word for word in words if word)


def _value(value: Mapping[str, Any]) -> str:
    ((_, raw),) = value.items()
    return _short(str(raw), 40)


def _short(text: str, most: int = 400) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
