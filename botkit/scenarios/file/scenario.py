"""What a test file says, `bots/NAME.test.yaml`: scenarios, their turns, and what is expected of each; all frozen."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from botkit.scenarios.file.values import (
    Flag,
    Language,
    Moment,
    Money,
    Name,
    Names,
    OneOrMore,
    Patterns,
    Silently,
    Span,
    Texts,
    TrueOrWords,
)
from botkit.spec.document import Place
from botkit.spec.values import Whole, Words

MOST_SCENARIOS = 500
"""Of one file."""
MOST_TURNS = 100
"""Of one scenario."""
MOST_DEEDS = 50
"""Of one turn."""
BEGINS = "2026-04-01 10:00"
"""When a scenario begins that says nothing else: always the same, so that prompts with a date in them stay the same."""


def _short(option: str, value: Any) -> Any:
    """The short form of a mapping: a text for its first option."""
    return {option: value} if isinstance(value, str) else value


ChatKind = Literal["user", "group", "room"]
Way = Literal["reply", "button", "push"]


class _Part(BaseModel):
    """A part of a test file: frozen, and only what is known may stand in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Setting(_Part):
    """The chat that is talked in."""

    kind: ChatKind = Field("user", description="1:1 with each speaker (user), or all in one group or room.")
    name: Words | None = Field(None, description="The group's name.")


class Person(_Part):
    """What LINE tells of a speaker."""

    name: Name = Field(description="The display name; without one it is the word by which the turns call them.")
    language: Words | None = Field(None, description="Their language in LINE, such as ja; unknown without it.")


class Location(_Part):
    """A place on the map."""

    title: Words = Field(description="Its name.")
    address: str = Field("", description="Its address.")


class Deed(_Part):
    """What a speaker does: one of these. A text alone is short for `text`."""

    text: str | None = Field(None, min_length=1, max_length=5000, description="Says it; @NAME mentions.")
    quote: TrueOrWords | None = Field(
        None,
        description="With `text`: as a reply to the bot's newest message (true), or to the newest with these words.",
    )
    sticker: Texts | None = Field(None, description="Sends a sticker; these are its keywords.")
    image: TrueOrWords | None = Field(
        None, description="Sends a photo: a file beside the bots, or true for one with nothing on it."
    )
    audio: str | None = Field(None, description="Sends a voice message; this is what a transcription makes of it.")
    video: Literal[True] | None = Field(None, description="Sends a video.")
    file: Words | None = Field(None, description="Sends a file of this name.")
    location: Annotated[Location, BeforeValidator(partial(_short, "title"))] | None = Field(
        None, description="Sends a place on the map: its name, or `title` and `address`."
    )
    postback: str | None = Field(None, max_length=300, description="Taps a button with these postback data.")
    tap: Words | None = Field(None, description="Taps the newest quick reply or button with this label.")
    edit: str | None = Field(None, min_length=1, description="Edits what they said last (groups only); the new text.")
    unsend: Literal[True] | None = Field(None, description="Takes back what they said last.")
    of: Words | None = Field(
        None, description="With `edit` and `unsend`: their newest message with these words instead."
    )

    @property
    def kind(self) -> str:
        """What is done: the name of its option."""
        return next(name for name in DEEDS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.quote is not None and self.text is None:
            raise PydanticCustomError("deed", "`quote` belongs to `text`; write both")
        done = [name for name in DEEDS if getattr(self, name) is not None]
        if not done:
            raise PydanticCustomError("deed", "does nothing; write one of {known}", {"known": ", ".join(DEEDS)})
        if len(done) > 1:
            shown = " and ".join(f"`{name}`" for name in done)
            raise PydanticCustomError("deed", "does {done} at once; write a list, with one in each", {"done": shown})
        if self.of is not None and self.edit is None and self.unsend is None:
            raise PydanticCustomError("deed", "`of` belongs to `edit` or `unsend`; write one of them beside it")
        return self


DEEDS = ("text", "sticker", "image", "audio", "video", "file", "location", "postback", "tap", "edit", "unsend")
"""What a speaker can do."""


class Script(_Part):
    """What the model does when it is asked. A text alone is short for `say`."""

    say: str = Field("", description="What it answers.")
    takes: Span | None = Field(None, description="How long that takes; the clock moves by it.")
    fails: Literal["timeout", "rate_limit", "down", "overflow"] | None = Field(
        None,
        description="Fails instead: no answer in time, too many requests, no server, or a prompt too long.",
    )

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("script", "does nothing; write `say`, `takes` or `fails`")
        if self.say and self.fails:
            raise PydanticCustomError("script", "cannot both `say` something and fail; write a list, with one in each")
        return self


Scripts = Annotated[
    tuple[Annotated[Script, BeforeValidator(partial(_short, "say"))], ...],
    Field(min_length=1, max_length=20),
    OneOrMore(),
]
"""What happens at one call of the model, or a list, for several."""


class Expect(_Part):
    """What is expected of a turn; at the end of a scenario, of all that was said in it.

    Texts are compared without regard to case, to full or half width, and to which blanks or line breaks stand
    between words; `equals` and `matches` take them as they are.
    """

    silent: Flag | None = Field(None, description="The bot says nothing (true), or something (false).")
    contains: Texts | None = Field(None, description="The answer has these words.")
    not_: Texts | None = Field(None, alias="not", description="The answer has none of these words.")
    matches: Patterns | None = Field(
        None,
        description="A stretch of the answer fits each regular expression (Python's); over 3 seconds of search fail.",
    )
    equals: Texts | None = Field(
        None, description="The answer is this text, but for blanks at its ends; of several messages, a list of theirs."
    )
    via: Way | None = Field(
        None,
        description="How it came: as a reply, as a notice with a button because the answer takes long, or pushed.",
    )
    messages: Whole | None = Field(None, ge=0, description="So many messages.")
    length: Whole | None = Field(
        None, ge=1, description="At most so many characters, all messages together; an emoji is one."
    )
    quick_replies: tuple[Words, ...] | None = Field(
        None, description="The quick replies of the last message, in order."
    )
    prompt_has: Texts | None = Field(None, description="The model was sent these words: persona, history or message.")
    prompt_not: Texts | None = Field(None, description="The model was sent none of these words.")
    history_has: Texts | None = Field(None, description="The bot remembers these words of the conversation.")
    history_not: Texts | None = Field(None, description="The bot remembers none of these words.")
    model_calls: Whole | None = Field(None, ge=0, description="The model was asked so often, fallbacks included.")
    tokens_below: Whole | None = Field(None, ge=1, description="All calls together took fewer tokens, in and out.")
    cost_below: Money | None = Field(
        None, description="All calls together cost less, such as 0.002 USD; fails where the price is not known."
    )
    language: Language | None = Field(
        None, description="The answer's language, or one that few words cannot tell from it."
    )
    judge: Texts | None = Field(None, description="What a model finds true of the answer; asked live or recorded.")


Expected = Annotated[Expect, Silently()]
"""What is expected, or `silent`."""


class Turn(_Part):
    """One thing that happens, and what is expected of the bot then.

    Beside these options stands what happens: `NAME: text`, where NAME is a speaker, or one of the first eight.
    """

    follow: Name | None = Field(None, description="This speaker adds the bot as a friend, or unblocks it.")
    unfollow: Name | None = Field(None, description="This speaker blocks the bot.")
    join: Literal[True] | None = Field(None, description="The bot is invited into the group (it is there otherwise).")
    leave: Literal[True] | None = Field(None, description="The bot is removed from the group.")
    come: Names | None = Field(None, description="These speakers come into the group.")
    go: Names | None = Field(None, description="These speakers leave the group.")
    redelivery: Literal[True] | None = Field(None, description="LINE sends the webhook of the turn before once more.")
    pause: Span | None = Field(None, description="So much time passes.")
    chat: Literal["user"] | None = Field(None, description="In a group's scenario: this is said to the bot 1:1.")
    model: Scripts = Field((), description="What the model is made to answer, in the order in which it is asked.")
    flagged: Texts | None = Field(None, description="The categories that moderation finds in what is said.")
    expect: Expected | None = Field(None, description="What is expected; `silent` alone is short for `silent: true`.")


HAPPENINGS = ("follow", "unfollow", "join", "leave", "come", "go", "redelivery", "pause")
"""What happens in a turn that is not of one speaker's doing."""


class Guest(_Part):
    """Somebody played by a model, who talks with the bot until the goal is reached."""

    persona: Words = Field(description="Who they are, and how they write.")
    goal: Words = Field(description="What they want of the bot.")
    turns: Whole = Field(6, ge=1, le=30, description="So many messages of theirs at most.")
    name: Name = Field("guest", description="What they are called.")


class Header(_Part):
    """A scenario without its turns."""

    name: Name = Field(description="What is tried, in a few words; unique in its file.")
    chat: Annotated[Setting, BeforeValidator(partial(_short, "kind"))] = Field(
        Setting(),
        json_schema_extra={"default": "user"},
        description="Where it happens: user, group or room; `{kind: group, name: …}` names the group.",
    )
    people: dict[Name, Annotated[Person, BeforeValidator(partial(_short, "name"))]] = Field(
        {}, description="What LINE tells of the speakers: a display name, or `name` and `language`."
    )
    at: Moment = Field(
        datetime.fromisoformat(BEGINS),
        json_schema_extra={"default": BEGINS},
        description="When it begins, by default in the bot's time zone.",
    )
    live: Flag = Field(False, description="Needs a real model: run only with --live, and left out otherwise.")
    user: Guest | None = Field(None, description="Instead of turns: a model plays a person who talks with the bot.")
    expect: Expected | None = Field(None, description="What is expected of the whole conversation.")


@dataclass(frozen=True, slots=True)
class Act:
    """A turn as it was read: `speaker` does the `deeds` one right after the other, before the bot looks.

    A turn that is a happening (`turn.follow`, …) has no speaker. `places` are those of the turn (`()`), of each of
    its options (`("expect", "contains")`, `("expect", "contains", 1)`) and of the speaker.
    """

    turn: Turn
    place: Place
    places: dict[tuple[str | int, ...], Place]
    speaker: str | None = None
    deeds: tuple[Deed, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario of a bot. `number` counts those of the file from 1; `places` as in `Act`, for its `expect`."""

    bot: str
    number: int
    header: Header
    acts: tuple[Act, ...]
    place: Place
    places: dict[tuple[str | int, ...], Place]

    @property
    def name(self) -> str:
        """What is tried."""
        return self.header.name

    @property
    def speakers(self) -> tuple[str, ...]:
        """Everybody in it, in the order of their first word."""
        named = [*self.header.people]
        for act in self.acts:
            turn = act.turn
            named += [one for one in (act.speaker, turn.follow, turn.unfollow, *(turn.come or ())) if one is not None]
        return tuple(dict.fromkeys(named)) or ((self.header.user.name,) if self.header.user else ())
