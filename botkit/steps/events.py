"""`events`: what is said when people come, and when they tap a button."""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

from pydantic import Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from botkit import messages
from botkit.errors import ModelError, UpstreamError
from botkit.line.text import clean, clean_name
from botkit.messages import SILENCE, Reply
from botkit.pipeline import Handler, Step
from botkit.steps.prose import Prose
from botkit.steps.saying import DATA, MEMBERS, Line, Lines, OfData, OfMembers, Saying
from botkit.turn import Said, Turn

log = logging.getLogger(__name__)

LONGEST_DATA = 300
"""Characters of a postback's data (LINE reference: Postback action)."""
MOST_NAMED = 20
"""Of how many people who join at once the names are asked for."""

_TOLD = {
    "follow": "({{ user.name or 'Somebody' }} has just added you as a friend. Greet them.)",
    "unblock": "({{ user.name or 'Somebody' }} had blocked you, and is back. Greet them.)",
    "join": "(You have just been added to the group{{ ' ' ~ chat.name if chat.name }}. Introduce yourself briefly.)",
    "member_joined": "(Just joined this group: {{ members or 'somebody' }}. Welcome them.)",
    "postback": "({{ user.name or 'Somebody' }} has tapped a button that stands for: {{ data }})",
}
"""What the model is told by default, by the option's name."""


@cache
def _told(option: str) -> Prose:
    return Prose.of(_TOLD[option], samples={"members": MEMBERS, "data": DATA})


class _Chosen(NamedTuple):
    """What is said on an event: under which option, and with which further variables."""

    option: str
    lines: Lines
    values: Mapping[str, str] = MappingProxyType({})


class Events(Step):
    """Greets people and answers taps on buttons, with texts, stickers, or in the model's words."""

    follow: Saying = Field(None, description="Somebody has added the bot as a friend.")
    unblock: Saying = Field(None, description="Somebody who had blocked the bot is back; as `follow` if absent.")
    join: Saying = Field(None, description="The bot was added to a group or a chat of several people.")
    member_joined: OfMembers = Field(
        None, description="People have joined a group: `{{ members }}` are their names, as far as LINE tells them."
    )
    postback: dict[Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_DATA)], OfData] = Field(
        {},
        description="A button was tapped: what is said, by patterns of its data, in which * is any text and ? any "
        "character. The first that fits counts; `{{ data }}` is the data.",
    )
    forget_on_unfollow: bool = Field(
        False, strict=True, description="Whether all that was said is deleted when somebody blocks or removes the bot."
    )

    @field_validator("follow", "unblock", "join", "member_joined", "postback")
    @classmethod
    def _asks_once(cls, value: Any) -> Any:
        for lines in value.values() if isinstance(value, dict) else [value or ()]:
            if sum(line.ask is not None for line in lines) > 1:
                raise PydanticCustomError("line", "asks the model twice; keep one `ask`, with all there is to tell it")
        return value

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Say what stands in the file for this event; messages, and events without an entry, go on.

        Raises ModelError where the model fails and nothing else is to be said.
        """
        chosen = None if turn.event.type == "message" else self._choose(turn)
        if chosen is None:
            if turn.event.type != "message":
                turn.note(f"events: nothing in the bot file is for this {turn.event.type}")
            return call_next(turn)
        turn.note(f"events: {chosen.option}")
        said, failure = _all_said(turn, chosen, call_next)
        asked = next((one for one in said if one.quick_replies or one.sender or one.quote), SILENCE)
        parts = tuple(part for one in said for part in one.parts)
        if failure is not None and not parts:
            raise failure
        return replace(asked, parts=parts)

    def _choose(self, turn: Turn) -> _Chosen | None:
        event = turn.event
        if event.type == "memberJoined" and self.member_joined is not None:
            return _Chosen("member_joined", self.member_joined, {"members": _names(turn)})
        if event.type == "postback":
            data = event.postback or ""
            found = next((lines for pattern, lines in self._patterns if pattern.fullmatch(data)), None)
            return None if found is None else _Chosen("postback", found, {"data": _one_line(data)})
        if event.type == "follow" and event.is_unblocked and self.unblock is not None:
            return _Chosen("unblock", self.unblock)
        plain = {"follow": self.follow, "join": self.join}.get(event.type)
        return None if plain is None else _Chosen(event.type, plain)

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], Lines]]:
        return [(matcher(written), lines) for written, lines in self.postback.items()]


def _all_said(turn: Turn, chosen: _Chosen, call_next: Handler) -> tuple[list[Reply], ModelError | None]:
    """What each line says, and how the model failed that one of them asks."""
    said, failure = [], None
    for line in chosen.lines:
        try:
            said.append(_say(turn, line, chosen, call_next))
        except ModelError as error:
            turn.note(f"events: the model is left out: {error}")
            log.warning("event %s: %s; the rest of `events.%s` is said", turn.event.id, error, chosen.option)
            failure = error
    return said, failure


def _say(turn: Turn, line: Line, chosen: _Chosen, call_next: Handler) -> Reply:
    if line.sticker is not None:
        return Reply((messages.Sticker(line.sticker.package, line.sticker.id),))
    if line.text is not None:
        return Reply.of(line.text.fill(turn, chosen.values))
    told = (line.tell or _told(chosen.option)).fill(turn, chosen.values)
    turn.said = (Said(turn.event, told),) if told else ()
    return call_next(turn)


def matcher(written: str) -> re.Pattern[str]:
    """`*` is any text, `?` any character. No part of it is tried twice, so that long data costs no time."""
    first, *others = (re.escape(part).replace(r"\?", ".") for part in re.split(r"\*+", written))
    if not others:
        return re.compile(first, re.DOTALL)
    middle = "".join(f"(?>.*?{part})" for part in others[:-1] if part)
    return re.compile(f"{first}{middle}.*{others[-1]}", re.DOTALL)


def _one_line(data: str) -> str:
    return " ".join(clean(data).split())[:LONGEST_DATA]


def _names(turn: Turn) -> str:
    """The names of those who joined, as far as LINE tells them."""
    asked = [turn.spawn(_name_of, turn, user_id) for user_id in turn.event.members[:MOST_NAMED]]
    return ", ".join(_known(future.result() for future in asked))


def _known(names: Iterator[str]) -> Iterator[str]:
    return (shown for name in names if (shown := clean_name(name)))


def _name_of(turn: Turn, user_id: str) -> str:
    try:
        profile = turn.services.line.profile(turn.access_token, turn.chat, user_id)
    except UpstreamError as error:
        log.warning("no profile: %s", error)
        return ""
    return profile.name if profile else ""
