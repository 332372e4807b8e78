"""Answers of LINE's that are asked for again and again, kept for some minutes."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

LIFE = 600.0
"""Seconds that an answer is kept: so long a new name may stay unseen."""
LIFE_OF_NOTHING = 60.0
"""Seconds that it is kept that LINE does not tell something: a person may make friends with the account."""
MOST = 1_000
"""Answers kept at once; the oldest goes first."""


class Cache(Generic[K, V]):
    """What was learned of late. Lives as long as the process; threads may share it. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[K, tuple[float, V | None]] = {}

    def get(self, key: K, ask: Callable[[], V | None]) -> V | None:
        """What is kept under `key`; where there is nothing, what `ask` says now. What it raises is not kept."""
        with self._lock:
            until, value = self._kept.get(key, (0.0, None))
            if self._clock() < until:
                return value
        # Not under the lock: LINE may take its time, and others need not wait for it.
        value = ask()
        self._keep(key, value)
        return value

    def _keep(self, key: K, value: V | None) -> None:
        with self._lock:
            self._kept.pop(key, None)
            if len(self._kept) >= MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (self._clock() + (LIFE_OF_NOTHING if value is None else LIFE), value)
