"""AWS's part and LINE's manners around the real handler."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest

from botkit.errors import StoreError, WakeError
from botkit.models.rehearsal import RehearsalModel
from botkit.ports import ChatRequest, Completion, Conversation, Wakeup
from botkit.simulator.playground import invocations
from botkit.simulator.playground.cloud import Cloud, Delivered
from botkit.simulator.playground.mischief import Mischief
from botkit.simulator.playground.mortal import Life
from botkit.simulator.playground.queue import batch_of
from botkit.simulator.wire import Delivery
from tests.simulator.clock import MINUTE, SECOND, MovableClock
from tests.simulator.playground.town import KIND, PATIENCE, Town, rehearsed, town, until

SWEEP = {"botkit": "sweep"}


@pytest.fixture
def kind(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        yield made


# ---------------------------------------------------------------- with the handler


def test_a_message_is_answered_by_way_of_door_queue_and_worker(kind: Town) -> None:
    kind.events.clear()
    kind.say("hello")
    kind.settle()
    assert kind.heard() == [("reply", rehearsed("hello"))]
    door, worker = kind.events
    assert (door["version"], door["rawPath"]) == ("2.0", "/line/kind")
    (record,) = worker["Records"]
    assert json.loads(record["body"]) == {"bot": "kind", "conversation": f"user:{kind.hana.user_id}"}
    (told,) = kind.told
    assert (told.bot, told.status, told.text) == ("kind", 200, "")
    assert kind.cloud.counts == {"waiting": 0, "running": 0, "dead": 0}


def test_more_conversations_than_a_batch_holds_wait_for_the_model_together(kind: Town) -> None:
    """No answer is given before the model was asked in all of them."""
    people = [kind.platform.add_person(f"P{number}") for number in range(14)]
    kind.model = Meeting(len(people))
    for person in people:
        kind.say(person.name, person)
    kind.settle()
    assert [kind.heard(person) for person in people] == [[("reply", rehearsed(person.name))] for person in people]


class Meeting(RehearsalModel):
    """Answers nobody before so many have asked."""

    def __init__(self, people: int) -> None:
        self._barrier = Barrier(people)

    def complete(self, request: ChatRequest) -> Completion:
        self._barrier.wait(PATIENCE)
        return super().complete(request)


def test_what_was_accepted_before_the_start_is_answered_by_the_first_sweep(tmp_path: Path) -> None:
    """As after a restart: the queue is gone, the store is not."""
    with town(tmp_path) as made:
        made.cloud.stop()
        made.invoke(webhook_of(made), made.clock.now() + MINUTE, Life())
        made.clock.sleep(6 * SECOND)
        after = Cloud(made.invoke, made.clock, made.mischief, made.told.append)
        made.cloud = after
        after.start()
        made.settle()
        assert made.heard() == [("reply", rehearsed("hello"))]


def webhook_of(made: Town) -> dict[str, Any]:
    delivery = made.platform.say(made.account, made.hana, "hello")
    http = {"method": "POST", "path": "/line/kind"}
    return {"requestContext": {"http": http}, "rawPath": "/line/kind", "headers": delivery.headers} | {
        "body": delivery.body.decode()
    }


def test_a_broken_bot_is_answered_503_and_the_webhook_comes_again_until_it_is_mended(kind: Town) -> None:
    kind.write("persona: [")
    said = kind.say()
    kind.settle()
    assert [(one.status, one.text) for one in kind.told] == [
        (
            503,
            "This webhook was answered 503: the bot's file is wrong, or one of its secrets is missing; mend it, and "
            "the next message is answered. LINE sends it again in 10 seconds.",
        )
    ]
    kind.write(KIND)
    kind.pass_time(9)
    assert kind.heard() == []
    kind.pass_time(1)
    assert kind.heard() == [("reply", rehearsed("hello"))]
    again = kind.told[-1]
    assert (again.status, again.text) == (200, "")
    assert again.delivery.event == {**said.event, "deliveryContext": {"isRedelivery": True}}


def test_line_gives_up_after_three_redeliveries(kind: Town) -> None:
    kind.write("persona: [")
    kind.say()
    for seconds in (0, 10, 60, 300, 3600):
        kind.pass_time(seconds)
    assert [one.status for one in kind.told] == [503] * 4
    assert kind.told[-1].text.endswith("LINE has sent it 4 times and gives up.")
    flags = [json.loads(event["body"])["events"][0]["deliveryContext"]["isRedelivery"] for event in kind.webhooks()]
    assert flags == [False, True, True, True]


def test_a_webhook_of_nobody_is_refused_and_comes_again_too(kind: Town) -> None:
    kind.cloud.deliver("ghost", kind.platform.say(kind.account, kind.hana, "hi"), kind.platform.redeliver)
    kind.pass_time(0)
    (told,) = kind.told
    assert told.status == 401
    assert told.text.endswith("see that its file is there. LINE sends it again in 10 seconds.")
    kind.pass_time(10)
    assert len(kind.told) == 2


# ---------------------------------------------------------------- the webhook, whatever the handler does

Handle = Callable[[Mapping[str, Any], int, Life], Any]


class Lab:
    """A cloud around a handler that the test plays; `events` are what it was given, the sweeps left out."""

    def __init__(self, handle: Handle, *, redelivers: bool = True) -> None:
        self.clock = MovableClock()
        self.mischief = Mischief()
        self.events: list[Mapping[str, Any]] = []
        self.deadlines: list[int] = []
        self.sweeps: list[int] = []
        self.told: list[Delivered] = []
        self._handle = handle
        self.cloud = Cloud(self._invoke, self.clock, self.mischief, self.told.append, redelivers=redelivers)

    def _invoke(self, event: Mapping[str, Any], deadline: int, life: Life) -> Any:
        if event == SWEEP:
            self.sweeps.append(self.clock.now())
            return {"swept": 0}
        self.events.append(event)
        self.deadlines.append(deadline)
        return self._handle(event, deadline, life)

    def deliver(self) -> None:
        self.cloud.deliver("kind", HOOK, lambda delivery: Delivery(b"again", delivery.signature))

    def wake(self, *names: str) -> None:
        self.cloud.wake.send([Conversation("kind", f"user:{name}") for name in names])

    def pass_time(self, seconds: float) -> None:
        self.clock.sleep(int(seconds * 1000))
        self.cloud.tick()
        assert self.cloud.settle(PATIENCE)


HOOK = Delivery(b"first", "signature")


def bodies(lab: Lab) -> list[Any]:
    """What the handler was given: webhooks by their body, batches by whom they wake and how often they came."""
    return [event["body"] if "body" in event else seen(event) for event in lab.events]


def seen(batch: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (json.loads(one["body"])["conversation"].removeprefix("user:"), one["attributes"]["ApproximateReceiveCount"])
        for one in batch["Records"]
    ]


@pytest.fixture
def lab() -> Iterator[Callable[..., Lab]]:
    made: list[Lab] = []

    def make(handle: Handle, *, redelivers: bool = True, started: bool = True) -> Lab:
        made.append(Lab(handle, redelivers=redelivers))
        if started:
            made[-1].cloud.start()
        return made[-1]

    yield make
    for one in made:
        one.cloud.stop()


def fine(*_: object) -> dict[str, Any]:
    return {"statusCode": 200, "body": "{}"}


def fails(*_: object) -> dict[str, Any]:
    raise StoreError("the store is down")


def test_a_handler_that_fails_is_answered_500_by_the_front_end(lab: Callable[..., Lab]) -> None:
    one = lab(fails)
    one.deliver()
    one.pass_time(0)
    assert [(told.status, told.at) for told in one.told] == [(500, one.clock.now())]
    one.pass_time(10)
    assert bodies(one) == ["first", "again"]


def test_without_redelivery_a_webhook_comes_once(lab: Callable[..., Lab]) -> None:
    one = lab(fails, redelivers=False)
    one.deliver()
    one.pass_time(0)
    one.pass_time(3600)
    assert bodies(one) == ["first"]
    assert [told.text for told in one.told] == [
        "This webhook was answered 500: the handler failed, or the store did; the terminal says more. "
        "LINE does not send it again."
    ]


def test_of_a_duplicate_that_fails_only_one_comes_again(lab: Callable[..., Lab]) -> None:
    one = lab(fails)
    one.mischief.set("duplicate", "once")
    one.deliver()
    one.pass_time(0)
    one.pass_time(10)
    assert bodies(one) == ["first", "first", "again"]


def test_line_waits_two_seconds_and_the_handler_runs_on(lab: Callable[..., Lab]) -> None:
    go_on = Event()
    one = lab(lambda *_: go_on.wait(PATIENCE) and fine())
    one.deliver()
    until(lambda: one.events)
    one.clock.sleep(1999)
    one.cloud.tick()
    assert not one.cloud.settle(0.02)
    assert one.told == []
    one.clock.sleep(1)
    one.cloud.tick()
    until(lambda: one.told)
    (told,) = one.told
    assert (told.status, told.ms) == (None, 2000)
    assert told.text == "LINE got no answer to this webhook within 2 seconds. LINE sends it again in 10 seconds."
    go_on.set()
    assert one.cloud.settle(PATIENCE)
    assert one.told == [told]
    one.pass_time(10)
    assert [told.status for told in one.told] == [None, 200]


def test_the_invocation_of_a_webhook_has_seconds_and_that_of_the_queue_a_minute(lab: Callable[..., Lab]) -> None:
    one = lab(fine)
    one.deliver()
    one.pass_time(0)
    one.wake("hana")
    one.pass_time(0)
    assert [deadline - one.clock.now() for deadline in one.deadlines] == [5 * SECOND, MINUTE]


# ---------------------------------------------------------------- the queue


def test_a_batch_holds_ten_and_the_others_are_the_next_workers(lab: Callable[..., Lab]) -> None:
    one = lab(fine, started=False)
    names = [f"P{number}" for number in range(23)]
    one.wake(*names)
    assert one.cloud.counts["waiting"] == 23
    one.cloud.start()
    one.pass_time(0)
    assert sorted(len(event["Records"]) for event in one.events) == [3, 10, 10]
    assert sorted(name for event in one.events for name, _ in seen(event)) == sorted(names)
    one.pass_time(3600)
    assert len(one.events) == 3


def failing(*names: str) -> Handle:
    """A handler that hands these back."""

    def handle(event: Mapping[str, Any], _deadline: int, _life: Life) -> dict[str, Any]:
        told = zip(event["Records"], seen(event), strict=True)
        return {"batchItemFailures": [{"itemIdentifier": one["messageId"]} for one, (name, _) in told if name in names]}

    return handle


def test_only_what_failed_comes_again_when_its_visibility_ends(lab: Callable[..., Lab]) -> None:
    one = lab(failing("ken"), started=False)
    one.wake("hana", "ken", "yuki")
    one.cloud.start()
    one.pass_time(0)
    assert one.cloud.counts == {"waiting": 1, "running": 0, "dead": 0}
    one.pass_time(359)
    assert len(one.events) == 1
    one.pass_time(1)
    assert bodies(one) == [[("hana", "1"), ("ken", "1"), ("yuki", "1")], [("ken", "2")]]


@pytest.mark.parametrize(
    "answer", [fails, lambda *_: {"batchItemFailures": [{"itemIdentifier": "nobody"}]}], ids=["raises", "names nobody"]
)
def test_a_batch_whose_invocation_failed_comes_again_whole(lab: Callable[..., Lab], answer: Handle) -> None:
    one = lab(answer, started=False)
    one.wake("hana", "ken")
    one.cloud.start()
    one.pass_time(0)
    one.pass_time(360)
    assert bodies(one) == [[("hana", "1"), ("ken", "1")], [("hana", "2"), ("ken", "2")]]


def test_what_is_asked_to_come_back_comes_then(lab: Callable[..., Lab]) -> None:
    def handle(event: Mapping[str, Any], _deadline: int, _life: Life) -> Any:
        one.cloud.wake.come_back(wakeup(event), 4001)
        return failing("hana")(event, 0, Life())

    one = lab(handle, started=False)
    one.wake("hana")
    one.cloud.start()
    one.pass_time(0)
    one.pass_time(4)
    assert len(one.events) == 1
    one.pass_time(1)
    assert bodies(one) == [[("hana", "1")], [("hana", "2")]]


def wakeup(batch: Mapping[str, Any]) -> Wakeup:
    record = batch["Records"][0]
    receives = int(record["attributes"]["ApproximateReceiveCount"])
    return Wakeup(record["messageId"], record["receiptHandle"], receives, Conversation("kind", "user:hana"))


def test_a_message_received_five_times_to_no_effect_is_a_dead_letter(lab: Callable[..., Lab]) -> None:
    one = lab(fails)
    one.wake("hana")
    for _ in range(8):
        one.pass_time(360)
    assert bodies(one) == [[("hana", str(count))] for count in range(1, 6)]
    assert one.cloud.counts == {"waiting": 0, "running": 0, "dead": 1}


def test_a_message_runs_twice_at_once_only_where_its_visibility_ran_out(lab: Callable[..., Lab]) -> None:
    """What the first worker says of it then does not count any more."""
    ends = [Event(), Event()]

    def handle(event: Mapping[str, Any], _deadline: int, _life: Life) -> Any:
        number = len(one.events) - 1
        ends[number].wait(PATIENCE)
        return failing("hana")(event, 0, Life()) if number else {"batchItemFailures": []}

    one = lab(handle)
    one.wake("hana")
    until(lambda: one.events)
    one.clock.sleep(359 * SECOND)
    one.cloud.tick()
    assert not one.cloud.settle(0.02)
    assert len(one.events) == 1
    one.clock.sleep(SECOND)
    one.cloud.tick()
    until(lambda: len(one.events) == 2)
    old = wakeup(one.events[0])
    with pytest.raises(WakeError, match="has taken the message back"):
        one.cloud.wake.come_back(old, 0)
    ends[0].set()
    until(lambda: one.cloud.counts["running"] == 1)
    assert one.cloud.counts["waiting"] == 0
    ends[1].set()
    assert one.cloud.settle(PATIENCE)
    assert one.cloud.counts["waiting"] == 1


def test_a_batch_can_be_made_without_the_queue(kind: Town) -> None:
    """As the next program needs it, to go on with what this one leaves."""
    conversation = Conversation("kind", f"user:{kind.hana.user_id}")
    answer = kind.invoke(batch_of([("one", conversation)]), kind.clock.now() + MINUTE, Life())
    assert answer == {"batchItemFailures": []}


# ---------------------------------------------------------------- the schedule


def test_the_sweep_is_made_at_the_start_and_each_minute_by_the_clock(lab: Callable[..., Lab]) -> None:
    one = lab(fine)
    start = one.clock.now()
    for seconds in (0, 59, 1, 60, 600, 59, 1):
        one.pass_time(seconds)
    assert [(at - start) // SECOND for at in one.sweeps] == [0, 60, 120, 720, 780]


def test_a_sweep_can_be_asked_for(lab: Callable[..., Lab]) -> None:
    one = lab(fine)
    one.pass_time(0)
    one.cloud.sweep()
    one.pass_time(0)
    assert len(one.sweeps) == 2


# ---------------------------------------------------------------- ends


def test_an_invocation_that_outlives_its_deadline_is_killed_and_not_heard_any_more(
    lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invocations, "GRACE", 0.03)
    go_on, lives = Event(), list[Life]()

    def handle(_event: object, _deadline: int, life: Life) -> dict[str, Any]:
        lives.append(life)
        go_on.wait(PATIENCE)
        return {"batchItemFailures": []}

    one = lab(handle)
    one.wake("hana")
    until(lambda: lives)
    one.clock.sleep(59 * SECOND)
    one.cloud.tick()
    assert not one.cloud.settle(0.06)
    one.clock.sleep(SECOND)
    assert one.cloud.settle(PATIENCE)
    assert not lives[0].alive
    assert one.cloud.counts == {"waiting": 1, "running": 0, "dead": 0}
    go_on.set()
    until(lambda: "cloud: invocation" not in names_of_threads())
    assert one.cloud.counts["waiting"] == 1


def names_of_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def test_stop_ends_all_threads_whatever_is_under_way(kind: Town) -> None:
    kind.mischief.set("slow_model", "on")
    ken = kind.platform.add_person("Ken")
    kind.say()
    kind.say("me, too", ken)

    def are_thought_about() -> bool:
        kind.platform.clock.sleep(100)  # until the animation begins, whenever their workers have
        return len(kind.told) == len(kind.platform.calls_of("loading")) == 2

    until(are_thought_about)
    told = list(kind.told)
    kind.cloud.stop()
    until(lambda: not [name for name in names_of_threads() if name.startswith(("cloud", "botkit"))])
    assert (kind.heard(), kind.heard(ken), kind.told) == ([], [], told)
    kind.say("nobody is there")
    assert kind.told == told
