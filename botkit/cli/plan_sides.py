"""The two sides that `botkit plan` compares: the bots here, and those deployed or named by --against."""

import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import botkit
from botkit.deploy.description import Description, read
from botkit.deploy.failures import local
from botkit.errors import DeployError
from botkit.spec.files import bot_files

PATIENCE = 60
"""Seconds for describing a folder of bots; own steps may do anything when they are imported."""

_CURE = "look what its own steps do when they are imported"
_OURS = Path(botkit.__file__).parent.parent

Bots = dict[str, Description]


@dataclass(frozen=True, slots=True)
class Side:
    """A folder of bots, and the environment that it counts with. `is_here`: it is the one to be deployed."""

    folder: Path
    environ: Mapping[str, str]
    is_here: bool = False


def described(*sides: Side) -> list[Bots]:
    """The bots of each side, in a process of its own for each. Raises DeployError."""
    with ThreadPoolExecutor(len(sides)) as pool:
        return list(pool.map(_describe, sides))


def _describe(side: Side) -> Bots:
    with TemporaryDirectory(prefix="botkit-") as scratch:
        output, log = Path(scratch, "bots.json"), Path(scratch, "log")
        try:
            code = _run(side, output, log)
        except subprocess.TimeoutExpired:
            raise DeployError(f"{side.folder} was not read within {PATIENCE} seconds; {_CURE}") from None
        except OSError as error:
            raise DeployError(f"cannot read {side.folder}: {local(error)}") from None
        try:
            return read(output)
        except (OSError, ValueError):
            raise DeployError(
                f"{side.folder} could not be read: the process that reads it ended with {code}{_last_words(log)}; "
                f"{_CURE}"
            ) from None


def _run(side: Side, output: Path, log: Path) -> int:
    # What is shown of files here is as `botkit check` shows it, of others as it stands beside their folder.
    folder, cwd = (side.folder, Path.cwd()) if side.is_here else (Path(side.folder.name), side.folder.parent)
    # -P: a folder that happens to hold another botkit must not be taken for this one. -B: nothing is left behind.
    module = ["-P", "-B", "-m", "botkit.cli.describe"]
    path = os.pathsep.join(filter(None, [str(_OURS), side.environ.get("PYTHONPATH")]))
    with log.open("wb") as words:
        return subprocess.run(  # noqa: S603  this Python, and this module
            [sys.executable, *module, str(folder), str(output), str(int(side.is_here))],
            cwd=cwd,
            env={**side.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            timeout=PATIENCE,
            check=False,
        ).returncode


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f" ({last[:200]})" if last else ""


def bots_within(folder: Path, name: str) -> Path:
    """The bots folder that --against means: the folder itself, or the one in it that is called `name`, or bots.

    Raises DeployError where there is none.
    """
    for candidate in (folder, folder / name, folder / "bots"):
        if candidate.is_dir() and bot_files(candidate):
            return candidate
    raise DeployError(f"{folder} holds no bots; name a bots folder, the folder around one, or a zip")
