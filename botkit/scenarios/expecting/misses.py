"""Misses: what does not hold of what was expected, and the phrases that most of them need."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from botkit.scenarios.expecting.phrases import nearest, plain, shown
from botkit.scenarios.file.scenario import Expect
from botkit.scenarios.results import Outcome
from botkit.spec.document import Path

# Notes that tell how a turn went, and never why it did not go as it was expected.
_COURSE = re.compile(r"(turn|history|answer|persona|reply): |model \S+: sent the persona")


@dataclass(frozen=True, slots=True)
class Miss:
    """What does not hold: the option's path, and the phrases of a Failure."""

    path: Path
    wanted: str
    came: str
    detail: str = ""


Check = Callable[[Expect, Outcome], Iterator[Miss]]
"""Looks at one option, and tells what of it does not hold."""


def has(text: str, words: str) -> bool:
    """Whether words are in a text, as texts are compared."""
    return plain(words) in plain(text)


def answer_of(outcome: Outcome) -> str:
    """What was said, or that nothing was and why."""
    if outcome.said:
        return f"the answer was {shown(outcome.answer)}"
    why = reason_of(outcome)
    return f"nothing was said ({why})" if why else "nothing was said"


def reason_of(outcome: Outcome) -> str:
    """The bot's last note that says why it did what it did."""
    return next((note for note in reversed(outcome.notes) if not _COURSE.match(note)), "")


def noted(outcome: Outcome, detail: str = "") -> str:
    """A detail, and under it the bot's note, where an answer that came does not tell of it."""
    why = reason_of(outcome) if outcome.said else ""
    note = f"the bot noted: {why}" if why else ""
    return "\n".join(part for part in (detail, note) if part)


def like(words: str, texts: list[str]) -> str:
    """What in some texts is much like the words, in a sentence; "" where nothing is."""
    found = nearest(words, texts)
    return f"the nearest there is {shown(found)}" if found else ""
