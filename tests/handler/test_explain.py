"""`botkit explain`: the story of one event, told from the store."""

import json
from typing import Any

import pytest

from botkit.cli.main import main
from tests.handler.test_bursts import said, together
from tests.handler.test_delivery import KIND, MINUTE, later, mend, say
from tests.support.stage import Stage


@pytest.fixture
def kind(any_stage: Stage) -> Stage:
    any_stage.bot("kind", KIND)
    any_stage.platform.add_person("Hana")
    return any_stage


def explain(stage: Stage, capsys: pytest.CaptureFixture[str], event: int = -1) -> str:
    """What the command says of an event that was posted."""
    event_id = [one["webhookEventId"] for delivery in stage.deliveries for one in delivery.events][event]
    assert main(["explain", "kind", event_id]) == 0
    return " ".join(capsys.readouterr().out.split())


def in_order(story: str, *parts: str) -> bool:
    places = [story.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


def test_the_story_of_an_answer_is_told_in_order(kind: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    say(kind, "one")
    say(kind, "two")
    assert in_order(
        explain(kind, capsys),
        "DONE: answered, or nothing to say",
        "it happened, says LINE",
        "its webhook was received",
        "turn: answers this event alone",
        "history: 2 earlier messages, at most 6 tokens",
        "model gpt-4.1-mini: sent the persona, 2 earlier messages and 1 new,",
        "answer: fixed, 1 message",
        "reply: LINE took it",
    )


def test_what_was_left_out_of_the_prompt_is_told_with_the_reason(
    kind: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    kind.bot("kind", KIND + "history: {max_tokens: 2}\n")
    for text in ("one", "two", "three"):
        say(kind, text)
    assert "2 left out by max_tokens: 2" in explain(kind, capsys)


def test_a_message_of_a_burst_leads_to_the_answer_that_covers_it(
    kind: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = said(kind, "one", "two")
    together(kind, first, second)
    kind.deliveries = [first, second]
    (lead,) = second.events
    story = explain(kind, capsys, 0)
    assert in_order(story, "DONE", f"Answered together with {lead['webhookEventId']}", "reply: LINE took it")


def test_calls_that_line_refused_are_told_with_its_answers(kind: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    kind.restart(on_lines_clock=True)
    kind.platform.troubles.refuse("reply", 429, "rate limit", times=100)
    say(kind)
    assert in_order(explain(kind, capsys), "SENDING", "429 rate limit", "LINE did not take the answer; it waits")
    mend(kind)
    kind.sweep(after=2 * MINUTE)
    assert in_order(explain(kind, capsys), "DONE", "it waits", "400 Invalid reply token", "push: LINE took it")


def test_a_model_that_failed_is_told(kind: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    kind.openai.fail(400, "no", code="bad")
    say(kind)
    assert in_order(explain(kind, capsys), "model gpt-4.1-mini:", "no answer:", "reply: LINE took it")


def test_a_slow_answer_is_told_with_its_notice(kind: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    kind.restart(on_lines_clock=True)
    later(kind, 50_000, "at last")
    say(kind)
    assert in_order(explain(kind, capsys), "UNDELIVERED", "notice:", "answer: fixed, 1 message, waits for a tap")


def test_nothing_that_was_said_is_shown(kind: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    kind.openai.say("the answer is 4711")
    say(kind, "what is my pin?")
    story = explain(kind, capsys)
    assert "pin" not in story
    assert "4711" not in story


def test_as_json_for_programs(kind: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    say(kind)
    (event,) = kind.deliveries[-1].events
    assert main(["explain", "kind", event["webhookEventId"], "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    facts: dict[str, Any] = {name: record[name] for name in ("state", "attempts", "sends", "lead")}
    assert facts == {"state": "DONE", "attempts": 1, "sends": 1, "lead": event["webhookEventId"]}


def test_an_event_the_bot_never_saw(kind: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    say(kind)
    assert main(["explain", "kind", "01NOSUCHEVENT"]) == 1
    assert "kind knows no event 01NOSUCHEVENT; it is remembered for seven days" in capsys.readouterr().err


def test_a_bot_that_is_not_there(kind: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "kid", "01NOSUCHEVENT"]) == 2
    assert "did you mean `kind`?" in capsys.readouterr().err
