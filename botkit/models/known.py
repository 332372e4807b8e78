"""What is known of well-known models by their names alone; light, so that the bot-file loader may import it.

The table is `known.json`, beside this file: a model's context window in tokens, what a million tokens of a
prompt (`input`) and of an answer (`output`) cost in US dollars, and what a minute of a recording does.
"""

import json
import re
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple


class Price(NamedTuple):
    """What a million tokens of a prompt, and of an answer, cost in US dollars."""

    input: float
    output: float


_TABLE: dict[str, Any] = json.loads(Path(__file__).with_name("known.json").read_text("utf-8"))

CONTEXT_TOKENS: dict[str, int] = {
    name: facts["context_tokens"] for name, facts in _TABLE["models"].items() if "context_tokens" in facts
}
"""Tokens that a model's prompt and answer may have together (OpenAI: Models, "context window").

The answer's share comes out of the same window: of gpt-5's 400,000 at most 272,000 can be prompt.
"""

PRICES_TAKEN: str = _TABLE["taken"]
"""When the prices were read."""

PRICES: dict[str, Price] = {
    name: Price(facts["input"], facts["output"]) for name, facts in _TABLE["models"].items() if "input" in facts
}
"""What OpenAI asks (Pricing, standard tier, without the discount for cached input), read in PRICES_TAKEN."""

TRANSCRIPTION_PRICES: dict[str, float] = _TABLE["transcription"]
"""What OpenAI asks for a minute of a recording, in US dollars (Pricing: Transcription)."""

# gpt-4.1-2025-04-14, gpt-3.5-turbo-0125: a snapshot is as large as its model. Any other suffix may
# name another model (gpt-5-codex, gpt-4-32k), so it is not guessed at. A snapshot with a price of its
# own stands in PRICES.
_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4})$")

# tiktoken's names of what was before gpt-4o: chat models, and completions, embeddings and code that cannot chat but
# may have lent their names (tiktoken/model.py; a test compares the two).
_BEFORE_O200K = re.compile(
    r"gpt-4(-.*)?|gpt-3\.5(-turbo(-.*)?)?|gpt-35-turbo(-.*)?|gpt-?2|(davinci|babbage)(-002)?|curie|ada"
    r"|(davinci|cushman)-codex|(text|code)-(davinci|curie|babbage|ada|cushman|embedding|similarity|search)-.*"
)


def base_model(model: str) -> str:
    """The model that `model` is a form of: a router's prefix and a fine-tuning's wrapping taken off.

    `openai/gpt-4o` and `ft:gpt-4o:my-org::id` are both `gpt-4o` (OpenAI: Fine-tuning, model names).
    """
    name = model.split(":")[1] if model.startswith("ft:") else model
    return name.rsplit("/", 1)[-1]


def encoding_name(model: str) -> str:
    """The table that counts the tokens of `model`, or comes nearer to it: `cl100k_base` or `o200k_base`.

    The latter also for "" and for models that nobody knows.
    """
    return "cl100k_base" if _BEFORE_O200K.fullmatch(base_model(model)) else "o200k_base"


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


def cost_of(asked: Price, input_tokens: int, output_tokens: int) -> int:
    """What a call costs, in millionths of a US dollar, rounded up.

    A dollar for a million tokens is a millionth of one for each.
    """
    # Decimal, because floats of prices such as 1.1 add up to a little more, and that would be rounded up.
    return ceil(Decimal(str(asked.input)) * input_tokens + Decimal(str(asked.output)) * output_tokens)


def transcription_cost(model: str, ms: int) -> int:
    """What it costs to have so long a recording written down, in millionths of a US dollar, rounded up.

    0 where the price is not known.
    """
    name = base_model(model)
    dollars = TRANSCRIPTION_PRICES.get(name) or TRANSCRIPTION_PRICES.get(_SNAPSHOT.sub("", name)) or 0
    return ceil(Decimal(str(dollars)) * 1_000_000 * ms / 60_000)
