"""Works off a conversation's inbox: one worker at a time, one answer per event."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from uuid import NAMESPACE_URL, uuid5

from botkit.delivery.send import RETRY_AFTER, Outbox, send
from botkit.errors import BotkitError, LeaseLost, OutOfTime, SecretError, StoreError, UpstreamError
from botkit.line.bodies import render
from botkit.line.events import parse_event
from botkit.line.text import clean
from botkit.messages import SILENCE, Chat, Event, Message, Profile
from botkit.pipeline import run
from botkit.ports import Answer, Conversation, Lease, LineMessage, Pending, Services
from botkit.spec.bot import BotSpec
from botkit.turn import Turn, User

log = logging.getLogger(__name__)

GRACE = 2 * 1000
"""How long a lease outlives its holder's deadline, in ms."""
SAFETY = 8 * 1000
"""No call to LINE is made again with less time than this left, in ms: one may take seven seconds."""
LEAST_TIME = 8 * 1000
"""No turn is begun with less time than this left, in ms: what would be cut short is left to the next worker."""
MAX_AGE = 24 * 3600 * 1000
"""Nothing older is answered, in ms: LINE forgets retry keys then, and people what they asked."""
MAX_ATTEMPTS = 6
"""Turns begun for one event, by workers that did not live to answer it, before it gets the error text."""
FIX_TRIES = 3
"""How often the answer transaction is asked for while the store fails."""


def drain(bot: BotSpec, conversation: Conversation, services: Services, owner: str, deadline: int) -> None:
    """Answer all that is waiting in `conversation`, unless another worker already does.

    `owner` names this worker, `deadline` (ms since 1970) is when it must be done. What it cannot
    finish stays in the inbox. Raises UpstreamError where the store or a secret fails.
    """
    lease = services.store.lease(conversation, owner, services.clock.now(), deadline + GRACE)
    try:
        while lease is not None:
            _Work(bot, services, lease, deadline).all()
            lease = services.store.release(lease)
    except LeaseLost:
        log.info("bot %s: a conversation was taken over by another worker", bot.name)
    except OutOfTime as error:
        log.warning("bot %s: %s; what is waiting is left to the next worker", bot.name, error)
        _give_back(services, lease)
    except BaseException:
        # What failed or was interrupted stays in the inbox; the next worker need not wait for the lease to end.
        with suppress(UpstreamError):
            _give_back(services, lease)
        raise


def _give_back(services: Services, lease: Lease | None) -> None:
    """Release the lease although events are waiting, also those that arrive meanwhile: the next worker takes them."""
    while lease is not None:
        lease = services.store.release(lease)


@dataclass(frozen=True, slots=True)
class _Work:
    """One pass over an inbox, under one lease."""

    bot: BotSpec
    services: Services
    lease: Lease
    deadline: int

    def all(self) -> None:
        """Settle every waiting event once, oldest first. Raises OutOfTime where the time does not suffice."""
        settled: set[str] = set()
        while waiting := [one for one in self.services.store.pending(self.lease) if one.event_id not in settled]:
            access_token = self._access_token()
            for pending in waiting:
                self._check_time()
                self._settle_or_postpone(pending, access_token)
                settled.add(pending.event_id)

    def _check_time(self) -> None:
        left = self.deadline - self.services.clock.now()
        if left < LEAST_TIME:
            raise OutOfTime(f"{left} ms are left, and a turn is begun with {LEAST_TIME} at least")

    def _access_token(self) -> str:
        """Without it nothing can be said, so nothing is begun. Raises SecretError."""
        if self.bot.line is None:
            raise SecretError(f"the file of {self.bot.name} no longer names a LINE account; add its line: section")
        return self.services.secrets.get(self.bot.line.channel_access_token)

    def _settle_or_postpone(self, pending: Pending, access_token: str) -> None:
        try:
            self._settle(pending, access_token)
        except LeaseLost:
            raise
        except BaseException:
            # `attempt` has made it due at the lease's end only, when its reply token may be dead.
            with suppress(BotkitError):
                soon = self.services.clock.now() + RETRY_AFTER
                self.services.store.postpone(self.lease, pending.event_id, soon, unsent=False)
            raise

    def _settle(self, pending: Pending, access_token: str) -> None:
        event = replace(parse_event(pending.body), at=pending.at)
        chat = event.chat
        if chat is None:  # the door lets none of these in
            return self.services.store.answer(self.lease, event.id, None)
        if pending.at < self.services.clock.now() - MAX_AGE:
            return self._give_up(pending, chat)
        answer = pending.answer or self._answer(pending, event, chat, access_token)
        if answer is not None:
            outbox = Outbox(self.services, self.lease, self.deadline - SAFETY, access_token)
            send(outbox, event, chat, pending, answer)
        return None

    def _give_up(self, pending: Pending, chat: Chat) -> None:
        log.error("event %s: older than a day, and never answered", pending.event_id)
        if pending.state == "RECEIVED":
            self.services.store.answer(self.lease, pending.event_id, None)
        else:
            self.services.store.finish(self.lease, pending.event_id, "UNDELIVERED", chat)

    def _answer(self, pending: Pending, event: Event, chat: Chat, access_token: str) -> Answer | None:
        """Make the answer and fix it in the store, before anybody hears of it."""
        turn = self._turn(event, chat, access_token)
        messages = self._messages(pending, turn)
        # The key follows from the event, so that no second worker can push the answer under another one.
        retry_key = str(uuid5(NAMESPACE_URL, f"botkit:{self.bot.name}:{event.id}"))
        answer = Answer(messages, retry_key) if messages else None
        self._fix(turn, answer)
        return answer

    def _fix(self, turn: Turn, answer: Answer | None) -> None:
        """The answer transaction. Asked again when its response is lost: an answer that was fixed but not sent
        would look to the next worker like one that may have been delivered.
        """
        for attempt in range(FIX_TRIES):
            try:
                return self.services.store.answer(self.lease, turn.event.id, answer, turn.memories, turn.usage)
            except StoreError as error:
                if not error.retryable or attempt == FIX_TRIES - 1:
                    raise
                log.warning("event %s: %s; asking the store again", turn.event.id, error)
        return None

    def _messages(self, pending: Pending, turn: Turn) -> tuple[LineMessage, ...]:
        """What LINE is to show: the pipeline's reply, or the error text where it failed.

        Only a failing store, or too little time, leaves the event waiting.
        """
        if turn.event.mode != "active" or turn.event.reply_token is None:
            return ()
        if pending.attempts >= MAX_ATTEMPTS:
            log.error("event %s: given up after %d attempts", turn.event.id, pending.attempts)
            return self._error_text(turn.chat)
        self.services.store.attempt(self.lease, turn.event.id)
        try:
            return self._run(turn)
        except (StoreError, OutOfTime):
            raise
        except UpstreamError as error:
            log.error("event %s: no answer: %s", turn.event.id, error)
        except Exception:  # a bug, here or in a step of the user's own: told once, and the person gets an answer
            log.exception("event %s: a step failed", turn.event.id)
        return self._error_text(turn.chat)

    def _run(self, turn: Turn) -> tuple[LineMessage, ...]:
        reply, failures = run(self.bot.handler, turn)
        for failure in failures:
            log.warning("event %s: beside the turn: %s", turn.event.id, failure)
        messages = render(reply)
        if messages and turn.keep_reply_until is not None:
            # Only now is it known what is really said: a step further out may have changed the reply.
            said = clean(reply.text)
            tokens = self.services.model.count_tokens(turn.usage.model if turn.usage else "", said)
            turn.remember(Message("assistant", said, tokens=tokens), turn.keep_reply_until)
        return messages

    def _error_text(self, chat: Chat) -> tuple[LineMessage, ...]:
        """Error texts are for the person who asked, never for a group."""
        return render(self.bot.error_reply if chat.kind == "user" else SILENCE)

    def _turn(self, event: Event, chat: Chat, access_token: str) -> Turn:
        return Turn(
            bot=self.bot,
            event=event,
            chat=chat,
            conversation=self.lease.conversation,
            user=User(event.user_id or "", self._lookup(event, chat, access_token)),
            services=self.services,
            deadline=self.deadline,
            access_token=access_token,
            text=(event.text or "") if event.type == "message" else "",
        )

    def _lookup(self, event: Event, chat: Chat, access_token: str) -> Callable[[], Profile | None]:
        if event.user_id is None:
            return lambda: None
        return partial(self.services.line.profile, access_token, chat, event.user_id)
