"""An invocation that can be killed: from then on nothing of it reaches the world, as when its process dies."""

from dataclasses import dataclass


class Killed(BaseException):
    """The invocation is dead. No `except Exception` of the code under it can catch this."""


@dataclass(slots=True)
class Life:
    """Whether an invocation lives."""

    alive: bool = True

    def end(self) -> None:
        """Kill it."""
        self.alive = False
