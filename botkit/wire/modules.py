"""What is imported only where it is needed, since most starts do without it."""

from importlib import import_module
from typing import Any, Literal


def load(name: Literal["botocore.config", "botocore.session", "certifi", "urllib.request"]) -> Any:
    """The module, imported now if it was not before.

    This is one of the named places that the house has for it (DESIGN.md, the one allowed lazy import): a start
    with plain settings must not pay the 0.2 s that botocore takes, nor for a list of authorities that it does not read.
    """
    return import_module(name)
