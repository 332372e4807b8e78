"""What a package carries of its bots beside their files: parsed already, and the accounts that a door answers for.

A cold start needs no YAML for it, and at the door neither pydantic nor Jinja2.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Any

from botkit.spec import document
from botkit.spec.account import Account
from botkit.spec.document import Document, Place

FOLDER = Path(__file__).parent.parent / "compiled"
"""A file `NAME.json` for each bot. `botkit package` makes it inside the zip; elsewhere there is none."""
ACCOUNTS = "_accounts.json"
"""The accounts of all bots, in the same folder; no bot's name begins like this."""


def find(path: Path, shown: str, folder: Path = FOLDER) -> Document | None:
    """The document of a bot file, as `read_whole` gives it; None where it was not compiled, or has changed since.

    It is known to be the file's by the SHA-256 of that file and of all that it extends.
    """
    try:
        kept = json.loads((folder / f"{path.stem}.json").read_bytes())
        if path.name not in kept["files"] or kept["files"] != hashes(path, kept["files"]):
            return None
        return _document(kept, shown)
    except (OSError, ValueError, KeyError, TypeError):  # whatever it is: the file itself is there, too
        return None


class Accounts:
    """The accounts of those bots that the package was found good with; of none elsewhere than in a package.

    Lives as long as the process; without a `folder` it knows nothing. Of a thousand bots only that one costs anything
    which is asked for.
    """

    def __init__(self, folder: Path | None) -> None:
        try:
            kept = json.loads((folder / ACCOUNTS).read_bytes()) if folder else None
        except (OSError, ValueError):
            kept = None
        self._kept: dict[str, Any] = kept if isinstance(kept, dict) else {}
        self._found: dict[str, Account | None] = {}

    def __bool__(self) -> bool:
        return bool(self._kept)

    def get(self, bot: str, folder: Path) -> Account | None:
        """That of a bot of `folder`; None where it is not kept, or its file, or one that it extends, has changed."""
        if bot in self._kept and bot not in self._found:
            self._found[bot] = self._fresh(bot, folder / f"{bot}.yaml")
        return self._found.get(bot)

    def claiming(self, user_id: str) -> list[str]:
        """The bots whose account has this `line.user_id`, fresh or not."""
        return [bot for bot, one in self._kept.items() if isinstance(one, dict) and one.get("user_id") == user_id]

    def _fresh(self, bot: str, path: Path) -> Account | None:
        kept = self._kept[bot]
        try:
            if path.name not in kept["files"] or kept["files"] != hashes(path, kept["files"]):
                return None
            return Account(bot, tuple(kept["channel_secret"]), kept["user_id"], kept["shares_groups"])
        except (OSError, KeyError, TypeError):  # whatever it is: the file itself is there, too
            return None


def hashes(path: Path, names: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of files in the folder of `path`, by their paths in it. Raises OSError."""
    return {name: sha256((path.parent / name).read_bytes()).hexdigest() for name in names}


def _document(kept: Mapping[str, Any], shown: str) -> Document:
    # Files that a bot extends stand in its folder, and are shown as it is.
    files = {name: shown if name == PurePath(shown).name else _beside(shown, name) for name in kept["files"]}
    places: dict[document.Path, Place] = {
        tuple(where): Place(files[name], line, column) for where, name, line, column in kept["places"]
    }
    written: dict[document.Path, str] = {tuple(where): text for where, text in kept["written"]}
    blocks: dict[document.Path, int] = {tuple(where): line for where, line in kept["blocks"]}
    names = tuple(kept["files"])
    return Document(shown, kept["data"], places, written, blocks, complete=True, files=names)


def _beside(shown: str, name: str) -> str:
    return str(PurePath(shown).with_name(name))
