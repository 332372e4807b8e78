"""Sends a fixed answer: reply first, push only where the reply certainly was not delivered."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from botkit.delivery.metrics import Way, tell
from botkit.delivery.report import Report
from botkit.delivery.times import RETRY_AFTER, SURELY_ALIVE, TOKEN_LIFE
from botkit.delivery.work import Letter, Outcome, Work
from botkit.errors import LineError, LineRefused, LineUnsure
from botkit.ports import Budget, Count, Final, Note, Via

log = logging.getLogger(__name__)

PAUSE, LONGEST_PAUSE = 300, 5 * 1000
"""Between two calls, in ms; doubled each time."""
SAFETY = 8 * 1000
"""No call to LINE is made again with less time than this left, in ms: one may take seven seconds.

(Three times that, where LINE no longer takes a token that it has issued; within a turn none ends.)
"""
PUSH_PATIENCE = 10 * 1000
"""How long a push is tried in one go, in ms: unlike a reply token it can wait, and others wait behind it."""
LEAST_TRIES = 3
"""Calls made in one go even where the token's minute is over."""
ACCOUNT_FAULTS = (0, 401, 403)
"""Refusals that say something of the account's set-up and nothing of the answer: it waits until that is mended."""
LONGEST_WAIT = 10 * 60 * 1000
"""Until LINE is asked again to take an answer, in ms, at most."""
MOST_NOTES = 40
"""An event's story is not told at greater length than this while its answer waits."""
COUNTER_LIFE = timedelta(days=62)
"""A month's count of pushes is kept until the month after it is over."""


def send(work: Work, letter: Letter, report: Report) -> Outcome:
    """Bring an answer to LINE and its event to the end; where LINE does not take it, leave it to a later worker.

    `report` is told at the end. With sends recorded by an earlier worker, whether the answer arrived is
    unknown until LINE says so.
    """
    delivery = _Delivery(work, letter, report)
    if letter.pending.via == "reply":
        return delivery.reply()
    return delivery.push()


class _Delivery:
    """One answer on its way."""

    def __init__(self, work: Work, letter: Letter, report: Report) -> None:
        self.work = work
        self.letter = letter
        self.report = report
        self.pending = letter.pending
        self.notes: list[Note] = []
        # The answer transaction has recorded the send that follows it; every other one is recorded here.
        self.recorded = self.pending.state == "RECEIVED"
        self.unsure = self.pending.state == "SENDING" and self.pending.sends > 0
        self.ambiguous = False  # and not counted yet

    def reply(self) -> Outcome:
        """Spend the reply token."""
        line, token, messages = self.work.services.line, self.letter.reply_token, self.letter.answer.messages
        return self._persist(
            "reply",
            self.pending.received_at + TOKEN_LIFE,
            lambda: line.reply(self.work.access_token, token, messages),
            self._no_reply,
        )

    def push(self) -> Outcome:
        """Push, under the answer's own retry key, if the budget allows and there is somebody to read it.

        LINE would take it, and charge for it, also where the person has blocked the bot.
        """
        parted_at = self.work.services.store.parted_at(self.work.bot.name, self.letter.chat)
        if parted_at is not None and parted_at >= self.pending.at:  # who writes later has come back
            self._tell("push: not tried, the person has blocked the bot, or the group has removed it")
            return self._finish("DONE", "lost")
        try:
            # One that was recorded before has been paid for, and may have arrived: it must not depend on LINE's count.
            budget = None if self.pending.via == "push" else self._budget()
        except LineError as error:  # how much it would cost cannot be said
            self._tell(f"push: not tried, {error}")
            return self._keep()
        line, key, messages = self.work.services.line, self.letter.answer.retry_key, self.letter.answer.messages
        return self._persist(
            "push",
            self.work.now + PUSH_PATIENCE,
            lambda: line.push(self.work.access_token, self.letter.chat.id, messages, key),
            self._no_push,
            budget,
        )

    def _persist(
        self,
        via: Via,
        until: int,
        call: Callable[[], tuple[str, ...]],
        refused: Callable[[LineRefused], Outcome],
        budget: Budget | None = None,
    ) -> Outcome:
        """Call LINE until it says yes or no, or the time is over. `until` (ms since 1970): when to stop trying."""
        clock, pause, end = self.work.services.clock, PAUSE, self.work.deadline - SAFETY
        for attempt in range(1_000):
            if attempt:
                later = clock.now() + pause
                if later > end or (attempt >= LEAST_TRIES and later > until):
                    break
                clock.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            if not self._record(via, budget):
                self._tell(f"push: over the budget of {budget and budget.limit} a month")
                return self._keep()
            try:
                sent = call()
            except LineUnsure as error:
                self.unsure = True
                self._tell(str(error))
            except LineRefused as error:
                self._tell(str(error))
                if error.status in ACCOUNT_FAULTS and not error.retryable:
                    break
                if not error.retryable:
                    return refused(error)
            else:
                self.notes.append(self.work.note(f"{via}: LINE took it, messages {', '.join(sent) or 'unnamed'}"))
                window = clock.now() - self.pending.received_at if via == "reply" else None
                return self._finish("DONE", via, sent, window)
        return self._postpone()

    def _no_reply(self, error: LineRefused) -> Outcome:
        """A 400 spends no token: an earlier try had been delivered, or none was and the token is of no use."""
        if error.status != 400:
            return self._finish("DONE", "lost")
        if not self.unsure:
            return self._other_way()
        if self.work.now <= self.pending.received_at + SURELY_ALIVE:
            self._tell("reply: so the earlier call had been delivered")
            return self._finish("DONE", "reply")
        # Delivered then or expired now: LINE cannot tell. By default, saying it twice is the worse mistake.
        self.ambiguous = True
        if self.work.manners.unsure == "resend":
            self._tell("reply: nobody can know whether it arrived; pushed, as the bot file says")
            return self.push()
        self._tell("reply: nobody can know whether it arrived; taken as delivered")
        return self._finish("DONE")

    def _other_way(self) -> Outcome:
        """The reply token is of no use, and nothing was delivered."""
        manners = self.work.manners
        way = manners.slow.do if self.letter.slow and manners.slow.do != "button" else manners.late
        if way == "silence":
            self._tell("the answer came too late, and the bot file asks for silence then")
            return self._finish("DONE", "dropped")
        return self.push() if way == "push" else self._keep()

    def _no_push(self, error: LineRefused) -> Outcome:
        # Of the month's limit LINE says 429. Anything else is the chat's fault or the answer's own: it gets one more
        # chance, with the next reply, and no second one, or it would take every later answer down with it.
        return self._keep() if error.status == 429 or self.letter.first else self._finish("DONE", "lost")

    def _keep(self) -> Outcome:
        if self.letter.apology:
            return self._finish("DONE", "lost")
        self._tell("kept, to be shown with the next reply")
        return self._finish("UNDELIVERED", "kept")

    def _budget(self) -> Budget:
        """What the push would cost. Raises LineError where LINE does not tell how many people are in the chat."""
        chat, services = self.letter.chat, self.work.services
        members = 1 if chat.kind == "user" else services.line.member_count(self.work.access_token, chat)
        today = datetime.fromtimestamp(self.work.now // 1000, self.work.bot.timezone)
        expires_at = self.work.now + COUNTER_LIFE // timedelta(milliseconds=1)
        pushes = Count("push", f"month#{today:%Y-%m}", {"messages": members}, expires_at)
        return Budget(pushes, self.work.manners.push.monthly)

    def _record(self, via: Via, budget: Budget | None) -> bool:
        if not self.recorded and not self.work.services.store.resend(self.work.lease, self.pending, via, budget):
            return False
        self.report.sends += 1
        self.recorded = False
        if self.ambiguous:  # told now, because a later worker sees a push and not why there is one
            self._tell_ambiguous()
        return True

    def _tell_ambiguous(self) -> None:
        self.ambiguous = False
        text = f"event {self.pending.event_id}: nobody can know whether its reply arrived"
        tell(text, {"bot": self.work.bot.name, "event": self.pending.event_id}, {"Ambiguous": 1})

    def _postpone(self) -> Outcome:
        # The longer it has waited, the longer it may wait: an account can be set up wrong for a night.
        due_at = self.work.now + min(max(self.work.now - self.pending.at, RETRY_AFTER), LONGEST_WAIT)
        self._tell("LINE did not take the answer; it waits")
        notes = self.notes[-2:] if len(self.pending.notes) < MOST_NOTES else ()
        self.work.services.store.postpone(self.work.lease, self.pending, due_at, refused=not self.unsure, notes=notes)
        self.report.leave()
        return Outcome(self.work.lease, due_at)

    def _finish(
        self, state: Final, way: Way | None = None, sent: tuple[str, ...] = (), window: int | None = None
    ) -> Outcome:
        """`way`: how the answer went out, or what was done instead; None where nobody can know."""
        if way == "reply" and self.letter.tapped:
            way = "button"
        lease = self.work.services.store.finish(
            self.work.lease,
            self.pending,
            state,
            self.letter.chat,
            sent,
            counts=self._statistics(way),
            notes=self.notes,
            release=self.work.last,
        )
        if self.ambiguous and way is not None:  # it was to be pushed, and was not
            self._tell_ambiguous()
        self.report.settle_answer(way, self._owners(), sent=sent, window=window)
        return Outcome(lease)

    def _owners(self) -> set[str]:
        """The events whose answers these are."""
        return set(self.letter.answer.owned(self.pending.event_id))

    def _statistics(self, way: Way | None) -> list[Count]:
        """How these answers went out, for the bot's day. What was kept is counted when it goes out or is lost."""
        if way in (None, "kept"):
            return []
        return self.work.statistics({str(way): len(self._owners())}, None, self.pending.event_id)

    def _tell(self, text: str) -> None:
        log.warning("event %s: %s", self.pending.event_id, text)
        self.notes.append(self.work.note(text))
