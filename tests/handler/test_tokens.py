"""A bot that has a channel id and no token: LINE issues one when it is needed, and no message is lost over it."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from botkit.simulator.chats import Person
from tests.handler.test_delivery import KIND, MINUTE
from tests.support.stage import Stage

SECOND = 1000


def write(stage: Stage, name: str = "kind", secrets: str = "env:KIND_SECRET", more: str = "") -> None:
    """A bot file with the account's channel id."""
    account = stage.accounts[name]
    line = f"line: {{channel_secret: {secrets}, channel_id: {account.channel_id}}}\n"
    (stage.bots / f"{name}.yaml").write_text(line + KIND + more, "utf-8")
    stage.restart(on_lines_clock=True)


@pytest.fixture
def kind(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage.bot("kind", KIND)
    monkeypatch.delenv("KIND_TOKEN")
    write(stage)
    return stage


@pytest.fixture
def hana(kind: Stage) -> Person:
    return kind.platform.add_person("Hana")


def say(stage: Stage, person: Person, text: str = "hi") -> dict[str, Any]:
    return stage.post("kind", stage.platform.say(stage.accounts["kind"], person, text))


def heard(stage: Stage, person: Person) -> list[tuple[str, str]]:
    return [(one.via, one.text) for one in stage.platform.chat(stage.accounts["kind"], person).answers]


def issued(stage: Stage) -> list[int]:
    return [call.status for call in stage.platform.calls_of("token")]


def test_it_answers_by_a_token_that_line_issues_once_in_fourteen_minutes(kind: Stage, hana: Person) -> None:
    for text, moved in (("one", 0), ("two", 12 * MINUTE), ("three", MINUTE)):
        kind.platform.clock.sleep(moved)
        assert say(kind, hana, text)["statusCode"] == 200
    assert heard(kind, hana) == [("reply", "one"), ("reply", "two"), ("reply", "three")]
    assert issued(kind) == [200, 200]


def test_conversations_that_begin_together_share_the_token(kind: Stage) -> None:
    people = [kind.platform.add_person(f"P{number}") for number in range(6)]
    deliveries = [kind.platform.say(kind.accounts["kind"], person, "hi") for person in people]
    kind.post("kind", kind.platform.bundle(*deliveries))
    assert [heard(kind, person) for person in people] == [[("reply", "hi")]] * 6
    assert issued(kind) == [200]


def test_the_door_needs_no_token(kind: Stage, hana: Person, sqs_queue: str, aws_endpoint: str) -> None:
    for name, value in {
        "BOTKIT_QUEUE": sqs_queue,
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        kind.setenv(name, value)
    kind.restart(on_lines_clock=True)
    assert say(kind, hana)["statusCode"] == 200
    assert issued(kind) == []


# ---------------------------------------------------------------- LINE issues none


@pytest.mark.parametrize("trouble", ["500", "429", "dropped"])
def test_where_line_issues_no_token_now_the_message_waits_and_is_answered_once(
    kind: Stage, hana: Person, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    if trouble == "dropped":
        kind.platform.troubles.drop("token", done=False)
    else:
        kind.platform.troubles.refuse("token", int(trouble), "not now")
    assert say(kind, hana)["statusCode"] == 200
    assert "a conversation is left for later: LINE POST /oauth2/v3/token" in caplog.text
    assert (heard(kind, hana), kind.openai.requests) == ([], [])
    assert kind.sweep(after=10 * SECOND) == {"swept": 1}
    assert heard(kind, hana) == [("reply", "hi")]
    assert kind.sweep(after=5 * MINUTE) == {"swept": 0}
    assert len(kind.openai.requests) == 1


def test_a_token_that_takes_too_long_leaves_the_message_to_the_next_worker(kind: Stage, hana: Person) -> None:
    """The time of the invocation runs out while LINE thinks: no turn is begun without the time for it."""
    hold = kind.platform.troubles.hang("token")
    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(say, kind, hana)
        assert hold.reached.wait(10)
        kind.platform.clock.sleep(55 * SECOND)
        hold.release()
        assert posting.result(20)["statusCode"] == 200
    assert kind.openai.requests == []
    kind.sweep(after=5 * SECOND)
    assert [text for _, text in heard(kind, hana)] == ["hi"]


def test_a_wrong_secret_is_told_with_the_bot_and_the_cure_and_line_is_not_pestered(
    kind: Stage, hana: Person, caplog: pytest.LogCaptureFixture
) -> None:
    """LINE takes the webhook's old secret no more for a token; many conversations wait, and one call is made."""
    caplog.set_level(logging.ERROR, "botkit")
    account, ken = kind.accounts["kind"], kind.platform.add_person("Ken")
    changed = kind.platform.set_secret(account, "f" * 32)
    for person in (hana, ken):
        kind.post("kind", kind.platform.say(account, person, "hi"))
    assert issued(kind) == [400]
    told = (
        f"bot kind: LINE issues no access token, so line.channel_id {account.channel_id} or the secret in "
        "env:KIND_SECRET is wrong; write both as LINE's console shows them under Basic settings "
        "(LINE POST /oauth2/v3/token: 400 invalid_client"
    )
    assert caplog.text.count(told) == 2
    assert account.channel_secret not in caplog.text
    assert kind.sweep(after=10 * SECOND) == {"swept": 0}
    assert issued(kind) == [400]
    kind.setenv("KIND_SECRET", changed.channel_secret)
    kind.restart(on_lines_clock=True)
    assert kind.sweep(after=5 * SECOND) == {"swept": 2}
    assert [heard(kind, person) for person in (hana, ken)] == [[("reply", "hi")]] * 2


def test_a_bot_without_a_token_holds_up_no_other(kind: Stage, hana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    other = kind.bot("other", KIND)
    monkeypatch.delenv("OTHER_TOKEN")
    write(kind, "other", "env:OTHER_SECRET")
    kind.platform.troubles.refuse("token", 500, times=2)
    say(kind, hana)
    kind.post("other", kind.platform.say(other, hana, "hi"))
    kind.platform.set_secret(kind.accounts["kind"], "f" * 32)
    assert kind.sweep(after=10 * SECOND) == {"swept": 1}
    assert heard(kind, hana) == []
    assert kind.platform.chat(other, hana).texts == ["hi"]


def test_the_sweep_asks_once_for_a_bot_whose_secret_is_wrong(
    kind: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As for one whose secret is missing: the other conversations of that bot are left alone."""
    monkeypatch.setattr("botkit.delivery.sweep.BATCH", 1)
    account = kind.accounts["kind"]
    kind.platform.set_secret(account, "f" * 32)
    for name in ("Hana", "Ken", "Yui"):
        kind.post("kind", kind.platform.say(account, kind.platform.add_person(name), "hi"))
    caplog.clear()
    assert kind.sweep(after=10 * SECOND) == {"swept": 0}
    assert caplog.text.count("a conversation is left for later") == 1


# ---------------------------------------------------------------- secrets that change


@pytest.mark.parametrize(
    "secrets", ["[env:OLD, env:KIND_SECRET]", "[env:KIND_SECRET, env:OLD]", "[env:GONE, env:KIND_SECRET]"]
)
def test_during_a_rotation_the_secret_that_line_takes_is_found(kind: Stage, hana: Person, secrets: str) -> None:
    kind.setenv("OLD", "0" * 32)
    write(kind, secrets=secrets)
    for text in ("one", "two"):
        say(kind, hana, text)
    assert heard(kind, hana) == [("reply", "one"), ("reply", "two")]
    assert issued(kind) == ([400, 200] if secrets.startswith("[env:OLD") else [200])


def test_what_line_refuses_is_told_rather_than_that_an_old_secret_is_gone(
    kind: Stage, hana: Person, caplog: pytest.LogCaptureFixture
) -> None:
    write(kind, secrets="[env:GONE, env:KIND_SECRET]")
    kind.platform.set_secret(kind.accounts["kind"], "f" * 32)
    say(kind, hana)
    assert "the secret in env:GONE, env:KIND_SECRET is wrong" in caplog.text


def test_where_no_secret_is_set_the_log_says_so(
    kind: Stage, hana: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(kind, secrets="[env:KIND_SECRET, env:GONE]")
    kind.platform.troubles.refuse("token", 500)
    say(kind, hana)
    monkeypatch.delenv("KIND_SECRET")
    caplog.clear()
    kind.restart(on_lines_clock=True)
    assert kind.sweep(after=10 * SECOND) == {"swept": 0}
    assert "put the secret into the environment variable KIND_SECRET" in caplog.text
    assert issued(kind) == [500]


def test_a_new_secret_in_the_same_place_heals_without_a_restart(kind: Stage, hana: Person) -> None:
    """Its tokens are revoked, its secret is another one: what is under way waits, and goes out with the new one."""
    say(kind, hana, "one")
    changed = kind.platform.set_secret(kind.accounts["kind"], "f" * 32)
    kind.platform.tokens.clear()
    say(kind, hana, "two")  # signed with the old secret still
    assert heard(kind, hana) == [("reply", "one")]
    kind.setenv("KIND_SECRET", changed.channel_secret)
    kind.sweep(after=10 * SECOND)
    assert heard(kind, hana) == [("reply", "one"), ("reply", "two")]
    assert len(kind.openai.requests) == 2


def test_a_revoked_token_heals_within_the_call(kind: Stage, hana: Person) -> None:
    say(kind, hana, "one")
    kind.platform.tokens.clear()
    say(kind, hana, "two")
    assert heard(kind, hana) == [("reply", "one"), ("reply", "two")]
    assert len(issued(kind)) == 2


def test_nothing_secret_is_logged(kind: Stage, hana: Person, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    say(kind, hana)
    (token,) = kind.platform.tokens
    assert "LINE POST /oauth2/v3/token → 200" in caplog.text
    for secret in (token, kind.accounts["kind"].channel_secret):
        assert secret not in caplog.text
