"""The troubles, each as the person on LINE sees it."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import openai
import pytest

from botkit import testing
from botkit.errors import ModelError
from botkit.models.calls import CHAT, Address, Call
from botkit.models.faults import fault_of
from botkit.models.rehearsal import RehearsalModel
from botkit.ports import ChatRequest
from botkit.simulator.playground.mischief import Mischief
from botkit.simulator.playground.mortal import Killed, Life
from tests.simulator.clock import SECOND, MovableClock
from tests.simulator.playground.town import KIND, Town, rehearsed, town, until

LEASE_END = 62
"""Seconds: a worker's time and two more."""
ANSWER = ("reply", rehearsed("hello"))
SORRY = ("reply", "Sorry!")


@pytest.fixture
def kind(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path, KIND + "reply: {error: Sorry!}\n") as made:
        yield made


def mode(mischief: Mischief, name: str) -> str:
    return str(next(one["mode"] for one in mischief.list() if one["name"] == name))


# ---------------------------------------------------------------- LINE


def test_a_refused_reply_token_makes_the_answer_a_push(kind: Town) -> None:
    kind.mischief.set("token_expired", "once")
    kind.say()
    kind.settle()
    assert kind.heard() == [("push", rehearsed("hello"))]
    assert mode(kind.mischief, "token_expired") == "off"


def test_line_500_only_makes_it_take_longer(kind: Town) -> None:
    kind.mischief.set("line_500", "once")
    kind.say()
    kind.settle()
    assert kind.heard() == [ANSWER]
    assert [call.status for call in kind.platform.calls_of("reply")] == [500, 200]


def test_what_line_has_shown_and_denied_is_not_said_twice(kind: Town) -> None:
    kind.mischief.set("line_unsure", "once")
    kind.say()
    kind.settle()
    kind.say("and now?")
    kind.settle()
    assert kind.heard() == [ANSWER, ("reply", rehearsed("and now?"))]
    assert [call.status for call in kind.platform.calls_of("reply")] == [500, 400, 200]


def test_with_the_quota_used_up_the_answer_waits_for_the_next_reply(kind: Town) -> None:
    kind.mischief.set("token_expired", "once")
    kind.mischief.set("quota_used_up", "on")
    kind.say()
    kind.settle()
    assert kind.heard() == []
    assert [call.status for call in kind.platform.calls_of("push")] == [429]
    kind.say("and now?")
    kind.settle()
    assert kind.heard() == [ANSWER, ("reply", rehearsed("and now?"))]


def test_a_trouble_that_was_queued_still_happens(kind: Town) -> None:
    kind.platform.troubles.refuse("reply", 400, "Invalid reply token")
    kind.say()
    kind.settle()
    assert kind.heard() == [("push", rehearsed("hello"))]


# ---------------------------------------------------------------- webhooks


def test_a_duplicate_is_answered_once(kind: Town) -> None:
    kind.mischief.set("duplicate", "once")
    kind.say()
    kind.settle()
    assert [one.status for one in kind.told] == [200, 200]
    assert len({event["body"] for event in kind.webhooks()}) == 1
    assert kind.heard() == [ANSWER]
    kind.say("again")
    kind.settle()
    assert len(kind.told) == 3


def test_a_lost_webhook_comes_again_as_a_redelivery_and_is_answered_once(kind: Town) -> None:
    kind.mischief.set("redelivery", "once")
    kind.say()
    kind.settle()
    (lost,) = kind.told
    assert (lost.status, lost.text) == (
        None,
        "LINE has lost this webhook on its way. LINE sends it again in 10 seconds.",
    )
    assert kind.webhooks() == []
    kind.pass_time(10)
    (event,) = kind.webhooks()
    assert json.loads(event["body"])["events"][0]["deliveryContext"] == {"isRedelivery": True}
    assert kind.heard() == [ANSWER]


# ---------------------------------------------------------------- the worker and the model


def test_a_killed_workers_message_is_answered_after_the_lease_by_a_sweep_once(kind: Town) -> None:
    kind.mischief.set("worker_killed", "once")
    kind.say()
    kind.settle()
    kind.pass_time(LEASE_END - 2)
    assert kind.heard() == []
    kind.pass_time(60)
    assert kind.heard() == [("push", rehearsed("hello"))]
    kind.pass_time(3600)
    assert len(kind.heard()) == 1


def test_a_killed_worker_takes_the_whole_batch_along_and_each_is_answered_in_the_end(kind: Town) -> None:
    kind.mischief.set("worker_killed", "on")
    people = [kind.platform.add_person(f"P{number}") for number in range(12)]
    for person in people:
        kind.say(person.name, person)
    kind.settle()
    kind.mischief.set("worker_killed", "off")
    for _ in range(3):
        kind.pass_time(LEASE_END)
    assert [[text for _, text in kind.heard(one)] for one in people] == [[rehearsed(one.name)] for one in people]


def test_a_slow_model_makes_a_button_that_brings_the_answer(kind: Town) -> None:
    kind.mischief.set("slow_model", "once")
    kind.say()
    until(lambda: mode(kind.mischief, "slow_model") == "off")
    kind.clock.sleep(46 * SECOND)
    until(kind.heard)
    (notice,) = kind.platform.chat(kind.account, kind.hana).answers
    (button,) = notice.message["template"]["actions"]
    kind.pass_time(5)
    assert len(kind.heard()) == 1
    kind.deliver(kind.platform.postback(kind.account, kind.hana, button["data"]))
    kind.settle()
    assert kind.heard()[1:] == [ANSWER]


def test_a_model_slower_than_its_timeout_makes_the_error_text(kind: Town) -> None:
    kind.write(
        KIND.replace("model: gpt-4.1-mini", "model: {name: gpt-4.1-mini, timeout: 40s}") + "reply: {error: Sorry!}\n"
    )
    kind.mischief.set("slow_model", "once")
    kind.say()
    until(lambda: mode(kind.mischief, "slow_model") == "off")
    kind.pass_time(41)
    assert kind.heard() == [SORRY]


def test_a_slow_model_takes_as_long_as_it_is_set_to(kind: Town) -> None:
    kind.mischief.set("slow_model", "once", 3)
    kind.say()
    until(lambda: mode(kind.mischief, "slow_model") == "off")
    kind.clock.sleep(2 * SECOND)
    assert not kind.cloud.settle(0.08)
    kind.pass_time(1)
    assert kind.heard() == [ANSWER]


@pytest.mark.parametrize("name", ["model_down", "rate_limit"])
def test_a_model_out_of_reach_makes_the_error_text(kind: Town, name: str) -> None:
    kind.mischief.set(name, "once")
    kind.say()
    kind.settle()
    assert kind.heard() == [SORRY]
    kind.say("hello")
    kind.settle()
    assert kind.heard() == [SORRY, ANSWER]


def test_of_a_model_out_of_reach_once_the_fallback_answers(kind: Town) -> None:
    kind.write(KIND.replace("model: gpt-4.1-mini", "model: {name: gpt-4.1-mini, fallback: [gpt-4.1-nano]}"))
    kind.mischief.set("model_down", "once")
    kind.say()
    kind.settle()
    assert kind.heard() == [ANSWER]


def asked(base_url: str | None = None) -> ChatRequest:
    return ChatRequest("gpt-4.1-mini", (), 40.0, base_url=base_url)


def real_fault(error: openai.OpenAIError, host: str) -> ModelError:
    return fault_of(error, Call(CHAT, asked(), Address(f"https://{host}", host, own=False), {}))


@pytest.mark.parametrize(
    ("base_url", "host"), [(None, "api.openai.com"), ("http://me:secret@127.0.0.1:11434/v1", "127.0.0.1:11434")]
)
@pytest.mark.parametrize("name", ["model_down", "rate_limit", "slow_model"])
def test_it_fails_in_the_words_of_the_real_thing(name: str, base_url: str | None, host: str) -> None:
    request = httpx2.Request("POST", f"https://{host}")
    response = httpx2.Response(429, request=request)
    real: dict[str, openai.OpenAIError] = {
        "model_down": openai.APIConnectionError(request=request),
        "rate_limit": openai.RateLimitError("", response=response, body=None),
        "slow_model": openai.APITimeoutError(request),
    }
    expected = real_fault(real[name], host)
    mischief = Mischief()
    mischief.set(name, "on")
    model = mischief.model(RehearsalModel(), Life(), testing.MovableClock(tick=20 * SECOND))
    with pytest.raises(ModelError) as raised:
        model.complete(asked(base_url))
    assert (str(raised.value), raised.value.retryable) == (str(expected), expected.retryable)


def test_a_slow_model_ends_with_its_worker() -> None:
    mischief, life = Mischief(), Life()
    mischief.set("slow_model", "on")
    life.end()
    with pytest.raises(Killed):
        mischief.model(RehearsalModel(), life, MovableClock()).complete(asked())


# ---------------------------------------------------------------- the panel


def test_the_panel_shows_every_trouble_with_what_it_takes() -> None:
    shown = Mischief().list()
    assert {one["mode"] for one in shown} == {"off"}
    assert [one["name"] for one in shown] == [
        "slow_model",
        "model_down",
        "rate_limit",
        "worker_killed",
        "token_expired",
        "line_500",
        "line_unsure",
        "quota_used_up",
        "duplicate",
        "redelivery",
    ]
    assert [(one["name"], one["value"], one["unit"]) for one in shown if one["value"]] == [("slow_model", 50, "s")]
    assert all(one["label"] and one["about"].endswith(".") for one in shown)


def test_once_is_used_up_and_on_stays() -> None:
    mischief = Mischief()
    mischief.set("line_500", "once")
    assert [mischief.happens("line_500") for _ in range(3)] == [True, False, False]
    mischief.set("line_500", "on")
    assert [mischief.happens("line_500") for _ in range(3)] == [True, True, True]


def test_listeners_are_told_of_every_change_and_of_no_more() -> None:
    mischief, told = Mischief(), list[str]()
    mischief.listeners.append(lambda: told.append(mode(mischief, "duplicate")))
    mischief.happens("duplicate")
    mischief.set("duplicate", "once")
    mischief.happens("duplicate")
    mischief.happens("duplicate")
    mischief.set("duplicate", "on")
    mischief.happens("duplicate")
    assert told == ["once", "off", "on"]


def test_what_is_switched_outlives_the_program() -> None:
    before, after = Mischief(), Mischief()
    before.set("slow_model", "off", 7)
    before.set("duplicate", "on")
    after.load(json.loads(json.dumps(before.dump())))
    assert after.list() == before.list() != Mischief().list()


@pytest.mark.parametrize(
    "kept", [None, [], {"gone": {"mode": "on"}}, {"duplicate": "on"}, {"duplicate": {"mode": ["on"], "value": 3}}]
)
def test_what_is_not_understood_is_left_out(kept: object) -> None:
    mischief = Mischief()
    mischief.load(kept)
    assert mischief.list() == Mischief().list()


@pytest.mark.parametrize(
    ("name", "switched", "value", "message"),
    [
        ("flood", "on", None, "there is no trouble 'flood'; there are slow_model, model_down, rate_limit,"),
        ("duplicate", "maybe", None, "Duplicate webhook can be off, once or on, not 'maybe'"),
        ("duplicate", "on", 3, "Duplicate webhook takes no value"),
        ("slow_model", "on", 0, "Slow model takes a whole number from 1 to 600, not 0"),
        ("slow_model", "on", 601, "Slow model takes a whole number from 1 to 600, not 601"),
        ("slow_model", "on", "fast", "Slow model takes a whole number from 1 to 600, not 'fast'"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(name: str, switched: str, value: object, message: str) -> None:
    mischief = Mischief()
    with pytest.raises(ValueError, match=message):
        mischief.set(name, switched, value)  # type: ignore[arg-type]
    assert mischief.list() == Mischief().list()
