"""`extends`: a bot file laid over another one of its folder; maps merge, lists and single values replace."""

from pathlib import Path
from typing import Any

from botkit.spec import document
from botkit.spec.document import Document
from botkit.steps import STEPS


def read_whole(path: Path, shown: str) -> Document:
    """The file with all that it extends laid beneath it; mistakes are in `problems`, each at its own place.

    Raises OSError where the file itself cannot be read.
    """
    return _read(path, shown, ())


def _read(path: Path, shown: str, above: tuple[Path, ...]) -> Document:
    source = document.read(path.read_bytes(), shown)
    if not isinstance(source.data, dict):
        return source
    _write_long(source)
    if "extends" not in source.data:
        return source
    base = _base(source, path, (*above, path))
    del source.data["extends"]
    return _laid_over(base, source) if base is not None else source


def _base(source: Document, path: Path, above: tuple[Path, ...]) -> Document | None:
    name = source.data["extends"]
    if not isinstance(name, str) or not name.endswith(".yaml") or Path(name).name != name:
        source.complain(("extends",), f"extends: {name!r} is not a file of this folder; write a name such as _inn.yaml")
        return None
    base = path.with_name(name)
    if base in above:
        chain = " → ".join(one.name for one in (*above, base))
        source.complain(("extends",), f"extends: goes round in a circle ({chain}); take one of them out")
        return None
    try:
        return _read(base, str(Path(source.file).with_name(name)), above)
    except OSError:
        source.complain(("extends",), f"extends: there is no file {name} in this folder; it counts from there")
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
    merged = Document(top.file, complete=base.complete and top.complete)
    merged.data = _merge(base, base.data, top.data, ())
    merged.places = {**base.places, **top.places}
    merged.written = {**base.written, **top.written}
    merged.blocks = {**base.blocks, **top.blocks}
    merged.problems = [*base.problems, *top.problems]
    return merged


def _merge(base: Document, below: Any, above: Any, path: document.Path) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        _forget(base, path)
        return above
    merged = dict(below)
    for key, value in above.items():
        merged[key] = _merge(base, below[key], value, (*path, key)) if key in below else value
    return merged


def _forget(base: Document, path: document.Path) -> None:
    """What is replaced leaves no notes behind that could be taken for the new value's."""
    notes: tuple[dict[document.Path, Any], ...] = (base.places, base.written, base.blocks)
    for kind in notes:
        for noted in [noted for noted in kind if noted[: len(path)] == path]:
            del kind[noted]
