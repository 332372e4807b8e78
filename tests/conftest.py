"""Fixtures of all tests."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from botkit.stores.dynamodb import create_table
from tests.support.aws import dynamodb, ministack, sqs


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
