"""Bot files that a package carries parsed already, beside the files themselves: a cold start needs no YAML."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Any

from botkit.spec import document
from botkit.spec.document import Document, Place
from botkit.spec.inherit import read_whole

FOLDER = Path(__file__).parent.parent / "compiled"
"""A file `NAME.json` for each bot. `botkit package` makes it inside the zip; elsewhere there is none."""


def find(path: Path, shown: str, folder: Path = FOLDER) -> Document | None:
    """The document of a bot file, as `read_whole` gives it; None where it was not compiled, or has changed since.

    It is known to be the file's by the SHA-256 of that file and of all that it extends.
    """
    try:
        kept = json.loads((folder / f"{path.stem}.json").read_bytes())
        if path.name not in kept["files"] or kept["files"] != _hashes(path, kept["files"]):
            return None
        return _document(kept, shown)
    except (OSError, ValueError, KeyError, TypeError):  # whatever it is: the file itself is there, too
        return None


def compile_bot(path: Path) -> bytes | None:
    """What `find` reads; None for a file that is wrong. The same bytes for the same files. Raises OSError."""
    whole = read_whole(path, path.name)
    if whole.problems or not whole.complete or not whole.whole:
        return None
    kept = {
        "files": _hashes(path, whole.files),
        "data": whole.data,
        "places": [[list(where), *place] for where, place in whole.places.items()],
        "written": [[list(where), text] for where, text in whole.written.items()],
        "blocks": [[list(where), line] for where, line in whole.blocks.items()],
    }
    return json.dumps(kept, separators=(",", ":")).encode("ascii")


def _hashes(path: Path, names: Iterable[str]) -> dict[str, str]:
    return {name: sha256(path.with_name(name).read_bytes()).hexdigest() for name in names}


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
