"""The CloudFormation template: one queue, one table and two functions, whichever bots they serve."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from botkit.deploy.dashboard import dashboard
from botkit.deploy.environment import environment_fault, environment_size
from botkit.deploy.names import logical_names
from botkit.deploy.needs import Needs, asks_in_batches, check_variables, needs_of, needs_of_all, references_of
from botkit.deploy.permissions import batch_statement, secret_policies
from botkit.errors import DeployError
from botkit.spec.bot import BotSpec

if TYPE_CHECKING:
    from botkit.deploy.package import Target

__all__ = ["environment_fault", "environment_size", "template", "with_code", "write"]

_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CODE: Final = "botkit.zip"
FUNCTIONS: Final = ("Door", "Worker")
MOST_PARAMETERS: Final = 200
MOST_RESOURCES: Final = 500
MOST_WEBHOOKS: Final = 100
MOST_BYTES: Final = 1_000_000
"""Of the template's text: 1 MB, where it is read from a bucket (CloudFormation quotas, as are the two above)."""

# How each type of resource takes its tags; of the others none can be tagged.
_TAGS_AS_LIST: Final = frozenset(
    {
        "AWS::CloudWatch::Alarm",
        "AWS::DynamoDB::Table",
        "AWS::IAM::Role",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
    }
)
_TAGS_AS_MAPPING: Final = frozenset({"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"})

_HEADING: Final = """\
# LINE chatbots, made by botkit from the bot files; made anew, it changes with them, so change it there.
# It belongs to botkit.zip beside it. `botkit deploy` deploys both, and so does `sam deploy --guided`.
# A secret's value is a parameter, asked for there, and shown nowhere. It needs the capability CAPABILITY_IAM.
"""


def template(bots: Mapping[str, BotSpec], target: "Target") -> dict[str, Any]:
    """The template for these bots, at least one, as plain data of its own.

    The functions' code is the name of a file beside it, as `sam deploy` and `aws cloudformation package`
    take it. Raises DeployError where AWS's limits do not allow these bots.
    """
    if not bots:
        raise DeployError("there are no bots to deploy; add one, such as bots/hello.yaml")
    check_variables(bots)
    made = _base()
    needs = needs_of(bots)
    variables = logical_names(needs.variables, taken=[*made["Parameters"], *made["Resources"]])
    made["Metadata"]["botkit"] = {
        "variables": {logical: variable for variable, logical in variables.items()},
        "bots": sorted(bots),
        "python": target.python,
        "architecture": target.architecture,
    }
    _add_variables(made, variables)
    for function, references in references_of(bots).items():
        its_needs = needs_of_all(references)
        _complete_function(made["Resources"][function]["Properties"], target, variables, its_needs)
        _allow_secrets(made["Resources"], function, its_needs)
        if asks_in_batches(references):
            _statements(made["Resources"][f"{function}Role"]).append(batch_statement())
    made["Resources"]["Dashboard"] = dashboard(bots)
    _add_alarms(made["Resources"], bots)
    _add_webhooks(made["Outputs"], bots)
    _tag(made["Resources"])
    _check_limits(made, len(bots))
    return made


def with_code(template: Mapping[str, Any], bucket: str, key: str) -> dict[str, Any]:
    """The same template, with the code of both functions in an S3 bucket."""
    made = _copy(template)
    for function in FUNCTIONS:
        made["Resources"][function]["Properties"]["Code"] = {"S3Bucket": bucket, "S3Key": key}
    return made


def write(template: Mapping[str, Any], path: Path) -> None:
    """Write the template as YAML, with a heading that says what it is."""
    text = yaml.dump(dict(template), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
    path.write_text(f"{_HEADING}\n{text}", "utf-8")


class _Plain(yaml.SafeDumper):
    """YAML without anchors, which CloudFormation does not take."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _base() -> dict[str, Any]:
    return _copy(_base_document())


@cache
def _base_document() -> dict[str, Any]:
    text = files("botkit.deploy").joinpath("base.yaml").read_text("utf-8")
    document: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506  a safe one
    return document


def _copy(data: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without any part in two places, as the base's anchors make them."""
    made: dict[str, Any] = json.loads(json.dumps(data))
    return made


# ---------------------------------------------------------------- what depends on the bots


def _add_variables(made: dict[str, Any], variables: Mapping[str, str]) -> None:
    """One parameter for each secret that the environment holds."""
    for variable, logical in variables.items():
        made["Parameters"][logical] = {
            "Type": "String",
            "NoEcho": True,
            "MinLength": 1,
            "Description": f"The secret that env:{variable} names",
        }
    if variables:
        interface = made["Metadata"]["AWS::CloudFormation::Interface"]
        interface["ParameterGroups"].insert(0, {"Label": {"default": "Secrets"}, "Parameters": [*variables.values()]})
        interface["ParameterLabels"] = {logical: {"default": variable} for variable, logical in variables.items()}


def _complete_function(
    properties: dict[str, Any], target: "Target", variables: Mapping[str, str], needs: Needs
) -> None:
    properties["Runtime"] = target.runtime
    properties["Architectures"] = [target.architecture]
    properties["Code"] = CODE
    properties["Environment"]["Variables"] |= {name: {"Ref": variables[name]} for name in needs.variables}


def _allow_secrets(resources: dict[str, Any], function: str, needs: Needs) -> None:
    policies = secret_policies(function, needs)
    resources |= policies
    if policies:  # named by the role, and not the other way round: so they are there before the function runs
        resources[f"{function}Role"]["Properties"]["ManagedPolicyArns"] = [{"Ref": policy} for policy in policies]


def _statements(role: Mapping[str, Any]) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return statements


def _add_alarms(resources: dict[str, Any], bots: Iterable[str]) -> None:
    """Whom alarms tell, and two for each bot, where there is somebody to tell."""
    for resource in resources.values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            resource["Properties"]["AlarmActions"] = [
                {"Fn::If": ["Alarmed", {"Ref": "Alarms"}, {"Ref": "AWS::NoValue"}]}
            ]
    for bot, logical in logical_names(sorted(bots)).items():
        failed = f"The bot {bot} had no answer for somebody. See why in the worker's log: its model's key, its model."
        lost = f"LINE refused an answer of the bot {bot} for good. See why in the worker's log."
        resources[f"Failed{logical}"] = _alarm(bot, "Failed", failed)
        resources[f"Lost{logical}"] = _alarm(bot, "Lost", lost)


def _alarm(bot: str, metric: str, description: str) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Condition": "BotsAlarmed",
        "Properties": {
            "AlarmDescription": description,
            "Namespace": {"Fn::Sub": "botkit/${AWS::StackName}"},
            "MetricName": metric,
            "Dimensions": [{"Name": "bot", "Value": bot}],
            "Statistic": "Sum",
            "Period": 300,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 0,
            "TreatMissingData": "notBreaching",
            "AlarmActions": [{"Ref": "Alarms"}],
        },
    }


def _add_webhooks(outputs: dict[str, Any], bots: Mapping[str, BotSpec]) -> None:
    """The address of each, so far as they are not too many for a list that people read."""
    if len(bots) <= MOST_WEBHOOKS:
        for bot, logical in logical_names(sorted(bots), "Webhook").items():
            value = {"Fn::Sub": f"${{Api.ApiEndpoint}}/line/{bot}"}
            outputs[logical] = {"Description": f"The webhook URL of {bot}", "Value": value}


def _tag(resources: Mapping[str, Any]) -> None:
    stack = {"Ref": "AWS::StackName"}
    for resource in resources.values():
        if resource["Type"] in _TAGS_AS_LIST:
            resource["Properties"]["Tags"] = [{"Key": "botkit", "Value": stack}]
        elif resource["Type"] in _TAGS_AS_MAPPING:
            resource["Properties"]["Tags"] = {"botkit": stack}


def _check_limits(made: Mapping[str, Any], bots: int) -> None:
    settings = len(made["Parameters"]) - len(made["Metadata"]["botkit"]["variables"])
    if len(made["Parameters"]) > MOST_PARAMETERS:
        raise DeployError(
            f"the bots name {len(made['Parameters']) - settings} environment variables, and a CloudFormation template "
            f"has room for {MOST_PARAMETERS - settings}: keep their secrets in Parameter Store, and write "
            "ssm:/botkit/NAME instead of env:NAME"
        )
    size = len(json.dumps(made, ensure_ascii=False).encode())
    if len(made["Resources"]) > MOST_RESOURCES or size > MOST_BYTES:
        raise DeployError(
            f"{bots} bots are too many for one stack: move some to a folder of their own, and deploy that as another "
            "stack, with BOTKIT_BOTS and --stack"
        )
