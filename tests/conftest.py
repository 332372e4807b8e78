"""Fixtures of all tests."""

import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from botkit.aws.logs import COUNTED, JsonLines
from botkit.stores.dynamodb import create_table
from tests.support.aws import dynamodb, lean_dynamodb, ministack, sqs


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """What a handler that believes to be on Lambda does to the logs of the process ends with its test."""
    root, counted = logging.getLogger(), logging.getLogger(COUNTED)
    handlers, levels = list(root.handlers), (root.level, counted.level)
    yield
    for handler in root.handlers:
        if handler not in handlers and isinstance(handler.formatter, JsonLines):
            root.removeHandler(handler)
    root.setLevel(levels[0])
    counted.setLevel(levels[1])
    JsonLines.request_id = ""


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    """The URL of an AWS of our own; started by the first test that asks for it."""
    with ministack() as url:
        yield url


@pytest.fixture(scope="session")
def dynamodb_client(aws_endpoint: str) -> Iterator[DynamoDBClient]:
    client = dynamodb(aws_endpoint)
    yield client
    client.close()


@pytest.fixture(scope="session")
def lean_dynamodb_client(aws_endpoint: str) -> Iterator[DynamoDBClient]:
    client = lean_dynamodb(aws_endpoint)
    yield client
    client.close()


@pytest.fixture
def dynamodb_table(dynamodb_client: DynamoDBClient) -> str:
    """The name of a new, empty table."""
    name = f"botkit-{uuid.uuid4().hex[:12]}"
    create_table(name, dynamodb_client)
    return name


@pytest.fixture(scope="session")
def sqs_client(aws_endpoint: str) -> Iterator[Any]:
    client = sqs(aws_endpoint)
    yield client
    client.close()


@pytest.fixture
def sqs_queue(sqs_client: Any) -> str:
    """The URL of a new, empty queue."""
    url: str = sqs_client.create_queue(QueueName=f"botkit-{uuid.uuid4().hex[:12]}")["QueueUrl"]
    return url
