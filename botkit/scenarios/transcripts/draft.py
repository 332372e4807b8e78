"""Draft: a scenario in the making, as it will be written; everything in it can still be changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from botkit.scenarios.file.scenario import MOST_TURNS, ChatKind
from botkit.spec.values import written_duration

Written = str | Mapping[str, Any]
"""A deed or a script as a test file has it: a text alone, or a mapping."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LONGEST_PAUSE: Final = 366 * _DAY


@dataclass(frozen=True, slots=True)
class DraftTurn:
    """A turn: `speaker` does the `deeds`, or something happens (`{"join": True}`).

    `began` and `ended` are when its first and its last message came (ms since 1970; 0 = not known). `scripts` are
    what its model says. `answer` is what the bot said then, None where nothing is kept. `remark` is told to
    whoever reads the file.
    """

    speaker: str | None = None
    deeds: tuple[Written, ...] = ()
    happening: Mapping[str, Any] = field(default_factory=dict)
    scripts: tuple[Written, ...] = ()
    expect: Mapping[str, Any] = field(default_factory=dict)
    answer: str | None = None
    remark: str = ""
    began: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A scenario. `aliases` are names by which somebody was also called, with theirs; `messages` went into it."""

    name: str
    kind: ChatKind
    group: str = ""
    begins: datetime | None = None
    turns: tuple[DraftTurn, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()

    @property
    def speakers(self) -> tuple[str, ...]:
        """Everybody in it, in the order of their first word."""
        named: list[str] = []
        for turn in self.turns:
            happening = turn.happening
            come = happening.get("come", ())
            who = (turn.speaker, happening.get("follow"), happening.get("unfollow"))
            named += [one for one in (*who, *come) if one is not None]
        return tuple(dict.fromkeys(named))


def paced(draft: Draft, least: int) -> Draft:
    """The draft with a `pause` wherever at least so many seconds went by between two turns.

    Where that makes too many turns for one scenario, the oldest go.
    """
    turns: list[DraftTurn] = []
    ended = 0
    for turn in draft.turns:
        gap = (turn.began - ended) // 1000 if turn.began and ended else 0
        if gap >= least:
            turns.append(DraftTurn(happening={"pause": _pause(gap)}))
        turns.append(turn)
        ended = turn.ended or ended
    return replace(draft, turns=_newest(turns))


def _newest(turns: Sequence[DraftTurn]) -> tuple[DraftTurn, ...]:
    """As many as one scenario may have, beginning with something that is said or done."""
    kept = list(turns[-MOST_TURNS:])
    while kept and (kept[0].happening.keys() & {"pause"}):
        del kept[0]
    return tuple(kept)


def _pause(seconds: int) -> str:
    """A duration as people write one; exact to a few in a hundred."""
    for size, most in ((1, 2 * _MINUTE), (_MINUTE, 3 * _HOUR), (_HOUR, 4 * _DAY)):
        if seconds <= most:
            return written_duration(max(1, round(seconds / size)) * size)
    return written_duration(min(round(seconds / _DAY) * _DAY, _LONGEST_PAUSE))
