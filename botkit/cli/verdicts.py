"""LINE's verdict on a webhook in plain words, each with the cure; and what only LINE's console can set."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from botkit.line.console import Verdict

ANSWERS: Final = "answers"
CONSOLE: Final = "LINE Developers Console (https://developers.line.biz/console/)"

_LOG: Final = "read the door's log in CloudWatch"
_STATUSES: Final[Mapping[int, tuple[str, str]]] = {
    400: (
        "the bot there takes the webhook for another account's",
        "correct `line.user_id` of its file, or remove that line, and deploy again",
    ),
    401: (
        "no bot of this name is there, or its channel secret is not this channel's",
        "deploy, where the bot is new; else copy the Channel secret of the channel's Basic settings tab in the "
        f"{CONSOLE} to where `line.channel_secret` leads, and deploy again",
    ),
    403: (
        "what stands before the bot refuses everybody",
        "let the address be called without signing in to AWS (a function URL needs the auth type NONE)",
    ),
    404: (
        "there is something at the address, but no bot",
        "set the address that the deployment has: botkit webhook set",
    ),
    429: ("too many calls came at once", "try again; if it stays so, raise the account's concurrency on Lambda"),
    500: ("the handler fails there", f"{_LOG}; most often the store cannot be reached"),
    502: ("the handler does not start there", _LOG),
    503: (
        "the bot's file or one of its secrets is wrong there, or Lambda has no room",
        f"deploy again; if it stays so, {_LOG}",
    ),
    504: ("the handler took too long there", _LOG),
}
_OTHERS: Final[Mapping[str, tuple[str, str]]] = {
    "COULD_NOT_CONNECT": (
        "LINE cannot connect to it",
        "see that the address is spelt right and can be reached from the internet, with a certificate of a public "
        "authority; one that is new may need a minute",
    ),
    "REQUEST_TIMEOUT": (
        "there was no answer within two seconds",
        "test again, because the first call after a pause is slow; if it stays so, give the door more memory",
    ),
    "UNCLASSIFIED": ("LINE cannot tell why it did not get through", f"test again; if it stays so, {_LOG}"),
}
TO_SWITCH: Final = (
    ("Use webhook", "on, or no message ever reaches the bot"),
    ("Webhook redelivery", "on, so that LINE sends again what met an outage"),
    ("Auto-reply messages", "Disabled, or LINE answers beside the bot"),
    ("Greeting messages", "Disabled where the bot file has `events: follow:`, or people are welcomed twice"),
    ("Allow bot to join group chats", "Enabled where the bot is meant for groups"),
)
"""What LINE lets nobody set but in its console, on the channel's Messaging API tab, by the names it has there."""


def explain(verdict: "Verdict") -> tuple[str, str]:
    """What the verdict means, and what to do about it; (ANSWERS, "") where all is well."""
    reason = verdict.reason.upper()
    if verdict.success:
        return ANSWERS, ""
    if verdict.status > 0:
        text, cure = _of_status(verdict.status)
        return f"it answers {verdict.status}: {text}", cure
    text, cure = _OTHERS.get(reason, _OTHERS["UNCLASSIFIED"])
    return f"{text} ({verdict.reason}: {verdict.detail})", cure


def _of_status(status: int) -> tuple[str, str]:
    if 300 <= status < 400:
        return "LINE follows no redirects", "set the address that it leads to"
    other = "that is no answer of a bot's", f"see that the address is the deployment's, and {_LOG}"
    return _STATUSES.get(status, other)
