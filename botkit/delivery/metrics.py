"""The words in which deliveries are told of, and what is counted: log records and CloudWatch metrics."""

import logging
from collections.abc import Mapping
from typing import Any, Final, Literal

log = logging.getLogger(__name__)
counted = logging.getLogger("botkit.metrics")  # on Lambda written whatever BOTKIT_LOG says

Way = Literal["reply", "button", "push", "kept", "dropped", "lost"]
"""How an answer went out (`reply`, `push`, by a tap on a notice's `button`), or what was done instead.

`kept`: it waits for that tap or for the next reply · `dropped`: the bot file asked for silence, or the person to be
forgotten · `lost`: LINE refused it for good, or it was a day old.
"""
Ending = Literal[Way, "ambiguous", "failed", "silent", "unsent", "edited", "parted", "stale", "postponed"]
"""What became of an event.

`ambiguous`: nobody can know whether its reply arrived · `failed`: there was no answer, and no error text, as in
groups · `silent`: nothing was to be said · `unsent`: the person took it back · `edited`: it changed an earlier
message · `parted`: the bot was blocked or removed · `stale`: it came too late, or from no chat · `postponed`: it is not
settled yet, its answer waits for LINE.
"""
Happening = Literal["Reply", "Button", "Push", "Notice", "Kept", "Dropped", "Lost", "Ambiguous"]
Metric = Literal[
    Happening, "Failed", "LeaseWait", "InputTokens", "OutputTokens", "ReplyWindow", "Turn", "ModelLatency", "Cost"
]
UNITS: Final[Mapping[Metric, str]] = {
    "ReplyWindow": "Milliseconds",
    "Turn": "Milliseconds",
    "ModelLatency": "Milliseconds",
    "Cost": "None",  # US dollars, for which CloudWatch has no unit
}
"""The unit of each metric; of all others it is Count (CloudWatch API reference: MetricDatum)."""


def tell(text: str, fields: Mapping[str, Any], metrics: Mapping[Metric, float]) -> None:
    """Write one log record: `report` are its fields, `metrics` what is counted, each with its unit.

    Neither holds what somebody wrote, an id of a person or a chat, or a secret.
    """
    units = {name: (value, UNITS.get(name, "Count")) for name, value in metrics.items()}
    (counted if units else log).info("%s", text, extra={"report": fields, "metrics": units})
