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
        """Load, stage both sides of the exchange, go on; what was said is kept even if the answer fails."""
        if not turn.text:
            return call_next(turn)
        services, now = turn.services, turn.services.clock.now()
        stored = turn.spawn(services.store.history, turn.conversation, self.window, now) if self.window else None
        turn.speaker = self._speaker(turn)
        turn.history = trim(stored.result(), self.max_tokens) if stored else ()
        expires_at = now + self.keep * 1000
        said = Message("user", turn.text, turn.speaker)
        tokens = services.model.count_tokens("", said.content)
        turn.remember(replace(said, tokens=tokens), expires_at)
        turn.keep_reply_until = expires_at
        return call_next(turn)

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
