"""Accepted once, answered once: what happens when LINE, the model or a step does not do its part."""

import json
from typing import Any

import pytest

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


def test_line_down_leaves_the_answer_for_the_sweep_which_asks_no_model_again(kind: Stage) -> None:
    kind.platform.troubles.refuse("reply", 500, times=3)
    assert say(kind)["statusCode"] == 200
    assert ways(kind) == []
    assert sweep(kind) == {"swept": 0}  # nothing is due yet
    kind.restart()
    redelivered = kind.platform.redeliver(last_delivery(kind))
    kind.post("kind", redelivered)
    assert ways(kind) == [("reply", "hi")]
    assert len(kind.openai.requests) == 1


def last_delivery(stage: Stage) -> Any:
    return stage.deliveries[-1]


def sweep(stage: Stage) -> dict[str, Any]:
    assert stage.handler is not None
    return stage.handler({"botkit": "sweep"}, None)


def test_an_answer_line_refuses_for_good_does_not_block_the_next_one(kind: Stage) -> None:
    kind.platform.troubles.refuse("reply", 403)
    say(kind, "one")
    say(kind, "two")
    assert ways(kind) == [("reply", "two")]


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
    folder = kind.bots.rename(kind.bots.with_name("bots_with_bug"))
    kind.bots = folder
    kind.setenv("BOTKIT_BOTS", str(folder))
    (folder / "bug.py").write_text(
        "from botkit import Step\nclass Bug(Step):\n    def __call__(self, turn, call_next):\n        return 1 / 0\n"
    )
    kind.bot("kind", KIND + "pipeline: [reply, {use: bots_with_bug.bug:Bug}, persona, model]\n")
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
    assert ways(kind) == [("reply", "one"), ("reply", "two")]


def test_an_empty_model_answer_is_an_error_not_an_empty_message(kind: Stage) -> None:
    kind.openai.say("   ")
    say(kind)
    assert ways(kind) == [("reply", "Sorry!")]


def test_events_without_words_are_taken_in_and_not_answered(kind: Stage) -> None:
    account, (hana,) = kind.accounts["kind"], kind.platform.people.values()
    for delivery in (
        kind.platform.follow(account, hana),
        kind.platform.send_sticker(account, hana),
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
    folder = kind.bots.rename(kind.bots.with_name("bots_with_half"))
    kind.bots = folder
    kind.setenv("BOTKIT_BOTS", str(folder))
    (folder / "half.py").write_text(
        "from botkit import Reply, Step\n"
        "class Half(Step):\n"
        "    def __call__(self, turn, call_next):\n"
        "        return Reply.of('half \\ud83d')\n"
    )
    kind.bot("kind", KIND + "pipeline: [reply, history, {use: bots_with_half.half:Half}, persona, model]\n")
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
