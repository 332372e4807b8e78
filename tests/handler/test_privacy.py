"""What people ask to be forgotten is, also where something of it still waits; and who is gone is left alone."""

from collections.abc import Iterator

import pytest

from botkit.messages import Chat
from botkit.simulator.chats import Person
from tests.handler.test_bursts import hana_of, prompt
from tests.handler.test_crash import BRIEF, LEASE_END, catch_up, killed_while_the_model_is_asked
from tests.handler.test_delivery import KIND, MINUTE, later, mend, metrics, say, ways
from tests.support.stage import Stage
from tests.support.worker import Worker, worker

DAY = 24 * 60 * MINUTE
SECRET = "my secret is 42"
SHARED = "history: {scope: group}\ngroups: {answer: always}\n"


@pytest.fixture
def kind(any_stage: Stage) -> Stage:
    any_stage.bot("kind", KIND)
    any_stage.platform.add_person("Hana")
    return any_stage


@pytest.fixture
def doomed(kind: Stage) -> Iterator[Worker]:
    with worker(BRIEF) as process:
        catch_up(kind)
        yield process


def in_group(stage: Stage, file: str) -> tuple[Chat, Person, Person]:
    account, hana = stage.bot("kind", KIND + file), hana_of(stage)
    ken = stage.platform.add_person("Ken")
    group = stage.platform.add_group(hana, ken)
    stage.post("kind", stage.platform.join(account, group))
    stage.restart(on_lines_clock=True)
    return group, hana, ken


def texts(stage: Stage, where: Chat | Person) -> list[str]:
    return stage.platform.chat(stage.accounts["kind"], where).texts


def unfollow(stage: Stage) -> None:
    stage.post("kind", stage.platform.unfollow(stage.accounts["kind"], hana_of(stage)))


# ---------------------------------------------------------------- what waits while it is asked to be forgotten


@pytest.mark.parametrize("command", ["/forget", "/reset"])
def test_a_command_that_deletes_overtakes_nothing_that_was_said_before(
    kind: Stage, doomed: Worker, command: str
) -> None:
    killed_while_the_model_is_asked(kind, doomed, SECRET)
    kind.restart(on_lines_clock=True)
    say(kind, command)
    kind.sweep(after=LEASE_END)
    kind.sweep(after=MINUTE)
    said = texts(kind, hana_of(kind))
    assert said[0] == SECRET  # the model echoes
    assert len(said) == 2
    say(kind, "what do you know of me?")
    assert SECRET not in str(prompt(kind))


def test_blocking_the_bot_deletes_also_what_still_waits(kind: Stage, doomed: Worker) -> None:
    kind.bot("kind", KIND + "events: {forget_on_unfollow: true}\n")
    killed_while_the_model_is_asked(kind, doomed, SECRET)
    kind.restart(on_lines_clock=True)
    unfollow(kind)
    kind.sweep(after=LEASE_END)
    kind.sweep(after=MINUTE)
    kind.post("kind", kind.platform.follow(kind.accounts["kind"], hana_of(kind)))
    say(kind, "what do you know of me?")
    assert SECRET not in str(prompt(kind))


def test_blocking_the_bot_deletes_however_late_it_is_heard_of(kind: Stage) -> None:
    kind.bot("kind", KIND + "events: {forget_on_unfollow: true}\nhistory: {keep: 9d}\n")
    kind.restart(on_lines_clock=True)
    say(kind, SECRET)
    token = kind.accounts["kind"].access_token
    kind.setenv("KIND_TOKEN", "")
    kind.restart(on_lines_clock=True)
    unfollow(kind)
    kind.setenv("KIND_TOKEN", token)
    kind.restart(on_lines_clock=True)
    kind.sweep(after=DAY + MINUTE)
    kind.post("kind", kind.platform.follow(kind.accounts["kind"], hana_of(kind)))
    say(kind, "what do you know of me?")
    assert SECRET not in str(prompt(kind))


# ---------------------------------------------------------------- promised answers


def promised(stage: Stage, group: Chat, person: Person) -> str:
    """Hana's question has come to a notice; returns the data of its button."""
    account = stage.accounts["kind"]
    later(stage, 50_000, "the promised answer")
    stage.post("kind", stage.platform.say(account, person, "long question", chat=group))
    (notice,) = stage.platform.chat(account, group).answers
    return str(notice.message["template"]["actions"][0]["data"])


def test_a_reset_by_somebody_else_leaves_a_promised_answer(kind: Stage) -> None:
    group, hana, ken = in_group(kind, SHARED)
    data, account = promised(kind, group, hana), kind.accounts["kind"]
    kind.post("kind", kind.platform.say(account, ken, "/reset", chat=group))
    kind.post("kind", kind.platform.postback(account, hana, data, chat=group))
    assert texts(kind, group)[-1] == "the promised answer"


def test_a_reset_drops_ones_own_promised_answer_and_counts_it(kind: Stage, caplog: pytest.LogCaptureFixture) -> None:
    group, hana, _ = in_group(kind, SHARED)
    data, account = promised(kind, group, hana), kind.accounts["kind"]
    kind.post("kind", kind.platform.say(account, hana, "/reset", chat=group))
    kind.post("kind", kind.platform.postback(account, hana, data, chat=group))
    assert "the promised answer" not in texts(kind, group)
    assert "dropped" in metrics(caplog)


@pytest.mark.parametrize("events", ["", "events: {forget_on_unfollow: true}\n"], ids=["kept", "forgotten"])
@pytest.mark.parametrize("scope", ["user", "group"])
def test_a_group_that_invites_the_bot_again_is_not_told_what_was_promised_before(
    kind: Stage, events: str, scope: str
) -> None:
    group, hana, _ = in_group(kind, f"history: {{scope: {scope}}}\ngroups: {{answer: always}}\n{events}")
    promised(kind, group, hana)
    account = kind.accounts["kind"]
    kind.post("kind", kind.platform.leave(account, group))
    kind.post("kind", kind.platform.join(account, group))
    kind.post("kind", kind.platform.say(account, hana, "hi again", chat=group))
    assert texts(kind, group)[1:] == ["hi again" if scope == "user" else "Hana: hi again"]  # the model echoes


# ---------------------------------------------------------------- who is gone


def test_nothing_is_pushed_to_who_has_blocked_the_bot_meanwhile(kind: Stage, caplog: pytest.LogCaptureFixture) -> None:
    kind.restart(on_lines_clock=True)
    kind.platform.troubles.refuse("reply", 429, "rate limit", times=100)
    say(kind)
    unfollow(kind)
    mend(kind)
    kind.sweep(after=2 * MINUTE)
    assert kind.platform.calls_of("push") == ()
    assert metrics(caplog) == ["lost"]


def test_who_writes_again_is_not_gone_though_nobody_told_of_their_return(kind: Stage) -> None:
    unfollow(kind)
    kind.platform.follow(kind.accounts["kind"], hana_of(kind))  # this webhook is lost
    later(kind, MINUTE + 1000, "late but sure")
    say(kind, "I am back")
    assert ways(kind) == [("push", "late but sure")]
