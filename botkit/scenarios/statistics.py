"""Pass rates: what so many runs say of all the runs there could be."""

from math import comb, sqrt
from typing import Final

_Z: Final = 1.959963984540054
"""Standard normal quantile of 95 %, two-sided."""


def interval(passed: int, of: int) -> tuple[float, float]:
    """Between which rates (0 to 1) the true one lies, with 95 % confidence, when `passed` of `of` runs have passed.

    Wilson's score interval (E. B. Wilson, JASA 22, 1927), which is right also for few runs and for none or all passed.
    Raises ValueError for numbers that cannot be.
    """
    if not 0 <= passed <= of or of == 0:
        raise ValueError(f"{passed} of {of} runs cannot have passed")
    rate, spread = passed / of, _Z * _Z / of
    middle = (rate + spread / 2) / (1 + spread)
    reach = _Z / (1 + spread) * sqrt(rate * (1 - rate) / of + spread / (4 * of))
    # Exactly none and all are within, whatever rounding makes of it.
    return (0.0 if passed == 0 else max(0.0, middle - reach)), (1.0 if passed == of else min(1.0, middle + reach))


def difference(before: tuple[int, int], now: tuple[int, int]) -> float:
    """How likely a difference of two pass rates this large is by chance alone, from 0 to 1.

    Each is (passed, of). Fisher's exact test, two-sided (R. A. Fisher, JRSS 85, 1922): right for few runs, too.
    """
    (passed, of), (passed_now, of_now) = before, now
    total, all_passed = of + of_now, passed + passed_now
    ways = [
        comb(of, one) * comb(of_now, all_passed - one)
        for one in range(max(0, all_passed - of_now), min(of, all_passed) + 1)
    ]
    seen = comb(of, passed) * comb(of_now, passed_now)
    return sum(way for way in ways if way <= seen) / comb(total, all_passed)


def told(passed: int, of: int) -> str:
    """The rate in words: `17 of 20 passed, 85 % (64–95 %)`."""
    low, high = interval(passed, of)
    return f"{passed} of {of} passed, {passed / of:.0%} ({low:.0%}–{high:.0%})".replace("%", " %").replace(" %–", "–")
