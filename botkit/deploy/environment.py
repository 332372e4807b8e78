"""The environment of the functions: whether it fits."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

LIMIT: Final = 4096
"""Bytes of all variables together (Lambda quotas: Environment variables)."""

# What the template sets besides, as long as it can be: a table and a queue that bear the name of the stack.
_RANDOM = "X" * 13
_OWN: Final = {
    "BOTKIT_ROLE": "worker",
    "BOTKIT_STORE": f"dynamodb://{{stack}}-Conversations-{_RANDOM}",
    "BOTKIT_QUEUE": f"https://sqs.ap-southeast-2.amazonaws.com/123456789012/{{stack}}-Queue-{_RANDOM}",
    "BOTKIT_METRICS": "botkit/{stack}",
    "BOTKIT_LOG": "warning",
}
_SETTING: Final = re.compile("BOTKIT_|OPENAI_BASE_URL$")
_SHOWN: Final = 5


def environment_size(values: Mapping[str, str], stack: str = "botkit") -> int:
    """The bytes that Lambda counts: of all names and values, in JSON, with those that the template sets by itself.

    It measures the JSON text (Lambda's own refusal of too much: `String measured: {"NAME":"value",…`).
    """
    own = {name: value.format(stack=stack) for name, value in _OWN.items()}
    given = {name: value for name, value in values.items() if value}
    return _bytes(own | given)


def environment_fault(
    values: Mapping[str, str], stack: str = "botkit", template: Mapping[str, Any] | None = None
) -> str | None:
    """Why these environment variables do not fit a Lambda function, and the cure; None where they do.

    `values` are secrets and settings, by the names that they have there. Each function has a part of them, which
    the `template` tells; without it one that has all is meant. No value is shown.
    """
    for part in [values] if template is None else _parts(values, template):
        if (size := environment_size(part, stack)) > LIMIT:
            secrets = {name: value for name, value in part.items() if not _SETTING.match(name)}
            return (
                f"a function's environment would take {size:,} bytes, and Lambda allows {LIMIT:,}: keep "
                f"{_listed(_to_move(secrets, size - LIMIT))} in Parameter Store, and write ssm:/botkit/NAME in the bot "
                "files instead of env:NAME"
            )
    return None


def _parts(values: Mapping[str, str], template: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            names = resource["Properties"]["Environment"]["Variables"]
            yield {name: value for name, value in values.items() if name in names}


def _to_move(values: Mapping[str, str], excess: int) -> list[str]:
    """The variables that take the most, as many as are too many."""
    moved: list[str] = []
    for name in sorted(values, key=lambda name: (-_size(name, values[name]), name)):
        if excess <= 0:
            break
        moved.append(name)
        excess -= _size(name, values[name])
    return moved


def _size(name: str, value: str) -> int:
    return _bytes({name: value}) - 1  # less the braces, and a comma more


def _bytes(values: Mapping[str, str]) -> int:
    return len(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogateescape"))


def _listed(names: list[str]) -> str:
    """Some of them: it may as well be others, so long as they are as many."""
    if len(names) <= _SHOWN:
        return ", ".join(names)
    return f"{len(names)} secrets, such as {', '.join(names[:_SHOWN])},"
