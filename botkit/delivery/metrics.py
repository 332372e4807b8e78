"""What is counted about deliveries: one log record each, with the fields `metric` and `bot`."""

import logging
from typing import Literal

log = logging.getLogger("botkit.metrics")

Metric = Literal["reply", "button", "push", "notice", "kept", "dropped", "lost", "ambiguous"]
"""How an answer went out (`reply`, `push`, by a tap on a notice's `button`), or what was done instead.

`notice`: the token was spent on a button that brings the answer · `kept`: it waits for that tap or for the
next reply · `dropped`: the bot file asked for silence · `lost`: LINE refused it for good, or it was a day
old · `ambiguous`: nobody can know whether a reply arrived.
"""


def count(metric: Metric, bot: str) -> None:
    """Add one to a metric of a bot."""
    log.info("%s: %s", bot, metric, extra={"metric": metric, "bot": bot})
