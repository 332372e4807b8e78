"""The simulation's DynamoDB answers as MiniStack does, which stands in for AWS in all other tests."""

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from tests.simulation.fake_dynamodb import FakeDynamoDB

CONDITIONS = [
    "attribute_exists(#a)",
    "attribute_not_exists(#a) OR #a < :two",
    "#a = :one AND NOT #b = :text",
    "#a BETWEEN :one AND :two",
    "#a IN (:one, :two) OR (#b = :text AND attribute_exists(#b))",
    "#a <> :one",
    "begins_with(#b, :text)",
    "#a >= :two AND #b <> :text",
]
UPDATES = [
    "SET #a = :one",
    "SET #a = if_not_exists(#a, :one) + :two, #b = :text",
    "SET #b = :text REMOVE #a",
    "ADD #a :two",
    "ADD #a :one SET #b = if_not_exists(#b, :text)",
    "REMOVE #a, #b",
]
VALUES = {":one": {"N": "1"}, ":two": {"N": "2"}, ":text": {"S": "te"}}
NAMES = {"#a": "a", "#b": "b"}
SORTS = ["E#1", "I#1", "I#2", "META"]


def worded(**texts: str) -> dict[str, Any]:
    """Expressions with just the names and values that they use."""
    text = " ".join(texts.values())
    names = {name: value for name, value in NAMES.items() if name in text}
    values = {name: value for name, value in VALUES.items() if name in text}
    return texts | {"ExpressionAttributeNames": names} | ({"ExpressionAttributeValues": values} if values else {})


def write_of(random: Random, *, single: bool = False) -> tuple[str, dict[str, Any]]:
    """A random write, with a condition or without."""
    key = {"pk": {"S": random.choice("xy")}, "sk": {"S": random.choice(SORTS)}}
    kinds = ["Put", "Update", "Delete"] if single else ["Put", "Update", "Delete", "ConditionCheck"]
    kind = random.choice(kinds)
    texts = {"UpdateExpression": random.choice(UPDATES)} if kind == "Update" else {}
    if kind == "ConditionCheck" or random.random() < 0.6:
        texts["ConditionExpression"] = random.choice(CONDITIONS)
    asked = worded(**texts) if texts else {}
    if "ConditionExpression" in asked:
        asked["ReturnValuesOnConditionCheckFailure"] = random.choice(["ALL_OLD", "NONE"])
    if kind == "Put":
        fields = {"a": {"N": str(random.randint(0, 3))}} if random.random() < 0.7 else {"b": {"S": "text"}}
        return kind, {"Item": key | fields, **asked}
    return kind, {"Key": key, **asked}


def call_of(random: Random, table: str) -> tuple[str, dict[str, Any]]:
    """A random call of the client."""
    chance = random.random()
    if chance < 0.4:
        kind, asked = write_of(random, single=True)
        shown = random.choice(["ALL_OLD", "ALL_NEW"]) if kind == "Update" else "ALL_OLD"
        return f"{kind.lower()}_item", {"TableName": table, "ReturnValues": shown, **asked}
    if chance < 0.8:
        writes = [write_of(random) for _ in range(random.randint(1, 4))]
        return "transact_write_items", {"TransactItems": [{kind: {"TableName": table, **one}} for kind, one in writes]}
    if chance < 0.85:
        keys = random.sample([{"pk": {"S": pk}, "sk": {"S": sk}} for pk in "xyz" for sk in SORTS], random.randint(1, 6))
        return "batch_get_item", {"RequestItems": {table: {"Keys": keys, "ConsistentRead": True}}}
    condition, values = random.choice(
        [
            ("pk = :pk", {}),
            ("pk = :pk AND begins_with(sk, :sk)", {":sk": {"S": "I#"}}),
            ("pk = :pk AND sk BETWEEN :sk AND :end", {":sk": {"S": "I#"}, ":end": {"S": "M~"}}),
        ]
    )
    asked = {"KeyConditionExpression": condition, "ExpressionAttributeValues": {":pk": {"S": "x"}, **values}}
    asked |= {"ScanIndexForward": random.random() < 0.5, "Limit": random.randint(1, 5), "ConsistentRead": True}
    return "query", {"TableName": table, **asked}


def answer(client: Any, name: str, asked: Mapping[str, Any]) -> Any:
    """What a call comes to, as far as both sides must agree."""
    try:
        found = getattr(client, name)(**asked)
    except ClientError as error:
        reasons = [(one.get("Code"), one.get("Item") or None) for one in error.response.get("CancellationReasons", [])]
        return error.response["Error"]["Code"], reasons, error.response.get("Item")
    if "Responses" in found:  # in no order
        items = [item for page in found["Responses"].values() for item in page]
        return sorted(items, key=str), found["UnprocessedKeys"]
    page = {key: found.get(key) for key in ("Items", "Count", "Attributes", "LastEvaluatedKey") if found.get(key)}
    # With the last item of all on a full page, whether there is a next page is each one's own affair.
    return {**page, "LastEvaluatedKey": None} if len(page.get("Items", ())) == asked.get("Limit") else page


@pytest.mark.parametrize("seed", range(6))
def test_it_answers_as_ministack_does(dynamodb_table: str, dynamodb_client: DynamoDBClient, seed: int) -> None:
    fake = FakeDynamoDB(lambda: 0)
    fake.create(dynamodb_table)
    client, random = fake.client(strict=True), Random(seed)
    for number in range(150):
        name, asked = call_of(random, dynamodb_table)
        assert answer(client, name, asked) == answer(dynamodb_client, name, asked), f"{number}: {name} {asked}"
    stored = dynamodb_client.scan(TableName=dynamodb_table, ConsistentRead=True)["Items"]
    assert fake.tables[dynamodb_table].items() == sorted(stored, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def test_a_token_makes_a_transaction_once() -> None:
    now = [0]
    fake = FakeDynamoDB(lambda: now[0])
    fake.create("t")
    update = {"TableName": "t", "Key": {"pk": {"S": "x"}, "sk": {"S": "y"}}, **worded(UpdateExpression="ADD #a :one")}
    client, asked = fake.client(), {"TransactItems": [{"Update": update}], "ClientRequestToken": "token"}
    for wait, count in ((0, 1), (599_999, 1), (1, 2)):
        now[0] += wait
        client.transact_write_items(**asked)
        (item,) = fake.tables["t"].items()
        assert item["a"] == {"N": str(count)}
    other = {**asked, "TransactItems": [{"Delete": {"TableName": "t", "Key": update["Key"]}}]}
    with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
        client.transact_write_items(**other)


def test_the_index_follows_the_table_later() -> None:
    now = [0]
    fake = FakeDynamoDB(lambda: now[0], lag=lambda: 100)
    fake.create("t")
    item = {"pk": {"S": "x"}, "sk": {"S": "y"}, "due_pk": {"S": "inbox"}, "due_at": {"N": "5"}, "body": {"S": "…"}}
    asked = {
        "TableName": "t",
        "IndexName": "due",
        "KeyConditionExpression": "due_pk = :due AND due_at <= :now",
        "ExpressionAttributeValues": {":due": {"S": "inbox"}, ":now": {"N": "9"}},
    }
    client = fake.client(strict=True)
    client.put_item(TableName="t", Item=item)
    assert client.query(**asked)["Items"] == []
    now[0] = 100
    assert client.query(**asked)["Items"] == [{name: item[name] for name in ("pk", "sk", "due_pk", "due_at")}]
