"""Where the commands find the bots."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from difflib import get_close_matches
from pathlib import Path

from botkit.errors import Problem
from botkit.spec.files import bot_files
from botkit.spec.loader import load_folder


def bots_folder(environ: Mapping[str, str]) -> Path:
    """`BOTKIT_BOTS`, or `./bots`."""
    return Path(environ.get("BOTKIT_BOTS") or "bots")


def unknown_bots(folder: Path, names: Sequence[str]) -> list[Problem]:
    """A problem for each of `names` that no file of the folder bears."""
    known = [path.stem for path in bot_files(folder)]
    return [_unknown(folder, name, known) for name in names if name not in known]


def zone_of(folder: Path, name: str) -> tzinfo | None:
    """Where the bot lives; None, which is the machine's own zone, where its file is wrong."""
    bot = load_folder(folder, [name]).bots.get(name)
    return bot.timezone if bot else None


def nothing_in(folder: Path) -> str:
    """Why there are no bots: the folder is empty, or there is none."""
    if folder.is_dir():
        return f"the folder {folder} holds no bots"
    return f"there is no folder {folder}, as seen from {Path.cwd()} (BOTKIT_BOTS names another)"


def _unknown(folder: Path, name: str, known: Sequence[str]) -> Problem:
    near = get_close_matches(name, known, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"there is {', '.join(known)}" if known else nothing_in(folder)
    return Problem(str(folder / f"{name}.yaml"), 0, 0, f"there is no such bot; {hint}")
