"""What one section of a bot file asks of another."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from botkit.pipeline import Step
from botkit.spec.document import Path
from botkit.steps.groups import Groups
from botkit.steps.history import History
from botkit.steps.limits import Limits
from botkit.steps.media import Media
from botkit.steps.model import Model

S = TypeVar("S", bound=Step)


def conflicts(steps: Sequence[Step]) -> Iterator[tuple[Path, str]]:
    """Sections, each good by itself, that do not go together: the option to blame, and what to do."""
    groups, history, limits = _of(Groups, steps), _of(History, steps), _of(Limits, steps)
    if groups and groups.overhear and not (history and history.scope == "group"):
        cure = "write `history: {scope: group}`, so that everybody there shares one conversation, or remove this"
        yield ("groups", "overhear"), f"groups.overhear: needs a shared conversation; {cure}"
    if limits and limits.counts_cost:
        for text in _unpriced(_of(Model, steps), _of(Media, steps)):
            yield ("limits",), f"limits: {text}"


def _unpriced(model: Model | None, media: Media | None) -> Iterator[str]:
    """Money can only be limited where it is known what everything costs."""
    for name in model.unpriced if model else ():
        cure = f"write under `model:`, in USD a million tokens, `prices: {{{name}: {{input: 0.4, output: 1.6}}}}`"
        yield f"what {name} costs is not known, so no cost can be limited; {cure}"
    for name in media.unpriced if media else ():
        cure = "choose whisper-1 for `media.transcription`, or write `audio: text`"
        yield f"what {name} costs is not known, so no cost can be limited; {cure}"


def _of(kind: type[S], steps: Sequence[Step]) -> S | None:
    return next((step for step in steps if isinstance(step, kind)), None)
