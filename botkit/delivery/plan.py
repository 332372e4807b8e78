"""What a worker does next with an inbox: which events it answers together, and in which order."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from botkit.delivery.times import MAX_AGE
from botkit.line.events import parse_event
from botkit.messages import Event
from botkit.ports import Pending

BURST = 15
"""Messages answered by one turn at most: with five answers that were kept, what one transaction can cover."""
ENDINGS = ("unfollow", "leave")
"""Events after which nobody is there to be answered."""
TRUSTED_ATTEMPTS = 2
"""After so many turns that did not live, each message is tried alone: one of them may be what kills the worker."""
SET_PATIENCE = 2 * 1000
"""How long the rest of a set of photos is waited for, in ms: they come as webhooks of their own, in any order."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A RECEIVED event with its body read."""

    pending: Pending
    event: Event


def next_received(
    pending: Iterable[Pending],
    inbox: Sequence[Pending],
    now: int,
    is_alone: Callable[[Event], bool],
    *,
    singly: bool = False,
) -> list[Opened]:
    """The RECEIVED events to settle next, oldest first: a burst of one person's messages, or any single event.

    `is_alone` tells of a message that it is answered by itself, as a command is; `singly`: the first one is.

    What was tried less often goes first, so that a message that kills its worker holds up no other.
    """
    received = [one for one in pending if one.state == "RECEIVED" and not one.unsent]
    ordered = sorted(received, key=lambda one: (one.attempts, one.at, one.event_id))
    if not ordered:
        return []
    edits = _newest_edits(inbox)
    first = _open(ordered[0], edits)
    if is_alone(first.event) or first.event.type in ENDINGS:
        # It may delete what was said before, and so must not overtake any of it.
        ordered = [one for one in ordered if (one.at, one.event_id) <= (first.pending.at, first.pending.event_id)]
        ordered = [*(one for one in ordered if one is not first.pending), first.pending]
    opened = [_open(one, edits) for one in ordered[:BURST]]
    first, others = opened[0], () if singly else opened[1:]
    return [first, *takewhile(lambda other: _belong_together(first, other, now, is_alone), others)]


def is_incomplete_set(burst: Sequence[Opened], now: int) -> bool:
    """Whether photos that were sent together with one of these are still on their way."""
    newest = max(one.pending.received_at for one in burst)
    totals = {one.event.photo_set[0]: one.event.photo_set[1] for one in burst if one.event.photo_set}
    there = [one.event.photo_set[0] for one in burst if one.event.photo_set]
    return now < newest + SET_PATIENCE and any(there.count(name) < total for name, total in totals.items())


def _belong_together(first: Opened, other: Opened, now: int, is_alone: Callable[[Event], bool]) -> bool:
    return (
        all(_can_join(one, now) and not is_alone(one.event) for one in (first, other))
        and first.event.user_id == other.event.user_id
        and first.pending.attempts == other.pending.attempts
    )


def _can_join(one: Opened, now: int) -> bool:
    """A button, a greeting or an edit is a turn of its own, and so is what must not be answered."""
    event = one.event
    return (
        event.type == "message"
        and event.mode == "active"
        and event.reply_token is not None
        and event.user_id is not None
        and one.pending.attempts < TRUSTED_ATTEMPTS
        and one.pending.at >= now - MAX_AGE
    )


def _open(pending: Pending, edits: dict[str, Event]) -> Opened:
    event = replace(parse_event(pending.body), at=pending.at)
    edit = edits.get(event.message_id or "") if event.type == "message" else None
    if edit is not None:
        event = replace(event, text=edit.text, mentions=edit.mentions)
    return Opened(pending, event)


def _newest_edits(inbox: Sequence[Pending]) -> dict[str, Event]:
    """The newest edit that waits in the inbox, by the message it changes (LINE reference: Message edited event)."""
    received = (one for one in inbox if one.state == "RECEIVED" and '"messageEdited"' in one.body)
    events = [replace(parse_event(one.body), at=one.at) for one in received]
    edits = sorted((event for event in events if event.type == "messageEdited"), key=lambda event: event.at)
    return {event.message_id: event for event in edits if event.message_id is not None}
