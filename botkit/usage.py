"""What is counted of a bot's work: of whom, and over which stretch of time."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final, Literal, get_args
from zlib import crc32

from botkit.messages import Chat
from botkit.ports import Count, Usage

Period = Literal["min", "hour", "day", "month"]
PERIODS: Final[tuple[Period, ...]] = get_args(Period)

SHARDS: Final = 16
"""Counters that share what is counted of a whole bot, so that its conversations do not wait for one another."""
STATISTICS_LIFE: Final = 400 * 24 * 3600 * 1000
"""How long the usage of a day and of a month is kept, in ms: a year and a little."""

_STARTS: Final[dict[Period, str]] = {
    # With the zone's offset, or the hour that comes twice when clocks are set back would be one of two hours.
    "min": "%Y-%m-%dT%H:%M%z",
    "hour": "%Y-%m-%dT%H%z",
    "day": "%Y-%m-%d",
    "month": "%Y-%m",
}
_LONGEST: Final[dict[Period, timedelta]] = {
    "min": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(hours=25),  # the day on which clocks are set back
    "month": timedelta(days=31, hours=1),
}


def window(period: Period, now: int, zone: tzinfo) -> str:
    """The stretch of time around `now` (ms since 1970) as a counter's window: `day#2026-11-22`, in the bot's zone."""
    return f"{period}#{datetime.fromtimestamp(now // 1000, zone):{_STARTS[period]}}"


def window_expiry(period: Period, now: int) -> int:
    """When a counter of the period around `now` is of no use any more (ms since 1970): twice its length from now."""
    return now + 2 * int(_LONGEST[period].total_seconds() * 1000)


def shard_of(key: str, prefix: str = "Q") -> str:
    """The counter, one of SHARDS, that counts what is caused by `key`: a user id, or an event id without one."""
    return f"{prefix}#{crc32(key.encode('utf-8', 'surrogatepass')) % SHARDS}"


def shards(prefix: str = "Q") -> list[str]:
    """All counters whose sum is the bot's."""
    return [f"{prefix}#{number}" for number in range(SHARDS)]


def user_counter(user_id: str) -> str:
    """The counter of what a person causes, for limits."""
    return f"U#{user_id}"


def chat_counter(chat: Chat) -> str:
    """The counter of what a group or room causes, for limits."""
    return f"G#{chat.kind}:{chat.id}"


def amounts_of(usages: Sequence[Usage], *, messages: int, turns: int = 1) -> dict[str, int]:
    """What one turn adds: messages, turns, tokens, and the cost in millionths of a US dollar."""
    amounts = {
        "messages": messages,
        "turns": turns,
        "input_tokens": sum(one.input_tokens for one in usages),
        "output_tokens": sum(one.output_tokens for one in usages),
        "cost": sum(one.cost for one in usages),
    }
    return {name: amount for name, amount in amounts.items() if amount}


def statistics(
    amounts: Mapping[str, int], *, user_id: str | None, event_id: str, now: int, zone: tzinfo
) -> list[Count]:
    """The counts behind `botkit usage`: the day of the bot, and the month of the person, on one shard."""
    counter, expires_at = shard_of(user_id or event_id), now + STATISTICS_LIFE
    day, month = window("day", now, zone), window("month", now, zone)
    counts = [Count(counter, day, amounts, expires_at)]
    return counts if user_id is None else [*counts, Count(counter, f"{month}#{user_id}", amounts, expires_at)]


def days_of(month: str) -> tuple[str, str]:
    """The first and the last window that the days of a month, such as `2026-11`, can have in the statistics."""
    return f"day#{month}-01", f"day#{month}-31"


def people_of(month: str) -> tuple[str, str]:
    """The bounds of the windows that the people of a month have in the statistics."""
    return f"month#{month}#", f"month#{month}$"  # $ is the character after #
