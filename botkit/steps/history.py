"""`history`: what was said before, within a window, and what is remembered of this turn."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from botkit.line.text import clean_name
from botkit.messages import Message, Reply
from botkit.pipeline import Handler, Step
from botkit.spec.values import Duration, Whole
from botkit.turn import Turn


class History(Step):
    """Gives the model the newest messages of the conversation, and remembers this exchange."""

    short: ClassVar[str] = "window"

    window: Whole = Field(20, ge=0, le=1000, description="The newest N messages go to the model.")
    max_tokens: Whole = Field(3000, ge=0, description="At most this many tokens of history; the oldest go first.")
    scope: Literal["user", "group"] = Field(
        "user", description="In group chats: one conversation per person, or one for all with the speakers named."
    )
    keep: Duration = Field(30 * 86400, description="How long messages are stored, such as 24h or 30d.")

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Choose the history, stage both sides, go on; what was said is kept even if the answer fails."""
        if not turn.text:
            return call_next(turn)
        turn.speaker = self._speaker(turn)
        turn.history = self._window(turn)
        turn.keep_reply_until = turn.services.clock.now() + self.keep * 1000
        for one in turn.said:
            said = Message("user", one.text, turn.speaker)
            tokens = turn.services.model.count_tokens("", said.content)
            turn.remember(replace(said, tokens=tokens), turn.keep_reply_until, one.event)
        return call_next(turn)

    def _window(self, turn: Turn) -> tuple[Message, ...]:
        stored = turn.recent[-self.window :] if self.window else ()
        kept = trim(stored, self.max_tokens)
        left_out = f", {len(stored) - len(kept)} left out by max_tokens: {self.max_tokens}" if kept != stored else ""
        turn.note(f"history: {len(kept)} earlier messages, {sum(one.tokens for one in kept)} tokens{left_out}")
        return kept

    def _speaker(self, turn: Turn) -> str | None:
        if self.scope == "user" or turn.chat.kind == "user":
            return None
        # Members whose name LINE does not tell must still be told apart.
        name = clean_name(turn.user.name.replace(":", " ").replace("：", " "))
        return name or f"Member {turn.user.id[-4:]}".strip()


def trim(messages: Sequence[Message], max_tokens: Whole) -> tuple[Message, ...]:
    """The newest messages whose stored token counts add up to `max_tokens` at most, oldest first.

    It stops at the first that does not fit, so that no gap opens in what the model reads.
    """
    left = max_tokens
    kept: list[Message] = []
    for message in reversed(messages):
        left -= message.tokens
        if left < 0:
            break
        kept.append(message)
    return tuple(reversed(kept))
