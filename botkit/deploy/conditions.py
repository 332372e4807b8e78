"""As much of a template's language as can be worked out before anything is there: parameters, conditions, mappings."""

from collections.abc import Mapping
from typing import Any

NOTHING = {"Ref": "AWS::NoValue"}


def settled(value: Any, template: Mapping[str, Any], values: Mapping[str, str]) -> Any:
    """A part of a template with the parameters of `values` filled in; what depends on AWS's answers stays as it is."""
    if isinstance(value, list):
        items = [settled(one, template, values) for one in value]
        return [one for one in items if one != NOTHING]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Ref":
            return values.get(argument, value)
        if name == "Fn::If":
            chosen = argument[1] if holds({"Condition": argument[0]}, template, values) else argument[2]
            return settled(chosen, template, values)
        if name == "Fn::FindInMap":
            return _in_map(settled(argument, template, values), template, value)
    filled = {name: settled(one, template, values) for name, one in value.items()}
    return {name: one for name, one in filled.items() if one != NOTHING}


def holds(condition: Any, template: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    """Whether a condition of the template holds (CloudFormation template reference: condition functions)."""
    ((name, argument),) = condition.items()
    if name == "Condition":
        return holds(template.get("Conditions", {})[argument], template, values)
    if name == "Fn::Equals":
        one, other = (settled(side, template, values) for side in argument)
        return bool(str(one) == str(other))
    parts = [holds(part, template, values) for part in argument]
    return {"Fn::Not": not parts[0], "Fn::And": all(parts), "Fn::Or": any(parts)}[name]


def _in_map(keys: Any, template: Mapping[str, Any], otherwise: Any) -> Any:
    try:
        first, second, third = keys
        return template["Mappings"][first][str(second)][third]
    except (KeyError, TypeError, ValueError):
        return otherwise
