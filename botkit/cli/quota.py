"""An account's quota of pushes: what is left of it, whether it lasts, and whether the bot's own budget fits in."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from botkit.cli.examination import Finding, good, odd
from botkit.spec.bot import BotSpec
from botkit.steps.reply import Reply

if TYPE_CHECKING:
    from botkit.line.console import Quota

_JAPAN: Final = timedelta(hours=9)
"""LINE counts months in Japan's time, wherever the account is."""
_TELLING: Final = 3
"""Days after which a month's pace tells something."""
_PLAN: Final = "take a larger plan in LINE Official Account Manager"


def examine_quota(bot: BotSpec, quota: "Quota", now: int) -> Iterator[Finding]:
    """How the month's pushes stand at `now` (ms since 1970). Replies are free, so a bot answers on without any."""
    if quota.limit is None:
        text = f"{quota.used:,} pushes used, no limit"
        yield good("quota", text, text)
        return
    step = bot.step(Reply) or Reply()
    left, keeps = quota.limit - quota.used, "late answers wait for the next reply"
    if left <= 0:
        yield odd("quota", f"the month's {quota.limit:,} pushes are used up; {keeps}", _PLAN)
    elif (pace := _pace(quota.used, now)) > quota.limit:
        at_the_end = f"at this pace {pace:,} by the month's end, and then {keeps}"
        text = f"{quota.used:,} of {quota.limit:,} pushes are used: {at_the_end}"
        yield odd("quota", text, f"{_PLAN}, or write `reply: {{late: keep}}`")
    else:
        text = f"{quota.used:,} of {quota.limit:,} pushes used"
        yield good("quota", text, text)
    if step.push.monthly > quota.limit and _pushes(step):
        text = f"`reply.push.monthly` is {step.push.monthly:,}, more than the {quota.limit:,} that LINE allows"
        yield odd("quota", text, f"write `reply: {{push: {quota.limit}}}`, or {_PLAN}")


def _pushes(step: Reply) -> bool:
    return step.late == "push" or step.slow.do == "push" or step.unsure == "resend"


def _pace(used: int, now: int) -> int:
    """How many it will be at the month's end if it goes on like this; what it is now in the month's first days."""
    at = datetime.fromtimestamp(now / 1000, UTC) + _JAPAN
    gone = at.day - 1 + at.hour / 24
    return round(used / gone * monthrange(at.year, at.month)[1]) if gone >= _TELLING else used
