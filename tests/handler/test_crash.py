"""Accepted once, answered once, when the process that was at it is killed, and when two are at it together."""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from typing import Any

import pytest

from botkit.simulator.chats import Person
from botkit.simulator.wire import Delivery
from tests.aws.upstream import OUTAGE, Upstream
from tests.handler.test_delivery import KIND, MINUTE, metrics, say, ways
from tests.support.moment import Moment
from tests.support.queue import FINE, Queue, back, named_by_environment
from tests.support.shapes import http_api
from tests.support.stage import Stage
from tests.support.wire import serving
from tests.support.worker import Worker, worker

SECOND = 1000
BRIEF = 20
"""Seconds that an invocation has here, so that its lease ends within the reply token's minute."""
LEASE_END = (BRIEF + 3) * SECOND
REPLY = "/v2/bot/message/reply"
SWEEP = {"botkit": "sweep"}


@pytest.fixture
def kind(any_stage: Stage) -> Stage:
    any_stage.bot("kind", KIND)
    any_stage.platform.add_person("Hana")
    return any_stage


@pytest.fixture
def doomed(kind: Stage) -> Iterator[Worker]:
    """A process that will not live; LINE's clock has caught up with the machine's, which is the process's."""
    with worker(BRIEF) as process:
        catch_up(kind)
        yield process


def catch_up(stage: Stage) -> None:
    stage.platform.clock.sleep(max(0, int(time.time() * 1000) - stage.platform.clock.now()))


def hana_of(stage: Stage) -> Person:
    return next(iter(stage.platform.people.values()))


def delivery(stage: Stage, text: str) -> Delivery:
    return stage.platform.say(stage.accounts["kind"], hana_of(stage), text)


def event_of(webhook: Delivery) -> dict[str, Any]:
    return http_api("POST", "/line/kind", webhook.headers, webhook.body, False)


def killed_while_the_model_is_asked(stage: Stage, process: Worker, text: str = "hi") -> Delivery:
    """The webhook that the process was at."""
    webhook = delivery(stage, text)
    stage.openai.hang()
    process.send(event_of(webhook))
    assert stage.openai.wait_for_request(30)
    process.kill()
    stage.openai.release()
    catch_up(stage)
    return webhook


# ---------------------------------------------------------------- while the model is asked


def test_the_sweep_answers_by_reply_while_the_token_lives(
    kind: Stage, doomed: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    killed_while_the_model_is_asked(kind, doomed)
    assert ways(kind) == []
    kind.sweep(after=LEASE_END)
    assert ways(kind) == [("reply", "hi")]
    assert metrics(caplog) == ["reply"]
    assert kind.sweep(after=MINUTE) == {"swept": 0}
    assert len(ways(kind)) == 1


def test_the_sweep_answers_by_push_when_the_token_is_dead(kind: Stage, doomed: Worker) -> None:
    killed_while_the_model_is_asked(kind, doomed)
    assert kind.sweep(after=2 * MINUTE) == {"swept": 1}
    assert ways(kind) == [("push", "hi")]
    assert kind.sweep(after=2 * MINUTE) == {"swept": 0}


def test_until_the_lease_ends_nobody_takes_the_conversation(kind: Stage, doomed: Worker) -> None:
    webhook = killed_while_the_model_is_asked(kind, doomed)
    kind.sweep(after=6 * SECOND)
    kind.post("kind", kind.platform.redeliver(webhook))
    assert ways(kind) == []
    assert len(kind.openai.requests) == 1


def test_a_redelivery_renews_the_token_for_the_sweep(kind: Stage, doomed: Worker) -> None:
    webhook = killed_while_the_model_is_asked(kind, doomed)
    kind.restart(on_lines_clock=True)
    kind.platform.clock.sleep(2 * MINUTE)
    kind.post("kind", kind.platform.redeliver(webhook))
    assert ways(kind) == [("reply", "hi")]
    kind.post("kind", kind.platform.redeliver(webhook))
    assert kind.sweep(after=2 * MINUTE) == {"swept": 0}
    assert ways(kind) == [("reply", "hi")]


def test_what_is_said_meanwhile_waits_and_nothing_is_lost_or_repeated(kind: Stage, doomed: Worker) -> None:
    killed_while_the_model_is_asked(kind, doomed, "one")
    kind.restart(on_lines_clock=True)
    say(kind, "two")
    assert ways(kind) == []
    kind.sweep(after=LEASE_END)
    assert sorted(text for _, text in ways(kind)) == ["one", "two"]
    say(kind, "three")
    said = [message["content"] for message in kind.prompts()[-1] if message["role"] == "user"]
    assert said == ["one", "two", "three"]


@pytest.mark.parametrize("any_store", ["sqlite"], indirect=True)
def test_a_message_that_kills_every_process_gets_the_error_text(kind: Stage) -> None:
    """Six attempts are counted; a first one that ends as soon as this is not."""
    event: dict[str, Any] = event_of(delivery(kind, "poison"))
    kills = 0
    while kills < 9 and was_killed_at_the_model(kind, event, ahead=kills * 2 * MINUTE):
        kills += 1
        event = SWEEP
    assert kills in (6, 7)
    assert ways(kind) == [("reply", "Sorry!")]
    assert kind.sweep(after=20 * MINUTE) == {"swept": 0}
    assert len(ways(kind)) == 1


def was_killed_at_the_model(stage: Stage, event: dict[str, Any], ahead: int) -> bool:
    """Whether a process for this event came to ask the model, which it did not survive."""
    stage.openai.reset()
    stage.openai.hang()
    with worker(BRIEF, ahead) as process:
        process.send(event)
        while not process.has_answered():
            if stage.openai.wait_for_request(0.05):
                process.kill()
                return True
    return False


# ---------------------------------------------------------------- while the answer is on its way


@pytest.mark.parametrize("pause", [LEASE_END, 2 * MINUTE], ids=["while the token lives", "when it is dead"])
def test_killed_between_lines_reply_and_its_own_note_of_it(
    kind: Stage, line_server: Any, doomed: Worker, pause: int
) -> None:
    line_server.app = moment = Moment(line_server.app, REPLY)
    doomed.send(event_of(delivery(kind, "hi")))
    moment.wait()
    assert ways(kind) == [("reply", "hi")]
    doomed.kill()
    moment.release()
    catch_up(kind)
    assert kind.sweep(after=pause) == {"swept": 1}
    assert ways(kind) == [("reply", "hi")]
    assert kind.sweep(after=2 * MINUTE) == {"swept": 0}
    assert ways(kind) == [("reply", "hi")]
    assert len(kind.openai.requests) == 1


def killed_before_line_has_carried_the_reply_out(stage: Stage, line: Any, process: Worker) -> None:
    line.app = moment = Moment(line.app, REPLY, before=True)
    process.send(event_of(delivery(stage, "hi")))
    moment.wait()
    process.kill()
    moment.release()
    catch_up(stage)
    assert ways(stage) == []


def test_a_reply_that_never_arrived_is_made_again_while_the_token_lives(
    kind: Stage, line_server: Any, doomed: Worker
) -> None:
    killed_before_line_has_carried_the_reply_out(kind, line_server, doomed)
    assert kind.sweep(after=LEASE_END) == {"swept": 1}
    assert ways(kind) == [("reply", "hi")]
    assert len(kind.openai.requests) == 1


def test_of_a_reply_of_unknown_outcome_the_residue_is_counted_when_the_token_is_dead(
    kind: Stage, line_server: Any, doomed: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    killed_before_line_has_carried_the_reply_out(kind, line_server, doomed)
    assert kind.sweep(after=2 * MINUTE) == {"swept": 1}
    assert ways(kind) == []
    assert metrics(caplog) == ["ambiguous"]


# ---------------------------------------------------------------- at the door


@pytest.mark.parametrize("any_store", ["dynamodb"], indirect=True)
@pytest.mark.parametrize("is_done", [True, False], ids=["is done", "is not done"])
def test_a_door_killed_while_it_accepts_leaves_the_rest_to_lines_redelivery(
    aws_endpoint: str, kind: Stage, is_done: bool
) -> None:
    """The transaction is on its way to DynamoDB when the process dies; it is done all the same, or it is not."""
    webhook = delivery(kind, "hi")
    with serving(Upstream(aws_endpoint)) as wire:
        wire.held["TransactWriteItems"] = released = Event()
        if not is_done:
            wire.answers["TransactWriteItems"] = OUTAGE
        direct = os.environ["AWS_ENDPOINT_URL_DYNAMODB"]
        kind.setenv("AWS_ENDPOINT_URL_DYNAMODB", wire.url)
        with worker(BRIEF) as process:
            process.send(event_of(webhook))
            while "TransactWriteItems" not in wire.operations:
                assert wire.called.wait(30)
            process.kill()
        released.set()
        kind.setenv("AWS_ENDPOINT_URL_DYNAMODB", direct)
    kind.restart(on_lines_clock=True)
    catch_up(kind)
    assert kind.openai.requests == []
    assert kind.post("kind", kind.platform.redeliver(webhook))["statusCode"] == 200
    assert ways(kind) == [("reply", "hi")]
    assert kind.sweep(after=2 * MINUTE) == {"swept": 0}


class FailingOn(Upstream):
    """An AWS that fails where a text is in what it is asked."""

    text = ""

    def answer(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes] | None:
        self.down = bool(self.text) and self.text.encode() in body
        return super().answer(headers, body)


@pytest.mark.parametrize("any_store", ["dynamodb"], indirect=True)
def test_what_was_accepted_is_answered_at_once_although_the_rest_of_its_webhook_was_not(
    aws_endpoint: str, kind: Stage
) -> None:
    webhook = kind.platform.bundle(delivery(kind, "one"), delivery(kind, "two"))
    with serving(FailingOn(aws_endpoint)) as wire:
        kind.setenv("AWS_ENDPOINT_URL_DYNAMODB", wire.url)
        kind.restart(on_lines_clock=True)
        wire.text = webhook.events[1]["webhookEventId"]
        assert kind.post("kind", webhook)["statusCode"] == 500
        assert ways(kind) == [("reply", "one")]
        wire.text = ""
        assert kind.post("kind", kind.platform.redeliver(webhook))["statusCode"] == 200
    assert ways(kind) == [("reply", "one"), ("reply", "two")]


@pytest.fixture
def queue(aws_endpoint: str, sqs_client: Any, sqs_queue: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    """A queue that the environment names."""
    with named_by_environment(aws_endpoint, sqs_client, sqs_queue, monkeypatch) as named:
        yield named


def test_a_door_killed_before_its_wake_up_leaves_it_to_the_sweep(queue: Queue, kind: Stage, doomed: Worker) -> None:
    queue.wire.held["SendMessage"] = released = Event()
    queue.wire.answers["SendMessage"] = OUTAGE
    webhook = delivery(kind, "hi")
    doomed.send(event_of(webhook))
    assert queue.wire.called.wait(30)
    doomed.kill()
    released.set()
    queue.wire.answers.clear()
    catch_up(kind)
    assert kind.sweep(after=6 * SECOND) == {"swept": 1}
    assert kind.handler is not None
    assert kind.handler(queue.batch(), None) == FINE
    assert ways(kind) == [("reply", "hi")]
    assert kind.post("kind", kind.platform.redeliver(webhook))["statusCode"] == 200
    assert queue.bodies() == []


def test_a_killed_workers_message_brings_the_next_one_when_the_lease_has_ended(
    queue: Queue, kind: Stage, doomed: Worker
) -> None:
    """No sweep is needed: what SQS shows again is asked to come when the dead worker's lease is over."""
    kind.restart(on_lines_clock=True)
    assert kind.handler is not None
    say(kind, "hi")
    batch = queue.batch()
    kind.openai.hang()
    doomed.send(batch)
    assert kind.openai.wait_for_request(30)
    doomed.kill()
    kind.openai.release()
    catch_up(kind)
    queue.show(batch)
    again = queue.batch()
    assert kind.handler(again, None) == back(*(record["messageId"] for record in again["Records"]))
    (hidden,) = queue.hidden
    assert 0 < hidden <= BRIEF + 2
    kind.platform.clock.sleep(hidden * SECOND)
    queue.show(again)
    assert kind.handler(queue.batch(), None) == FINE
    assert ways(kind) == [("reply", "hi")]


DEADLY = """\
import os, signal
if "boom" in turn.text:
    os.kill(os.getpid(), signal.SIGKILL)
return call_next(turn)
"""


@pytest.mark.parametrize("any_store", ["sqlite"], indirect=True)
def test_a_message_that_kills_its_process_takes_no_other_conversation_along(queue: Queue, any_stage: Stage) -> None:
    """They begin together once; from then on each is tried alone."""
    stage = any_stage
    step = stage.own_step("deadly", DEADLY)
    account = stage.bot("kind", f"{KIND}pipeline: [reply, {step}, history, persona, model]\n")
    stage.restart(on_lines_clock=True)
    people = [stage.platform.add_person(f"P{number}") for number in range(5)]
    for number, person in enumerate(people):
        stage.post("kind", stage.platform.say(account, person, "boom" if number == 2 else f"hi {number}"))
    batch, ahead = queue.batch(), 0
    while batch is not None and ahead < 12:
        if not survives(batch, ahead * 2 * MINUTE):
            queue.show(batch)
        batch, ahead = queue.next(), ahead + 1
    said = [[one.text for one in stage.platform.chat(account, person).answers] for person in people]
    assert said == [["hi 0"], ["hi 1"], ["Sorry!"], ["hi 3"], ["hi 4"]]


def survives(batch: dict[str, Any], ahead: int) -> bool:
    """Whether a process comes to the end of this batch."""
    with worker(BRIEF, ahead) as process:
        process.send(batch)
        return process.wait()


# ---------------------------------------------------------------- two processes at once


class Crossing:
    """Model calls that would meet if two of them were ever under way together; `most` is how many did."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._met = Event()
        self._inside = 0
        self.most = 0

    def __call__(self, body: dict[str, Any]) -> str:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self._met.wait(0.03)  # nobody sets it: it is how long another one has to come
        with self._lock:
            self._inside -= 1
        return f"to {body['messages'][-1]['content']}"


def test_two_processes_that_get_everything_at_once_answer_each_message_once(any_stage: Stage) -> None:
    """Webhooks of one person, some sent twice and some redelivered, in any order, to whichever process."""
    stage, chance, crossing = any_stage, random.Random(7), Crossing()
    stage.bot("kind", KIND + "history: {window: 100}\n")
    stage.platform.add_person("Hana")
    texts = [f"message {number}" for number in range(24)]
    webhooks = [delivery(stage, text) for text in texts]
    posts = [*webhooks, *chance.sample(webhooks, 8), *map(stage.platform.redeliver, chance.sample(webhooks, 8))]
    chance.shuffle(posts)
    for _ in texts:
        stage.openai.say(crossing)
    with worker() as one, worker() as other, ThreadPoolExecutor(2) as pool:
        halves = ((one, posts[::2]), (other, posts[1::2]))
        answered = [pool.submit(lambda half: [half[0](event_of(post)) for post in half[1]], half) for half in halves]
        statuses = Counter(answer["statusCode"] for running in answered for answer in running.result())
    assert statuses == {200: len(posts)}
    assert crossing.most == 1
    turns = [asked_by(prompt) for prompt in stage.prompts()]
    assert sorted(text for turn in turns for text in turn) == sorted(texts)
    assert [text for _, text in ways(stage)] == [f"to {turn[-1]}" for turn in turns]
    assert stage.sweep(after=10 * MINUTE) == {"swept": 0}
    say(stage, "and now?")
    history = stage.prompts()[-1][1:]
    assert [one["content"] for one in history if one["role"] == "user"] == [*texts, "and now?"]
    assert len([one for one in history if one["role"] == "assistant"]) == len(turns)


def test_what_comes_while_the_other_process_is_about_to_let_go_is_not_left_behind(any_stage: Stage) -> None:
    """Two messages at a time, one to each process: once both have answered LINE, both messages are answered."""
    stage, crossing = any_stage, Crossing()
    stage.bot("kind", KIND)
    stage.platform.add_person("Hana")
    with worker() as one, worker() as other:
        for number in range(12):
            for _ in range(2):
                stage.openai.say(crossing)
            texts = [f"one {number}", f"two {number}"]
            before = len(stage.openai.requests)
            for process, text in zip((one, other), texts, strict=True):
                process.send(event_of(delivery(stage, text)))
            assert [process.answer()["statusCode"] for process in (one, other)] == [200, 200]
            turns = [asked_by(prompt) for prompt in stage.prompts()[before:]]
            assert sorted(text for turn in turns for text in turn) == texts
    assert crossing.most == 1


def asked_by(prompt: list[dict[str, str]]) -> list[str]:
    """The messages that a turn answers: those after the bot's last words."""
    texts: list[str] = []
    for message in prompt:
        texts = [*texts, message["content"]] if message["role"] == "user" else []
    return texts
