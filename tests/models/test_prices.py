"""What models cost, by their names."""

import pytest

from botkit.models.known import CONTEXT_TOKENS, PRICES, price


@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        ("gpt-4.1-mini", (0.40, 1.60)),
        ("gpt-4.1-mini-2025-04-14", (0.40, 1.60)),
        ("openai/gpt-4o-mini", (0.15, 0.60)),
        ("gpt-4o-2024-08-06", (2.50, 10.00)),
        ("gpt-4o-2024-05-13", (5.00, 15.00)),
        ("gpt-3.5-turbo-0125", (0.50, 1.50)),
        ("gpt-3.5-turbo-1106", (1.00, 2.00)),
    ],
)
def test_the_price_of_a_known_model_holds_for_its_snapshots_but_for_those_with_their_own(
    model: str, dollars: tuple[float, float]
) -> None:
    assert price(model) == dollars


@pytest.mark.parametrize(
    "model", ["llama3.2", "gpt-5-codex", "gpt-4.1-mini-x", "ft:gpt-4o-mini-2024-07-18:org::id", ""]
)
def test_a_price_that_is_not_known_is_not_guessed_at(model: str) -> None:
    assert price(model) is None


def test_answers_cost_more_than_prompts() -> None:
    assert not {model for model, asked in PRICES.items() if not 0 < asked.input < asked.output}


def test_a_model_with_a_price_has_a_window() -> None:
    snapshots = {"gpt-4o-2024-05-13", "gpt-3.5-turbo-1106"}
    assert PRICES.keys() - CONTEXT_TOKENS.keys() == snapshots
