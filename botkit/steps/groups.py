"""`groups`: manners in group chats and rooms: when to speak up, and when to stay silent."""

import re
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Literal
from unicodedata import normalize

from pydantic import Field

from botkit.messages import SILENCE, Event, Reply
from botkit.pipeline import Handler, Step
from botkit.spec.values import Words
from botkit.turn import Said, Turn

Name = Annotated[Words, Field(max_length=50)]


class Groups(Step):
    """Stays silent in group chats unless spoken to; 1:1 chats pass."""

    answer: Literal["addressed", "always", "never"] = Field(
        "addressed", description="addressed: a mention of the bot, one of its names, or a quote of its words."
    )
    names: tuple[Name, ...] = Field((), description="Names the bot listens to, at the start of a message or after @.")

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Go on where the bot is meant, with its mention cut out of the text."""
        if turn.chat.kind == "user":
            return call_next(turn)
        if self.answer == "never":
            return SILENCE
        meant = tuple(one for one in turn.said if self._is_meant(turn, one))
        if turn.event.type == "message" and not meant:
            turn.note("groups: the bot was not addressed")
            return SILENCE
        turn.said = tuple(replace(one, text=_without_mentions(one)) for one in meant)
        return call_next(turn)

    def _is_meant(self, turn: Turn, said: Said) -> bool:
        return (
            self.answer == "always"
            or any(mention.is_self for mention in said.event.mentions)
            or self._named.search(_folded(said.text)) is not None
            or _quotes_bot(turn, said.event)
        )

    @cached_property
    def _named(self) -> re.Pattern[str]:
        names = "|".join(_name_pattern(name) for name in self.names)
        # No @ within a word: that is an e-mail address.
        return re.compile(rf"(?:^|(?<![a-z0-9._%+-])@)\s*(?:{names})" if names else r"(?!)")


def _name_pattern(name: str) -> str:
    # A Latin name must end where a word ends; Japanese runs on without a space.
    folded = _folded(name)
    return re.escape(folded) + (r"(?![a-z0-9_])" if folded[-1].isascii() else "")


def _folded(text: str) -> str:
    """For comparing: full-width letters and ＠ become half-width, case goes (Unicode NFKC)."""
    return normalize("NFKC", text).casefold()


def _quotes_bot(turn: Turn, event: Event) -> bool:
    quoted = event.quoted_message_id
    return quoted is not None and turn.services.store.said_by_bot(turn.bot.name, turn.chat, quoted)


def _without_mentions(said: Said) -> str:
    """The text less the bot's mentions; unchanged where it is nothing else, or an earlier step has rewritten it."""
    whole = text = said.text
    if text != said.event.text:
        return text
    for mention in sorted(said.event.mentions, key=lambda mention: mention.start, reverse=True):
        if mention.is_self:
            text = text[: mention.start] + text[mention.end :]
    return text.strip() or whole
