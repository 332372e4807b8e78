"""LINE's manners with webhooks: it waits two seconds for an answer, and may come again where there was none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Condition
from typing import Any, Final

from botkit.ports import Clock
from botkit.simulator.wire import Delivery

Post = Callable[[Callable[[], Mapping[str, Any]], Callable[[Mapping[str, Any] | None], None]], None]
"""Has the HTTP API called: what makes the event of it, and who is told the answer, None where the handler failed."""

ANSWER_WITHIN: Final = 2000
"""In ms (LINE docs: Check webhook error statistics, request_timeout)."""
REDELIVERIES: Final = (10, 60, 5 * 60)
"""Seconds before each redelivery. LINE says neither how often it comes again nor when; these are ours."""

_LATE: Final = "LINE got no answer to this webhook within 2 seconds."
_LOST: Final = "LINE has lost this webhook on its way."
_FAILED: Final = "the handler failed, or the store did; the terminal says more."
_CURES: Final = {
    400: "the webhook is not one of this bot's.",
    401: "no bot of this name has this account any more; see that its file is there.",
    500: _FAILED,
    503: "the bot's file is wrong, or one of its secrets is missing; mend it, and the next message is answered.",
}


@dataclass(frozen=True, slots=True)
class Delivered:
    """What LINE has seen of one webhook call.

    `at`: when it was made (ms since 1970), `ms`: how long it waited. `status` is None where no answer came in two
    seconds. `comes_again`: LINE sends it once more. `text` is "" if all went well, else what LINE would note,
    with the cure.
    """

    bot: str
    delivery: Delivery
    at: int
    status: int | None
    ms: int
    text: str
    comes_again: bool = False


@dataclass(eq=False, slots=True)
class _Call:
    """A webhook on its way, or to be sent again: made at `at`, or due then. `before`: how often it was sent already.

    `patient`: LINE comes again where this one fails. `closed`: LINE waits no longer.
    """

    bot: str
    delivery: Delivery
    redeliver: Callable[[Delivery], Delivery]
    at: int
    patient: bool
    before: int = 0
    closed: bool = False


class Webhooks:
    """All webhooks under way, and those that come again. Lives as long as the program; `bell` guards it."""

    def __init__(
        self, post: Post, clock: Clock, bell: Condition, tell: Callable[[Delivered], None], *, redelivers: bool
    ) -> None:
        self._post = post
        self._clock = clock
        self._bell = bell
        self._tell = tell
        self._redelivers = redelivers
        self._open: set[_Call] = set()
        self._later: set[_Call] = set()

    def send(self, bot: str, delivery: Delivery, redeliver: Callable[[Delivery], Delivery]) -> None:
        """Call the bot; returns at once."""
        self._send(_Call(bot, delivery, redeliver, self._clock.now(), self._redelivers))

    def send_twice(self, bot: str, delivery: Delivery, redeliver: Callable[[Delivery], Delivery]) -> None:
        """Call the bot twice at once with the same webhook (LINE docs: Receive messages, duplicates)."""
        self.send(bot, delivery, redeliver)
        self._send(_Call(bot, delivery, redeliver, self._clock.now(), patient=False))

    def lose(self, bot: str, delivery: Delivery, redeliver: Callable[[Delivery], Delivery]) -> None:
        """The call never reaches the bot; it comes again later, whether or not redelivery is switched on."""
        self._close(_Call(bot, delivery, redeliver, self._clock.now(), patient=True), None, _LOST)

    def look(self) -> None:
        """Give up waiting where it took too long, and send again what is due."""
        now = self._clock.now()
        with self._bell:
            late = [call for call in self._open if not call.closed and call.at + ANSWER_WITHIN <= now]
            for call in late:
                call.closed = True
            due = [call for call in self._later if call.at <= now]
            self._later.difference_update(due)
            for call in due:
                call.at = now
                self._send(call)
        for call in late:
            self._close(call, None)

    @property
    def busy(self) -> bool:
        """Whether LINE waits for an answer now."""
        with self._bell:
            return bool(self._open)

    @property
    def next_due(self) -> int | None:
        """When there is something to do next (ms since 1970)."""
        with self._bell:
            waits = [call.at + ANSWER_WITHIN for call in self._open if not call.closed]
            return min([*waits, *(call.at for call in self._later)], default=None)

    # ---------------------------------------------------------------- inside

    def _send(self, call: _Call) -> None:
        with self._bell:
            self._open.add(call)
        self._post(lambda: _event(call), lambda answer: self._answered(call, answer))

    def _answered(self, call: _Call, answer: Mapping[str, Any] | None) -> None:
        with self._bell:
            if call.closed:
                return
            call.closed = True
        in_time = self._clock.now() < call.at + ANSWER_WITHIN
        # API Gateway answers 500 for a function that failed (HTTP API: Lambda proxy integrations).
        self._close(call, int((answer or {}).get("statusCode", 500)) if in_time else None)

    def _close(self, call: _Call, status: int | None, silence: str = _LATE) -> None:
        """Note how a call went, and have it come again where LINE does so: after anything but a 2xx in time."""
        now, failed = self._clock.now(), status is None or status // 100 != 2
        pause = REDELIVERIES[call.before] if failed and call.patient and call.before < len(REDELIVERIES) else None
        text = f"{_why(status) or silence} {_next(pause, call)}" if failed else ""
        told = Delivered(call.bot, call.delivery, call.at, status, now - call.at, text, pause is not None)
        if pause is not None:
            again = _Call(call.bot, call.delivery, call.redeliver, now + pause * 1000, call.patient, call.before + 1)
            with self._bell:
                self._later.add(again)
        try:
            self._tell(told)
        finally:
            with self._bell:
                self._open.discard(call)
                self._bell.notify_all()


def _why(status: int | None) -> str:
    if status is None:
        return ""
    cure = _CURES.get(status, _FAILED if status >= 500 else "the handler refused it.")
    return f"This webhook was answered {status}: {cure}"


def _next(pause: int | None, call: _Call) -> str:
    if pause is not None:
        return f"LINE sends it again in {pause} seconds."
    return f"LINE has sent it {call.before + 1} times and gives up." if call.patient else "LINE does not send it again."


def _event(call: _Call) -> dict[str, Any]:
    """The event of a call. A redelivery is made only now."""
    if call.before:
        call.delivery = call.redeliver(call.delivery)
    return http_event(call.bot, call.delivery, call.at)


def http_event(bot: str, delivery: Delivery, at: int) -> dict[str, Any]:
    """LINE's call at `at` (ms since 1970), as API Gateway hands it to the handler (HTTP API, payload 2.0)."""
    path = f"/line/{bot}"
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": delivery.headers,
        "requestContext": {"http": {"method": "POST", "path": path}, "stage": "$default", "timeEpoch": at},
        "body": delivery.body.decode(),
        "isBase64Encoded": False,
    }
