"""What models cost, by their names."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.models.known import CONTEXT_TOKENS, PRICES, Price, cost_of, price, transcription_cost


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


@pytest.mark.parametrize(
    ("asked", "tokens", "millionths"),
    [
        (Price(0.40, 1.60), (1_000_000, 0), 400_000),
        (Price(0.40, 1.60), (14, 1), 8),  # 7.2
        (Price(1.10, 4.40), (50, 0), 55),  # as floats 55.00000000000001
        (Price(0.40, 1.60), (1, 6), 10),  # as floats a little more, too
        (Price(0.05, 0.40), (1, 0), 1),
        (Price(0.40, 1.60), (0, 0), 0),
        (Price(0, 0), (1000, 1000), 0),
    ],
)
def test_a_call_costs_what_its_tokens_do_rounded_up(asked: Price, tokens: tuple[int, int], millionths: int) -> None:
    assert cost_of(asked, *tokens) == millionths


@given(st.sampled_from(sorted(PRICES)), st.integers(0, 1000), st.integers(0, 1000))
def test_no_call_is_ever_a_millionth_too_dear(model: str, asked: int, answered: int) -> None:
    in_cents = [Fraction(round(dollars * 100), 100) for dollars in PRICES[model]]
    assert cost_of(PRICES[model], asked, answered) == ceil(in_cents[0] * asked + in_cents[1] * answered)


@pytest.mark.parametrize(
    ("model", "ms", "millionths"),
    [
        ("whisper-1", 60_000, 6_000),
        ("gpt-4o-transcribe", 30_000, 3_000),
        ("gpt-4o-mini-transcribe", 1, 1),
        ("gpt-4o-mini-transcribe-2025-12-15", 60_000, 3_000),
        ("openai/whisper-1", 600_000, 60_000),
        ("whisper-1", 0, 0),
        ("whisper-large-v3", 60_000, 0),
    ],
)
def test_a_recording_costs_by_the_minute(model: str, ms: int, millionths: int) -> None:
    assert transcription_cost(model, ms) == millionths
