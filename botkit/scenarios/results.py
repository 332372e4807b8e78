"""What came of scenarios: what was said, what was expected and did not come, and what it took."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from botkit.messages import Message
from botkit.ports import ChatRequest, Usage
from botkit.scenarios.file.scenario import Way
from botkit.spec.document import Place

Fault = Literal["unmet", "unrecorded", "stale", "broken"]
"""An expectation that is not met · a model that was asked and had nothing to say · a recording whose prompt has
changed · something that should not have happened: an exception, a message that LINE refused."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the bot's.

    `kind` is LINE's type (text, flex, …), `text` what can be read of it. `via` is "button" for a notice that offers
    the answer later. `buttons` are labels.
    """

    text: str
    via: Way
    kind: str = "text"
    quick_replies: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What expectations look at: of one turn, or of a whole scenario.

    `prompts` are the requests to the chat model in order; `usages` what they took, as the model (or a count of the
    tokens of scripted answers) says; `history` is what the bot remembers of the speaker's conversation, oldest
    first. `notes` are the bot's own on what it did, such as why it was silent.
    """

    said: tuple[Said, ...] = ()
    prompts: tuple[ChatRequest, ...] = ()
    usages: tuple[Usage, ...] = ()
    history: tuple[Message, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        """All that was said, one message under the other."""
        return "\n".join(one.text for one in self.said)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a scenario fails.

    `expectation` is the option as people write it (`contains`, `via`, …), "" where it is none's. `wanted` and `came`
    are phrases for people: 'an answer with "three"', 'the answer was "From four."'. `detail` is more text under it,
    such as the diff of a stale prompt or a judge's reason; several lines.
    """

    fault: Fault
    place: Place
    wanted: str
    came: str
    expectation: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the conversation as people see it: a person's, the bot's, or the system's ("Ken joined")."""

    kind: Literal["person", "bot", "system"]
    who: str
    text: str
    via: Way | None = None
    buttons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What came of one turn. `unjudged`: expectations for which there is no judge offline. `number` counts from 1."""

    number: int
    place: Place
    lines: tuple[Line, ...]
    outcome: Outcome = field(repr=False)
    failures: tuple[Failure, ...] = ()
    unjudged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """One call of a model as it is kept: what was asked, as plain JSON, under the key of that, and what it answered.

    `turn` and `call` count from 1; the calls of a judge of the whole scenario have turn 0.
    """

    kind: Literal["model", "judge", "user"]
    turn: int
    call: int
    key: str
    request: dict[str, Any]
    answer: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one run of one scenario. Turns after a failure are still played.

    `failures` are those of the scenario as a whole; `seconds` by the machine's clock. `skipped` says why it was not
    run, "" where it was. `recorded` is all that is to be kept of it, old and new.
    """

    bot: str
    scenario: str
    place: Place
    turns: tuple[TurnResult, ...] = ()
    failures: tuple[Failure, ...] = ()
    unjudged: tuple[str, ...] = ()
    skipped: str = ""
    seconds: float = 0.0
    recorded: tuple[Recorded, ...] = field(default=(), repr=False)

    @property
    def passed(self) -> bool:
        """Whether it was run and nothing failed."""
        return not self.skipped and not self.all_failures

    @property
    def all_failures(self) -> tuple[Failure, ...]:
        """Those of its turns, and its own."""
        return (*(one for turn in self.turns for one in turn.failures), *self.failures)

    @property
    def usages(self) -> tuple[Usage, ...]:
        """What all calls of the chat model took."""
        return tuple(usage for turn in self.turns for usage in turn.outcome.usages)

    @property
    def answers(self) -> tuple[str, ...]:
        """What the bot said in each turn."""
        return tuple(turn.outcome.answer for turn in self.turns)


def as_json(results: Iterable[Result]) -> list[dict[str, Any]]:
    """Results for programs, without prompts and histories."""
    return [_one(result) for result in results]


def _one(result: Result) -> dict[str, Any]:
    return {
        "bot": result.bot,
        "scenario": result.scenario,
        "file": result.place.file,
        "line": result.place.line,
        "outcome": "skipped" if result.skipped else "passed" if result.passed else "failed",
        "skipped": result.skipped or None,
        "seconds": round(result.seconds, 3),
        "turns": [
            {
                "turn": turn.number,
                "line": turn.place.line,
                "conversation": [asdict(line) for line in turn.lines],
                "failures": [_failure(one) for one in turn.failures],
                "unjudged": list(turn.unjudged),
            }
            for turn in result.turns
        ],
        "failures": [_failure(one) for one in result.failures],
        "unjudged": list(result.unjudged),
        "model_calls": sum(len(turn.outcome.prompts) for turn in result.turns),
        "input_tokens": sum(usage.input_tokens for usage in result.usages),
        "output_tokens": sum(usage.output_tokens for usage in result.usages),
        "cost_usd": sum(usage.cost for usage in result.usages) / 1_000_000,
    }


def _failure(failure: Failure) -> dict[str, Any]:
    told = asdict(failure)
    del told["place"]
    return {**told, "file": failure.place.file, "line": failure.place.line, "column": failure.place.column}
