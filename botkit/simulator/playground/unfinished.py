"""Unfinished: what was under way, written down for the next start; the end of a process loses nothing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

from botkit.ports import Conversation
from botkit.simulator.keeper import Keeper
from botkit.simulator.wire import Delivery

_WEBHOOKS, _WORKERS = "webhooks", "workers"


class Unfinished:
    """The webhooks that no bot has taken in yet, and the workers that hold leases. Threads may share it.

    `stop` leaves everything as it is noted then: what ends later was ended by the end of the process.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._lock = Lock()
        self._stopped = False

    def stop(self) -> None:
        """Note nothing any more."""
        with self._lock:
            self._stopped = True

    def send(self, delivery: Delivery) -> None:
        """A webhook is on its way, or comes again."""
        self._note(_WEBHOOKS, _name(delivery), [delivery.body.decode(), delivery.signature])

    def sent(self, delivery: Delivery) -> None:
        """A bot has taken it in, or LINE has given up."""
        self._note(_WEBHOOKS, _name(delivery), None)

    @contextmanager
    def at_work(self, owner: str, conversations: Sequence[Conversation]) -> Iterator[None]:
        """While it lasts, a worker of this name may hold the leases of these conversations."""
        self._note(_WORKERS, owner, [(one.bot, one.id) for one in conversations])
        try:
            yield
        finally:
            self._note(_WORKERS, owner, None)

    @property
    def deliveries(self) -> list[Delivery]:
        """The webhooks that were on their way."""
        return [Delivery(body.encode(), signature) for body, signature in self._noted(_WEBHOOKS).values()]

    @property
    def workers(self) -> dict[str, list[Conversation]]:
        """Who held leases, and of which conversations."""
        return {owner: [Conversation(*one) for one in held] for owner, held in self._noted(_WORKERS).items()}

    def _noted(self, kind: str) -> dict[str, Any]:
        return dict(self._keeper.get(kind) or {})

    def _note(self, kind: str, name: str, value: Any) -> None:
        with self._lock:
            noted = self._noted(kind)
            if not self._stopped and noted.get(name) != value:
                self._keeper.put(kind, {key: one for key, one in {**noted, name: value}.items() if one})


def _name(delivery: Delivery) -> str:
    """One webhook, however often it is sent."""
    return " ".join(event["webhookEventId"] for event in delivery.events)
