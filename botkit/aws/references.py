"""Secret references: how they are written, and where each one leads."""

import re
from typing import Final

_FORMS: Final = {
    "env": (re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*"), "write env:NAME, the name of an environment variable"),
    # AWS: at most 15 levels (Systems Manager user guide: requirements and constraints for parameter names).
    "ssm": (
        re.compile(r"ssm:(?:/[A-Za-z0-9_.-]+){1,15}"),
        "write ssm:/path/name, the name of a parameter with its leading slash",
    ),
    # AWS: these characters, at most 512 (Secrets Manager API reference: CreateSecret, Name).
    "secretsmanager": (
        re.compile(
            r"secretsmanager:"
            r"(?:arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:)?[A-Za-z0-9/_+=.@-]{1,512}"
            r"(?:#[^\s#]+)?"
        ),
        "write secretsmanager:id#key, the name or ARN of a secret and a key of its JSON, "
        "or secretsmanager:id for all of its text",
    ),
}


def reference_fault(reference: object) -> str | None:
    """What is wrong with a secret reference, and what to write; None where it is well formed.

    The words go after a noun (`line.channel_secret is not …`). They never show the reference: what
    is not one may be the secret itself.
    """
    kind = reference.partition(":")[0] if isinstance(reference, str) else ""
    if not isinstance(reference, str) or kind not in _FORMS:
        return "is not a secret reference; write env:NAME, ssm:/path/name or secretsmanager:id#key"
    form, cure = _FORMS[kind]
    return None if form.fullmatch(reference) else f"is not a well-formed {kind}: reference; {cure}"


def split_reference(reference: str) -> tuple[str, str]:
    """The source that AWS is asked for (`secretsmanager:id`), and the key in it, or an empty string."""
    source, _, key = reference.partition("#")
    return source, key
