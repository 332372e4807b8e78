"""Appending: one more scenario at the end of a test file, in which nothing else changes."""

import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import yaml

from botkit.errors import Problem, SpecError
from botkit.scenarios.file.loader import LIMITS, stem_of
from botkit.scenarios.file.reading import FileReading
from botkit.scenarios.file.values import LONGEST_NAME
from botkit.scenarios.transcripts.draft import Draft
from botkit.scenarios.transcripts.handwriting import handwritten
from botkit.spec import document
from botkit.spec.document import Document
from botkit.spec.files import shown_path

SCHEMA: Final = "../docs/test-file.schema.json"


@dataclass(frozen=True, slots=True)
class TestFile:
    """A test file as it was read: its bytes, the names of its scenarios, and in which column (from 0) they begin."""

    __test__ = False  # to pytest: this is no test

    path: Path
    content: bytes | None
    names: tuple[str, ...] = ()
    column: int = 0
    data: Any = None


def read_tests(path: Path) -> TestFile:
    """The test file at `path`, which need not be there. Raises SpecError where nothing can be added to it."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return TestFile(path, None)
    except OSError as error:
        raise _wrong(path, f"it cannot be read: {error.strerror}; check the file") from error
    source = document.read(content, shown_path(path), LIMITS)
    if source.complete and source.data is None and not source.problems:  # nothing, or remarks alone
        return TestFile(path, content)
    names = _names(source, path)
    events = yaml.parse(content, Loader=yaml.SafeLoader)
    first = next(event for event in events if isinstance(event, yaml.SequenceStartEvent))
    if first.flow_style:
        raise _wrong(path, "its scenarios stand in brackets; write a list, with a dash before each of them", 1)
    column = first.start_mark.column if first.start_mark else 0
    return TestFile(path, content, names, column, source.data)


def unique(name: str, names: Collection[str]) -> str:
    """The name, with a number after it where a scenario has it already."""
    numbered = (f"{name[: LONGEST_NAME - 6]} ({number})" for number in count(2))
    return name if name not in names else next(one for one in numbered if one not in names)


def append(tests: TestFile, draft: Draft) -> None:
    """Write the draft at the file's end, whole or not at all. Raises SpecError where that cannot be."""
    path, before = tests.path, tests.content
    for gap in ("\n", ""):  # an empty line would belong to a block of text that keeps those at its end
        content = _joined(tests, draft, gap)
        source = document.read(content, shown_path(path), LIMITS)
        FileReading(source, stem_of(path), path.parent).scenarios()
        if not source.problems and source.data[:-1] == (tests.data or []):
            return _replace(path, before, content)
    if source.problems:
        raise SpecError(source.problems)
    raise _wrong(path, "nothing can be added at its end; end it with a scenario, without marks such as `...`")


def _joined(tests: TestFile, draft: Draft, gap: str) -> bytes:
    before, text = tests.content, handwritten(draft, tests.column)
    if before is None:
        is_there = (tests.path.absolute().parent / SCHEMA).resolve().is_file()
        return ((f"# yaml-language-server: $schema={SCHEMA}\n" if is_there else "") + text).encode()
    added = ("" if before.endswith(b"\n") or not before else "\n") + (gap if tests.data else "") + text
    return before + (added.replace("\n", "\r\n") if b"\r\n" in before else added).encode()


def _replace(path: Path, before: bytes | None, content: bytes) -> None:
    """Put the new content in the file's place, unless it has changed meanwhile."""
    path = Path(os.path.realpath(path))
    growing = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        growing.write_bytes(content)
        if before is not None:
            shutil.copymode(path, growing)
        if (path.read_bytes() if path.exists() else None) != before:
            raise _wrong(path, "it was changed meanwhile; nothing is written, record again")
        growing.replace(path)
    except OSError as error:
        raise _wrong(path, f"it cannot be written: {error.strerror}; correct that, and record again") from error
    finally:
        growing.unlink(missing_ok=True)


def _names(source: Document, path: Path) -> tuple[str, ...]:
    """The scenarios' names. Raises SpecError where the file is wrong."""
    scenarios = FileReading(source, stem_of(path), path.parent).scenarios()
    if source.problems:
        raise SpecError(sorted(dict.fromkeys(source.problems), key=lambda one: (one.line, one.column)))
    return tuple(one.name for one in scenarios)


def _wrong(path: Path, text: str, line: int = 0) -> SpecError:
    return SpecError([Problem(shown_path(path), line, 1 if line else 0, text)])
