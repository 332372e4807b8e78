"""A deployment as `botkit deploy` makes it: HTTP API → door → queue → worker → table, and the schedule; ministack plays AWS.

Its Lambda runs the package in processes of its own, one for each function, with this interpreter; what the package
has goes before this interpreter's packages. Where it does less than AWS, this does the rest: CloudFormation there
forgets a queue's redrive policy, and SQS knows no redrive.
"""

import http.client
import io
import json
import os
import signal
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import get_session

from botkit.cli import deploy
from botkit.simulator.wire import Delivery
from tests.support.aws import CREDENTIALS


@dataclass
class Cloud:
    """A stack and its surroundings. `environ` is that of whoever deploys: AWS's address, and the secrets."""

    name: str
    endpoint: str
    environ: Mapping[str, str]
    outputs: dict[str, str] = field(default_factory=dict)
    _closing: ExitStack = field(default_factory=ExitStack)
    _clients: dict[str, Any] = field(default_factory=dict)
    _sweeping: Thread | None = None

    def aws(self, service: str) -> Any:
        """A client."""
        if service not in self._clients:
            made = get_session().create_client(
                service,
                region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
                endpoint_url=self.endpoint,
                aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
                config=Config(retries={"total_max_attempts": 1}, read_timeout=120),
            )
            self._clients[service] = self._closing.enter_context(closing(made))
        return self._clients[service]

    def deploy(self, package: Path, **parameters: str) -> tuple[int, str]:
        """`botkit deploy` of a package: its exit code, and what it has said. Raises DeployError."""
        parser = ArgumentParser()
        deploy.add_arguments(parser)
        settings = [f"--set={name}={value}" for name, value in parameters.items()]
        options = parser.parse_args(["--stack", self.name, "--package", str(package), "--yes", "--json", *settings])
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            code = deploy.run(options, self.environ, pause=0.1)
        (stack,) = self.aws("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        return code, said.getvalue()

    # ---------------------------------------------------------------- the door

    def post(self, path: str, delivery: Delivery, signature: str | None = None) -> tuple[int, Any]:
        """Post a webhook to the API; its status and JSON."""
        headers = delivery.headers | ({"x-line-signature": signature} if signature else {})
        return self.ask("POST", path, delivery.body, headers)

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Any request to the API."""
        where = urlsplit(self.outputs["Url"])
        # By number: names below localhost resolve on some machines and not on others.
        with closing(http.client.HTTPConnection("127.0.0.1", where.port, timeout=60)) as connection:
            connection.request(method, path, body, {**(headers or {}), "Host": where.netloc})
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    # ---------------------------------------------------------------- the worker

    def sweep(self) -> Any:
        """What the schedule does every minute, and what came of it."""
        return json.loads(self._invoke("RequestResponse")["Payload"].read())

    def tick(self) -> None:
        """What the schedule does every minute; it does not wait for the end. Nothing while the last one is at work.

        (ministack would keep each that waits for a worker, also for one that was killed.)
        """
        if self._sweeping is None or not self._sweeping.is_alive():
            self._sweeping = Thread(target=self._invoke, args=("RequestResponse",), daemon=True)
            self._sweeping.start()

    def _invoke(self, kind: str) -> Any:
        """Call the schedule's target with its input."""
        (one,) = self.aws("scheduler").list_schedules(NamePrefix=self.name)["Schedules"]
        schedule = self.aws("scheduler").get_schedule(Name=one["Name"], GroupName=one["GroupName"])
        assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(1 minute)", "ENABLED")
        target = schedule["Target"]
        return self.aws("lambda").invoke(FunctionName=target["Arn"], Payload=target["Input"], InvocationType=kind)

    def kill(self, function: str) -> None:
        """Kill the processes of a function, as a machine dies."""
        found = pids_of(self.outputs[function])
        assert found, f"no process of {function} is there"
        for pid in found:
            os.kill(pid, signal.SIGKILL)

    def set_timeout(self, function: str, seconds: int) -> None:
        """Give a function less time than the template lets anybody, until the next deployment; its process is new."""
        self.aws("lambda").update_function_configuration(FunctionName=self.outputs[function], Timeout=seconds)
        for pid in pids_of(self.outputs[function]):
            os.kill(pid, signal.SIGKILL)

    def story(self) -> str:
        """What the worker has logged, for a test that waits in vain."""
        told = []
        for group in (f"/botkit/{self.name}/worker", f"/aws/lambda/{self.outputs['Worker']}"):
            with suppress(ClientError):  # which of them it is, AWS and ministack do not agree on
                told += self.aws("logs").filter_log_events(logGroupName=group)["events"]
        return "\n".join(event["message"] for event in told[-40:])

    # ---------------------------------------------------------------- the queues

    def last_result(self) -> str:
        """What became of the batch that was last taken from the queue."""
        (mapping,) = self.aws("lambda").list_event_source_mappings(FunctionName=self.outputs["Worker"])[
            "EventSourceMappings"
        ]
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        return str(mapping["LastProcessingResult"])

    def waiting(self, queue: str = "Queue") -> int:
        """How many messages a queue holds, shown and hidden."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.aws("sqs").get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=names)
        return sum(int(attributes["Attributes"][name]) for name in names)

    def give_up_after(self, receives: int) -> None:
        """Have the queue send what failed so often to its DLQ."""
        url = self.outputs["DeadLetters"]
        arn = self.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})
        self.aws("sqs").set_queue_attributes(QueueUrl=self.outputs["Queue"], Attributes={"RedrivePolicy": policy})

    def redrive(self) -> int:
        """Move all that the DLQ has back to the queue, as SQS's redrive does; how many that were."""
        sqs, dead, moved = self.aws("sqs"), self.outputs["DeadLetters"], 0
        while messages := sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages"):
            for one in messages:
                sqs.send_message(QueueUrl=self.outputs["Queue"], MessageBody=one["Body"])
                sqs.delete_message(QueueUrl=dead, ReceiptHandle=one["ReceiptHandle"])
            moved += len(messages)
        return moved


def pids_of(function: str) -> list[int]:
    """The processes that run a Lambda function: those that are told its name."""
    told = f"AWS_LAMBDA_FUNCTION_NAME={function}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if told in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


@contextmanager
def deployed(name: str, endpoint: str, package: Path, secrets: Mapping[str, str], **parameters: str) -> Iterator[Cloud]:
    """Deploy a package to a new stack, which is deleted in the end, its functions' processes with it."""
    place = {"AWS_ENDPOINT_URL": endpoint, "HOME": str(package.parent), **CREDENTIALS}
    with ExitStack() as closing_all:
        cloud = Cloud(name, endpoint, {**place, **secrets}, _closing=closing_all)
        code, said = cloud.deploy(package, **parameters)
        assert code == 0, said
        cloud.give_up_after(5)
        try:
            yield cloud
        finally:
            functions = [cloud.outputs["Door"], cloud.outputs["Worker"]]
            for one in functions:  # what deletes only the stack leaves their processes
                cloud.aws("lambda").delete_function(FunctionName=one)
            cloud.aws("cloudformation").delete_stack(StackName=name)
            waiter = cloud.aws("cloudformation").get_waiter("stack_delete_complete")
            waiter.wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
            for pid in [pid for one in functions for pid in pids_of(one)]:
                os.kill(pid, signal.SIGKILL)
