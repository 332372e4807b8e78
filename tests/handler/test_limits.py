"""Limits: who has used up what is allowed gets one notice in the period, and no model is asked until it is over."""

import json
import sqlite3
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from botkit.cli.main import main
from botkit.messages import Chat
from botkit.simulator.chats import Person
from tests.handler.test_bursts import said, together
from tests.handler.test_delivery import KIND, MINUTE
from tests.support.stage import Stage

NOTICE = "Enough."
HOUR = 60 * MINUTE


def limited(stage: Stage, limits: str, more: str = "") -> Stage:
    """Hana's bot with these limits, on LINE's clock, a moment after noon of a day in UTC."""
    stage.bot("kind", KIND + f"limits: {{{limits}, notice: {NOTICE}}}\n" + more)
    stage.restart(on_lines_clock=True)
    if not stage.platform.people:
        stage.platform.add_person("Hana")
        move_to(stage, datetime(2040, 6, 15, 12, 0, 1, tzinfo=ZoneInfo("UTC")))
    return stage


def move_to(stage: Stage, moment: datetime) -> None:
    ms = round(moment.timestamp() * 1000) - stage.platform.clock.now()
    assert ms >= 0
    stage.platform.clock.sleep(ms)


def hana_of(stage: Stage) -> Person:
    return next(iter(stage.platform.people.values()))


def ask(stage: Stage, *texts: str, by: Person | None = None, chat: Chat | None = None) -> list[str]:
    """Say each of these texts, and return what the bot answered to all of them together."""
    account, person = stage.accounts["kind"], by or hana_of(stage)
    before = len(answers(stage, person, chat))
    for text in texts:
        stage.post("kind", stage.platform.say(account, person, text, chat=chat))
    return answers(stage, person, chat)[before:]


def answers(stage: Stage, person: Person, chat: Chat | None = None) -> list[str]:
    return [one.text for one in stage.platform.chat(stage.accounts["kind"], chat or person).answers]


def group_of(stage: Stage, *people: Person) -> Chat:
    group = stage.platform.add_group(*people)
    stage.post("kind", stage.platform.join(stage.accounts["kind"], group))
    return group


# ---------------------------------------------------------------- what counts


def test_what_is_ignored_does_not_count(stage: Stage) -> None:
    limited(stage, "user: {messages: 1/day}", "media: {sticker: ignore}\n")
    for _ in range(2):
        stage.post("kind", stage.platform.send_sticker(stage.accounts["kind"], hana_of(stage)))
    assert ask(stage, "a", "b") == ["a", NOTICE]


def test_a_tap_of_which_a_model_is_asked_counts_as_a_message(stage: Stage) -> None:
    limited(stage, "user: {messages: 2/day}", "events: {postback: {'*': {ask: model}}}\n")
    for _ in range(4):
        stage.post("kind", stage.platform.postback(stage.accounts["kind"], hana_of(stage), "menu"))
    assert len(stage.openai.requests) == 2


def test_lines_said_to_others_are_no_usage(stage: Stage) -> None:
    account = stage.bot("kind", KIND + "commands: {usage_text: '{{ messages }}'}\n")
    hana = stage.platform.add_person("Hana")
    group = group_of(stage, hana)
    together(
        stage,
        stage.platform.say(account, hana, "@kind when?", chat=group, mention=account),
        stage.platform.say(account, hana, "lunch, Ken?", chat=group),
    )
    assert ask(stage, "/usage") == ["1"]


# ---------------------------------------------------------------- once over, one notice, then silence


def test_over_the_limit_there_is_one_notice_then_silence_and_no_model_call(any_stage: Stage) -> None:
    limited(any_stage, "user: {messages: 2/day}")
    assert ask(any_stage, "a", "b", "c", "d", "e") == ["a", "b", NOTICE]
    assert len(any_stage.openai.requests) == 2


def test_the_next_window_is_open_again_and_has_a_notice_of_its_own(stage: Stage) -> None:
    limited(stage, "user: {messages: 1/min}")
    assert ask(stage, "a", "b", "c") == ["a", NOTICE]
    stage.platform.clock.sleep(MINUTE)
    assert ask(stage, "d", "e", "f") == ["d", NOTICE]


def test_what_is_refused_is_not_counted(stage: Stage) -> None:
    limited(stage, "user: {messages: [1/min, 3/day]}")
    assert ask(stage, "a", "b", "c") == ["a", NOTICE]
    stage.platform.clock.sleep(MINUTE)
    assert ask(stage, "d") == ["d"]


def test_of_two_limits_that_are_reached_the_longer_one_gives_the_notice(stage: Stage) -> None:
    """Or every minute of the rest of the day would have its own."""
    limited(stage, "user: {messages: [1/min, 2/day]}")
    assert ask(stage, "a") == ["a"]
    stage.platform.clock.sleep(MINUTE)
    assert ask(stage, "b", "c") == ["b", NOTICE]
    for _ in range(3):
        stage.platform.clock.sleep(MINUTE)
        assert ask(stage, "d") == []


def test_a_burst_of_five_counts_five(stage: Stage) -> None:
    limited(stage, "user: {messages: 6/day}")
    together(stage, *said(stage, *"12345"))
    assert len(stage.openai.requests) == 1
    assert ask(stage, "6", "7") == ["6", NOTICE]


def test_a_burst_that_is_refused_gets_one_notice(stage: Stage) -> None:
    limited(stage, "user: {messages: 1/day}")
    ask(stage, "a")
    together(stage, *said(stage, "b", "c"))
    assert answers(stage, hana_of(stage)) == ["a", NOTICE]


def test_what_was_refused_is_not_in_the_history(stage: Stage) -> None:
    limited(stage, "user: {messages: 1/min}")
    ask(stage, "a", "refused")
    stage.platform.clock.sleep(MINUTE)
    ask(stage, "b")
    assert [message["content"] for message in stage.prompts()[-1]][1:] == ["a", "a", "b"]


def test_a_failed_answer_counts_as_well(stage: Stage) -> None:
    limited(stage, "user: {messages: 1/day}")
    stage.openai.fail(400, "no", code="bad")
    failed, notice = ask(stage, "a", "b")
    assert failed.startswith("Sorry")
    assert notice == NOTICE


def test_nobody_is_told_of_a_limit_who_asked_nothing(stage: Stage) -> None:
    limited(stage, "user: {messages: 1/day}")
    ask(stage, "a")
    stage.post("kind", stage.platform.follow(stage.accounts["kind"], hana_of(stage)))
    stage.post("kind", stage.platform.postback(stage.accounts["kind"], hana_of(stage), "menu=1"))
    assert answers(stage, hana_of(stage)) == ["a"]


def test_a_sticker_is_a_message(stage: Stage) -> None:
    limited(stage, "user: {messages: 1/day}")
    ask(stage, "a")
    stage.post("kind", stage.platform.send_sticker(stage.accounts["kind"], hana_of(stage)))
    assert answers(stage, hana_of(stage)) == ["a", NOTICE]


def test_why_nothing_was_asked_is_told(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    limited(stage, "user: {messages: 1/day}")
    ask(stage, "a", "b", "c")
    (event,) = stage.deliveries[-1].events
    assert main(["explain", "kind", event["webhookEventId"]]) == 0
    assert "limits: messages 1/day of the user reached; no model is asked" in " ".join(capsys.readouterr().out.split())


# ---------------------------------------------------------------- tokens and money


@pytest.mark.parametrize(("limit", "asked"), [(30, 2), (31, 3)])
def test_tokens_of_prompt_and_answer_are_limited(stage: Stage, limit: int, asked: int) -> None:
    """Each turn takes 15: 3 for the prompt, 3 for each of two messages, and the words."""
    limited(stage, f"user: {{tokens: {limit}/day}}", "history: 0\n")
    assert ask(stage, "a", "b", "c", "d") == [*"abc"[:asked], NOTICE]


@pytest.mark.parametrize(("limit", "asked"), [("0.000016", 2), ("0.000017", 3)])
def test_money_is_limited(stage: Stage, limit: str, asked: int) -> None:
    """gpt-4.1-mini: 14 tokens at 0.4 and one at 1.6 millionths of a dollar are 7.2, rounded up to 8."""
    limited(stage, f"user: {{cost: {limit} USD/month}}", "history: 0\n")
    assert ask(stage, "a", "b", "c", "d") == [*"abc"[:asked], NOTICE]


# ---------------------------------------------------------------- of whom


def test_a_person_has_one_limit_in_all_their_conversations(stage: Stage) -> None:
    limited(stage, "user: {messages: 2/day}", "groups: {answer: always}\n")
    ken = stage.platform.add_person("Ken")
    group = group_of(stage, hana_of(stage), ken)
    assert ask(stage, "a") == ["a"]
    assert ask(stage, "b", "c", "d", chat=group) == ["b", NOTICE]
    assert ask(stage, "e") == [NOTICE]
    assert ask(stage, "f", by=ken, chat=group) == ["f"]


def test_a_group_has_its_own_limit_for_all_its_members(stage: Stage) -> None:
    limited(stage, "group: {messages: 2/day}", "groups: {answer: always}\nhistory: {scope: group}\n")
    ken = stage.platform.add_person("Ken")
    group, other = group_of(stage, hana_of(stage), ken), group_of(stage, hana_of(stage), ken)
    assert ask(stage, "a", chat=group) == ["Hana: a"]
    assert ask(stage, "b", "c", by=ken, chat=group) == ["Ken: b", NOTICE]
    assert ask(stage, "d", chat=group) == []
    assert ask(stage, "e", chat=other) == ["Hana: e"]
    assert ask(stage, "f", "g", "h") == ["f", "g", "h"]


def test_a_bot_has_a_limit_for_all_and_tells_each_of_them(any_stage: Stage) -> None:
    limited(any_stage, "bot: {messages: 20/month}")
    people = [any_stage.platform.add_person(f"Guest {number}") for number in range(20)]
    assert [ask(any_stage, "a", by=person) for person in people] == [["a"]] * 20
    assert [ask(any_stage, "b", "c", by=person) for person in people] == [[NOTICE]] * 20
    assert len(any_stage.openai.requests) == 20


def test_bots_do_not_share_a_limit(stage: Stage) -> None:
    limited(stage, "user: {messages: 1/day}")
    ask(stage, "a", "b")
    other = stage.bot("other", KIND + "limits: {user: {messages: 1/day}}\n")
    stage.restart(on_lines_clock=True)
    stage.post("other", stage.platform.say(other, hana_of(stage), "c"))
    assert [one.text for one in stage.platform.chat(other, hana_of(stage)).answers] == ["c"]


# ---------------------------------------------------------------- windows, in the bot's own time

TOKYO, NEW_YORK, LORD_HOWE = "Asia/Tokyo", "America/New_York", "Australia/Lord_Howe"
EDGES = [
    ("min", "UTC", "2040-06-15T12:00:59", 1_000),
    ("hour", "UTC", "2040-06-15T12:59:59", 1_000),
    ("hour", "Asia/Kathmandu", "2040-06-16T12:59:59", 1_000),
    ("day", TOKYO, "2040-06-15T23:59:59", 1_000),
    ("month", TOKYO, "2040-06-30T23:59:59", 1_000),
    ("month", TOKYO, "2040-12-31T23:59:59", 1_000),
    # Clocks are set back at 02:00: the day has 25 hours, and the hour from one to two comes twice.
    ("day", NEW_YORK, "2040-11-04T00:00:00", 25 * HOUR),
    ("hour", NEW_YORK, "2040-11-04T01:00:00", HOUR),
    # Clocks are set forward at 02:00: the day has 23 hours.
    ("day", NEW_YORK, "2041-03-10T00:00:00", 23 * HOUR),
    # Clocks are set back by half an hour at 02:00: the half hour before it comes twice.
    ("hour", LORD_HOWE, "2041-04-07T01:00:00", HOUR),
]


@pytest.mark.parametrize(("period", "zone", "start", "lasts"), EDGES)
def test_a_window_ends_where_the_bots_clock_says(stage: Stage, period: str, zone: str, start: str, lasts: int) -> None:
    limited(stage, f"user: {{messages: 1/{period}}}", f"timezone: {zone}\n")
    begin = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone))
    move_to(stage, begin)
    assert ask(stage, "a", "b") == ["a", NOTICE]
    end = round(begin.timestamp() * 1000) + lasts
    stage.platform.clock.sleep(end - 300 - stage.platform.clock.now())
    assert ask(stage, "c") == []
    stage.platform.clock.sleep(end - stage.platform.clock.now())
    assert ask(stage, "d", "e") == ["d", NOTICE]


# ---------------------------------------------------------------- a store that fails


def test_who_cannot_be_counted_is_answered_later_not_refused_and_not_unlimited(stage: Stage) -> None:
    limited(stage, "user: {messages: 1/day}")
    path = stage.bots.parent / "botkit.db"
    ask(stage, "a")
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE counters RENAME TO lost")
    assert ask(stage, "b") == []
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE lost RENAME TO counters")
    stage.sweep(after=2 * MINUTE)
    assert answers(stage, hana_of(stage)) == ["a", NOTICE]
    assert len(stage.openai.requests) == 1


# ---------------------------------------------------------------- what was used


def test_what_was_used_is_shown_by_bot_day_and_person(any_stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """The notice is an answer, and its message counts; it has cost nothing. Silence is none."""
    limited(any_stage, "user: {messages: 2/day}", "timezone: Asia/Tokyo\nhistory: 0\n")
    ken = any_stage.platform.add_person("Ken")
    ask(any_stage, "a", "b", "c", "d")
    any_stage.platform.clock.sleep(3 * HOUR)  # past midnight in Tokyo
    ask(any_stage, "e", by=ken)
    used = {"input_tokens": 14, "output_tokens": 1, "cost_usd": 8e-06}
    (month,) = usage_of(any_stage, capsys)
    assert month == {"bot": "kind", "month": "2040-06", "messages": 4, "turns": 4} | WAYS | {"reply": 4} | {
        name: pytest.approx(3 * amount) for name, amount in used.items()
    }
    days = usage_of(any_stage, capsys, "--by", "day")
    assert [(row["day"], row["messages"], row["reply"]) for row in days] == [("2040-06-15", 3, 3), ("2040-06-16", 1, 1)]
    people = usage_of(any_stage, capsys, "--by", "user")
    assert [(row["user"], row["messages"]) for row in people] == [(hana_of(any_stage).user_id, 3), (ken.user_id, 1)]
    assert people[1].items() >= used.items()


WAYS = {"reply": 0, "button": 0, "push": 0, "lost": 0}


def usage_of(stage: Stage, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    assert main(["usage", "kind", "--month", "2040-06", "--json", *options]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return rows
