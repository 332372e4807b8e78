"""What a change set does, in plain words."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from botkit.deploy.conditions import settled

Action = Literal["made", "changed", "replaced", "deleted", "left", "exchanged", "follows"]
"""`left`: it stays, and the stack has nothing to do with it any more. `exchanged`: another one takes its place, as a
setting says. `follows`: it may change with another one."""

TABLE: Final = "AWS::DynamoDB::Table"

KINDS: Final = {
    TABLE: "table",
    "AWS::Lambda::Function": "function",
    "AWS::Lambda::Permission": "permission",
    "AWS::Lambda::EventSourceMapping": "way from the queue",
    "AWS::Lambda::EventInvokeConfig": "rule for repetitions",
    "AWS::SQS::Queue": "queue",
    "AWS::IAM::Role": "role",
    "AWS::IAM::Policy": "policy",
    "AWS::IAM::ManagedPolicy": "policy",
    "AWS::Logs::LogGroup": "log",
    "AWS::Events::Rule": "schedule",
    "AWS::Scheduler::Schedule": "schedule",
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::CloudWatch::Dashboard": "dashboard",
    "AWS::SNS::Topic": "topic for alarms",
    "AWS::SNS::Subscription": "subscription of the alarms",
    "AWS::ApiGatewayV2::Api": "API",
    "AWS::ApiGatewayV2::Integration": "API's integration",
    "AWS::ApiGatewayV2::Route": "API's route",
    "AWS::ApiGatewayV2::Stage": "API's stage",
    "AWS::CloudFormation::Stack": "stack",
}

# By the property of a resource: how it is called, and the unit of its value.
_PARTS: Final = {
    "MemorySize": ("memory", " MB"),
    "Timeout": ("timeout", " s"),
    "VisibilityTimeout": ("visibility timeout", " s"),
    "RetentionInDays": ("kept", " days"),
    "Runtime": ("runtime", ""),
    "Policies": ("rights", ""),
    "DashboardBody": ("what it shows", ""),
    "ScalingConfig": ("how many run at once", ""),
}

# A table is made anew where one of these changes (CloudFormation template reference: AWS::DynamoDB::Table).
_REPLACING: Final = frozenset({"TableName", "KeySchema", "LocalSecondaryIndexes", "ImportSourceSpecification"})


@dataclass(frozen=True, slots=True)
class Side:
    """A template with the values of its parameters that are no secrets."""

    template: Mapping[str, Any]
    values: Mapping[str, str]

    def properties(self, logical: str) -> Mapping[str, Any]:
        """The properties of a resource, as far as they are known before it is there."""
        resource = self.template.get("Resources", {}).get(logical, {})
        found: Mapping[str, Any] = settled(resource.get("Properties", {}), self.template, self.values)
        return found


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one resource; `parts` are what changes of it, `unsure`: it may be made anew."""

    action: Action
    logical: str
    kind: str
    parts: tuple[str, ...] = ()
    unsure: bool = False

    @property
    def loses(self) -> bool:
        """Whether the bots would not know their conversations any more."""
        return self.kind == TABLE and self.action in ("replaced", "deleted", "exchanged")


def read_changes(changes: Iterable[Mapping[str, Any]], old: Side, new: Side, in_use: str = "") -> tuple[Change, ...]:
    """AWS's changes (CloudFormation API reference: ResourceChange), in the order of what they mean.

    `in_use` is the name of the table where the conversations are; empty where there are none yet.
    """
    found = [_read(one["ResourceChange"], old, new) for one in changes if "ResourceChange" in one]
    if in_use:
        found += _exchange(in_use, old.values.get("Table", ""), new.values.get("Table", ""))
    order: list[Action] = ["exchanged", "replaced", "deleted", "left", "made", "changed", "follows"]
    return tuple(sorted(found, key=lambda change: (not change.loses, order.index(change.action), change.logical)))


def _exchange(in_use: str, was: str, will: str) -> list[Change]:
    """Whether another table takes the place of the one in use, by the setting of old and of new."""
    if will in (was, in_use):
        return []
    return [Change("exchanged", in_use, TABLE, (f"by {will}" if will else "by a new, empty one",))]


def _read(told: Mapping[str, Any], old: Side, new: Side) -> Change:
    logical, kind = told["LogicalResourceId"], told["ResourceType"]
    if told["Action"] in ("Add", "Import"):
        return Change("made", logical, kind)
    if told["Action"] == "Remove":
        policy = told.get("PolicyAction") or old.template.get("Resources", {}).get(logical, {}).get("DeletionPolicy")
        return Change("left" if policy in ("Retain", "RetainExceptOnCreate") else "deleted", logical, kind)
    was, will, details = old.properties(logical), new.properties(logical), told.get("Details", ())
    names = [name for name in {**was, **will} if was.get(name) != will.get(name)]
    names += [name for name in _direct(details) if name not in names]
    parts = tuple(_part(name, was.get(name), will.get(name)) for name in names)
    replacement = told.get("Replacement", "False")
    if replacement == "True" or told.get("PolicyAction", "").startswith("ReplaceAnd"):
        return Change("replaced", logical, kind, parts)
    if kind == TABLE and replacement != "False" and _REPLACING.intersection(names):
        return Change("replaced", logical, kind, parts)
    if not names:
        return Change("follows", logical, kind)
    return Change("changed", logical, kind, parts, unsure=replacement == "Conditional" and bool(details))


def _direct(details: Iterable[Mapping[str, Any]]) -> list[str]:
    """The properties that change for sure, and not only if another resource does."""
    targets = [one.get("Target", {}) for one in details if one.get("Evaluation") == "Static"]
    return list(dict.fromkeys(one.get("Name") or one.get("Attribute", "") for one in targets))


def _part(name: str, was: Any, will: Any) -> str:
    if name == "Code":
        return "new code"
    if name == "Environment":
        return _environment(was, will)
    words, unit = _PARTS.get(name, (re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower(), ""))
    if _is_plain(was) and _is_plain(will) and was != will:
        return f"{words} {was} → {will}{unit}"
    return words


def _environment(was: Any, will: Any) -> str:
    """Names alone: a value may be a secret."""
    before, after = ((one or {}).get("Variables", {}) for one in (was, will))
    names = [f"+{name}" for name in after if name not in before] + [f"−{name}" for name in before if name not in after]
    names += [name for name in after if name in before and before[name] != after[name]]
    return f"environment ({', '.join(names)})" if names else "environment"


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and 0 < len(str(value)) <= 40


def called(logical: str, kind: str) -> str:
    """A resource as a person would call it: `the function Worker`."""
    words = KINDS.get(kind, kind.removeprefix("AWS::").replace("::", " "))
    return f"the {words}" if words.lower().split()[-1] == logical.lower() else f"the {words} {logical}"


def told(change: Change) -> str:
    """The change in one line."""
    what, parts = called(change.logical, change.kind), f": {', '.join(change.parts)}" if change.parts else ""
    match change.action:
        case "made":
            return f"{what} is made"
        case "changed":
            return f"{what}{parts}{'; it may be made anew' if change.unsure else ''}"
        case "exchanged":
            return (
                f"the table {change.logical} would be EXCHANGED {change.parts[0]}: the bots would not know their "
                "conversations any more, unless they are there"
            )
        case "replaced" if change.loses:
            return (
                f"{what} would be REPLACED by an empty one{parts}: the bots would not know their conversations any more"
            )
        case "replaced":
            return f"{what} is made anew{parts}{_moved(change)}"
        case "deleted" if change.loses:
            return f"{what} would be DELETED, with all conversations"
        case "deleted":
            return f"{what} is deleted"
        case "left":
            return f"{what} is let go: it stays in the account, with all that is in it, and the bots do not use it"
        case _:
            return f"{what} may change with others"


def _moved(change: Change) -> str:
    return "; the webhook addresses change with it" if change.kind == "AWS::ApiGatewayV2::Api" else ""


def counted(changes: Iterable[Change]) -> str:
    """All in one line: `2 made, 5 changed`."""
    words = {"made": "made", "changed": "changed", "replaced": "made anew", "deleted": "deleted", "left": "let go"}
    actions = [change.action for change in changes]
    return ", ".join(f"{actions.count(one)} {word}" for one, word in words.items() if one in actions)
