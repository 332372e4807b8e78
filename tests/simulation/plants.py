"""Planted bugs: mistakes that delivery code can make, each a small alteration at a port or of one name of botkit's."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import uuid4

import pytest

from botkit.delivery import answering, conversations, send, together
from botkit.errors import LineRefused
from botkit.messages import Chat
from botkit.ports import (
    Answer,
    Arrival,
    Budget,
    Conversation,
    Held,
    Inbox,
    Lease,
    LineMessage,
    Pending,
    Store,
    Via,
    Wakeup,
)
from botkit.stores import dynamodb_moves, dynamodb_writes
from botkit.turn import Turn
from tests.simulation.world import Seams


@dataclass(frozen=True)
class Change:
    """What is otherwise than in the code as it is: `seams`, and values of botkit's own names by their path."""

    seams: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, object] = field(default_factory=dict)


@contextmanager
def made(*changes: Change) -> Iterator[Seams]:
    """While this is open, the changes are made; the seams are for the runs."""
    seams: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        for change in changes:
            seams |= change.seams
            for name, value in change.names.items():
                patch.setattr(name, value)
        yield Seams(**seams)


class _Altered:
    """A port with some of its methods altered; the others are its own."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


# ---------------------------------------------------------------- sending


class FreshAtWork(_Altered):
    """The token's minute is reckoned from when the worker looks at the event, not from its receipt at the door."""

    def inbox(self, lease: Lease, window: int, now: int, overheard: int = 0) -> Inbox:
        found: Inbox = self.inner.inbox(lease, window, now, overheard)
        return Inbox(tuple(replace(one, received_at=now) for one in found.pending), found.recent)


def push_on_any_400(delivery: Any, error: LineRefused) -> Any:
    """A 400 is taken for "not delivered", also after a call whose response was lost."""
    return delivery._other_way() if error.status == 400 else _no_reply(delivery, error)


class NewKey(_Altered):
    """Each try of a push has a retry key of its own, so LINE cannot know it again."""

    def push(self, token: str, to: str, messages: Sequence[LineMessage], retry_key: str) -> tuple[str, ...]:
        sent: tuple[str, ...] = self.inner.push(token, to, messages, str(uuid4()))
        return sent


class NoMark(_Altered):
    """Sends are not recorded before they are made: who takes over believes that nothing was sent."""

    def inbox(self, lease: Lease, window: int, now: int, overheard: int = 0) -> Inbox:
        found: Inbox = self.inner.inbox(lease, window, now, overheard)
        return Inbox(tuple(replace(one, sends=0) for one in found.pending), found.recent)


class Unpaid(_Altered):
    """A push is recorded, and not charged to the month's budget."""

    def resend(self, lease: Lease, event: Pending, via: Via, budget: Budget | None = None) -> bool:
        return bool(self.inner.resend(lease, event, via))


def forget_the_notice(answer: Any, turn: Turn) -> None:
    """The reply is tried with the token that a notice has spent, and refused as if nobody had been promised anything."""
    _give_notice(answer, turn)
    answer.waits = False


# ---------------------------------------------------------------- one worker at a time


class ShortLease(_Altered):
    """A lease ends long before its holder does."""

    def lease(self, conversation: Conversation, owner: str, now: int, until: int) -> Lease | Held:
        lease: Lease | Held = self.inner.lease(conversation, owner, now, now + 3000)
        return lease


class NoLease(_Altered):
    """Whoever comes takes the conversation, whether another worker has it or not."""

    def lease(self, conversation: Conversation, owner: str, now: int, until: int) -> Lease | Held:
        lease: Lease | Held = self.inner.lease(conversation, owner, now, until)
        return self.inner.lease(conversation, owner, lease.until + 1, until) if isinstance(lease, Held) else lease


class LeaseEndsOnTheWay(_Altered):
    """No bug, but a net that is off: the lease passes on while its holder still sends an answer."""

    def answer(self, lease: Lease, event: Pending, answer: Answer | None, **what: Any) -> None:
        self.inner.answer(lease, event, answer, **what)
        _give_back(self.inner, lease)


NO_FENCE: Final = {
    "botkit.stores.dynamodb_writes._HELD": dynamodb_writes.EXISTS,
    "botkit.stores.dynamodb_writes._holder": lambda lease: {},
}
"""Writes do not check that the lease has not passed on."""


class UncheckedRelease(_Altered):
    """The lease is given back although events have come that its holder has not seen."""

    def release(self, lease: Lease) -> None:
        _give_back(self.inner, lease)

    def finish(self, lease: Lease, event: Pending, *what: Any, release: bool = False, **more: Any) -> Lease | None:
        left: Lease | None = self.inner.finish(lease, event, *what, release=release, **more)
        if release:
            _give_back(self.inner, left)
        return None if release else left


def uncounted_arrival(arrival: Arrival) -> dynamodb_writes.Write:
    """An event comes into the inbox, and `inbox_seq` stays as it is."""
    asked = _count_arrival(arrival)["Update"]
    values = {**asked["ExpressionAttributeValues"], ":one": {"N": "0"}}
    return {"Update": {**asked, "ExpressionAttributeValues": values}}


def busy_is_done(wakeup: Wakeup, outcome: together.Rest, now: int) -> int | None:
    """A wake-up that has found another worker at work is done with, so if that worker dies, nobody comes."""
    return _pause(wakeup, outcome, now) if isinstance(outcome, Exception) else None


# ---------------------------------------------------------------- each event once


NO_STATE: Final[Mapping[str, object]] = {
    "botkit.stores.dynamodb_moves.in_state": lambda *states: (dynamodb_writes.EXISTS, {})
}
"""Writes do not check which state the event is in."""

NO_TOKEN: Final = {"tests.simulation.fake_dynamodb.TOKEN_LIFE": 0}
"""Each try of a transaction has a ClientRequestToken of its own: DynamoDB does not know any of them again."""

_ALWAYS = "attribute_exists(#pk) OR attribute_not_exists(#pk) OR #received_at <= :expired"
NO_DEDUPE: Final = {"botkit.stores.dynamodb_messages.IS_NEW": _ALWAYS}
"""An event that was accepted before is accepted as if it were new."""


class UsageTwice(_Altered):
    """What a turn has cost is added twice."""

    def answer(self, lease: Lease, event: Pending, answer: Answer | None, **what: Any) -> None:
        self.inner.answer(lease, event, answer, **{**what, "counts": [*what.get("counts", ())] * 2})


class Uncovered(_Altered):
    """The other messages of a burst are in the turn's prompt, and not in its transaction."""

    def answer(self, lease: Lease, event: Pending, answer: Answer | None, **what: Any) -> None:
        kept = [one for one in what.get("covers", ()) if one.state == "UNDELIVERED"]
        self.inner.answer(lease, event, answer, **{**what, "covers": kept})


def finish_and_leave_the_pointer(lease: Lease, event: Pending, *what: Any) -> dynamodb_moves.Move:
    """An event is DONE, and its place in the inbox is not cleared."""
    move = _finished(lease, event, *what)
    return replace(move, inbox={"ConditionCheck": move.inbox["Delete"]}) if "Delete" in move.inbox else move


# ---------------------------------------------------------------- whose it is


def at_any_revision(event: Pending) -> tuple[str, dict[str, str]]:
    """A turn that is under way is committed, whether its message was unsent meanwhile or not."""
    return dynamodb_writes.EXISTS, {}


def kept_for_anybody(user_id: str | None, one: Pending) -> bool:
    """A kept answer goes out with the next reply in the conversation, whoever that is to."""
    return one.state == "UNDELIVERED" and one.answer is not None


def tap_of_anybody(work: Any, opened: Any, inbox: Inbox) -> Any:
    """A button works for everyone in the group, not only for whom it was shown to."""
    theirs = tuple(replace(one, user_id=opened.event.user_id) for one in inbox.pending)
    return _tap(work, opened, replace(inbox, pending=theirs))


def one_conversation_for_all(bot: str, chat: Chat, speaker: str | None, event_id: str, **_: bool) -> Conversation:
    """All of a group share one conversation, also where each person is to have one of their own."""
    return _conversation_of(bot, chat, speaker, event_id, shares_groups=True)


# What is altered, as it is.
_no_reply = send._Delivery._no_reply
_give_notice = answering._Answering._give_notice
_tap = answering.tap
_conversation_of = conversations.conversation_of
_pause = together._pause
_finished = dynamodb_moves.finished
_count_arrival = dynamodb_writes.count_arrival


def _give_back(store: Store, lease: Lease | None) -> None:
    while lease is not None:
        lease = store.release(lease)
