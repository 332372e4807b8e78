"""Validation of a file's parts by their models: every finding becomes a problem at its place."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from botkit.spec.document import MAX_PROBLEMS, Document, Path
from botkit.spec.problems import explain, fields_at

M = TypeVar("M", bound=BaseModel)


class Reading:
    """Reads what one parsed file says; lives for that one file."""

    def __init__(self, source: Document) -> None:
        self.source = source
        # Where the YAML itself is wrong, what follows from that is not told too.
        self.marred = {(problem.file, problem.line) for problem in source.problems}

    def complain(self, path: Path, text: str) -> None:
        """Add an error at the place of `path`."""
        place = self.source.place_of(path)
        if (place.file, place.line) not in self.marred:
            self.source.complain_at(place, text)

    def validate(self, kind: type[M], value: Any, path: Path, known: Iterable[str]) -> M | None:
        """`value`, which stands at `path`, as a `kind`; None where it is none. `known` are the options of `kind`."""
        try:
            return self._validated(kind, value, path)
        except ValidationError as error:
            for details in error.errors(include_url=False)[:MAX_PROBLEMS]:
                self.blame(kind, details, path, known)
        return None

    def blame(self, kind: type[M], details: ErrorDetails, path: Path, known: Iterable[str]) -> None:
        """Complain of one finding."""
        neighbours = known if len(details["loc"]) == 1 else fields_at(kind, details["loc"][:-1])
        self.complain((*path, *details["loc"]), explain(details, path, neighbours))

    def context(self) -> Mapping[str, Any]:
        """What the models' validators are given."""
        return {}

    def _validated(self, kind: type[M], value: Any, path: Path) -> M:
        """Validate; where a text was wanted and a plain scalar stands, take it as it was written, and try again."""
        context = self.context()
        try:
            return kind.model_validate(value, context=context)
        except ValidationError as error:
            wanted = [details["loc"] for details in error.errors() if details["type"] in ("string_type", "model_type")]
            notes = self.source.written
            texts = {standing(value, loc) for loc in wanted}
            given = [loc for loc in texts if loc and (*path, *loc) in notes and get(value, loc) is not None]
            if not given:
                raise
        for loc in given:
            put(value, loc, notes[*path, *loc])
        return kind.model_validate(value, context=context)


def standing(value: Any, loc: Path) -> Path:
    """`loc`, which a model knows, less what is only implied: the option of a short form, a list of one."""
    kept: list[str | int] = []
    for number, key in enumerate(loc):
        is_there = isinstance(value, dict) if isinstance(key, str) else isinstance(value, list)
        if is_there or (key == "[key]" and number == len(loc) - 1):
            kept.append(key)
            value = get(value, (key,))
    return tuple(kept)


def get(value: Any, loc: Path) -> Any:
    """What stands at `loc` in `value`; None where nothing does."""
    for key in loc:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def put(value: Any, loc: Path, text: str) -> None:
    """Put a text where something else stood."""
    get(value, loc[:-1])[loc[-1]] = text
