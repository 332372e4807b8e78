"""Nearness: what was meant by a word that is nearly another, or stands where another belongs."""

import re
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final

from botkit.errors import Problem
from botkit.scenarios.file.scenario import HAPPENINGS, Deed, Expect, Guest, Scenario, Script, Turn
from botkit.spec.problems import options_of

OWNERS: Final = {
    "expect": options_of(Expect),
    "turns": [*HAPPENINGS, "model", "flagged"],
    "model": options_of(Script),
    "user": options_of(Guest),
}
OF_TURNS: Final = tuple(options_of(Turn))
# Shorter options are too near to names that people have: Jon, Goh, Chad.
_LONG_OPTIONS: Final = tuple(option for option in OF_TURNS if len(option) >= 5)
_NEARNESS: Final = 0.8
_MOST_COMPARED = 20
_NEAR_NAMES: Final = 0.85
_SHORTEST: Final = 4


def may_expect(entry: dict[str, Any]) -> bool:
    """Whether something is expected somewhere, be it misspelt or in another place than it belongs."""
    keys = set(_keys(entry))
    return not keys.isdisjoint(OWNERS["expect"]) or bool(get_close_matches("expect", keys, 1, _NEARNESS))


def _keys(value: Any) -> Iterator[str]:
    """Every word before a colon in it."""
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(inner)


def other_place(key: str) -> str | None:
    """Where a word of the file belongs that stands in the place of a speaker."""
    if key in OWNERS["expect"] or key in OWNERS["model"]:
        return f"belongs under `{'expect' if key in OWNERS['expect'] else 'model'}:`; move it there"
    if key in Deed.model_fields:
        return f"is what somebody does; write `hana: {{{key}: …}}`"
    if key in ("name", "people", "at", "live", "turns"):
        return "belongs to the scenario; move it beside its `name:`"
    return None


def near_option(key: str, value: Any) -> str | None:
    """Which option a word is nearly; what is bare `true` is nothing that somebody says."""
    options, nearness = (OF_TURNS, 0.6) if value is True else (_LONG_OPTIONS, _NEARNESS)
    word = key.lower()
    near = [word] if word in OF_TURNS else get_close_matches(word, options, 1, nearness)
    return f"did you mean `{near[0]}`? A speaker called so must stand under `people:`" if near else None


def namesakes(scenario: Scenario) -> Iterator[Problem]:
    """Speakers who speak once, and are nearly called like another: to the bot they are somebody else."""
    turns = Counter(act.speaker for act in scenario.acts if act.speaker)
    known = {*scenario.header.people}
    if len(scenario.speakers) > _MOST_COMPARED:  # all are compared with all
        return
    for act in scenario.acts:
        name = act.speaker
        if name is None or turns[name] > 1 or name in known or len(name) < _SHORTEST or re.search(r"\d", name):
            continue
        others = {one.casefold(): one for one in scenario.speakers if one != name and len(one) >= _SHORTEST}
        if near := get_close_matches(name.casefold(), others, 1, _NEAR_NAMES):
            text = f"{name}: is nearly `{others[near[0]]}`, but somebody else; correct it, or name both under `people:`"
            yield Problem(*act.places[name,], text, "warning")
