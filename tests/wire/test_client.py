"""The lean client asks, fails and refuses as botocore does, which is asked the same beside it."""

import json
import logging
import socket
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from threading import Barrier
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)

from botkit.wire.answers import TransactionCanceledException
from botkit.wire.client import AwsClient
from botkit.wire.retries import CODES
from botkit.wire.services import SERVICES, DynamoDB
from botkit.wire.settings import Settings
from botkit.wire.signature import Credentials
from tests.line.raw import Raw, answering
from tests.support.aws import free_port, lean
from tests.support.wire import Canned, serving

CANARY = "canary7f3a9c"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}
WRITE = {"Put": {"TableName": "t", "Item": KEY}}

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "GetItem": ("dynamodb", "get_item", {"TableName": "t", "Key": KEY, "ConsistentRead": True}),
    "BatchGetItem": ("dynamodb", "batch_get_item", {"RequestItems": {"t": {"Keys": [KEY]}}}),
    "BatchWriteItem": ("dynamodb", "batch_write_item", {"RequestItems": {"t": [{"DeleteRequest": {"Key": KEY}}]}}),
    "Query": ("dynamodb", "query", {"TableName": "t", "KeyConditionExpression": "#pk = :pk", "Limit": 3}),
    "UpdateItem": ("dynamodb", "update_item", {"TableName": "t", "Key": KEY, "UpdateExpression": "SET a = b 旅館"}),
    "TransactWriteItems": ("dynamodb", "transact_write_items", {"TransactItems": [WRITE], "ClientRequestToken": "1"}),
    "SendMessage": ("sqs", "send_message", {"QueueUrl": "https://h/1/q", "MessageBody": '{"bot":"旅館"}'}),
    "SendMessageBatch": (
        "sqs",
        "send_message_batch",
        {"QueueUrl": "https://h/1/q", "Entries": [{"Id": "0", "MessageBody": "{}"}]},
    ),
    "ChangeMessageVisibility": (
        "sqs",
        "change_message_visibility",
        {"QueueUrl": "https://h/1/q", "ReceiptHandle": "r", "VisibilityTimeout": 3},
    ),
    "GetParameters": ("ssm", "get_parameters", {"Names": ["/a"], "WithDecryption": True}),
    "GetSecretValue": ("secretsmanager", "get_secret_value", {"SecretId": "a"}),
    "BatchGetSecretValue": ("secretsmanager", "batch_get_secret_value", {"SecretIdList": ["a", "b"]}),
}


@pytest.fixture(scope="session")
def boto() -> boto3.Session:
    return boto3.Session()


@pytest.fixture
def both(boto: boto3.Session) -> Iterator[Callable[[str, str], list[Any]]]:
    """Makes botkit's client and botocore's of a service at an endpoint, each of a single attempt."""
    opened: list[Any] = []
    config = Config(connect_timeout=2, read_timeout=0.2, retries={"total_max_attempts": 1})

    def connect(service: str, url: str) -> list[Any]:
        make: Any = boto.client  # the stubs are of DynamoDB alone
        pair = [lean(service, url, 1, 0.2), make(service, "us-east-1", **KEYS, endpoint_url=url, config=config)]
        opened.extend(pair)
        return pair

    yield connect
    for client in opened:
        client.close()


def failure(call: Callable[[], Any]) -> Any:
    with pytest.raises((ClientError, BotoCoreError)) as caught:
        call()
    return caught.value


def failures_of(clients: list[Any], operation: str) -> list[Any]:
    _, method, asked = CALLS[operation]
    return [failure(partial(getattr(client, method), **asked)) for client in clients]


# ---------------------------------------------------------------- what is asked


def seen_by(server: Raw) -> list[tuple[dict[str, str], Any]]:
    """The headers and the body of each request; the last connection to a server has none."""
    return [head_and_body(request) for request in server.requests if request]


def head_and_body(request: bytes) -> tuple[dict[str, str], Any]:
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
    return {name.lower(): value for name, _, value in lines}, json.loads(body)


@pytest.mark.parametrize("operation", CALLS)
def test_a_request_is_the_one_of_botocore(both: Any, operation: str) -> None:
    service, method, asked = CALLS[operation]
    requests = []
    for which in (0, 1):
        with answering(OK) as server:
            getattr(both(service, server.url)[which], method)(**asked)
        requests += seen_by(server)
    (ours, our_body), (theirs, their_body) = requests
    assert our_body == their_body
    for name in ("x-amz-target", "content-type", "x-amzn-query-mode"):
        assert ours.get(name) == theirs.get(name)
    assert set(ours) <= {*theirs, "host", "accept-encoding"}


def test_a_role_and_lambdas_trace_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-2;Parent=é;Lineage=a:1")
    with answering(OK) as server:
        host, port = server.listener.getsockname()
        found = Settings("us-east-1", "http", host, port, Credentials("k", "s", "token"))
        with closing(DynamoDB(SERVICES["dynamodb"][1], found, 1, 1, 1)) as client:
            client.get_item()
    ((headers, _),) = seen_by(server)
    assert headers["x-amz-security-token"] == "token"
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target" in headers["authorization"]
    assert headers["x-amzn-trace-id"] == "Root=1-2;Parent=%C3%A9;Lineage=a:1"


def test_it_is_signed_for_now() -> None:
    now = 86_400 * 365.25
    with answering(OK) as server, closing(lean("sqs", server.url, clock=lambda: now)) as client:
        client.send_message()
    ((headers, _),) = seen_by(server)
    assert headers["x-amz-date"] == "19710101T060000Z"


# ---------------------------------------------------------------- what is answered


def test_an_answer_is_its_members_that_have_a_value() -> None:
    answers: list[Any] = [(200, {"Item": KEY, "Attributes": None}), (200, b""), (200, {})]
    with serving(Canned(answers)) as server, closing(lean("dynamodb", server.url)) as client:
        assert [client.get_item() for _ in answers] == [{"Item": KEY}, {}, {}]


@pytest.mark.parametrize("content", [b"[]", b"5", b"null", b"\xff", b"[" * 100_000, b'{"SecretString": "canary7f3a9c'])
def test_an_answer_that_is_no_json_object_is_said_and_not_shown(content: bytes) -> None:
    with (
        serving(Canned([(200, content)])) as server,
        closing(lean("secretsmanager", server.url)) as client,
        pytest.raises(ValueError, match="the answer to GetSecretValue is no JSON object") as caught,
    ):
        client.get_secret_value(SecretId="a")
    assert CANARY not in str(caught.value)
    assert caught.value.__context__ is None
    assert len(server.bodies) == 1


REASONS = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": KEY, "Message": "no"}]
REFUSALS: dict[str, tuple[str, int, dict[str, str], bytes | dict[str, Any]]] = {
    "a plain code": ("GetItem", 400, {}, {"__type": "ValidationException", "message": "no"}),
    "a code with its namespace": (
        "GetItem",
        400,
        {},
        {"__type": "com.amazonaws.dynamodb.v1#AccessDeniedException", "Message": "no"},
    ),
    "a code with an address": (
        "GetItem",
        400,
        {},
        {"__type": "com.amazon.coral#Throttled:http://internal/", "message": "no"},
    ),
    "a condition": (
        "UpdateItem",
        400,
        {},
        {"__type": "a#ConditionalCheckFailedException", "message": "no", "Item": KEY},
    ),
    "a transaction": (
        "TransactWriteItems",
        400,
        {"x-amzn-requestid": "R1"},
        {"__type": "a#TransactionCanceledException", "Message": "no", "CancellationReasons": REASONS},
    ),
    "a code and an older one": (
        "SendMessage",
        400,
        {"x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender"},
        {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no"},
    ),
    "an older code that is none": (
        "SendMessage",
        400,
        {"x-amzn-query-error": ";"},
        {"__type": "a#AccessDenied", "message": "no"},
    ),
    "no code": ("GetParameters", 403, {}, {"message": "Forbidden"}),
    "no message": ("GetItem", 400, {}, {"__type": "ValidationException"}),
    "a page": ("GetItem", 404, {}, b"Not Found"),
    "nothing": ("GetItem", 400, {}, b""),
    "nothing for now": ("GetItem", 503, {}, b""),
    "a page for now": ("GetItem", 502, {}, b"<html><body>Bad Gateway</body></html>"),
    "an outage": ("SendMessage", 500, {}, {"__type": "InternalError", "message": "no"}),
    "a way elsewhere": ("GetItem", 302, {"Location": "http://127.0.0.1:1/"}, {"message": "over there"}),
    "not known": ("GetSecretValue", 501, {}, {"__type": "NotImplemented", "message": "no"}),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_is_the_one_of_botocore(both: Any, case: str) -> None:
    operation, status, headers, content = REFUSALS[case]
    service, _, _ = CALLS[operation]
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with answering(f"HTTP/1.1 {status} No\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body) as server:
        ours, theirs = failures_of(both(service, server.url), operation)
    assert (type(ours).__name__, ours.operation_name) == (kind_of(theirs), theirs.operation_name)
    assert shape_of(ours.response) == shape_of(theirs.response)


def kind_of(error: ClientError) -> str:
    """Of botocore's many classes the one that botkit knows by name; of all others what they have in common."""
    name = type(error).__name__
    return name if name == TransactionCanceledException.__name__ else "ClientError"


def shape_of(response: Any) -> Any:
    metadata = {name: response["ResponseMetadata"].get(name) or "" for name in ("HTTPStatusCode", "RequestId")}
    members = {name: response[name] for name in ("Item", "CancellationReasons") if name in response}
    return response["Error"], metadata, members


def test_a_cancelled_transaction_has_a_class_of_its_own() -> None:
    answer = 400, {"__type": "a#TransactionCanceledException", "CancellationReasons": REASONS}
    with (
        serving(Canned([answer])) as server,
        closing(lean("dynamodb", server.url)) as client,
        pytest.raises(client.exceptions.TransactionCanceledException) as caught,
    ):
        client.transact_write_items(TransactItems=[WRITE])
    assert isinstance(caught.value, ClientError)
    assert caught.value.response["CancellationReasons"] == REASONS


# ---------------------------------------------------------------- no answer


def test_a_refused_connection_is_told_as_botocore_tells_it(both: Any) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ours, theirs = failures_of(both("dynamodb", url), "GetItem")
    assert (type(ours), str(ours)) == (EndpointConnectionError, str(theirs))


def test_silence_is_told_as_botocore_tells_it(both: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        ours, theirs = failures_of(both("dynamodb", url), "GetItem")
    assert (type(ours), str(ours)) == (ReadTimeoutError, str(theirs))


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"what?\r\n\r\n"])
def test_a_connection_that_is_closed_is_told_as_botocore_tells_it(both: Any, answer: bytes) -> None:
    with answering(answer) as server:
        ours, theirs = failures_of(both("dynamodb", server.url), "GetItem")
    assert (type(ours), str(ours)) == (ConnectionClosedError, str(theirs))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"Item": {}}',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{"Item": {}}\r\n',
    ],
)
def test_an_answer_cut_off_is_a_closed_connection(answer: bytes) -> None:
    with answering(answer) as server, closing(lean("dynamodb", server.url, attempts=1)) as client:
        assert type(failure(client.get_item)) is ConnectionClosedError


def test_an_answer_may_come_in_chunks() -> None:
    answer = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{"Item": {}}\r\n0\r\n\r\n'
    with answering(answer) as server, closing(lean("dynamodb", server.url, attempts=1)) as client:
        assert client.get_item() == {"Item": {}}


def test_a_host_that_is_not_there_is_told() -> None:
    found = Settings("us-east-1", "http", "nowhere.invalid", None, Credentials("k", "s"))
    with closing(AwsClient(SERVICES["sqs"][1], found, 1, 1, 1)) as client:
        error = failure(lambda: client.call("SendMessage", {}))
    assert str(error) == 'Could not connect to the endpoint URL: "http://nowhere.invalid/"'


# ---------------------------------------------------------------- attempts


class Patient:
    """A client's time, which passes at once: `pauses` are the limits of its waits."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.now = 0.0

    def client(self, url: str, attempts: int = 3, service: str = "dynamodb") -> Any:
        options: Any = {"clock": lambda: self.now, "pause": self.wait, "jitter": lambda limit: limit}
        return lean(service, url, attempts, 0.2, **options)

    def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += 1


@pytest.fixture
def patient() -> Patient:
    return Patient()


PASSING = [(400, code) for code in sorted(CODES)] + [(status, "New") for status in (429, 500, 502, 503, 504)]
LASTING = [(400, "ValidationException"), (403, "AccessDenied"), (413, "New"), (501, "NotImplemented"), (505, "New")]


@pytest.mark.parametrize(("status", "code", "calls"), [(*one, 3) for one in PASSING] + [(*one, 1) for one in LASTING])
def test_what_passes_by_itself_is_asked_again(patient: Patient, status: int, code: str, calls: int) -> None:
    with serving(Canned([(status, {"__type": code})])) as server, closing(patient.client(server.url)) as client:
        assert failure(client.get_item).response["Error"]["Code"] == code
    assert len(server.bodies) == calls
    assert patient.pauses == [0.05, 0.1][: calls - 1]


@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_there_are_so_many_attempts_and_no_more(patient: Patient, attempts: int) -> None:
    with answering(b"") as server, closing(patient.client(server.url, attempts)) as client:
        failure(client.get_item)
    assert len(seen_by(server)) == attempts


def test_a_later_attempt_may_succeed(patient: Patient) -> None:
    answers: list[Any] = [(500, b""), (400, {"__type": "ThrottlingException"}), (200, {"Item": KEY})]
    with serving(Canned(answers)) as server, closing(patient.client(server.url)) as client:
        assert client.get_item() == {"Item": KEY}


def test_all_attempts_of_a_transaction_have_one_token_and_each_a_signature_of_its_own(patient: Patient) -> None:
    with answering(b"") as server, closing(patient.client(server.url)) as client:
        failure(lambda: client.transact_write_items(TransactItems=[WRITE]))
        failure(lambda: client.transact_write_items(TransactItems=[WRITE]))
    requests = seen_by(server)
    tokens = [body["ClientRequestToken"] for _, body in requests]
    assert [len(set(three)) for three in (tokens[:3], tokens[3:], tokens)] == [1, 1, 2]
    assert len({headers["authorization"] for headers, _ in requests}) == 6


def test_a_connection_that_the_server_has_closed_meanwhile_is_replaced(patient: Patient) -> None:
    with answering(OK) as server, closing(patient.client(server.url)) as client:  # which does not say that it closes
        for _ in range(3):
            assert client.get_item() == {}
    assert len(patient.pauses) <= 2


# ---------------------------------------------------------------- connections


def test_a_client_that_was_closed_connects_anew() -> None:
    with serving(Canned([(200, {"Item": KEY})])) as server, closing(lean("dynamodb", server.url)) as client:
        client.get_item()
        client.close()
        assert client.get_item() == {"Item": KEY}


class Counting(Canned):
    """Counts connections."""

    connections = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)


def test_one_connection_serves_many_calls() -> None:
    answers: list[Any] = [(200, {}), (400, {"__type": "ValidationException"}), (200, {})]
    with serving(Counting(answers)) as server, closing(lean("dynamodb", server.url)) as client:
        client.get_item()
        failure(client.get_item)
        client.get_item()
    assert server.connections == 1


def test_threads_share_a_client(caplog: pytest.LogCaptureFixture) -> None:
    together = Barrier(8)
    with serving(Counting([(200, {"Item": KEY})])) as server, closing(lean("dynamodb", server.url)) as client:

        def ask(_: int) -> Any:
            together.wait()
            return [client.get_item() for _ in range(5)]

        with ThreadPoolExecutor(8) as pool, caplog.at_level(logging.WARNING):
            assert list(pool.map(ask, range(8))) == [[{"Item": KEY}] * 5] * 8
    assert server.connections <= 8
    assert not caplog.messages


# ---------------------------------------------------------------- secrets


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))


@pytest.mark.parametrize("told_as", [{"message": "x-amz-security-token:{}\\n"}, {"Message": "{}"}, b"<p>{}</p>"])
def test_no_refusal_tells_the_session_token(told_as: Any) -> None:
    if isinstance(told_as, bytes):
        content: Any = told_as.replace(b"{}", CANARY.encode())
    else:
        content = {"__type": "SignatureDoesNotMatch", **{name: text.format(CANARY) for name, text in told_as.items()}}
    with serving(Canned([(403, content)])) as server:
        host, port = "127.0.0.1", server.server_port
        found = Settings("us-east-1", "http", host, port, Credentials("k", "s", CANARY))
        with closing(AwsClient(SERVICES["dynamodb"][1], found, 1, 1, 1)) as client:
            error = failure(lambda: client.call("GetItem", {}))
    assert "[session token]" in str(error)
    assert CANARY not in told(error)


@pytest.mark.parametrize("ending", ["\n", "\r\nX: y", "é\n", "\udcff"])
def test_a_token_that_no_header_can_hold_is_not_told(ending: str) -> None:
    found = Settings(
        "us-east-1", "http", "127.0.0.1", free_port(), Credentials("k", f"{CANARY}-secret", CANARY + ending)
    )
    with closing(AwsClient(SERVICES["dynamodb"][1], found, 1, 1, 1)) as client:
        error = failure(lambda: client.call("GetItem", {}))
    assert type(error) is HTTPClientError
    assert CANARY not in told(error)
