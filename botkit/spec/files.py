"""Which files of a folder are bots, and how they are named to people."""

import re
from pathlib import Path

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def bot_files(folder: Path) -> list[Path]:
    """The files of `folder` that are bots, by name: `*.yaml` (and `*.yml`) less `_*`, `*.test.yaml` and hidden ones."""
    files = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    return [path for path in files if not path.name.startswith(("_", ".")) and not path.name.endswith(".test.yaml")]


def name_fault(name: str) -> str | None:
    """What is wrong with a bot's name, for an example to follow; None where it may stand in an address."""
    if _NAME.fullmatch(name):
        return None
    return f"`{name}` cannot be a bot's name; use up to 32 of a-z, 0-9 and -"


def shown_path(path: Path) -> str:
    """A file as it is shown to people: from the working directory on, where it is there."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
