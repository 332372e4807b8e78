"""What is told of an event that a worker has settled: one log record, with what is counted of it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from botkit.delivery.metrics import Ending, Metric, Way, tell
from botkit.delivery.work import Work
from botkit.messages import Event
from botkit.ports import Pending
from botkit.steps import STEPS
from botkit.steps.model import Model
from botkit.turn import Span, Turn

_OF_WAYS: Final[Mapping[Way, Metric]] = {
    "reply": "Reply",
    "button": "Button",
    "push": "Push",
    "kept": "Kept",
    "dropped": "Dropped",
    "lost": "Lost",
}
_WORDS: Final = {step.__name__: word for word, step in STEPS.items()}


class Report:
    """What is to be told of an event; lives as long as one worker's work on it.

    It is told after the write that makes it true, and only by who made that write. So a crash in between loses a
    report, and nothing makes two of one: no metric is counted twice.
    """

    def __init__(self, work: Work, pending: Pending, event: Event | None, covers: Sequence[Pending] = ()) -> None:
        self.sends = pending.sends
        self._metrics: dict[Metric, float] = {}
        self._fields: dict[str, Any] = {
            "bot": work.bot.name,
            "event": pending.event_id,
            "covers": [one.event_id for one in covers],
            "type": event.type if event else None,
            "chat": work.lease.conversation.id.partition(":")[0],
            "attempts": pending.attempts,
        }
        if pending.state == "RECEIVED":
            self._fields["waited"] = max(0, work.now - pending.received_at)

    def add_turn(self, turn: Turn, took: int, failure: str | None) -> None:
        """An answer was made for the event; it took so long (ms), and failed like this."""
        self._fields["attempts"] += 1 if turn.spans else 0
        steps, usages = own_times(turn.spans), turn.usages
        self._fields |= {"turn": took, "steps": steps, "failed": failure}
        if usages or (failure and turn.spans and turn.spans[-1].step == Model.__name__):
            self._fields |= {"model": usages[-1].model if usages else None, "model_latency": steps.get("model")}
            if "model" in steps:
                self._metrics["ModelLatency"] = steps["model"]
        if usages:
            asked, said = sum(one.input_tokens for one in usages), sum(one.output_tokens for one in usages)
            self._fields |= {"input_tokens": asked, "output_tokens": said}
            self._metrics |= {"InputTokens": asked, "OutputTokens": said}
        if cost := sum(one.cost for one in usages) / 1_000_000:
            self._fields["cost"] = cost
            self._metrics["Cost"] = cost
        if failure:
            self._metrics["Failed"] = 1

    def add_joined(self, brings: Sequence[Pending], drops: Sequence[Pending]) -> None:
        """Answers that had been kept are shown with this event's, or are not shown to anybody any more."""
        self._fields |= {"brings": [one.event_id for one in brings], "drops": [one.event_id for one in drops]}
        if drops:
            self._metrics["Dropped"] = len(drops)

    def settle(
        self,
        outcome: Ending,
        metrics: Mapping[Metric, float] | None = None,
        *,
        sent: Sequence[str] = (),
        window: int | None = None,
    ) -> None:
        """The event is settled; with what is counted of that. `sent` are LINE's ids of the messages it took.

        `window`: when LINE took the reply, in ms from the receipt of the event's webhook.
        """
        if "turn" in self._fields and outcome != "silent":  # of silence the time says nothing
            self._metrics["Turn"] = self._fields["turn"]
        if window is not None:
            self._metrics["ReplyWindow"] = window
        for name, value in (metrics or {}).items():
            self._metrics[name] = self._metrics.get(name, 0) + value
        fields = {**self._fields, "outcome": outcome, "sends": self.sends, "reply_window": window, "sent": list(sent)}
        shown = {name: value for name, value in fields.items() if value is not None and value != []}
        tell(f"event {fields['event']}: {outcome}", shown, self._metrics)

    def settle_answer(
        self, way: Way | None, owners: Collection[str], *, sent: Sequence[str] = (), window: int | None = None
    ) -> None:
        """What became of the answers to these events, which were joined in one; None: nobody can know.

        As many are counted as `botkit usage` shows; but one that was kept before is not kept anew.
        """
        if way is None:
            return self.settle("ambiguous", {"Ambiguous": 1}, sent=sent, window=window)
        answers = int(self._fields["event"] in owners) if way == "kept" else len(set(owners))
        self.settle(way, {_OF_WAYS[way]: answers} if answers else {}, sent=sent, window=window)
        return None

    def leave(self) -> None:
        """The answer is fixed, and another worker sends it, who cannot know what it has taken to make it."""
        if "turn" in self._fields:
            self.settle("postponed")


def own_times(spans: Sequence[Span]) -> dict[str, int]:
    """How long each step was at work in ms, less the steps inside it, by its word in a bot file's `pipeline`."""
    times: dict[str, int] = {}
    around: list[tuple[str, int]] = []
    for span in spans:
        ended = span.began if span.ended is None else span.ended
        name, took = _WORDS.get(span.step, span.step), max(0, ended - span.began)
        while around and around[-1][1] <= span.began:
            around.pop()
        if around:
            times[around[-1][0]] -= took
        times[name] = times.get(name, 0) + took
        around.append((name, ended))
    return {name: max(0, time) for name, time in times.items()}
