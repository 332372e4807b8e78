"""What one answer of a bot takes: its tokens, the room they have, and about what they cost."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from botkit.errors import Problem, SpecError
from botkit.models.known import Price, base_model, context_tokens
from botkit.models.tokens import count_tokens
from botkit.spec.bot import BotSpec
from botkit.steps.history import History
from botkit.steps.model import Model
from botkit.steps.persona import Persona
from botkit.steps.prose import SAMPLES
from botkit.steps.template import TemplateFaults

QUESTION, ANSWER = 60, 200
"""Tokens of what a person typically writes, and of what a bot typically answers: a sentence or two, a paragraph."""

# They think before they speak, and what they think is billed as output (OpenAI: Reasoning models).
_THINKING = re.compile(r"o\d.*|gpt-5(?!.*chat).*")
# OpenAI itself, and Azure, which asks the same.
_OPENAI_HOSTS = (".openai.com", ".openai.azure.com")


@dataclass(frozen=True, slots=True)
class Estimate:
    """The tokens of one answer by `model`, and of what they are made up.

    `window_from` says who knows the context window: the file, botkit's table, or nobody. `room` is
    what the window leaves for history, `history` what the running conversation fills of it, `price`
    and `cost` (USD for 1,000 messages) are None where the price is not known. `price_from`: it is the file's
    own, or OpenAI's.
    """

    model: str
    persona: int
    window: int
    window_from: Literal["file", "model", "assumed"]
    max_answer: int
    room: int
    history: int
    question: int
    answer: int
    price: Price | None
    price_from: Literal["file", "model"]
    cost: float | None
    thinks: bool


def sample_persona(bot: BotSpec, sample: Mapping[str, Any] = SAMPLES[0]) -> str:
    """The persona as one person reads it in a 1:1 chat with this bot; empty where there is none. Raises SpecError.

    `sample` is another person, chat and moment.
    """
    persona = bot.step(Persona)
    if persona is None:
        return ""
    try:
        return persona.render(**{**sample, "bot": bot})
    except TemplateFaults as error:  # the loader tries it with another name and description
        raise SpecError([Problem(*bot.place_of(("persona",)), f"persona: {error}")]) from error


def estimate(bot: BotSpec, persona: str, environ: Mapping[str, str]) -> Estimate | None:
    """What an answer takes with this system prompt; None for a bot that asks no model. Raises ModelError."""
    model = bot.step(Model)
    if model is None:
        return None
    tokens, window = count_tokens(model.name, persona), model.context_window(model.name)
    answer = min(ANSWER, model.max_output_tokens)
    room = max(0, window - model.max_output_tokens - tokens - QUESTION)
    history = min(_conversation(bot.step(History), answer), room)
    own = model.name in model.prices
    asked = model.price(model.name) if own or _asks_openai(model, environ) else None
    return Estimate(
        model=model.name,
        persona=tokens,
        window=window,
        window_from=_window_from(model),
        max_answer=model.max_output_tokens,
        room=room,
        history=history,
        question=QUESTION,
        answer=answer,
        price=asked,
        price_from="file" if own else "model",
        cost=_cost(asked, tokens + history + QUESTION, answer) if asked else None,
        thinks=_THINKING.fullmatch(base_model(model.name)) is not None,
    )


def _conversation(history: History | None, answer: int) -> int:
    """Tokens of a history as full as it gets when people write and the bot answers in turn."""
    if history is None:
        return 0
    pairs, odd = divmod(history.window, 2)
    return min(pairs * (QUESTION + answer) + odd * answer, history.max_tokens)


def _cost(asked: Price, prompt: int, answer: int) -> float:
    """USD for 1,000 messages; a price is for 1,000,000 tokens."""
    return (prompt * asked.input + answer * asked.output) / 1000


def _window_from(model: Model) -> Literal["file", "model", "assumed"]:
    if model.context_tokens is not None:
        return "file"
    return "model" if context_tokens(model.name) else "assumed"


def _asks_openai(model: Model, environ: Mapping[str, str]) -> bool:
    url = model.base_url or environ.get("OPENAI_BASE_URL")
    if not url:
        return True
    try:
        return f".{urlsplit(url).hostname}".endswith(_OPENAI_HOSTS)
    except ValueError:  # a bracket that is not closed: no address at all
        return False
