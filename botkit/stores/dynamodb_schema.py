"""The DynamoDB table itself."""

from typing import TYPE_CHECKING

from botkit.stores.dynamodb_items import DUE_INDEX
from botkit.stores.dynamodb_table import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def create_table(table: str, client: "DynamoDBClient") -> None:
    """Create the table as the deployment does, for local set-ups and tests; returns when it can be used.

    On-demand billing, the sparse index that the sweep reads, and TTL on `ttl`. Raises StoreError.
    """
    with translated(table):
        client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
                {"AttributeName": "due_pk", "AttributeType": "S"},
                {"AttributeName": "due_at", "AttributeType": "N"},
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": DUE_INDEX,
                    "KeySchema": [
                        {"AttributeName": "due_pk", "KeyType": "HASH"},
                        {"AttributeName": "due_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["ttl"]},
                }
            ],
        )
        client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        client.update_time_to_live(TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})
