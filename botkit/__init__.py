"""botkit: LINE chatbots out of YAML files. These are the names a step of your own needs."""

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
