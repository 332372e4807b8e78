"""Makes the answer to what a person said: the turn, the reply window it has, and the transaction that fixes it."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from botkit.delivery.metrics import Ending, tell
from botkit.delivery.plan import Opened
from botkit.delivery.report import Report
from botkit.delivery.send import send
from botkit.delivery.times import MAX_AGE, SURELY_ALIVE, TOKEN_LIFE
from botkit.delivery.work import MOST_COVERED, Letter, Outcome, Work
from botkit.errors import (
    BotkitError,
    LeaseLost,
    LineError,
    LineRefused,
    OutOfTime,
    StoreError,
    TakenBack,
    UpstreamError,
)
from botkit.line.bodies import render, render_button
from botkit.line.text import MOST_MESSAGES, clean
from botkit.messages import SILENCE, Button, Chat, Event, Profile, Sender
from botkit.pipeline import run
from botkit.ports import Answer, Count, Inbox, LineMessage, Note, Pending
from botkit.steps.history import answer_of
from botkit.turn import Said, Turn, User
from botkit.usage import amounts_of

log = logging.getLogger(__name__)

Moment = tuple[int, Callable[[], None]]
"""What is due while a turn lasts, and when (ms since 1970)."""

MAX_ATTEMPTS = 6
"""Turns begun for one event, by workers that did not live to answer it, before it gets the error text.

A first one that dies within COUNTED_AFTER leaves no count: then it is one more.
"""
FIX_TRIES = 3
"""How often the answer transaction is asked for while the store fails."""
SLOW_AFTER = 500
"""A turn that lasts so long, in ms, takes its time: who wrote is shown that an answer is coming."""
COUNTED_AFTER = 4 * 1000
"""A turn that lasts so long after its webhook, in ms, is counted: a second later the sweep would look after it."""
LEAST_SEND_TIME = 3 * 1000
"""What is left of an invocation, in ms, when a turn that does not end is given up."""
LEAST_TURN = 5 * 1000
"""So long, in ms, a turn is given before its token is spent on a notice, however late it was begun."""
NOTICE_PAUSE = 1000
"""Before a notice of which LINE has not said whether it is shown is sent once more, in ms."""
ANSWER_DATA = "botkit:answer:"
"""What the button of a notice sends back, before the id of the event whose answer it brings."""


def answer(work: Work, burst: Sequence[Opened], inbox: Inbox) -> Outcome:
    """Answer messages of one person, sent in a row, by one turn; each of them is covered once.

    Raises OutOfTime where the turn does not end in time, TakenBack where one of the messages, or of
    those whose answers go out with it, was unsent meanwhile, and StoreError.
    """
    # The token whose window ends last; a redelivery may have renewed an older one.
    lead = max(burst, key=lambda one: (one.pending.received_at, one.pending.at, one.pending.event_id))
    return _Answering(work, lead, burst, _chat_of(lead.event), inbox).settle()


def end(
    work: Work,
    pending: Pending,
    why: str,
    outcome: Ending,
    event: Event | None = None,
    covers: Sequence[Pending] = (),
) -> Outcome:
    """Settle an event in silence, together with those whose answers nobody will fetch any more.

    `event` is what is in it, where that is known.
    """
    report = Report(work, pending, event)
    work.services.store.answer(work.lease, pending, None, covers=covers, notes=[work.note(why)])
    report.add_joined((), covers)
    report.settle(outcome, {"Lost": 1} if outcome == "lost" else {})
    return Outcome(work.lease)


def tap(work: Work, opened: Opened, inbox: Inbox) -> Outcome:
    """Bring the answer that a notice has promised to whoever asked for it, by the tap's own fresh token."""
    event, pending = opened.event, opened.pending
    wanted = next((one for one in inbox.pending if one.event_id == wanted_by(event)), None)
    if wanted is None or event.user_id is None or wanted.user_id != event.user_id:
        why = "a tap on a button whose answer was fetched already, or is somebody else's"
        return end(work, pending, why, "silent", event)
    answering = _Answering(work, opened, [opened], _chat_of(event), inbox)
    if wanted.state != "UNDELIVERED":
        return answering.fix_and_send(answering.notice_of(wanted), [work.note("a tap: the answer is not ready yet")])
    return answering.fix_and_send((), [work.note(f"a tap: brings the answer to {wanted.event_id}")])


def wanted_by(event: Event) -> str | None:
    """The event whose answer a tap asks for; None of any other event."""
    data = event.postback or ""
    return data.removeprefix(ANSWER_DATA) if event.type == "postback" and data.startswith(ANSWER_DATA) else None


def _chat_of(event: Event) -> Chat:
    assert event.chat is not None, "the door lets no event in without a chat"  # noqa: S101
    return event.chat


class _Answering:
    """One answer in the making and on its way; lives until its event is settled."""

    def __init__(self, work: Work, lead: Opened, burst: Sequence[Opened], chat: Chat, inbox: Inbox) -> None:
        self.work = work
        self.store = work.services.store
        self.burst = burst
        self.chat = chat
        self.inbox = inbox
        self.token = lead.event.reply_token or ""
        self.event = burst[-1].event
        self.lead = lead.pending
        self.begun_in_time = work.now <= self.lead.received_at + TOKEN_LIFE
        self.waits = self.lead.noticed
        self.failure: str | None = None
        self.is_counted = False
        self.others = [one.pending for one in burst if one.pending.event_id != lead.pending.event_id]
        self.report = Report(work, lead.pending, self.event, self.others)

    def settle(self) -> Outcome:
        """Run the turn within its window, fix what it came to, send it."""
        turn, begun_at = self._turn(), self.work.now
        turn.note(self._coverage())
        try:
            messages = self._within_window(turn)
            self.report.add_turn(turn, self.work.now - begun_at, self.failure)
            return self.fix_and_send(messages, turn.notes, turn)
        except (LeaseLost, TakenBack):
            raise
        except BaseException:
            self._try_to_count()
            raise

    # ---------------------------------------------------------------- the turn

    def _turn(self) -> Turn:
        work, event = self.work, self.event
        return Turn(
            bot=work.bot,
            event=event,
            chat=self.chat,
            conversation=work.lease.conversation,
            user=User(event.user_id or "", self._lookup(event)),
            services=work.services,
            deadline=work.deadline,
            access_token=work.access_token,
            said=tuple(Said(one.event, one.event.text or "") for one in self.burst if one.event.type == "message"),
            recent=self.inbox.recent,
        )

    def _lookup(self, event: Event) -> Callable[[], Profile | None]:
        if event.user_id is None:
            return lambda: None
        return partial(self.work.services.line.profile, self.work.access_token, self.chat, event.user_id)

    def _within_window(self, turn: Turn) -> tuple[LineMessage, ...]:
        """What LINE is to show. A turn that will outlive its token spends it on a notice, if the bot file says so."""
        if self.lead.attempts >= MAX_ATTEMPTS:
            log.error("event %s: given up after %d attempts", turn.event.id, self.lead.attempts)
            turn.note(f"given up after {self.lead.attempts} attempts")
            return self._error_text("GivenUp")
        if self.work.lease.abandoned or self.lead.attempts:
            self._count_attempt()  # before the turn: one of these may be what killed the last worker
        beside: list[Future[None]] = []
        moments = self._moments(turn, beside)  # counted from here, and not from when the turn's thread has begun
        making = self.work.services.pool.submit(self._make, turn)
        self._watch(making, moments, beside)
        return making.result()

    def _watch(
        self, making: "Future[tuple[LineMessage, ...]]", moments: Sequence[Moment], beside: Sequence["Future[None]"]
    ) -> None:
        """Wait for the turn, and do what is due meanwhile, also beside it. Raises OutOfTime."""
        clock, end = self.work.services.clock, self.work.deadline - LEAST_SEND_TIME
        try:
            for at, do in moments:
                if self._is_done(making, min(at, end)):
                    return
                if end <= self.work.now:
                    break
                do()
            if not clock.wait(making, end) and not making.done():
                raise OutOfTime("the turn did not end in time")
        finally:
            # No animation begins after the answer, and Lambda freezes what is left over.
            for one in beside:
                clock.wait(one, end)

    def _is_done(self, making: "Future[tuple[LineMessage, ...]]", until: int) -> bool:
        """Wait for the turn until then (ms since 1970); a clock that is set back meanwhile makes it longer."""
        while not self.work.services.clock.wait(making, until):
            if until <= self.work.now:
                return False
        return True

    def _moments(self, turn: Turn, beside: list["Future[None]"]) -> list[Moment]:
        """What is due while a turn lasts, and when (ms since 1970), in that order. Nothing may hold up the notice."""

        def begin(do: Callable[[], None]) -> None:
            beside.append(self.work.services.pool.submit(do))

        moments: list[Moment] = [
            (self.work.now + SLOW_AFTER, partial(begin, turn.be_slow)),
            (self.lead.received_at + COUNTED_AFTER, partial(begin, self._try_to_count)),
        ]
        if (notice_at := self._notice_at()) is not None:
            moments.append((notice_at, partial(self._give_notice, turn)))
        return sorted(moments, key=lambda moment: moment[0])

    def _notice_at(self) -> int | None:
        """When the token is to be spent on a notice (ms since 1970), if it may be at all.

        Whose answer it is must be known, or nobody could be given it for a tap. Who was picked up late
        gets a moment still, before there is a button instead of an answer.
        """
        slow, received_at = self.work.manners.slow, self.lead.received_at
        if slow.do != "button" or not self.begun_in_time or self.lead.noticed or self.event.user_id is None:
            return None
        notice_at = max(received_at + slow.after * 1000, self.work.now + LEAST_TURN)
        return min(notice_at, received_at + SURELY_ALIVE)

    def _count_attempt(self) -> None:
        """Write down that a turn was begun, once; a turn that ends well within the time has its answer say so.

        A crash before leaves the lease behind, so the next worker knows of it without a count. Raises StoreError.
        """
        if not self.is_counted:
            self.store.attempt(self.work.lease, [one.pending for one in self.burst])
            self.is_counted = True

    def _try_to_count(self) -> None:
        try:
            self._count_attempt()
        except StoreError as error:
            log.warning("event %s: its attempt is not counted: %s", self.lead.event_id, error)

    def _make(self, turn: Turn) -> tuple[LineMessage, ...]:
        """The pipeline's reply, or the error text where it failed. Only a failing store, or too little time, raises."""
        try:
            return self._run(turn)
        except (StoreError, OutOfTime):
            raise
        except UpstreamError as error:
            log.error("event %s: no answer: %s", turn.event.id, error)
            turn.note(f"no answer: {error}")
            return self._error_text(type(error).__name__)
        except BaseException as error:  # a bug, here or in a step of the user's own: told once, and answered
            log.exception("event %s: a step failed", turn.event.id)
            turn.note(f"a step failed: {type(error).__name__}")
            return self._error_text(type(error).__name__)

    def _run(self, turn: Turn) -> tuple[LineMessage, ...]:
        reply, failures = run(self.work.bot.handler, turn)
        for failure in failures:
            # Of a bug only the name: its words may quote what was said.
            words = failure if isinstance(failure, BotkitError) else type(failure).__name__
            log.warning("event %s: beside the turn: %s", turn.event.id, words)
        messages = render(reply)
        if messages and turn.keep_reply_until is not None:
            # Only now is it known what is really said: a step further out may have changed the reply.
            turn.remember(answer_of(turn, clean(reply.text)), turn.keep_reply_until)
        return messages

    def _error_text(self, failure: str) -> tuple[LineMessage, ...]:
        """Error texts are for the person who asked, never for a group. `failure` names what it is about."""
        self.failure = failure
        return render(self.work.bot.error_reply if self.chat.kind == "user" else SILENCE)

    # ---------------------------------------------------------------- the notice

    def notice_of(self, event: Pending) -> tuple[LineMessage, ...]:
        """The message whose button brings the answer to `event`."""
        slow, sender = self.work.manners.slow, self.work.manners.sender
        button = Button(slow.notice, slow.label, f"{ANSWER_DATA}{event.event_id}")
        return render_button(button, Sender(sender.name, sender.icon))

    def _give_notice(self, turn: Turn) -> None:
        """Spend a living token on a notice. Where LINE has certainly not shown it, the answer goes its usual way."""
        if not self._token_lives():
            return
        self.store.notice(self.work.lease, self.lead)
        self.lead = replace(self.lead, noticed=True)
        self.waits = self._show_notice(turn)

    def _show_notice(self, turn: Turn) -> bool:
        """Whether it may have been shown. Asked again where LINE does not say: the token can be spent but once."""
        unsure = False
        for pause in (0, NOTICE_PAUSE, NOTICE_PAUSE):
            self.work.services.clock.sleep(pause)
            try:
                self.work.services.line.reply(self.work.access_token, self.token, self.notice_of(self.lead))
            except LineRefused as error:
                turn.note(f"notice: {error}")
                return unsure  # a 400 after a call of unknown outcome: that call has shown it, or nobody can tell
            except LineError as error:
                turn.note(f"notice: {error}")
                unsure = True
            else:
                turn.note("notice: the answer takes long; the token is spent on a button that brings it")
                told = {"bot": self.work.bot.name, "event": self.lead.event_id}
                tell(f"event {self.lead.event_id}: a notice is shown", told, {"Notice": 1})
                return True
        return unsure

    def _token_lives(self) -> bool:
        return self.work.now <= self.lead.received_at + TOKEN_LIFE

    # ---------------------------------------------------------------- fixing and sending

    def fix_and_send(
        self, messages: tuple[LineMessage, ...], notes: Sequence[Note], turn: Turn | None = None
    ) -> Outcome:
        """The answer transaction, then LINE. Answers kept for this person go out with it, as far as they fit."""
        erases = turn.erases if turn else None
        alone = self.waits or self.failure or not (messages or turn is None)
        kept = [] if alone or erases else self._kept(MOST_MESSAGES - len(messages))
        # The key follows from the event, so that no second worker can push the answer under another one.
        retry_key = str(uuid5(NAMESPACE_URL, f"botkit:{self.work.bot.name}:{self.lead.event_id}"))
        shown = (*(_unquoted(message) for one in kept if one.answer for message in one.answer.messages), *messages)
        fixed = Answer(shown, retry_key, self._owners(kept, len(messages))) if shown else None
        dropped = self._erase(erases) if erases else []
        self._fix(fixed, [*kept, *dropped], notes, turn)
        self.report.add_joined(kept, dropped)
        if fixed is None:
            self.report.settle("failed" if self.failure else "silent")
            return Outcome(self.work.lease)
        if self.waits:
            self.report.settle_answer("kept", fixed.owned(self.lead.event_id))
            return Outcome(self.work.lease)
        return self._send(fixed, kept)

    def _send(self, fixed: Answer, kept: Sequence[Pending]) -> Outcome:
        slow = self.begun_in_time and not self._token_lives()
        tapped = wanted_by(self.event) is not None and bool(kept)
        letter = Letter(self.lead, self.chat, self.token, fixed, slow, not kept, self.failure is not None, tapped)
        try:
            return send(self.work, letter, self.report)
        except Exception:
            self.report.leave()
            raise

    def _kept(self, room: int) -> list[Pending]:
        """The answers that wait for this person and fit, oldest first: the one that was tapped for, then the newest."""
        wanted, oldest = wanted_by(self.event), self.work.now - MAX_AGE
        mine = [one for one in self.inbox.pending if _waits_for(self.event.user_id, one) and one.at >= oldest]
        if mine:  # what was asked before the bot was blocked or removed is not offered to who has it back
            parted_at = self.store.parted_at(self.work.bot.name, self.chat) or 0
            mine = [one for one in mine if one.at > parted_at]
        kept: list[Pending] = []
        for one in sorted(mine, key=lambda one: (one.event_id == wanted, one.at, one.event_id), reverse=True):
            room -= len(one.answer.messages) if one.answer else 0
            if room < 0:
                break
            kept.append(one)
        return sorted(kept, key=lambda one: (one.at, one.event_id))

    def _erase(self, what: Literal["conversation", "speaker"]) -> list[Pending]:
        """Delete what the person asked to be forgotten, up to now; returns the answers that nobody is to see any more.

        Before the answer says so. Asked again by a later worker, it finds nothing more.
        """
        whose = None if what == "conversation" else self.event.user_id
        self.store.clear(self.work.lease.conversation, until=self.event.at, user_id=whose)
        # In a chat of several people an answer that was promised to somebody else is not this one's to drop.
        mine = [one for one in self.inbox.pending if self.chat.kind == "user" or one.user_id == self.event.user_id]
        return [one for one in mine if one.state == "UNDELIVERED"][: MOST_COVERED + 1 - len(self.burst)]

    def _owners(self, kept: Sequence[Pending], new: int) -> tuple[str, ...]:
        """Whose the messages of the joint answer are: each person may take theirs back while it waits."""
        theirs = [owner for one in kept if one.answer for owner in one.answer.owned(one.event_id)]
        return (*theirs, *(self.lead.event_id for _ in range(new))) if theirs else ()

    def _fix(self, fixed: Answer | None, ended: Sequence[Pending], notes: Sequence[Note], turn: Turn | None) -> None:
        """The answer transaction. Asked again when its response is lost: an answer that was fixed but not sent
        would look to the next worker like one that may have been delivered.
        """
        lead, others = self.lead, self.others
        if turn is not None and turn.spans:
            lead, *others = (replace(one, attempts=one.attempts + 1) for one in (lead, *others))
        covers = [*ended, *others]
        told = [*notes, self.work.note(_told(fixed, waits=self.waits))]
        for attempt in range(FIX_TRIES):
            try:
                self.store.answer(
                    self.work.lease,
                    lead,
                    fixed,
                    covers=covers,
                    memories=turn.counted_memories() if turn else (),
                    counts=self._counts(turn, answered=fixed is not None) if turn else (),
                    notes=told,
                    waits=self.waits and fixed is not None,
                )
            except StoreError as error:
                if not error.retryable or attempt == FIX_TRIES - 1:
                    raise
                log.warning("event %s: %s; asking the store again", self.lead.event_id, error)
            else:
                self.is_counted = True
                return

    def _counts(self, turn: Turn, *, answered: bool) -> list[Count]:
        """What the steps have counted, and what this turn adds to the bot's usage, unless it came to nothing."""
        if not answered and not turn.usages:
            return turn.counts
        messages = sum(one.event.type == "message" for one in turn.said)
        amounts = amounts_of(turn.usages, messages=messages)
        return [*turn.counts, *self.work.statistics(amounts, self.event.user_id, self.lead.event_id)]

    def _coverage(self) -> str:
        others = [one.event_id for one in self.others]
        return f"turn: answers also {', '.join(others)}" if others else "turn: answers this event alone"


def _waits_for(user_id: str | None, one: Pending) -> bool:
    return one.state == "UNDELIVERED" and one.answer is not None and user_id is not None and one.user_id == user_id


def _unquoted(message: LineMessage) -> LineMessage:
    """A kept message without its quote, which may be why LINE refused it, and would take the new answer along."""
    return {name: value for name, value in message.items() if name != "quoteToken"}


def _told(fixed: Answer | None, *, waits: bool) -> str:
    if fixed is None:
        return "answer: nothing to say"
    size = f"{len(fixed.messages)} message" + ("s" if len(fixed.messages) > 1 else "")
    return f"answer: fixed, {size}" + (", waits for a tap or the next reply" if waits else "")
