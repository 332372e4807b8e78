"""Sends a fixed answer: reply first, push only where the reply certainly was not delivered."""

import logging
from dataclasses import dataclass, field

from botkit.errors import LineError, LineRefused, LineUnsure
from botkit.messages import Chat, Event
from botkit.ports import Answer, Final, Lease, Pending, Services, Via

log = logging.getLogger(__name__)

TOKEN_LIFE = 60 * 1000
"""How long a reply token is good for, in ms from the receipt of its webhook (LINE reference: Reply token)."""
MAX_TRIES = 3
"""Calls for one answer in one go; what is still open then is left to the sweep."""
BACKOFF = 300
"""The pause before the second call, in ms; doubled before each further one."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """What sending one conversation's answers needs; lives as long as a lease is held."""

    services: Services
    lease: Lease
    access_token: str = field(repr=False)


def send(outbox: Outbox, event: Event, chat: Chat, pending: Pending, answer: Answer) -> None:
    """Bring `answer` to LINE and the event to its end; where LINE does not answer, leave it for the next drain.

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
        # The answer transaction, and each `resend`, record a send ahead of its call.
        self.recorded = pending.state == "RECEIVED"
        self.unsure = pending.state == "SENDING" and pending.sends > 0

    def reply(self) -> None:
        line, token = self.outbox.services.line, self.event.reply_token or ""
        for attempt in range(MAX_TRIES):
            self._record("reply", attempt)
            try:
                sent = line.reply(self.outbox.access_token, token, self.answer.messages)
            except LineUnsure as error:
                self.unsure = True
                self._log(error)
            except LineRefused as error:
                self._log(error)
                if not error.retryable:
                    return self._refused_reply(error)
            else:
                return self._finish("DONE", sent)
        return None

    def _refused_reply(self, error: LineRefused) -> None:
        """A 400 spends no token: an earlier try had been delivered, or none was and the token is of no use."""
        if error.status != 400:
            return self._finish("UNDELIVERED")
        if not self.unsure:
            return self.push()
        if self.outbox.services.clock.now() > self.pending.received_at + TOKEN_LIFE:
            # Delivered then or expired now: LINE cannot tell, and saying it twice is the worse mistake.
            log.warning("event %s: ambiguous, taken as delivered", self.event.id)
        return self._finish("DONE")

    def push(self) -> None:
        line = self.outbox.services.line
        for attempt in range(MAX_TRIES):
            self._record("push", attempt)
            try:
                sent = line.push(self.outbox.access_token, self.chat.id, self.answer.messages, self.answer.retry_key)
            except LineUnsure as error:
                self._log(error)
            except LineRefused as error:
                self._log(error)
                if not error.retryable:
                    return self._finish("UNDELIVERED")
            else:
                return self._finish("DONE", sent)
        return None

    def _record(self, via: Via, attempt: int) -> None:
        if attempt:
            self.outbox.services.clock.sleep(BACKOFF * 2 ** (attempt - 1))
        if self.recorded:
            self.recorded = False
        else:
            self.outbox.services.store.resend(self.outbox.lease, self.event.id, via)

    def _finish(self, state: Final, sent: tuple[str, ...] = ()) -> None:
        self.outbox.services.store.finish(self.outbox.lease, self.event.id, state, self.chat, sent)
        if state == "UNDELIVERED":
            log.error("event %s: the answer could not be delivered", self.event.id)

    def _log(self, error: LineError) -> None:
        log.warning("event %s: %s", self.event.id, error)
