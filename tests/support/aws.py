"""AWS on loopback: one ministack process, and clients for it."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import boto3
from botocore.config import Config
from mypy_boto3_dynamodb import DynamoDBClient

from botkit.wire.services import SERVICES
from botkit.wire.settings import settings

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
PATIENCE = 30.0

_session = boto3.Session()  # shared, because each one parses DynamoDB's model anew


@contextmanager
def ministack() -> Iterator[str]:
    """Run ministack on a free port of 127.0.0.1; yields its URL."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        env = os.environ | {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "TMPDIR": folder,
            "LOG_LEVEL": "WARNING",
        }
        log = Path(folder, "log")
        with log.open("wb") as out:
            process = subprocess.Popen([sys.executable, "-m", "ministack"], env=env, stdout=out, stderr=out)
        try:
            _wait_until_up(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            _stop(process)


def dynamodb(endpoint: str, attempts: int = 3) -> DynamoDBClient:
    """A DynamoDB client for an endpoint; the caller closes it."""
    config = Config(
        connect_timeout=2,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=32,
    )
    return _session.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=config,
    )


def lean(service: str, endpoint: str, attempts: int = 3, read_timeout: float = 10, **options: Any) -> Any:
    """botkit's own client of a service at an endpoint; the caller closes it. `options` are those of AwsClient."""
    nowhere = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    found = settings(service, {"AWS_ENDPOINT_URL": endpoint, **CREDENTIALS, **nowhere})
    assert found is not None
    kind, spoken = SERVICES[service]
    return kind(spoken, found, 2, read_timeout, attempts, **options)


def lean_dynamodb(endpoint: str, attempts: int = 3) -> DynamoDBClient:
    """What the deployed store asks DynamoDB with; the caller closes it."""
    return cast(DynamoDBClient, lean("dynamodb", endpoint, attempts))


DYNAMODB_CLIENTS: dict[str, Callable[..., DynamoDBClient]] = {"lean": lean_dynamodb, "botocore": dynamodb}
"""What a store may be given, by kind."""

BY_BOTOCORE = "AWS_DEFAULTS_MODE", "legacy"
"""A variable that changes nothing, but is not plain: botkit leaves all to botocore where it is set."""


def sqs(endpoint: str) -> Any:
    """An SQS client for an endpoint, as a queue's owner has it; the caller closes it."""
    make: Any = _session.client  # the stubs are of DynamoDB alone
    return make(
        "sqs",
        endpoint_url=endpoint,
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


def poll(client: Any, queue_url: str) -> dict[str, Any] | None:
    """Up to ten messages of a queue as the event in which Lambda would get them; None where there are none.

    (AWS Lambda developer guide, "Using Lambda with Amazon SQS".)
    """
    answer = client.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])
    messages = answer.get("Messages", ())
    return {"Records": [_record(message, queue_url) for message in messages]} if messages else None


def _record(message: Mapping[str, Any], queue_url: str) -> dict[str, Any]:
    account, name = queue_url.split("/")[-2:]
    region = CREDENTIALS["AWS_DEFAULT_REGION"]
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{region}:{account}:{name}",
        "awsRegion": region,
    }


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    give_up = time.monotonic() + PATIENCE
    while not _is_up(port):
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"ministack did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)


def _is_up(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
