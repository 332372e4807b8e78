"""The bot file as one JSON Schema, made from its models, for editors and for the reference page."""

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonRef, JsonSchemaValue
from pydantic_core.core_schema import (
    BeforeValidatorFunctionSchema,
    ModelSchema,
    NullableSchema,
    StringSchema,
    WithDefaultSchema,
)

from botkit.pipeline import Step
from botkit.spec.bot import CustomStep, Header
from botkit.spec.values import written_duration
from botkit.steps import STEPS

REQUIRED = ("persona", "model")

# A text may stand without quotes though YAML sees a number, a boolean or nothing in it:
# the loader takes it as it was written.
TEXT = ["string", "number", "boolean"]

_EXTENDS = {
    "description": "Another file of the same folder, such as _inn.yaml, that this one is laid over: mappings are "
    "merged, lists and single values replaced.",
    "type": "string",
    "pattern": r"^[^/\\]+\.yaml$",
    "examples": ["_inn.yaml"],
}


def bot_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a bot file, without references, so that it can be read from the top.

    It takes every file that the loader takes. It cannot see what goes beyond the shape of a file:
    mistakes in a template, files that are not there, steps that cannot be imported.
    """
    properties = sections()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A botkit bot",
        "description": "One LINE chatbot: who it is, which model speaks for it, and what its pipeline's steps do.",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "if": {"required": ["extends"]},
        "else": {"required": list(REQUIRED), "patternProperties": _take_required(properties)},
    }


def sections() -> dict[str, dict[str, Any]]:
    """The shape of every key that may stand at the top of a bot file, by name."""
    return {
        "extends": dict(_EXTENDS),
        **shape_of(Header)["properties"],
        **{name: _section(name, kind) for name, kind in STEPS.items()},
        "pipeline": _pipeline(),
    }


def _take_required(properties: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What sections require, taken out of them: a file that extends another may have it from there.

    By pattern, because editors would offer a second time what `properties` names.
    """
    forms = [(name, form) for name, section in properties.items() for form in (section, *section.get("anyOf", ()))]
    return {f"^{name}$": {"required": form.pop("required")} for name, form in forms if "required" in form}


def first_sentence(text: str) -> str:
    """The first sentence of a docstring, on one line."""
    flat = " ".join(text.split())
    match = re.match(r".+?[.!?](?=\s|$)", flat)
    return match[0] if match else flat


def _section(name: str, kind: type[Step]) -> dict[str, Any]:
    """A step's options, long or short; an empty section is the long form with nothing in it."""
    shape = shape_of(kind)
    about = {"description": shape.pop("description", "")}
    if name not in REQUIRED:
        shape["type"] = ["object", "null"]
    if kind.short is None:
        return {**about, **shape}
    short = _short_form(kind.short, shape["properties"][kind.short])
    if isinstance(short.get("type"), list):
        short["type"] = [one for one in short["type"] if one != "null"]  # null is the empty long form
    return {**about, "anyOf": [short, {**about, **shape}]}


def _short_form(option: str, shape: dict[str, Any]) -> dict[str, Any]:
    about = {"description": f"Short for `{option}`: {shape.get('description', '')}"}
    return {**about, **{key: value for key, value in shape.items() if key not in ("default", "description")}}


def _pipeline() -> dict[str, Any]:
    return {
        "description": "The steps in order, the outermost first; to reorder them, leave one out, or add your own.",
        "type": "array",
        "items": {"anyOf": [{"type": "string", "enum": list(STEPS)}, shape_of(CustomStep)]},
        "minItems": 1,
        "default": list(STEPS),
    }


def shape_of(kind: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of one model, without references."""
    shape = kind.model_json_schema(schema_generator=_Generator)
    return dict(_inlined(shape, shape.pop("$defs", {})))


def _inlined(shape: Any, definitions: dict[str, Any]) -> Any:
    """`shape` with each reference replaced by what it names; words beside a reference win."""
    if isinstance(shape, list):
        return [_inlined(one, definitions) for one in shape]
    if not isinstance(shape, dict):
        return shape
    if "$ref" in shape:
        named = definitions[shape["$ref"].removeprefix("#/$defs/")]
        shape = {**named, **{key: value for key, value in shape.items() if key != "$ref"}}
    if isinstance(shape.get("description"), str):
        shape = {"description": shape["description"], **shape}  # first, for the reader
    return {key: _inlined(value, definitions) for key, value in shape.items()}


class _Generator(GenerateJsonSchema):
    """pydantic's shapes, with what the loader does to values before pydantic sees them."""

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:  # noqa: ARG002
        return value  # in the order of the models, which is the order for reading

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False  # a title would only repeat the key

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        shape = super().model_schema(schema)
        shape.pop("title", None)
        return {**shape, "description": first_sentence(shape.get("description", ""))}

    def str_schema(self, schema: StringSchema) -> JsonSchemaValue:
        shape = super().str_schema(schema)
        if "pattern" in shape:
            return shape
        not_blank = {"pattern": r"\S"} if schema.get("strip_whitespace") else {}
        return {**shape, "type": TEXT, **not_blank}

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        shape = self.generate_inner(schema["schema"])
        kind = "object" if "$ref" in shape else shape.get("type")
        if kind == TEXT:
            return shape
        if isinstance(kind, str) and "enum" not in shape:
            return {**shape, "type": [kind, "null"]}
        return super().nullable_schema(schema)

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        shape = super().default_schema(schema)
        default = shape.get("default")
        if default in (None, "", {}, []):
            shape.pop("default", None)  # nothing is what a person expects
        elif isinstance(default, int) and shape.get("type") == "string":
            shape["default"] = written_duration(default)
        return shape

    def encode_default(self, dft: Any) -> Any:
        return dft.model_dump(exclude_defaults=True) if isinstance(dft, BaseModel) else super().encode_default(dft)

    def function_before_schema(self, schema: BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        shape = super().function_before_schema(schema)
        if "$ref" not in shape:
            return shape
        # What stands before a model reads its short form: a text for its first option.
        properties = (self.get_schema_from_definitions(JsonRef(shape["$ref"])) or {}).get("properties", {})
        return {"anyOf": [*(_short_form(*item) for item in list(properties.items())[:1]), shape]}
