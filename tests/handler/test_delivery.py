"""Accepted once, answered once: what happens when LINE, the model or a step does not do its part."""

import json
import os
from typing import Any, get_args

import pytest

from botkit.delivery.metrics import Happening
from botkit.simulator.troubles import NO_TROUBLE, Endpoint
from botkit.testing import MovableClock
from tests.support.aws import CREDENTIALS
from tests.support.stage import Stage
from tests.support.wire import Lossy, serving

KIND = "persona: You are kind.\nmodel: gpt-4.1-mini\nreply: {error: Sorry!}\n"
MINUTE = 60_000


def later(stage: Stage, ms: int, words: str) -> None:
    """The model answers after this long, as LINE's clock sees it."""
    clock = stage.platform.clock
    assert isinstance(clock, MovableClock)

    def answer(_body: dict[str, Any]) -> str:
        clock.sleep(ms)
        return words

    stage.openai.say(answer)


def ways(stage: Stage, name: str = "kind") -> list[tuple[str, str]]:
    """How the bot's words reached Hana."""
    (hana,) = stage.platform.people.values()
    return [(one.via, one.text) for one in stage.platform.chat(stage.accounts[name], hana).answers]


def metrics(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was counted, in order."""
    records = [record for record in caplog.records if record.name == "botkit.metrics"]
    return [name.lower() for record in records for name in record.metrics if name in get_args(Happening)]


@pytest.fixture
def kind(any_stage: Stage) -> Stage:
    any_stage.bot("kind", KIND)
    any_stage.platform.add_person("Hana")
    return any_stage


def say(stage: Stage, text: str = "hi") -> dict[str, Any]:
    (hana,) = stage.platform.people.values()
    return stage.post("kind", stage.platform.say(stage.accounts["kind"], hana, text))


def test_an_answer_later_than_the_tokens_minute_is_pushed(kind: Stage) -> None:
    later(kind, MINUTE + 1000, "late but sure")
    say(kind)
    assert ways(kind) == [("push", "late but sure")]


def test_a_reply_whose_response_was_lost_is_not_said_twice(kind: Stage) -> None:
    kind.platform.troubles.lose("reply")
    say(kind)
    assert ways(kind) == [("reply", "hi")]
    assert [call.status for call in kind.platform.calls_of("reply")] == [500, 400]


def test_a_reply_that_never_arrived_is_sent_again_unchanged(kind: Stage) -> None:
    kind.platform.troubles.refuse("reply", 500)
    kind.platform.troubles.drop("reply", done=False)
    say(kind)
    assert ways(kind) == [("reply", "hi")]
    bodies = [json.dumps(call.body) for call in kind.platform.calls_of("reply")]
    assert len(bodies) == 3
    assert len(set(bodies)) == 1


def test_a_push_whose_response_was_lost_is_not_said_twice(kind: Stage) -> None:
    later(kind, MINUTE + 1000, "once")
    kind.platform.troubles.lose("push")
    say(kind)
    assert ways(kind) == [("push", "once")]
    calls = kind.platform.calls_of("push")
    assert [call.status for call in calls] == [500, 409]
    assert len({call.headers["x-line-retry-key"] for call in calls}) == 1


def test_a_push_that_may_have_arrived_is_never_kept_for_the_next_reply(kind: Stage) -> None:
    """It was paid for, so nobody needs to know again how many people it goes to, which LINE may not tell now."""
    kind.restart(on_lines_clock=True)
    account, (hana,) = kind.accounts["kind"], kind.platform.people.values()
    group = kind.platform.add_group(hana)
    kind.post("kind", kind.platform.join(account, group))
    kind.platform.troubles.refuse("reply", 400, "Invalid reply token")
    kind.platform.troubles.lose("push")
    kind.platform.troubles.refuse("push", 500, times=100)
    kind.post("kind", kind.platform.say(account, hana, "@kind once", chat=group, mention=account))
    mend(kind, "push")
    kind.platform.troubles.refuse("member_count", 500, times=100)
    kind.sweep(after=2 * MINUTE)
    kind.post("kind", kind.platform.say(account, hana, "@kind more", chat=group, mention=account))
    assert [(one.via, one.text) for one in kind.platform.chat(account, group).answers] == [
        ("push", "once"),
        ("reply", "more"),
    ]


def test_a_short_failure_of_line_is_waited_out_within_the_tokens_minute(kind: Stage) -> None:
    kind.restart(on_lines_clock=True)
    kind.platform.troubles.refuse("reply", 500, times=8)
    say(kind)
    assert ways(kind) == [("reply", "hi")]
    assert len(kind.openai.requests) == 1


def mend(stage: Stage, endpoint: Endpoint = "reply") -> None:
    """LINE works again."""
    while stage.platform.troubles.take(endpoint) is not NO_TROUBLE:
        pass


def test_an_answer_that_line_certainly_never_took_is_pushed_once_the_token_is_dead(kind: Stage) -> None:
    """429 is a no: the answer waits for the sweep, which pushes it, and asks no model again."""
    kind.restart(on_lines_clock=True)
    kind.platform.troubles.refuse("reply", 429, "rate limit", times=100)
    assert say(kind)["statusCode"] == 200
    mend(kind)
    assert ways(kind) == []
    assert kind.sweep(after=2 * MINUTE) == {"swept": 1}
    assert ways(kind) == [("push", "hi")]
    assert len(kind.openai.requests) == 1


def test_an_answer_line_may_have_taken_is_not_said_again_after_the_minute(
    kind: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    kind.restart(on_lines_clock=True)
    kind.platform.troubles.refuse("reply", 500, times=100)
    say(kind)
    mend(kind)
    assert kind.sweep(after=2 * MINUTE) == {"swept": 1}
    assert ways(kind) == []
    assert metrics(caplog) == ["ambiguous"]
    assert kind.platform.calls_of("push") == ()


def test_a_redelivery_renews_the_token_of_an_unfinished_answer(kind: Stage) -> None:
    kind.restart(on_lines_clock=True)
    kind.platform.troubles.refuse("reply", 500, times=100)
    say(kind)
    mend(kind)
    kind.platform.clock.sleep(2 * MINUTE)
    kind.post("kind", kind.platform.redeliver(kind.deliveries[-1]))
    assert ways(kind) == [("reply", "hi")]
    assert len(kind.openai.requests) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_an_account_that_is_set_up_wrong_keeps_its_answers_until_it_is_mended(kind: Stage, status: int) -> None:
    kind.restart(on_lines_clock=True)
    kind.platform.troubles.refuse("reply", status)
    say(kind)
    assert ways(kind) == []
    kind.sweep(after=2 * MINUTE)
    assert ways(kind) == [("push", "hi")]


def test_an_answer_line_refuses_for_good_does_not_block_the_next_one(kind: Stage) -> None:
    kind.platform.troubles.refuse("reply", 413)
    say(kind, "one")
    say(kind, "two")
    assert ways(kind) == [("reply", "two")]


def test_nothing_older_than_a_day_is_answered(kind: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KIND_TOKEN")
    kind.restart(on_lines_clock=True)
    say(kind)
    kind.setenv("KIND_TOKEN", kind.accounts["kind"].access_token)
    assert kind.sweep(after=25 * 60 * MINUTE) == {"swept": 1}
    assert ways(kind) == []
    assert kind.openai.requests == []
    assert kind.sweep(after=MINUTE) == {"swept": 0}


def test_one_bot_without_its_token_does_not_hold_up_the_sweep_of_the_others(
    kind: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = kind.bot("bad", KIND)
    for variable in ("BAD_TOKEN", "KIND_TOKEN"):
        monkeypatch.delenv(variable)
    kind.restart(on_lines_clock=True)
    crowd = [kind.platform.say(bad, kind.platform.add_person(f"P{n}"), "hi") for n in range(105)]
    kind.post("bad", kind.platform.bundle(*crowd))
    hana = next(iter(kind.platform.people.values()))
    kind.post("kind", kind.platform.say(kind.accounts["kind"], hana, "hi"))
    kind.setenv("KIND_TOKEN", kind.accounts["kind"].access_token)
    assert kind.sweep(after=2 * MINUTE) == {"swept": 1}
    assert kind.platform.chat(kind.accounts["kind"], hana).texts == ["hi"]


def test_more_waiting_events_than_fit_a_page_are_all_answered(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    account, hana = stage.bot("kind", KIND), stage.platform.add_person("Hana")
    monkeypatch.delenv("KIND_TOKEN")
    stage.restart(on_lines_clock=True)
    stage.post("kind", stage.platform.bundle(*(stage.platform.say(account, hana, f"{n}") for n in range(105))))
    stage.setenv("KIND_TOKEN", account.access_token)
    stage.sweep(after=10_000)
    assert len(stage.platform.calls_of("reply")) == 7
    asked = [message["content"] for prompt in stage.prompts() for message in prompt if message["role"] == "user"]
    assert list(dict.fromkeys(asked)) == [f"{n}" for n in range(105)]


class LambdaContext:
    """What Lambda tells a handler of its time."""

    def __init__(self, ms: int) -> None:
        self._ms = ms

    def get_remaining_time_in_millis(self) -> int:
        return self._ms


def test_a_turn_for_which_there_is_too_little_time_is_left_to_the_next_worker(
    kind: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """The lease is given back at once: a worker with time, right behind, need not wait for it to end."""
    kind.restart(on_lines_clock=True)
    kind.context = LambdaContext(3000)
    say(kind)
    assert ways(kind) == []
    assert "ms are left, and a turn is begun with" in caplog.text
    kind.context = None
    kind.post("kind", kind.deliveries[-1])
    assert ways(kind) == [("reply", "hi")]


def test_a_sweep_without_time_begins_nothing_and_the_next_one_goes_on(
    kind: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    kind.restart(on_lines_clock=True)
    kind.context = LambdaContext(3000)
    say(kind)
    assert kind.sweep(after=10_000) == {"swept": 0}
    assert "the sweep is out of time" in caplog.text
    kind.context = None
    assert kind.sweep() == {"swept": 1}
    assert ways(kind) == [("reply", "hi")]


@pytest.mark.parametrize("spent", [45_000, 51_000])
def test_line_is_not_called_again_when_the_process_is_about_to_end(kind: Stage, spent: int) -> None:
    """Of 60 seconds the model takes most: what is left must suffice to write down that LINE said no."""
    kind.restart(on_lines_clock=True)
    began = kind.platform.clock.now()
    later(kind, spent, "sure")
    kind.platform.troubles.refuse("reply", 429, times=100)
    say(kind)
    mend(kind)
    assert kind.platform.clock.now() - began < 60_000 - 7_000
    kind.sweep(after=2 * MINUTE)
    assert ways(kind) == [("push", "sure")]


def test_a_step_that_forgets_to_return_is_told_so(kind: Stage, caplog: pytest.LogCaptureFixture) -> None:
    step = kind.own_step("forgetful", "call_next(turn)")
    kind.bot("kind", f"persona: hi\nmodel: gpt-4.1-mini\npipeline: [{step}, persona, model]\n")
    say(kind)
    assert ways(kind) == [("reply", "Sorry, something went wrong. Please try again.")]
    assert "a step returned NoneType instead of a Reply" in caplog.text


def test_words_that_an_outer_step_took_back_are_not_remembered(kind: Stage) -> None:
    step = kind.own_step(
        "veto", "reply = call_next(turn)\nreturn Reply.of('I cannot say that.') if 'SECRET' in reply.text else reply"
    )
    kind.bot("kind", KIND + f"pipeline: [reply, {step}, history, persona, model]\n")
    kind.openai.say("the SECRET")
    say(kind, "tell me")
    say(kind, "and now?")
    assert ways(kind)[0] == ("reply", "I cannot say that.")
    assert [message["content"] for message in kind.prompts()[-1]][1:] == ["tell me", "I cannot say that.", "and now?"]


def test_a_failing_model_ends_in_the_bots_error_text_once(kind: Stage) -> None:
    kind.openai.fail(400, "no", code="bad")
    say(kind)
    assert ways(kind) == [("reply", "Sorry!")]


def test_what_was_said_before_a_failure_is_still_remembered(kind: Stage) -> None:
    kind.openai.fail(400, "no", code="bad")
    say(kind, "my name is Hana")
    say(kind, "who am I?")
    assert [message["content"] for message in kind.prompts()[-1]][1:] == ["my name is Hana", "who am I?"]


def test_error_texts_stay_out_of_groups(kind: Stage) -> None:
    kind.bot("kind", KIND + "groups: {answer: always}\n")
    (hana,) = kind.platform.people.values()
    group = kind.platform.add_group(hana)
    kind.post("kind", kind.platform.join(kind.accounts["kind"], group))
    kind.openai.fail(400, "no", code="bad")
    kind.post("kind", kind.platform.say(kind.accounts["kind"], hana, "hi", chat=group))
    assert kind.platform.chat(kind.accounts["kind"], group).texts == []


def test_the_next_model_is_asked_when_the_first_one_fails(kind: Stage) -> None:
    kind.bot("kind", "persona: hi\nmodel: {name: gpt-4.1, fallback: [gpt-4o, gpt-4.1-mini]}\n")
    kind.openai.fail(400, "no", code="bad")
    say(kind)
    assert ways(kind) == [("reply", "hi")]
    assert [request.body["model"] for request in kind.openai.requests] == ["gpt-4.1", "gpt-4o"]


def test_a_bug_in_a_step_is_told_in_the_log_and_the_person_gets_the_error_text(
    kind: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    step = kind.own_step("bug", "return 1 / 0")
    kind.bot("kind", KIND + f"pipeline: [reply, {step}, persona, model]\n")
    say(kind)
    assert ways(kind) == [("reply", "Sorry!")]
    assert "ZeroDivisionError" in caplog.text


def test_a_missing_model_key_ends_in_the_error_text_and_the_log_says_the_cure(
    kind: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kind.bot("kind", "persona: hi\nmodel: {name: gpt-4.1-mini, api_key: env:NO_KEY}\nreply: {error: Sorry!}\n")
    monkeypatch.delenv("NO_KEY", raising=False)
    say(kind)
    assert ways(kind) == [("reply", "Sorry!")]
    assert "put the secret into the environment variable NO_KEY" in caplog.text


def test_a_missing_channel_token_leaves_the_message_waiting(kind: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KIND_TOKEN")
    assert say(kind, "one")["statusCode"] == 200
    kind.setenv("KIND_TOKEN", kind.accounts["kind"].access_token)
    say(kind, "two")
    assert ways(kind) == [("reply", "two")]
    assert [message["content"] for message in kind.prompts()[-1]][1:] == ["one", "two"]


def test_an_empty_model_answer_is_an_error_not_an_empty_message(kind: Stage) -> None:
    kind.openai.say("   ")
    say(kind)
    assert ways(kind) == [("reply", "Sorry!")]


def test_events_without_words_are_taken_in_and_not_answered(kind: Stage) -> None:
    account, (hana,) = kind.accounts["kind"], kind.platform.people.values()
    for delivery in (
        kind.platform.follow(account, hana),
        kind.platform.postback(account, hana, "a=b"),
        kind.platform.unfollow(account, hana),
    ):
        assert kind.post("kind", delivery)["statusCode"] == 200
    assert kind.openai.requests == []
    assert ways(kind) == []


def test_control_characters_of_a_model_reach_neither_line_nor_the_history(kind: Stage) -> None:
    kind.openai.say("bro\x00ken \x1b[31mred")
    say(kind)
    assert ways(kind) == [("reply", "broken [31mred")]
    say(kind, "and?")
    assert kind.prompts()[-1][-2]["content"] == "broken [31mred"


def test_half_an_emoji_from_a_step_of_ones_own_is_mended_not_lost(kind: Stage) -> None:
    step = kind.own_step("half", "return Reply.of('half \\ud83d')")
    kind.bot("kind", KIND + f"pipeline: [reply, history, {step}, persona, model]\n")
    say(kind)
    assert ways(kind) == [("reply", "half")]


def test_an_answer_whose_transaction_got_no_response_is_fixed_once_and_sent(
    stage: Stage, dynamodb_table: str, aws_endpoint: str
) -> None:
    """The third transaction of an event fixes the answer; its response is lost as often as the SDK asks."""
    account, hana = stage.bot("kind", KIND), stage.platform.add_person("Hana")
    with serving(Lossy(aws_endpoint, "TransactWriteItems", skip=2, times=3)) as lossy:
        stage.setenv("BOTKIT_STORE", f"dynamodb://{dynamodb_table}")
        for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL_DYNAMODB": lossy.url}).items():
            stage.setenv(name, value)
        stage.post("kind", stage.platform.say(account, hana, "hi"))
        assert lossy.lost == 3
        assert ways(stage) == [("reply", "hi")]
        stage.post("kind", stage.platform.say(account, hana, "again"))
    assert [message["content"] for message in stage.prompts()[-1]][1:] == ["hi", "hi", "again"]


def test_line_out_of_reach_is_a_no_and_not_a_doubt(kind: Stage) -> None:
    """Nothing was sent where there was no connection: the answer is pushed once LINE is there again."""
    url = os.environ["BOTKIT_LINE_URL"]
    kind.setenv("BOTKIT_LINE_URL", "http://127.0.0.1:9")
    kind.restart(on_lines_clock=True)
    say(kind)
    kind.setenv("BOTKIT_LINE_URL", url)
    kind.restart(on_lines_clock=True)
    kind.sweep(after=2 * MINUTE)
    assert ways(kind) == [("push", "hi")]


def test_a_redelivery_after_twenty_minutes_brings_no_new_token(kind: Stage) -> None:
    kind.restart(on_lines_clock=True)
    kind.platform.troubles.refuse("reply", 429, times=100)
    say(kind)
    mend(kind)
    kind.platform.clock.sleep(21 * MINUTE)
    kind.post("kind", kind.platform.redeliver(kind.deliveries[-1]))
    assert ways(kind) == [("push", "hi")]


def test_what_a_failing_store_left_is_due_again_soon_and_still_free(
    stage: Stage, dynamodb_table: str, aws_endpoint: str
) -> None:
    """The answer transaction fails for good; a sweep ten seconds later still finds a living reply token."""
    account, hana = stage.bot("kind", KIND), stage.platform.add_person("Hana")
    for name, value in CREDENTIALS.items():
        stage.setenv(name, value)
    stage.setenv("BOTKIT_STORE", f"dynamodb://{dynamodb_table}")
    with serving(Lossy(aws_endpoint, "TransactWriteItems", skip=1, times=9, before=True)) as lossy:
        stage.setenv("AWS_ENDPOINT_URL_DYNAMODB", lossy.url)
        stage.restart(on_lines_clock=True)
        stage.post("kind", stage.platform.say(account, hana, "hi"))
    assert ways(stage) == []
    stage.setenv("AWS_ENDPOINT_URL_DYNAMODB", aws_endpoint)
    stage.restart(on_lines_clock=True)
    assert stage.sweep(after=10_000) == {"swept": 1}
    assert ways(stage) == [("reply", "hi")]
