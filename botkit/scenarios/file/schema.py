"""The test file as one JSON Schema, made from its models, for editors and for the reference page."""

from typing import Any

from pydantic import BaseModel

from botkit.scenarios.file.scenario import DEEDS, HAPPENINGS, MOST_DEEDS, MOST_SCENARIOS, MOST_TURNS, Deed, Header, Turn
from botkit.spec.problems import options_of
from botkit.spec.schema import TEXT, shape_of

Shape = dict[str, Any]

_NAMED: Shape = {"pattern": r"\S"}


def scenarios_schema() -> Shape:
    """The JSON Schema (draft 2020-12) of a test file, without references, so that it can be read from the top.

    It takes every file that the loader takes. It cannot see what goes beyond the shape of a file: names that stand
    twice, two speakers in a turn, a misspelt option that could be a speaker, files that are not there.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The scenarios of a botkit bot",
        "description": "Conversations with a bot, and what is expected of it.",
        "type": "array",
        "items": scenario_shape(),
        "minItems": 1,
        "maxItems": MOST_SCENARIOS,
    }


def scenario_shape() -> Shape:
    """What one scenario may say."""
    shape = part_shape(Header)
    turns = {
        "description": "What happens, one after the other.",
        "type": "array",
        "items": turn_shape(),
        "minItems": 1,
        "maxItems": MOST_TURNS,
    }
    people = {**shape["properties"]["people"], "propertyNames": _NAMED}
    one_of_both = [{"required": ["turns"]}, {"required": ["user"]}]
    return {
        **shape,
        "description": "One conversation.",
        "properties": {**shape["properties"], "people": people, "turns": turns},
        "oneOf": one_of_both,
    }


def turn_shape() -> Shape:
    """What one turn may say: its options, and any speaker beside them."""
    shape = part_shape(Turn)
    beside = [option for option in options_of(Turn) if option not in HAPPENINGS]
    return {
        **shape,
        "additionalProperties": speaker_shape(),
        "propertyNames": _NAMED,
        "not": {"propertyNames": {"enum": beside}},
    }


def speaker_shape() -> Shape:
    """What a speaker may do in a turn: one thing, or several in a row."""
    text = {"description": "What they say.", "type": TEXT, "minLength": 1, "maxLength": 5000}
    one = {"anyOf": [text, deed_shape()]}
    row = {
        "description": "What they do in a row.",
        "type": "array",
        "items": one,
        "minItems": 1,
        "maxItems": MOST_DEEDS,
    }
    return {"description": "What this speaker says or does.", "anyOf": [text, deed_shape(), row]}


def deed_shape() -> Shape:
    """What a speaker may do, written as a mapping."""
    one_of_all = [{"required": [name]} for name in DEEDS]
    return {**part_shape(Deed), "oneOf": one_of_all, "dependentRequired": {"quote": ["text"]}}


def part_shape(kind: type[BaseModel]) -> Shape:
    """What may be said in one part of a test file."""
    return dict(_without_null(shape_of(kind)))


def _without_null(shape: Any) -> Any:
    """A shape that takes no empty value: in a test file that could only be something forgotten."""
    if isinstance(shape, list):
        return [_without_null(one) for one in shape if one != {"type": "null"}]
    if not isinstance(shape, dict):
        return shape
    shape = {key: _without_null(value) for key, value in shape.items()}
    kinds = shape.get("type")
    if isinstance(kinds, list) and "null" in kinds:
        kinds = [kind for kind in kinds if kind != "null"]
        shape["type"] = kinds[0] if len(kinds) == 1 else kinds
    if len(shape.get("anyOf", ())) == 1:
        (only,) = shape.pop("anyOf")
        shape = {**only, **shape}
    return shape
