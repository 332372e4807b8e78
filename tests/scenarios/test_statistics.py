"""What so many runs say: the figures are those of the papers, and hold for all numbers of runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.scenarios.statistics import Passed, by_chance, interval, shift, shift_told, told


@st.composite
def rates(draw: st.DrawFn) -> Passed:
    of = draw(st.integers(1, 300))
    return draw(st.integers(0, of)), of


# R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
@pytest.mark.parametrize(
    ("passed", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_are_wilsons(passed: int, of: int, low: float, high: float) -> None:
    assert interval(passed, of) == pytest.approx((low, high), abs=0.00005)


# The same, 873-890, table II, method 10.
@pytest.mark.parametrize(
    ("now", "before", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_shifts_are_newcombes(now: Passed, before: Passed, low: float, high: float) -> None:
    assert shift(before, now) == pytest.approx((low, high), abs=0.00005)


# The lady tasting tea (R. A. Fisher, The Design of Experiments, 1935), and a table with an odd margin.
@pytest.mark.parametrize(
    ("before", "now", "chance"), [((3, 4), (1, 4), 34 / 70), ((8, 10), (1, 6), 0.034965), ((4, 4), (0, 4), 2 / 70)]
)
def test_chances_are_fishers(before: Passed, now: Passed, chance: float) -> None:
    assert by_chance(before, now) == pytest.approx(chance, abs=1e-6)


@given(rates())
def test_an_interval_holds_the_rate_and_is_mirrored(rate: Passed) -> None:
    passed, of = rate
    low, high = interval(passed, of)
    assert 0 <= low <= passed / of <= high <= 1
    assert interval(of - passed, of) == pytest.approx((1 - high, 1 - low))
    assert (low == 0) == (passed == 0)
    assert (high == 1) == (passed == of)


@given(rates())
def test_more_runs_tell_more(rate: Passed) -> None:
    passed, of = rate
    (low, high), (closer_low, closer_high) = interval(passed, of), interval(2 * passed, 2 * of)
    assert closer_high - closer_low < high - low


@given(rates(), rates())
def test_a_shift_holds_what_was_seen_and_turns_round(before: Passed, now: Passed) -> None:
    low, high = shift(before, now)
    moved = now[0] / now[1] - before[0] / before[1]
    assert -1 <= low <= moved <= high <= 1
    assert shift(now, before) == pytest.approx((-high, -low))


@given(rates(), rates())
def test_a_chance_is_one_and_the_same_both_ways(before: Passed, now: Passed) -> None:
    chance = by_chance(before, now)
    assert 0 < chance <= 1
    assert by_chance(now, before) == pytest.approx(chance)
    assert by_chance(before, before) == 1


@pytest.mark.parametrize(
    ("passed", "of", "words"),
    [
        (17, 20, "17 of 20 passed, 85 % (64–95 %)"),
        (10, 10, "10 of 10 passed, 100 % (72–100 %)"),
        (0, 10, "0 of 10 passed, 0 % (0–28 %)"),
        (199, 200, "199 of 200 passed, 99.5 % (97–99.9 %)"),
        (1, 1000, "1 of 1000 passed, 0.1 % (0.1–1 %)"),
        (9999, 10000, "9999 of 10000 passed, 99.9 % (99.9–99.9 %)"),
    ],
)
def test_a_rate_in_words_never_rounds_to_all_or_none(passed: int, of: int, words: str) -> None:
    assert told(passed, of) == words


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ((10, 10), (8, 10), "−20 percentage points (−51 to +11)"),
        ((0, 10), (10, 10), "+100 percentage points (+61 to +100)"),
        ((5, 10), (5, 10), "0 percentage points (−37 to +37)"),
    ],
)
def test_a_shift_in_words(before: Passed, now: Passed, words: str) -> None:
    assert shift_told(before, now) == words


@pytest.mark.parametrize("rate", [(0, 0), (2, 1), (-1, 3), (1, -1)])
def test_numbers_that_cannot_be_are_refused(rate: Passed) -> None:
    for ask in (
        lambda: interval(*rate),
        lambda: told(*rate),
        lambda: by_chance(rate, (1, 2)),
        lambda: shift((1, 2), rate),
    ):
        with pytest.raises(ValueError, match=f"{rate[0]} of {rate[1]} runs cannot have passed"):
            ask()
