"""What CloudWatch asks of a log line that carries metrics (CloudWatch user guide: Specification: Embedded metric format)."""

import json
import time
from typing import Any

from jsonschema import Draft202012Validator

UNITS = [
    *("Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "None"),
    *(f"{size}{what}" for what in ("bytes", "bits") for size in ("Kilo", "Mega", "Giga", "Tera")),
    *("Bytes", "Bits", "Count/Second"),
    *(f"{size}{what}/Second" for what in ("bytes", "bits") for size in ("Kilo", "Mega", "Giga", "Tera")),
    *("Bytes/Second", "Bits/Second"),
]
_NAME = {"type": "string", "minLength": 1, "maxLength": 1024}
_METRIC = {
    "type": "object",
    "required": ["Name"],
    "properties": {"Name": _NAME, "Unit": {"enum": UNITS}, "StorageResolution": {"enum": [1, 60]}},
    "additionalProperties": False,
}
_DIMENSIONS = {"type": "array", "maxItems": 30, "items": {"type": "string", "minLength": 1, "maxLength": 250}}
_DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "properties": {
        "Namespace": {"type": "string", "pattern": "^(?!AWS/)[A-Za-z0-9._/#: -]{1,255}$"},
        "Dimensions": {"type": "array", "minItems": 1, "items": _DIMENSIONS},
        "Metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": _METRIC},
    },
    "additionalProperties": False,
}
SCHEMA = Draft202012Validator(
    {
        "type": "object",
        "required": ["_aws"],
        "properties": {
            "_aws": {
                "type": "object",
                "required": ["Timestamp", "CloudWatchMetrics"],
                "properties": {
                    "Timestamp": {"type": "integer"},
                    "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": _DIRECTIVE},
                },
            }
        },
    }
)
DAY = 24 * 3600 * 1000


def read_line(text: str) -> dict[str, Any]:
    """A line of the log, as strict a JSON as CloudWatch's."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    assert len(text.encode()) <= 256 * 1024 - 26
    line = json.loads(text, parse_constant=refuse)
    assert isinstance(line, dict)
    return line


def metrics_of(line: dict[str, Any]) -> dict[str, float]:
    """The metrics that CloudWatch makes of a line, once it is found to be as CloudWatch asks; none of any other line."""
    if "_aws" not in line:
        return {}
    assert [fault.message for fault in SCHEMA.iter_errors(line)] == []
    now, at = time.time() * 1000, line["_aws"]["Timestamp"]
    assert now - 14 * DAY < at < now + DAY / 12, "CloudWatch takes what is at most two weeks old or two hours early"
    found: dict[str, float] = {}
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for dimension in {name for names in directive["Dimensions"] for name in names}:
            assert isinstance(line[dimension], str), f"the dimension {dimension} is no string"
            assert 1 <= len(line[dimension]) <= 1024
        for metric in directive["Metrics"]:
            value = line[metric["Name"]]
            values = value if isinstance(value, list) else [value]
            assert 1 <= len(values) <= 100
            assert all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)
            assert metric["Name"] not in found, "counted twice"
            found[metric["Name"]] = value
    return found
