"""One DynamoDB table as the store uses it: calls, retries, refused conditions, and AWS's errors in our words."""

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  botocore's own name for it
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    TokenRetrievalError,
)

from botkit.errors import StoreError
from botkit.wire.connect import Patience, connect_to

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Fields = Mapping[str, str | int]
"""An item, or some of its attributes: strings and integers are all that botkit stores."""

PATIENCE: Final = (0.02, 0.04, 0.08, 0.16, 0.32)
"""Upper bounds in seconds of the waits between tries of what another transaction was in the way of."""

WRITE_BATCH: Final = 25
"""The most keys in one BatchWriteItem (DynamoDB API reference)."""

IN_THE_WAY: Final = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Reasons of a cancelled transaction that pass by themselves (API reference: TransactionCanceledException)."""

PASSING: Final = frozenset(
    {
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "InternalServerError",
    }
)

CREDENTIALS: Final = "AWS does not accept the credentials ({code}): renew them, or check the function's role"
CURES: Final = {
    "ResourceNotFoundException": (
        "DynamoDB has no table {table}, which BOTKIT_STORE names: correct BOTKIT_STORE, the region, or create the table"
    ),
    "AccessDeniedException": (
        "AWS does not allow it on the DynamoDB table {table}: give the role read and write rights to the table and "
        "its indexes"
    ),
    "UnrecognizedClientException": CREDENTIALS,
    "InvalidSignatureException": CREDENTIALS,
    "ExpiredTokenException": CREDENTIALS,
    "MissingAuthenticationTokenException": CREDENTIALS,
}


class Refused(Exception):
    """The condition of a write did not hold, and nothing was written. Never leaves the store.

    `found` has the items as they are, by the position of their write; None for an item that is not there.
    """

    def __init__(self, found: Mapping[int, Fields | None]) -> None:
        self.found = found
        super().__init__(f"refused at {sorted(found)}")


def connect(connect_timeout: float = 1.0, read_timeout: float = 4.0, attempts: int = 3) -> "DynamoDBClient":
    """A client that gives up in time for an answer to LINE: botocore would wait 60 s, and ten times that.

    Timeouts in seconds; `attempts` counts the first one. Region, endpoint and credentials come from
    the SDK's own environment variables. Raises StoreError.
    """
    with translated("?"):
        return cast("DynamoDBClient", connect_to("dynamodb", Patience(connect_timeout, read_timeout, attempts)))


def spread(limit: float) -> float:
    """A random part of `limit`, so that those who were in each other's way do not meet again."""
    return random.uniform(0, limit)  # noqa: S311  guards nothing


class Table:
    """The table `name` behind a client. Every method raises StoreError where AWS fails.

    `pause` waits so many seconds, which `jitter` picks below a limit.
    """

    def __init__(
        self,
        name: str,
        client: "DynamoDBClient",
        pause: Callable[[float], None] = time.sleep,
        jitter: Callable[[float], float] = spread,
    ) -> None:
        self.name = name
        self._client = client
        self._pause = pause
        self._jitter = jitter

    def get(self, key: Fields) -> Fields | None:
        """The item, strongly consistent."""
        with translated(self.name):
            found = self._client.get_item(TableName=self.name, Key=to_wire(key), ConsistentRead=True)
        return from_wire(found["Item"]) if "Item" in found else None

    def get_all(self, keys: Sequence[Fields]) -> list[Fields]:
        """Those items of up to 100 keys that are there, in no order, strongly consistent."""
        distinct = {(key["pk"], key["sk"]): to_wire(key) for key in keys}
        left: dict[str, Any] = {self.name: {"Keys": list(distinct.values()), "ConsistentRead": True}}
        items: list[Fields] = []
        for _ in self._patiently():
            with translated(self.name):
                page = self._client.batch_get_item(RequestItems=left)
            items += map(from_wire, page["Responses"].get(self.name, []))
            left = dict(page["UnprocessedKeys"])
            if not left:
                return items
        raise self._busy()

    def between(self, pk: str, first: str, last: str, **asked: Any) -> Iterator[Fields]:
        """The items of a partition whose sort keys lie between two, both included, strongly consistent."""
        worded = expressions(
            {"pk": pk, "first": first, "last": last},
            KeyConditionExpression="#pk = :pk AND #sk BETWEEN :first AND :last",
        )
        return self.query(ConsistentRead=True, **worded, **asked)

    def query(self, **asked: Any) -> Iterator[Fields]:
        """The items of a Query, page after page, each fetched when it is needed."""
        start: dict[str, Any] = {}
        while True:
            with translated(self.name):
                page = self._client.query(TableName=self.name, **asked, **start)
            yield from map(from_wire, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def update(self, update: Mapping[str, Any]) -> Fields:
        """Make one update and return the item as it was, empty where there was none. Raises Refused, position 0."""
        asked = {**update, "TableName": self.name, "ReturnValues": "ALL_OLD"}
        for _ in self._patiently():
            with translated(self.name):
                try:
                    return from_wire(self._client.update_item(**asked).get("Attributes", {}))
                except ClientError as error:
                    _check_single(error)
        raise self._busy()

    def transact(self, writes: Sequence[Mapping[str, Any]]) -> None:
        """Make all writes or none. Raises Refused.

        The client gives each call a ClientRequestToken of its own and repeats it in its retries, so a lost
        response is a success then. A token that outlived the call would be wrong: for ten minutes DynamoDB
        would tell a repeated write that it succeeded, also where the lease has passed on meanwhile.
        """
        named: list[Any] = [{kind: {**write, "TableName": self.name} for kind, write in one.items()} for one in writes]
        for _ in self._patiently():
            with translated(self.name):
                try:
                    self._client.transact_write_items(TransactItems=named)
                except self._client.exceptions.TransactionCanceledException as error:
                    _check_reasons(error)
                else:
                    return
        raise self._busy()

    def delete(self, keys: Sequence[Fields]) -> None:
        """Delete the items of any number of keys, in batches; not all or nothing."""
        for start in range(0, len(keys), WRITE_BATCH):
            self._delete_batch(keys[start : start + WRITE_BATCH])

    def _delete_batch(self, keys: Sequence[Fields]) -> None:
        left: dict[str, Any] = {self.name: [{"DeleteRequest": {"Key": to_wire(key)}} for key in keys]}
        for _ in self._patiently():
            with translated(self.name):
                left = dict(self._client.batch_write_item(RequestItems=left)["UnprocessedItems"])
            if not left:
                return
        raise self._busy()

    def _patiently(self) -> Iterator[None]:
        yield
        for limit in PATIENCE:
            self._pause(self._jitter(limit))
            yield

    def _busy(self) -> StoreError:
        return StoreError(f"the DynamoDB table {self.name} is busy with other writes", retryable=True)


def expressions(values: Fields, attributes: Mapping[str, str] | None = None, /, **texts: str) -> dict[str, Any]:
    """Expressions with all they name: `#x` is the attribute x (many of ours are reserved words), `:x` the value x.

    `attributes`: what a name stands for where it is not the attribute's own.
    """
    own = attributes or {}
    names = dict.fromkeys(re.findall(r"#(\w+)", " ".join(texts.values())))
    asked: dict[str, Any] = {**texts, "ExpressionAttributeNames": {f"#{name}": own.get(name, name) for name in names}}
    if values:  # DynamoDB takes no empty mapping
        asked["ExpressionAttributeValues"] = {f":{name}": value for name, value in to_wire(values).items()}
    return asked


def to_wire(fields: Fields) -> dict[str, Any]:
    """Attributes as DynamoDB's JSON has them."""
    return {name: {"S": value} if isinstance(value, str) else {"N": str(value)} for name, value in fields.items()}


def from_wire(item: Mapping[str, Any]) -> Fields:
    """The reverse of `to_wire`."""
    return {name: value["S"] if "S" in value else int(value["N"]) for name, value in item.items()}


def _check_single(error: ClientError) -> None:
    code = error.response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        raise Refused({0: _item(error.response)}) from error
    if code != "TransactionConflictException":
        raise error


def _check_reasons(error: ClientError) -> None:
    # One reason for each write, at the position of the write; those that were fine say "None".
    reasons = error.response.get("CancellationReasons", [])
    codes = [reason.get("Code") for reason in reasons]
    refused = {n: _item(reasons[n]) for n, code in enumerate(codes) if code == "ConditionalCheckFailed"}
    # The first write decides: it is the check of the lease, or the event that must be new.
    if 0 in refused or (refused and not IN_THE_WAY.intersection(codes)):
        raise Refused(refused) from error
    if not IN_THE_WAY.intersection(codes):
        raise error


def _item(reason: Mapping[str, Any]) -> Fields | None:
    return from_wire(reason["Item"]) if reason.get("Item") else None


@contextmanager
def translated(table: str) -> Iterator[None]:
    """Turns what the client raises into a StoreError with the cure."""
    try:
        yield
    except ClientError as error:
        raise _service_error(table, error) from error
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, TokenRetrievalError) as error:
        text = "no AWS credentials for DynamoDB: give the function a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID"
        raise StoreError(f"{text} ({error})") from error
    except NoRegionError as error:
        raise StoreError("no AWS region for DynamoDB: set AWS_DEFAULT_REGION") from error
    except (ConnectionError, HTTPClientError) as error:
        raise StoreError(f"DynamoDB does not answer: {error}", retryable=True) from error
    except BotoCoreError as error:
        raise StoreError(f"the DynamoDB client failed: {error}") from error
    except ValueError as error:
        # Of an endpoint that is no URL, and of an answer that is no JSON.
        text = "DynamoDB is not found: see that AWS_ENDPOINT_URL, where it is set, is a URL and leads to AWS"
        raise StoreError(text) from error


def _service_error(table: str, error: ClientError) -> StoreError:
    code = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    cure = CURES.get(code, "DynamoDB refused ({code}) on the table {table}: {message}")
    text = cure.format(table=table, code=code, message=error.response["Error"].get("Message", ""))
    return StoreError(text, retryable=code in PASSING or status >= 500)
