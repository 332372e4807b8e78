"""Expectations: what of a turn, or of a whole scenario, is not as it was expected, and what came instead."""

from collections.abc import Callable

from botkit.scenarios.expecting import model_checks, said_checks
from botkit.scenarios.file.scenario import Expect
from botkit.scenarios.results import Failure, Outcome
from botkit.spec.document import Path, Place


def unmet(expect: Expect, outcome: Outcome, place_of: Callable[[Path], Place]) -> tuple[Failure, ...]:
    """All that does not hold but `judge`, each at its place in the file, as `place_of` knows it: `("contains", 1)`."""
    return tuple(
        Failure("unmet", place_of(miss.path), miss.wanted, miss.came, str(miss.path[0]), miss.detail)
        for check in (*said_checks.CHECKS, *model_checks.CHECKS)
        for miss in check(expect, outcome)
    )
