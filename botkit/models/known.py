"""What is known of well-known models by their names alone; imports nothing, so that the bot-file loader may."""

import re
from typing import NamedTuple

CONTEXT_TOKENS = {
    "gpt-5": 400_000,
    "gpt-5-mini": 400_000,
    "gpt-5-nano": 400_000,
    "gpt-5-chat-latest": 128_000,
    "gpt-5.1": 400_000,
    "gpt-5.1-chat-latest": 128_000,
    "gpt-5.2": 400_000,
    "gpt-5.2-chat-latest": 128_000,
    "gpt-4.1": 1_047_576,
    "gpt-4.1-mini": 1_047_576,
    "gpt-4.1-nano": 1_047_576,
    "gpt-4o": 128_000,
    "gpt-4o-mini": 128_000,
    "chatgpt-4o-latest": 128_000,
    "o1": 200_000,
    "o3": 200_000,
    "o3-mini": 200_000,
    "o4-mini": 200_000,
    "gpt-4-turbo": 128_000,
    "gpt-4-turbo-preview": 128_000,
    "gpt-4-1106-preview": 128_000,
    "gpt-4-0125-preview": 128_000,
    "gpt-4": 8_192,
    "gpt-3.5-turbo": 16_385,
    "gpt-3.5-turbo-16k": 16_385,
}
"""Tokens that a model's prompt and answer may have together (OpenAI: Models, "context window").

The answer's share comes out of the same window: of gpt-5's 400,000 at most 272,000 can be prompt.
"""


class Price(NamedTuple):
    """What a million tokens of a prompt, and of an answer, cost in US dollars."""

    input: float
    output: float


PRICES_TAKEN = "June 2026"
"""When PRICES were read."""

PRICES = {
    "gpt-5": Price(1.25, 10.00),
    "gpt-5-mini": Price(0.25, 2.00),
    "gpt-5-nano": Price(0.05, 0.40),
    "gpt-5-chat-latest": Price(1.25, 10.00),
    "gpt-5.1": Price(1.25, 10.00),
    "gpt-5.1-chat-latest": Price(1.25, 10.00),
    "gpt-5.2": Price(1.75, 14.00),
    "gpt-5.2-chat-latest": Price(1.75, 14.00),
    "gpt-4.1": Price(2.00, 8.00),
    "gpt-4.1-mini": Price(0.40, 1.60),
    "gpt-4.1-nano": Price(0.10, 0.40),
    "gpt-4o": Price(2.50, 10.00),
    "gpt-4o-2024-05-13": Price(5.00, 15.00),
    "gpt-4o-mini": Price(0.15, 0.60),
    "chatgpt-4o-latest": Price(5.00, 15.00),
    "o1": Price(15.00, 60.00),
    "o3": Price(2.00, 8.00),
    "o3-mini": Price(1.10, 4.40),
    "o4-mini": Price(1.10, 4.40),
    "gpt-4-turbo": Price(10.00, 30.00),
    "gpt-4-turbo-preview": Price(10.00, 30.00),
    "gpt-4-1106-preview": Price(10.00, 30.00),
    "gpt-4-0125-preview": Price(10.00, 30.00),
    "gpt-4": Price(30.00, 60.00),
    "gpt-3.5-turbo": Price(0.50, 1.50),
    "gpt-3.5-turbo-1106": Price(1.00, 2.00),
}
"""What OpenAI asks (Pricing, standard tier, without the discount for cached input), read in PRICES_TAKEN."""

# gpt-4.1-2025-04-14, gpt-3.5-turbo-0125: a snapshot is as large as its model. Any other suffix may
# name another model (gpt-5-codex, gpt-4-32k), so it is not guessed at. A snapshot with a price of its
# own stands in PRICES.
_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4})$")


def base_model(model: str) -> str:
    """The model that `model` is a form of: a router's prefix and a fine-tuning's wrapping taken off.

    `openai/gpt-4o` and `ft:gpt-4o:my-org::id` are both `gpt-4o` (OpenAI: Fine-tuning, model names).
    """
    name = model.split(":")[1] if model.startswith("ft:") else model
    return name.rsplit("/", 1)[-1]


def context_tokens(model: str) -> int | None:
    """The context window of `model` in tokens, also of its dated snapshots; None where it is not known."""
    name = base_model(model)
    return CONTEXT_TOKENS.get(name) or CONTEXT_TOKENS.get(_SNAPSHOT.sub("", name))


def price(model: str) -> Price | None:
    """What `model` costs at OpenAI, also its dated snapshots; None where that is not known."""
    if model.startswith("ft:"):  # a fine-tuned model costs more than the one it was made of
        return None
    name = base_model(model)
    return PRICES.get(name) or PRICES.get(_SNAPSHOT.sub("", name))
