"""Stretches of time by the bot's own clock, and counters that share what is counted."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.messages import Chat
from botkit.ports import Usage
from botkit.usage import (
    PERIODS,
    Period,
    amounts_of,
    chat_counter,
    days_of,
    people_of,
    shard_of,
    shards,
    statistics,
    user_counter,
    window,
    window_expiry,
)

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YEAR = 1_798_729_200_000  # 2027-01-01T00:00 in Tokyo, 15:00 on the day before in UTC
ZONES = st.sampled_from(sorted(available_timezones()))
MOMENTS = st.integers(0, 4_102_444_800_000)


@pytest.mark.parametrize(
    ("period", "before", "after"),
    [
        ("min", "min#2026-12-31T23:59+0900", "min#2027-01-01T00:00+0900"),
        ("hour", "hour#2026-12-31T23+0900", "hour#2027-01-01T00+0900"),
        ("day", "day#2026-12-31", "day#2027-01-01"),
        ("month", "month#2026-12", "month#2027-01"),
    ],
)
def test_a_window_begins_when_the_bots_clock_says(period: Period, before: str, after: str) -> None:
    assert window(period, NEW_YEAR - 1, TOKYO) == before
    assert window(period, NEW_YEAR, TOKYO) == after


@given(MOMENTS, ZONES, st.sampled_from(PERIODS))
def test_a_window_is_over_long_before_its_counter_expires(now: int, name: str, period: Period) -> None:
    """Counted at its very beginning, it must still be known at its very end."""
    zone = ZoneInfo(name)
    length = (window_expiry(period, now) - now) // 2
    assert window(period, now, zone) != window(period, now + length, zone)


@given(MOMENTS, ZONES, st.sampled_from(["min", "hour"]))
def test_no_minute_and_no_hour_comes_twice(now: int, name: str, period: Period) -> None:
    """Also where clocks are set back."""
    length = {"min": 60_000, "hour": 3_600_000}[period]
    assert window(period, now, ZoneInfo(name)) != window(period, now + length, ZoneInfo(name))


@given(MOMENTS, ZONES)
def test_the_days_of_a_month_and_its_people_lie_between_their_bounds(now: int, name: str) -> None:
    zone = ZoneInfo(name)
    month = window("month", now, zone).partition("#")[2]
    others = [f"{datetime.fromtimestamp(now / 1000, UTC) + timedelta(days=far):%Y-%m}" for far in (-40, 40)]
    day, person = (one.window for one in statistics({"turns": 1}, user_id="Uf", event_id="e", now=now, zone=zone))
    assert days_of(month)[0] <= day <= days_of(month)[1]
    assert people_of(month)[0] <= person <= people_of(month)[1]
    assert not any(days_of(other)[0] <= day <= days_of(other)[1] for other in others)
    assert not any(people_of(other)[0] <= person <= people_of(other)[1] for other in others)


@given(st.text(max_size=40))
def test_whatever_causes_it_is_counted_on_one_of_the_shards(key: str) -> None:
    assert shard_of(key) in shards()
    assert shard_of(key, "L") in shards("L")
    assert shard_of(key) == shard_of(key)


def test_the_load_is_spread() -> None:
    assert {shard_of(f"U{number:032x}") for number in range(200)} == set(shards())


def test_a_person_and_a_chat_never_share_a_counter() -> None:
    ids = [user_counter("C1"), chat_counter(Chat("group", "C1")), chat_counter(Chat("room", "C1"))]
    assert len(set(ids)) == 3
    assert not set(ids) & {*shards(), *shards("L")}


def test_a_turn_adds_up_its_calls_and_leaves_out_what_is_nothing() -> None:
    usages = [Usage("m", 10, 2, 7), Usage("n", 5, 0, 1)]
    assert amounts_of(usages, messages=3) == {
        "messages": 3,
        "turns": 1,
        "input_tokens": 15,
        "output_tokens": 2,
        "cost": 8,
    }
    assert amounts_of([], messages=0) == {"turns": 1}
