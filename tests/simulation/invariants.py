"""What must hold after every run, whatever went wrong in it. Each violation names the event."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from botkit.delivery.answering import ANSWER_DATA
from botkit.ports import Record
from botkit.simulator.chats import Utterance
from botkit.steps.reply import DEFAULT_ERROR
from tests.simulation.backends import Kept
from tests.simulation.bots import BUDGETS
from tests.simulation.fake_model import MARKS
from tests.simulation.people import Spoken, button_of
from tests.simulation.world import World

EXCUSES = ("nobody can know whether it arrived; taken as delivered", "asks for silence")
"""Lines of an event's story after which its answer need not have been shown: see DESIGN section 5, `reply.unsure`."""
UNANSWERED = ("given up after",)
FAILED = ("no answer: ", "a step failed", *UNANSWERED)
"""Lines of a story after which no turn has run, so nothing is remembered."""
BURST = re.compile("turn: answers also ([^;]+)")
"""The line of a story that names the messages which its event's turn has answered too."""


def violations(world: World) -> list[str]:
    """Everything that does not hold; empty after a good run."""
    look = _Look(world)
    found = [f"a bug: {error!r}" for error in world.bugs]
    found += [f"two live turns: {complaint}" for complaint in world.complaints]
    found += [f"the queue gave up on {message.body}" for message in world.queue.dead if world.backend.waiting()]
    for check in (
        _terminal,
        _delivered_once,
        _brought_to_whom_asked,
        _pushed_by_promise,
        _answered,
        _apologised_once,
        _paid,
        _noticed_once,
        _remembered,
        _counted,
        _forgotten,
        _told_once,
    ):
        found += check(look)
    return list(dict.fromkeys(found))


@dataclass
class _Look:
    """The world as an onlooker finds it at rest."""

    world: World

    @cached_property
    def spoken(self) -> list[Spoken]:
        """What was accepted, in the order in which it was said."""
        people = self.world.people
        return [one for one in people.spoken.values() if one.event_id in people.accepted]

    @cached_property
    def records(self) -> dict[str, Record]:
        """What the store knows of each event, also of those whose door did not live to say so."""
        store, now = self.world.backend.open(), self.world.scheduler.now
        everything = self.world.people.spoken.values()
        known = ((one, store.record(one.account.name, one.event_id, now)) for one in everything)
        return {one.event_id: record for one, record in known if record is not None}

    @cached_property
    def history(self) -> list[Kept]:
        return self.world.backend.history()

    @cached_property
    def shown(self) -> list[tuple[str, str, Utterance]]:
        """What bots have said: account, chat and message."""
        logs = self.world.platform.logs.items()
        return [(account, chat.id, said) for (account, chat), log in logs for said in log.utterances if said.is_answer]

    @cached_property
    def turns(self) -> dict[str, list[Spoken]]:
        """What must be answered, by the event with whose answer it was."""
        turns: defaultdict[str, list[Spoken]] = defaultdict(list)
        for one in self.spoken:
            record = self.records.get(one.event_id)
            if one.expected and record is not None and record.lead is not None:
                turns[self.lead(record)].append(one)
        return turns

    def lead(self, record: Record) -> str:
        """The event with whose answer this one's was shown: a kept answer goes out with a later one."""
        seen = {record.event_id}
        while record.lead not in (None, *seen) and record.lead in self.records:
            record = self.records[record.lead]
            seen.add(record.event_id)
        return record.event_id

    def failed(self, mark: str) -> bool:
        """Whether the turn of a message came to no answer."""
        event_id = self.world.people.spoken[mark].event_id
        lead = self.records[event_id].lead if event_id in self.records else None
        return any(why in self.story(one) for one in (event_id, lead) if one is not None for why in FAILED)

    @cached_property
    def let_go(self) -> set[str]:
        """The marks of what was unsent, and of the rest of its burst where the answer to all of them went with it.

        A burst is one turn: see `Store.unsend`. Of an answer that may have been sent the history knows.
        """
        answered = {kept.event_id for kept in self.history if kept.role == "assistant"}
        spoken = {one.event_id: one for one in self.world.people.spoken.values()}
        gone = {one.mark for one in spoken.values() if one.unsent}
        for lead in self.records:
            burst = [lead, *(event for others in BURST.findall(self.story(lead)) for event in others.split(", "))]
            if not answered.intersection(burst) and any(spoken[one].unsent for one in burst):
                gone |= {spoken[one].mark for one in burst}
        return gone

    def story(self, event_id: str) -> str:
        """The notes on an event."""
        record = self.records.get(event_id)
        return "; ".join(note.text for note in record.notes) if record else ""


def _terminal(look: _Look) -> Iterator[str]:
    """Every accepted event is at an end."""
    for one in look.spoken:
        record = look.records.get(one.event_id)
        if record is None and not one.unsent:
            yield f"{one.mark} ({one.event_id}) was accepted, and the store does not know it"
        elif record is not None and record.state not in ("DONE", "UNDELIVERED"):
            yield f"{one.mark} ({one.event_id}) rests in {record.state}"


def _delivered_once(look: _Look) -> Iterator[str]:
    """No answer is shown twice, none to an event that has one, and none in a chat where nobody asked."""
    by_mark = look.world.people.spoken
    answers: Counter[str] = Counter()
    for account, chat_id, said in look.shown:
        if said.text not in look.world.completions.asked:
            continue
        marks = look.world.completions.asked[said.text]
        answers[said.text] += 1
        strangers = [
            mark for mark in marks if (by_mark[mark].account.user_id, by_mark[mark].chat.id) != (account, chat_id)
        ]
        if strangers:
            yield f"{said.text!r} was shown in a chat where nobody had said {strangers}"
    yield from (f"{text!r} was shown {times} times" for text, times in answers.items() if times > 1)
    # A message whose turn failed is asked about again with the next one, and perhaps with the one after that.
    asked = look.world.completions.asked
    settled = [mark for text in answers for mark in asked[text] if mark == asked[text][-1] or not look.failed(mark)]
    yield from (f"{mark} was answered by {n} different answers" for mark, n in Counter(settled).items() if n > 1)


def _brought_to_whom_asked(look: _Look) -> Iterator[str]:
    """An answer goes out with its person's own messages and taps, never with another's."""
    by_event = {one.event_id: one for one in look.world.people.spoken.values()}
    for one in by_event.values():
        lead = look.records[one.event_id].lead if one.event_id in look.records else None
        if lead in by_event and by_event[lead].person is not one.person:
            yield f"the answer to {one.mark} of {one.person.name} was brought to {by_event[lead].person.name}"


def _pushed_by_promise(look: _Look) -> Iterator[str]:
    """What a notice has promised for a tap is not pushed by itself: its person would pay, and find an empty button."""
    ways = {said.text: said.via for _, _, said in look.shown}
    promised = {data.removeprefix(ANSWER_DATA) for _, _, said in look.shown if (data := button_of(said)) is not None}
    for one in look.world.people.spoken.values():
        record = look.records.get(one.event_id)
        if one.event_id not in promised or record is None or record.lead != one.event_id:
            continue
        own = [text for text, marks in look.world.completions.asked.items() if marks[-1] == one.mark]
        yield from (f"{text!r} was pushed, and a button promises it" for text in own if ways.get(text) == "push")


def _answered(look: _Look) -> Iterator[str]:
    """Every message is answered and every answer shown, unless the story says why not."""
    shown = {said.text for _, _, said in look.shown}
    seen = {mark for text, marks in look.world.completions.asked.items() if text in shown for mark in marks}
    said_by_bot = {kept.event_id: kept.text for kept in look.history if kept.role == "assistant"}
    for lead, covered in look.turns.items():
        story, marks = look.story(lead), [one.mark for one in covered if one.mark not in look.let_go]
        record, stories = look.records.get(lead), [look.story(one.event_id) for one in covered]
        waits = record is not None and record.state == "UNDELIVERED"
        blocked = any((one.account.name, one.chat.id) in look.world.people.blocked for one in covered)
        excused = waits or blocked or any(excuse in story for excuse in EXCUSES)
        answers = [said_by_bot[one.event_id] for one in covered if one.event_id in said_by_bot]
        missing = [text for text in answers if text not in shown]
        failed = any(why in one for one in [story, *stories] for why in FAILED)
        if missing and not excused:
            yield f"{missing} for {marks} ({lead}) was never shown: {story}"
        if lost := [mark for mark in marks if mark not in seen and not (answers or excused or failed)]:
            yield f"{lost} ({lead}) have no answer: {story}"
        if EXCUSES[0] in story and not look.world.points.struck:
            yield f"{lead} is ambiguous, and nothing had gone wrong"


def _apologised_once(look: _Look) -> Iterator[str]:
    """In each 1:1 chat at most one apology for each turn without an answer."""
    failed = [
        one for one in look.world.people.spoken.values() if any(why in look.story(one.event_id) for why in FAILED)
    ]
    owed = Counter(one.chat.id for one in failed)
    told = Counter(chat_id for _, chat_id, said in look.shown if said.text == DEFAULT_ERROR)
    for chat_id, times in told.items():
        if times > owed[chat_id]:
            yield f"{times} apologies in {chat_id}, where {owed[chat_id]} turns had no answer"


def _remembered(look: _Look) -> Iterator[str]:
    """One user item and at most one bot item an event, in the order in which things were said."""
    events = {one.event_id: one for one in look.world.people.spoken.values() if one.kind == "message"}
    items: Counter[tuple[str, str]] = Counter((kept.event_id, kept.role) for kept in look.history)
    yield from (f"{event} has {times} items of {role}" for (event, role), times in items.items() if times > 1)
    for one in events.values():
        record = look.records.get(one.event_id)
        if record is None or one.unsent or not one.expected or record.lead is None:
            continue
        if not items[one.event_id, "user"] and not any(why in look.story(record.lead) for why in UNANSWERED):
            yield f"{one.mark} ({one.event_id}) is not in the history: {look.story(record.lead)}"
    places: defaultdict[str, list[int]] = defaultdict(list)
    for kept in look.history:
        marks = MARKS.findall(kept.text)
        expected = events[kept.event_id].mark if kept.event_id in events else None
        of_photo = kept.role == "assistant" and expected is not None and not expected.startswith("«")
        if not marks or (marks[-1] != expected and not of_photo):
            yield f"the history of {kept.conversation} holds {kept.text!r} at {expected}"
        elif kept.role == "user":
            places[str(kept.conversation)].append(int(re.sub(r"\D", "", marks[-1])))
            if kept.conversation != events[kept.event_id].conversation:
                yield f"{kept.text!r} is in the history of {kept.conversation}"
    yield from (
        f"{where}: the history is out of order: {order}" for where, order in places.items() if order != sorted(order)
    )


def _counted(look: _Look) -> Iterator[str]:
    """The usage is that of the committed turns, each once: every answer costs another power of three."""
    world = look.world
    for bot in world.people.accounts:
        total = world.backend.counted(bot, "Q#", "day", "output_tokens")
        committed = {kept.text for kept in look.history if kept.role == "assistant" and kept.conversation.bot == bot}
        for number, (text, usage) in enumerate(world.completions.usage.items(), start=1):
            times = total // usage.output_tokens % 3
            mark = world.people.spoken[world.completions.asked[text][-1]]
            if text in committed and times != 1:
                yield f"the usage of answer {number} is counted {times} times"
            elif text not in committed and times and (mark.account.name != bot or mark.mark not in look.let_go):
                yield f"the usage of answer {number} is counted {times} times, and it was never committed"


def _paid(look: _Look) -> Iterator[str]:
    """No push that was not paid for before, and none over the budget."""
    world = look.world
    for bot, account in world.people.accounts.items():
        pushed = world.platform.allowances.pushed(account.user_id, world.scheduler.now)
        paid, limit = world.backend.counted(bot, "push", "month", "messages"), BUDGETS.get(bot, 200)
        if not pushed <= paid <= limit:
            yield f"{bot} has pushed {pushed} messages and paid for {paid}, of {limit} a month"


def _noticed_once(look: _Look) -> Iterator[str]:
    """For an event at most one notice, and one more for each tap that came too early."""
    given = Counter(data for _, _, said in look.shown if (data := button_of(said)) is not None)
    taps = [one for one in look.world.people.spoken.values() if one.kind == "postback"]
    early = Counter(one.data for one in taps if "not ready yet" in look.story(one.event_id))
    for data, times in given.items():
        if times > 1 + early[data]:
            yield f"{times} notices for {data}, after {early[data]} taps that came too early"


def _forgotten(look: _Look) -> Iterator[str]:
    """What was unsent is nowhere any more, and of what is done with only the history holds text."""
    texts = look.world.backend.texts()
    for one in look.world.people.spoken.values():
        if one.kind != "message" or not one.mark.startswith("«"):
            continue
        places = [place for place, text in texts if f"{one.mark} hello" in text]
        if one.unsent and one.unsend_accepted and places:
            yield f"{one.mark} was unsent, and is still at {places}"


def _told_once(look: _Look) -> Iterator[str]:
    """A crash may lose a report; nothing makes two of one, and what its turn took is counted once."""
    told: Counter[tuple[str, str]] = Counter()
    for report, metrics in look.world.reports:
        event, outcome = report.get("event"), report.get("outcome")
        if event is None or report.get("type") == "unsend" or outcome == "stale":
            continue  # settled at the door, which remembers nothing
        told.update((event, name) for name in metrics)
        if outcome is not None and outcome != "postponed":
            told[event, "kept" if outcome == "kept" else "settled"] += 1
            told.update((covered, "covered") for covered in report.get("covers", ()))
            told.update(
                (brought, "brought or dropped") for brought in (*report.get("brings", ()), *report.get("drops", ()))
            )
    yield from (f"event {event} is told {times} times: {what}" for (event, what), times in told.items() if times > 1)
    if not look.world.points.struck:
        known = {event for event, what in told if what in ("kept", "settled", "covered")}
        yield from (
            f"event {one.event_id} ({one.mark}) is never told of" for one in look.spoken if one.event_id not in known
        )
