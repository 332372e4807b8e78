"""What is deployed, from LINE's webhook to LINE's chat: HTTP API, Lambda, SQS, Lambda, DynamoDB, the model, and LINE again."""

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from botkit.errors import DeployError
from botkit.simulator.app import create_app
from botkit.simulator.chats import Account, Person
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving
from botkit.testing import MovableClock
from tests.deploy.conftest import PERSONA, Bots, until
from tests.support.cloud import Cloud, deployed
from tests.support.openai_server import OpenAIServer

LATER = "You are brief."
SECRET = "botkit-vault"
BRIEF = 15
"""Seconds of a worker that is to be killed; its lease ends two seconds after them."""
PATIENCE = 240
"""Seconds in which several of them may be killed one after the other, on a machine that has other things to do."""


@dataclass
class Ends:
    """A deployment and its two ends, with somebody new."""

    cloud: Cloud
    platform: Platform
    account: Account
    vault: Account
    model: OpenAIServer
    hana: Person

    def say(self, text: str, person: Person | None = None) -> tuple[int, Any]:
        return self.cloud.post("/line/kind", self.platform.say(self.account, person or self.hana, text))

    def heard(self, person: Person | None = None, account: Account | None = None) -> list[str]:
        return self.platform.chat(account or self.account, person or self.hana).texts

    def wait_for(self, text: str, account: Account | None = None) -> None:
        """Until exactly this reply has come, and the queue is empty."""
        until(lambda: self.heard(account=account), tell=self.cloud.story)
        until(lambda: not self.cloud.waiting())
        assert self.heard(account=account) == [text]


@pytest.fixture(scope="module")
def deployment(aws_endpoint: str, package: Path, model_server: OpenAIServer) -> Iterator[Ends]:
    platform = Platform(MovableClock(tick=1))
    account, vault = platform.add_account("kind"), platform.add_account("vault")
    secrets = {
        "SECRET": account.channel_secret,
        "TOKEN": account.access_token,
        "VAULT_SECRET": vault.channel_secret,
        "OPENAI_API_KEY": model_server.key,
    }
    name = f"botkit-{uuid.uuid4().hex[:8]}"
    with serving(create_app(platform)) as line:
        cloud = Cloud(name, aws_endpoint, {})
        cloud.aws("secretsmanager").create_secret(Name=SECRET, SecretString=token_of(vault))
        settings = {"LineUrl": line, "OpenaiBaseUrl": model_server.url, "WorkerTimeout": "30"}
        with deployed(name, aws_endpoint, package, secrets, **settings) as cloud:
            yield Ends(cloud, platform, account, vault, model_server, platform.add_person("Hana"))


def token_of(account: Account) -> str:
    return json.dumps({"token": account.access_token})


@pytest.fixture
def ends(deployment: Ends) -> Ends:
    deployment.model.reset()
    return replace(deployment, hana=deployment.platform.add_person("Hana"))


def test_a_message_goes_all_the_way_and_back(ends: Ends) -> None:
    assert ends.say("今晩は 🌙 what a night") == (200, {})
    ends.wait_for("今晩は 🌙 what a night")
    assert ends.cloud.sweep() == {"swept": 0}


def test_the_next_message_is_answered_with_the_first_in_mind(ends: Ends) -> None:
    for text in ("one", "two"):
        assert ends.say(text) == (200, {})
        until(lambda text=text: text in ends.heard(), tell=ends.cloud.story)
    assert [one["content"] for one in ends.model.requests[-1].body["messages"]] == [PERSONA, "one", "one", "two"]


def test_a_redelivery_is_answered_once(ends: Ends) -> None:
    said = ends.platform.say(ends.account, ends.hana, "once")
    for delivery in (said, said, ends.platform.redeliver(said)):
        assert ends.cloud.post("/line/kind", delivery) == (200, {})
    ends.wait_for("once")
    assert ends.cloud.post("/line/kind", ends.platform.redeliver(said)) == (200, {})
    assert ends.cloud.waiting() == 0
    assert ends.heard() == ["once"]
    assert len(ends.model.requests) == 1


def test_what_is_not_a_signed_webhook_is_refused_and_wakes_nobody(ends: Ends) -> None:
    said = ends.platform.say(ends.account, ends.hana, "hi")
    assert ends.cloud.post("/line/kind", said, signature="A" * 43 + "=") == (401, {"error": "unauthorized"})
    assert ends.cloud.post("/line/ghost", said) == (401, {"error": "unauthorized"})
    assert ends.cloud.ask("GET", "/line/kind") == (405, {"error": "method not allowed"})
    assert ends.cloud.ask("GET", "/elsewhere") == (404, {"error": "not found"})
    assert ends.cloud.ask("GET", "/botkit/health") == (200, {"ok": True})
    assert ends.cloud.waiting() == 0


def test_the_code_and_the_users_own_steps_are_those_of_the_package(ends: Ends) -> None:
    ends.say("where?")
    until(ends.heard, tell=ends.cloud.story)
    (said,) = ends.heard()
    where = Path(said)
    assert where.parts[-3:] == ("code", "botkit", "__init__.py")
    assert where.parts[-4].startswith(f"ministack-lambda-{ends.cloud.outputs['Worker']}")


def test_what_failed_comes_back_by_itself_and_holds_up_nobody(ends: Ends, mended: Path) -> None:
    """The worker hands the message back, and has the queue show it again after five seconds."""
    ken = ends.platform.add_person("Ken")
    assert ends.say("fail") == (200, {})
    until(lambda: "partial failures" in ends.cloud.last_result())
    assert ends.say("and you?", person=ken) == (200, {})
    until(lambda: ends.heard(ken), tell=ends.cloud.story)
    assert ends.heard() == []
    mended.touch()
    ends.wait_for("fail")


def test_what_lies_in_the_dlq_is_answered_when_it_is_mended_and_driven_back(ends: Ends) -> None:
    secrets = ends.cloud.aws("secretsmanager")
    secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    ends.cloud.give_up_after(1)
    said = ends.platform.say(ends.vault, ends.hana, "is anybody there?")
    assert ends.cloud.post("/line/vault", said) == (200, {})
    until(lambda: ends.cloud.waiting("DeadLetters"), tell=ends.cloud.story)
    assert (ends.heard(account=ends.vault), ends.cloud.waiting()) == ([], 0)
    secrets.create_secret(Name=SECRET, SecretString=token_of(ends.vault))
    ends.cloud.give_up_after(5)
    assert ends.cloud.redrive() == 1
    ends.wait_for("is anybody there?", ends.vault)
    assert ends.cloud.waiting("DeadLetters") == 0


def test_a_deployment_that_fails_leaves_what_was_there(ends: Ends, package: Path) -> None:
    said = ""
    with suppress(DeployError):
        code, said = ends.cloud.deploy(package, Log="loud")
        assert code == 1, said
    assert ends.say("still there?") == (200, {})
    ends.wait_for("still there?")


class Talk:
    """Somebody who says one thing after the other, each when the one before is answered, until it is enough."""

    def __init__(self, ends: Ends, person: Person) -> None:
        self.ends = ends
        self.person = person
        self.said: list[str] = []
        self.enough = Event()

    def go_on(self) -> None:
        while not self.enough.is_set():
            self.say(f"{len(self.said)} of {self.person.user_id[-4:]}")

    def say(self, text: str) -> None:
        delivery = self.ends.platform.say(self.ends.account, self.person, text)
        self.said.append(text)
        while self.ends.cloud.post("/line/kind", delivery)[0] != 200:  # as LINE does
            delivery = self.ends.platform.redeliver(delivery)
        until(lambda: len(self.ends.heard(self.person)) >= len(self.said), PATIENCE, self.ends.cloud.story)


def test_killed_upgraded_and_rolled_back_with_messages_in_flight(ends: Ends, trapped: Bots, package: Path) -> None:
    """Each message is answered once, by the one version or the other.

    What is at work while a function is updated is killed here; AWS itself would let it end.
    """
    cloud, later = ends.cloud, trapped.package(LATER)
    cloud.set_timeout("Worker", BRIEF)
    first, others = ([Talk(ends, ends.platform.add_person("Ken")) for _ in range(2)] for _ in range(2))
    talks = [*first, *others]

    def wait_for_more() -> None:
        """Until each has heard two more answers."""
        goals = [(talk, len(ends.heard(talk.person)) + 2) for talk in talks]
        until(
            lambda: all(len(ends.heard(one.person)) >= goal for one, goal in goals), PATIENCE, cloud.story, cloud.tick
        )

    def strike(blow: Callable[[], object]) -> None:
        """Do it while a worker waits for the model."""
        asked = len(ends.model.requests)
        ends.model.hang()
        until(lambda: len(ends.model.requests) > asked, PATIENCE, cloud.story, cloud.tick)
        blow()
        ends.model.release()

    def upgrade(version: Path) -> None:
        code, said = cloud.deploy(version)
        assert code == 0, said
        cloud.set_timeout("Worker", BRIEF)

    with ThreadPoolExecutor(len(talks)) as threads, ExitStack() as stack:
        for talk in talks:
            stack.callback(talk.enough.set)
        running = [threads.submit(talk.go_on) for talk in first]
        until(lambda: all(ends.heard(talk.person) for talk in first), PATIENCE, cloud.story, cloud.tick)
        strike(lambda: cloud.kill("Worker"))
        running += [threads.submit(talk.go_on) for talk in others]  # the first ones wait for a lease to end
        strike(lambda: upgrade(later))
        wait_for_more()
        cloud.kill("Door")
        upgrade(package)
        wait_for_more()
        for talk in talks:
            talk.enough.set()
        until(lambda: all(one.done() for one in running), PATIENCE, cloud.story, cloud.tick)
    for one in running:
        one.result()
    for talk in talks:
        assert ends.heard(talk.person) == talk.said
    assert {one.body["messages"][0]["content"] for one in ends.model.requests} == {PERSONA, LATER}
    assert ends.model.requests[-1].body["messages"][0]["content"] == PERSONA
