"""What an examination finds: each thing is good, odd or wrong, and what is not good comes with its cure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["ok", "warning", "error"]

USER_ID: Final = "user_id"
"""What is said about an account whose file does not name it: its user id."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `about` is its name in a word. `cure` is "" where all is well, or `text` has it.

    `brief` are the words for a line that sums all up; "" where they are not worth a place in it.
    """

    about: str
    severity: Severity
    text: str
    cure: str = ""
    brief: str = ""

    @property
    def facts(self) -> dict[str, str]:
        """The finding for programs."""
        return {"about": self.about, "severity": self.severity, "text": self.text, "cure": self.cure}


def good(about: str, text: str, brief: str = "") -> Finding:
    """All is well."""
    return Finding(about, "ok", text, brief=brief)


def odd(about: str, text: str, cure: str) -> Finding:
    """It works, and may not for long, or not as it is meant."""
    return Finding(about, "warning", text, cure)


def wrong(about: str, text: str, cure: str) -> Finding:
    """It does not work."""
    return Finding(about, "error", text, cure)


def wrong_as(about: str, error: Exception, cure: str = "") -> Finding:
    """What an error says; where no other cure is given, its own is what follows its last semicolon."""
    text, _, own = str(error).rpartition("; ")
    return Finding(about, "error", text if text and not cure else str(error), cure or (own if text else ""))


def worst(findings: Iterable[Finding]) -> Severity:
    """The severity of all of them together."""
    found = {finding.severity for finding in findings}
    return "error" if "error" in found else "warning" if "warning" in found else "ok"


def count(findings: Iterable[Finding], severity: Severity) -> int:
    """How many there are of it."""
    return sum(finding.severity == severity for finding in findings)


@dataclass(frozen=True, slots=True)
class Section:
    """What was found of one thing: a bot, the deployment or this machine."""

    kind: Literal["bot", "deployment", "machine"]
    name: str
    findings: Sequence[Finding]
