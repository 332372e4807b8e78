"""The CloudFormation stack: what is deployed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from botocore.exceptions import ClientError
from botocore.session import Session

from botkit.deploy.failures import code_of, in_plain_words
from botkit.deploy.session import client
from botkit.errors import DeployError

UNBORN: Final = "REVIEW_IN_PROGRESS"
"""The state of a stack that is nothing but a change set (CloudFormation user guide: stack status codes)."""

REDACTED: Final = "****"
"""What CloudFormation answers for the value of a NoEcho parameter."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack as it is: its CloudFormation status, its outputs, its parameters (a secret's value is `****`).

    `bots` are the names of the bots it serves; `bucket` and `key` say where its package lies, None where that is
    not known. `template` is what it was made from.
    """

    name: str
    region: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    bots: tuple[str, ...]
    bucket: str | None
    key: str | None
    id: str = ""
    template: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def url_of(self, bot: str) -> str | None:
        """The webhook address of a bot, where the stack has one."""
        url = self.outputs.get("Url")
        return f"{url.rstrip('/')}/line/{bot}" if url else None


def find_stack(session: Session, name: str) -> Deployed | None:
    """The stack of this name; None where there is none, or nothing but the proposal of one.

    Raises DeployError where AWS does not say, and where the stack is none of botkit's.
    """
    cloud = client(session, "cloudformation")
    with in_plain_words(f"look for the stack {name}"):
        found = described(cloud, name)
        if found is None or found["StackStatus"] == UNBORN:
            return None
        template = _template(cloud.get_template(StackName=name)["TemplateBody"])
    ours = template.get("Metadata", {}).get("botkit")
    if not isinstance(ours, Mapping):
        raise DeployError(
            f"the stack {name} in {cloud.meta.region_name} is none of botkit's; choose another name with --stack"
        )
    bucket, key = _place(template)
    return Deployed(
        name=found["StackName"],
        region=cloud.meta.region_name,
        status=found["StackStatus"],
        outputs={one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())},
        parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", ())},
        bots=tuple(ours.get("bots", ())),
        bucket=bucket,
        key=key,
        id=found["StackId"],
        template=template,
    )


def described(cloud: Any, name: str) -> dict[str, Any] | None:
    """What CloudFormation says of a stack (a name or an id); None where there is none. Raises botocore's errors."""
    try:
        stacks: list[dict[str, Any]] = cloud.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if code_of(error) == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    return stacks[0] if stacks else None


def _template(body: Any) -> Mapping[str, Any]:
    """A template as data: botocore reads JSON itself, and leaves YAML as text."""
    if isinstance(body, str):
        try:
            body = json.loads(body) if body.lstrip().startswith("{") else yaml.safe_load(body)
        except (ValueError, yaml.YAMLError):  # with tags, such as !Sub: another's
            return {}
    return body if isinstance(body, Mapping) else {}


def _place(template: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The bucket and the key of the code of the functions."""
    for resource in template.get("Resources", {}).values():
        code = resource.get("Properties", {}).get("Code") if resource.get("Type") == "AWS::Lambda::Function" else None
        if isinstance(code, Mapping) and isinstance(code.get("S3Bucket"), str) and isinstance(code.get("S3Key"), str):
            return code["S3Bucket"], code["S3Key"]
    return None, None
