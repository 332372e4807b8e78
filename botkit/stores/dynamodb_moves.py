"""What the writes under a lease do to an event in the DynamoDB table: to its record, and to its place in the inbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from botkit.ports import Answer, Lease, Note, Pending, State, Via
from botkit.stores.dynamodb_items import DUE, answer_fields, event_key, note_fields, pending_key, state_of
from botkit.stores.dynamodb_table import Fields
from botkit.stores.dynamodb_writes import EXISTS, Write, change, conditional, delete_where
from botkit.stores.values import refusal, taken_back

OPEN: Final[tuple[State, ...]] = ("RECEIVED", "SENDING")
UNFINISHED: Final[tuple[State, ...]] = ("RECEIVED", "SENDING", "UNDELIVERED")

_WAITS_NO_MORE: Final = ("body", "due_pk", "due_at")
# Whose turn answered an event stays, also where that turn's answer is joined into a later one.
_COVER: Final = (
    "SET #state = :state, #attempts = :attempts, #turn = if_not_exists(#turn, :lead), #lead = :lead, "
    "#lead_at = :lead_at REMOVE #stamp"
)


@dataclass(frozen=True, slots=True)
class Move:
    """What one write does to an event. The record decides on its state, the inbox on whether something was unsent."""

    event: Pending
    record: Write
    inbox: Write


def in_state(*states: State) -> tuple[str, Fields]:
    """The condition that an item is in one of these states."""
    values = {f"is_{state.lower()}": state for state in states}
    return f"#state IN ({', '.join(f':{name}' for name in values)})", values


def at_revision(event: Pending) -> tuple[str, Fields]:
    """The condition that nothing was taken back of an event in the inbox since it was read."""
    if not event.revision:
        return "attribute_not_exists(#revision)", {}
    return "#revision = :as_read", {"as_read": event.revision}


def flatten(moves: Sequence[Move]) -> list[Write]:
    """The writes of a transaction, two for each event."""
    return [write for move in moves for write in (move.record, move.inbox)]


def judge(moves: Sequence[Move], found: Mapping[int, Fields | None]) -> None:
    """Raise what a refused transaction says of its events, whose writes follow that on META; pass where nothing."""
    for n, move in enumerate(moves):
        event, record, inbox = move.event, 1 + 2 * n, 2 + 2 * n
        waiting = found.get(inbox)
        if waiting and int(waiting.get("revision", 0)) != event.revision:
            raise taken_back(event.event_id)
        if record in found:
            item = found[record]
            raise refusal(event.event_id, state_of(item) if item else None)
        if inbox in found and waiting is None:
            raise refusal(event.event_id, None)


def attempted(lease: Lease, event: Pending) -> Move:
    """One attempt more, which ends with the lease. Events with nothing left to do refuse it."""
    sets: Fields = {"due_at": lease.until}
    return Move(
        event,
        {"Update": change(_record(lease, event), EXISTS, {}, adds={"attempts": 1})},
        {"Update": change(_inbox(lease, event), *in_state(*OPEN), sets=sets, adds={"attempts": 1})},
    )


def noticed(lease: Lease, event: Pending, notes: Sequence[Note]) -> Move:
    """The reply token goes to a notice."""
    story = note_fields(lease, "notice", notes)
    # The fence is for those who look into the table: an update has to set something, and there may be no notes.
    return Move(
        event,
        {"Update": change(_record(lease, event), *in_state("RECEIVED"), sets={"fence": lease.fence, **story})},
        {"Update": change(_inbox(lease, event), EXISTS, {}, sets={"noticed": 1, **story})},
    )


def answered(
    lease: Lease, event: Pending, answer: Answer | None, state: State, stamp: str, said: Fields, notes: Sequence[Note]
) -> Move:
    """The answer is fixed. An event that was unsent is ended in silence from any state."""
    allowed = in_state(*UNFINISHED) if event.unsent and answer is None else in_state("RECEIVED")
    tries: Fields = {"attempts": event.attempts, **({"sends": 1} if state == "SENDING" else {})}
    story = note_fields(lease, state, notes)
    own = event.event_id
    known: Fields = {"state": state, "stamp": stamp, "turn": own, "lead": own, "lead_at": event.at}
    record = change(_record(lease, event), *allowed, sets={**known, **tries, **said, **story})
    if answer is None:
        return Move(event, {"Update": record}, _leave(lease, event, *_as_read(event)))
    fixed: Fields = {"state": state, **answer_fields(answer), "retry_key": answer.retry_key, **tries, **story}
    dropped = _WAITS_NO_MORE if state == "UNDELIVERED" else ()
    inbox = change(_inbox(lease, event), *_as_read(event), sets=fixed, removes=dropped)
    return Move(event, {"Update": record}, {"Update": inbox})


def covered(lease: Lease, event: Pending, lead: Pending) -> Move:
    """The answer to another event is the answer to this one too."""
    allowed, states = in_state("RECEIVED", "UNDELIVERED")
    values: Fields = {
        **states,
        "state": "DONE",
        "attempts": event.attempts,
        "lead": lead.event_id,
        "lead_at": lead.at,
    }
    record = conditional(_record(lease, event), _COVER, allowed, values)
    return Move(event, {"Update": record}, _leave(lease, event, *_as_read(event)))


def resent(lease: Lease, event: Pending, via: Via, paid: bool | None) -> Move:
    """One send more. `paid`: whether it must have been paid for before; if not, it is now. None: nobody asks."""
    sets: Fields = {"via": via} if paid is None else {"via": via, "paid": 1}
    payment = {None: "", True: " AND attribute_exists(#paid)", False: " AND attribute_not_exists(#paid)"}[paid]
    as_read, values = _as_read(event)
    inbox = change(_inbox(lease, event), as_read + payment, values, sets=sets, adds={"sends": 1})
    return Move(
        event,
        {"Update": change(_record(lease, event), *in_state("SENDING"), adds={"sends": 1})},
        {"Update": inbox},
    )


def postponed(lease: Lease, event: Pending, due_at: int, refused: bool, notes: Sequence[Note]) -> Move:
    """It is left to a later worker."""
    sends: Fields = {"sends": 0} if refused else {}
    story = note_fields(lease, "postpone", notes, due_at, int(refused))
    due: Fields = {"due_pk": DUE, "due_at": due_at}
    return Move(
        event,
        {"Update": change(_record(lease, event), *in_state(*OPEN), sets={"fence": lease.fence, **sends, **story})},
        {"Update": change(_inbox(lease, event), EXISTS, {}, sets={**due, **sends, **story})},
    )


def finished(lease: Lease, event: Pending, state: State, stamp: str, notes: Sequence[Note]) -> Move:
    """It has come to its end, or its answer is kept for the next reply."""
    allowed = in_state("SENDING", "UNDELIVERED") if state == "DONE" else in_state("SENDING")
    story = note_fields(lease, state, notes)
    record = change(_record(lease, event), *allowed, sets={"state": state, "stamp": stamp, **story})
    if state == "DONE":
        return Move(event, {"Update": record}, _leave(lease, event, EXISTS, {}))
    inbox = change(_inbox(lease, event), EXISTS, {}, sets={"state": state, **story}, removes=_WAITS_NO_MORE)
    return Move(event, {"Update": record}, {"Update": inbox})


def _record(lease: Lease, event: Pending) -> Fields:
    return event_key(lease.conversation.bot, event.event_id)


def _inbox(lease: Lease, event: Pending) -> Fields:
    return pending_key(lease.conversation, event.event_id, event.at)


def _leave(lease: Lease, event: Pending, condition: str, values: Fields) -> Write:
    return delete_where(_inbox(lease, event), condition, values)


def _as_read(event: Pending) -> tuple[str, Fields]:
    """The condition that the event is in the inbox, and nothing was taken back of it since it was read."""
    condition, values = at_revision(event)
    return f"{EXISTS} AND {condition}", values
