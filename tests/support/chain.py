"""The whole chain on AWS, as it is deployed: HTTP API → door → queue → worker → table; ministack plays AWS.

Its Lambda runs the zip's code in processes of their own, with this interpreter and its packages.
"""

import http.client
import io
import json
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.session import get_session

from botkit.simulator.wire import Delivery
from tests.support.aws import CREDENTIALS

ROOT = Path(__file__).parents[2]
ROLE = "arn:aws:iam::000000000000:role/botkit"
TIMEOUT = 60
"""Seconds that the functions may take, and a sixth of what the queue hides a message for."""


@dataclass
class Chain:
    """One deployment. `url` is the HTTP API's."""

    url: str
    worker: str
    queue: str
    mapping: str
    clients: Mapping[str, Any]

    def post(self, path: str, delivery: Delivery, signature: str | None = None) -> tuple[int, Any]:
        """Post a webhook to the API; its status and JSON."""
        headers = delivery.headers | ({"x-line-signature": signature} if signature else {})
        return self.ask("POST", path, delivery.body, headers)

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Any request to the API."""
        where = urlsplit(self.url)
        # By number: names below localhost resolve on some machines and not on others.
        with closing(http.client.HTTPConnection("127.0.0.1", where.port, timeout=30)) as connection:
            connection.request(method, path, body, {**(headers or {}), "Host": where.netloc})
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def sweep(self) -> Any:
        """What the schedule does every minute."""
        payload = json.dumps({"botkit": "sweep"})
        answer = self.clients["lambda"].invoke(FunctionName=self.worker, Payload=payload)
        return json.loads(answer["Payload"].read())

    def last_result(self) -> str:
        """What became of the batch that was last taken from the queue."""
        return str(self.clients["lambda"].get_event_source_mapping(UUID=self.mapping)["LastProcessingResult"])

    def story(self) -> str:
        """What the worker has logged, for a test that waits in vain."""
        events = self.clients["logs"].filter_log_events(logGroupName=f"/aws/lambda/{self.worker}")["events"]
        return "\n".join(event["message"] for event in events)

    def waiting(self) -> int:
        """How many messages the queue holds, shown and hidden."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.clients["sqs"].get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)


@contextmanager
def deployed(endpoint: str, bots: Path, environ: Mapping[str, str]) -> Iterator[Chain]:
    """Deploy a folder of bots; `environ` is what both functions get besides the queue."""
    name = f"botkit-{uuid.uuid4().hex[:8]}"
    with ExitStack() as stack:
        clients = {
            one: stack.enter_context(closing(_client(one, endpoint)))
            for one in ("lambda", "sqs", "apigatewayv2", "logs")
        }
        queue, queue_arn = _queue(clients["sqs"], name)
        code, variables = _package(bots), {**environ, "BOTKIT_QUEUE": queue}
        functions = {
            role: _function(clients["lambda"], f"{name}-{role}", code, variables) for role in ("door", "worker")
        }
        for role in functions:
            stack.callback(clients["lambda"].delete_function, FunctionName=f"{name}-{role}")
        for role in functions:
            clients["lambda"].get_waiter("function_active_v2").wait(FunctionName=f"{name}-{role}")
        mapping = clients["lambda"].create_event_source_mapping(
            FunctionName=functions["worker"],
            EventSourceArn=queue_arn,
            BatchSize=10,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
        stack.callback(clients["lambda"].delete_event_source_mapping, UUID=mapping["UUID"])
        url = _http_api(clients["apigatewayv2"], name, functions["door"])
        yield Chain(url, f"{name}-worker", queue, mapping["UUID"], clients)


def _client(service: str, endpoint: str) -> Any:
    return get_session().create_client(
        service,
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        endpoint_url=endpoint,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def _queue(sqs: Any, name: str) -> tuple[str, str]:
    url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(6 * TIMEOUT)})["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return url, attributes["QueueArn"]


def _function(lambda_: Any, name: str, code: bytes, variables: Mapping[str, str]) -> str:
    made = lambda_.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="handler.handler",
        Role=ROLE,
        Code={"ZipFile": code},
        Timeout=TIMEOUT,
        MemorySize=512,
        Environment={"Variables": dict(variables)},
    )
    return str(made["FunctionArn"])


def _http_api(api: Any, name: str, function: str) -> str:
    made = api.create_api(Name=name, ProtocolType="HTTP")
    integration = api.create_integration(
        ApiId=made["ApiId"], IntegrationType="AWS_PROXY", IntegrationUri=function, PayloadFormatVersion="2.0"
    )
    api.create_route(ApiId=made["ApiId"], RouteKey="$default", Target=f"integrations/{integration['IntegrationId']}")
    api.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
    return str(made["ApiEndpoint"])


def _package(bots: Path) -> bytes:
    """The zip of a function, less the packages that botkit needs."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        package.write(ROOT / "handler.py", "handler.py")
        for folder, place in ((ROOT / "botkit", Path("botkit")), (bots, Path("bots"))):
            for file in folder.rglob("*"):
                if file.is_file() and "__pycache__" not in file.parts:
                    package.write(file, place / file.relative_to(folder))
    return content.getvalue()
