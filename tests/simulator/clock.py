"""A clock that stands still until it is moved."""

START = 1_790_000_000_000
SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class MovableClock:
    """The port `Clock`: shows `time`, and moves only when told to sleep."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> int:
        return self.time

    def sleep(self, ms: int) -> None:
        self.time += ms
