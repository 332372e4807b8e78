"""`reply`: how the answer is dressed, and what is said when there is none."""

from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from botkit import messages
from botkit.errors import ModelError
from botkit.line.text import is_blank
from botkit.pipeline import Handler, Step
from botkit.spec.values import Duration, Whole, Words
from botkit.turn import Turn

DEFAULT_ERROR = "Sorry, something went wrong. Please try again."
DEFAULT_NOTICE = "This takes a little longer. Tap the button in a moment to see the answer."
DEFAULT_LABEL = "Show the answer"
LOADING_SECONDS = 60
"""The longest LINE offers; it ends when the answer arrives (LINE reference: Display a loading animation)."""
LEAST_LOADING_SECONDS = 5
"""The shortest LINE offers: a second call starts the time anew, so it ends an animation that nothing follows."""


class QuickReply(BaseModel):
    """A button under the answer; written short, the label is also what it says."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    label: Words = Field(max_length=20, description="What the button shows.")
    text: Words = Field(max_length=300, description="What it says for the person.")


class Sender(BaseModel):
    """The name and icon shown instead of the account's."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Words | None = Field(None, max_length=20, description="The name shown.")
    icon: str | None = Field(None, pattern=r"^https://[^\s]+$", max_length=2000, description="An https image address.")


class Slow(BaseModel):
    """What is done when the answer will outlive the reply token; written short, `do` alone.

    LINE lets an answer be sent for free within about a minute after the message.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    do: Literal["button", "push", "silence"] = Field(
        "button",
        description="button: a notice with a button that brings the answer; push: see `push`; silence: drop it.",
    )
    after: Duration = Field(45, description="How long after the message the notice is sent, from 5s to 55s.")
    notice: Words = Field(DEFAULT_NOTICE, max_length=160, description="What the notice says.")
    label: Words = Field(DEFAULT_LABEL, max_length=20, description="What its button shows.")

    @field_validator("after")
    @classmethod
    def _within_the_minute(cls, seconds: int) -> int:
        if not 5 <= seconds <= 55:
            raise PydanticCustomError("after", "is outside the token's minute; write a time from 5s to 55s")
        return seconds


class Push(BaseModel):
    """The budget for pushes, which LINE charges for; written short, `monthly` alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    monthly: Whole = Field(
        200, ge=0, description="Messages pushed in a calendar month at most; one to a group counts its members."
    )


def _short_quick_reply(value: Any) -> Any:
    return {"label": value, "text": value} if isinstance(value, str) else value


def _short_slow(value: Any) -> Any:
    return {"do": value} if isinstance(value, str) else value


def _short_push(value: Any) -> Any:
    return {"monthly": value} if isinstance(value, int) else value


class Reply(Step):
    """Puts the answer into LINE's form, dresses it, and shows that it is being written."""

    markdown: Literal["plain", "flex", "raw"] = Field(
        "plain",
        description="What becomes of a model's Markdown. plain: text without marks; flex: tables and code as Flex "
        "messages; raw: nothing.",
    )
    quick_replies: tuple[Annotated[QuickReply, BeforeValidator(_short_quick_reply)], ...] = Field(
        (), max_length=13, description="Buttons under each answer in 1:1 chats, at most 13."
    )
    sender: Sender = Field(Sender(), description="Another name and icon for the answers.")
    slow: Annotated[Slow, BeforeValidator(_short_slow)] = Field(
        Slow(), description="When the answer will outlive the reply token."
    )
    late: Literal["push", "keep"] = Field(
        "push", description="When the token is dead already, as after a crash; keep: show it with the next reply."
    )
    push: Annotated[Push, BeforeValidator(_short_push)] = Field(
        Push(), description="The budget for pushes; what exceeds it is shown with the next reply."
    )
    unsure: Literal["assume_delivered", "resend"] = Field(
        "assume_delivered",
        description="A reply of which LINE cannot say whether it arrived; resend: push it, perhaps a second time.",
    )
    quote: bool = Field(True, strict=True, description="In groups, show the message answered above the answer.")
    loading: bool = Field(
        True, strict=True, description="The typing animation while an answer takes its time; 1:1 chats only."
    )
    mark_as_read: bool = Field(
        False, strict=True, description="Show messages as read once the bot sees them; needs Chat on in LINE's console."
    )
    error: Words = Field(DEFAULT_ERROR, max_length=1000, description="Said when an answer failed; 1:1 chats only.")

    def __call__(self, turn: Turn, call_next: Handler) -> messages.Reply:
        """Start what LINE shows meanwhile beside the turn, go on, then dress what comes back.

        Raises ModelError where the model has answered with invisible characters alone.
        """
        if self.mark_as_read and turn.event.read_token:
            turn.spawn(turn.services.line.mark_as_read, turn.access_token, turn.event.read_token)
        is_shown = self.loading and turn.said and turn.chat.kind == "user"
        loading = turn.if_slow(partial(_show_loading, turn, LOADING_SECONDS)) if is_shown else None
        reply = call_next(turn)
        if is_blank(reply.text):
            if any(_is_markdown(part) for part in reply.parts):
                raise ModelError("the model's answer holds nothing that can be seen")
            if loading and not loading.cancel():
                turn.spawn(_stop_loading, turn, loading)
            return reply
        dressed = self.dressed(self._written(turn, reply))
        if turn.chat.kind == "user":
            return dressed
        # A tap says the button's text for the person, and in a group that text addresses nobody.
        quote = _answered(turn).quote_token if self.quote else None
        return replace(dressed, quick_replies=reply.quick_replies, quote=reply.quote or quote)

    def dressed(self, reply: messages.Reply) -> messages.Reply:
        """`reply` with this step's quick replies and sender; what a step inside has set for itself stays."""
        buttons = tuple(messages.QuickReply(button.label, button.text) for button in self.quick_replies)
        sender = messages.Sender(self.sender.name, self.sender.icon) if self.sender != Sender() else None
        return replace(reply, quick_replies=reply.quick_replies or buttons, sender=reply.sender or sender)

    def _written(self, turn: Turn, reply: messages.Reply) -> messages.Reply:
        """`reply` with its Markdown as this step's option says; other parts stay as they are."""
        if self.markdown == "raw" or not any(_is_markdown(part) for part in reply.parts):
            return reply
        convert = turn.services.markdown.plain if self.markdown == "plain" else turn.services.markdown.flex
        parts = (convert(part.text) if _is_markdown(part) else (part,) for part in reply.parts)
        return replace(reply, parts=tuple(one for some in parts for one in some))


def _answered(turn: Turn) -> messages.Event:
    """The message that is answered: the last one with words. The turn's last event may be a line said to others."""
    with_words = [one.event for one in turn.said if one.event.text]
    return next(reversed(with_words or [one.event for one in turn.said]), turn.event)


def _is_markdown(part: messages.Part) -> bool:
    return isinstance(part, messages.Text) and part.markdown


def _show_loading(turn: Turn, seconds: int) -> None:
    turn.services.line.start_loading(turn.access_token, turn.user.id, seconds)


def _stop_loading(turn: Turn, started: "Future[None]") -> None:
    """Let the animation end soon; only once LINE has taken the call that started it, or that would come last."""
    turn.services.clock.wait(started, turn.deadline)
    if started.done() and started.exception() is None:
        _show_loading(turn, LEAST_LOADING_SECONDS)
