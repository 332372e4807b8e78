"""Which scenarios are to be played, of which bots, and what is wrong with their files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from botkit.errors import Problem, SpecError
from botkit.scenarios.file.loader import SUFFIX, load_tests, stem_of, test_files
from botkit.scenarios.file.scenario import Scenario
from botkit.scenarios.model.asking import Mode
from botkit.scenarios.model.recording_file import Recordings, path_of, read
from botkit.scenarios.own_modules import OwnModules
from botkit.scenarios.performance import Case
from botkit.simulator.playground.fresh import fresh_imports
from botkit.spec.bot import BotSpec
from botkit.spec.loader import Loaded, load_folder

_UNTESTED = "there is no such file; write scenarios of this bot there"


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for, as the files are now.

    `scenarios` are those to play, of `all_scenarios` of the good files; each of a bot in `bots`. `problems` are of
    files that are wrong, of bots, tests or recordings, and cost their bots all scenarios; `remarks` stop nothing.
    `recorded` is what models have answered before, by bot and scenario.
    """

    folder: Path
    scenarios: tuple[Scenario, ...] = ()
    all_scenarios: tuple[Scenario, ...] = ()
    bots: Mapping[str, BotSpec] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()
    recorded: Mapping[str, Recordings] = field(default_factory=dict, repr=False)

    @property
    def own_code(self) -> bool:
        """Whether any of the bots runs code of the user's own."""
        kinds = (type(step).__module__ for bot in self.bots.values() for step in bot.steps)
        return any(not module.startswith("botkit.") for module in kinds)

    def recordings_of(self, bot: str) -> Path:
        """Where a bot's recordings are kept."""
        return _recordings(self.folder, bot)

    def cases(self, mode: Mode, judge: str | None, times: int = 1) -> list[Case]:
        """The cases of a run; those of one scenario stand together."""
        return [
            Case(self.folder, one, mode, self.recorded[one.bot].get(one.name, ()), judge)
            for one in self.scenarios
            for _ in range(times)
        ]


def select(folder: Path, names: Sequence[str] = (), only: str = "") -> Selection:
    """Read the test files of these bots, or of all, and their bots; `only` are words that a scenario's name has."""
    loaded = {stem_of(path): load_tests(path) for path in test_files(folder, names)}
    # Not together: two bots of one LINE account are nothing to tests.
    bots = load_folder(folder, loaded, together=False) if loaded else Loaded()
    recorded, marred = _recorded(folder, bots.bots)
    good = [one for name, tests in loaded.items() if name in recorded for one in tests.scenarios]
    untested = [Problem(str(folder / f"{name}{SUFFIX}"), 0, 0, _UNTESTED) for name in names if name not in loaded]
    wrong = chain(bots.broken.values(), [marred], (one.problems for one in loaded.values()))
    return Selection(
        folder,
        tuple(one for one in good if has_words(one.name, only)),
        tuple(good),
        bots.bots,
        tuple(dict.fromkeys([*untested, *chain.from_iterable(wrong)])),
        tuple(chain.from_iterable(one.remarks for one in loaded.values())),
        recorded,
    )


def _recorded(folder: Path, bots: Iterable[str]) -> tuple[dict[str, Recordings], list[Problem]]:
    """What was recorded of each bot whose recordings are good, and what is wrong with those of the others."""
    recorded, problems = dict[str, Recordings](), list[Problem]()
    for bot in bots:
        try:
            recorded[bot] = read(_recordings(folder, bot))
        except SpecError as error:
            problems += error.problems
    return recorded, problems


def has_words(name: str, words: str) -> bool:
    """Whether a scenario's name has all of these words, in whatever case and order."""
    return all(word in name.casefold() for word in words.casefold().split())


@contextmanager
def own_code_of(folder: Path) -> Iterator[None]:
    """Within it, steps of the user's own are imported as their files are now, and are not left behind."""
    with OwnModules(folder).at_hand(), fresh_imports(folder):
        yield


def _recordings(folder: Path, bot: str) -> Path:
    return path_of(folder / f"{bot}{SUFFIX}")
