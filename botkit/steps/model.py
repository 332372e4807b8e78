"""`model`: the chat completion itself, with a prompt that is made to fit."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from botkit.errors import ContextOverflow, ModelError, OutOfTime, SecretError
from botkit.messages import Message, Reply, Text
from botkit.models.known import Price, context_tokens, cost_of, price
from botkit.pipeline import Handler, Step
from botkit.ports import ChatRequest, Completion, Usage
from botkit.spec.values import Duration, Number, SecretRef, Whole, Words
from botkit.steps.history import trim
from botkit.turn import Turn

log = logging.getLogger(__name__)

DEFAULT_CONTEXT_TOKENS = 8192
SAFETY_SECONDS = 5
"""What is left of an invocation for committing and sending the answer."""

# Chat formats wrap every message in a few tokens (OpenAI cookbook: 3 a message and 3 for the answer's start);
# some spare, since other makers' formats cost a little more.
_PER_MESSAGE = 6
# A photo as LINE sends it costs 765 to 1,105 tokens at OpenAI in full detail (Images and vision: calculating costs).
_PER_IMAGE = 1_200

ModelName = Annotated[Words, Field(max_length=200)]


class OwnPrice(BaseModel):
    """What a model costs, in US dollars a million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    input: Number = Field(ge=0, description="A million tokens of the prompt.")
    output: Number = Field(ge=0, description="A million tokens of the answer.")


class Model(Step):
    """Asks the model. A long history is trimmed until the prompt fits, so it can never fail a turn."""

    short: ClassVar[str] = "name"

    name: ModelName = Field(description="The model's name at its endpoint.")
    temperature: Number | None = Field(
        None, ge=0, le=2, description="How freely it speaks, from 0 to 2; left to the model if absent."
    )
    max_output_tokens: Whole = Field(800, ge=1, description="The longest answer, in tokens.")
    context_tokens: Whole | None = Field(
        None, ge=1000, description="The context window; known for well-known models, 8192 for others."
    )
    base_url: str | None = Field(None, pattern=r"^https?://[^\s]+$", description="Any OpenAI-compatible endpoint.")
    api_key: SecretRef = Field("env:OPENAI_API_KEY", description="Where the key is found.")
    timeout: Duration = Field(60, description="How long an answer may take, retries included.")
    fallback: tuple[ModelName, ...] = Field((), description="Models to ask in turn when the first one fails.")
    prices: dict[str, OwnPrice] = Field(
        {}, description="What models cost, by name, for `limits` and `botkit usage`; known for well-known ones."
    )

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        window = self.context_window(self.name)
        if self.max_output_tokens > window // 2:
            raise PydanticCustomError(
                "no_room",
                "max_output_tokens: {asked} of a context window of {window} leave too little for the prompt; "
                "lower it, or set context_tokens to what the model has",
                {"asked": self.max_output_tokens, "window": window},
            )
        return self

    def context_window(self, name: str) -> int:
        """Tokens that the model `name` takes, prompt and answer together."""
        return self.context_tokens or context_tokens(name) or DEFAULT_CONTEXT_TOKENS

    def price(self, name: str) -> Price | None:
        """What the model `name` costs; None where neither the file nor the table knows it."""
        own = self.prices.get(name)
        return Price(own.input, own.output) if own else price(name)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The model's key."""
        return (self.api_key,)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The models it may ask of which nobody knows the price."""
        return tuple(name for name in (self.name, *self.fallback) if self.price(name) is None)

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Answer what was said; where nothing was, go on."""
        if not turn.text:
            return call_next(turn)
        completion = self._first_answer(turn)
        turn.usages.append(self._priced(completion.usage))
        return Reply((Text(completion.text, markdown=True),))

    def _priced(self, usage: Usage) -> Usage:
        known = self.price(usage.model)
        return replace(usage, cost=cost_of(known, usage.input_tokens, usage.output_tokens)) if known else usage

    def _first_answer(self, turn: Turn) -> Completion:
        *others, last = (self.name, *self.fallback)
        for name in others:
            try:
                return self._ask(turn, name)
            except ModelError as error:
                log.warning("bot %s: %s; asking the next model", turn.bot.name, error)
        return self._ask(turn, last)

    def _ask(self, turn: Turn, name: str) -> Completion:
        """Ask one model; where the prompt is still too long for it, halve the history until it is not."""
        prompt = self.prompt(turn, name)
        while True:
            request = self._request(turn, name, prompt)
            try:
                completion = turn.services.model.complete(request)
            except ContextOverflow as error:
                system, *history, said = prompt
                if not history:
                    raise
                log.warning("bot %s: %s; set model.context_tokens; trying with less history", turn.bot.name, error)
                turn.note(f"model {name}: the prompt was too long; asked again with half the history")
                prompt = (system, *history[(len(history) + 1) // 2 :], said)
            except ModelError as error:
                turn.note(f"model {name}: {error}")
                if error.retryable and request.timeout < self.timeout and turn.seconds_left <= SAFETY_SECONDS + 1:
                    raise OutOfTime("the model had no time to answer") from error
                raise
            else:
                turn.note(_account(completion, prompt, len(turn.said)))
                return completion

    def prompt(self, turn: Turn, name: str) -> tuple[Message, ...]:
        """System prompt, as much of what came before as the context window leaves room for, and what was said last."""
        said = [Message("user", one.text, turn.speaker, images=one.images) for one in turn.said if one.text]
        whole = (Message("system", turn.system), *turn.history, *said)
        images = sum(len(one.images) for one in turn.said)
        room = self.context_window(name) - self.max_output_tokens - _PER_MESSAGE - images * _PER_IMAGE
        if sum(one.most_tokens + _PER_MESSAGE for one in whole) <= room:
            return whole
        return self._fitted(turn, name, said, room)

    def _fitted(self, turn: Turn, name: str, said: Sequence[Message], room: int) -> tuple[Message, ...]:
        """The prompt where bounds do not tell that it fits `room` tokens: counted, and cut where it has to be."""
        count = partial(turn.services.model.count_tokens, name)
        *before, last = said
        room -= count(turn.system) + _PER_MESSAGE * 2
        last = _shortened(last, room, count)
        counted = [replace(one, tokens=count(one.content)) for one in before]
        known = (*turn.history, *counted)
        earlier = trim(known, room - count(last.content), turn.tokens_of, each=_PER_MESSAGE)
        if left_out := len(known) - len(earlier):
            turn.note(f"model {name}: {left_out} messages left out, its context window is {self.context_window(name)}")
        return (Message("system", turn.system), *earlier, last)

    def _request(self, turn: Turn, name: str, prompt: tuple[Message, ...]) -> ChatRequest:
        timeout = min(float(self.timeout), turn.seconds_left - SAFETY_SECONDS)
        if timeout <= 0:
            raise OutOfTime("no time is left to ask the model")
        return ChatRequest(
            model=name,
            messages=prompt,
            timeout=timeout,
            temperature=self.temperature,
            max_output_tokens=self.max_output_tokens,
            base_url=self.base_url,
            api_key=self._key(turn),
        )

    def _key(self, turn: Turn) -> str:
        try:
            return turn.services.secrets.get(self.api_key)
        except SecretError:
            # Servers of one's own need no key, so a missing one is a mistake only where the file names it;
            # OpenAI's own endpoint says so itself.
            if "api_key" in self.model_fields_set:
                raise
            return ""


def _account(completion: Completion, prompt: tuple[Message, ...], said: int) -> str:
    usage, sent = completion.usage, len(prompt) - 1
    return (
        f"model {usage.model}: sent the persona, {max(0, sent - said)} earlier messages and {min(sent, said)} new, "
        f"{usage.input_tokens} tokens; it answered with {usage.output_tokens}"
    )


def _shortened(message: Message, room: int, count: Callable[[str], int]) -> Message:
    """`message` cut at its end until it fits `room` tokens; at least its beginning is always asked."""
    while count(message.content) > room and len(message.text) > 100:
        log.warning("a message is too long for the model and is shortened; set model.context_tokens")
        message = replace(message, text=message.text[: len(message.text) * 3 // 4] + "…")
    return message
