"""The bots as they go into a package: checked, without what is not theirs, and parsed already."""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from botkit.errors import DeployError, Problem, SpecError
from botkit.spec.loader import Loaded, load_folder
from botkit.steps.persona import Persona

REQUIREMENTS = "requirements.txt"
"""Packages for steps of the user's own; it may name an index with its password, and stays here."""


def check(bots: Path) -> Loaded:
    """The bots, all of them good. Raises SpecError, and DeployError where they would not be found in a package."""
    loaded = load_folder(bots)
    if loaded.problems:
        raise SpecError(loaded.problems)
    if not loaded.bots:
        raise SpecError([Problem(str(bots), 0, 0, "holds no bots; make one: botkit new NAME")])
    own = any(not type(step).__module__.startswith("botkit.") for bot in loaded.bots.values() for step in bot.steps)
    if own and bots.resolve().name != "bots":
        name = bots.resolve().name
        raise DeployError(
            f"a package has its bots in a folder named bots, and steps of your own are imported by that name; "
            f"rename {name}/, and write `use: bots.…`"
        )
    return loaded


def copy(loaded: Loaded, bots: Path, to: Path) -> None:
    """Copy what the bots may read into the folder `to`. Raises DeployError for what must not go into a package."""
    for name, path in files_of(bots):
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    for bot in loaded.bots.values():
        persona = bot.step(Persona)
        needed = [persona.file] if persona and persona.file else []
        for missing in (name for name in needed if not (to / name).is_file()):
            raise DeployError(f"{bots / missing} is hidden, and does not go into a package; give it another name")


def files_of(bots: Path) -> Iterator[tuple[str, Path]]:
    """The files of a bots folder that are packaged, by their paths in it; links are followed.

    Not packaged are scenarios and their recordings, hidden files, what Python and editors leave, requirements, and what
    holds keys. Raises DeployError.
    """
    yield from _walk(bots, bots.resolve(), "")


# What is for this machine alone, and what may hold a key or the password of an index.
_REQUIREMENTS = re.compile(r"(requirements|constraints)[\w.-]*\.(txt|in)")
_LEFT_OUT = (".test.yaml", ".test.yml", ".test.json", ".pyc", ".env", ".pem", ".key", ".p12", ".bak", ".swp", "~")


def _walk(folder: Path, root: Path, below: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.iterdir()):
        name = f"{below}{path.name}"
        if not _is_packaged(name):
            continue
        real = _followed(path, root)
        if real.is_dir():
            if folder.resolve().is_relative_to(real):
                raise DeployError(f"{path} is a link that goes round in a circle; remove it")
            yield from _walk(path, root, f"{name}/")
        else:
            yield name, real


def _is_packaged(name: str) -> bool:
    last = name.rpartition("/")[2]
    if last.startswith(".") or last in ("__pycache__", "pip.conf", "pip.ini", "uv.toml"):
        return False
    if _REQUIREMENTS.fullmatch(last) or ".env." in last:
        return False
    return not last.endswith(_LEFT_OUT)


def _followed(path: Path, root: Path) -> Path:
    """The file or folder itself. Raises DeployError for what cannot be packaged."""
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise DeployError(f"{path} is a link that leads nowhere; remove it") from error
    if not real.is_relative_to(root):
        raise DeployError(f"{path} is a link that leads out of the bots folder; put the file itself there")
    if any(part.startswith(".") for part in real.relative_to(root).parts):
        raise DeployError(f"{path} is a link to a hidden file; put the file itself there")
    mode = real.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise DeployError(f"{path} is neither a file nor a folder; remove it")
    if "\\" in path.name or not path.name.isprintable():
        raise DeployError(f"{os.fsencode(path)!r} has a name that not every zip can hold; rename it")
    return real
