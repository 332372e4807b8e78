"""`botkit deploy`: what is made on AWS, what is told, and that what is not wanted or fails leaves nothing behind."""

import io
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import zipfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import get_session

from botkit.cli import deploy
from botkit.cli.deployment import target_of
from botkit.deploy.session import open_session
from botkit.deploy.stack import Deployed, find_stack
from botkit.deploy.storage import fetch
from botkit.errors import DeployError, SpecError
from botkit.stores.dynamodb import create_table
from tests.support.aws_between import Answer, Between, Call, between, denied, json_refusal, refusal

SECRET = "s3cret-of-the-inn"
BOT = """\
persona: You are kind.
model: gpt-4.1-mini
line: {channel_secret: env:INN_SECRET, channel_access_token: env:INN_TOKEN}
"""
SECRETS = {"INN_SECRET": SECRET, "INN_TOKEN": "token-of-the-inn", "OPENAI_API_KEY": "sk-of-the-inn"}
ACCOUNTS = itertools.count(100_000_000_001)
"""ministack gives each access key of twelve digits an account of its own."""


SESSION = get_session()  # shared, because each one parses AWS's models anew


@dataclass
class Cloud:
    """An AWS account of one's own, with what stands before it, and a folder to deploy from."""

    account: str
    wire: Between
    folder: Path
    environ: dict[str, str]

    @property
    def bucket(self) -> str:
        return f"botkit-{self.account}-us-east-1"

    def aws(self, service: str) -> Any:
        """A client of ministack itself."""
        return SESSION.create_client(
            service,
            region_name="us-east-1",
            endpoint_url=self.wire.upstream,
            aws_access_key_id=self.account,
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def pack(self, bot: str = BOT, **others: str) -> Path:
        """A package as small as can be, of bots that are those of the folder, too."""
        target = self.folder / f"{len(list(self.folder.glob('*.zip')))}.zip"
        (self.folder / "bots").mkdir(exist_ok=True)
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("botkit.json", json.dumps({"python": "3.13", "architecture": "x86_64"}))
            archive.writestr("handler.py", "")
            for name, text in {"inn": bot, **others}.items():
                (self.folder / "bots" / f"{name}.yaml").write_text(text, "utf-8")
                archive.writestr(f"bots/{name}.yaml", text)
        return target

    def deploy(self, package: Path, *arguments: str, **environ: str) -> int:
        """Run the command; `environ` is set besides."""
        parser = ArgumentParser()
        deploy.add_arguments(parser)
        options = parser.parse_args(["--package", str(package), *arguments])
        return deploy.run(options, {**self.environ, **environ}, pause=0.01)

    def stack(self) -> dict[str, Any] | None:
        """The stack as CloudFormation describes it."""
        with closing(self.aws("cloudformation")) as cloud:
            try:
                (found,) = cloud.describe_stacks(StackName="botkit")["Stacks"]
            except ClientError:
                return None
            return dict(found)

    def resource(self, logical: str) -> str:
        with closing(self.aws("cloudformation")) as cloud:
            found = cloud.describe_stack_resource(StackName="botkit", LogicalResourceId=logical)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def secrets(self) -> dict[str, str]:
        """Those that the functions have."""
        found: dict[str, str] = {}
        with closing(self.aws("lambda")) as client:
            for function in ("Door", "Worker"):
                made = client.get_function_configuration(FunctionName=self.resource(function))
                found |= made["Environment"]["Variables"]
        return {name: text for name, text in found.items() if name in SECRETS}

    def objects(self) -> list[str] | None:
        """What lies in the bucket; None where there is none."""
        with closing(self.aws("s3")) as s3:
            try:
                return [one["Key"] for one in s3.list_objects_v2(Bucket=self.bucket).get("Contents", ())]
            except ClientError:
                return None

    def proposals(self) -> int:
        """How many change sets wait to be executed."""
        with closing(self.aws("cloudformation")) as cloud:
            summaries = cloud.list_change_sets(StackName="botkit")["Summaries"]
        return sum(one["ExecutionStatus"] == "AVAILABLE" for one in summaries)

    def by_name(self, call: Call) -> Call:
        """The same call with the name of a stack for its id: ministack deletes by names alone."""
        stack, asked = self.stack(), call.asked
        if stack is None or asked["StackName"] != stack["StackId"]:
            return call
        body = urlencode({**asked, "StackName": stack["StackName"]}).encode()
        return Call(call.operation, call.method, call.path, call.headers, body)

    def is_empty(self) -> bool:
        """Whether there is neither stack nor bucket."""
        return self.stack() is None and self.objects() is None


@pytest.fixture
def cloud(aws_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.chdir(tmp_path)
    account = str(next(ACCOUNTS))
    with between(aws_endpoint) as wire:
        environ = {
            "AWS_ENDPOINT_URL": wire.url,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
            **SECRETS,
        }
        made = Cloud(account, wire, tmp_path, environ)
        wire.changed["DeleteStack"] = made.by_name
        yield made
        with closing(made.aws("cloudformation")) as client:
            client.delete_stack(StackName="botkit")  # else its queue is asked for ever


@pytest.fixture
def no_secret_is_shown(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    out, err = capfd.readouterr()
    assert not [text for text in SECRETS.values() if text in out + err]


class Terminal(io.StringIO):
    """A person at a terminal, who types what is given; before that `meanwhile` happens."""

    def __init__(self, typed: str, meanwhile: Callable[[], object] = str) -> None:
        super().__init__(typed)
        self._meanwhile = meanwhile

    def isatty(self) -> bool:
        return True

    def readline(self, *_: Any) -> str:
        self._meanwhile()
        return super().readline()


def facts(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def breaking(call: Call) -> Call:
    """Has a resource fail, after some others: CloudFormation knows no such type."""

    def change(template: Any) -> None:
        template["Resources"]["Broken"] = {"Type": "AWS::No::Such", "DependsOn": ["Worker"]}

    return call.with_template(change)


# ---------------------------------------------------------------- the main job


def test_a_first_deployment_makes_the_stack_and_tells_where_the_bots_are(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cloud.deploy(cloud.pack(), "--yes") == 0
    out = capsys.readouterr().out
    stack = cloud.stack()
    assert stack is not None
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    address = next(one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"] == "WebhookInn")
    assert f"inn  {address}" in out
    assert "botkit webhook set --all" in out
    assert "secrets from here: INN_SECRET, INN_TOKEN, OPENAI_API_KEY" in out
    assert not [text for text in SECRETS.values() if text in out]
    assert cloud.secrets() == SECRETS


def test_what_is_deployed_already_is_neither_uploaded_nor_changed(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    package = cloud.pack()
    cloud.deploy(package, "--yes", "--json")
    deployed = facts(capsys)
    cloud.wire.calls.clear()
    assert cloud.deploy(package, "--yes", "--json") == 0
    again = facts(capsys)
    assert not {"PutObject", "ExecuteChangeSet", "CreateBucket"} & set(cloud.wire.operations)
    assert (deployed["status"], again["status"], again["changes"]) == ("deployed", "unchanged", [])
    assert again["webhooks"] == deployed["webhooks"] == {"inn": f"{deployed['outputs']['Url']}/line/inn"}
    assert cloud.proposals() == 0
    assert len(cloud.objects() or ()) == 1


def test_a_later_deployment_changes_what_differs_and_keeps_secrets_and_settings_that_nobody_gives(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.deploy(cloud.pack(), "--yes", "--json", "--set", "WorkerTimeout=60")
    (first,) = cloud.objects() or ()
    capsys.readouterr()
    package = cloud.pack(BOT.replace("kind", "stern"))
    assert cloud.deploy(package, "--yes", "--set", "WorkerMemory=2048", **dict.fromkeys(SECRETS, "")) == 0
    out = capsys.readouterr().out
    assert "~ the function Worker: memory 1024 → 2048 MB, new code" in out
    assert "inn: changed; persona +1 −1 lines" in out
    assert "secrets kept as deployed: INN_SECRET, INN_TOKEN, OPENAI_API_KEY" in out
    assert "WorkerMemory: 1024 → 2048" in out
    with closing(cloud.aws("lambda")) as client:
        function = client.get_function_configuration(FunctionName=cloud.resource("Worker"))
    assert (function["MemorySize"], function["Timeout"]) == (2048, 60)
    assert cloud.secrets() == SECRETS
    kept = cloud.objects() or ()
    assert f".retired/{first}" in kept
    assert len(kept) == 2


def test_settings_of_the_environment_become_parameters(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    url = "https://models.example.com/v1?version=1"
    cloud.deploy(cloud.pack(), "--yes", "--json", OPENAI_BASE_URL=url, BOTKIT_LOG="warning")
    given = facts(capsys)["settings"]
    assert (given["OpenaiBaseUrl"], given["Log"]) == ("https://models.example.com/v1?…", "info")


def test_the_bots_of_the_folder_are_packaged_where_no_package_is_named(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.pack()
    (cloud.folder / "bots" / "requirements.txt").write_text("no spaces allowed here\n")
    parser = ArgumentParser()
    deploy.add_arguments(parser)
    with pytest.raises(DeployError, match=r"requirements\.txt"):
        deploy.run(parser.parse_args(["--yes"]), cloud.environ, pause=0.01)
    assert cloud.is_empty()


@pytest.mark.parametrize(
    ("given", "target"),
    [
        ([], ("3.12", "arm64")),
        (["--python", "3.14"], ("3.14", "arm64")),
        (["--no-arm"], ("3.12", "x86_64")),
    ],
)
def test_what_the_functions_run_on_stays_as_deployed_unless_it_is_said(given: list[str], target: Any) -> None:
    parser = ArgumentParser()
    deploy.add_arguments(parser)
    made = {"Metadata": {"botkit": {"python": "3.12", "architecture": "arm64"}}}
    before = Deployed("botkit", "us-east-1", "CREATE_COMPLETE", {}, {}, (), None, None, template=made)
    found = target_of(parser.parse_args(given), before)
    assert (found.python, found.architecture) == target
    assert target_of(parser.parse_args(["--python", "3.13"]), None).architecture == "x86_64"


# ---------------------------------------------------------------- the bucket


def test_the_bucket_is_private_encrypted_and_keeps_what_stacks_run_on(cloud: Cloud) -> None:
    cloud.deploy(cloud.pack(), "--yes", "--json")
    with closing(cloud.aws("s3")) as s3:
        blocked = s3.get_public_access_block(Bucket=cloud.bucket)["PublicAccessBlockConfiguration"]
        policy = json.loads(s3.get_bucket_policy(Bucket=cloud.bucket)["Policy"])
        rules = s3.get_bucket_lifecycle_configuration(Bucket=cloud.bucket)["Rules"]
        encryption = s3.get_bucket_encryption(Bucket=cloud.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert set(blocked.values()) == {True}
    (statement,) = policy["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert [(rule["Filter"]["Prefix"], rule["Expiration"]["Days"]) for rule in rules] == [(".retired/", 90)]
    assert encryption[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_every_call_says_whose_bucket_it_has_to_be(cloud: Cloud) -> None:
    cloud.deploy(cloud.pack(), "--yes", "--json")
    cloud.deploy(cloud.pack(BOT.replace("kind", "stern")), "--yes", "--json")
    calls = [call for call in cloud.wire.calls if call.path.startswith(f"/{cloud.bucket}")]
    owners = {call.operation: call.headers.get("X-Amz-Expected-Bucket-Owner") for call in calls}
    assert owners.pop("CreateBucket") is None  # S3 takes none there
    assert set(owners.values()) == {cloud.account}
    assert {"HeadBucket", "HeadObject", "PutObject", "CopyObject", "DeleteObject", "PutBucketPolicy"} <= owners.keys()


@pytest.mark.parametrize(
    ("operation", "answer"),
    [("HeadBucket", (403, b"")), ("CreateBucket", refusal("BucketAlreadyExists", status=409))],
)
def test_a_bucket_of_somebody_else_is_left_alone(cloud: Cloud, operation: str, answer: Answer) -> None:
    cloud.wire.answers[operation] = answer
    with pytest.raises(DeployError, match=rf"the bucket {cloud.bucket} is another account's"):
        cloud.deploy(cloud.pack(), "--yes")
    assert not {"PutObject", "PutBucketPolicy"} & set(cloud.wire.operations)


# ---------------------------------------------------------------- only looking


def test_a_dry_run_shows_what_would_be_made_and_leaves_nothing(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cloud.deploy(cloud.pack(), "--dry-run") == 0
    out = capsys.readouterr().out
    assert re.search(r"2 × function, 2 × queue", out)
    assert "Nothing was changed, and nothing is left behind." in out
    assert "ExecuteChangeSet" not in cloud.wire.operations
    assert cloud.is_empty()


def test_a_dry_run_of_a_change_leaves_the_stack_and_its_bucket_as_they_were(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.deploy(cloud.pack(), "--yes", "--json")
    before, held = cloud.stack(), cloud.objects()
    capsys.readouterr()
    assert cloud.deploy(cloud.pack(BOT.replace("kind", "stern")), "--dry-run", "--yes", "--json") == 0
    found = facts(capsys)
    assert found["status"] == "proposed"
    assert [one["told"] for one in found["changes"]] == ["the function Door: new code", "the function Worker: new code"]
    assert (cloud.stack(), cloud.objects(), cloud.proposals()) == (before, held, 0)


@pytest.mark.parametrize("typed", ["n\n", ""])
def test_who_does_not_say_yes_gets_nothing(cloud: Cloud, typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    assert cloud.deploy(cloud.pack()) == 1
    assert cloud.is_empty()


def test_who_says_yes_gets_it(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert cloud.deploy(cloud.pack()) == 0
    assert cloud.stack() is not None


def test_breaking_off_at_the_question_leaves_nothing(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Terminal("", interrupt))
    with pytest.raises(KeyboardInterrupt):
        cloud.deploy(cloud.pack())
    assert cloud.is_empty()


def test_where_nobody_can_be_asked_nothing_is_asked_of_aws(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert cloud.deploy(cloud.pack()) == 2
    assert "nobody is there to be asked; write --yes, or --dry-run" in capsys.readouterr().err
    assert cloud.wire.calls == []


def test_a_template_that_is_too_long_to_be_sent_lies_in_the_bucket_meanwhile(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    package = cloud.pack(**{f"shop-{number}": BOT.replace("line:", "# ") for number in range(40)})
    assert cloud.deploy(package, "--dry-run", "--yes", "--json") == 0
    (call,) = (call for call in cloud.wire.calls if call.operation == "CreateChangeSet")
    assert "TemplateBody" not in call.asked
    assert f"/{cloud.bucket}/botkit/" in call.asked["TemplateURL"]
    assert len(facts(capsys)["changes"]) > 100
    assert cloud.is_empty()


# ---------------------------------------------------------------- what would fail, before anything is made


def test_everything_that_is_missing_is_told_at_once_and_nothing_is_made(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    bot = BOT.replace("env:INN_TOKEN", "ssm:/inn/token")
    given = ("--set", "WorkerMemory=20", "--set", "WorkerMemry=512")
    assert cloud.deploy(cloud.pack(bot), "--yes", *given, OPENAI_API_KEY="", INN_SECRET=" ") == 1
    out = " ".join(capsys.readouterr().out.split())
    for told in (
        "INN_SECRET is not set: set it in the environment or in .env",
        "OPENAI_API_KEY is not set",
        "--set WorkerMemory: '20' is less than 256",
        "--set WorkerMemry: there is no such parameter; did you mean WorkerMemory?",
        "there is no parameter /inn/token in us-east-1; put it there: aws ssm put-parameter",
    ):
        assert told in out
    assert cloud.is_empty()


def test_a_secret_may_stand_in_the_env_file(cloud: Cloud) -> None:
    (cloud.folder / ".env").write_text("INN_TOKEN=token-of-the-inn\n")
    assert cloud.deploy(cloud.pack(), "--dry-run", "--yes", "--json", INN_TOKEN="") == 0


def test_own_steps_see_nothing_of_the_env_file(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    (cloud.folder / ".env").write_text("PRIVATE=hush\n")
    (cloud.folder / "bots").mkdir()
    seen = cloud.folder / "seen"
    own = f"import os\nwith open({str(seen)!r}, 'a') as f:\n    f.write(os.environ.get('PRIVATE', 'nothing'))\n"
    own += "import botkit\n"
    own += "class Own(botkit.Step):\n    def __call__(self, turn, call_next):\n        return call_next(turn)\n"
    (cloud.folder / "bots" / "own.py").write_text(own)
    package = cloud.pack(f"{BOT}pipeline: [reply, {{use: 'bots.own:Own'}}, history, persona, model]\n")
    with zipfile.ZipFile(package, "a") as archive:
        archive.writestr("bots/own.py", own)
    assert cloud.deploy(package, "--dry-run", "--yes") == 0
    assert "cannot be told" not in capsys.readouterr().out
    assert set(seen.read_text().split("nothing")) == {""}


def test_secrets_that_aws_keeps_are_looked_for_but_not_read(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    package = cloud.pack(BOT.replace("env:INN_TOKEN", "ssm:/inn/token").replace("env:INN_SECRET", "secretsmanager:inn"))
    with closing(cloud.aws("ssm")) as ssm, closing(cloud.aws("secretsmanager")) as manager:
        ssm.put_parameter(Name="/inn/token", Value="x", Type="SecureString")
        manager.create_secret(Name="inn", SecretString="x")
    assert cloud.deploy(package, "--dry-run", "--yes", "--json") == 0
    assert "GetSecretValue" not in cloud.wire.operations
    capsys.readouterr()
    cloud.wire.answers |= dict.fromkeys(("GetParameters", "DescribeSecret"), json_refusal("AccessDeniedException"))
    assert cloud.deploy(package, "--dry-run", "--yes", "--json") == 0
    assert "whether AWS has /inn/token could not be looked at" in capsys.readouterr().err


def test_secrets_that_fill_the_functions_environment_are_told_before(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    package = cloud.pack()
    assert cloud.deploy(package, "--yes", INN_SECRET="s" * 2500, INN_TOKEN="t" * 4000) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "Lambda allows 4,096" in out
    assert "sss" not in out
    # Each fits the function that has it: the door has the one, the worker the other.
    assert cloud.deploy(package, "--dry-run", "--yes", INN_SECRET="s" * 2500, INN_TOKEN="t" * 1500) == 0
    assert cloud.is_empty()


def test_a_model_on_this_machine_is_refused_unless_it_is_meant(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    package, url = cloud.pack(), "http://localhost:11434/v1"
    assert cloud.deploy(package, "--dry-run", "--yes", OPENAI_BASE_URL=url) == 1
    assert f"OPENAI_BASE_URL is {url}, which AWS cannot reach" in " ".join(capsys.readouterr().out.split())
    assert cloud.deploy(package, "--dry-run", "--yes", "--set", f"OpenaiBaseUrl={url}", OPENAI_BASE_URL=url) == 0


def test_a_bot_that_is_wrong_is_told_with_its_place_before_aws_is_asked(cloud: Cloud) -> None:
    with pytest.raises(SpecError, match=r"^0\.zip/bots/inn\.yaml:2:1"):
        cloud.deploy(cloud.pack(BOT.replace("gpt-4.1-mini", "[]")), "--yes")
    assert cloud.wire.calls == []


def test_what_is_no_package_is_told(cloud: Cloud) -> None:
    package = cloud.folder / "x.zip"
    for content in (b"", b"PK\x05\x06" + b"\0" * 18, b"nonsense"):
        package.write_bytes(content)
        with pytest.raises(DeployError, match=r"x\.zip is no package of botkit's; make one with botkit package"):
            cloud.deploy(package, "--yes")
    with pytest.raises(DeployError, match=r"none\.zip cannot be read: No such file"):
        cloud.deploy(cloud.folder / "none.zip", "--yes")


# ---------------------------------------------------------------- a table of one's own


def test_a_stack_can_go_on_with_a_table_that_is_there(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(cloud.aws("dynamodb")) as dynamodb:
        create_table("chats", dynamodb)
    assert cloud.deploy(cloud.pack(), "--yes", "--json", "--table", "chats") == 0
    assert facts(capsys)["outputs"]["Table"] == "chats"
    assert cloud.deploy(cloud.pack(BOT.replace("kind", "stern")), "--yes", "--json") == 0  # and stays with it
    assert facts(capsys)["outputs"]["Table"] == "chats"


def test_who_changes_the_table_is_told_what_becomes_of_the_old_one(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    package = cloud.pack()
    cloud.deploy(package, "--yes", "--json")
    with closing(cloud.aws("dynamodb")) as dynamodb:
        create_table("chats", dynamodb)
    # ministack leaves out what a condition takes away.
    removed = (
        b"<member><ResourceChange><PolicyAction>Retain</PolicyAction><Action>Remove</Action>"
        b"<LogicalResourceId>Conversations</LogicalResourceId><ResourceType>AWS::DynamoDB::Table</ResourceType>"
        b"</ResourceChange></member></Changes>"
    )
    cloud.wire.read["DescribeChangeSet"] = lambda body: body.replace(b"</Changes>", removed)
    capsys.readouterr()
    assert cloud.deploy(package, "--dry-run", "--yes", "--json", "--table", "chats") == 0
    told = [one["told"] for one in facts(capsys)["changes"]]
    assert re.match("the table .*Conversations.* would be EXCHANGED by chats", told[0])
    assert told[1].startswith("the table Conversations is let go: it stays in the account")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, "there is no table chats in us-east-1; leave --table out"),
        ({"KeySchema": [("id", "HASH")]}, "is none of botkit's: its keys are not pk and sk"),
        ({"KeySchema": [("pk", "HASH"), ("sk", "RANGE")]}, "has no index due"),
        (
            {"KeySchema": [("pk", "HASH"), ("sk", "RANGE")], "index": [("pk", "HASH"), ("due_at", "RANGE")]},
            "has an index due of other keys",
        ),
        ({"KeySchema": [("pk", "HASH"), ("sk", "RANGE")], "index": [("due_pk", "HASH"), ("due_at", "RANGE")]}, "ttl"),
    ],
)
def test_a_table_that_does_not_fit_is_told(
    cloud: Cloud, change: Mapping[str, Any], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if change:
        with closing(cloud.aws("dynamodb")) as dynamodb:
            dynamodb.create_table(TableName="chats", BillingMode="PAY_PER_REQUEST", **_table(**change))
    assert cloud.deploy(cloud.pack(), "--yes", "--table", "chats") == 1
    assert told in " ".join(capsys.readouterr().out.split())
    assert cloud.is_empty()


def _table(KeySchema: list[tuple[str, str]], index: list[tuple[str, str]] | None = None) -> dict[str, Any]:  # noqa: N803
    def keys(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
        return [{"AttributeName": name, "KeyType": kind} for name, kind in pairs]

    names = dict.fromkeys(name for name, _ in [*KeySchema, *(index or [])])
    types = [{"AttributeName": name, "AttributeType": "N" if name == "due_at" else "S"} for name in names]
    made: dict[str, Any] = {"KeySchema": keys(KeySchema), "AttributeDefinitions": types}
    if index:
        made["GlobalSecondaryIndexes"] = [
            {"IndexName": "due", "KeySchema": keys(index), "Projection": {"ProjectionType": "ALL"}}
        ]
    return made


def test_a_table_that_would_be_replaced_is_refused_unless_that_is_meant(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    def other_keys(template: Any) -> None:
        template["Resources"]["Conversations"]["Properties"]["KeySchema"][1]["AttributeName"] = "due_pk"

    cloud.wire.changed["CreateChangeSet"] = lambda call: call.with_template(other_keys)
    cloud.deploy(cloud.pack(), "--yes", "--json")
    del cloud.wire.changed["CreateChangeSet"]
    before, held = cloud.stack(), cloud.objects()
    package = cloud.pack(BOT.replace("kind", "stern"))
    capsys.readouterr()
    assert cloud.deploy(package, "--yes") == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "the table Conversations would be REPLACED by an empty one" in out
    assert "if that is meant: --replace-table" in out
    assert (cloud.stack(), cloud.objects(), cloud.proposals()) == (before, held, 0)
    assert cloud.deploy(package, "--yes", "--replace-table", "--json") == 0


def test_who_leaves_a_table_for_another_one_has_to_say_so(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(cloud.aws("dynamodb")) as dynamodb:
        create_table("chats", dynamodb)
    package = cloud.pack()
    assert cloud.deploy(package, "--yes", "--json", "--table", "chats") == 0
    capsys.readouterr()
    assert cloud.deploy(package, "--yes", "--json", "--set", "Table=") == 1
    found = facts(capsys)
    assert found["status"] == "refused"
    assert found["changes"][0]["told"].startswith("the table chats would be EXCHANGED by a new, empty one")
    assert cloud.deploy(package, "--yes", "--json", "--set", "Table=", "--replace-table") == 0
    assert "Conversations" in facts(capsys)["outputs"]["Table"]


# ---------------------------------------------------------------- stacks that are in the way


STUCK = {
    "UPDATE_IN_PROGRESS": "a deployment is under way (UPDATE_IN_PROGRESS): wait until it is over",
    "DELETE_IN_PROGRESS": "it is being deleted: wait until it is gone",
    "ROLLBACK_FAILED": "delete it with `aws cloudformation delete-stack --stack-name botkit --region us-east-1`",
    "UPDATE_ROLLBACK_FAILED": "`aws cloudformation continue-update-rollback --stack-name botkit --region us-east-1`",
    "CREATE_FAILED": "delete it with `aws cloudformation delete-stack",
    "DELETE_FAILED": "it could not be deleted",
}


def test_a_stack_that_cannot_be_changed_is_told_with_the_cure(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    package = cloud.pack()
    cloud.deploy(package, "--yes", "--json")
    cloud.wire.calls.clear()
    for status, told in STUCK.items():
        new = status.encode()
        cloud.wire.read["DescribeStacks"] = lambda body, new=new: body.replace(b"CREATE_COMPLETE", new)
        capsys.readouterr()
        assert cloud.deploy(package, "--yes") == 1
        assert told in " ".join(capsys.readouterr().out.split())
    assert not {"PutObject", "CreateChangeSet", "DeleteStack"} & set(cloud.wire.operations)


def test_what_is_left_of_a_first_deployment_that_failed_is_deleted_and_made_anew(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    template = {
        "Metadata": {"botkit": {"bots": ["inn"], "variables": {}}},
        "Resources": {"Broken": {"Type": "AWS::No::Such"}},
    }
    with closing(cloud.aws("cloudformation")) as client:
        client.create_stack(StackName="botkit", TemplateBody=json.dumps(template))
    package = cloud.pack()
    assert cloud.deploy(package, "--dry-run") == 0
    assert "would delete what is left" in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    assert cloud.deploy(package) == 1
    stack = cloud.stack()
    assert stack is not None
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert cloud.objects() is None
    assert cloud.deploy(package, "--yes", "--json") == 0
    stack = cloud.stack()
    assert stack is not None
    assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_a_stack_of_another_program_is_left_alone(cloud: Cloud) -> None:
    with closing(cloud.aws("cloudformation")) as client:
        client.create_stack(
            StackName="botkit", TemplateBody=json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
        )
    with pytest.raises(DeployError, match="the stack botkit in us-east-1 is none of botkit's; choose another name"):
        cloud.deploy(cloud.pack(), "--yes")
    assert cloud.objects() is None


def test_a_package_that_two_deployments_share_stays_where_one_of_them_is_declined(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = cloud.pack()
    assert cloud.deploy(cloud.pack(BOT.replace("kind", "stern")), "--yes", "--json") == 0
    monkeypatch.setattr(sys, "stdin", Terminal("n\n", lambda: cloud.deploy(package, "--yes", "--json")))
    assert cloud.deploy(package) == 1
    deployed = find_stack(open_session(cloud.environ), "botkit")
    assert deployed is not None
    assert deployed.key in (cloud.objects() or [])


def test_of_two_deployments_at_the_same_time_the_second_says_so_and_spoils_nothing(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, fast = cloud.pack(), cloud.pack(BOT.replace("kind", "stern"))
    monkeypatch.setattr(sys, "stdin", Terminal("y\n", lambda: cloud.deploy(fast, "--yes", "--json")))
    with pytest.raises(DeployError, match="another deployment of the stack botkit came first"):
        cloud.deploy(slow)
    stack = cloud.stack()
    assert stack is not None
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    deployed = find_stack(open_session(cloud.environ), "botkit")
    assert deployed is not None
    assert cloud.objects() == [deployed.key]


def test_taking_a_proposal_back_leaves_the_proposal_of_somebody_else(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def propose() -> None:
        with closing(cloud.aws("cloudformation")) as client:
            client.create_change_set(
                StackName="botkit", ChangeSetName="other", ChangeSetType="CREATE", TemplateBody=json.dumps(ONE_QUEUE)
            )

    monkeypatch.setattr(sys, "stdin", Terminal("n\n", propose))
    assert cloud.deploy(cloud.pack()) == 1
    stack = cloud.stack()
    assert stack is not None
    assert stack["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert cloud.proposals() == 1


def test_taking_a_proposal_back_leaves_another_stack_that_got_the_name_meanwhile(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin_anew() -> None:
        with closing(cloud.aws("cloudformation")) as client:
            client.delete_stack(StackName="botkit")
            made = client.create_change_set(
                StackName="botkit", ChangeSetName="other", ChangeSetType="CREATE", TemplateBody=json.dumps(ONE_QUEUE)
            )
            with suppress(KeyError):  # an answer of ministack's that has nothing in it
                client.delete_change_set(ChangeSetName=made["Id"])

    monkeypatch.setattr(sys, "stdin", Terminal("n\n", begin_anew))
    assert cloud.deploy(cloud.pack()) == 1
    assert cloud.stack() is not None


ONE_QUEUE = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}


# ---------------------------------------------------------------- failures on the way


def test_where_a_first_deployment_fails_everything_is_gone_again_and_the_cause_is_told(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.wire.changed["CreateChangeSet"] = breaking
    cloud.wire.read["DescribeStackEvents"] = lambda body: body.replace(
        b"Unsupported resource type: AWS::No::Such",
        f"User: arn:aws:iam::1:user/hana is not authorized to perform: scheduler:CreateSchedule {SECRET}".encode(),
    )
    assert cloud.deploy(cloud.pack(), "--yes") == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "could not be made: AWS does not allow it: have scheduler:CreateSchedule allowed to arn:aws:iam" in out
    assert "Everything that was made for it is gone again." in out
    assert SECRET not in out
    assert cloud.is_empty()


def test_where_a_change_fails_the_stack_is_as_before(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.deploy(cloud.pack(), "--yes", "--json")
    held = cloud.objects()
    cloud.wire.changed["CreateChangeSet"] = breaking
    capsys.readouterr()
    assert cloud.deploy(cloud.pack(BOT.replace("kind", "stern")), "--yes", "--json") == 1
    found = facts(capsys)
    stack = cloud.stack()
    assert stack is not None
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert found["status"] == "failed"
    assert "the No Such Broken could not be" in found["cause"]
    assert cloud.objects() == held
    del cloud.wire.changed["CreateChangeSet"]
    assert cloud.deploy(cloud.pack(BOT.replace("kind", "stern")), "--yes", "--json") == 0


CALLS = {
    "GetCallerIdentity": "sts:GetCallerIdentity",
    "DescribeStacks": "cloudformation:DescribeStacks",
    "CreateBucket": "s3:CreateBucket",
    "PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "PutBucketPolicy": "s3:PutBucketPolicy",
    "PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "HeadObject": "s3:GetObject and s3:ListBucket",
    "PutObject": "s3:PutObject",
    "CreateChangeSet": "cloudformation:CreateChangeSet",
    "DescribeChangeSet": "cloudformation:DescribeChangeSet",
    "DescribeStackEvents": "cloudformation:DescribeStackEvents",
    "ExecuteChangeSet": "cloudformation:ExecuteChangeSet",
}


@pytest.mark.parametrize(("operation", "action"), CALLS.items())
@pytest.mark.usefixtures("no_secret_is_shown")
def test_whatever_aws_does_not_allow_is_told_and_leaves_nothing(cloud: Cloud, operation: str, action: str) -> None:
    cloud.wire.answers[operation] = (403, b"") if operation == "HeadObject" else denied(action)
    with pytest.raises(DeployError, match=f"^cannot .*: AWS does not allow it: have {action} allowed") as caught:
        cloud.deploy(cloud.pack(), "--yes", "--json")
    assert not [text for text in SECRETS.values() if text in str(caught.value)]
    assert cloud.is_empty()


def test_what_cannot_be_taken_back_is_told(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.wire.answers["DeleteObject"] = denied("s3:DeleteObject")
    assert cloud.deploy(cloud.pack(), "--dry-run", "--yes", "--json") == 0
    err = " ".join(capsys.readouterr().err.split())
    assert f"something is left behind: cannot tidy the bucket {cloud.bucket}: AWS does not allow it" in err


def test_an_answer_that_is_lost_does_not_stop_a_deployment_that_has_begun(cloud: Cloud) -> None:
    cloud.wire.lost["ExecuteChangeSet"] = 1
    assert cloud.deploy(cloud.pack(), "--yes", "--json") == 0


def test_questions_that_fail_while_aws_is_at_work_are_asked_again(cloud: Cloud) -> None:
    cloud.wire.changed["ExecuteChangeSet"] = lambda call: _lose_events(cloud, call)
    assert cloud.deploy(cloud.pack(), "--yes", "--json") == 0
    assert cloud.wire.lost["DescribeStackEvents"] == 0


def test_a_bucket_that_was_left_half_made_is_protected_before_anything_lies_in_it(cloud: Cloud) -> None:
    with closing(cloud.aws("s3")) as s3:
        s3.create_bucket(Bucket=cloud.bucket)
    assert cloud.deploy(cloud.pack(), "--yes", "--json") == 0
    done = cloud.wire.operations
    assert done.index("PutPublicAccessBlock") < done.index("PutBucketPolicy") < done.index("PutObject")


def test_programs_are_told_why_it_failed_too(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.wire.answers["PutObject"] = denied("s3:PutObject")
    with pytest.raises(DeployError) as caught:
        cloud.deploy(cloud.pack(), "--yes", "--json")
    found = facts(capsys)
    assert (found["status"], found["cause"], found["account"]) == ("refused", str(caught.value), cloud.account)
    with pytest.raises(SpecError) as wrong:
        cloud.deploy(cloud.pack(BOT.replace("gpt-4.1-mini", "[]")), "--yes", "--json")
    assert facts(capsys)["cause"] == str(wrong.value)


def _lose_events(cloud: Cloud, call: Call) -> Call:
    cloud.wire.lost["DescribeStackEvents"] = 3
    return call


def test_where_aws_is_out_of_sight_for_long_nothing_of_what_it_needs_is_taken_away(cloud: Cloud) -> None:
    cloud.wire.changed["ExecuteChangeSet"] = lambda call: _hide_events(cloud, call)
    with pytest.raises(DeployError, match="AWS goes on with the stack all the same"):
        cloud.deploy(cloud.pack(), "--yes", "--json")
    stack = cloud.stack()
    assert stack is not None
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert len(cloud.objects() or ()) == 1


def _hide_events(cloud: Cloud, call: Call) -> Call:
    cloud.wire.answers["DescribeStackEvents"] = refusal("ServiceUnavailable", status=503)
    return call


def test_who_breaks_off_while_aws_is_at_work_is_told_how_to_look(cloud: Cloud) -> None:
    err = _broken_off(cloud, lambda done: "ExecuteChangeSet" in done)
    assert "AWS goes on without this terminal; how far it is: aws cloudformation describe-stack-events" in err
    stack = cloud.stack()
    assert stack is not None
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert len(cloud.objects() or ()) == 1


def test_who_breaks_off_just_before_aws_is_told_to_begin_leaves_nothing(cloud: Cloud) -> None:
    err = _broken_off(cloud, lambda done: "ExecuteChangeSet" not in done)
    assert "AWS goes on" not in err
    assert cloud.is_empty()


def _broken_off(cloud: Cloud, is_time: Callable[[list[str]], bool]) -> str:
    """Break a deployment off when it asks for events, as soon as it is time; what it says."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(body: bytes) -> bytes:
        if is_time(cloud.wire.operations):
            begun.set()
            go_on.wait(30)
        return body

    cloud.wire.read["DescribeStackEvents"] = hold
    command = [sys.executable, "-m", "botkit", "deploy", "--yes", "--json", "--package", str(cloud.pack())]
    environ = {"PATH": os.environ["PATH"], "HOME": str(cloud.folder), **cloud.environ}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert begun.wait(60)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
        finally:
            go_on.set()
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in err
    return err


# ---------------------------------------------------------------- what is deployed, for the other commands


def test_what_is_deployed_can_be_found_and_fetched(cloud: Cloud, tmp_path: Path) -> None:
    session = open_session(cloud.environ)
    assert find_stack(session, "botkit") is None
    package = cloud.pack()
    cloud.deploy(package, "--yes", "--json")
    found = find_stack(session, "botkit")
    assert found is not None
    assert (found.status, found.bots, found.bucket) == ("CREATE_COMPLETE", ("inn",), cloud.bucket)
    assert found.parameters["InnSecret"] == "****"
    assert found.url_of("inn") == found.outputs["WebhookInn"]
    assert fetch(session, found, tmp_path).read_bytes() == package.read_bytes()
    assert not [text for text in SECRETS.values() if text in repr(found)]
    with closing(cloud.aws("s3")) as s3:
        s3.put_object(Bucket=cloud.bucket, Key=found.key, Body=b"another")
    with pytest.raises(DeployError, match="is not what was uploaded"):
        fetch(session, found, tmp_path)
    with closing(cloud.aws("s3")) as s3:
        s3.delete_object(Bucket=cloud.bucket, Key=found.key)
    with pytest.raises(DeployError, match="is gone from the bucket"):
        fetch(session, found, tmp_path)
