"""Least privilege: with the roles of the template the bots do all they do, and nothing is allowed that they do not."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import pytest

from botkit.errors import StoreError
from botkit.runtime import Runtime
from botkit.simulator.app import create_app
from botkit.simulator.chats import Account, Person
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving as serving_app
from botkit.simulator.wire import Delivery
from botkit.testing import MovableClock
from tests.deploy.gate import Gate, Grant, grants_of, resolved
from tests.deploy.stacks import Stack, client, made, stack_at, write_bots
from tests.support.aws import CREDENTIALS, poll
from tests.support.openai_server import openai_server
from tests.support.shapes import http_api
from tests.support.stage import ROOT
from tests.support.wire import serving
from tests.support.worker import Context

KIND = """\
model: {name: gpt-4.1-mini, api_key: secretsmanager:kind-models}
line: {channel_secret: ssm:/kind/secret, channel_access_token: secretsmanager:kind-line#token}
groups: {answer: always}
limits: {user: {messages: 20/min}, bot: {tokens: 1M/day}}
"""
# Who is asked for these is not the bots: Lambda writes the logs, and the services that keep secrets ask for keys.
OTHERS_ASK = {"logs:CreateLogStream", "logs:PutLogEvents", "kms:Decrypt"}
MINUTE = 60_000


@dataclass
class Town:
    """A deployment whose functions run here, each with its own role; the test plays the API, the queue and the clock."""

    gate: Gate
    platform: Platform
    account: Account
    queue: str
    sqs: Any
    functions: Mapping[str, Runtime]

    def post(self, *deliveries: Delivery) -> None:
        """A webhook for the door."""
        webhook = self.platform.bundle(*deliveries) if len(deliveries) > 1 else deliveries[0]
        event = http_api("POST", "/line/kind", webhook.headers, webhook.body, False)
        assert self.run("Door", event)["statusCode"] == 200

    def work(self, context: Any = None) -> list[str]:
        """What Lambda does for the worker, in its name; returns the ids of the messages that must come again."""
        self.gate.role = "Worker"
        self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["All"])
        event = poll(self.sqs, self.queue)
        assert event is not None
        again = [one["itemIdentifier"] for one in self.run("Worker", event, context)["batchItemFailures"]]
        for record in event["Records"]:
            if record["messageId"] not in again:
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=record["receiptHandle"])
        return again

    def sweep(self, after: int) -> Any:
        self.platform.clock.sleep(after)
        return self.run("Worker", {"botkit": "sweep"})

    def run(self, role: str, event: Any, context: Any = None) -> Any:
        self.gate.role = role
        return self.functions[role](event, context)

    def heard(self, person: Person) -> list[str]:
        return [one.text for one in self.platform.chat(self.account, person).answers]


@pytest.fixture(scope="module")
def stack(aws_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack, less what would work off its queue."""
    bots = write_bots(tmp_path_factory.mktemp("permissions") / "bots", {"kind": KIND})
    template = made(bots)
    for resource in ("WakeUps", "Sweep"):
        del template["Resources"][resource]
    with stack_at(aws_endpoint) as stack, pytest.MonkeyPatch.context() as patch:
        stack.deploy(template)
        patch.setenv("BOTKIT_BOTS", str(bots))
        yield stack


@pytest.fixture(scope="module")
def town(stack: Stack) -> Iterator[Town]:
    platform = Platform(MovableClock(tick=1))
    account = platform.add_account("kind")
    grants = {role: grants_of_function(stack, role) for role in ("Door", "Worker")}
    with ExitStack() as running:
        model = running.enter_context(openai_server())
        line = running.enter_context(serving_app(create_app(platform)))
        gate = running.enter_context(serving(Gate(stack.endpoint, grants, keep_secrets(stack, account, model.key))))
        patch = running.enter_context(pytest.MonkeyPatch.context())
        environ = {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": gate.url,
            "BOTKIT_STORE": f"dynamodb://{stack.outputs['Table']}",
            "BOTKIT_QUEUE": stack.outputs["Queue"],
            "BOTKIT_LINE_URL": line,
            "OPENAI_BASE_URL": model.url,
        }
        for name, value in environ.items():
            patch.setenv(name, value)
        for limit in ("CONNECT_TIMEOUT", "READ_TIMEOUT"):
            patch.setattr(f"botkit.aws.queue.{limit}", 30.0)
        sqs = running.enter_context(closing(client("sqs", gate.url)))
        functions = {role: Runtime.start(ROOT, clock=platform.clock) for role in grants}
        yield Town(gate, platform, account, stack.outputs["Queue"], sqs, functions)


def grants_of_function(stack: Stack, role: str) -> set[Grant]:
    # ministack cannot be asked for the managed policies that CloudFormation has made, so they are the template's.
    resources = stack.template["Resources"]
    (named,) = resources[f"{role}Role"]["Properties"]["ManagedPolicyArns"]
    documents = [resolved(resources[named["Ref"]]["Properties"]["PolicyDocument"])]
    return grants_of(stack.aws("iam"), stack.id_of(f"{role}Role"), documents)


def keep_secrets(stack: Stack, account: Account, key: str) -> dict[str, str]:
    """Put what the bot file names into AWS; returns the ARNs of what is in Secrets Manager."""
    stack.aws("ssm").put_parameter(
        Name="/kind/secret", Value=account.channel_secret, Type="SecureString", Overwrite=True
    )
    keeper = stack.aws("secretsmanager")
    texts = {"kind-line": json.dumps({"token": account.access_token}), "kind-models": key}
    return {name: keeper.create_secret(Name=name, SecretString=text)["ARN"] for name, text in texts.items()}


def live(town: Town) -> None:
    """All that leads to calls of AWS: what comes, is answered, late, taken back, changed and forgotten."""
    platform, account = town.platform, town.account
    hana, ken = platform.add_person("Hana"), platform.add_person("Ken")
    group = platform.add_group(hana, ken)
    town.post(platform.say(account, hana, "hi"))
    town.work()
    assert town.heard(hana) == ["hi"]
    # Two conversations at once, one of which LINE sends again, and one that is too much for this invocation.
    said = [platform.say(account, hana, "one"), platform.say(account, ken, "two")]
    town.post(*said)
    town.post(platform.redeliver(said[0]))
    assert len(town.work(Context(1))) == 3
    assert town.sweep(after=MINUTE) == {"swept": 2}
    town.work()
    assert (town.heard(hana), town.heard(ken)) == (["hi", "one"], ["two"])
    # In a group, something is changed, something taken back before it is answered, and something after that.
    town.post(platform.join(account, group))
    told = [platform.say(account, hana, text, chat=group) for text in ("three", "four")]
    town.post(told[0])
    town.work()
    town.post(platform.edit(account, hana, told[0].message_id, "thirty", chat=group))
    town.work()
    town.post(told[1])
    town.post(platform.unsend(account, hana, told[1].message_id, chat=group))
    town.post(platform.unsend(account, hana, told[0].message_id, chat=group))
    town.work()
    for word in ("/usage", "/reset", "/forget"):
        town.post(platform.say(account, hana, word))
        town.work()


@pytest.fixture(scope="module")
def lived(town: Town) -> Town:
    live(town)
    return town


def test_the_bots_live_on_what_their_roles_allow(lived: Town) -> None:
    assert lived.gate.refused == []


@pytest.mark.parametrize("role", ["Door", "Worker"])
def test_nothing_is_allowed_that_is_not_used(lived: Town, role: str) -> None:
    unused = {grant for grant in lived.gate.grants[role] - lived.gate.used[role] if grant.action not in OTHERS_ASK}
    assert unused == set()


def test_what_a_role_does_not_allow_is_refused(lived: Town) -> None:
    with pytest.raises(StoreError, match="AWS does not allow it on the DynamoDB table"):
        lived.run("Door", {"botkit": "sweep"})
    assert [action for _, action, _ in lived.gate.refused] == ["dynamodb:Query"]
    lived.gate.refused.clear()


def test_lambda_itself_is_allowed_to_write_each_functions_own_log(stack: Stack, town: Town) -> None:
    for role in ("Door", "Worker"):
        logs = {grant.resource for grant in town.gate.grants[role] if grant.action.startswith("logs:")}
        assert logs == {f"arn:aws:logs:us-east-1:000000000000:log-group:/botkit/{stack.name}/{role.lower()}:*"}


@pytest.mark.parametrize(("role", "service"), [("Door", "ssm"), ("Worker", "secretsmanager")])
def test_keys_decrypt_only_for_the_service_that_keeps_the_secrets(stack: Stack, role: str, service: str) -> None:
    document = resolved(stack.template["Resources"][f"{role}Secrets"]["Properties"]["PolicyDocument"])
    (decrypt,) = [one for one in document["Statement"] if one["Action"] == "kms:Decrypt"]
    assert decrypt["Condition"] == {"StringEquals": {"kms:ViaService": [f"{service}.us-east-1.amazonaws.com"]}}


def test_a_bot_without_secrets_in_aws_is_allowed_none(aws_endpoint: str, tmp_path: Any) -> None:
    template = made(
        write_bots(tmp_path / "bots", {"plain": "line: {channel_secret: env:A1, channel_access_token: env:A2}\n"})
    )
    assert "DoorSecrets" not in template["Resources"]
    assert "ssm:" not in json.dumps(template)
    assert "kms:" not in json.dumps(template)
    assert "secretsmanager:" not in json.dumps(template)
