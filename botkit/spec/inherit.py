"""`extends`: a bot file laid over another one of its folder; maps merge, lists and single values replace."""

import re
from pathlib import Path
from typing import Any, TypeVar

from botkit.spec import document
from botkit.spec.document import Document
from botkit.steps import STEPS

T = TypeVar("T")

_FILE = re.compile(r"[\w.-]{1,100}\.yaml")

MAX_CHAIN = 10
"""Files that may extend one another in a row."""


def read_whole(path: Path, shown: str) -> Document:
    """The file with all that it extends laid beneath it; mistakes are in `problems`, each at its own place.

    Raises OSError where the file itself cannot be read.
    """
    return _read(path, shown, ())


def _read(path: Path, shown: str, above: tuple[Path, ...]) -> Document:
    source = document.read(path.read_bytes(), shown)
    source.files = (path.name,)
    if not isinstance(source.data, dict):
        if above and source.complete:
            source.complain((), "a file to extend is a mapping of sections, as a bot file is")
        return source
    _write_long(source)
    if "extends" not in source.data:
        return source
    base = _base(source, path, (*above, path))
    del source.data["extends"]
    source.whole = base is not None and isinstance(base.data, dict) and base.whole
    return _laid_over(base, source) if base is not None else source


def _base(source: Document, path: Path, above: tuple[Path, ...]) -> Document | None:
    name = source.data["extends"]
    if not isinstance(name, str) or not _FILE.fullmatch(name):
        source.complain(("extends",), f"extends: {name!r} is not a file of this folder; write a name such as _inn.yaml")
        return None
    base = path.with_name(name)
    if len(above) > MAX_CHAIN:
        source.complain(("extends",), f"extends: more than {MAX_CHAIN} files in a row; put some of them together")
        return None
    if base in above:
        chain = " → ".join(one.name for one in (*above, base))
        source.complain(("extends",), f"extends: goes round in a circle ({chain}); take one of them out")
        return None
    try:
        return _read(base, str(Path(source.file).with_name(name)), above)
    except OSError:
        source.complain(("extends",), f"extends: there is no file {name[:80]} in this folder; it counts from there")
        return None


def _write_long(source: Document) -> None:
    """Sections written short become long, so that a long form can be laid over a short one."""
    for name, kind in STEPS.items():
        value = source.data.get(name)
        if name in source.data and kind.short is not None and not isinstance(value, dict | list | None):
            source.data[name] = {kind.short: value}
            _move(source, (name,), (name, kind.short))


def _move(source: Document, old: document.Path, new: document.Path) -> None:
    source.places.setdefault(new, source.places[old])
    if old in source.written:
        source.written[new] = source.written.pop(old)
    if old in source.blocks:
        source.blocks[new] = source.blocks.pop(old)


def _laid_over(base: Document, top: Document) -> Document:
    """`top` over `base`. What neither file says twice keeps the place where it stands."""
    replaced: set[document.Path] = set()
    if isinstance(base.data, dict):
        _drop_alternative(base.data, top.data)
    merged = Document(top.file, complete=base.complete and top.complete, whole=top.whole)
    merged.data = _merge(base.data, top.data, (), replaced)
    merged.places = {**_kept(base.places, replaced), **top.places}
    merged.written = {**_kept(base.written, replaced), **top.written}
    merged.blocks = {**_kept(base.blocks, replaced), **top.blocks}
    merged.files = (*top.files, *base.files)
    merged.problems = [*base.problems, *top.problems]
    return merged


def _drop_alternative(below: dict[str, Any], above: dict[str, Any]) -> None:
    """A persona is a text or a file: one over the other replaces it."""
    lower, upper = below.get("persona"), above.get("persona")
    if isinstance(lower, dict) and isinstance(upper, dict) and not {"text", "file"}.isdisjoint(upper):
        below["persona"] = {key: value for key, value in lower.items() if key not in ("text", "file")}


def _merge(below: Any, above: Any, path: document.Path, replaced: set[document.Path]) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        replaced.add(path)
        return above
    merged = dict(below)
    for key, value in above.items():
        merged[key] = _merge(below[key], value, (*path, key), replaced) if key in below else value
    return merged


def _kept(notes: dict[document.Path, T], replaced: set[document.Path]) -> dict[document.Path, T]:
    """Less those of what was replaced, which could be taken for the new value's."""
    return {
        path: note
        for path, note in notes.items()
        if not any(path[:length] in replaced for length in range(len(path) + 1))
    }
