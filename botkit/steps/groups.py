"""`groups`: manners in group chats and rooms: when to speak up, and when to stay silent."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Literal
from unicodedata import normalize

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from botkit.line.text import is_boundary
from botkit.messages import SILENCE, Event, Mention, Message, Reply
from botkit.pipeline import Handler, Step
from botkit.spec.values import Duration, Whole, Words
from botkit.steps.history import speaker_of
from botkit.turn import Said, Turn

# Letters of scripts that put spaces between words (Latin, Greek, Cyrillic), digits, and accents: NFKC, casefolded.
_WORDY = "0-9_a-z\u00df-\u00f6\u00f8-\u052f\u1e00-\u1fff"
# No @ within a word: that is an e-mail address.
_AT = rf"(?<![{_WORDY}.%+-])@"
# What stands between whom one calls and what one says. A dot within a word belongs to an address of the web.
_AFTER_NAME = re.compile(r"(?:[,、，。:：;；!！…]+|\.*(?=\s|$))\s*")
# Characters that an "@name" at the start of a text may have: names have 50, and one character may stand for several.
_LONGEST_ADDRESS = 64


def _without_at(name: str) -> str:
    bare = name.lstrip("@＠ \u3000")
    if not bare:
        raise PydanticCustomError("name", "is no name; write one such as concierge, the @ is understood")
    return bare


Name = Annotated[Words, Field(max_length=50), AfterValidator(_without_at)]


class Groups(Step):
    """Stays silent in group chats unless spoken to; 1:1 chats pass, and so do greetings and taps on buttons."""

    answer: Literal["addressed", "always", "never"] = Field(
        "addressed", description="addressed: a mention of the bot, one of its names, or a quote of its words."
    )
    names: tuple[Name, ...] = Field((), description="Names the bot listens to, at the start of a message or after @.")
    overhear: Whole = Field(
        0,
        ge=0,
        le=100,
        description="Up to N of the newest lines said to others, as context; needs history.scope: group.",
    )
    keep_overheard: Duration = Field(86400, description="How long lines said to others are stored, such as 24h.")

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Go on with what is said to the bot, and with how the bot is called cut out of it."""
        if turn.chat.kind == "user" or turn.event.type != "message":
            return call_next(turn)
        if self.answer == "never":
            turn.note("groups: answer is never")
            return SILENCE
        meant = tuple(one for one in turn.said if self._is_meant(turn, one))
        if meant:  # a photo cannot mention anybody: one sent together with a question belongs to it
            meant = tuple(one for one in turn.said if one in meant or not one.text)
        if self.overhear:
            self._overhear(turn, meant)
        if not meant:
            turn.note("groups: the bot was not addressed")
            return SILENCE
        turn.said = tuple(replace(one, text=self._asked(one)) for one in meant)
        return call_next(turn)

    def asked(self, text: str, mentions: Iterable[Mention] = ()) -> str:
        """What a message in a group asks: the text less mentions of the bot and less an "@name" at its start."""
        text = cut_mentions(text, mentions)
        return text[self._address_end(text) :].strip() or text

    def _asked(self, said: Said) -> str:
        # Where an earlier step has rewritten the text, the mentions' places are not those of this one.
        return self.asked(said.text, said.event.mentions if said.text == said.event.text else ())

    # ---------------------------------------------------------------- who is meant

    def _is_meant(self, turn: Turn, said: Said) -> bool:
        return (
            self.answer == "always"
            or any(mention.is_self for mention in said.event.mentions)
            or self._called.search(_folded(said.text)) is not None
            or _quotes_bot(turn, said.event)
        )

    @cached_property
    def _called(self) -> re.Pattern[str]:
        return re.compile(rf"(?:^|{_AT})\s*{self._any_name}")

    @cached_property
    def _address(self) -> re.Pattern[str]:
        return re.compile(rf"\s*@\s*{self._any_name}")

    @property
    def _any_name(self) -> str:
        return f"(?:{'|'.join(map(_name_pattern, self.names))})" if self.names else "(?!)"

    def _address_end(self, text: str) -> int:
        """Where the text goes on after an "@name" at its start; 0 where it has none, or runs on without a break.

        Folding changes lengths, so the longest beginning that is an address when folded is looked for.
        """
        if not _folded(text[:_LONGEST_ADDRESS]).lstrip().startswith("@"):
            return 0
        for end in range(min(len(text), _LONGEST_ADDRESS), 1, -1):
            after = _AFTER_NAME.match(text, end)
            if after and self._address.fullmatch(_folded(text[:end])):
                return after.end()
        return 0

    # ---------------------------------------------------------------- what is said to others

    def _overhear(self, turn: Turn, meant: Sequence[Said]) -> None:
        """Stage what was said to others, to be stored unanswered; what came before the question is its context."""
        expires_at = turn.services.clock.now() + self.keep_overheard * 1000
        question = turn.said.index(meant[-1]) if meant else 0
        for place, one in enumerate(turn.said):
            if one not in meant and one.text.strip():
                line = Message("user", one.text, speaker_of(turn), overheard=True)
                turn.remember(line, expires_at, one.event)
                turn.note("groups: a line said to others is kept as context")
                if place < question:
                    turn.recent = _newest_overheard((*turn.recent, line), self.overhear)


def _newest_overheard(messages: Sequence[Message], most: int) -> tuple[Message, ...]:
    surplus = sum(one.overheard for one in messages) - most
    kept = []
    for one in messages:
        if one.overheard and surplus > 0:
            surplus -= 1
        else:
            kept.append(one)
    return tuple(kept)


def _quotes_bot(turn: Turn, event: Event) -> bool:
    quoted = event.quoted_message_id
    return quoted is not None and turn.services.store.said_by_bot(turn.bot.name, turn.chat, quoted)


def _name_pattern(name: str) -> str:
    """The folded name; a Latin one must end where a word ends, Japanese runs on without a space."""
    folded = r"\s+".join(map(re.escape, _folded(name).split()))
    return folded + (rf"(?![{_WORDY}])" if re.search(rf"[{_WORDY}]$", _folded(name)) else "")


def _folded(text: str) -> str:
    """For comparing: full-width letters and ＠ become half-width, case goes (Unicode NFKC)."""
    return normalize("NFKC", text).casefold()


def cut_mentions(text: str, mentions: Iterable[Mention]) -> str:
    """The text less the bot's own mentions and the white space around it; unchanged where nothing would be left.

    `mentions` hold Python indices of `text` and may overlap or lie outside it. One that would halve a
    user-perceived character, such as an emoji of several code points, takes all of it.
    """
    kept, end = [], 0
    for mention in sorted((one for one in mentions if one.is_self), key=lambda one: one.start):
        start, stop = _whole_characters(text, mention.start, mention.end)
        kept.append(text[end : max(end, start)])
        end = max(end, stop)
    return "".join([*kept, text[end:]]).strip() or text


def _whole_characters(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch, grown until it begins and ends between characters; an empty one where it is none."""
    start, end = max(0, start), min(len(text), end)
    if start >= end:
        return 0, 0
    while not is_boundary(text, start):
        start -= 1
    while not is_boundary(text, end):
        end += 1
    return start, end
