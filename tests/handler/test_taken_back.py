"""What people take back or change, and chats that are left: unsend, edits, standby, unfollow, leave."""

from typing import Any

import pytest

from botkit.simulator.chats import Person
from tests.handler.test_bursts import crowd, hana_of, prompt, said, together
from tests.handler.test_delivery import KIND, MINUTE, later, mend, say, ways
from tests.handler.test_window import NOTICE, PERSONA, SECOND, button, tap
from tests.support.stage import Stage


@pytest.fixture
def kind(any_stage: Stage) -> Stage:
    any_stage.bot("kind", KIND)
    any_stage.platform.add_person("Hana")
    any_stage.restart(on_lines_clock=True)
    return any_stage


def unsend(stage: Stage, delivery: Any, **where: Any) -> None:
    account = stage.accounts["kind"]
    stage.post("kind", stage.platform.unsend(account, hana_of(stage), delivery.message_id, **where))


def test_an_unsent_message_leaves_the_history(kind: Stage) -> None:
    kind.openai.say("noted")
    (first,) = said(kind, "my card number is 4111")
    kind.post("kind", first)
    unsend(kind, first)
    say(kind, "hello")
    assert prompt(kind) == ["noted", "hello"]


def test_a_message_unsent_while_its_answer_is_made_gets_none(kind: Stage) -> None:
    (first,) = said(kind, "oops")

    def unsent_meanwhile(_body: dict[str, Any]) -> str:
        unsend(kind, first)
        return "an answer to oops"

    kind.openai.say(unsent_meanwhile)
    kind.post("kind", first)
    assert ways(kind) == []
    say(kind, "hello")
    assert prompt(kind) == ["hello"]


def test_of_a_burst_only_what_was_not_unsent_is_answered(kind: Stage) -> None:
    first, second = said(kind, "oops", "hello")

    def unsent_meanwhile(_body: dict[str, Any]) -> str:
        unsend(kind, first)
        return "oops hello"

    kind.openai.say(unsent_meanwhile)
    together(kind, first, second)
    assert prompt(kind) == ["hello"]
    assert ways(kind) == [("reply", "hello")]


def test_an_unsend_that_comes_before_its_message_is_heeded(kind: Stage) -> None:
    (first,) = said(kind, "oops")
    unsend(kind, first)
    assert kind.post("kind", first)["statusCode"] == 200
    say(kind, "hello")
    assert prompt(kind) == ["hello"]


def test_an_answer_that_waits_goes_with_the_message_unsent(kind: Stage) -> None:
    later(kind, 50 * SECOND, "about your secret")
    (first,) = said(kind, "my secret")
    kind.post("kind", first)
    unsend(kind, first)
    tap(kind)
    assert ways(kind) == [("reply", NOTICE)]
    say(kind, "hello")
    assert prompt(kind) == ["hello"]
    assert ways(kind)[1:] == [("reply", "hello")]


def three_kept(stage: Stage, *, last: tuple[int, str, int]) -> list[Any]:
    """Three messages whose answers LINE refuses: those to the first two are kept, and joined into the third."""
    stage.bot("kind", PERSONA + "reply: {late: keep}\n")
    stage.restart(on_lines_clock=True)
    deliveries = said(stage, "one", "two", "three")
    stage.platform.troubles.refuse("reply", 400, "Invalid reply token", times=2)
    for delivery in deliveries[:2]:
        stage.post("kind", delivery)
    status, words, times = last
    stage.platform.troubles.refuse("reply", status, words, times=times)
    stage.post("kind", deliveries[2])
    mend(stage)
    return deliveries


def test_of_answers_that_are_kept_together_only_that_to_the_message_unsent_goes(kind: Stage) -> None:
    first, *_ = three_kept(kind, last=(400, "Invalid reply token", 1))
    unsend(kind, first)
    assert ways(kind) == []
    say(kind, "four")
    assert ways(kind) == [("reply", "two"), ("reply", "three"), ("reply", "four")]
    assert prompt(kind) == ["two", "two", "three", "three", "four"]


def test_answers_that_wait_with_a_message_unsent_are_shown_with_the_next_reply(kind: Stage) -> None:
    *_, third = three_kept(kind, last=(429, "rate limit", 100))
    unsend(kind, third)
    kind.sweep(after=2 * MINUTE)
    assert ways(kind) == []
    say(kind, "four")
    assert ways(kind) == [("reply", "one"), ("reply", "two"), ("reply", "four")]
    assert kind.sweep(after=2 * MINUTE) == {"swept": 0}


def test_an_answer_made_while_a_kept_one_is_unsent_goes_without_it(kind: Stage) -> None:
    first, *_ = three_kept(kind, last=(400, "Invalid reply token", 1))

    def unsent_meanwhile(_body: dict[str, Any]) -> str:
        unsend(kind, first)
        return "four"

    kind.openai.say(unsent_meanwhile)
    say(kind, "four")
    assert ways(kind) == [("reply", "two"), ("reply", "three"), ("reply", "four")]


def test_an_unsend_of_somebody_elses_chat_touches_nothing(kind: Stage) -> None:
    (first,) = said(kind, "keep me")
    kind.post("kind", first)
    ken = kind.platform.add_person("Ken")
    elsewhere = kind.platform.say(kind.accounts["kind"], ken, "mine")
    (event,) = kind.platform.unsend(kind.accounts["kind"], ken, elsewhere.message_id).events
    event["unsend"]["messageId"] = first.message_id
    kind.post("kind", kind.platform.webhook(kind.accounts["kind"], event))
    kind.post("kind", *said(kind, "hello"))
    assert prompt(kind) == ["keep me", "keep me", "hello"]


def test_in_a_group_of_separate_conversations_an_unsend_finds_its_own(kind: Stage) -> None:
    kind.bot("kind", KIND + "groups: {answer: always}\n")
    hana, ken, account = hana_of(kind), kind.platform.add_person("Ken"), kind.accounts["kind"]
    group = kind.platform.add_group(hana, ken)
    kind.restart(on_lines_clock=True)
    kind.post("kind", kind.platform.join(account, group))
    kind.openai.say("noted")
    (first,) = said(kind, "oops", chat=group)
    kind.post("kind", first)
    (event,) = kind.platform.unsend(account, hana, first.message_id, chat=group).events
    del event["source"]["userId"]  # LINE does not promise it here
    kind.post("kind", kind.platform.webhook(account, event))
    say_in(kind, hana, "hello", group)
    assert prompt(kind) == ["noted", "hello"]


def say_in(stage: Stage, person: Person, text: str, chat: Any) -> None:
    stage.post("kind", stage.platform.say(stage.accounts["kind"], person, text, chat=chat))


# ---------------------------------------------------------------- edits


def test_an_edit_changes_what_history_holds_and_is_not_answered(kind: Stage) -> None:
    group, _ = crowd(kind)
    kind.openai.say("noted")
    (first,) = said(kind, "we come at three", chat=group)
    kind.post("kind", first)
    edit(kind, first, "we come at four", group)
    assert len(kind.platform.calls_of("reply")) == 1
    say_in(kind, hana_of(kind), "when?", group)
    assert prompt(kind) == ["Hana: we come at four", "noted", "Hana: when?"]


def edit(stage: Stage, delivery: Any, text: str, group: Any, *, after: int = 0) -> Any:
    stage.platform.clock.sleep(after)
    edited = stage.platform.edit(stage.accounts["kind"], hana_of(stage), delivery.message_id, text, chat=group)
    stage.post("kind", edited)
    return edited


def test_the_newest_edit_wins_whatever_order_they_come_in(kind: Stage) -> None:
    group, _ = crowd(kind)
    (first,) = said(kind, "one", chat=group)
    kind.post("kind", first)
    account, hana = kind.accounts["kind"], hana_of(kind)
    earlier = kind.platform.edit(account, hana, first.message_id, "two", chat=group)
    kind.platform.clock.sleep(SECOND)
    newest = kind.platform.edit(account, hana, first.message_id, "three", chat=group)
    kind.post("kind", newest)
    kind.post("kind", earlier)
    say_in(kind, hana, "well?", group)
    assert prompt(kind)[0] == "Hana: three"


def test_an_edit_that_comes_before_its_message_waits_for_it(kind: Stage) -> None:
    group, _ = crowd(kind)
    (first,) = said(kind, "one", chat=group)
    edit(kind, first, "two", group)
    kind.openai.say("noted")
    kind.post("kind", first)
    assert prompt(kind) == ["Hana: two"]
    kind.sweep(after=MINUTE)
    say_in(kind, hana_of(kind), "well?", group)
    assert prompt(kind)[0] == "Hana: two"
    assert len(kind.platform.calls_of("reply")) == 2


def test_an_edit_of_nothing_known_is_given_up(kind: Stage) -> None:
    group, _ = crowd(kind)
    (first,) = said(kind, "one", chat=group)
    edit(kind, first, "two", group)
    for _ in range(6):
        kind.sweep(after=MINUTE)
    assert kind.sweep(after=MINUTE) == {"swept": 0}


# ---------------------------------------------------------------- standby, blocked, left


def test_events_in_standby_are_stored_and_never_answered(kind: Stage) -> None:
    (first,) = said(kind, "hello")
    (event,) = first.events
    del event["replyToken"]
    event["mode"] = "standby"
    kind.post("kind", kind.platform.webhook(kind.accounts["kind"], event))
    event["mode"], event["replyToken"] = "active", "0" * 32
    kind.post("kind", kind.platform.webhook(kind.accounts["kind"], event))
    assert kind.platform.calls_of("reply") == ()
    assert kind.openai.requests == []


def test_what_waits_for_somebody_who_blocked_the_bot_is_dropped(kind: Stage) -> None:
    later(kind, 50 * SECOND, "too late")
    say(kind, "hello")
    data = button(kind)["data"]
    account, hana = kind.accounts["kind"], hana_of(kind)
    kind.post("kind", kind.platform.unfollow(account, hana))
    kind.post("kind", kind.platform.follow(account, hana))
    tap(kind, data)
    say(kind, "back again")
    assert ways(kind) == [("reply", NOTICE), ("reply", "back again")]


def test_a_group_that_was_left_is_not_an_endless_task(kind: Stage) -> None:
    group, _ = crowd(kind)
    account = kind.accounts["kind"]
    kind.setenv("KIND_TOKEN", "")
    waiting = said(kind, "hello", chat=group)[0]
    kind.post("kind", waiting)
    kind.post("kind", kind.platform.leave(account, group))
    kind.setenv("KIND_TOKEN", account.access_token)
    for _ in range(3):
        kind.sweep(after=2 * MINUTE)
    assert kind.sweep(after=2 * MINUTE) == {"swept": 0}


def test_an_event_delivered_again_after_the_scope_was_changed_is_answered_once(kind: Stage) -> None:
    group, _ = crowd(kind)
    (first,) = said(kind, "hello", chat=group)
    kind.post("kind", first)
    kind.bot("kind", KIND + "groups: {answer: always}\nhistory: {scope: user}\n")
    kind.post("kind", kind.platform.redeliver(first))
    assert len(kind.platform.calls_of("reply")) == 1
    assert kind.platform.calls_of("push") == ()


def test_an_unsend_in_a_bot_with_a_slow_section_is_no_tap(kind: Stage) -> None:
    kind.bot("kind", PERSONA)
    (first,) = said(kind, "botkit:answer:x")
    kind.post("kind", first)
    assert ways(kind) == [("reply", "botkit:answer:x")]


def test_an_unsend_is_heeded_however_late_it_comes(kind: Stage) -> None:
    kind.openai.say("noted")
    (first,) = said(kind, "my secret")
    kind.post("kind", first)
    late = kind.platform.unsend(kind.accounts["kind"], hana_of(kind), first.message_id)
    kind.platform.clock.sleep(25 * 60 * MINUTE)
    kind.post("kind", late)
    say(kind, "hello")
    assert prompt(kind) == ["noted", "hello"]
