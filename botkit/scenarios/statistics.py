"""Pass rates: what so many runs say of all the runs there could be."""

from math import comb, sqrt
from typing import Final

Passed = tuple[int, int]
"""So many runs that passed, of so many."""

_Z: Final = 1.959963984540054
"""Standard normal quantile of 95 %, two-sided."""


def interval(passed: int, of: int) -> tuple[float, float]:
    """Between which rates (0 to 1) the true one lies, with 95 % confidence, when `passed` of `of` runs have passed.

    Wilson's score interval (E. B. Wilson, JASA 22, 1927), which is right also for few runs and for none or all passed.
    Raises ValueError for numbers that cannot be.
    """
    _check(passed, of)
    rate, spread = passed / of, _Z * _Z / of
    middle = (rate + spread / 2) / (1 + spread)
    reach = _Z / (1 + spread) * sqrt(rate * (1 - rate) / of + spread / (4 * of))
    # Exactly none and all are within, whatever rounding makes of it.
    return (0.0 if passed == 0 else max(0.0, middle - reach)), (1.0 if passed == of else min(1.0, middle + reach))


def by_chance(before: Passed, now: Passed) -> float:
    """How likely a difference of two pass rates this large is by chance alone, from 0 to 1.

    Fisher's exact test, two-sided (R. A. Fisher, JRSS 85, 1922): right for few runs, too. Raises ValueError as
    `interval`.
    """
    _check(*before)
    _check(*now)
    (passed, of), (passed_now, of_now) = before, now
    total, all_passed = of + of_now, passed + passed_now
    ways = [
        comb(of, one) * comb(of_now, all_passed - one)
        for one in range(max(0, all_passed - of_now), min(of, all_passed) + 1)
    ]
    seen = comb(of, passed) * comb(of_now, passed_now)
    return sum(way for way in ways if way <= seen) / comb(total, all_passed)


def shift(before: Passed, now: Passed) -> tuple[float, float]:
    """Between which values (-1 to 1) the pass rate has moved, with 95 % confidence: what it is now less what it was.

    Newcombe's hybrid score interval, his method 10 (R. G. Newcombe, Statistics in Medicine 17, 1998, 873-890).
    Raises ValueError as `interval`.
    """
    (low, high), (low_now, high_now) = interval(*before), interval(*now)
    rate, rate_now = before[0] / before[1], now[0] / now[1]
    moved = rate_now - rate
    down = sqrt((rate_now - low_now) ** 2 + (high - rate) ** 2)
    up = sqrt((high_now - rate_now) ** 2 + (rate - low) ** 2)
    return max(-1.0, moved - down), min(1.0, moved + up)


def told(passed: int, of: int) -> str:
    """The rate in words: `17 of 20 passed, 85 % (64–95 %)`. Raises ValueError as `interval`."""
    low, high = interval(passed, of)
    return f"{passed} of {of} passed, {_percent(passed / of)} % ({_percent(low)}–{_percent(high)} %)"


def shift_told(before: Passed, now: Passed) -> str:
    """How the rate has moved, in words: `−20 percentage points (−51 to +9)`. Raises ValueError as `interval`."""
    low, high = shift(before, now)
    moved = now[0] / now[1] - before[0] / before[1]
    return f"{_points(moved)} percentage points ({_points(low)} to {_points(high)})"


def _check(passed: int, of: int) -> None:
    if not 0 <= passed <= of or of == 0:
        raise ValueError(f"{passed} of {of} runs cannot have passed")


def _percent(rate: float) -> str:
    """Whole per cents; 0 and 100 are said only of what is exactly that."""
    text = f"{rate * 100:.0f}"
    return text if text not in ("0", "100") or rate in (0, 1) else f"{min(max(rate * 100, 0.1), 99.9):.1f}"


def _points(moved: float) -> str:
    return f"{round(moved * 100):+d}".replace("-", "−").replace("+0", "0")
