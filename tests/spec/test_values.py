"""Rates and money: one spelling each, and what is said where somebody has chosen another."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError

from botkit.spec.values import Money, Period, Rates


class Some(BaseModel):
    """Holds one value of each."""

    rates: Rates = ()
    money: Money = ()


SHAPES = {name: Draft202012Validator(shape) for name, shape in Some.model_json_schema()["properties"].items()}
PERIODS = ("min", "hour", "day", "month")


def fault(**options: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Some(**options)
    (error,) = caught.value.errors()
    return error["msg"]


def read(**options: Any) -> list[tuple[int, Period]]:
    some = Some(**options)
    return [(one.amount, one.period) for one in (*some.rates, *some.money)]


@pytest.mark.parametrize(
    ("written", "amounts"),
    [
        ("20/min", [(20, "min")]),
        ("007/hour", [(7, "hour")]),
        ("100k/day", [(100_000, "day")]),
        ("0.5k/day", [(500, "day")]),
        ("1.5M/month", [(1_500_000, "month")]),
        (["20/min", "200/day"], [(20, "min"), (200, "day")]),
    ],
)
def test_a_rate_is_a_whole_number_in_a_period(written: Any, amounts: list[tuple[int, Period]]) -> None:
    assert read(rates=written) == amounts


@pytest.mark.parametrize(
    ("written", "amounts"),
    [
        ("1 USD/month", [(1_000_000, "month")]),
        ("0.50 USD/day", [(500_000, "day")]),
        ("0.000001 USD/min", [(1, "min")]),
        ("1.1 USD/hour", [(1_100_000, "hour")]),
        (["1 USD/day", "9 USD/month"], [(1_000_000, "day"), (9_000_000, "month")]),
    ],
)
def test_money_is_in_millionths_of_a_us_dollar(written: Any, amounts: list[tuple[int, Period]]) -> None:
    assert read(money=written) == amounts


def test_a_rate_is_shown_as_it_was_written() -> None:
    assert list(Some(rates=["1.50M/month", "007/hour"]).rates) == ["1.50M/month", "007/hour"]


RATE = "is not a rate; write a number, / and one of min, hour, day and month, such as 20/min or 100k/day"
MONEY = (
    "is not money in a period; write US dollars, in which models are paid for, / and one of min, hour, day and month, "
    "such as 1 USD/month"
)
NOTHING = (
    "would never let the bot answer; for silence in groups write `answer: never` under `groups:`, to stop a bot "
    "remove its file"
)


@pytest.mark.parametrize("written", [20, True, None, "", "20", "20/", "-1/min", "1e3/min", "20/week", "２０/min", {}])
def test_what_is_no_rate_is_told_how_to_write_one(written: Any) -> None:
    assert fault(rates=written) == RATE


@pytest.mark.parametrize("written", [1, "1", "1 USD", "1/week", "1 EUR/month", "€1/month", "0.0000001 USD/day"])
def test_what_is_no_money_is_told_how_to_write_it(written: Any) -> None:
    assert fault(money=written) == MONEY


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("20/minute", "20/min"),
        ("20 per minute", "20/min"),
        ("20 / min", "20/min"),
        ("5/h", "5/hour"),
        ("5 an hour", "5/hour"),
        ("100K/day", "100k/day"),
        ("1.5m/mo", "1.5M/month"),
        ("1,000,000/Days", "1000000/day"),
    ],
)
def test_a_rate_spelled_in_another_way_is_recognised(written: str, meant: str) -> None:
    assert fault(rates=written) == (f"is not a rate; did you mean `{meant}`? The periods are min, hour, day and month")


@pytest.mark.parametrize("written", ["$1/month", "1USD/month", "1 usd per month", "1 $ / month", "1 USD/ month"])
def test_money_spelled_in_another_way_is_recognised(written: str) -> None:
    assert fault(money=written) == (
        "is not money in a period; did you mean `1 USD/month`? The periods are min, hour, day and month"
    )


def test_nobody_guesses_where_it_could_be_wrong() -> None:
    """A decimal comma, a period that there is not."""
    assert fault(money="1,5 USD / day") == MONEY
    assert fault(money="5/week") == MONEY


@pytest.mark.parametrize("written", ["$5/month", "20 USD/month", "5usd per day"])
def test_money_in_place_of_a_rate_is_sent_where_it_belongs(written: str) -> None:
    assert fault(rates=written) == "is money, which belongs under `cost:`"


@pytest.mark.parametrize("written", ["5/month", "5 / mo", "5 a month"])
def test_a_rate_in_place_of_money_is_shown_with_its_currency(written: str) -> None:
    assert fault(money=written).startswith("is not money in a period; did you mean `5 USD/month`? ")


@pytest.mark.parametrize("written", ["0/min", "0.0k/day", "000/month"])
def test_nothing_is_no_rate(written: str) -> None:
    assert fault(rates=written) == NOTHING


def test_no_money_is_no_money() -> None:
    assert fault(money="0.00 USD/day") == NOTHING


def test_a_part_of_a_message_is_none() -> None:
    assert fault(rates="1.5/min") == "is not a whole number; write one, such as 20/min or 1.5k/day"


def test_a_list_says_which_of_its_entries_is_wrong() -> None:
    with pytest.raises(ValidationError) as caught:
        Some(rates=["20/min", "5/hr"])
    assert [error["loc"] for error in caught.value.errors()] == [("rates", 1)]


def test_an_empty_list_lifts_the_limits_of_a_file_that_is_extended() -> None:
    assert read(rates=[], money=[]) == []
    assert SHAPES["rates"].is_valid([])


def test_a_list_has_one_entry_for_a_period() -> None:
    assert fault(rates=["20/min", "30/min"]) == "has two limits for the same period (min); keep one"


@given(
    number=st.decimals(0, 10**12 - 1, places=6).map(lambda number: f"{number:f}".rstrip("0").rstrip(".")),
    scale=st.sampled_from(["", "k", "M"]),
    period=st.sampled_from(PERIODS),
)
def test_the_schema_takes_whatever_is_read_and_refuses_what_is_none(number: str, scale: str, period: str) -> None:
    for option, written, amount in (
        ("rates", f"{number}{scale}/{period}", Decimal(number) * {"": 1, "k": 1000, "M": 1_000_000}[scale]),
        ("money", f"{number} USD/{period}", Decimal(number) * 1_000_000),
    ):
        if amount and amount == int(amount):
            assert read(**{option: written}) == [(int(amount), period)]
            assert SHAPES[option].is_valid(written)
            assert SHAPES[option].is_valid([written])
        else:
            assert fault(**{option: written})


@given(st.text("0123456789.,_kKmM /perUSD$€minhouraty", max_size=20))
def test_whatever_is_written_it_is_read_or_told_in_words_and_what_is_meant_is_well_formed(written: str) -> None:
    for option in SHAPES:
        try:
            ((amount, period),) = read(**{option: written})
        except ValidationError as error:
            if meant := re.search("did you mean `(.+?)`", str(error)):
                assert "did you mean" not in outcome(option, meant[1])
        else:
            assert amount > 0
            assert period in PERIODS
            assert SHAPES[option].is_valid(written)


def outcome(option: str, written: str) -> str:
    try:
        return str(read(**{option: written}))
    except ValidationError as error:
        return str(error)


@pytest.mark.parametrize("written", ["20", "20/week", "20/min ", "1 EUR/day", ["20/mins"]])
def test_the_schema_refuses_what_is_neither(written: Any) -> None:
    assert not SHAPES["rates"].is_valid(written)
    assert not SHAPES["money"].is_valid(written)
