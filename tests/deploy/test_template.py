"""The template: what it holds for which bots, what AWS's own tools say of it, and what CloudFormation makes of it."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from botkit.delivery.metrics import Metric
from botkit.deploy.environment import LIMIT, environment_fault, environment_size
from botkit.deploy.package import Target
from botkit.deploy.template import template, with_code, write
from botkit.errors import DeployError
from botkit.stores.dynamodb import DynamoStore, create_table
from tests.deploy.gate import resolved
from tests.deploy.stacks import X86, Stack, made, stack_at, write_bots
from tests.support.aws import dynamodb
from tests.support.samples import HANA, receive

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv-cloud" / "bin"
EXAMPLES = ROOT / "bots"
LINE = "line: {{channel_secret: {}, channel_access_token: {}}}\n"
ENV = LINE.format("env:KIND_SECRET", "env:KIND_TOKEN")

needs_tools = pytest.mark.skipif(not TOOLS.exists(), reason="cfn-lint and sam are not installed (.venv-cloud)")


def fifty(folder: Path) -> Path:
    """Fifty bots, all of whose secrets AWS keeps, by one service or the other."""
    files = {}
    for n in range(50):
        ssm, secret = f"ssm:/botkit/production/bot-{n}", f"secretsmanager:botkit/bot-{n}"
        line = LINE.format(f"{ssm}/channel-secret", f"{secret}#token")
        files[f"bot-{n}"] = f"{line}model: {{name: gpt-4.1-mini, api_key: {ssm}/openai-key}}\n"
    return write_bots(folder, files)


def environment(template: Mapping[str, Any], function: str) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"][function]["Properties"]["Environment"]["Variables"]
    return found


# ---------------------------------------------------------------- secrets and settings


def test_each_variable_is_a_parameter_that_is_never_shown(tmp_path: Path) -> None:
    found = made(write_bots(tmp_path / "bots", {"kind": ENV}))
    assert found["Metadata"]["botkit"] == {
        "variables": {"KindSecret": "KIND_SECRET", "KindToken": "KIND_TOKEN", "OpenaiApiKey": "OPENAI_API_KEY"},
        "bots": ["kind"],
        "python": "3.13",
        "architecture": "x86_64",
    }
    for name in ("KindSecret", "KindToken", "OpenaiApiKey"):
        assert found["Parameters"][name]["NoEcho"] is True
        assert "Default" not in found["Parameters"][name]
    secrets = {"KIND_SECRET", "KIND_TOKEN", "OPENAI_API_KEY"}
    assert secrets & environment(found, "Door").keys() == {"KIND_SECRET"}
    assert secrets & environment(found, "Worker").keys() == {"KIND_TOKEN", "OPENAI_API_KEY"}


def test_the_worker_has_a_channels_secret_where_tokens_are_issued_for_it(tmp_path: Path) -> None:
    found = made(
        write_bots(tmp_path / "bots", {"kind": 'line: {channel_secret: env:SECRET, channel_id: "2001234567"}\n'})
    )
    assert environment(found, "Worker")["SECRET"] == environment(found, "Door")["SECRET"] == {"Ref": "Secret"}


def test_an_empty_setting_is_no_variable(tmp_path: Path) -> None:
    found = environment(made(EXAMPLES), "Worker")
    assert found["OPENAI_BASE_URL"] == {"Fn::If": ["OtherModels", {"Ref": "OpenaiBaseUrl"}, {"Ref": "AWS::NoValue"}]}
    assert found["BOTKIT_LINE_URL"] == {"Fn::If": ["OtherLine", {"Ref": "LineUrl"}, {"Ref": "AWS::NoValue"}]}


def test_names_that_would_be_the_same_are_told_apart_and_stay_as_they_are(tmp_path: Path) -> None:
    one = made(write_bots(tmp_path / "one", {"kind": LINE.format("env:MY_TOKEN", "env:MyTOKEN")}))
    both = LINE.format("[env:MY_TOKEN, env:MY__TOKEN]", "env:QUEUE")
    other = made(write_bots(tmp_path / "other", {"kind": both, "kin": LINE.format("env:TABLE", "env:LOG")}))
    variables = other["Metadata"]["botkit"]["variables"]
    assert sorted(variables.values()) == ["LOG", "MY_TOKEN", "MY__TOKEN", "OPENAI_API_KEY", "QUEUE", "TABLE"]
    assert all(re.fullmatch("[A-Za-z0-9]+", name) for name in variables)
    assert variables.keys() <= other["Parameters"].keys()
    assert not variables.keys() & other["Resources"].keys()
    assert other["Parameters"]["Table"]["Default"] == ""
    assert one["Metadata"]["botkit"]["variables"].keys() == {"MyToken", "Mytoken", "OpenaiApiKey"}


@pytest.mark.parametrize(
    ("variable", "why"),
    [
        ("_TOKEN", "Lambda's variables begin with a letter and have two characters at least"),
        ("T", "Lambda's variables begin with a letter and have two characters at least"),
        ("AWS_SESSION_TOKEN", "that variable has another meaning there"),
        ("BOTKIT_STORE", "that variable has another meaning there"),
        ("OPENAI_BASE_URL", "that variable has another meaning there"),
    ],
)
def test_a_variable_that_lambda_cannot_have_is_refused(tmp_path: Path, variable: str, why: str) -> None:
    folder = write_bots(tmp_path / "bots", {"night-inn": LINE.format("env:SECRET", f"env:{variable}")})
    with pytest.raises(DeployError) as caught:
        made(folder)
    assert str(caught.value) == (
        f"bot night-inn: env:{variable} cannot be set on Lambda: {why}; "
        "write another name, such as env:NIGHT_INN_SECRET"
    )


def test_what_fits_the_environment_is_told_to_the_byte() -> None:
    left = LIMIT - environment_size({"TOKEN": ""}) - len(',"TOKEN":""')
    assert environment_size({"TOKEN": "x" * left}) == LIMIT
    assert environment_fault({"TOKEN": "x" * left}) is None
    assert environment_fault({"TOKEN": "é" + "x" * (left - 1)}) == (
        "a function's environment would take 4,097 bytes, and Lambda allows 4,096: keep TOKEN in Parameter Store, and "
        "write ssm:/botkit/NAME in the bot files instead of env:NAME"
    )


def test_what_does_not_fit_is_said_with_as_many_secrets_as_are_too_many() -> None:
    values = {f"BOT_{n}_TOKEN": f"{n:0170}" for n in range(50)} | {"OPENAI_BASE_URL": "https://" + "x" * 300}
    fault = environment_fault(values)
    assert fault is not None
    found = re.search(r"keep (\d+) secrets, such as BOT_10_TOKEN, BOT_11_TOKEN,", fault)
    assert found is not None
    kept = dict(list(values.items())[int(found[1]) :])
    assert environment_fault(kept) is None
    assert environment_fault({**kept, "BOT_0_TOKEN": values["BOT_0_TOKEN"]}) is not None
    assert "0000" not in fault


def test_each_function_is_measured_with_what_it_has(tmp_path: Path) -> None:
    found = made(write_bots(tmp_path / "bots", {"kind": ENV}))
    values = {"KIND_SECRET": "s" * 3000, "KIND_TOKEN": "t" * 3000}
    assert environment_fault(values) is not None
    assert environment_fault(values, template=found) is None
    assert "keep KIND_TOKEN in" in str(environment_fault({**values, "KIND_TOKEN": "t" * 4000}, template=found))


def test_what_is_longer_than_a_stacks_name_counts_too() -> None:
    assert environment_size({}, "n" * 106) == environment_size({}, "botkit") + 3 * 100


# ---------------------------------------------------------------- limits of AWS


def test_more_variables_than_a_template_takes_are_refused(tmp_path: Path) -> None:
    many = ", ".join(f"env:SECRET_{n}" for n in range(190))
    with pytest.raises(DeployError) as caught:
        made(write_bots(tmp_path / "bots", {"kind": LINE.format(f"[{many}]", "env:TOKEN")}))
    assert str(caught.value) == (
        "the bots name 192 environment variables, and a CloudFormation template has room for 188: keep their secrets "
        "in Parameter Store, and write ssm:/botkit/NAME instead of env:NAME"
    )


def test_more_bots_than_a_stack_takes_are_refused(tmp_path: Path) -> None:
    found = write_bots(tmp_path / "bots", {f"bot-{n}": "" for n in range(101)})
    assert not [name for name in made(found)["Outputs"] if name.startswith("Webhook")]
    for n in range(101, 240):
        (found / f"bot-{n}.yaml").write_text("persona: hi\nmodel: gpt-4.1-mini\n", "utf-8")
    with pytest.raises(DeployError, match="240 bots are too many for one stack: move some to a folder of their own"):
        made(found)


def test_no_bots_are_refused() -> None:
    with pytest.raises(DeployError, match="there are no bots to deploy"):
        template({}, X86)


def test_the_permissions_of_fifty_bots_fit_iams_policies(tmp_path: Path) -> None:
    found = made(fifty(tmp_path / "bots"))["Resources"]
    named: set[str] = set()
    for role in ("DoorRole", "WorkerRole"):
        policies = [one["Ref"] for one in found[role]["Properties"]["ManagedPolicyArns"]]
        assert len(policies) <= 10
        for policy in policies:
            document = resolved(found[policy]["Properties"]["PolicyDocument"])
            named |= {
                arn for one in document["Statement"] for arn in one["Resource"] if isinstance(one["Resource"], list)
            }
            longest = json.dumps(document, separators=(",", ":")).replace("us-east-1", "ap-southeast-2")
            assert len(longest) + len(document["Statement"]) * 100 <= 6144
    assert len(found["WorkerRole"]["Properties"]["ManagedPolicyArns"]) > 1
    assert len(named) == 150
    assert "arn:aws:ssm:us-east-1:000000000000:parameter/botkit/production/bot-7/channel-secret" in named
    assert "arn:aws:secretsmanager:us-east-1:000000000000:secret:botkit/bot-7-??????" in named


def test_more_secrets_than_a_role_can_be_allowed_are_refused(tmp_path: Path) -> None:
    many = ", ".join(f"ssm:/botkit/{'long-' * 30}{n}" for n in range(400))
    with pytest.raises(DeployError, match="the bots name 400 secrets in AWS, more than a role can be allowed"):
        made(write_bots(tmp_path / "bots", {"kind": LINE.format(f"[{many}]", "env:TOKEN")}))


def test_a_secret_named_by_its_arn_is_allowed_with_its_ending_and_without(tmp_path: Path) -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:kind-tokens"
    found = made(write_bots(tmp_path / "bots", {"kind": LINE.format("env:SECRET", f"secretsmanager:{arn}#token")}))
    allowed, _ = found["Resources"]["WorkerSecrets"]["Properties"]["PolicyDocument"]["Statement"]
    assert allowed["Resource"] == [arn, f"{arn}-??????"]


# ---------------------------------------------------------------- what it holds


def test_the_queue_hides_a_message_for_six_times_what_the_worker_may_take() -> None:
    found = made(EXAMPLES)
    hidden = {int(timeout): one["Seconds"] for timeout, one in found["Mappings"]["Visibility"].items()}
    assert hidden == {timeout: 6 * timeout for timeout in found["Parameters"]["WorkerTimeout"]["AllowedValues"]}


def test_every_metric_of_the_bots_is_on_the_dashboard() -> None:
    body = json.loads(made(EXAMPLES)["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    metrics = [metric for one in body["widgets"] for metric in one["properties"].get("metrics", ())]
    assert {metric[1] for metric in metrics if metric[0] == "botkit/${AWS::StackName}"} == set(get_args(Metric))
    assert [one["value"] for one in body["variables"][0]["values"]] == ["assistant", "companion", "concierge"]
    corners = {(one["x"], one["y"]) for one in body["widgets"]}
    assert len(corners) == len(body["widgets"])
    assert all(one["x"] + one["width"] <= 24 for one in body["widgets"])


def test_the_dashboard_of_fifty_bots_is_hardly_larger(tmp_path: Path) -> None:
    one, many = made(write_bots(tmp_path / "one", {"kind": ""})), made(fifty(tmp_path / "bots"))
    sizes = [len(str(found["Resources"]["Dashboard"])) for found in (one, many)]
    assert sizes[1] - sizes[0] < 50 * 50


def test_webhook_addresses_of_like_names_are_told_apart(tmp_path: Path) -> None:
    found = made(write_bots(tmp_path / "bots", {"a-1": "", "a1": "", "night-inn": ""}))["Outputs"]
    webhooks = {name: one["Value"]["Fn::Sub"] for name, one in found.items() if name.startswith("Webhook")}
    assert webhooks["WebhookNightInn"] == "${Api.ApiEndpoint}/line/night-inn"
    assert sorted(webhooks.values()) == [f"${{Api.ApiEndpoint}}/line/{name}" for name in ("a-1", "a1", "night-inn")]


def test_what_is_written_is_what_was_made_and_says_what_it_is(tmp_path: Path) -> None:
    found = made(EXAMPLES)
    write(found, tmp_path / "template.yaml")
    text = (tmp_path / "template.yaml").read_text("utf-8")
    assert text.startswith("# LINE chatbots, made by botkit from the bot files")
    assert yaml.safe_load(text) == found
    assert not re.search(r"(^|\s)[&*][a-z]+\d*$", text, re.MULTILINE)


def test_it_is_the_same_for_the_same_bots() -> None:
    assert json.dumps(made(EXAMPLES)) == json.dumps(made(EXAMPLES))


def test_both_functions_run_what_is_in_the_bucket() -> None:
    plain = made(EXAMPLES, Target("3.12", "arm64"))
    coded = with_code(plain, "a-bucket", "botkit/1.zip")
    for function in ("Door", "Worker"):
        assert plain["Resources"][function]["Properties"]["Code"] == "botkit.zip"
        properties = coded["Resources"][function]["Properties"]
        assert properties["Code"] == {"S3Bucket": "a-bucket", "S3Key": "botkit/1.zip"}
        assert (properties["Runtime"], properties["Architectures"]) == ("python3.12", ["arm64"])


# ---------------------------------------------------------------- what AWS's own tools say


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Templates in files: of bots with variables, and of fifty without, whose code is in a bucket."""
    folder = tmp_path_factory.mktemp("templates")
    many = made(fifty(folder / "fifty"), Target("3.14", "arm64"))
    templates = {"examples": made(EXAMPLES), "fifty": with_code(many, "a-bucket", "a/key.zip")}
    for name, one in templates.items():
        write(one, folder / f"{name}.template.yaml")
    return {name: folder / f"{name}.template.yaml" for name in templates}


def run(*command: str | Path, **environ: str) -> str:
    """What a tool says; fails where it finds anything."""
    env = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1", **environ}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_tools
def test_cfn_lint_finds_nothing(written: Mapping[str, Path]) -> None:
    assert run(TOOLS / "cfn-lint", "--include-checks", "I", "--", written["fifty"]) == ""


@needs_tools
def test_sam_finds_nothing(written: Mapping[str, Path]) -> None:
    said = run(TOOLS / "sam", "validate", "--lint", "--template", written["examples"])
    assert said.strip().endswith("is a valid SAM Template")


@needs_tools
def test_sam_takes_the_package_beside_it(written: Mapping[str, Path], aws_endpoint: str, stack: Stack) -> None:
    folder = written["examples"].parent
    (folder / "botkit.zip").write_bytes(code := stack.code)
    packaged = folder / "packaged.yaml"
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": aws_endpoint}
    files = ["--template", written["examples"], "--output-template-file", packaged]
    run(TOOLS / "sam", "package", "--s3-bucket", stack.name, *files, **keys)
    for function in ("Door", "Worker"):
        where = yaml.safe_load(packaged.read_text("utf-8"))["Resources"][function]["Properties"]["Code"]
        assert stack.aws("s3").get_object(Bucket=where["S3Bucket"], Key=where["S3Key"])["Body"].read() == code


# ---------------------------------------------------------------- what CloudFormation makes of it


@pytest.fixture(scope="module")
def stack(aws_endpoint: str) -> Iterator[Stack]:
    with stack_at(aws_endpoint) as stack:
        found = made(EXAMPLES)
        stack.deploy(found, AlarmEmail="owner@example.com", **values(found))
        yield stack


def values(template: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"the secret {name}" for name in template["Metadata"]["botkit"]["variables"]}


def test_its_table_is_that_which_the_store_makes_for_itself(stack: Stack, dynamodb_table: str) -> None:
    described = [
        stack.aws("dynamodb").describe_table(TableName=name)["Table"]
        for name in (stack.outputs["Table"], dynamodb_table)
    ]
    for part in ("AttributeDefinitions", "KeySchema"):
        assert described[0][part] == described[1][part]
    indexes = [
        {part: index[part] for part in ("IndexName", "KeySchema", "Projection")}
        for one in described
        for index in one["GlobalSecondaryIndexes"]
    ]
    assert len(indexes) == 2
    assert indexes[0] == indexes[1]
    assert {one["BillingModeSummary"]["BillingMode"] for one in described} == {"PAY_PER_REQUEST"}
    # ministack's CloudFormation leaves this one out.
    ttl = stack.aws("dynamodb").describe_time_to_live(TableName=dynamodb_table)["TimeToLiveDescription"]
    properties = stack.template["Resources"]["Conversations"]["Properties"]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": ttl["AttributeName"], "Enabled": True}


def test_its_outputs_lead_to_what_was_made(stack: Stack) -> None:
    url = stack.outputs["Url"]
    assert re.fullmatch(r"https?://[^/]+", url)
    assert stack.outputs["WebhookConcierge"] == f"{url}/line/concierge"
    for function in ("Door", "Worker"):
        made_function = stack.aws("lambda").get_function_configuration(FunctionName=stack.outputs[function])
        assert made_function["LoggingConfig"] == {
            "LogFormat": "Text",
            "LogGroup": f"/botkit/{stack.name}/{function.lower()}",
        }
        variables = made_function["Environment"]["Variables"]
        assert variables["BOTKIT_STORE"] == f"dynamodb://{stack.outputs['Table']}"
        assert variables["BOTKIT_QUEUE"] == stack.outputs["Queue"]
        assert variables["BOTKIT_METRICS"] == f"botkit/{stack.name}"
        assert not variables.keys() & {"OPENAI_BASE_URL", "BOTKIT_LINE_URL"}
    assert stack.id_of("DeadLetters") == stack.outputs["DeadLetters"]
    assert stack.outputs["Dashboard"].endswith(f"#dashboards/dashboard/{stack.id_of('Dashboard')}")


def test_the_dashboard_names_what_was_made(stack: Stack) -> None:
    body = stack.aws("cloudwatch").get_dashboard(DashboardName=stack.id_of("Dashboard"))["DashboardBody"]
    assert "${" not in body
    assert json.loads(body)["widgets"]
    assert stack.outputs["Worker"] in body
    assert stack.outputs["DeadLetters"].rpartition("/")[2] in body


def test_alarms_tell_the_owner(stack: Stack) -> None:
    (told,) = stack.aws("sns").list_subscriptions_by_topic(TopicArn=stack.id_of("Alarms"))["Subscriptions"]
    assert (told["Protocol"], told["Endpoint"]) == ("email", "owner@example.com")
    alarms = stack.aws("cloudwatch").describe_alarms(AlarmNamePrefix=stack.name)["MetricAlarms"]
    assert len(alarms) == 5 + 2 * 3
    assert {tuple(alarm["AlarmActions"]) for alarm in alarms} == {(stack.id_of("Alarms"),)}


def test_it_changes_in_place_and_what_was_said_stays(stack: Stack, aws_endpoint: str, tmp_path: Path) -> None:
    """Another bot, another timeout, nobody to tell any more, and other models."""
    before, table, api = dict(stack.outputs), stack.outputs["Table"], stack.id_of("Api")
    client = dynamodb(aws_endpoint)
    store = DynamoStore(table, client)
    receive(store)
    loaded = write_bots(tmp_path / "bots", {"kind": ENV})
    found = made(loaded)
    stack.deploy(found, WorkerTimeout="30", OpenaiBaseUrl="https://models.example", **values(found))
    assert {name: stack.outputs[name] for name in ("Url", "Table", "Queue")} == {
        name: before[name] for name in ("Url", "Table", "Queue")
    }
    assert [name for name in stack.outputs if name.startswith("Webhook")] == ["WebhookKind"]
    worker = stack.aws("lambda").get_function_configuration(FunctionName=stack.outputs["Worker"])
    assert worker["Timeout"] == 30
    assert worker["Environment"]["Variables"]["OPENAI_BASE_URL"] == "https://models.example"
    assert "CONCIERGE_CHANNEL_TOKEN" not in worker["Environment"]["Variables"]
    queue = stack.aws("sqs").get_queue_attributes(QueueUrl=stack.outputs["Queue"], AttributeNames=["VisibilityTimeout"])
    assert queue["Attributes"]["VisibilityTimeout"] == "180"
    assert len(stack.aws("cloudwatch").describe_alarms(AlarmNamePrefix=stack.name)["MetricAlarms"]) == 5
    assert not stack.has("Alarms")
    assert stack.id_of("Api") == api
    assert store.overdue(4_102_444_800_000 + 60_000, 10, {HANA.bot}) == [HANA]
    client.close()


def test_a_table_that_is_there_is_gone_on_with(stack: Stack, dynamodb_client: Any) -> None:
    create_table("table-of-before", dynamodb_client)
    stack.deploy(stack.template, Table="table-of-before", **values(stack.template))
    assert stack.outputs["Table"] == "table-of-before"
    assert not stack.has("Conversations")
    door = stack.aws("lambda").get_function_configuration(FunctionName=stack.outputs["Door"])
    assert door["Environment"]["Variables"]["BOTKIT_STORE"] == "dynamodb://table-of-before"
    policy = stack.aws("iam").get_role_policy(RoleName=stack.id_of("DoorRole"), PolicyName="door")["PolicyDocument"]
    (accept,) = [one for one in policy["Statement"] if one.get("Sid") == "Accept"]
    assert accept["Resource"] == "arn:aws:dynamodb:us-east-1:000000000000:table/table-of-before"
