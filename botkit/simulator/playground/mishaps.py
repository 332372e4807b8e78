"""The troubles that can be caused: their names, and what the person on LINE will see of each."""

from dataclasses import dataclass
from typing import Final, Literal

Mode = Literal["off", "once", "on"]


@dataclass(frozen=True, slots=True)
class Mishap:
    """One trouble that can be caused. `about` says what the person on LINE will see of it.

    `mode`: `once` is used up by the first thing it hits, `on` stays. `value` is in `unit`, both None where it has none.
    """

    name: str
    label: str
    about: str
    mode: Mode = "off"
    value: int | None = None
    unit: str | None = None


MISHAPS: Final = (
    Mishap(
        "slow_model",
        "Slow model",
        "The model takes this long. Beyond reply.slow.after (45 s by default) a button "
        "comes, and a tap on it brings the answer once it is ready; beyond model.timeout (60 s) the error text.",
        value=50,
        unit="s",
    ),
    Mishap(
        "model_down",
        "Model down",
        "The model's server cannot be reached: a fallback model answers where the bot file names one, "
        "else the error text comes, and nothing in a group.",
    ),
    Mishap(
        "rate_limit",
        "Rate limit",
        "The model's server answers 429, too many requests: a fallback model answers where there is one, "
        "else the error text comes, and nothing in a group.",
    ),
    Mishap(
        "worker_killed",
        "Worker killed",
        "The worker dies while it asks the model: nothing comes until its lease is over; then the sweep has the "
        "message answered, once, after about two minutes (or jump the clock). After six such deaths the error text "
        "comes.",
    ),
    Mishap(
        "token_expired",
        "Reply token expired",
        "LINE refuses the reply token: the answer comes as a push, or with the next reply where the bot file "
        "says `late: keep`.",
    ),
    Mishap(
        "line_500",
        "LINE 500",
        "LINE answers 500 and shows nothing: the same answer is sent again, and comes a moment later. After a minute "
        "of it nobody can know whether it came, and `reply.unsure` decides.",
    ),
    Mishap(
        "line_unsure",
        "LINE 500, but shown",
        "LINE shows the answer, and answers 500 all the same: it is asked again, and the answer is there only once.",
    ),
    Mishap(
        "quota_used_up",
        "Quota used up",
        "The month's pushes are used up: what would have been pushed is kept, and comes with the next reply. "
        "Replies are free and go on; to see it, let the reply token expire, too.",
    ),
    Mishap(
        "duplicate",
        "Duplicate webhook",
        "LINE sends the same webhook twice at once: one answer comes.",
    ),
    Mishap(
        "redelivery",
        "Redelivery",
        "LINE loses the webhook and sends it again 10 seconds later, marked as a redelivery: the one answer comes "
        "then.",
    ),
)
"""All troubles, in the order in which they are shown."""
