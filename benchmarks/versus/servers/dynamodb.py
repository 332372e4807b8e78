"""DynamoDB over its JSON protocol, in memory, with the rules that an application can break."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from benchmarks.versus.servers.http import Ledger, Request, Response, respond
from benchmarks.versus.servers.reads import read_query, shown
from benchmarks.versus.servers.tables import MAIN, Table, check_distinct, check_storable, exact_key, key_of
from benchmarks.versus.servers.values import Invalid, Item, checked
from benchmarks.versus.servers.writes import Unmet, Write, Written, check_returns, returned, write_of

Asked = Mapping[str, Any]
Document = dict[str, Any]

TARGET: Final = "DynamoDB_20120810."
JSON_1_0: Final = "application/x-amz-json-1.0"
SIGNED: Final = "AWS4-HMAC-SHA256 "
TOKEN_LIFE: Final = 600.0
"""Seconds for which a ClientRequestToken is known (DynamoDB API reference: TransactWriteItems)."""
MOST_WRITES: Final = 100
MOST_KEYS: Final = 100
MOST_BATCHED: Final = 25
KEY_SCHEMA: Final = [
    {"AttributeName": MAIN.partition, "KeyType": "HASH"},
    {"AttributeName": MAIN.sort, "KeyType": "RANGE"},
]
UNMET: Final = "The conditional request failed"


class Refused(Exception):
    """What DynamoDB answers with an error of its own."""

    def __init__(self, code: str, message: str, **more: Any) -> None:
        self.code, self.message, self.more = code, message, more
        super().__init__(message)


class DynamoDB:
    """All tables; lives as long as the process. `bench` is always there, and empty after a reset."""

    name = "dynamodb"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._operations: dict[str, Callable[[Asked], Document]] = {
            "GetItem": self._get,
            "PutItem": self._put,
            "UpdateItem": self._update,
            "DeleteItem": self._delete,
            "Query": self._query,
            "BatchGetItem": self._get_batch,
            "BatchWriteItem": self._write_batch,
            "TransactWriteItems": self._transact,
            "CreateTable": self._create,
            "DescribeTable": self._describe,
            "UpdateTimeToLive": self._set_ttl,
        }
        self.reset()

    def reset(self) -> None:
        """Forget all but one empty table."""
        self._tables = {"bench": Table()}
        self._tokens: dict[str, tuple[float, Asked]] = {}

    def seed(self, table: str, items: Iterable[Item]) -> None:
        """Put items, without their being counted as calls. Raises Invalid."""
        stored = self._tables.setdefault(table, Table())
        for item in map(checked, items):
            check_storable(item)
            stored.write(*key_of(item), item)

    # ---------------------------------------------------------------- requests

    def answer(self, request: Request) -> Response:
        """See `Service.answer`."""
        operation = request.headers.get("x-amz-target", "").removeprefix(TARGET)
        self._ledger.add(f"dynamodb.{operation}")
        try:
            document, status = self._answer(operation, request), 200
        except Invalid as invalid:
            document, status = _error("com.amazon.coral.validate#ValidationException", str(invalid)), 400
        except Refused as refused:
            name = f"com.amazonaws.dynamodb.v20120810#{refused.code}"
            document, status = _error(name, refused.message, **refused.more), 400
        return respond(document, status, {"x-amzn-requestid": uuid4().hex.upper()}, kind=JSON_1_0)

    def _answer(self, operation: str, request: Request) -> Document:
        if not request.headers.get("authorization", "").startswith(SIGNED):
            raise Refused("MissingAuthenticationTokenException", "Request is missing Authentication Token")
        if operation not in self._operations:
            raise Refused("UnknownOperationException", "")
        try:
            asked = json.loads(request.body)
        except ValueError:
            raise Refused("SerializationException", "") from None
        return self._operations[operation](asked)

    def _table(self, asked: Asked) -> Table:
        try:
            return self._tables[asked["TableName"]]
        except KeyError:
            raise Refused("ResourceNotFoundException", "Requested resource not found") from None

    # ---------------------------------------------------------------- one item

    def _get(self, asked: Asked) -> Document:
        table, show = self._table(asked), shown(asked)
        item = table.find(*exact_key(asked["Key"]))
        return {"Item": show(item)} if item else {}

    def _put(self, asked: Asked) -> Document:
        return self._write("Put", asked)

    def _delete(self, asked: Asked) -> Document:
        return self._write("Delete", asked)

    def _update(self, asked: Asked) -> Document:
        return self._write("Update", asked)

    def _write(self, kind: str, asked: Asked) -> Document:
        write = write_of(kind, self._table(asked), asked)
        check_returns(kind, asked)
        try:
            written = write.planned()
        except Unmet as unmet:
            raise Refused("ConditionalCheckFailedException", UNMET, **_found(asked, unmet)) from None
        write.done(written)
        return returned(kind, asked, written)

    # ---------------------------------------------------------------- many items

    def _query(self, asked: Asked) -> Document:
        return read_query(self._table(asked), asked).answer()

    def _get_batch(self, asked: Asked) -> Document:
        if not 1 <= sum(len(one["Keys"]) for one in asked["RequestItems"].values()) <= MOST_KEYS:
            raise Invalid("Too many items requested for the BatchGetItem call")
        found = {name: self._get_all(name, one) for name, one in asked["RequestItems"].items()}
        return {"Responses": found, "UnprocessedKeys": {}}

    def _get_all(self, name: str, asked: Asked) -> list[Item]:
        table, show = self._table({"TableName": name}), shown(asked)
        keys = [exact_key(key) for key in asked["Keys"]]
        check_distinct(keys, "Provided list of item keys contains duplicates")
        return [show(item) for item in (table.find(*key) for key in keys) if item]

    def _write_batch(self, asked: Asked) -> Document:
        requests = [(name, one) for name, many in asked["RequestItems"].items() for one in many]
        if not 1 <= len(requests) <= MOST_BATCHED:
            raise Invalid("Too many items requested for the BatchWriteItem call")
        writes = [self._batched(name, one) for name, one in requests]
        check_distinct([one.place for one in writes], "Provided list of item keys contains duplicates")
        _do(writes, [write.planned() for write in writes])
        return {"UnprocessedItems": {}}

    def _batched(self, name: str, request: Asked) -> Write:
        ((kind, asked),) = request.items()
        return write_of(kind.removesuffix("Request"), self._table({"TableName": name}), asked)

    def _transact(self, asked: Asked) -> Document:
        if self._is_known(asked):
            return {}
        writes = [self._in_transaction(one) for one in asked["TransactItems"]]
        if not 1 <= len(writes) <= MOST_WRITES:
            raise Invalid("Member must have length less than or equal to 100, and greater than or equal to 1")
        text = "Transaction request cannot include multiple operations on one item"
        check_distinct([write.place for write in writes], text)
        _do(writes, _all_planned(writes))
        if token := asked.get("ClientRequestToken"):
            self._tokens[token] = time.monotonic(), asked
        return {}

    def _in_transaction(self, request: Asked) -> Write:
        ((kind, asked),) = request.items()
        return write_of(kind, self._table(asked), asked)

    def _is_known(self, asked: Asked) -> bool:
        """Whether the same has been done a moment ago under the same token."""
        while self._tokens:
            token, (at, _) = next(iter(self._tokens.items()))
            if at + TOKEN_LIFE > time.monotonic():
                break
            del self._tokens[token]
        known = self._tokens.get(asked.get("ClientRequestToken", ""))
        if known is not None and known[1] != asked:
            text = "Request with the same token but different parameters"
            raise Refused("IdempotentParameterMismatchException", text)
        return known is not None

    # ---------------------------------------------------------------- tables

    def _create(self, asked: Asked) -> Document:
        name = asked["TableName"]
        if name in self._tables:
            raise Refused("ResourceInUseException", f"Table already exists: {name}")
        if asked["KeySchema"] != KEY_SCHEMA:
            raise Invalid("this server knows tables of pk and sk alone")
        self._tables[name] = Table()
        return {"TableDescription": _description(name)}

    def _describe(self, asked: Asked) -> Document:
        self._table(asked)
        return {"Table": _description(asked["TableName"])}

    def _set_ttl(self, asked: Asked) -> Document:
        self._table(asked)
        return {"TimeToLiveSpecification": asked["TimeToLiveSpecification"]}


def _do(writes: Sequence[Write], planned: Sequence[Written]) -> None:
    for write, written in zip(writes, planned, strict=True):
        write.done(written)


def _all_planned(writes: Sequence[Write]) -> list[Written]:
    """What the writes of a transaction come to; none of them sees another. Raises Refused with all reasons."""
    planned, reasons = [], []
    for write in writes:
        try:
            planned.append(write.planned())
            reasons.append({"Code": "None"})
        except Unmet as unmet:
            reasons.append({"Code": "ConditionalCheckFailed", "Message": UNMET, **_found(write.asked, unmet)})
        except Invalid as invalid:
            reasons.append({"Code": "ValidationError", "Message": str(invalid)})
    if len(planned) < len(writes):
        raise _cancelled(reasons)
    return planned


def _cancelled(reasons: Sequence[Document]) -> Refused:
    codes = ", ".join(reason["Code"] for reason in reasons)
    text = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return Refused("TransactionCanceledException", text, CancellationReasons=reasons)


def _found(asked: Asked, unmet: Unmet) -> Document:
    wants = asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    return {"Item": unmet.found} if wants and unmet.found else {}


def _error(name: str, message: str, **more: Any) -> Document:
    # A cancelled transaction says "Message", and all others "message": clients take both.
    return {"__type": name, "Message" if "CancellationReasons" in more else "message": message, **more}


def _description(name: str) -> Document:
    return {"TableName": name, "TableStatus": "ACTIVE", "KeySchema": KEY_SCHEMA}
