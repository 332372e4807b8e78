"""Templates of bots, and what CloudFormation makes of them; ministack plays AWS."""

import io
import json
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.session import get_session

from botkit.deploy.package import Target
from botkit.deploy.template import template, with_code
from botkit.spec.loader import load_folder
from tests.support.aws import CREDENTIALS

X86 = Target("3.13")


def write_bots(folder: Path, files: Mapping[str, str]) -> Path:
    """A folder of these bots, each with a persona, and a model where it says nothing of one."""
    folder.mkdir(parents=True)
    for name, text in files.items():
        model = "" if "model:" in text else "model: gpt-4.1-mini\n"
        (folder / f"{name}.yaml").write_text(f"persona: You are kind.\n{model}{text}", "utf-8")
    return folder


def made(folder: Path, target: Target = X86) -> dict[str, Any]:
    """The template for a folder of bots."""
    loaded = load_folder(folder)
    assert not loaded.problems
    return template(loaded.bots, target)


def client(service: str, endpoint: str) -> Any:
    """A client for an endpoint; the caller closes it."""
    return get_session().create_client(
        service,
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        endpoint_url=endpoint,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


@dataclass
class Stack:
    """A stack; lives as long as its module, and is deleted then. `template` is what it was deployed from last."""

    name: str
    endpoint: str
    _closing: ExitStack
    template: Mapping[str, Any] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)

    def aws(self, service: str) -> Any:
        """A client."""
        if service not in self._clients:
            self._clients[service] = self._closing.enter_context(closing(client(service, self.endpoint)))
        return self._clients[service]

    def deploy(self, template: Mapping[str, Any], **parameters: str) -> None:
        """Create it, or update it in place, with code that does nothing."""
        cloud, is_new = self.aws("cloudformation"), not self.template
        self.template = template
        asked = {
            "StackName": self.name,
            "TemplateBody": json.dumps(with_code(template, self._bucket(), "code.zip")),
            "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            "Capabilities": ["CAPABILITY_IAM"],
        }
        kind = "create" if is_new else "update"
        (cloud.create_stack if is_new else cloud.update_stack)(**asked)
        waiter = cloud.get_waiter(f"stack_{kind}_complete")
        waiter.wait(StackName=self.name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
        (stack,) = cloud.describe_stacks(StackName=self.name)["Stacks"]
        assert stack["StackStatus"] == f"{kind.upper()}_COMPLETE"
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    def id_of(self, resource: str) -> str:
        """The physical id of a resource."""
        found = self.aws("cloudformation").describe_stack_resource(StackName=self.name, LogicalResourceId=resource)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def has(self, resource: str) -> bool:
        """Whether there is such a resource."""
        found = self.aws("cloudformation").describe_stack_resources(StackName=self.name)["StackResources"]
        return resource in {one["LogicalResourceId"] for one in found}

    def delete(self) -> None:
        """Delete it; returns when it is gone."""
        self.aws("cloudformation").delete_stack(StackName=self.name)
        waiter = self.aws("cloudformation").get_waiter("stack_delete_complete")
        waiter.wait(StackName=self.name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})

    @property
    def code(self) -> bytes:
        """A package that does nothing."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as package:
            package.writestr("handler.py", "def handler(event, context):\n    return {}\n")
        return content.getvalue()

    def _bucket(self) -> str:
        self.aws("s3").create_bucket(Bucket=self.name)
        self.aws("s3").put_object(Bucket=self.name, Key="code.zip", Body=self.code)
        return self.name


@contextmanager
def stack_at(endpoint: str) -> Iterator[Stack]:
    """A stack that is yet to be deployed."""
    with ExitStack() as closing_all:
        stack = Stack(f"botkit-{uuid.uuid4().hex[:8]}", endpoint, closing_all)
        yield stack
        stack.delete()
