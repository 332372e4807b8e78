"""Finds and reads test files, `bots/NAME.test.yaml`; every mistake is told with its place, all of them at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from botkit.errors import Problem
from botkit.scenarios.file.reading import FileReading
from botkit.scenarios.file.scenario import Scenario
from botkit.spec import document
from botkit.spec.files import bot_files, shown_path

SUFFIX: Final = ".test.yaml"
LIMITS: Final = document.Limits(
    *("a test file", 1024 * 1024, "keep fewer scenarios, or say less in each"),
    *(50_000, "keep fewer scenarios"),
    "put all scenarios into one list",
)
"""Some six thousand turns."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A test file as it was read: its scenarios, or its problems. `remarks` are good to know, and stop nothing."""

    scenarios: tuple[Scenario, ...] = ()
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()


def test_files(folder: Path, only: Iterable[str] = ()) -> list[Path]:  # noqa: PT028  it is no test
    """The test files of `folder` by name, less `_*` and hidden ones; of the bots in `only`, or of all."""
    wanted = set(only)
    files = sorted(path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith(("_", ".")))
    return [path for path in files if not wanted or stem_of(path) in wanted]


def stem_of(path: Path) -> str:
    """The bot that a test file is of."""
    return path.name.removesuffix(SUFFIX)


def load_tests(path: Path) -> Loaded:
    """The scenarios of a test file; none where anything in it is wrong. Raises nothing for what it holds."""
    shown = shown_path(path)
    try:
        source = document.read(path.read_bytes(), shown, LIMITS)
    except OSError as error:
        return Loaded(problems=(Problem(shown, 0, 0, f"it cannot be read: {error.strerror}; check the file"),))
    reading = FileReading(source, stem_of(path), path.parent)
    scenarios = reading.scenarios()
    problems = (
        *_missing_bot(path, shown),
        *sorted(dict.fromkeys(source.problems), key=lambda one: (one.line, one.column)),
    )
    return Loaded(() if problems else scenarios, problems, tuple(reading.remarks[: document.MAX_PROBLEMS]))


def _missing_bot(path: Path, shown: str) -> Iterable[Problem]:
    name, bots = stem_of(path), [one.stem for one in bot_files(path.parent)]
    if name in bots:
        return
    near = get_close_matches(name, bots, 1) or bots[:1] * (len(bots) == 1)
    cure = f"rename it to {near[0]}{SUFFIX}" if near else "a test file is named for its bot"
    yield Problem(shown, 0, 0, f"there is no bot {name}.yaml beside it; {cure}")
