"""The values of the template's parameters: given, from the environment, kept as they are deployed, or missing."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Any, Final, Literal
from urllib.parse import urlsplit

SETTINGS: Final = {"OpenaiBaseUrl": "OPENAI_BASE_URL", "LineUrl": "BOTKIT_LINE_URL"}
"""Parameters that are not secrets and come from the environment, by name: addresses."""
LARGEST: Final = 4096
"""Bytes of a parameter's value (CloudFormation quotas)."""

Origin = Literal["given", "environment", "kept"]


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter's value and where it comes from; `text` is None where the deployed one is kept.

    `variable` is the environment variable of the functions that it becomes, if it is one. Not shown where `secret`.
    """

    name: str
    text: str | None = field(repr=False)
    origin: Origin
    secret: bool
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Values:
    """All values that are not the template's defaults; `faults` say which are missing or wrong, and what to do."""

    all: tuple[Value, ...]
    faults: tuple[str, ...]

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that must not be shown."""
        return tuple(value.text for value in self.all if value.secret and value.text)

    def wire(self) -> list[dict[str, Any]]:
        """As CloudFormation takes them."""
        return [
            {"ParameterKey": one.name, "UsePreviousValue": True}
            if one.text is None
            else {"ParameterKey": one.name, "ParameterValue": one.text}
            for one in self.all
        ]

    def plain(self, template: Mapping[str, Any], deployed: Mapping[str, str]) -> dict[str, str]:
        """Every parameter that is no secret with the value that it will have."""
        found = defaults_of(template)
        for one in self.all:
            if one.name in found:
                found[one.name] = deployed.get(one.name, "") if one.text is None else one.text
        return found


def defaults_of(template: Mapping[str, Any]) -> dict[str, str]:
    """The defaults of all parameters that are no secrets; empty where there is none."""
    declared = template.get("Parameters", {})
    return {name: str(about.get("Default", "")) for name, about in declared.items() if not _is_secret(about)}


def settle(
    template: Mapping[str, Any],
    environ: Mapping[str, str],
    given: Mapping[str, str],
    deployed: Mapping[str, str],
) -> Values:
    """The value of each parameter of the template: as `given`, else as the environment has it, else as `deployed`.

    `given` are those of the command line by the parameter's name. What nobody gives keeps its default, or is a fault
    where there is none.
    """
    declared: Mapping[str, Mapping[str, Any]] = template.get("Parameters", {})
    variables = {**SETTINGS, **template.get("Metadata", {}).get("botkit", {}).get("variables", {})}
    values, faults = [], [_unknown(name, declared) for name in given if name not in declared]
    for name, about in declared.items():
        variable = variables.get(name, "")
        value = _value(name, variable, environ, given, deployed, _is_secret(about))
        if value is not None:
            values.append(value)
            found = _exposed(value) if value.secret and value.origin == "given" else _faults(value, about)
            faults += [f"{_called(value)} {fault}" for fault in found]
        elif "Default" not in about:
            faults.append(f"{variable or name} is not set: {_cure(name, variable)}")
    return Values(tuple(values), tuple(faults))


def _value(
    name: str,
    variable: str,
    environ: Mapping[str, str],
    given: Mapping[str, str],
    deployed: Mapping[str, str],
    secret: bool,
) -> Value | None:
    if name in given:
        return Value(name, given[name], "given", secret, variable)
    text = (environ.get(variable) or "").strip() if variable else ""
    # An address of one's own network is meant for trying; where it was said once what is meant for AWS, that stays.
    if text and not (name in deployed and name in SETTINGS and is_local(text)):
        return Value(name, text, "environment", secret, variable)
    return Value(name, None, "kept", secret, variable) if name in deployed else None


def _is_secret(about: Mapping[str, Any]) -> bool:
    return str(about.get("NoEcho", "")).lower() == "true"


def _unknown(name: str, declared: Mapping[str, Any]) -> str:
    near = get_close_matches(name, declared, 1)
    hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(declared)}"
    return f"--set {name}: there is no such parameter; {hint}"


def _called(value: Value) -> str:
    return f"--set {value.name}:" if value.origin == "given" else value.variable or value.name


def _cure(name: str, variable: str) -> str:
    return "set it in the environment or in .env" if variable else f"--set {name}=…"


def _exposed(value: Value) -> Iterator[str]:
    where = f"set {value.variable} in the environment or in .env" if value.variable else "keep it in AWS"
    yield f"a secret that stands in a command shows in `ps` and in the shell's history: {where}"


def _faults(value: Value, about: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a value, before AWS says so. A secret is not shown."""
    text, is_address = value.text, value.name in SETTINGS
    if text is None:
        return
    shown = "the value" if value.secret or (is_address and "//" not in text) else repr(without_credentials(text))
    if is_address and _has_credentials(text):
        yield f"has a password or a key in it, which would not stay secret: {_KEYLESS[value.name]}"
    elif len(text.encode()) > LARGEST:
        yield f"has more than {LARGEST:,} bytes, the most that CloudFormation takes; keep it in AWS, as ssm:/path/name"
    elif "AllowedValues" in about and text not in (allowed := [str(one) for one in about["AllowedValues"]]):
        yield f"{shown} is none of {', '.join(allowed)}"
    elif about.get("Type") == "Number" and (fault := _number_fault(text, about)):
        yield f"{shown} {fault}"
    elif not re.fullmatch(about.get("AllowedPattern", "(?s:.*)"), text):
        yield f"{shown} {about.get('ConstraintDescription', 'is not of the form ' + about['AllowedPattern'])}"
    elif len(text) < int(about.get("MinLength", 0)):
        yield f"{shown} is too short"
    elif value.origin == "environment" and is_address and is_local(text):
        yield (
            f"is {without_credentials(text)}, which AWS cannot reach: it is a machine of your own. "
            f"Deploy with --set {value.name}= for the service's own address, or insist with --set {value.name}=…"
        )


def _number_fault(text: str, about: Mapping[str, Any]) -> str:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        return "is no whole number"
    if int(text) < about.get("MinValue", 0):
        return f"is less than {about['MinValue']}"
    return f"is more than {about['MaxValue']}" if int(text) > about.get("MaxValue", int(text)) else ""


def is_local(url: str) -> bool:
    """Whether a URL leads to a machine of one's own network, where no function of AWS comes."""
    try:
        host = (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        return False
    try:
        return not ip_address(host).is_global
    except ValueError:
        return bool(host) and ("." not in host or host.endswith((".localhost", ".local", ".internal", ".lan")))


def without_credentials(text: str) -> str:
    """A value as it may be shown: of an address neither user and password nor what follows a `?` or a `#`."""
    if "//" not in text:
        return text
    return re.sub(r"(?s)([?#]).*", r"\1…", re.sub(r"(?s)(?<=//).*@", "…@", text))


def _has_credentials(url: str) -> bool:
    """Whether a URL names a user, or has something in its query that is called like a key."""
    return bool(re.search(r"//[^/?#]*@", url) or re.search(rf"[?&#;][\w.-]*{_KEY}[\w.-]*=.", url, re.IGNORECASE))


_KEY: Final = "(?:key|token|secret|passw|pwd|auth|credential|sig)"
_KEYLESS: Final = {
    "OpenaiBaseUrl": "leave it out, and put the key into model.api_key",
    "LineUrl": "leave it out",
}
