"""The reply window: what becomes of an answer that its reply token will not live to see."""

from collections.abc import Mapping
from typing import Any

import pytest

from botkit.cli.main import main
from botkit.ports import Conversation
from botkit.simulator.chats import Person
from botkit.testing import MovableClock
from tests.handler.test_delivery import MINUTE, later, mend, metrics, say, ways
from tests.support.stage import Stage

SECOND = 1000
PERSONA = "persona: You are kind.\nmodel: gpt-4.1-mini\n"
NOTICE = "This takes a little longer. Tap the button in a moment to see the answer."


def hana_of(stage: Stage) -> Person:
    return next(iter(stage.platform.people.values()))


def button(stage: Stage, call: int = -1) -> Mapping[str, Any]:
    """The button of a notice that LINE was asked to show."""
    message = stage.platform.calls_of("reply")[call].body["messages"][-1]
    action: Mapping[str, Any] = message["template"]["actions"][0]
    return action


def tap(stage: Stage, data: str | None = None, person: Person | None = None, **where: Any) -> None:
    """Somebody taps the newest notice's button."""
    account = stage.accounts["kind"]
    data = data or button(stage)["data"]
    stage.post("kind", stage.platform.postback(account, person or hana_of(stage), data, **where))


@pytest.fixture
def slow(any_stage: Stage) -> Stage:
    """A bot that answers after 50 seconds."""
    any_stage.bot("kind", PERSONA)
    any_stage.platform.add_person("Hana")
    any_stage.restart(on_lines_clock=True)
    later(any_stage, 50 * SECOND, "worth the wait")
    return any_stage


def test_the_token_is_spent_on_a_notice_before_its_minute_ends(slow: Stage, caplog: pytest.LogCaptureFixture) -> None:
    say(slow)
    assert ways(slow) == [("reply", NOTICE)]
    assert button(slow)["label"] == "Show the answer"
    assert metrics(caplog) == ["notice", "kept"]


def test_a_tap_brings_the_answer_free_of_charge_and_once(slow: Stage) -> None:
    say(slow)
    tap(slow)
    assert ways(slow) == [("reply", NOTICE), ("reply", "worth the wait")]
    tap(slow, button(slow, 0)["data"])
    assert len(ways(slow)) == 2
    assert len(slow.openai.requests) == 1


def test_the_answer_waits_in_the_store_and_not_in_the_process(slow: Stage) -> None:
    say(slow)
    slow.platform.clock.sleep(60 * MINUTE)
    slow.restart(on_lines_clock=True)
    tap(slow)
    assert ways(slow)[-1] == ("reply", "worth the wait")


def test_without_a_tap_the_answer_comes_with_the_next_reply(slow: Stage) -> None:
    say(slow, "one")
    say(slow, "two")
    assert ways(slow) == [("reply", NOTICE), ("reply", "worth the wait"), ("reply", "two")]
    tap(slow, button(slow, 0)["data"])
    assert len(ways(slow)) == 3
    assert slow.sweep(after=2 * MINUTE) == {"swept": 0}


def test_after_a_day_it_is_not_offered_any_more_and_leaves_the_inbox(
    slow: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    say(slow, "one")
    (event,) = slow.deliveries[-1].events
    slow.platform.clock.sleep(25 * 60 * MINUTE)
    say(slow, "two")
    assert ways(slow) == [("reply", NOTICE), ("reply", "two")]
    assert main(["explain", "kind", event["webhookEventId"]]) == 0
    assert "DONE" in capsys.readouterr().out


def test_history_knows_the_answer_in_its_place(slow: Stage) -> None:
    say(slow, "one")
    say(slow, "two")
    assert [message["content"] for message in slow.prompts()[-1]][1:] == ["one", "worth the wait", "two"]


def test_only_the_person_who_asked_gets_the_answer(slow: Stage) -> None:
    slow.bot("kind", PERSONA + "groups: {answer: always}\nhistory: {scope: group}\n")
    account, hana, ken = slow.accounts["kind"], hana_of(slow), slow.platform.add_person("Ken")
    group = slow.platform.add_group(hana, ken)
    slow.restart(on_lines_clock=True)
    slow.post("kind", slow.platform.join(account, group))
    slow.post("kind", slow.platform.say(account, hana, "my secret?", chat=group))
    data = button(slow)["data"]
    tap(slow, data, ken, chat=group)
    tap(slow, data, ken)
    assert slow.platform.chat(account, group).texts == [NOTICE]
    assert slow.platform.chat(account, ken).texts == []
    tap(slow, data, hana, chat=group)
    assert slow.platform.chat(account, group).texts == [NOTICE, "worth the wait"]


def test_a_made_up_button_brings_nothing(slow: Stage) -> None:
    for data in ("botkit:answer:", "botkit:answer:nothing", "botkit:answer:" + "x" * 280):
        tap(slow, data)
    assert ways(slow) == []


def test_a_tap_before_the_answer_is_there_gets_another_notice(any_stage: Stage) -> None:
    """The first worker runs out of time; its event waits for the next one while the person taps."""
    exhausted = (
        "from botkit.errors import OutOfTime\n"
        "if turn.services.clock.now() < turn.event.at + 50_000:\n"
        "    turn.services.clock.sleep(50_000)\n"
        "    raise OutOfTime('too slow')\n"
        "return call_next(turn)"
    )
    step = any_stage.own_step(f"exhausted_{any_stage.bots.parent.name.replace('-', '_')}", exhausted)
    any_stage.bot("kind", PERSONA + f"pipeline: [{step}, history, persona, model]\n")
    any_stage.platform.add_person("Hana")
    any_stage.restart(on_lines_clock=True)
    say(any_stage)
    assert ways(any_stage) == [("reply", NOTICE)]
    tap(any_stage)
    assert ways(any_stage) == [("reply", NOTICE), ("reply", NOTICE)]
    tap(any_stage)
    assert ways(any_stage)[2:] == [("reply", "hi")]


def test_a_notice_that_line_did_not_take_leaves_the_usual_way(slow: Stage) -> None:
    slow.platform.troubles.refuse("reply", 429, "rate limit")
    say(slow)
    assert ways(slow) == [("reply", "worth the wait")]


def test_a_notice_nobody_knows_of_is_not_followed_by_a_second_use_of_the_token(slow: Stage) -> None:
    slow.platform.troubles.lose("reply")
    say(slow)
    assert ways(slow) == [("reply", NOTICE)]
    assert [call.status for call in slow.platform.calls_of("reply")] == [500, 400]
    tap(slow)
    assert ways(slow)[-1] == ("reply", "worth the wait")


def test_the_notice_speaks_the_bots_language_and_wears_its_dress(slow: Stage) -> None:
    words = "{after: 10s, notice: 少々お待ちください, label: 答えを見る}"
    slow.bot("kind", PERSONA + f"reply: {{slow: {words}, sender: {{name: Yoshi}}}}\n")
    slow.restart(on_lines_clock=True)
    say(slow)
    (notice,) = slow.platform.calls_of("reply")[0].body["messages"]
    assert (notice["altText"], notice["sender"]["name"]) == ("少々お待ちください", "Yoshi")
    assert button(slow)["label"] == "答えを見る"


def test_an_answer_within_the_limit_gets_no_notice(any_stage: Stage) -> None:
    any_stage.bot("kind", PERSONA)
    any_stage.platform.add_person("Hana")
    any_stage.restart(on_lines_clock=True)
    later(any_stage, 44 * SECOND, "just in time")
    say(any_stage)
    assert ways(any_stage) == [("reply", "just in time")]


# ---------------------------------------------------------------- push and silence


class Worker:
    """An invocation with as much time as the deployed worker has."""

    def get_remaining_time_in_millis(self) -> int:
        return 90 * SECOND


def begin(stage: Stage, reply: str, wait: int = MINUTE + SECOND, words: str = "at last") -> None:
    """A bot with this reply section, whose next answer takes so long."""
    stage.bot("kind", PERSONA + f"reply: {reply}\n")
    if not stage.platform.people:
        stage.platform.add_person("Hana")
    stage.restart(on_lines_clock=True)
    stage.context = Worker()
    later(stage, wait, words)


def test_a_slow_answer_is_pushed_where_the_file_says_so(any_stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    begin(any_stage, "{slow: push}")
    say(any_stage)
    assert ways(any_stage) == [("push", "at last")]
    assert metrics(caplog) == ["push"]


def test_a_slow_answer_is_dropped_where_the_file_says_so(any_stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    begin(any_stage, "{slow: silence}")
    say(any_stage)
    assert ways(any_stage) == []
    assert metrics(caplog) == ["dropped"]
    assert any_stage.sweep(after=2 * MINUTE) == {"swept": 0}


def test_a_late_answer_is_kept_for_the_next_reply_where_the_file_says_so(any_stage: Stage) -> None:
    begin(any_stage, "{late: keep}", words="one")
    any_stage.platform.troubles.refuse("reply", 429, "rate limit", times=100)
    say(any_stage, "1")
    mend(any_stage)
    any_stage.sweep(after=2 * MINUTE)
    assert ways(any_stage) == []
    say(any_stage, "2")
    assert ways(any_stage) == [("reply", "one"), ("reply", "2")]


def test_pushes_end_with_the_budget_of_the_month_and_go_on_in_the_next(any_stage: Stage) -> None:
    begin(any_stage, "{slow: push, push: 1}", words="first")
    say(any_stage)
    later(any_stage, MINUTE + SECOND, "second")
    say(any_stage)
    assert ways(any_stage) == [("push", "first")]
    clock = any_stage.platform.clock
    assert isinstance(clock, MovableClock)
    clock.sleep(32 * 24 * 60 * MINUTE)
    later(any_stage, MINUTE + SECOND, "third")
    say(any_stage)
    assert ways(any_stage) == [("push", "first"), ("push", "third")]


@pytest.mark.parametrize(("budget", "pushed"), [(2, False), (3, True)])
def test_a_push_to_a_group_counts_its_members(any_stage: Stage, budget: int, pushed: bool) -> None:
    any_stage.bot("kind", PERSONA + f"groups: {{answer: always}}\nreply: {{slow: push, push: {budget}}}\n")
    people = [any_stage.platform.add_person(name) for name in ("Hana", "Ken", "Mei")]
    group = any_stage.platform.add_group(*people)
    account = any_stage.accounts["kind"]
    any_stage.restart(on_lines_clock=True)
    any_stage.context = Worker()
    any_stage.post("kind", any_stage.platform.join(account, group))
    later(any_stage, MINUTE + SECOND, "hello all")
    any_stage.post("kind", any_stage.platform.say(account, people[0], "hi", chat=group))
    assert any_stage.platform.chat(account, group).texts == (["hello all"] if pushed else [])


def test_a_group_whose_size_line_does_not_tell_is_not_pushed_to(any_stage: Stage) -> None:
    any_stage.bot("kind", PERSONA + "groups: {answer: always}\nreply: {slow: push}\n")
    hana, account = any_stage.platform.add_person("Hana"), any_stage.accounts["kind"]
    group = any_stage.platform.add_group(hana)
    any_stage.restart(on_lines_clock=True)
    any_stage.context = Worker()
    any_stage.post("kind", any_stage.platform.join(account, group))
    any_stage.platform.troubles.refuse("member_count", 500)
    later(any_stage, MINUTE + SECOND, "hello all")
    any_stage.post("kind", any_stage.platform.say(account, hana, "hi", chat=group))
    assert any_stage.platform.calls_of("push") == ()


def test_what_lines_own_monthly_limit_refuses_comes_with_the_next_reply(any_stage: Stage) -> None:
    begin(any_stage, "{slow: push}", words="one")
    any_stage.platform.troubles.refuse("push", 429, "You have reached your monthly limit.")
    say(any_stage, "1")
    say(any_stage, "2")
    assert ways(any_stage) == [("reply", "one"), ("reply", "2")]


def test_what_line_refuses_twice_takes_no_third_answer_down(any_stage: Stage) -> None:
    begin(any_stage, "{slow: push}", words="bad")
    any_stage.platform.troubles.refuse("push", 400, "no", times=2)
    say(any_stage, "1")
    any_stage.platform.troubles.refuse("reply", 400, "no")
    say(any_stage, "2")
    say(any_stage, "3")
    assert ways(any_stage) == [("reply", "3")]


def test_an_error_text_is_not_kept_to_be_shown_above_a_later_answer(
    any_stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    any_stage.bot("kind", PERSONA + "reply: {push: 0}\n")
    any_stage.platform.add_person("Hana")
    any_stage.openai.fail(400, "no", code="bad")
    any_stage.platform.troubles.refuse("reply", 400, "Invalid reply token")
    say(any_stage, "this fails")
    say(any_stage, "hello")
    assert ways(any_stage) == [("reply", "hello")]
    assert metrics(caplog) == ["lost", "reply"]


def test_a_reply_nobody_knows_of_is_pushed_where_the_file_says_so(
    any_stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    begin(any_stage, "{unsure: resend}", wait=0)
    any_stage.platform.troubles.refuse("reply", 500, times=100)
    say(any_stage)
    mend(any_stage)
    any_stage.sweep(after=2 * MINUTE)
    assert ways(any_stage) == [("push", "at last")]
    assert metrics(caplog) == ["ambiguous", "push"]


class Short:
    """An invocation that ends before the notice would be due."""

    def get_remaining_time_in_millis(self) -> int:
        return 20 * SECOND


def test_nobody_waits_for_the_notice_beyond_the_end_of_the_invocation(any_stage: Stage) -> None:
    hangs = (
        "if turn.services.clock.now() < turn.event.at + 15_000:\n"
        "    turn.services.clock.sleep(18_000)\n"
        "    while turn.services.clock.now() < turn.event.at + 120_000:\n"
        "        pass\n"
        "return call_next(turn)"
    )
    step = any_stage.own_step(f"overlong_{any_stage.bots.parent.name.replace('-', '_')}", hangs)
    any_stage.bot("kind", PERSONA + f"pipeline: [{step}, history, persona, model]\n")
    any_stage.platform.add_person("Hana")
    any_stage.restart(on_lines_clock=True)
    any_stage.context = Short()
    say(any_stage)  # returns, though its turn never does by itself
    any_stage.context = None
    any_stage.sweep(after=2 * MINUTE)
    assert [text for _, text in ways(any_stage)] == ["hi"]


def test_answers_that_nobody_fetches_do_not_mute_a_conversation(any_stage: Stage) -> None:
    any_stage.bot(
        "kind",
        PERSONA + "groups: {answer: always}\nhistory: {scope: group}\nreply: {late: keep, slow: push, push: 0}\n",
    )
    account = any_stage.accounts["kind"]
    people = [any_stage.platform.add_person(f"P{n}") for n in range(25)]
    group = any_stage.platform.add_group(*people)
    any_stage.restart(on_lines_clock=True)
    any_stage.post("kind", any_stage.platform.join(account, group))
    for person in people[:-1]:
        any_stage.platform.troubles.refuse("reply", 400, "Invalid reply token")
        any_stage.post("kind", any_stage.platform.say(account, person, "hi", chat=group))
    kept = any_stage.platform.chat(account, group).texts
    any_stage.post("kind", any_stage.platform.say(account, people[-1], "anybody there?", chat=group))
    assert (kept, any_stage.platform.chat(account, group).texts) == ([], ["P24: anybody there?"])
    store = any_stage.handler.services.store  # type: ignore[union-attr]
    now = any_stage.platform.clock.now()
    lease = store.lease(Conversation("kind", f"group:{group.id}"), "test", now, now + MINUTE)
    assert len(store.inbox(lease, 0, now).pending) == 20
