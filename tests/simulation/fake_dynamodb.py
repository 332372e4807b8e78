"""DynamoDB's client, in memory: the real store runs on it, and sees what botocore would show it."""

from collections.abc import Callable, Mapping
from functools import cache
from itertools import count
from threading import RLock
from typing import Any

from botocore.errorfactory import ClientExceptionsFactory
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.model import ServiceModel
from botocore.session import get_session
from botocore.validate import ParamValidator

from tests.simulation.expressions import Invalid, condition
from tests.simulation.fake_table import FakeTable, Index, Refused, key_of
from tests.simulation.faults import COMMON, Fault, Nature

TOKEN_LIFE = 10 * 60 * 1000
"""How long DynamoDB knows a transaction again, in ms (API reference: TransactWriteItems)."""
OPERATIONS = {
    "get_item": "GetItem",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "query": "Query",
    "batch_get_item": "BatchGetItem",
    "batch_write_item": "BatchWriteItem",
    "transact_write_items": "TransactWriteItems",
}
Around = Callable[[str, Nature, Callable[[], Any], object], Any]


def at_once(_name: str, _nature: Nature, do: Callable[[], Any], _what: object) -> Any:
    """No fault point: the call is just made."""
    return do()


class FakeDynamoDB:
    """The service: tables, and the tokens of transactions. `client()` is what one process holds of it.

    `page` is how many items a page of a Query holds at most; DynamoDB ends one after 1 MB.
    """

    def __init__(self, now: Callable[[], int], lag: Callable[[], int] = lambda: 0, page: int = 1000) -> None:
        self.now = now
        self.page = page
        self.tables: dict[str, FakeTable] = {}
        self.tokens: dict[str, tuple[int, Any]] = {}
        self.new_token = count(1)
        self.lock = RLock()
        self._lag = lag

    def create(self, name: str) -> FakeTable:
        """A new, empty table, as the deployment makes it."""
        self.tables[name] = FakeTable(Index("due_pk", "due_at", ("ttl",), self._lag), self.now)
        return self.tables[name]

    def client(self, around: Around = at_once, *, strict: bool = False) -> "FakeClient":
        """A client whose calls pass through `around`. `strict`: parameters are checked as botocore does it."""
        return FakeClient(self, around, strict)


class FakeClient:
    """The methods of botocore's client that a store may use; each is one fault point."""

    def __init__(self, service: FakeDynamoDB, around: Around, strict: bool) -> None:
        self._service = service
        self._around = around
        self._strict = strict
        self.exceptions = exceptions()

    def close(self) -> None:
        """Nothing to close."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = OPERATIONS[name]

        def call(**asked: Any) -> Any:
            if self._strict:
                _validate(operation, asked)
            if name == "transact_write_items":
                # botocore makes one for each call, and repeats it in its retries.
                asked.setdefault("ClientRequestToken", f"token-{next(self._service.new_token)}")
            return self._around(f"store.{name}", _NATURES[name], lambda: self._do(name, asked), asked)

        return call

    def _do(self, name: str, asked: Mapping[str, Any]) -> Any:
        operation = OPERATIONS[name]
        try:
            with self._service.lock:  # for tests that use threads; a simulation has one
                return getattr(self, f"_{name}")(asked)
        except Invalid as error:
            raise client_error("ValidationException", operation, str(error)) from error
        except Refused as refused:
            shown = asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and refused.item
            more: dict[str, Any] = {"Item": refused.item} if shown else {}
            raise client_error("ConditionalCheckFailedException", operation, str(refused), **more) from refused

    def _table(self, asked: Mapping[str, Any], name: str | None = None) -> FakeTable:
        try:
            return self._service.tables[name or asked["TableName"]]
        except KeyError:
            raise client_error("ResourceNotFoundException", "DynamoDB", "Requested resource not found") from None

    def _get_item(self, asked: Mapping[str, Any]) -> Any:
        found = self._table(asked).get(asked["Key"])
        return {"Item": found} if found is not None else {}

    def _write(self, kind: str, asked: Mapping[str, Any]) -> Any:
        table = self._table(asked)
        key, after = table.planned(kind, asked)
        before = table.get({"pk": {"S": key[0]}, "sk": {"S": key[1]}})
        table.write([(key, after)])
        shown = {"ALL_OLD": before, "ALL_NEW": after}.get(asked.get("ReturnValues", "NONE"))
        return {"Attributes": shown} if shown is not None else {}

    def _put_item(self, asked: Mapping[str, Any]) -> Any:
        return self._write("Put", asked)

    def _update_item(self, asked: Mapping[str, Any]) -> Any:
        return self._write("Update", asked)

    def _delete_item(self, asked: Mapping[str, Any]) -> Any:
        return self._write("Delete", asked)

    def _query(self, asked: Mapping[str, Any]) -> Any:
        table = self._table(asked)
        found = table.select(asked)
        size = min(asked.get("Limit", self._service.page), self._service.page)
        page, more = found[:size], found[size:] or (len(found) == asked.get("Limit"))
        names, values = asked.get("ExpressionAttributeNames", {}), asked.get("ExpressionAttributeValues", {})
        # DynamoDB filters after it has counted: a page may come out short, or empty.
        keep = condition(asked["FilterExpression"]) if "FilterExpression" in asked else None
        items = [item for item in page if keep is None or keep((item, names, values))]
        if "ProjectionExpression" in asked:
            words = [word.strip() for word in asked["ProjectionExpression"].split(",")]
            shown = {names.get(word, word) for word in words}
            items = [{name: item[name] for name in item if name in shown} for item in items]
        keys = ("pk", "sk", "due_pk", "due_at") if asked.get("IndexName") else ("pk", "sk")
        last = {"LastEvaluatedKey": {name: page[-1][name] for name in keys}} if more and page else {}
        return {"Items": items, "Count": len(items), "ScannedCount": len(page), **last}

    def _batch_get_item(self, asked: Mapping[str, Any]) -> Any:
        found: dict[str, list[Any]] = {}
        for name, one in asked["RequestItems"].items():
            keys = [tuple(sorted((part, value["S"]) for part, value in key.items())) for key in one["Keys"]]
            if len(set(keys)) != len(keys) or not 1 <= len(keys) <= 100:
                raise Invalid("Provided list of item keys contains duplicates, or too many")
            table = self._table(asked, name)
            found[name] = [item for key in one["Keys"] if (item := table.get(key)) is not None]
        return {"Responses": found, "UnprocessedKeys": {}}

    def _batch_write_item(self, asked: Mapping[str, Any]) -> Any:
        for name, writes in asked["RequestItems"].items():
            if not 1 <= len(writes) <= 25:
                raise Invalid("Too many items requested for the BatchWriteItem call")
            table = self._table(asked, name)
            for write in writes:
                ((kind, one),) = write.items()
                table.write([table.planned(kind.removesuffix("Request"), one)])
        return {"UnprocessedItems": {}}

    def _transact_write_items(self, asked: Mapping[str, Any]) -> Any:
        service, token = self._service, asked["ClientRequestToken"]
        known = service.tokens.get(token)
        if known is not None and service.now() - known[0] < TOKEN_LIFE:
            if known[1] != asked["TransactItems"]:
                raise client_error("IdempotentParameterMismatchException", "TransactWriteItems", "")
            return {}
        if not 1 <= len(asked["TransactItems"]) <= 100:
            raise Invalid("Member must have length less than or equal to 100")
        writes = [write for one in asked["TransactItems"] for write in one.values()]
        if len({(write["TableName"], key_of(write.get("Item") or write["Key"])) for write in writes}) != len(writes):
            raise Invalid("Transaction request cannot include multiple operations on one item")
        changes: list[Any] = []
        reasons: list[dict[str, Any]] = []
        for one in asked["TransactItems"]:
            ((kind, write),) = one.items()
            try:
                changes.append((self._table(write), self._table(write).planned(kind, write)))
                reasons.append({"Code": "None"})
            except Refused as refused:
                shown = write.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and refused.item
                more = {"Item": refused.item} if shown else {}
                reasons.append({"Code": "ConditionalCheckFailed", "Message": str(refused), **more})
        if any(reason["Code"] != "None" for reason in reasons):
            raise cancelled(reasons)
        for table, change in changes:
            table.write([change])
        service.tokens[token] = (service.now(), asked["TransactItems"])
        return {}


@cache
def _model() -> ServiceModel:
    return ServiceModel(get_session().get_component("data_loader").load_service_model("dynamodb", "service-2"))


@cache
def exceptions() -> Any:
    """botocore's own exception classes."""
    return ClientExceptionsFactory().create_client_exceptions(_model())


def _validate(operation: str, asked: Mapping[str, Any]) -> None:
    shape: Any = _model().operation_model(operation).input_shape
    report = ParamValidator().validate(asked, shape)
    assert not report.has_errors(), report.generate_report()


def client_error(code: str, operation: str, message: str, status: int = 400, **more: Any) -> ClientError:
    """What botocore raises for an error that the service answered."""
    parsed: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    kind: type[ClientError] = exceptions().from_code(code)
    return kind(parsed, operation)


def cancelled(reasons: list[dict[str, Any]]) -> ClientError:
    """A transaction that was not made."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    text = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return client_error("TransactionCanceledException", "TransactWriteItems", text, CancellationReasons=reasons)


def _read_error(fault: Fault, n: int) -> Exception:
    """What is left once botocore's retries are used up; by turns, what can be the reason."""
    if fault is Fault.ERROR_BEFORE and n % 3 == 0:
        return EndpointConnectionError(endpoint_url="https://dynamodb")
    if fault is Fault.ERROR_BEFORE and n % 3 == 1:
        return client_error("ProvisionedThroughputExceededException", "DynamoDB", "slow down")
    if fault is Fault.ERROR_AFTER and n % 2:
        return client_error("InternalServerError", "DynamoDB", "Internal server error", 500)
    return ReadTimeoutError(endpoint_url="https://dynamodb")


def _write_error(fault: Fault, n: int) -> Exception:
    if fault is Fault.ERROR_BEFORE and n % 2:
        return client_error("TransactionConflictException", "UpdateItem", "Transaction is ongoing for the item")
    return _read_error(fault, n)


def _transaction_error(fault: Fault, n: int) -> Exception:
    if fault is Fault.ERROR_BEFORE and n % 2:
        return cancelled([{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}])
    return _read_error(fault, n)


_USUAL, _LONG = (2, 12), (800, 3500)
_WRITES = (*COMMON, Fault.TWICE, Fault.LATE)
_NATURES = {
    **dict.fromkeys(OPERATIONS, Nature(_read_error, _USUAL, _LONG)),
    **dict.fromkeys(
        ("put_item", "update_item", "delete_item", "batch_write_item"), Nature(_write_error, _USUAL, _LONG, _WRITES)
    ),
    "transact_write_items": Nature(_transaction_error, _USUAL, _LONG, _WRITES),
}
