"""Troubles to cause: what LINE's API does wrong at the next calls of an endpoint."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Literal, get_args

Endpoint = Literal[
    "reply",
    "push",
    "validate",
    "loading",
    "mark_as_read",
    "profile",
    "group",
    "member_count",
    "content",
    "info",
    "quota",
    "consumption",
    "token",
    "webhook",
    "webhook_test",
]

# Longer than any client waits; only keeps a forgotten hold from stopping the server's end for ever.
_LONGEST_HOLD = 60.0


class Hold:
    """A call that hangs until it is released. `reached` is set once a call hangs here."""

    def __init__(self) -> None:
        self.reached = Event()
        self._released = Event()

    def release(self) -> None:
        """Let the call go on; it is then carried out as any other."""
        self._released.set()

    def wait(self) -> None:
        """Hang."""
        self.reached.set()
        self._released.wait(_LONGEST_HOLD)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to one call: `hold` before it, whether it is `done`, and how it is answered.

    A `status` is answered instead of the true outcome; `drops` closes the connection without any answer.
    """

    done: bool = True
    status: int | None = None
    message: str = ""
    drops: bool = False
    hold: Hold | None = None


NO_TROUBLE = Trouble()


@dataclass(slots=True)
class Troubles:
    """The troubles waiting, first in first out per endpoint. Safe to use from several threads."""

    _waiting: defaultdict[str, deque[Trouble]] = field(default_factory=lambda: defaultdict(deque))
    _lock: Lock = field(default_factory=Lock)

    def refuse(self, endpoint: Endpoint, status: int, message: str = "", *, times: int = 1) -> None:
        """The next call is not carried out and answered with `status` and LINE's `message`."""
        for _ in range(times):
            self._add(endpoint, Trouble(done=False, status=status, message=message))

    def lose(self, endpoint: Endpoint, status: int = 500) -> None:
        """The next call is carried out, and then answered with `status` all the same."""
        self._add(endpoint, Trouble(status=status, message="Internal Server Error"))

    def drop(self, endpoint: Endpoint, *, done: bool = True) -> None:
        """The next call is carried out, or not, and then the connection closes without an answer."""
        self._add(endpoint, Trouble(done=done, drops=True))

    def hang(self, endpoint: Endpoint) -> Hold:
        """The next call hangs until it is released, and is carried out then."""
        hold = Hold()
        self._add(endpoint, Trouble(hold=hold))
        return hold

    def take(self, endpoint: Endpoint) -> Trouble:
        """The next trouble of this endpoint; it happens once."""
        with self._lock:
            waiting = self._waiting[endpoint]
            return waiting.popleft() if waiting else NO_TROUBLE

    def _add(self, endpoint: Endpoint, trouble: Trouble) -> None:
        if endpoint not in get_args(Endpoint):
            raise ValueError(f"no endpoint {endpoint!r}; there are {', '.join(get_args(Endpoint))}")
        with self._lock:
            self._waiting[endpoint].append(trouble)
