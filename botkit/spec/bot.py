"""BotSpec: what a bot file says, validated and frozen."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from botkit import messages
from botkit.pipeline import Handler, Step, compose
from botkit.spec.values import SecretRef, SecretRefs, Timezone
from botkit.steps.history import History
from botkit.steps.reply import Reply

S = TypeVar("S", bound=Step)


class LineAccount(BaseModel):
    """The LINE account a bot speaks through; both secrets are references."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel_secret: SecretRefs = Field(description="Checks that a webhook comes from LINE; a list during rotation.")
    channel_access_token: SecretRef = Field(description="Lets the bot answer.")
    user_id: str | None = Field(
        None, pattern=r"^U[0-9a-f]{32}$", description="The bot's own LINE id, for webhooks sent to …/line."
    )


class CustomStep(BaseModel):
    """A step of the user's own in `pipeline`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

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
    """One bot as its file describes it. Lives as long as the process; `handler` is its pipeline, composed."""

    name: str
    description: str
    timezone: ZoneInfo
    line: LineAccount | None
    steps: tuple[Step, ...]
    file: Path
    handler: Handler = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "handler", compose(self.steps))

    def step(self, kind: type[S]) -> S | None:
        """The bot's step of this class, if its pipeline has one."""
        return next((step for step in self.steps if isinstance(step, kind)), None)

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
