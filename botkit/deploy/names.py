"""Logical names: how what the bots bring is called in the template."""

import re
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

_LONGEST: Final = 200
"""Characters; CloudFormation takes 255 (CloudFormation quotas: Parameter name)."""


def logical_names(names: Iterable[str], prefix: str = "", taken: Iterable[str] = ()) -> dict[str, str]:
    """The logical name of each: `prefix` and CamelCase, such as `OpenaiApiKey` of OPENAI_API_KEY.

    Those that would be the same, or one of `taken`, are told apart by what depends on the name alone:
    a name that were to change would be another parameter to CloudFormation, whose value is not known.
    """
    plain = {name: prefix + "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", name)) for name in names}
    counts = Counter([*plain.values(), *taken])
    return {
        name: logical if counts[logical] == 1 and len(logical) <= _LONGEST else logical[:_LONGEST] + _mark(name)
        for name, logical in plain.items()
    }


def _mark(name: str) -> str:
    return f"X{sha256(name.encode()).hexdigest()[:8]}"
