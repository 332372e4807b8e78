"""With a queue: the door only accepts and wakes, a worker answers, and the sweep makes up for what is lost."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from botkit.simulator.chats import Person
from botkit.simulator.wire import Delivery
from tests.aws.upstream import OUTAGE, Upstream, refusal
from tests.handler.test_delivery import KIND, MINUTE, metrics
from tests.support.aws import free_port
from tests.support.queue import FINE, Queue, back, named_by_environment
from tests.support.stage import Stage
from tests.support.wire import serving

SECOND = 1000


@pytest.fixture
def queue(aws_endpoint: str, sqs_client: Any, sqs_queue: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    """A queue that the environment names."""
    with named_by_environment(aws_endpoint, sqs_client, sqs_queue, monkeypatch) as named:
        yield named


@pytest.fixture
def kind(any_stage: Stage, queue: Queue) -> Stage:
    any_stage.bot("kind", KIND)
    any_stage.restart(on_lines_clock=True)
    return any_stage


@pytest.fixture
def hana(kind: Stage) -> Person:
    return kind.platform.add_person("Hana")


def say(stage: Stage, person: Person, text: str = "hi") -> dict[str, Any]:
    return stage.post("kind", delivery(stage, person, text))


def delivery(stage: Stage, person: Person, text: str) -> Delivery:
    return stage.platform.say(stage.accounts["kind"], person, text)


def work(stage: Stage, batch: Mapping[str, Any], context: Any = None) -> dict[str, Any]:
    """A worker gets a batch."""
    assert stage.handler is not None
    return stage.handler(batch, context)


def heard(stage: Stage, person: Person, bot: str = "kind") -> list[tuple[str, str]]:
    """How the bot's words reached a person."""
    return [(one.via, one.text) for one in stage.platform.chat(stage.accounts[bot], person).answers]


def body_for(person: Person, bot: str = "kind") -> str:
    """The exact wake-up of a 1:1 conversation."""
    return f'{{"bot":"{bot}","conversation":"user:{person.user_id}"}}'


def id_for(batch: Mapping[str, Any], body: str) -> str:
    """The id of the message with this body."""
    (found,) = (record["messageId"] for record in batch["Records"] if record["body"] == body)
    return str(found)


# ---------------------------------------------------------------- the door


def test_the_door_accepts_and_asks_no_model(kind: Stage, queue: Queue, hana: Person) -> None:
    answer = say(kind, hana)
    assert (answer["statusCode"], answer["body"]) == (200, "{}")
    assert queue.bodies() == [body_for(hana)]
    assert kind.openai.requests == []
    assert kind.platform.calls == ()


def test_one_message_wakes_each_conversation_of_a_webhook(kind: Stage, queue: Queue, hana: Person) -> None:
    account, ken = kind.accounts["kind"], kind.platform.add_person("Ken")
    group = kind.platform.add_group(hana, ken)
    joined = kind.platform.join(account, group)
    webhooks = [delivery(kind, hana, "1"), delivery(kind, ken, "2"), delivery(kind, hana, "3")]
    webhooks += [joined, kind.platform.say(account, ken, "4", chat=group, mention=account)]
    assert kind.post("kind", kind.platform.bundle(*webhooks))["statusCode"] == 200
    alone = f"group:{group.id}:?{joined.event['webhookEventId']}"
    conversations = [json.loads(body)["conversation"] for body in queue.bodies()]
    assert sorted(conversations) == sorted(
        [f"user:{hana.user_id}", f"user:{ken.user_id}", alone, f"group:{group.id}:{ken.user_id}"]
    )
    assert len(queue.wire.operations) == 1


def test_what_has_nothing_to_do_wakes_nobody(kind: Stage, queue: Queue, hana: Person) -> None:
    account = kind.accounts["kind"]
    said = delivery(kind, hana, "hi")
    kind.post("kind", said)
    assert work(kind, queue.batch()) == FINE
    for webhook in (
        kind.platform.redeliver(said),
        kind.platform.webhook(account),
        kind.platform.unsend(account, hana, said.message_id),
    ):
        assert kind.post("kind", webhook)["statusCode"] == 200
    assert queue.bodies() == []


def test_a_redelivery_of_what_waits_wakes_again_and_is_answered_once(kind: Stage, queue: Queue, hana: Person) -> None:
    said = delivery(kind, hana, "hi")
    kind.post("kind", said)
    kind.post("kind", kind.platform.redeliver(said))
    batch = queue.batch()
    assert [record["body"] for record in batch["Records"]] == [body_for(hana)] * 2
    assert work(kind, batch) == FINE
    assert heard(kind, hana) == [("reply", "hi")]


@pytest.mark.parametrize("outage", ["an error", "no answer", "no connection"])
def test_a_queue_out_of_reach_is_not_lines_concern(
    kind: Stage, queue: Queue, hana: Person, outage: str, caplog: pytest.LogCaptureFixture
) -> None:
    if outage == "an error":
        queue.wire.down = True
    elif outage == "no answer":
        queue.wire.loses, queue.wire.times, queue.wire.before = "SendMessage", 2, True
    else:
        kind.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{free_port()}")
    assert say(kind, hana)["statusCode"] == 200
    assert "accepted, and left for the sweep: " in caplog.text
    assert queue.bodies() == []
    assert kind.openai.requests == []
    queue.wire.down, queue.wire.times = False, 0
    kind.setenv("AWS_ENDPOINT_URL_SQS", queue.wire.url)
    kind.restart(on_lines_clock=True)
    assert kind.sweep(after=6 * SECOND) == {"swept": 1}
    assert work(kind, queue.batch()) == FINE
    assert heard(kind, hana) == [("reply", "hi")]


# ---------------------------------------------------------------- the worker


def test_a_batch_is_answered(kind: Stage, queue: Queue, hana: Person) -> None:
    say(kind, hana, "good evening")
    assert work(kind, queue.batch()) == FINE
    assert heard(kind, hana) == [("reply", "good evening")]
    assert queue.hidden == []


def test_ten_conversations_of_a_batch_wait_for_the_model_together(kind: Stage, queue: Queue) -> None:
    """No request is answered before all ten are there."""
    people = [kind.platform.add_person(f"Person {number}") for number in range(10)]
    for person in people:
        say(kind, person, f"I am {person.name}")
    barrier = Barrier(len(people))

    def wait_for_all(body: dict[str, Any]) -> str:
        barrier.wait(20)
        return str(body["messages"][-1]["content"])

    for _ in people:
        kind.openai.say(wait_for_all)
    batch = queue.batch()
    assert len(batch["Records"]) == 10
    assert work(kind, batch) == FINE
    assert [heard(kind, person) for person in people] == [[("reply", f"I am {person.name}")] for person in people]


def test_two_wake_ups_of_one_conversation_are_one_piece_of_work(kind: Stage, queue: Queue, hana: Person) -> None:
    say(kind, hana, "one")
    say(kind, hana, "two")
    batch = queue.batch()
    assert [record["body"] for record in batch["Records"]] == [body_for(hana)] * 2
    assert work(kind, batch) == FINE
    assert heard(kind, hana) == [("reply", "two")]
    assert len(kind.openai.requests) == 1


def test_a_message_that_comes_during_a_turn_is_the_same_workers(kind: Stage, queue: Queue, hana: Person) -> None:
    """Its own wake-up then finds nothing to do."""

    def interrupt(_body: dict[str, Any]) -> str:
        say(kind, hana, "and another")
        return "first"

    kind.openai.say(interrupt)
    say(kind, hana, "one")
    assert work(kind, queue.batch()) == FINE
    assert heard(kind, hana) == [("reply", "first"), ("reply", "and another")]
    assert work(kind, queue.batch()) == FINE
    assert len(kind.openai.requests) == 2


def test_the_queue_may_deliver_a_message_twice(kind: Stage, queue: Queue, hana: Person) -> None:
    say(kind, hana)
    batch = queue.batch()
    assert work(kind, batch) == FINE
    assert work(kind, batch) == FINE
    assert heard(kind, hana) == [("reply", "hi")]


def test_messages_that_botkit_did_not_write_come_back(
    kind: Stage, queue: Queue, hana: Person, caplog: pytest.LogCaptureFixture
) -> None:
    say(kind, hana)
    strangers = ["hello", "{}", '{"bot": "kind"}', '{"bot": "kind", "conversation": "somebody"}']
    queue.put(*strangers)
    batch = queue.batch()
    ids = [record["messageId"] for record in batch["Records"] if record["body"] in strangers]
    assert work(kind, batch) == back(*ids)
    assert heard(kind, hana) == [("reply", "hi")]
    assert all(one in caplog.text for one in ids)


def test_a_wake_up_for_a_bot_that_is_gone_is_done_with(
    kind: Stage, queue: Queue, hana: Person, caplog: pytest.LogCaptureFixture
) -> None:
    say(kind, hana)
    queue.put(body_for(hana, "ghost"))
    assert work(kind, queue.batch()) == FINE
    assert heard(kind, hana) == [("reply", "hi")]
    assert "bot ghost: a conversation is waiting" in caplog.text


# ---------------------------------------------------------------- what fails


def crowd(stage: Stage) -> list[Person]:
    """Three people, each of whom has said their own name."""
    people = [stage.platform.add_person(name) for name in ("Hana", "Ken", "Yuki")]
    for person in people:
        say(stage, person, person.name)
    return people


FAILURES = {
    "the store": "from botkit.errors import StoreError\nraise StoreError('the store is down')",
    "its time": "from botkit.errors import OutOfTime\nraise OutOfTime('it takes too long')",
}


@pytest.mark.parametrize("failure", FAILURES)
def test_only_the_conversation_whose_turn_failed_comes_back(kind: Stage, queue: Queue, failure: str) -> None:
    condition = "if turn.text == 'Ken':\n    " + FAILURES[failure].replace("\n", "\n    ")
    step = kind.own_step(f"fails_{queue.url[-12:]}", f"{condition}\nreturn call_next(turn)")
    kind.bot("kind", KIND + f"pipeline: [reply, {step}, persona, model]\n")
    kind.restart(on_lines_clock=True)
    hana, ken, yuki = crowd(kind)
    batch = queue.batch()
    assert work(kind, batch) == back(id_for(batch, body_for(ken)))
    assert [heard(kind, one) for one in (hana, ken, yuki)] == [[("reply", "Hana")], [], [("reply", "Yuki")]]


class Choosy(Upstream):
    """Refuses all that names `refused`."""

    refused = "nothing"

    def answer(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes] | None:
        if self.refused.encode() in body:
            status, content = refusal("AccessDeniedException")
            return status, json.dumps(content).encode()
        return super().answer(headers, body)


@pytest.fixture
def choosy(aws_endpoint: str, any_store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Choosy]:
    """What leads the handler to DynamoDB."""
    with serving(Choosy(aws_endpoint)) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", wire.url)
        yield wire


@pytest.mark.parametrize("any_store", ["dynamodb"], indirect=True)
def test_only_the_conversation_that_the_store_refuses_comes_back(choosy: Choosy, kind: Stage, queue: Queue) -> None:
    hana, ken, yuki = crowd(kind)
    batch = queue.batch()
    choosy.refused = ken.user_id
    assert work(kind, batch) == back(id_for(batch, body_for(ken)))
    assert [heard(kind, one) for one in (hana, ken, yuki)] == [[("reply", "Hana")], [], [("reply", "Yuki")]]
    choosy.refused = "nothing"
    queue.show(batch)
    assert work(kind, queue.batch()) == FINE
    assert heard(kind, ken) == [("reply", "Ken")]


def test_only_the_conversation_whose_bot_lacks_its_secret_comes_back(kind: Stage, queue: Queue, hana: Person) -> None:
    account = kind.bot("mute", KIND)
    token = account.access_token
    kind.setenv("MUTE_TOKEN", "")
    kind.restart(on_lines_clock=True)
    say(kind, hana)
    kind.post("mute", kind.platform.say(account, hana, "can you talk?"))
    batch = queue.batch()
    assert work(kind, batch) == back(id_for(batch, body_for(hana, "mute")))
    assert heard(kind, hana) == [("reply", "hi")]
    kind.setenv("MUTE_TOKEN", token)
    queue.show(batch)
    assert work(kind, queue.batch()) == FINE
    assert heard(kind, hana, "mute") == [("reply", "can you talk?")]


def test_a_model_that_fails_is_an_answer_and_no_failure_of_the_batch(kind: Stage, queue: Queue, hana: Person) -> None:
    for _ in range(3):
        kind.openai.fail(500)
    say(kind, hana)
    assert work(kind, queue.batch()) == FINE
    assert heard(kind, hana) == [("reply", "Sorry!")]


def test_what_fails_again_and_again_comes_back_more_and_more_slowly(kind: Stage, queue: Queue, hana: Person) -> None:
    kind.setenv("KIND_TOKEN", "")
    say(kind, hana)
    for _ in range(7):
        batch = queue.batch()
        assert work(kind, batch) == back(id_for(batch, body_for(hana)))
        queue.show(batch)
    assert queue.hidden == [5, 10, 20, 40, 80, 120, 120]


def test_a_failed_message_is_hidden_from_other_workers(kind: Stage, queue: Queue, hana: Person) -> None:
    """The queue's own time for it is zero here, so that without us it would come again at once."""
    queue.client.set_queue_attributes(QueueUrl=queue.url, Attributes={"VisibilityTimeout": "0"})
    kind.setenv("KIND_TOKEN", "")
    say(kind, hana)
    batch = queue.batch()
    assert queue.batch()["Records"][0]["messageId"] == batch["Records"][0]["messageId"]
    newest = queue.batch()
    work(kind, newest)
    assert queue.bodies() == []


def test_a_queue_that_hides_nothing_still_gets_its_messages_back(
    kind: Stage, queue: Queue, hana: Person, caplog: pytest.LogCaptureFixture
) -> None:
    kind.setenv("KIND_TOKEN", "")
    say(kind, hana)
    batch = queue.batch()
    queue.wire.answers["ChangeMessageVisibility"] = OUTAGE
    assert work(kind, batch) == back(id_for(batch, body_for(hana)))
    assert "a wake-up comes again at the queue's own time: " in caplog.text


class Brief:
    """An invocation without the time for a turn."""

    def get_remaining_time_in_millis(self) -> int:
        return 5 * SECOND


def test_an_invocation_out_of_time_leaves_its_message_to_the_next_one_at_once(
    kind: Stage, queue: Queue, hana: Person
) -> None:
    say(kind, hana)
    batch = queue.batch()
    assert work(kind, batch, Brief()) == back(id_for(batch, body_for(hana)))
    assert queue.hidden == [0]
    again = queue.batch()
    assert id_for(again, body_for(hana)) == id_for(batch, body_for(hana))
    assert work(kind, again) == FINE
    assert heard(kind, hana) == [("reply", "hi")]


# ---------------------------------------------------------------- two workers


def test_a_conversation_that_another_worker_has_comes_back_when_the_lease_ends(
    kind: Stage, queue: Queue, hana: Person
) -> None:
    """An invocation is given a minute here, and its lease two seconds more."""
    ken, outcomes = kind.platform.add_person("Ken"), list[dict[str, Any]]()

    def meanwhile(_body: dict[str, Any]) -> str:
        say(kind, ken, "me too")
        outcomes.append(work(kind, batches[0] | {"Records": [*batches[0]["Records"], *queue.batch()["Records"]]}))
        return "just once"

    kind.openai.say(meanwhile)
    say(kind, hana)
    batches = [queue.batch()]
    assert work(kind, batches[0]) == FINE
    assert outcomes == [back(id_for(batches[0], body_for(hana)))]
    assert queue.hidden == [62]
    assert heard(kind, hana) == [("reply", "just once")]
    assert heard(kind, ken) == [("reply", "me too")]


def test_a_wake_up_is_let_go_at_its_fourth_delivery_while_another_worker_has_the_conversation(
    kind: Stage, queue: Queue, hana: Person
) -> None:
    """Whoever has it answers, or else the sweep: the message must not end among those that nobody could read."""
    outcomes: list[tuple[str, bool]] = []

    def meanwhile(_body: dict[str, Any]) -> str:
        for _ in range(3):
            queue.show(first)
            batch = queue.batch()
            first["Records"] = batch["Records"]
            count = batch["Records"][0]["attributes"]["ApproximateReceiveCount"]
            outcomes.append((count, work(kind, batch) != FINE))
        return "at last"

    kind.openai.say(meanwhile)
    say(kind, hana)
    first = queue.batch()
    assert work(kind, dict(first)) == FINE
    assert outcomes == [("2", True), ("3", True), ("4", False)]
    assert heard(kind, hana) == [("reply", "at last")]


def test_many_workers_with_the_same_batch_answer_it_once(kind: Stage, queue: Queue) -> None:
    people = crowd(kind)
    batch, barrier = queue.batch(), Barrier(4)
    ids = {record["messageId"] for record in batch["Records"]}

    def compete() -> set[str]:
        barrier.wait(20)
        return {failure["itemIdentifier"] for failure in work(kind, batch)["batchItemFailures"]}

    with ThreadPoolExecutor(4) as pool:
        outcomes = [running.result() for running in [pool.submit(compete) for _ in range(4)]]
    assert all(outcome <= ids for outcome in outcomes)
    assert [heard(kind, one) for one in people] == [[("reply", one.name)] for one in people]
    assert len(kind.openai.requests) == 3


# ---------------------------------------------------------------- the sweep


def test_a_lost_wake_up_costs_one_sweep(kind: Stage, queue: Queue, hana: Person) -> None:
    say(kind, hana)
    queue.empty()
    assert kind.sweep() == {"swept": 0}
    assert queue.bodies() == []
    assert kind.sweep(after=6 * SECOND) == {"swept": 1}
    assert kind.openai.requests == []
    batch = queue.batch()
    assert [record["body"] for record in batch["Records"]] == [body_for(hana)]
    assert work(kind, batch) == FINE
    assert heard(kind, hana) == [("reply", "hi")]
    assert kind.sweep(after=MINUTE) == {"swept": 0}
    assert queue.bodies() == []


def test_what_the_sweep_woke_besides_the_door_is_answered_once(kind: Stage, queue: Queue, hana: Person) -> None:
    say(kind, hana)
    for _ in range(2):
        kind.sweep(after=10 * SECOND)
    batch = queue.batch()
    assert [record["body"] for record in batch["Records"]] == [body_for(hana)] * 3
    assert work(kind, batch) == FINE
    assert heard(kind, hana) == [("reply", "hi")]


def test_the_sweep_wakes_each_of_many_conversations_in_batches(kind: Stage, queue: Queue) -> None:
    people = [kind.platform.add_person(f"Person {number}") for number in range(23)]
    kind.post("kind", kind.platform.bundle(*(delivery(kind, person, "hi") for person in people)))
    queue.empty()
    queue.wire.calls.clear()
    assert kind.sweep(after=6 * SECOND) == {"swept": 23}
    assert queue.wire.operations == ["SendMessageBatch"] * 3
    assert sorted(queue.bodies()) == sorted(body_for(person) for person in people)


def test_the_sweep_answers_itself_where_the_queue_is_out_of_reach(
    kind: Stage, queue: Queue, hana: Person, caplog: pytest.LogCaptureFixture
) -> None:
    queue.wire.down = True
    say(kind, hana)
    assert heard(kind, hana) == []
    assert kind.sweep(after=6 * SECOND) == {"swept": 1}
    assert heard(kind, hana) == [("reply", "hi")]
    assert "the sweep answers without the queue: " in caplog.text
    assert metrics(caplog) == ["reply"]
    assert kind.sweep(after=MINUTE) == {"swept": 0}
