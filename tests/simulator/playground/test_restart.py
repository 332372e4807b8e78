"""What was under way when the program stopped is finished by the next one, once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from botkit.errors import StoreError
from botkit.simulator.playground.playground import Playground
from tests.simulator.playground.town import until

MINUTE = 60_000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "kind.yaml").write_text("persona: Be kind.\nmodel: gpt-4.1-mini\n", "utf-8")
    return tmp_path


@contextmanager
def opened(home: Path, memory: str = "simulator.db") -> Iterator[Playground]:
    environ = {"BOTKIT_STORE": f"sqlite:///{home}/botkit.db"}
    with Playground.open(home / "bots", environ, memory=home / memory) as playground:
        yield playground


def say(playground: Playground, text: str) -> None:
    playground.deliver(playground.platform.say(playground.accounts["kind"], playground.me, text))


def answers(playground: Playground) -> list[str]:
    return playground.platform.chat(playground.accounts["kind"], playground.me).texts


def test_a_message_whose_worker_was_stopped_in_the_model_call_is_answered_at_the_next_start(home: Path) -> None:
    with opened(home) as before:
        before.mischief.set("slow_model", "once", 30)
        say(before, "hello")
        until(lambda: before.mischief.dump()["slow_model"]["mode"] == "off")
    with opened(home) as after:
        until(lambda: answers(after))
        assert after.cloud.settle(10)
        assert ["I heard “hello”" in text for text in answers(after)] == [True]


def test_a_webhook_that_no_bot_has_taken_in_yet_is_sent_at_the_next_start(home: Path) -> None:
    with opened(home) as before:
        before.mischief.set("redelivery", "once")
        say(before, "hello")
        assert before.cloud.settle(10)
        assert answers(before) == []
    with opened(home) as after:
        until(lambda: answers(after))
        after.jump(10 * MINUTE)
        assert after.cloud.settle(10)
        assert ["I heard “hello”" in text for text in answers(after)] == [True]
    with opened(home) as again:
        assert again.cloud.settle(10)
        assert len(answers(again)) == 1
        assert len(again.platform.calls_of("reply")) == 0


def test_nothing_is_left_of_what_was_answered(home: Path) -> None:
    with opened(home) as playground:
        say(playground, "hello")
        assert playground.cloud.settle(10)
        assert (playground.keeper.get("webhooks"), playground.keeper.get("workers")) == ({}, {})


def test_the_calls_to_line_are_told_after_a_restart(home: Path) -> None:
    with opened(home) as before:
        delivery = before.platform.say(before.accounts["kind"], before.me, "hello")
        before.deliver(delivery)
        until(lambda: answers(before))
        assert before.cloud.settle(10)
    with opened(home) as after:
        told = after.traces.of("kind", delivery.event["webhookEventId"])
        assert told is not None
        assert [call["endpoint"] for call in told["line"] if call["endpoint"] == "reply"] == ["reply"]


def test_whoever_uses_the_store_next_is_no_earlier(home: Path) -> None:
    with opened(home) as page:
        page.jump(60 * MINUTE)
        ahead = page.clock.now()
    with opened(home, "terminal-kind.db") as terminal:
        assert terminal.clock.now() >= ahead


def test_a_jump_that_cannot_be_kept_is_refused_and_time_stays(home: Path) -> None:
    with opened(home) as playground:
        (home / "clock").mkdir()
        with pytest.raises(StoreError, match="clock: the time cannot be kept: Is a directory"):
            playground.jump(MINUTE)
        assert playground.clock.offset == 0


def test_the_calls_to_line_of_an_error_text_are_told_after_a_restart(home: Path) -> None:
    with opened(home) as before:
        before.mischief.set("model_down", "once")
        delivery = before.platform.say(before.accounts["kind"], before.me, "hello")
        before.deliver(delivery)
        until(lambda: answers(before))
        assert before.cloud.settle(10)
    with opened(home) as after:
        told = after.traces.of("kind", delivery.event["webhookEventId"])
        assert told is not None
        assert "reply" in [call["endpoint"] for call in told["line"]]
