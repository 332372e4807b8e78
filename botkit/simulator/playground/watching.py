"""What happened to each event: Watcher sees it, Traces keeps and tells it."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from threading import Lock
from typing import Any, Final, Protocol

from pydantic import ConfigDict

from botkit.messages import Reply
from botkit.pipeline import Handler, Step
from botkit.ports import MEANING, Note, Record, Services
from botkit.simulator.playground.bounds import bounded, counted
from botkit.simulator.playground.lines import ANSWERS, calls_for
from botkit.simulator.playground.recorder import Recorder
from botkit.simulator.playground.story import Story
from botkit.simulator.playground.switch import ModelSwitch
from botkit.simulator.world import World
from botkit.turn import Turn

log = logging.getLogger(__name__)

JsonObject = dict[str, Any]
Listener = Callable[[str, str], None]

MOST: Final = 300
"""Events of which is known what happened; older ones are forgotten."""

MOST_OPEN: Final = 20
"""Turns that are over, and whose answers may still be on their way to LINE."""
NOT_TAKEN_IN: Final = "the bot's store does not know it: its webhook was not accepted, or came over seven days ago"


class Kept(Protocol):
    """Where traces are kept: JSON under names."""

    def get(self, name: str) -> Any | None:
        """What was put under a name, None where nothing was."""

    def put(self, name: str, value: Any) -> None:
        """Keep it."""


class Traces:
    """What happened to the newest MOST events, kept for the next start. Safe to use from several threads.

    The story of a turn is one, however many events it answers; of an event that took several turns, each is kept.
    """

    def __init__(self, services: Services, world: World, kept: Kept, switch: ModelSwitch) -> None:
        self._services = services
        self._world = world
        self._kept = kept
        self._switch = switch
        self._lock = Lock()
        self._listeners: list[Listener] = []
        # Which slots of what is kept hold the stories of an event, the newest event last.
        self._slots: OrderedDict[tuple[str, str], list[int]] = OrderedDict()
        self._live: dict[int, Story] = {}
        self._ended: list[int] = []  # slots, the newest last
        for bot, event, slots in kept.get("traces") or ():
            self._slots[bot, event] = slots

    def listen(self, listener: Listener) -> None:
        """Be told of the bot and the event whenever more is known, in the thread that brings it: be quick."""
        self._listeners.append(listener)

    def begin(self, turn: Turn) -> Story:
        """A turn begins."""
        bot = turn.bot.name
        story = Story(turn, self._switch, self._services.clock.now, lambda: self._tell(bot, story))
        with self._lock:
            used = {slot for slots in self._slots.values() for slot in slots} | self._live.keys()
            slot = next(number for number in count() if number not in used)
            self._live[slot] = story
            for event in story.events:
                self._slots.setdefault((bot, event), []).append(slot)
                self._slots.move_to_end((bot, event))
            while len(self._slots) > MOST:
                self._slots.popitem(last=False)
        self._tell(bot, story)
        return story

    def end(self, turn: Turn, story: Story) -> None:
        """A turn is over: its story is kept."""
        told = bounded(story.tell(), self._switch.count_tokens)
        with self._lock:
            for slot in [number for number, one in self._live.items() if one is story]:
                self._kept.put(_name(slot), told)
                del self._live[slot]
                self._ended = [*(one for one in self._ended if one != slot), slot][-MOST_OPEN:]
            self._kept.put("traces", [[bot, event, slots] for (bot, event), slots in self._slots.items()])
        self._tell(turn.bot.name, story)

    def keep_calls(self) -> None:
        """Keep the calls that LINE has got for the newest turns: LINE itself forgets them with the process.

        A turn that was answered is done with; of the others more may come.
        """
        with self._lock:
            slots = {slot: (bot, event) for (bot, event), slots in self._slots.items() for slot in slots}
            self._ended = [slot for slot in self._ended if slot in slots and not self._keep_calls(slot, *slots[slot])]

    def _keep_calls(self, slot: int, bot: str, event: str) -> bool:
        """Whether these are all that there will be."""
        story = self._read(slot, event)
        if story is None:
            return True
        before: list[JsonObject] = story.get("line", [])
        line = _joined(before, calls_for(self._world, bot, story["events"], [story]))
        if line != before:
            self._kept.put(_name(slot), {**story, "line": line})
        says_nothing = not story["reply"] and not story["failed"]
        return says_nothing or any(call["endpoint"] in ANSWERS for call in line)

    def of(self, bot: str, event_id: str) -> JsonObject | None:
        """All that is known of an event, as JSON; None where nothing is. Raises StoreError."""
        services = self._services
        record = services.store.record(bot, event_id, services.clock.now())
        stories = [counted(one, self._switch.count_tokens) for one in self._stories(bot, event_id)]
        if record is None and not stories:
            return None
        events = {event_id, *(event for story in stories for event in story["events"])}
        line = _joined(
            [call for story in stories for call in story.get("line", [])],
            calls_for(self._world, bot, events, stories),
        )
        return {
            "bot": bot,
            "event": event_id,
            **_recorded(record),
            "notes": _notes(record, stories),
            "turns": [_turn(story) for story in stories],
            "line": line,
            "usage": {
                name: sum(story["usage"][name] for story in stories)
                for name in ("input_tokens", "output_tokens", "cost")
            },
        }

    def _stories(self, bot: str, event_id: str) -> list[JsonObject]:
        """The event's turns, in the order in which they began."""
        with self._lock:
            slots = tuple(self._slots.get((bot, event_id), ()))
            live = {slot: self._live[slot] for slot in slots if slot in self._live}
            found = [live[slot].tell() if slot in live else self._read(slot, event_id) for slot in slots]
        return sorted((one for one in found if one is not None), key=lambda one: int(one["began"]))

    def _read(self, slot: int, event_id: str) -> JsonObject | None:
        """A story that was kept. Slots are used again: one that could not be written holds another event's."""
        story: JsonObject | None = self._kept.get(_name(slot))
        return story if story is not None and event_id in story["events"] else None

    def _tell(self, bot: str, story: Story) -> None:
        for event in story.events:
            for listener in tuple(self._listeners):
                try:
                    listener(bot, event)
                except Exception:  # whoever looks on must not change what happens
                    log.exception("event %s: somebody could not be told of its trace", event)


class Watcher(Step):
    """Notes what happens in a turn, and changes nothing. The outermost step of every bot here."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    traces: Traces

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Go on, with a model that notes what it is asked. Raises what the steps inside raise."""
        story = self.traces.begin(turn)
        turn.services = replace(turn.services, model=Recorder(turn.services.model, story))
        try:
            reply = call_next(turn)
        except BaseException as error:
            self._end(turn, story, error)
            raise
        self._end(turn, story, reply)
        return reply

    def _end(self, turn: Turn, story: Story, outcome: object) -> None:
        try:
            story.end(outcome)
            self.traces.end(turn, story)
        except Exception:  # whoever looks on must not change the outcome
            log.exception("event %s: its trace cannot be kept", turn.event.id)


def _name(slot: int) -> str:
    return f"trace.{slot}"


def _turn(story: JsonObject) -> JsonObject:
    return {key: value for key, value in story.items() if key not in ("ids", "notes", "usage", "line")}


def _recorded(record: Record | None) -> JsonObject:
    if record is None:
        unknown = dict.fromkeys(("at", "received_at", "lead"))
        return {"state": None, "meaning": NOT_TAKEN_IN, **unknown, "attempts": 0, "sends": 0}
    return {
        "state": record.state,
        "meaning": MEANING[record.state],
        "at": record.at,
        "received_at": record.received_at,
        "attempts": record.attempts,
        "sends": record.sends,
        "lead": record.lead,
    }


def _notes(record: Record | None, stories: list[JsonObject]) -> list[JsonObject]:
    """The event's story, and what its turns have noted besides: the store gets that only with the answer."""
    stored: tuple[Note, ...] = record.notes if record else ()
    notes = [{"at": note.at, "text": note.text} for note in stored]
    return sorted(
        _joined(notes, [note for story in stories for note in story["notes"]]), key=lambda one: int(one["at"])
    )


def _joined(first: list[JsonObject], second: list[JsonObject]) -> list[JsonObject]:
    return [*first, *(one for one in second if one not in first)]
