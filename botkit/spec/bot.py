"""BotSpec: what a bot file says, validated and frozen."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from botkit import messages
from botkit.messages import Event
from botkit.pipeline import Handler, Step, compose
from botkit.spec.account import Account
from botkit.spec.document import Place
from botkit.spec.values import SecretRef, SecretRefs, Timezone
from botkit.steps.commands import Commands
from botkit.steps.groups import Groups
from botkit.steps.history import History
from botkit.steps.reply import Reply

S = TypeVar("S", bound=Step)

_DIGITS = re.compile(r"[0-9]{1,15}", re.ASCII)


def _channel_id(value: str) -> str:
    if not _DIGITS.fullmatch(value):
        raise PydanticCustomError(
            "channel_id",
            'must be the digits that LINE\'s console shows as Channel ID under Basic settings, such as "2001234567"; '
            "it is no secret, and stands here itself",
        )
    return value


ChannelId = Annotated[
    Annotated[str, AfterValidator(_channel_id)] | None,
    WithJsonSchema(
        {
            "title": "channel id",
            "type": ["string", "integer", "null"],
            "pattern": f"^{_DIGITS.pattern}$",
            "minimum": 0,
            "maximum": 10**15 - 1,
            "examples": ["2001234567"],
        }
    ),
]
"""A channel's number; YAML may see a number in it, and the loader takes it as it was written."""


class LineAccount(BaseModel):
    """The LINE account a bot speaks through; what is secret are references.

    It has a `channel_id`, for which LINE issues tokens, or a `channel_access_token` that was issued before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel_secret: SecretRefs = Field(description="Checks that a webhook comes from LINE; a list during rotation.")
    channel_id: ChannelId = Field(
        None,
        description="Lets the bot answer: with this and the secret it gets tokens of 15 minutes from LINE when it "
        "needs them, so that there is none to store or to renew.",
    )
    channel_access_token: SecretRef | None = Field(
        None, description="Instead of `channel_id`: a token from LINE's console, which you store and renew yourself."
    )
    user_id: str | None = Field(
        None,
        pattern=r"^U[0-9a-f]{32}$",
        examples=["U8e742f61d673b39c7fff3cecb7536ef0"],
        description="The bot's own LINE id, for webhooks sent to …/line.",
    )

    @field_validator("channel_access_token")
    @classmethod
    def _not_both(cls, token: str | None, info: ValidationInfo) -> str | None:
        if token is not None and info.data.get("channel_id") is not None:
            raise PydanticCustomError("two_ways", "is not needed beside `channel_id`; remove one of the two")
        return token

    @model_validator(mode="after")
    def _not_neither(self) -> Self:
        if self.channel_id is None and self.channel_access_token is None:
            raise PydanticCustomError(
                "no_way",
                "needs `channel_id`, without which the bot cannot answer; add it with the digits that LINE's console "
                "shows as Channel ID under Basic settings (or `channel_access_token`, with a token of yours)",
            )
        return self


class CustomStep(BaseModel):
    """A step of the user's own in `pipeline`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use: str = Field(
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+:[A-Za-z_]\w*$",
        description="The class, such as bots.steps.hours:Hours.",
    )
    options: dict[str, object] = Field({}, alias="with", description="Its options.")


class Header(BaseModel):
    """The keys of a bot file that are no step's section."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: Annotated[str, Field(max_length=500)] = Field("", description="Shown in listings.")
    timezone: Timezone = Field(ZoneInfo("UTC"), description="For now and today.")
    line: LineAccount | None = Field(None, description="The LINE account; may be absent while trying locally.")


@dataclass(frozen=True, slots=True)
class BotSpec:
    """One bot as its file describes it. Lives as long as the process.

    `places` says where each option stands, also those of files it extends; `shown_file` is how the
    file is named to people. `handler` is the pipeline, composed.
    """

    name: str
    description: str
    timezone: ZoneInfo
    line: LineAccount | None
    steps: tuple[Step, ...]
    file: Path
    places: Mapping[tuple[str | int, ...], Place] = field(default_factory=dict, repr=False, compare=False)
    shown_file: str = field(default="", repr=False, compare=False)
    handler: Handler = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "handler", compose(self.steps))

    def step(self, kind: type[S]) -> S | None:
        """The bot's step of this class, if its pipeline has one."""
        return next((step for step in self.steps if isinstance(step, kind)), None)

    def place_of(self, path: tuple[str | int, ...]) -> Place:
        """Where an option stands, or the nearest section that does."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(self.shown_file, 1, 1))

    @property
    def account(self) -> Account:
        """What a door needs of the bot."""
        line = self.line
        return Account(self.name, self.checking_secrets, line.user_id if line else None, self.shares_groups)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The references of all secrets that the bot needs, each once."""
        return tuple(dict.fromkeys((*self.checking_secrets, *self.answering_secrets)))

    @property
    def checking_secrets(self) -> tuple[str, ...]:
        """Those with which a webhook's signature is checked; a door needs no others."""
        return self.line.channel_secret if self.line else ()

    @property
    def answering_secrets(self) -> tuple[str, ...]:
        """Those with which an answer is made and sent: a channel's own where LINE issues the token for it."""
        token = self.line.channel_access_token if self.line else None
        line = (token,) if token is not None else self.checking_secrets
        return tuple(dict.fromkeys((*line, *(secret for step in self.steps for secret in step.secrets))))

    def is_command(self, event: Event) -> bool:
        """Whether a message is a command: it is answered by itself, whatever was said before and after."""
        commands, groups, text = self.step(Commands), self.step(Groups), event.text or ""
        if groups is not None and event.chat is not None and event.chat.kind != "user":
            text = groups.asked(text, event.mentions)
        return commands is not None and commands.matches(text)

    @property
    def shares_groups(self) -> bool:
        """Whether all people of a group chat share one conversation (`history.scope: group`)."""
        history = self.step(History)
        return history is not None and history.scope == "group"

    @property
    def error_reply(self) -> messages.Reply:
        """What is said when an answer failed, in the bot's own dress."""
        step = self.step(Reply) or Reply()
        return step.dressed(messages.Reply.of(step.error))
