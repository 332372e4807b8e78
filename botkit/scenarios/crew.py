"""Crew: processes that play cases. One that dies or never ends takes no more with it than the case it was at."""

import logging
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from pickle import PickleError
from time import monotonic
from typing import Final

from botkit.errors import BotkitError, SpecError
from botkit.scenarios.performance import Case
from botkit.scenarios.results import Failure, Result
from botkit.scenarios.running import Player
from botkit.simulator.playground.fresh import fresh_imports

log = logging.getLogger(__name__)

PATIENCE: Final = 60.0
"""Seconds that one scenario may take. Played offline it takes some hundredths."""

Done = Callable[[int, Result], None]
"""Is told of a result, and which of the cases it is of."""

_STEP: Final = "in a step of your own"


def played(player: Player, case: Case) -> Result:
    """One case played, whatever its bot does."""
    try:
        return player.play(case)
    except SpecError as error:
        return broken(case, f"the bot's file is wrong: {error.problems[0]}")
    except (Exception, SystemExit) as error:
        return broken(case, f"{type(error).__name__}: {error}")


def broken(case: Case, came: str, seconds: float = 0.0) -> Result:
    """The result of a case that did not come to its end."""
    scenario = case.scenario
    failure = Failure("broken", scenario.place, "a scenario that comes to its end", came)
    return Result(scenario.bot, scenario.name, scenario.place, failures=(failure,), seconds=seconds)


class Crew:
    """Plays cases in processes, one at a time in each. Lives as long as a run."""

    def __init__(self, environ: Mapping[str, str], size: int, patience: float = PATIENCE) -> None:
        self._environ = dict(environ)
        self._size = size
        self._patience = patience
        self._hands: list[_Hand] = []
        self._waiting: deque[int] = deque()
        self._cases: Sequence[Case] = ()

    def play(self, cases: Sequence[Case], done: Done) -> None:
        """Play all, and tell of each. No process is left over. Raises BotkitError where none can be started."""
        self._cases, self._waiting = cases, deque(range(len(cases)))
        try:
            while self._busy():
                for hand in self._ready():
                    number, result = hand.number, self._heard(hand)
                    if number is not None and result is not None:
                        done(number, result)
        finally:
            for hand in self._hands:
                hand.dismiss()
            self._hands.clear()

    def _busy(self) -> bool:
        """Give every idle hand a case, and hire where there are too few; whether anything is still to be done."""
        while self._waiting:
            idle = next((hand for hand in self._hands if hand.number is None), None)
            if idle is None and len(self._hands) >= self._size:
                break
            number = self._waiting.popleft()
            (idle or self._hire()).begin(number, self._cases[number])
        return any(hand.number is not None for hand in self._hands)

    def _hire(self) -> "_Hand":
        try:
            hand = _Hand.hire(self._environ)
        except OSError as error:
            cure = "add --jobs 1 to play the scenarios without one"
            raise BotkitError(f"no process can be started ({error.strerror}); {cure}") from error
        self._hands.append(hand)
        return hand

    def _ready(self) -> list["_Hand"]:
        """Those that have something to say, have died, or have taken too long."""
        at_work = [hand for hand in self._hands if hand.number is not None]
        left = min(hand.since for hand in at_work) + self._patience - monotonic()
        heard = wait([one for hand in at_work for one in (hand.ear, hand.process.sentinel)], max(left, 0.0))
        return [hand for hand in at_work if hand.is_in(heard) or hand.seconds >= self._patience]

    def _heard(self, hand: "_Hand") -> Result | None:
        """What came of a hand's case."""
        assert hand.number is not None  # noqa: S101
        case, seconds = self._cases[hand.number], hand.seconds
        try:
            if hand.ear.poll():
                result: Result = hand.ear.recv()
                hand.number = None
                return result
        except Exception as error:  # it died, perhaps in the middle of a word; or its word is none that can be read
            log.debug("a process was not understood: %s", error)
        if seconds >= self._patience and hand.process.is_alive():
            why = f"it was not done after {self._patience:g} s and was stopped; look for what never ends {_STEP}"
        else:
            why = hand.end()
        self._hands.remove(hand)
        hand.dismiss()
        return broken(case, why, seconds)


@dataclass(slots=True)
class _Hand:
    """One process: `number` is that of the case it is at, since `since`; None where it is idle."""

    process: BaseProcess
    ear: Connection
    number: int | None = None
    since: float = 0.0

    @classmethod
    def hire(cls, environ: Mapping[str, str]) -> "_Hand":
        """Start it. Raises OSError."""
        context = _context()
        ear, mouth = context.Pipe()
        process = context.Process(target=_serve, args=(mouth, environ, dict(os.environ)), daemon=True)
        try:
            process.start()
        except BaseException:
            ear.close()
            raise
        finally:
            mouth.close()
        return cls(process, ear)

    @property
    def seconds(self) -> float:
        """How long it has been at its case."""
        return monotonic() - self.since

    def begin(self, number: int, case: Case) -> None:
        """Give it a case."""
        self.number, self.since = number, monotonic()
        try:
            self.ear.send(case)
        except OSError:  # it has died: that is heard of, too
            return

    def is_in(self, heard: Sequence[object]) -> bool:
        """Whether something was heard of it."""
        return self.ear in heard or self.process.sentinel in heard

    def end(self) -> str:
        """How it ended."""
        self.process.join(1.0)
        code = self.process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            return f"its process was killed by {name}; look for a crash, or for too much memory taken, {_STEP}"
        how = f"ended (exit code {code})" if code is not None else "closed its connection"
        return f"its process {how} in the middle of it; look for os._exit or the like {_STEP}"

    def dismiss(self) -> None:
        """End it, whatever it is at."""
        self.ear.close()
        self.process.kill()
        self.process.join()
        self.process.close()


def _context() -> ForkServerContext | SpawnContext:
    """How processes are started.

    A server of forks has everything loaded, and no thread that a fork could catch in the middle of something.
    macOS has one, but its own libraries take no fork (CPython: issue 77906); Windows has none.
    """
    if "forkserver" in get_all_start_methods() and sys.platform != "darwin":
        context = get_context("forkserver")
        context.set_forkserver_preload([__name__])
        return context
    return get_context("spawn")


def _serve(mouth: Connection, environ: Mapping[str, str], process_environ: Mapping[str, str]) -> None:
    """Play what is asked for, one case after the other, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to every process of the terminal: ours is ended for us
    os.environ.clear()
    os.environ.update(process_environ)  # a server of forks has that of its own start
    os.dup2(2, 1)  # what own steps print must not run into what is printed for programs
    sys.stdout = sys.stderr  # and is seen at once
    logging.getLogger().addHandler(logging.NullHandler())  # troubles are in the results, also those that were meant
    player = Player(environ)
    with ExitStack() as imports:
        folders = set[Path]()
        try:
            while True:
                case: Case = mouth.recv()
                if case.folder not in folders:
                    folders.add(case.folder)
                    imports.enter_context(fresh_imports(case.folder))
                _answer(mouth, case, played(player, case))
        except (EOFError, OSError):
            return


def _answer(mouth: Connection, case: Case, result: Result) -> None:
    try:
        mouth.send(result)
    except (PickleError, TypeError, AttributeError) as error:
        mouth.send(broken(case, f"what came of it cannot be handed on: {error}"))
