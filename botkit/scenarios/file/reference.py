"""The page that explains every option of a test file, made from the same models as its schema."""

from typing import Any

from botkit.scenarios.file.loader import LIMITS
from botkit.scenarios.file.prose import DEEDS, EXPECT, GUEST, INTRODUCTION, MODEL, RUNNING, SCENARIO, TURNS, VALUES
from botkit.scenarios.file.scenario import MOST_SCENARIOS, MOST_TURNS, Expect, Guest, Script
from botkit.scenarios.file.schema import Shape, deed_shape, part_shape, scenario_shape, turn_shape
from botkit.spec.reference import option_rows, option_table

# Options with a section of their own, by the word that stands for them in the tables.
_TITLES = {"expect": "expectation", "model": "script", "user": "player"}


def scenarios_reference() -> str:
    """The Markdown page `docs/test-file.md`."""
    scenario = _linked(scenario_shape())
    scenario["properties"]["turns"] = {
        "title": "turns",
        "description": scenario["properties"]["turns"]["description"],
    }
    parts = [
        INTRODUCTION,
        _section("A scenario", SCENARIO, scenario),
        _section("A turn", TURNS, _linked(turn_shape())),
        _section("What a speaker does", DEEDS, deed_shape()),
        _section("What the model does", MODEL, part_shape(Script)),
        _section("A played guest", GUEST, part_shape(Guest)),
        _section("What is expected", EXPECT, part_shape(Expect)),
        RUNNING,
        VALUES.format(scenarios=MOST_SCENARIOS, turns=MOST_TURNS, kilobytes=LIMITS.size // 1024),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _section(title: str, words: str, shape: Shape) -> str:
    return "\n\n".join([f"## {title}", words.strip(), option_table(option_rows("", shape))])


def _linked(shape: Shape) -> dict[str, Any]:
    """A shape in whose place for some options only a link to their section is told."""
    properties = {
        name: {**option, "title": _TITLES[name]} if name in _TITLES else option
        for name, option in shape["properties"].items()
    }
    return {**shape, "properties": properties}
