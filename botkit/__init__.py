"""botkit: LINE chatbots out of YAML files. These are the names a step of your own needs."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botkit.errors import BotkitError, SpecError, UpstreamError
    from botkit.messages import Event, Message, QuickReply, Reply, Sender, Text
    from botkit.pipeline import Handler, Step
    from botkit.turn import Turn

__all__ = [
    "BotkitError",
    "Event",
    "Handler",
    "Message",
    "QuickReply",
    "Reply",
    "Sender",
    "SpecError",
    "Step",
    "Text",
    "Turn",
    "UpstreamError",
]

_HOMES = {
    **dict.fromkeys(("BotkitError", "SpecError", "UpstreamError"), "botkit.errors"),
    **dict.fromkeys(("Event", "Message", "QuickReply", "Reply", "Sender", "Text"), "botkit.messages"),
    **dict.fromkeys(("Handler", "Step"), "botkit.pipeline"),
    "Turn": "botkit.turn",
}


def __getattr__(name: str) -> Any:
    # At its first use (PEP 562): a door uses none of them, and `Step` alone would bring pydantic, 70 ms of its start.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
