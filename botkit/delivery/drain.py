"""Works off a conversation's inbox: one worker at a time, one answer per event."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from botkit.delivery.access import access_token
from botkit.delivery.answering import answer, end, tap, wanted_by
from botkit.delivery.metrics import tell
from botkit.delivery.plan import ENDINGS, Opened, is_incomplete_set, next_received
from botkit.delivery.report import Report
from botkit.delivery.send import send
from botkit.delivery.times import MAX_AGE, RETRY_AFTER
from botkit.delivery.work import MOST_COVERED, Letter, Outcome, Work
from botkit.errors import BotkitError, LeaseLost, OutOfTime, TakenBack, UpstreamError
from botkit.line.events import parse_event
from botkit.messages import Chat, Message
from botkit.ports import Conversation, Final, Held, Inbox, Lease, Pending, Services
from botkit.spec.bot import BotSpec
from botkit.steps.events import Events
from botkit.steps.groups import Groups
from botkit.steps.history import History
from botkit.steps.moderation import Moderation

log = logging.getLogger(__name__)

GRACE = 2 * 1000
"""How long a lease outlives its holder's deadline, in ms."""
LEAST_TIME = 8 * 1000
"""No turn is begun with less time than this left, in ms: what would be cut short is left to the next worker."""
EDIT_PATIENCE = 5 * 60 * 1000
"""How long an edit waits for the message it changes, in ms: LINE promises no order."""
EDIT_PAUSE = 30 * 1000
SET_PAUSE = 500
"""How long until it is looked for again, and for the rest of a set of photos, in ms."""
MOST_KEPT = 20
"""Answers that wait in one conversation at most."""
CROWDED = 100
"""So many events are handed out at once; more may be waiting."""


def take(bot: BotSpec, conversation: Conversation, services: Services, owner: str, deadline: int) -> "Worker | Held":
    """Take the lease of `conversation`, to answer all that is waiting in it, unless another worker has it.

    `owner` names this worker, `deadline` (ms since 1970) is when it must be done. Raises StoreError.
    """
    lease = services.store.lease(conversation, owner, services.clock.now(), deadline + GRACE)
    if isinstance(lease, Held):
        tell(f"bot {bot.name}: another worker has the conversation", {"bot": bot.name}, {"LeaseWait": 1})
        return lease
    return Worker(bot, services, lease, deadline)


@dataclass(slots=True)
class Worker:
    """The holder of a lease at work; lives until it has given the lease back.

    `settled` are the events it has dealt with, `postponed` when those are due that it has left.
    """

    bot: BotSpec
    services: Services
    lease: Lease
    deadline: int
    holds: bool = True
    settled: set[str] = field(default_factory=set)
    postponed: list[int] = field(default_factory=list)

    @property
    def is_suspect(self) -> bool:
        """Whether the worker before has crashed: perhaps by what waits here."""
        return self.lease.abandoned

    def drain(self) -> int | None:
        """Answer all that is waiting, and give the lease back.

        What cannot be finished stays in the inbox; then it returns when to come back for it (ms since
        1970), else None. Raises UpstreamError where the store or a secret fails.
        """
        try:
            self._work_off()
        except LeaseLost:
            log.info("bot %s: a conversation was taken over by another worker", self.bot.name)
            return None
        except OutOfTime as error:
            log.warning("bot %s: %s; what is waiting is left to the next worker", self.bot.name, error)
            if self.is_suspect:  # let it be known to the next worker, too, who finds the lease as this one did
                return self.lease.until
            self._give_back()
            return self.services.clock.now()
        except BaseException:
            # What failed or was interrupted stays in the inbox; the next worker need not wait for the lease to end.
            with suppress(UpstreamError):
                self._give_back()
            raise
        return min(self.postponed, default=None)

    def _work_off(self) -> None:
        """Settle every waiting event once. Raises OutOfTime where the time does not suffice."""
        history, groups = self.bot.step(History), self.bot.step(Groups)
        window, overheard = history.window if history else 0, groups.overhear if groups else 0
        while self.holds:
            inbox = self.services.store.inbox(self.lease, window, self.services.clock.now(), overheard)
            waiting = [one for one in inbox.pending if one.event_id not in self.settled]
            if not self._settle_next(inbox, waiting):
                self._take(self.services.store.release(self.lease))

    def _give_back(self) -> None:
        """Release the lease although events are waiting, also new ones: the next worker takes them."""
        while self.holds:
            self._take(self.services.store.release(self.lease))

    def _take(self, lease: Lease | None) -> None:
        self.holds = lease is not None
        self.lease = lease or self.lease

    def _settle_next(self, inbox: Inbox, waiting: Sequence[Pending]) -> bool:
        """Settle what is to be done first; False where nothing is."""
        started = [one for one in waiting if one.unsent or one.state == "SENDING"] or self._overripe(waiting)
        if started:
            self._settle(started[:1], waiting, lambda work: _go_on(work, started[0]))
            return True
        # After a crash the first one alone: it may be its cause, and a turn that ends so soon has left no count.
        now, singly = self.services.clock.now(), self.is_suspect and not self.settled
        burst = next_received(waiting, inbox.pending, now, self.bot.is_command, singly=singly)
        if not burst:
            return False
        if is_incomplete_set(burst, self.services.clock.now()):
            self.services.clock.sleep(SET_PAUSE)
            return True
        self._settle([one.pending for one in burst], waiting, lambda work: _begin(work, burst, inbox))
        return True

    def _settle(self, events: Sequence[Pending], waiting: Sequence[Pending], settle: Callable[[Work], Outcome]) -> None:
        """Do one piece of work; where it fails, its events are left for soon, and not for the lease's end."""
        left = [one for one in waiting if one not in events and (one.state != "UNDELIVERED" or one.unsent)]
        work = self._work(last=not left and len(waiting) < CROWDED)
        try:
            outcome = settle(work)
        except TakenBack as error:
            return log.info("bot %s: %s", self.bot.name, error)
        except LeaseLost:
            raise
        except BaseException:
            for event in events:
                with suppress(BotkitError):
                    soon = self.services.clock.now() + RETRY_AFTER
                    self.services.store.postpone(self.lease, event, soon, refused=False)
            raise
        self.settled |= {event.event_id for event in events}
        if outcome.again is not None:
            self.postponed.append(outcome.again)
        # What ended without a last write of its own has not given the lease back yet.
        held = outcome.lease != self.lease or not work.last
        return self._take(outcome.lease if held else self.services.store.release(self.lease))

    def _overripe(self, waiting: Sequence[Pending]) -> list[Pending]:
        """Answers that have waited for a day, or with too many others: an inbox must not fill up with them."""
        kept = [one for one in waiting if one.state == "UNDELIVERED"]
        old = [one for one in kept if one.at < self.services.clock.now() - MAX_AGE]
        return old or kept[: max(0, len(kept) - MOST_KEPT)]

    def _work(self, *, last: bool) -> Work:
        """Nothing is begun without the token, with which alone anything can be said, or without the time for it."""
        self._check_time()
        self.services.secrets.warm(self.bot.answering_secrets)
        token = access_token(self.bot, self.services.secrets, self.services.line)
        self._check_time()  # LINE may have taken long to issue it
        return Work(self.bot, self.services, self.lease, self.deadline, token, last)

    def _check_time(self) -> None:
        left = self.deadline - self.services.clock.now()
        if left < LEAST_TIME:
            raise OutOfTime(f"{left} ms are left, and a turn is begun with {LEAST_TIME} at least")


def _go_on(work: Work, pending: Pending) -> Outcome:
    """Bring an event to its end that an earlier worker, or the person, has left half-way."""
    if pending.state == "RECEIVED":
        return end(work, pending, "unsent by the person: no answer", "unsent")
    if pending.unsent or pending.answer is None:
        return _finish(work, pending, "unsent by the person: its answer is dropped")
    if pending.at < work.now - MAX_AGE:
        return _lose(work, pending, "older than a day: its answer is dropped")
    if pending.state == "UNDELIVERED":
        return _lose(work, pending, "too many answers wait in this conversation: the oldest is dropped")
    event = parse_event(pending.body) if pending.body else None
    if event is None or event.chat is None:
        # With the message went its chat and its token; what was joined to its answer had been kept before.
        why = "unsent by the person: the other answers in it are kept, to be shown with the next reply"
        return _finish(work, pending, why, "UNDELIVERED")
    tapped = wanted_by(event) is not None
    letter = Letter(pending, event.chat, event.reply_token or "", pending.answer, tapped=tapped)
    return send(work, letter, Report(work, pending, event))


def _begin(work: Work, burst: Sequence[Opened], inbox: Inbox) -> Outcome:
    """Settle what has no answer yet."""
    pending, event = burst[0].pending, burst[0].event
    if event.type == "messageEdited":
        return _edit(work, burst[0], inbox)
    if event.type in ENDINGS:  # however old: it asks for nothing but to be let go
        return _part(work, burst[0], inbox)
    if pending.at < work.now - MAX_AGE:
        return end(work, pending, "older than a day: no answer", "lost", event)
    if work.bot.line and event.user_id is not None and event.user_id == work.bot.line.user_id:
        return end(work, pending, "the bot's own words: no answer", "silent", event)
    if event.mode != "active" or event.reply_token is None:
        why = f"a {event.type} event in {event.mode} mode without a reply token: no answer"
        return end(work, pending, why, "silent", event)
    if wanted_by(event) is not None:
        return tap(work, burst[0], inbox)
    return answer(work, burst, inbox)


def _part(work: Work, opened: Opened, inbox: Inbox) -> Outcome:
    """The person has blocked the bot, or the group removed it: nothing that waits is offered any more."""
    event, events = opened.event, work.bot.step(Events)
    why = f"{event.type}: no answer, and none that waited is offered any more"
    if event.chat is not None:
        work.services.store.part(work.bot.name, event.chat, opened.pending.at)
    if event.chat is not None and events is not None and events.forget_on_unfollow:
        work.services.store.disband(work.bot.name, event.chat, opened.pending.at)
        return end(work, opened.pending, f"{why}; what was said is forgotten, as the bot file says", "parted", event)
    nobody = [one for one in inbox.pending if one.state == "UNDELIVERED"][:MOST_COVERED]
    return end(work, opened.pending, why, "parted", event, nobody)


def _edit(work: Work, opened: Opened, inbox: Inbox) -> Outcome:
    """Change what history holds of a message. It is no question: what was answered stays answered."""
    event, store = opened.event, work.services.store
    if event.chat is None or event.message_id is None:
        return end(work, opened.pending, "an edit that names no message", "edited", event)
    waits = any(one.message_id == event.message_id and one.state == "RECEIVED" for one in inbox.pending)
    unknown = not waits and store.conversation_of(work.bot.name, event.chat, event.message_id) is None
    if waits or (unknown and work.now < opened.pending.received_at + EDIT_PATIENCE):
        due_at = work.now + EDIT_PAUSE
        store.postpone(work.lease, opened.pending, due_at, refused=False)
        return Outcome(work.lease, due_at)
    moderation = work.bot.step(Moderation)
    judged = moderation is not None and moderation.input == "refuse"
    # Nobody judges an edit, so where what is said must be, the model is only told of it.
    text = "(edited)" if judged else event.text or ""
    changed = store.edit(work.lease, event.chat, event.message_id, opened.pending.at, Message("user", text))
    why = "an edit: the history is changed" if changed else "an edit of nothing remembered"
    return end(work, opened.pending, why, "edited", event)


def _finish(work: Work, pending: Pending, why: str, state: Final = "DONE", lost: int = 0) -> Outcome:
    """End an event whose answer, or whose `lost` answers, nobody gets to see."""
    report = Report(work, pending, parse_event(pending.body) if pending.body else None)
    chat = Chat("user", pending.user_id or "")  # nothing was sent, so nothing is kept by chat
    counts = work.statistics({"lost": lost}, None, pending.event_id) if lost else ()
    work.services.store.finish(work.lease, pending, state, chat, counts=counts, notes=[work.note(why)])
    report.settle("lost" if lost else "unsent", {"Lost": lost} if lost else {})
    return Outcome(work.lease)


def _lose(work: Work, pending: Pending, why: str) -> Outcome:
    log.error("event %s: %s", pending.event_id, why)
    return _finish(work, pending, why, lost=len(set(pending.answer.owned(pending.event_id))) if pending.answer else 1)
