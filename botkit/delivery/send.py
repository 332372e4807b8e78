"""Sends a fixed answer: reply first, push only where the reply certainly was not delivered."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from botkit.errors import LineError, LineRefused, LineUnsure
from botkit.messages import Chat, Event
from botkit.ports import Answer, Final, Lease, Pending, Services, Via

log = logging.getLogger(__name__)

TOKEN_LIFE = 60 * 1000
"""How long a reply token is good for, in ms from the receipt of its webhook (LINE reference: Reply token)."""
PAUSE, LONGEST_PAUSE = 300, 5 * 1000
"""Between two calls, in ms; doubled each time."""
PUSH_PATIENCE = 10 * 1000
"""How long a push is tried in one go, in ms: unlike a reply token it can wait, and others wait behind it."""
LEAST_TRIES = 3
"""Calls made in one go even where the token's minute is over."""
RETRY_AFTER = 5 * 1000
"""When the sweep may go on with what LINE did not take, in ms."""
ACCOUNT_FAULTS = (0, 401, 403)
"""Refusals that say something of the account's set-up and nothing of the answer: it waits until that is mended."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """What sending needs besides the answer. `until` (ms since 1970): no call is made again later."""

    services: Services
    lease: Lease
    until: int
    access_token: str = field(repr=False)


def send(outbox: Outbox, event: Event, chat: Chat, pending: Pending, answer: Answer) -> None:
    """Bring `answer` to LINE and the event to its end; where LINE does not take it, leave it to a later worker.

    `pending` is the event as it was found: with sends recorded by an earlier worker, whether its
    answer arrived is unknown until LINE says so.
    """
    delivery = _Delivery(outbox, event, chat, pending, answer)
    if pending.via == "reply":
        delivery.reply()
    else:
        delivery.push()


class _Delivery:
    """One answer on its way."""

    def __init__(self, outbox: Outbox, event: Event, chat: Chat, pending: Pending, answer: Answer) -> None:
        self.outbox = outbox
        self.event = event
        self.chat = chat
        self.pending = pending
        self.answer = answer
        # The answer transaction has recorded the send that follows it; every other one is recorded here.
        self.recorded = pending.state == "RECEIVED"
        self.unsure = pending.state == "SENDING" and pending.sends > 0

    def reply(self) -> None:
        """Spend the reply token."""
        line, token = self.outbox.services.line, self.event.reply_token or ""
        until = min(self.outbox.until, self.pending.received_at + TOKEN_LIFE)
        self._persist(
            "reply", until, lambda: line.reply(self.outbox.access_token, token, self.answer.messages), self._no_reply
        )

    def push(self) -> None:
        """Push, under the answer's own retry key."""
        line, key = self.outbox.services.line, self.answer.retry_key
        self._persist(
            "push",
            min(self.outbox.until, self.outbox.services.clock.now() + PUSH_PATIENCE),
            lambda: line.push(self.outbox.access_token, self.chat.id, self.answer.messages, key),
            lambda _: self._finish("UNDELIVERED"),
        )

    def _persist(
        self, via: Via, until: int, call: Callable[[], tuple[str, ...]], refused: Callable[[LineRefused], None]
    ) -> None:
        """Call LINE until it says yes or no, or the time is over."""
        clock, pause = self.outbox.services.clock, PAUSE
        for attempt in range(1_000):
            if attempt:
                later = clock.now() + pause
                if later > self.outbox.until or (attempt >= LEAST_TRIES and later > until):
                    break
                clock.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            self._record(via)
            try:
                return self._finish("DONE", call())
            except LineUnsure as error:
                self.unsure = True
                self._log(error)
            except LineRefused as error:
                self._log(error)
                if error.status in ACCOUNT_FAULTS and not error.retryable:
                    break
                if not error.retryable:
                    return refused(error)
        return self._postpone()

    def _no_reply(self, error: LineRefused) -> None:
        """A 400 spends no token: an earlier try had been delivered, or none was and the token is of no use."""
        if error.status != 400:
            return self._finish("UNDELIVERED")
        if not self.unsure:
            return self.push()
        if self.outbox.services.clock.now() > self.pending.received_at + TOKEN_LIFE:
            # Delivered then or expired now: LINE cannot tell, and saying it twice is the worse mistake.
            log.warning("event %s: ambiguous, taken as delivered", self.event.id)
        return self._finish("DONE")

    def _record(self, via: Via) -> None:
        if self.recorded:
            self.recorded = False
        else:
            self.outbox.services.store.resend(self.outbox.lease, self.event.id, via)

    def _postpone(self) -> None:
        due_at = self.outbox.services.clock.now() + RETRY_AFTER
        self.outbox.services.store.postpone(self.outbox.lease, self.event.id, due_at, unsent=not self.unsure)
        log.error("event %s: LINE did not take the answer; it waits", self.event.id)

    def _finish(self, state: Final, sent: tuple[str, ...] = ()) -> None:
        self.outbox.services.store.finish(self.outbox.lease, self.event.id, state, self.chat, sent)
        if state == "UNDELIVERED":
            log.error("event %s: the answer could not be delivered", self.event.id)

    def _log(self, error: LineError) -> None:
        log.warning("event %s: %s", self.event.id, error)
