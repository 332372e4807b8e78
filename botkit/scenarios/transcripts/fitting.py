"""Fitting: a draft is played, and what its model was not asked for, or was asked for twice, is put right."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from botkit.errors import SpecError
from botkit.scenarios.file.loader import LIMITS, SUFFIX
from botkit.scenarios.file.reading import FileReading
from botkit.scenarios.file.scenario import Scenario
from botkit.scenarios.results import Failure, Result, TurnResult
from botkit.scenarios.transcripts.draft import Draft, DraftTurn, paced
from botkit.scenarios.transcripts.folding import fold
from botkit.scenarios.transcripts.handwriting import handwritten
from botkit.spec import document

PACES: Final = (120, 5)
"""Seconds from which on a pause is written; the second where the first leaves out too much, as with a limit."""
MOST_TRIES: Final = 6
MOST_SCRIPTS: Final = 20
"""Of one turn."""

Play = Callable[[Scenario], Result]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A draft as it is to be written, and what is not as it was: `odd` turns from 1 (0 = the whole), and why."""

    draft: Draft
    odd: tuple[tuple[int, str], ...]


def fit(draft: Draft, bot: str, folder: Path, play: Play) -> Fitted:
    """The draft with pauses, and with the scripts that are asked for. Raises SpecError where it cannot be read."""
    fitted = [_fit(paced(draft, PACES[0]), bot, folder, play)]
    if fitted[0].odd:
        fitted.append(_fit(paced(draft, PACES[1]), bot, folder, play))
    return min(fitted, key=lambda one: len(one.odd))


def scenario_of(text: str, bot: str, folder: Path) -> Scenario:
    """The only scenario of a test file with this text. Raises SpecError."""
    source = document.read(text.encode("utf-8", "surrogatepass"), f"{bot}{SUFFIX}", LIMITS)
    scenarios = FileReading(source, bot, folder).scenarios()
    if source.problems:
        raise SpecError(source.problems)
    return scenarios[0]


def _fit(draft: Draft, bot: str, folder: Path, play: Play) -> Fitted:
    for _ in range(MOST_TRIES):
        result = play(scenario_of(handwritten(draft), bot, folder))
        turns = tuple(map(_put_right, draft.turns, result.turns))
        if turns == draft.turns or len(result.turns) != len(draft.turns):
            break
        draft = replace(draft, turns=turns)
    played = zip(draft.turns, result.turns, strict=False)
    odd = [(came.number, why) for turn, came in played if (why := _odd(turn, came))]
    return Fitted(draft, (*odd, *((0, _told(one)) for one in result.failures)))


def _put_right(turn: DraftTurn, came: TurnResult) -> DraftTurn:
    """A turn with as many scripts as its model is asked for, and without hopes that do not come true."""
    asked, scripts, expect = len(came.outcome.prompts), turn.scripts, dict(turn.expect)
    if scripts and not asked:
        scripts = ()
        if turn.answer is not None:
            expect["model_calls"] = 0
    elif scripts:
        more = min(asked, MOST_SCRIPTS) - len(scripts)
        scripts = (*scripts, *scripts[-1:] * more)[: min(asked, MOST_SCRIPTS)]
    if len(turn.deeds) > 1 and asked == 1 and turn.answer is not None:
        expect["model_calls"] = 1
    if _misses(came, "prompt_has"):
        del expect["prompt_has"]
    return replace(turn, scripts=scripts, expect=expect)


def _odd(turn: DraftTurn, came: TurnResult) -> str:
    """What is not as it was; "" where all is."""
    if came.failures:
        return _told(came.failures[0])
    if turn.answer is not None and not came.outcome.prompts and fold(turn.answer) != fold(came.outcome.answer):
        return "its answer is no longer the model's, and not what it was"
    return ""


def _told(failure: Failure) -> str:
    return f"expected {failure.wanted}, but {failure.came}" if failure.wanted else failure.came


def _misses(came: TurnResult, expectation: str) -> bool:
    return any(one.expectation == expectation for one in came.failures)


def with_context(draft: Draft) -> Draft:
    """The draft with the expectation that what was overheard is told to the model that is asked next."""
    turns: list[DraftTurn] = []
    overheard: Any = None
    for turn in draft.turns:
        is_silent = bool(turn.expect.get("silent")) and not turn.scripts
        if is_silent and turn.deeds and isinstance(turn.deeds[-1], str):
            overheard = _phrase(turn.deeds[-1])
        elif overheard and turn.scripts and turn.answer is not None:
            turn = replace(turn, expect={**turn.expect, "prompt_has": overheard})
            overheard = None
        turns.append(turn)
    return replace(draft, turns=tuple(turns))


def _phrase(text: str) -> str:
    """A few words of a text, as many as one reads at a glance: from the line that has the most."""
    line = max(text.split("\n"), key=len).strip()
    if len(line) <= 40:
        return line
    cut = line.rfind(" ", 10, 40)
    return line[: cut if cut > 0 else 40].strip()
