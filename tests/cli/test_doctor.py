"""`botkit doctor`: each thing that can be wrong with an account or a deployment is found, with its cure."""

import http.client
import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.session import get_session
from starlette.responses import JSONResponse, Response

from botkit.cli.accounts import each
from botkit.cli.main import main
from botkit.cli.quota import examine_quota
from botkit.deploy.package import Target
from botkit.deploy.template import template, with_code
from botkit.line.console import Quota
from botkit.simulator.chats import Account
from botkit.spec.loader import load_folder
from tests.cli.town import Town, printed, town
from tests.support.aws import CREDENTIALS
from tests.support.wire import serving

STACK = "botkit-doctor"
CONCIERGE = "persona: hi\nmodel: gpt-4.1-mini\n"


@pytest.fixture(scope="module")
def servers() -> Iterator[Town]:
    with town() as servers:
        yield servers


@pytest.fixture
def here(servers: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.chdir(tmp_path)
    servers.reset(tmp_path, monkeypatch)
    return servers


@dataclass
class Doctor:
    """Examines a town, and shows what it found."""

    town: Town
    capsys: pytest.CaptureFixture[str]
    code: int = -1
    found: dict[str, list[tuple[str, str, str, str]]] = field(default_factory=dict)

    def bot(self, name: str = "concierge", text: str = CONCIERGE, **line: str) -> Account:
        """A bot with which all is well."""
        return self.town.platform.set_webhook(self.town.bot(name, text, **line), self.town.address(name))

    def examine(self, *arguments: str) -> None:
        self.code = main(["doctor", "--json", "--url", self.town.door.url, *arguments])
        sections = printed(self.capsys.readouterr().out)
        self.found = {one["name"]: [tuple(finding.values()) for finding in one["findings"]] for one in sections}

    def wrong(self, name: str = "concierge") -> list[tuple[str, str, str, str]]:
        """What is not well with a bot: what about, how bad, what, and the cure."""
        return [one for one in self.found[name] if one[1] != "ok"]


@pytest.fixture
def doctor(here: Town, capsys: pytest.CaptureFixture[str]) -> Doctor:
    return Doctor(here, capsys)


# ---------------------------------------------------------------- what a person sees


def test_where_all_is_well_there_is_a_line_for_each_bot(doctor: Doctor, here: Town) -> None:
    first, second = doctor.bot(), doctor.bot("night-office", user_id="own")
    here.platform.set_quota(first, 200)
    assert main(["doctor", "--url", here.door.url]) == 0
    lines = doctor.capsys.readouterr().out.splitlines()
    name = f"concierge @{first.user_id[1:9]}"
    assert lines[0] == f"concierge     ok       {name} · webhook answers · 0 of 200 pushes used · gpt-4.1-mini"
    assert lines[1] == (
        f"night-office  ok       night-office @{second.user_id[1:9]} · webhook answers · 0 pushes used, no limit · "
        "gpt-4.1-mini"
    )
    assert lines[2:5] == ["", "deployment    warning", "  AWS        the deployment was not examined"]
    assert lines[5].startswith("             → AWS has no region to work in: set AWS_DEFAULT_REGION")
    assert lines[6:] == [
        "",
        "this machine  ok       clock right",
        "",
        "Which account a bot is, its file may say, in its `line:` section:",
        f"concierge     user_id: {first.user_id}",
        "",
        "1 to know",
    ]


def test_what_is_not_well_stands_below_with_its_cure(doctor: Doctor, here: Town) -> None:
    here.platform.use_webhook(doctor.bot(), active=False)
    assert main(["doctor", "--url", here.door.url]) == 1
    lines = doctor.capsys.readouterr().out.splitlines()
    assert lines[0].startswith("concierge     error    concierge @")
    assert lines[1] == '  webhook    "Use webhook" is off, so no message reaches the bot'
    assert lines[2].startswith("             → switch it on, on the channel's Messaging API tab in the LINE Developers")
    assert lines[-1] == "1 to fix, 1 to know"


def test_findings_are_there_for_programs(doctor: Doctor) -> None:
    account = doctor.bot()
    doctor.examine()
    assert doctor.code == 0
    assert doctor.found["concierge"] == [
        ("file", "ok", "good", ""),
        ("secrets", "ok", "3 found", ""),
        ("token", "ok", "LINE accepts it", ""),
        ("account", "ok", f"concierge @{account.user_id[1:9]}", ""),
        ("webhook", "ok", f"{doctor.town.address('concierge')} answers", ""),
        ("quota", "ok", "0 pushes used, no limit", ""),
        ("user_id", "ok", account.user_id, ""),
        ("model", "ok", f"{doctor.town.models.url[7:]} has gpt-4.1-mini", ""),
    ]
    assert doctor.found["this machine"] == [("clock", "ok", "it is right", "")]


# ---------------------------------------------------------------- files and secrets


def test_a_file_that_is_wrong_keeps_no_other_bot_from_being_examined(doctor: Doctor, here: Town) -> None:
    doctor.bot()
    (here.bots / "bad.yaml").write_text("persona: hi\nmodle: x\n")
    doctor.examine()
    assert doctor.code == 1
    assert [one[:2] for one in doctor.found["bad"]] == [("file", "error")] * 2
    assert doctor.found["bad"][0][2].endswith("bad.yaml:1:1: `model` is missing")
    assert doctor.wrong() == []


@pytest.mark.parametrize("variable", ["CONCIERGE_SECRET", "CONCIERGE_TOKEN", "OPENAI_API_KEY"])
def test_a_secret_that_is_not_there(doctor: Doctor, here: Town, variable: str) -> None:
    doctor.bot(text="persona: hi\nmodel: {name: gpt-4.1-mini, api_key: env:OPENAI_API_KEY}\n")
    here.setenv(variable, "")
    doctor.examine()
    cure = f"put the secret into the environment variable {variable}"
    assert ("secret", "error", f"env:{variable} is not set", cure) in doctor.wrong()
    assert doctor.code == 1


def test_a_secret_may_stand_in_env(doctor: Doctor, here: Town, tmp_path: Path) -> None:
    account = doctor.bot()
    here.setenv("CONCIERGE_TOKEN", "")
    (tmp_path / ".env").write_text(f"CONCIERGE_TOKEN={account.access_token}\nno setting\n")
    doctor.examine()
    assert doctor.wrong() == []
    assert [one[0] for one in doctor.wrong("this machine")] == ["settings"]
    assert doctor.code == 0


def test_a_bot_without_an_account_is_only_odd(doctor: Doctor, here: Town) -> None:
    (here.bots / "local.yaml").write_text(CONCIERGE)
    doctor.examine()
    assert doctor.wrong("local") == [
        ("line", "warning", "it has no LINE account yet", "add a `line:` section to its file")
    ]
    assert doctor.code == 0


# ---------------------------------------------------------------- the account


def test_a_token_that_line_does_not_accept(doctor: Doctor, here: Town) -> None:
    doctor.bot()
    here.setenv("CONCIERGE_TOKEN", "a-token-of-long-ago-0123456789")
    doctor.examine()
    ((about, severity, text, cure),) = doctor.wrong()
    assert (about, severity) == ("token", "error")
    assert text.startswith("LINE does not accept the channel access token (LINE GET bot info: 401 ")
    assert cure.endswith("and put it where env:CONCIERGE_TOKEN leads")
    assert "a-token-of-long-ago" not in str(doctor.found)


def test_a_channel_id_proves_the_secret(doctor: Doctor, here: Town) -> None:
    doctor.bot(channel_access_token="", channel_id="own")
    doctor.examine()
    assert doctor.wrong() == []
    here.setenv("CONCIERGE_SECRET", "another-channel-s-secret")
    doctor.examine()
    ((about, severity, text, cure),) = doctor.wrong()
    assert (about, severity) == ("token", "error")
    assert "LINE issues no access token" in text
    assert cure.startswith("write both as LINE's console shows them under Basic settings")
    assert "another-channel-s-secret" not in str(doctor.found)


def test_a_token_of_another_account_than_the_file_names(doctor: Doctor) -> None:
    account = doctor.bot(user_id=f"U{'0' * 32}")
    doctor.examine()
    about, severity, text, cure = doctor.wrong()[0]
    assert (about, severity) == ("account", "error")
    assert text.startswith(f"`line.user_id` is U{'0' * 32}, and the token is that of concierge @")
    assert cure.startswith(f"write user_id: {account.user_id}, or ")


def test_two_bots_of_one_account(doctor: Doctor, here: Town) -> None:
    first = doctor.bot()
    doctor.bot("office")
    doctor.bot("third")
    here.setenv("OFFICE_TOKEN", first.access_token)
    doctor.examine()
    for name, other in (("concierge", "office"), ("office", "concierge")):
        text = f"its token is of the same account as that of {other}, and LINE sends to one address alone"
        assert text in [one[2] for one in doctor.wrong(name)]
    assert doctor.wrong("third") == []


# ---------------------------------------------------------------- the webhook


def test_no_address_is_set(doctor: Doctor, here: Town) -> None:
    here.platform.set_webhook(doctor.bot(), None)
    doctor.examine()
    assert doctor.wrong() == [("webhook", "error", "no address is set at LINE", "botkit webhook set concierge")]


def test_line_sends_elsewhere(doctor: Doctor, here: Town) -> None:
    here.platform.set_webhook(doctor.bot(), here.address("office"))
    doctor.examine()
    text = f"LINE sends to {here.address('office')}, not to {here.address('concierge')}"
    assert doctor.wrong()[0] == ("webhook", "error", text, "botkit webhook set concierge")


def test_the_address_for_all_bots_will_do_where_the_file_names_the_account(doctor: Doctor, here: Town) -> None:
    here.platform.set_webhook(doctor.bot(user_id="own"), f"{here.door.url}/line")
    here.platform.set_webhook(doctor.bot("nameless"), f"{here.door.url}/line")
    doctor.examine()
    assert doctor.wrong() == []
    assert doctor.wrong("nameless")[0][2].startswith(f"LINE sends to {here.door.url}/line, not to ")


def test_without_a_deployment_an_address_is_only_looked_at(doctor: Doctor, here: Town) -> None:
    account = doctor.bot()
    assert main(["doctor", "--json"]) == 0
    doctor.capsys.readouterr()
    here.answer = lambda: Response("{}")
    here.platform.set_webhook(account, f"{here.door.url}/callback")
    assert main(["doctor", "--json"]) == 0
    assert f"{here.door.url}/callback does not end in /line/concierge" in doctor.capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "it answers 401: no bot of this name is there, or its channel secret is not this channel's"), (503, "503")],
)
def test_a_webhook_that_line_s_test_does_not_get_through_to(doctor: Doctor, here: Town, status: int, said: str) -> None:
    doctor.bot()
    here.answer = lambda: JSONResponse({}, status)
    doctor.examine()
    ((about, severity, text, cure),) = doctor.wrong()
    assert (about, severity) == ("webhook", "error")
    assert said in text
    assert cure


def test_too_many_tests_are_no_fault_of_the_bot(doctor: Doctor, here: Town) -> None:
    doctor.bot()
    here.platform.troubles.refuse("webhook_test", 429, "The API rate limit has been exceeded.")
    doctor.examine()
    ((about, severity, _, cure),) = doctor.wrong()
    assert (about, severity, cure) == ("webhook", "warning", "try again in an hour")
    assert doctor.code == 0


# ---------------------------------------------------------------- quota and modes


def test_a_quota_that_is_used_up(doctor: Doctor, here: Town) -> None:
    account = here.platform.set_quota(doctor.bot(), 200)
    here.platform.count_push(account, 200)
    doctor.examine()
    ((about, severity, text, _),) = doctor.wrong()
    assert (about, severity) == ("quota", "warning")
    assert text == "the month's 200 pushes are used up; late answers wait for the next reply"
    assert doctor.code == 0


@pytest.mark.parametrize(
    ("day", "used", "said"),
    [
        (15, 150, "150 of 200 pushes are used: at this pace 315 by the month's end"),
        (15, 90, "90 of 200 pushes used"),
        (2, 150, "150 of 200 pushes used"),  # too early in the month to tell
    ],
)
def test_a_quota_that_will_not_last_the_month(doctor: Doctor, here: Town, day: int, used: int, said: str) -> None:
    doctor.bot()
    bot = load_folder(here.bots).bots["concierge"]
    japan = timezone(timedelta(hours=9))
    at = datetime(2026, 10, day, 18, tzinfo=japan).timestamp() * 1000
    (found,) = examine_quota(bot, Quota(200, used), int(at))
    assert found.text.startswith(said)
    assert (found.severity, bool(found.cure)) == (("warning", True) if "pace" in said else ("ok", False))


def test_a_budget_that_is_more_than_line_allows(doctor: Doctor, here: Town) -> None:
    here.platform.set_quota(doctor.bot(text=f"{CONCIERGE}reply: {{push: 500}}\n"), 200)
    doctor.examine()
    assert [one[2] for one in doctor.wrong()] == ["`reply.push.monthly` is 500, more than the 200 that LINE allows"]
    here.platform.set_quota(doctor.bot("keeps", f"{CONCIERGE}reply: {{push: 500, late: keep}}\n"), 200)
    doctor.examine()
    assert doctor.wrong("keeps") == []


@pytest.mark.parametrize(
    ("mode", "marks", "said"),
    [
        ("auto", "true", "`reply.mark_as_read` does nothing, because the account's Chat is off"),
        ("manual", "false", "the account's Chat is on, so people never see that their messages were read"),
        ("auto", "false", None),
        ("manual", "true", None),
    ],
)
def test_what_marks_messages_as_read(doctor: Doctor, here: Town, mode: Any, marks: str, said: str | None) -> None:
    here.platform.set_read_mode(doctor.bot(text=f"{CONCIERGE}reply: {{mark_as_read: {marks}}}\n"), mode)
    doctor.examine()
    assert [(one[0], one[1]) for one in doctor.wrong()] == ([("chat", "warning")] if said else [])
    assert said is None or doctor.wrong()[0][2].startswith(said)


# ---------------------------------------------------------------- the model


def test_a_key_that_is_not_accepted(doctor: Doctor, here: Town) -> None:
    doctor.bot()
    here.setenv("OPENAI_API_KEY", "sk-of-somebody-else-0123456789")
    doctor.examine()
    ((about, severity, text, cure),) = doctor.wrong()
    assert (about, severity) == ("model", "error")
    assert "did not accept the API key" in text
    assert "check model.api_key" in cure
    assert "sk-of-somebody-else" not in str(doctor.found)


def test_a_model_that_the_server_does_not_list(doctor: Doctor) -> None:
    doctor.bot(text="persona: hi\nmodel: {name: gpt-4.1-mini, fallback: [gpt-4.1-nan]}\n")
    doctor.examine()
    ((about, severity, text, cure),) = doctor.wrong()
    assert (about, severity) == ("model", "warning")  # it may serve more than it lists
    assert text.startswith("gpt-4.1-nan is not among the 2 models of 127.0.0.1:")
    assert cure == "did you mean gpt-4.1-nano?"


@pytest.mark.parametrize("listed", ["llama3:latest", "models/llama3", "llama3"])
def test_a_model_goes_by_the_name_that_the_server_takes(doctor: Doctor, here: Town, listed: str) -> None:
    here.names = [listed]
    doctor.bot(text="persona: hi\nmodel: {name: llama3, max_output_tokens: 100}\n")
    doctor.examine()
    assert doctor.wrong() == []


def test_a_server_without_a_list_is_only_odd(doctor: Doctor, here: Town) -> None:
    doctor.bot()
    here.setenv("OPENAI_BASE_URL", f"{here.models.url}/v2")
    doctor.examine()
    assert [(one[0], one[1]) for one in doctor.wrong()] == [("model", "warning")]


@pytest.mark.parametrize("base", ["http://127.0.0.1:9/v1", "nonsense"])
def test_a_server_that_is_not_there(doctor: Doctor, here: Town, base: str) -> None:
    doctor.bot()
    here.setenv("OPENAI_BASE_URL", base)
    doctor.examine()
    ((about, severity, _, cure),) = doctor.wrong()
    assert (about, severity) == ("model", "error")
    assert cure


def test_a_server_of_one_s_own_needs_no_key(doctor: Doctor, here: Town) -> None:
    doctor.bot()
    here.key = "no-key"
    here.setenv("OPENAI_API_KEY", "")
    doctor.examine()
    here.key = type(here).key
    assert doctor.wrong() == []


def test_one_endpoint_is_asked_once(doctor: Doctor, here: Town) -> None:
    for name in ("one", "two", "three"):
        doctor.bot(name)
    doctor.examine()
    assert len(here.asked) == 1
    assert doctor.code == 0


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense"])
def test_a_line_that_is_not_there(doctor: Doctor, here: Town, url: str) -> None:
    doctor.bot()
    here.setenv("BOTKIT_LINE_URL", url)
    doctor.examine("--stack", "x")
    about, severity, text, cure = doctor.wrong()[0]
    assert (about, severity, text[:19]) == ("LINE", "error", "it cannot be asked ")
    assert cure
    assert len(doctor.wrong()) == 1


def test_what_hangs_is_not_waited_for() -> None:
    began = time.monotonic()
    assert each({"quick": lambda: 1, "slow": lambda: time.sleep(1)}, 0.2) == {"quick": 1, "slow": None}
    assert time.monotonic() - began < 0.9


def test_a_bug_is_no_silence() -> None:
    def fail() -> None:
        raise TimeoutError("not the wait's own")

    with pytest.raises(TimeoutError, match="not the wait's own"):
        each({"bug": fail}, 5)


class Shifted(ThreadingHTTPServer):
    """Passes requests on to a LINE whose clock is `seconds` behind this machine's."""

    def __init__(self, upstream: str, seconds: float) -> None:
        self.upstream, self.seconds = upstream, seconds
        super().__init__(("127.0.0.1", 0), _Shifting)


class _Shifting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Shifted

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with closing(http.client.HTTPConnection(urlsplit(self.server.upstream).netloc)) as line:
            line.request(self.command, self.path, body, dict(self.headers))
            answer = line.getresponse()
            content = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(time.time() - self.server.seconds)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("seconds", "found", "code"),
    [
        (3700, ("clock", "error", "it is 61 minutes ahead, and AWS and LINE refuse what is signed so"), 1),
        (-90, ("clock", "warning", "it is 90 s behind"), 0),
        (10, ("clock", "ok", "it is right"), 0),
    ],
)
def test_a_clock_that_is_wrong(
    doctor: Doctor, here: Town, seconds: float, found: tuple[str, str, str], code: int
) -> None:
    doctor.bot()
    with serving(Shifted(here.line.url, seconds)) as between:
        here.setenv("BOTKIT_LINE_URL", f"http://127.0.0.1:{between.server_port}")
        doctor.examine()
    ((about, severity, text, _),) = doctor.found["this machine"]
    shown = (about, severity, text.replace("89 s", "90 s").replace("91 s", "90 s"))
    assert (shown, doctor.code) == (found, code)


# ---------------------------------------------------------------- the deployment


@dataclass
class Cloud:
    """A stack as `botkit deploy` makes it, and the clients of its owner."""

    endpoint: str
    outputs: dict[str, str]
    clients: dict[str, Any]

    def arn(self, queue: str) -> str:
        found = self.clients["sqs"].get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return str(found["Attributes"]["QueueArn"])

    def resource(self, kind: str) -> str:
        found = self.clients["cloudformation"].describe_stack_resources(StackName=STACK)["StackResources"]
        return next(str(one["PhysicalResourceId"]) for one in found if one["ResourceType"] == kind)

    def set_queue(self, **attributes: str) -> None:
        self.clients["sqs"].set_queue_attributes(QueueUrl=self.outputs["Queue"], Attributes=attributes)

    def mend(self) -> None:
        """As the template has it; ministack leaves some of it out."""
        dead = json.dumps({"deadLetterTargetArn": self.arn(self.outputs["DeadLetters"]), "maxReceiveCount": 5})
        self.set_queue(RedrivePolicy=dead, VisibilityTimeout="540")
        self.clients["sqs"].purge_queue(QueueUrl=self.outputs["DeadLetters"])
        ttl = {"Enabled": True, "AttributeName": "ttl"}
        self.clients["dynamodb"].update_time_to_live(TableName=self.outputs["Table"], TimeToLiveSpecification=ttl)


@pytest.fixture(scope="module")
def cloud(aws_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    services = ("cloudformation", "s3", "sqs", "dynamodb", "scheduler", "lambda", "ssm")
    clients: dict[str, Any] = {
        one: get_session().create_client(
            one,
            endpoint_url=aws_endpoint,
            region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        for one in services
    }
    outputs = _deployed(clients, tmp_path_factory.mktemp("deployed"))
    yield Cloud(aws_endpoint, outputs, clients)
    clients["cloudformation"].delete_stack(StackName=STACK)
    for client in clients.values():
        client.close()


def _deployed(clients: dict[str, Any], folder: Path) -> dict[str, str]:
    (folder / "concierge.yaml").write_text(
        f"{CONCIERGE}line: {{channel_secret: env:CONCIERGE_SECRET, channel_access_token: env:CONCIERGE_TOKEN}}\n"
    )
    made = template(load_folder(folder).bots, Target("3.13"))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.writestr("handler.py", "def handler(event, context): return {}\n")
    clients["s3"].create_bucket(Bucket=STACK)
    clients["s3"].put_object(Bucket=STACK, Key="package.zip", Body=code.getvalue())
    clients["cloudformation"].create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(with_code(made, STACK, "package.zip")),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": "a-secret-0123456789"}
            for name, one in made["Parameters"].items()
            if one.get("NoEcho")
        ],
        Capabilities=["CAPABILITY_IAM"],
    )
    waiter = clients["cloudformation"].get_waiter("stack_create_complete")
    waiter.wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    (stack,) = clients["cloudformation"].describe_stacks(StackName=STACK)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


@pytest.fixture
def deployed(cloud: Cloud, doctor: Doctor, here: Town) -> Cloud:
    """The stack as it should be, and a bot of it with which all is well."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": cloud.endpoint, "BOTKIT_STACK": STACK}.items():
        here.setenv(name, value)
    doctor.bot()
    os.utime(here.bots / "concierge.yaml", (0, 0))
    cloud.mend()
    return cloud


def test_a_deployment_with_which_all_is_well(doctor: Doctor, deployed: Cloud, here: Town) -> None:
    assert main(["doctor", "--url", here.door.url]) == 0
    lines = doctor.capsys.readouterr().out.splitlines()
    told = (
        f"deployment    ok       {STACK} in us-east-1 · table {deployed.outputs['Table']} · queue · functions updated "
    )
    assert lines[1].startswith(told)
    assert lines[1].endswith(" · sweep on")
    assert lines[2] == "this machine  ok       clock right"
    assert lines[-1] == "all is well"


def test_the_stack_says_where_webhooks_should_go(doctor: Doctor, deployed: Cloud) -> None:
    assert main(["doctor", "--json"]) == 1
    doctor.found = {
        one["name"]: [tuple(finding.values()) for finding in one["findings"]]
        for one in printed(doctor.capsys.readouterr().out)
    }
    here = doctor.town.address("concierge")
    text = f"LINE sends to {here}, not to {deployed.outputs['Url']}/line/concierge"
    assert doctor.wrong() == [("webhook", "error", text, "botkit webhook set concierge")]


Spoil = Callable[[Cloud], object]


def _dead_letter(cloud: Cloud) -> None:
    cloud.clients["sqs"].send_message(QueueUrl=cloud.outputs["DeadLetters"], MessageBody="{}")


def _ttl_off(cloud: Cloud) -> None:
    ttl = {"Enabled": False, "AttributeName": "ttl"}
    cloud.clients["dynamodb"].update_time_to_live(TableName=cloud.outputs["Table"], TimeToLiveSpecification=ttl)


@pytest.mark.parametrize(
    ("spoil", "about", "severity", "said", "cure"),
    [
        (_ttl_off, "table", "error", "never deletes what is over its time", "aws dynamodb update-time-to-live"),
        (_dead_letter, "queue", "warning", "1 wake-ups lie in the DLQ", "aws sqs start-message-move-task"),
        (
            lambda cloud: cloud.set_queue(VisibilityTimeout="60"),
            "queue",
            "error",
            "hides a message for 60 s, less than six times the worker's 90 s",
            "to 540 s",
        ),
    ],
)
def test_what_is_wrong_with_a_deployment(
    doctor: Doctor, deployed: Cloud, spoil: Spoil, about: str, severity: str, said: str, cure: str
) -> None:
    spoil(deployed)
    doctor.examine()
    ((found, how, text, then),) = doctor.wrong("deployment")
    assert (found, how) == (about, severity)
    assert said in text
    assert cure in then
    assert doctor.code == (severity == "error")


def test_a_sweep_that_is_off(doctor: Doctor, deployed: Cloud) -> None:
    name, scheduler = deployed.resource("AWS::Scheduler::Schedule"), deployed.clients["scheduler"]
    schedule = {
        key: value
        for key, value in scheduler.get_schedule(Name=name).items()
        if key in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    }
    scheduler.update_schedule(**schedule, State="DISABLED")
    try:
        doctor.examine()
    finally:
        scheduler.update_schedule(**schedule, State="ENABLED")
    ((about, severity, text, _),) = doctor.wrong("deployment")
    assert (about, severity, text[:16]) == ("schedule", "error", "the sweep is off")


def test_a_queue_that_wakes_nobody(doctor: Doctor, deployed: Cloud) -> None:
    uuid, functions = deployed.resource("AWS::Lambda::EventSourceMapping"), deployed.clients["lambda"]
    functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    try:
        doctor.examine()
    finally:
        functions.update_event_source_mapping(UUID=uuid, Enabled=True)
    ((about, severity, text, cure),) = doctor.wrong("deployment")
    assert (about, severity, text[:34]) == ("schedule", "error", "the queue does not wake the worker")
    assert uuid in cure


def test_bots_that_are_not_deployed_and_files_that_are_newer(doctor: Doctor, deployed: Cloud, here: Town) -> None:
    doctor.bot("office")
    later = time.time() + 60
    os.utime(here.bots / "office.yaml", (later, later))
    doctor.examine()
    found = {one[1]: one[2] for one in doctor.wrong("deployment")}
    assert found["error"] == "not deployed yet: office"
    assert found["warning"] == f"{here.bots / 'office.yaml'} was changed after the last deployment"
    (here.bots / "concierge.yaml").unlink()
    doctor.examine()
    assert "deployed, and not here: concierge" in [one[2] for one in doctor.wrong("deployment")]
    doctor.examine("office")
    assert "deployed, and not here: concierge" not in [one[2] for one in doctor.wrong("deployment")]


def test_secrets_may_be_kept_by_aws(doctor: Doctor, deployed: Cloud) -> None:
    account = doctor.bot("kept", channel_access_token="ssm:/doctor/token")
    doctor.town.answer = lambda: Response("{}")  # the handler would have to ask for it within LINE's two seconds
    doctor.examine("kept")
    assert doctor.wrong("kept")[0][2].startswith("ssm:/doctor/token is not in Parameter Store in us-east-1")
    deployed.clients["ssm"].put_parameter(Name="/doctor/token", Value=account.access_token, Type="SecureString")
    doctor.examine("kept")
    assert doctor.wrong("kept") == []


@pytest.mark.parametrize(("named", "severity"), [("nothing-there", "error"), ("", "warning")])
def test_a_stack_that_is_not_there(doctor: Doctor, deployed: Cloud, here: Town, named: str, severity: str) -> None:
    here.setenv("BOTKIT_STACK", named)
    doctor.examine()
    ((about, how, text, cure),) = doctor.wrong("deployment")
    assert (about, how) == ("stack", severity)
    assert text == f"there is no stack {named or 'botkit'} in us-east-1"
    assert cure.startswith("deploy it: botkit deploy")


def test_a_table_and_a_queue_may_be_named_without_a_stack(
    doctor: Doctor, deployed: Cloud, here: Town, dynamodb_table: str, sqs_queue: str
) -> None:
    here.setenv("BOTKIT_STACK", "")
    here.setenv("BOTKIT_STORE", f"dynamodb://{dynamodb_table}")
    here.setenv("BOTKIT_QUEUE", sqs_queue)
    doctor.examine()
    found = doctor.found["deployment"]
    assert ("table", "ok", dynamodb_table, "") in found
    said = "has no DLQ, so a message that cannot be worked off comes for ever"
    assert [one[2] for one in found if one[1] == "error"] == [f"{sqs_queue.rpartition('/')[2]} {said}"]


@pytest.mark.parametrize(
    ("name", "value", "about", "said"),
    [
        ("BOTKIT_STORE", "dynamodb://nothing-there", "table", "cannot describe table"),
        ("BOTKIT_QUEUE", "nonsense", "queue", "is not the URL of an SQS queue"),
    ],
)
def test_a_table_or_a_queue_that_is_not_there(
    doctor: Doctor, deployed: Cloud, here: Town, name: str, value: str, about: str, said: str
) -> None:
    here.setenv("BOTKIT_STACK", "")
    here.setenv(name, value)
    doctor.examine()
    assert [(one[0], said in one[2]) for one in doctor.wrong("deployment") if one[1] == "error"] == [(about, True)]


def test_a_table_of_another_kind(doctor: Doctor, deployed: Cloud, here: Town) -> None:
    keys = [{"AttributeName": "id", "KeyType": "HASH"}]
    types = [{"AttributeName": "id", "AttributeType": "S"}]
    make = deployed.clients["dynamodb"].create_table
    make(TableName="of-others", KeySchema=keys, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST")
    here.setenv("BOTKIT_STACK", "")
    here.setenv("BOTKIT_STORE", "dynamodb://of-others")
    doctor.examine()
    assert "of-others is none of botkit's: its keys are not pk and sk, both text" in [
        one[2] for one in doctor.wrong("deployment")
    ]


def test_an_aws_that_does_not_answer_keeps_nothing_else_from_being_examined(
    doctor: Doctor, deployed: Cloud, here: Town
) -> None:
    here.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    here.setenv("AWS_MAX_ATTEMPTS", "1")
    doctor.examine()
    ((about, severity, text, _),) = doctor.wrong("deployment")
    assert (about, severity) == ("stack", "error")
    assert "nobody answers" in text
    assert doctor.wrong() == []


# ---------------------------------------------------------------- misuse


def test_a_bot_that_there_is_not(doctor: Doctor) -> None:
    doctor.bot()
    assert main(["doctor", "concirge"]) == 2
    assert "did you mean `concierge`?" in doctor.capsys.readouterr().err


def test_an_address_that_line_would_not_take(doctor: Doctor) -> None:
    doctor.bot()
    assert main(["doctor", "--url", "http://bots.example.com"]) == 2
    assert "--url begins with http://, and LINE takes https:// alone" in doctor.capsys.readouterr().err


def test_an_empty_folder(doctor: Doctor, here: Town) -> None:
    assert main(["doctor"]) == 1
    assert f"the folder {here.bots} holds no bots" in doctor.capsys.readouterr().err


@pytest.mark.parametrize("command", ["doctor", "webhook"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main([command, "--help"])
    assert exited.value.code == 0
    assert "example:\n  botkit " in capsys.readouterr().out
