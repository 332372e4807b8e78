"""As much of OpenAPI as LINE's description needs: enough to find a missing, unknown or wrong property."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from linebot.v3.messaging import (
    MarkMessagesAsReadByTokenRequest,
    PushMessageRequest,
    ReplyMessageRequest,
    ShowLoadingAnimationRequest,
)

from tests.line.facts import FOLDER, fact

# The simulator's name of an endpoint → the SDK's model of its requests, which is called as LINE's schema is.
REQUESTS: dict[str | None, Any] = {
    "reply": ReplyMessageRequest,
    "push": PushMessageRequest,
    "loading": ShowLoadingAnimationRequest,
    "mark_as_read": MarkMessagesAsReadByTokenRequest,
}

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}


@cache
def _schemas() -> dict[str, Any]:
    text = fact("openapi", "messaging-api.yml").read_text("utf-8")
    # The C loader, where there is one: the description is long.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(text, loader)["components"]["schemas"]


def request_mistakes(endpoint: str | None, body: Any) -> list[str]:
    """What is wrong with the body of a call, by the SDK's model and, where it is here, by LINE's description."""
    if endpoint not in REQUESTS:
        return []
    model = REQUESTS[endpoint]
    try:
        parsed = json.loads(json.dumps(model.from_dict(body).to_dict()))
    except ValueError as error:  # pydantic's errors are such
        return [f"{endpoint}: {error}"]
    unread = [] if _without(parsed) == _without(body) else [f"{endpoint}: the SDK reads {parsed}"]
    return unread + (mistakes(body, model.__name__) if FOLDER.exists() else [])


def _without(value: Any) -> Any:
    """The value without what is left to LINE's own choice, which the SDK writes out."""
    if isinstance(value, dict):
        return {
            key: _without(entry) for key, entry in value.items() if entry is not None and key != "notificationDisabled"
        }
    return [_without(entry) for entry in value] if isinstance(value, list) else value


def mistakes(value: object, name: str) -> list[str]:
    """What is wrong with a value that should be of this schema."""
    return list(_mistakes(value, {"$ref": f"#/components/schemas/{name}"}, name))


def _mistakes(value: object, schema: dict[str, Any], place: str) -> Iterator[str]:
    schema = _flat(schema, value)
    expected = TYPES.get(schema.get("type", ""), object)
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        yield f"{place}: {value!r} is not {schema['type']}"
    elif isinstance(value, dict):
        yield from (f"{place}: {key} is missing" for key in schema["required"] if key not in value)
        yield from (f"{place}: {key} is unknown" for key in value if key not in schema["properties"])
        for key in value.keys() & schema["properties"].keys():
            yield from _mistakes(value[key], schema["properties"][key], f"{place}.{key}")
    elif isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{place}: {len(value)} items"
        for index, item in enumerate(value):
            yield from _mistakes(item, schema["items"], f"{place}[{index}]")
    elif isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        yield f"{place}: longer than {schema['maxLength']}"
    elif value not in schema.get("enum", [value]):
        yield f"{place}: {value!r} is not one of {schema['enum']}"
    elif isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{place}: {value} is out of range"


def _flat(schema: dict[str, Any], value: object, *, discriminated: bool = True) -> dict[str, Any]:
    """The schema with its references resolved, its parts joined, and its kind chosen by the discriminator."""
    if "$ref" in schema:
        schema = _schemas()[schema["$ref"].rpartition("/")[2]]
    mapping = schema.get("discriminator", {}).get("mapping")
    if mapping and discriminated and isinstance(value, dict):
        return _flat({"$ref": mapping[value["type"]]}, value, discriminated=False)
    parts = [_flat(part, value, discriminated=False) for part in schema.get("allOf", ())]
    flat = {key: entry for part in [*parts, schema] for key, entry in part.items()}
    flat["required"] = [key for part in [*parts, schema] for key in part.get("required", ())]
    flat["properties"] = {key: entry for part in [*parts, schema] for key, entry in part.get("properties", {}).items()}
    return flat
