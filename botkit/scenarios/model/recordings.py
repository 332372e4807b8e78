"""Recordings: what models have answered, kept beside the scenarios and replayed to the very same request."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Literal

from botkit.ports import ChatRequest, Completion
from botkit.scenarios.model.recording_file import path_of as path_of
from botkit.scenarios.model.recording_file import read as read
from botkit.scenarios.model.recording_file import renewed as renewed
from botkit.scenarios.model.recording_file import write as write
from botkit.scenarios.model.requests import Plain, difference, key_of, plain, whole
from botkit.scenarios.results import Recorded

Kind = Literal["model", "judge", "user"]

_ORDER: dict[Kind, int] = {"user": 0, "model": 1, "judge": 2}


@dataclass(frozen=True, slots=True)
class Stale:
    """For this call another request was recorded."""

    recorded: Recorded

    def difference(self, request: Plain) -> str:
        """What has changed since, for people; several lines."""
        return difference(self.recorded.request, request)


class Tape:
    """The recordings of one scenario, played and added to. Lives as long as one run of it; threads may share it.

    Where it `records`, those that nobody asks for in the run are not kept; unless it `spares` them, because the run
    has not come to where they may be needed.
    """

    def __init__(self, recorded: Iterable[Recorded] = ()) -> None:
        self.records = self.spares = False
        self._lock = Lock()
        self._unused = list(recorded)
        self._kept: list[Recorded] = []

    def find(self, kind: Kind, turn: int, call: int, request: ChatRequest) -> Recorded | Stale | None:
        """What was answered to the same request. Each recording answers once, that of the same call rather than others.

        Stale where only a different request was recorded for this call, None where none was.
        """
        key = key_of(kind, plain(request))
        with self._lock:
            equal = [one for one in self._unused if one.key == key]
            there = [one for one in (*equal, *self._unused, *self._kept) if _place(one) == (kind, turn, call)]
            if not equal:
                return Stale(there[0]) if there else None
            found = there[0] if there and there[0].key == key else equal[0]
            self._unused.remove(found)
            found = replace(found, turn=turn, call=call)
            self._kept.append(found)
            return found

    def models(self, kind: Kind) -> tuple[str, ...]:
        """The models that have answered calls of a kind."""
        with self._lock:
            names = [one.request.get("model") for one in (*self._unused, *self._kept) if one.kind == kind]
        return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))

    def keep(self, kind: Kind, turn: int, call: int, request: ChatRequest, completion: Completion) -> None:
        """Add what a model has answered just now."""
        asked = plain(request)
        one = Recorded(kind, turn, call, key_of(kind, asked), asked, whole(completion.text), completion.usage)
        with self._lock:
            self._kept.append(one)

    @property
    def kept(self) -> tuple[Recorded, ...]:
        """All that is to be kept, old and new, in the order of the conversation."""
        with self._lock:
            kept = [*self._kept, *(self._unused if self.spares or not self.records else ())]
        return tuple(sorted(kept, key=_position))


def _place(one: Recorded) -> tuple[Kind, int, int]:
    return one.kind, one.turn, one.call


def _position(one: Recorded) -> tuple[bool, int, int, int]:
    """Turn 0 is the whole conversation, judged at its end."""
    return not one.turn, one.turn, _ORDER[one.kind], one.call
