"""A clock that stands still until it is moved, and the units to move it by."""

from botkit import testing

START = 1_790_000_000_000
SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class MovableClock(testing.MovableClock):
    """The public fake, always started at the same time."""

    def __init__(self) -> None:
        super().__init__(START)
