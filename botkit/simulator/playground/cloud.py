"""AWS's part, played locally: the HTTP API, the queue, the schedule, and Lambda that runs the handler for them."""

from collections.abc import Callable, Mapping, Sequence
from threading import Condition, Thread
from time import monotonic
from typing import Any, Final

from botkit.ports import Clock, Wake
from botkit.simulator.playground.invocations import Invocations, Invoke
from botkit.simulator.playground.mischief import Mischief
from botkit.simulator.playground.queue import Message, Queue, event_of
from botkit.simulator.playground.webhooks import Delivered, Webhooks
from botkit.simulator.wire import Delivery

__all__ = ["Cloud", "Delivered"]

DOOR_SECONDS: Final = 5
"""What an invocation for a webhook has."""
WORKER_SECONDS: Final = 60
"""What an invocation for the queue or the schedule has."""
VISIBILITY: Final = 6 * WORKER_SECONDS * 1000
"""How long a message that a worker has is hidden, in ms (Lambda: six times the function's timeout)."""
SWEEP_EVERY: Final = 60 * 1000
"""The schedule's rate, in ms."""
LOOK_EVERY: Final = 0.1
"""Seconds between two looks at the clock, which may be moved without a word."""


class Cloud:
    """Everything between LINE and the handler. Lives as long as the program, and works from `start` to `stop`.

    `invoke(event, deadline, life)` is one invocation of the handler: the deadline is in ms since 1970 by `clock`,
    and `life` is ended where it is killed. It may raise anything. `tell` hears what became of each webhook, in
    whichever thread finds out. All due times are by `clock`; nothing waits for one that can be answered now.
    `redelivers`: the account has "Webhook redelivery" switched on.
    """

    def __init__(
        self,
        invoke: Invoke,
        clock: Clock,
        mischief: Mischief,
        tell: Callable[[Delivered], None],
        *,
        redelivers: bool = True,
    ) -> None:
        self._clock = clock
        self._mischief = mischief
        self._bell = Condition()
        self._rung = False
        self._queue = Queue(clock, self._bell, VISIBILITY)
        self._invocations = Invocations(invoke, clock, self._bell)
        self._webhooks = Webhooks(self._post, clock, self._bell, tell, redelivers=redelivers)
        self._sweep_at = clock.now()
        self._stopped = False
        self._thread = Thread(target=self._watch, name="cloud: watch", daemon=True)

    @property
    def wake(self) -> Wake:
        """The queue, as botkit's port."""
        return self._queue

    @property
    def counts(self) -> dict[str, int]:
        """Messages that wait in the queue, invocations that run, and messages that are dead."""
        with self._bell:
            return {
                "waiting": self._queue.waiting,
                "running": self._invocations.running,
                "dead": self._queue.dead,
            }

    # ---------------------------------------------------------------- what is done to it

    def start(self) -> None:
        """Begin to work; the first sweep is made at once, for what an earlier program has left."""
        self._thread.start()

    def stop(self) -> None:
        """Kill what is under way, and end all threads. Nothing is told any more."""
        with self._bell:
            self._stopped = True
            self._bell.notify_all()
        self._invocations.stop()
        if self._thread.is_alive():
            self._thread.join()

    def deliver(self, bot: str, delivery: Delivery, redeliver: Callable[[Delivery], Delivery]) -> None:
        """Have LINE call the bot's webhook; returns at once. `redeliver` makes the webhook that comes again."""
        if self._mischief.happens("redelivery"):
            self._webhooks.lose(bot, delivery, redeliver)
        elif self._mischief.happens("duplicate"):
            self._webhooks.send_twice(bot, delivery, redeliver)
        else:
            self._webhooks.send(bot, delivery, redeliver)

    def sweep(self) -> None:
        """Run the schedule's sweep now, besides its own times; returns at once."""
        self._invocations.begin(lambda: {"botkit": "sweep"}, WORKER_SECONDS, lambda _: None)

    def work(self, event: Mapping[str, Any]) -> None:
        """Have a worker handle an event that is not of this queue; returns at once."""
        self._invocations.begin(lambda: event, WORKER_SECONDS, lambda _: None)

    def tick(self) -> None:
        """Look at the clock now: it has jumped."""
        with self._bell:
            self._rung = True
            self._bell.notify_all()

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is under way and nothing is due by the clock, for so long at most; whether it is so."""
        end = monotonic() + seconds
        with self._bell:
            while not self._is_settled():
                left = end - monotonic()
                if left <= 0:
                    return False
                self._bell.wait(min(left, LOOK_EVERY))
            return True

    # ---------------------------------------------------------------- inside

    def _is_settled(self) -> bool:
        busy = self._invocations.running or self._webhooks.busy
        return not busy and self._next_due() > self._clock.now()

    def _next_due(self) -> int:
        """When there is something to do next (ms since 1970)."""
        times = (self._queue.next_due, self._webhooks.next_due, self._sweep_at)
        return min(time for time in times if time is not None)

    def _post(
        self, make_event: Callable[[], Mapping[str, Any]], ended: Callable[[Mapping[str, Any] | None], None]
    ) -> None:
        self._invocations.begin(make_event, DOOR_SECONDS, ended)

    def _watch(self) -> None:
        """Do what is due, until the end."""
        while True:
            self._webhooks.look()
            self._invocations.look()
            with self._bell:
                if self._stopped:
                    return
                self._rung = False
                self._hand_out()
                if not self._is_due():
                    self._bell.wait(LOOK_EVERY)

    def _is_due(self) -> bool:
        return self._rung or self._next_due() <= self._clock.now()

    def _hand_out(self) -> None:
        """Give workers what the queue shows, and the sweep what time it is."""
        while batch := self._queue.receive():
            self._work(batch)
        now = self._clock.now()
        if self._sweep_at <= now:
            self._sweep_at = now + SWEEP_EVERY
            self.sweep()

    def _work(self, batch: Sequence[Message]) -> None:
        """One invocation for a batch. What it names as failed, or all if it failed itself, comes again."""
        event, receipts = event_of(batch), {message.receipt for message in batch}
        ids = {message.id for message in batch}

        def ended(answer: Mapping[str, Any] | None) -> None:
            self._queue.settle(receipts, _failed(answer, ids))

        self._invocations.begin(lambda: event, WORKER_SECONDS, ended)


def _failed(answer: Mapping[str, Any] | None, ids: set[str]) -> set[str]:
    """Which messages come again (Lambda developer guide: Reporting batch item failures)."""
    if answer is None:
        return ids
    failed = {entry["itemIdentifier"] for entry in answer.get("batchItemFailures", ())}
    # A name that is none of the batch's fails the whole batch.
    return failed if failed <= ids else ids
