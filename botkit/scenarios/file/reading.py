"""Reading: what one test file says, scenario by scenario and turn by turn."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from botkit.errors import Problem
from botkit.scenarios.file import conflicts
from botkit.scenarios.file.nearness import OF_TURNS, OWNERS, may_expect, namesakes, near_option, other_place
from botkit.scenarios.file.scenario import (
    HAPPENINGS,
    MOST_DEEDS,
    MOST_SCENARIOS,
    MOST_TURNS,
    Act,
    Deed,
    Header,
    Scenario,
    Turn,
)
from botkit.scenarios.file.values import name_fault
from botkit.spec import document
from botkit.spec.document import Document, Place
from botkit.spec.problems import dotted, explain, fields_at, options_of
from botkit.spec.validation import Reading, get, standing

_EXAMPLE: Final = "such as `hana: Hello`"


class FileReading(Reading):
    """Reads one test file; lives for that one file. `remarks` gathers what is no mistake, but may be one."""

    def __init__(self, source: Document, bot: str, folder: Path) -> None:
        super().__init__(source)
        self.bot, self.folder = bot, folder
        self.remarks: list[Problem] = []
        self._told: set[document.Path] = set()
        self._places = _by_part(source.places)

    def scenarios(self) -> tuple[Scenario, ...]:
        """All that can be read; complains of the rest."""
        data = self.source.data
        if not self.source.complete:
            return ()
        if not isinstance(data, list) or not data:
            self.complain((), "a test file is a list of scenarios; begin each with `- name: what is tried`")
            return ()
        if len(data) > MOST_SCENARIOS:
            self.complain((MOST_SCENARIOS,), f"{len(data):,} scenarios; {MOST_SCENARIOS} are the most of one file")
            return ()
        found = [self._scenario(number, entry) for number, entry in enumerate(data)]
        self._check_names(data)
        return tuple(one for one in found if one is not None)

    def complain(self, path: document.Path, text: str) -> None:
        """Add an error, but one of the same option only once."""
        if path not in self._told:
            self._told.add(path)
            super().complain(path, text)

    def blame(self, kind: type[BaseModel], details: ErrorDetails, path: document.Path, known: Iterable[str]) -> None:
        """Complain of one finding, by the option's name in its turn or its scenario."""
        if details["type"] == "too_short" and details["input"]:  # told of a list of which an entry is wrong, too
            return
        loc = standing(get(self.source.data, path), details["loc"])
        told: ErrorDetails = {**details, "loc": loc}
        shown = _shown(path)
        if details["type"] == "extra_forbidden" and kind is Deed and loc[-1] in OF_TURNS:
            text = f"{dotted((*shown, *loc))}: stands too deep; write it beside `{shown[0]}`, in the same column"
            self.complain((*path, *loc), text)
            return
        neighbours = known if len(details["loc"]) == 1 else fields_at(kind, details["loc"][:-1])
        self.complain((*path, *loc), explain(told, shown, neighbours, OWNERS))

    # ---------------------------------------------------------------- one scenario

    def _scenario(self, number: int, entry: Any) -> Scenario | None:
        path = (number,)
        if not isinstance(entry, dict):
            self.complain(path, "a scenario is a mapping; write `- name: what is tried`, and `turns:` under it")
            return None
        own = self._filled({key: value for key, value in entry.items() if key != "turns"}, path)
        header = self.validate(Header, own, path, [*options_of(Header), "turns"])
        for taken in [name for name in _people(entry) if name in OF_TURNS]:
            self.complain((*path, "people", taken), f"people.{taken}: is an option of turns; choose another word")
        acts = self._acts(entry, path)
        if not may_expect(entry):
            self.complain(path, f"this scenario expects nothing, and so can never fail; {_cure_of_idleness(entry)}")
        if header is None or None in acts:
            return None
        whole = tuple(act for act in acts if act is not None)
        for option, text in conflicts.of_whole(header, whole):
            self.complain((*path, *option), text)
        scenario = Scenario(self.bot, number + 1, header, whole, *self._where(path))
        self.remarks += namesakes(scenario)
        return scenario

    def _acts(self, entry: dict[str, Any], path: document.Path) -> list[Act | None]:
        turns, where = entry.get("turns"), (*path, "turns")
        if "user" in entry and "turns" in entry:
            self.complain((*path, "user"), "user: is played by a model, and `turns` are written; keep one of them")
        if "user" not in entry and "turns" not in entry:
            self.complain(path, f"`turns` is missing; add it, and under it what happens, {_EXAMPLE}")
        if "turns" not in entry:
            return []
        if not isinstance(turns, list) or not turns:
            self.complain(where, "turns: must be a list of what happens, such as `- hana: Hello`")
            return [None]
        if len(turns) > MOST_TURNS:
            self.complain((*where, MOST_TURNS), f"turns: {len(turns):,} turns; {MOST_TURNS} are the most; divide it")
            return [None]
        declared = _people(entry)
        return [self._act(turn, (*where, number), _kind(entry), declared) for number, turn in enumerate(turns)]

    def _check_names(self, data: list[Any]) -> None:
        """Each scenario needs a name of its own: recordings and reports know it by that."""
        known: dict[str, document.Path] = {}
        for number, entry in enumerate(data):
            path = (number, "name")
            name = self.source.written.get(path) or get(entry, ("name",))
            if isinstance(name, str) and (first := known.setdefault(name.strip(), path)) != path:
                line = self.source.place_of(first).line
                self.complain(path, f"name: is that of the scenario on line {line}, too; give each its own")

    # ---------------------------------------------------------------- one turn

    def _act(self, turn: Any, path: document.Path, kind: str, declared: set[str]) -> Act | None:
        if not isinstance(turn, dict):
            self.complain(path, f"{_NO_TURN}{_cure(turn)}")
            return None
        misplaced = [key for key in turn if key not in OF_TURNS and self._is_misplaced(key, path, declared)]
        happening = [key for key in turn if key in HAPPENINGS or (key not in OF_TURNS and key not in misplaced)]
        self._check_happening(happening, path, misplaced)
        own = self._filled({key: value for key, value in turn.items() if key not in misplaced}, path)
        options = {key: value for key, value in own.items() if key in OF_TURNS}
        checked = self.validate(Turn, options, path, OF_TURNS)
        speakers = [key for key in own if key not in OF_TURNS]
        deeds = [self._deeds(own[key], (*path, key)) for key in speakers]
        if checked is None or misplaced or len(happening) != 1 or len(own) < len(turn) or None in deeds:
            return None
        place, places = self._where(path)
        done = tuple(deed for one in deeds for deed in one or ())
        act = Act(checked, place, places, speakers[0] if speakers else None, done)
        for option, text in conflicts.of_act(act, kind, self.folder):
            self.complain((*path, *option), text)
        return act

    def _is_misplaced(self, key: str, path: document.Path, declared: set[str]) -> bool:
        """Whether a word that is no option of a turn is no speaker either; complains of it."""
        if not key.strip():
            self.complain((*path, key), "a speaker needs a name; write it before the colon")
            return True
        fault = name_fault(key) or ("has spaces around it; remove them" if key != key.strip() else None)
        if fault is None and key not in declared:
            fault = other_place(key) or near_option(key, get(self.source.data, (*path, key)))
        if fault is not None:
            self.complain((*path, key), f"{dotted((key,))}: {fault}")
        return fault is not None

    def _check_happening(self, happening: list[str], path: document.Path, misplaced: list[str]) -> None:
        if not happening and not misplaced:
            others = ", ".join(HAPPENINGS)
            self.complain(path, f"nothing happens in this turn; write who says what, {_EXAMPLE}, or one of: {others}")
        for later in happening[1:]:
            shown = " and ".join(f"`{dotted((one,))}`" for one in (happening[0], later))
            self.complain((*path, later), f"{shown}: one thing happens in a turn; write `- ` before the second")

    def _deeds(self, value: Any, path: document.Path) -> tuple[Deed, ...] | None:
        """What a speaker does: one thing, or several in a row."""
        if not isinstance(value, list):
            deed = self._deed(value, path)
            return (deed,) if deed else None
        if not 1 <= len(value) <= MOST_DEEDS:
            fault = f"{len(value):,} messages; {MOST_DEEDS} are the most in a row" if value else "says nothing"
            self.complain(path, f"{dotted(_shown(path))}: {fault}; write a text, or a list of them")
            return None
        deeds = [self._deed(entry, (*path, number)) for number, entry in enumerate(value)]
        return tuple(one for one in deeds if one) if all(deeds) else None

    def _deed(self, value: Any, path: document.Path) -> Deed | None:
        if isinstance(value, list | bool):
            shown = "a list in a list" if isinstance(value, list) else f"`{self.source.written.get(path, value)}`"
            self.complain(path, f"{dotted(_shown(path))}: {shown} is nothing to say; write a text, in quotes")
            return None
        text = self.source.written.get(path, value)
        return self.validate(Deed, value if isinstance(value, dict) else {"text": text}, path, options_of(Deed))

    # ---------------------------------------------------------------- what both need

    def _filled(self, own: dict[str, Any], path: document.Path) -> dict[str, Any]:
        """What is written, less the options in which something is left empty; complains of these."""
        empty: set[str] = set()
        for key, value in own.items():
            for option in _empty(value, (key,)):
                empty.add(key)
                told = dotted((*_shown(path), *option))
                self.complain((*path, *option), f"{told}: is empty; write something, or remove it")
        return {key: value for key, value in own.items() if key not in empty}

    def _where(self, path: document.Path) -> tuple[Place, dict[document.Path, Place]]:
        return self.source.place_of(path), self._places[path]


_NO_TURN: Final = "a turn is a mapping of who speaks to what they say"


def _cure(turn: Any) -> str:
    if isinstance(turn, str) and (match := re.match(r"([^\s:：]{1,20})[:：]\S", turn)):
        return f"; write a space after the colon: `{match[1]}: …`"
    return f", {_EXAMPLE}"


def _shown(path: document.Path) -> document.Path:
    """A path as it is told: from the turn, or else from the scenario on; the place says which is meant."""
    return path[3:] if len(path) >= 3 and path[1] == "turns" else path[1:]


def _people(entry: dict[str, Any]) -> set[str]:
    """The speakers who are declared."""
    people = entry.get("people")
    return set(people) if isinstance(people, dict) else set()


def _cure_of_idleness(entry: dict[str, Any]) -> str:
    return "add `expect:` beside `user:`" if "user" in entry else "add `expect:` to a turn"


def _kind(entry: dict[str, Any]) -> str:
    """The kind of chat, also where something else in the scenario is wrong."""
    chat = entry.get("chat", "user")
    kind = chat.get("kind", "user") if isinstance(chat, dict) else chat
    return kind if isinstance(kind, str) else ""


def _empty(value: Any, path: document.Path) -> Iterator[document.Path]:
    """Where nothing is written inside a value."""
    if value is None:
        yield path
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _empty(inner, (*path, key))


def _by_part(places: dict[document.Path, Place]) -> dict[document.Path, dict[document.Path, Place]]:
    """The places of each scenario and each turn, by their paths in it; gathered in one go."""
    parts: dict[document.Path, dict[document.Path, Place]] = defaultdict(dict)
    for path, place in places.items():
        if len(path) >= 3 and path[1] == "turns":
            parts[path[:3]][path[3:]] = place
        elif path:
            parts[path[:1]][path[1:]] = place
    return parts
