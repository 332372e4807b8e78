"""Works off a conversation's inbox: one worker at a time, one answer per event."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from uuid import NAMESPACE_URL, uuid5

from botkit.delivery.send import Outbox, send
from botkit.errors import LeaseLost, SecretError, StoreError, UpstreamError
from botkit.line.bodies import render
from botkit.line.events import parse_event
from botkit.messages import SILENCE, Chat, Event, Profile, Reply
from botkit.pipeline import run
from botkit.ports import Answer, Conversation, Lease, Pending, Services
from botkit.spec.bot import BotSpec
from botkit.turn import Turn, User

log = logging.getLogger(__name__)

GRACE = 2 * 1000
"""How long a lease outlives its holder's deadline, in ms."""
SAFETY = 5 * 1000
"""No event is begun with less time than this left, in ms."""
FIX_TRIES = 3
"""How often the answer transaction is asked for while the store fails."""
MAX_ATTEMPTS = 6
"""Turns begun for one event, by workers that did not live to answer it, before it gets the error text."""


def drain(bot: BotSpec, conversation: Conversation, services: Services, owner: str, deadline: int) -> None:
    """Answer all that is waiting in `conversation`, unless another worker already does.

    `owner` names this worker, `deadline` (ms since 1970) is when it must be done. What it cannot
    finish stays in the inbox. Raises UpstreamError where the store or a secret fails.
    """
    lease = services.store.lease(conversation, owner, services.clock.now(), deadline + GRACE)
    try:
        while lease is not None:
            if not _Work(bot, services, lease, deadline).all():
                return _give_back(services, lease)
            lease = services.store.release(lease)
    except LeaseLost:
        log.info("bot %s: a conversation was taken over by another worker", bot.name)
    except BaseException:
        # What failed or was interrupted stays in the inbox; the next worker need not wait for the lease to end.
        if lease is not None:
            with suppress(UpstreamError):
                _give_back(services, lease)
        raise
    return None


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

    def all(self) -> bool:
        """Settle every waiting event, oldest first; False when time ran out."""
        waiting = self.services.store.pending(self.lease)
        if not waiting:
            return True
        access_token = self._access_token()
        for pending in waiting:
            if self.services.clock.now() > self.deadline - SAFETY:
                return False
            self._settle(pending, access_token)
        return True

    def _access_token(self) -> str:
        """Without it nothing can be said, so nothing is begun. Raises SecretError."""
        if self.bot.line is None:
            raise SecretError(f"the file of {self.bot.name} no longer names a LINE account; add its line: section")
        return self.services.secrets.get(self.bot.line.channel_access_token)

    def _settle(self, pending: Pending, access_token: str) -> None:
        event = replace(parse_event(pending.body), at=pending.at)
        chat = event.chat
        if chat is None:  # the door lets none of these in
            return self.services.store.answer(self.lease, event.id, None)
        answer = pending.answer or self._answer(pending, event, chat, access_token)
        if answer is not None:
            send(Outbox(self.services, self.lease, access_token), event, chat, pending, answer)
        return None

    def _answer(self, pending: Pending, event: Event, chat: Chat, access_token: str) -> Answer | None:
        """Make the answer and fix it in the store, before anybody hears of it."""
        turn = self._turn(event, chat, access_token)
        messages = render(self._reply(pending, turn))
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

    def _reply(self, pending: Pending, turn: Turn) -> Reply:
        """The pipeline's reply, or the error text where it failed. Only a failing store leaves the event waiting."""
        if turn.event.mode != "active" or turn.event.reply_token is None:
            return SILENCE
        if pending.attempts >= MAX_ATTEMPTS:
            log.error("event %s: given up after %d attempts", turn.event.id, pending.attempts)
            return self._error_reply(turn.chat)
        self.services.store.attempt(self.lease, turn.event.id)
        try:
            reply, failures = run(self.bot.handler, turn)
        except StoreError:
            raise
        except UpstreamError as error:
            log.error("event %s: no answer: %s", turn.event.id, error)
            return self._error_reply(turn.chat)
        except Exception:  # a bug, here or in a step of the user's own: told once, and the person gets an answer
            log.exception("event %s: a step failed", turn.event.id)
            return self._error_reply(turn.chat)
        for failure in failures:
            log.warning("event %s: beside the turn: %s", turn.event.id, failure)
        return reply

    def _error_reply(self, chat: Chat) -> Reply:
        """Error texts are for the person who asked, never for a group."""
        return Reply.of(self.bot.error_text) if chat.kind == "user" else SILENCE

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
