"""Waking workers through SQS: a real queue, and one that loses, refuses and hangs."""

import json
import os
import socket
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from botkit.aws import queue as module
from botkit.aws.batch import read_batch
from botkit.aws.queue import CONNECT_TIMEOUT, EARLY, READ_TIMEOUT, SqsWake
from botkit.aws.queue_url import queue_fault, split_queue
from botkit.errors import WakeError
from botkit.ports import Conversation, Wake, Wakeup
from tests.aws.upstream import Upstream, refusal
from tests.support.aws import BY_BOTOCORE, CREDENTIALS, free_port, poll
from tests.support.wire import Canned, Lossy, serving

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/botkit-wake"
HANA = Conversation("concierge", "user:U1")
MANY = [Conversation("concierge", f"user:U{n}") for n in range(23)]
WAKEUP = Wakeup("m1", "receipt-7f3a9c", 1, HANA)

CALLS: dict[str, Callable[[Wake], None]] = {
    "SendMessage": lambda wake: wake.send([HANA]),
    "SendMessageBatch": lambda wake: wake.send(MANY[:2]),
    "ChangeMessageVisibility": lambda wake: wake.come_back(WAKEUP, 1000),
}
every_call = pytest.mark.parametrize("operation", CALLS)


@pytest.fixture(params=["lean", "botocore"])
def aws(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> pytest.MonkeyPatch:
    """An environment that says nothing about AWS but the credentials and a region; for either kind of client."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    if request.param == "botocore":
        monkeypatch.setenv(*BY_BOTOCORE)
    return monkeypatch


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every failure is early enough for a second attempt, however slow the machine."""
    monkeypatch.setattr(module, "EARLY", 60.0)


@pytest.fixture
def between(aws: pytest.MonkeyPatch, aws_endpoint: str) -> Iterator[Upstream]:
    """What stands between botkit and AWS, and is where the environment says SQS is."""
    with serving(Upstream(aws_endpoint)) as server:
        aws.setenv("AWS_ENDPOINT_URL_SQS", server.url)
        yield server


@pytest.fixture
def wake(between: Upstream, sqs_queue: str) -> Iterator[SqsWake]:
    with closing(SqsWake(sqs_queue)) as made:
        yield made


def bodies(client: Any, queue: str) -> list[str]:
    """The bodies of all messages that wait in a queue."""
    found: list[str] = []
    while event := poll(client, queue):
        found += [record["body"] for record in event["Records"]]
    return found


def failure(wake: Wake, call: Callable[[Wake], None]) -> WakeError:
    with pytest.raises(WakeError) as caught:
        call(wake)
    return caught.value


# ---------------------------------------------------------------- a real queue


def test_a_conversation_is_sent_as_exactly_this(
    wake: SqsWake, between: Upstream, sqs_client: Any, sqs_queue: str
) -> None:
    wake.send([HANA])
    assert bodies(sqs_client, sqs_queue) == ['{"bot":"concierge","conversation":"user:U1"}']
    assert between.operations == ["SendMessage"]


def test_nothing_is_sent_for_nobody(wake: SqsWake, between: Upstream) -> None:
    wake.send([])
    assert between.calls == []


@pytest.mark.parametrize(("count", "batches"), [(2, [2]), (10, [10]), (11, [10, 1]), (23, [10, 10, 3])])
def test_many_are_sent_in_batches_of_ten(
    wake: SqsWake, between: Upstream, sqs_client: Any, sqs_queue: str, count: int, batches: list[int]
) -> None:
    wake.send(MANY[:count])
    expected = [f'{{"bot":"concierge","conversation":"user:U{n}"}}' for n in range(count)]
    assert sorted(bodies(sqs_client, sqs_queue)) == sorted(expected)
    assert [len(asked["Entries"]) for _, asked in between.calls] == batches
    assert set(between.operations) == {"SendMessageBatch"}


def test_what_is_sent_is_what_a_worker_reads(wake: SqsWake, sqs_client: Any, sqs_queue: str) -> None:
    wake.send(MANY[:3])
    event = poll(sqs_client, sqs_queue)
    assert event is not None
    wakeups, strangers = read_batch(event)
    assert {(wakeup.conversation, wakeup.receives) for wakeup in wakeups} == {(one, 1) for one in MANY[:3]}
    assert strangers == []


def test_a_message_comes_back_when_it_is_told_to(wake: SqsWake, sqs_client: Any, sqs_queue: str) -> None:
    wake.send([HANA])
    (((wakeup,), _),) = [read_batch(poll(sqs_client, sqs_queue) or {})]
    assert poll(sqs_client, sqs_queue) is None
    wake.come_back(wakeup, 0)
    (((again,), _),) = [read_batch(poll(sqs_client, sqs_queue) or {})]
    assert (again.id, again.receives, again.conversation) == (wakeup.id, 2, HANA)


@pytest.mark.parametrize(
    ("ms", "seconds"),
    [
        (-5, 0),
        (0, 0),
        (1, 1),
        (999, 1),
        (1000, 1),
        (1001, 2),
        (43_200_000, 43_200),
        (43_200_001, 43_200),
        (10**12, 43_200),
    ],
)
def test_the_time_is_rounded_up_to_seconds_and_cut_at_twelve_hours(
    wake: SqsWake, between: Upstream, sqs_queue: str, ms: int, seconds: int
) -> None:
    between.answers["ChangeMessageVisibility"] = 200, {}
    wake.come_back(WAKEUP, ms)
    asked = {"QueueUrl": sqs_queue, "ReceiptHandle": WAKEUP.receipt, "VisibilityTimeout": seconds}
    assert between.calls == [("ChangeMessageVisibility", asked)]


def test_a_client_may_be_given(sqs_client: Any, sqs_queue: str) -> None:
    SqsWake(sqs_queue, sqs_client).send([HANA])
    assert len(bodies(sqs_client, sqs_queue)) == 1


# ---------------------------------------------------------------- AWS refuses


def test_a_queue_that_is_missing_is_named_with_the_region(between: Upstream, sqs_queue: str) -> None:
    with closing(SqsWake(f"{sqs_queue}-2")) as wake:
        for operation, call in CALLS.items():
            error = failure(wake, call)
            name = sqs_queue.rpartition("/")[2]
            assert str(error) == (
                f"SQS has no queue {name}-2 in us-east-1: correct BOTKIT_QUEUE or the region, or create the queue"
            ), operation
            assert not error.retryable
            assert isinstance(error.__cause__, ClientError)


def test_a_receipt_that_holds_no_more_is_said_with_its_cure(wake: SqsWake) -> None:
    error = failure(wake, CALLS["ChangeMessageVisibility"])
    assert "has taken the message back meanwhile: make its visibility timeout at least six times" in str(error)
    assert WAKEUP.receipt not in str(error)


DENIED = (
    "AWS does not allow it on the queue {queue}: give the role sqs:SendMessage and sqs:ChangeMessageVisibility on it"
)
REFUSED_CREDENTIALS = "AWS does not accept the credentials ({code}): renew them, or check the function's role"
KEY = (
    "SQS cannot use the KMS key of the queue {queue}: see that it is enabled, and allow the role kms:GenerateDataKey "
    "and kms:Decrypt on it"
)
REFUSALS = [
    ("AccessDenied", DENIED),
    ("AccessDeniedException", DENIED),
    ("KmsAccessDenied", KEY),
    ("KmsDisabled", KEY),
    ("InvalidClientTokenId", REFUSED_CREDENTIALS),
    ("ExpiredTokenException", REFUSED_CREDENTIALS),
    ("SignatureDoesNotMatch", REFUSED_CREDENTIALS),
    ("SomethingNew", "SQS refused (SomethingNew) on the queue {queue}"),
]


@every_call
@pytest.mark.parametrize(("code", "text"), REFUSALS)
def test_a_refusal_is_said_with_its_cure(
    wake: SqsWake, between: Upstream, sqs_queue: str, operation: str, code: str, text: str
) -> None:
    between.answers[operation] = refusal(code)
    error = failure(wake, CALLS[operation])
    assert str(error) == text.format(queue=sqs_queue.rpartition("/")[2], code=code)
    assert not error.retryable
    assert between.operations == [operation]


def test_what_aws_repeats_of_a_request_is_not_told(wake: SqsWake, between: Upstream) -> None:
    told = {"__type": "SignatureDoesNotMatch", "message": "the Canonical String was x-amz-security-token:canary7f3a9c"}
    between.answers["SendMessage"] = 403, told
    assert "canary" not in str(failure(wake, CALLS["SendMessage"]))


@every_call
@pytest.mark.parametrize(("code", "status"), [("RequestThrottled", 400), ("ThrottlingException", 400), ("Other", 500)])
def test_what_passes_by_itself_is_tried_once_more_and_may_be_asked_again(
    wake: SqsWake, between: Upstream, patient: None, operation: str, code: str, status: int
) -> None:
    between.answers[operation] = refusal(code, status)
    assert failure(wake, CALLS[operation]).retryable
    assert between.operations == [operation] * 2


# ---------------------------------------------------------------- a batch is taken in part


def taken(*ids: str) -> list[dict[str, Any]]:
    return [{"Id": one, "MessageId": one, "MD5OfMessageBody": "x"} for one in ids]


def left(one: str, code: str) -> dict[str, Any]:
    return {"Id": one, "Code": code, "SenderFault": False, "Message": "canary7f3a9c"}


def sent_against(
    aws: pytest.MonkeyPatch, answers: list[Any], conversations: list[Conversation]
) -> tuple[WakeError, Canned]:
    with serving(Canned([(200, answer) for answer in answers])) as server:
        aws.setenv("AWS_ENDPOINT_URL_SQS", server.url)
        with closing(SqsWake(URL)) as wake:
            return failure(wake, lambda wake: wake.send(conversations)), server


def test_what_is_not_taken_keeps_no_other_batch_from_being_sent(aws: pytest.MonkeyPatch) -> None:
    first = {"Successful": taken(*map(str, range(9))), "Failed": [left("9", "AccessDenied")]}
    then = {"Successful": taken(*map(str, range(10))), "Failed": []}
    error, server = sent_against(aws, [first, then], MANY[:20])
    assert len(server.bodies) == 2
    assert str(error) == f"1 of 20 wake-ups were not taken: {DENIED.format(queue='botkit-wake')}"
    assert not error.retryable


@pytest.mark.parametrize(
    ("codes", "retryable"), [(("InternalError", "RequestThrottled"), True), (("InternalError", "Other"), False)]
)
def test_what_is_not_taken_may_be_asked_again_if_all_of_it_may(
    aws: pytest.MonkeyPatch, codes: tuple[str, str], retryable: bool
) -> None:
    failed = [left(str(place), code) for place, code in enumerate(codes)]
    error, _ = sent_against(aws, [{"Successful": taken("2"), "Failed": failed}], MANY[:3])
    assert str(error) == "2 of 3 wake-ups were not taken: SQS refused (InternalError) on the queue botkit-wake"
    assert error.retryable == retryable


NOT_FOUND = "SQS is not found: see that AWS_ENDPOINT_URL, where it is set, is a URL and leads to AWS"


@pytest.mark.parametrize(
    "answer", [{}, {"Successful": []}, {"Successful": [{}], "Failed": [{}]}, {"Successful": taken("7"), "Failed": None}]
)
def test_what_an_answer_says_nothing_of_is_not_taken(aws: pytest.MonkeyPatch, answer: Any) -> None:
    assert str(sent_against(aws, [answer], MANY[:2])[0]) == f"2 of 2 wake-ups were not taken: {NOT_FOUND}"


def test_an_answer_without_an_id_took_nothing(aws: pytest.MonkeyPatch) -> None:
    assert str(sent_against(aws, [{}], [HANA])[0]) == f"1 of 1 wake-ups were not taken: {NOT_FOUND}"


@pytest.mark.parametrize(
    "content", [b"[]", b"5", b"null", b"\xff", b"[" * 100_000, b'{"Successful": 5}', b'{"Successful": [5]}']
)
@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_that_is_none_of_sqs_is_said(wake: SqsWake, between: Upstream, content: bytes, status: int) -> None:
    between.answers["SendMessageBatch"] = status, content
    error = failure(wake, CALLS["SendMessageBatch"])
    assert NOT_FOUND in str(error) or str(error).startswith("SQS refused (400)")


# ---------------------------------------------------------------- lost, slow, out of reach


@every_call
@pytest.mark.parametrize("before", [True, False])
def test_a_connection_that_breaks_is_tried_once_more(
    aws: pytest.MonkeyPatch,
    patient: None,
    aws_endpoint: str,
    sqs_client: Any,
    sqs_queue: str,
    operation: str,
    before: bool,
) -> None:
    sqs_client.send_message(QueueUrl=sqs_queue, MessageBody="{}")
    received = poll(sqs_client, sqs_queue)
    assert received is not None
    wakeup = Wakeup("m", received["Records"][0]["receiptHandle"], 1, HANA)
    calls: dict[str, Callable[[Wake], None]] = {
        **CALLS,
        "ChangeMessageVisibility": lambda wake: wake.come_back(wakeup, 1000),
    }
    with serving(Lossy(aws_endpoint, operation, before=before)) as server:
        aws.setenv("AWS_ENDPOINT_URL_SQS", server.url)
        with closing(SqsWake(sqs_queue)) as wake:
            calls[operation](wake)
        assert server.lost == 1


def test_what_is_lost_twice_is_lost(aws: pytest.MonkeyPatch, patient: None, aws_endpoint: str, sqs_queue: str) -> None:
    with serving(Lossy(aws_endpoint, "SendMessage", times=9)) as server:
        aws.setenv("AWS_ENDPOINT_URL_SQS", server.url)
        with closing(SqsWake(sqs_queue)) as wake:
            error = failure(wake, CALLS["SendMessage"])
        assert server.lost == 2
    assert str(error).startswith("SQS does not answer: Connection was closed")
    assert error.retryable
    assert isinstance(error.__cause__, BotoCoreError)


def test_all_attempts_together_end_before_line_gives_up() -> None:
    assert EARLY + CONNECT_TIMEOUT + READ_TIMEOUT < 2


def connections(listener: socket.socket) -> int:
    """How many connections a listener has got that has accepted none so far."""
    listener.setblocking(False)
    count = 0
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return count
        connection.close()
        count += 1


@pytest.mark.parametrize("call", [*CALLS.values(), lambda wake: wake.send(MANY)], ids=[*CALLS, "many batches"])
def test_a_queue_that_hangs_is_tried_once_and_given_up(aws: pytest.MonkeyPatch, call: Callable[[Wake], None]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # the kernel takes the request, and nobody answers
        aws.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{listener.getsockname()[1]}")
        with closing(SqsWake(URL)) as wake:
            error = failure(wake, call)
        assert connections(listener) == 1
    assert str(error).startswith("SQS does not answer: Read timeout")
    assert error.retryable


@every_call
def test_a_refused_connection_may_be_asked_again(aws: pytest.MonkeyPatch, operation: str) -> None:
    aws.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{free_port()}")
    with closing(SqsWake(URL)) as wake:
        error = failure(wake, CALLS[operation])
    assert str(error).startswith("SQS does not answer: Could not connect to the endpoint URL")
    assert error.retryable


# ---------------------------------------------------------------- what the environment lacks


def test_the_region_is_that_of_the_url_where_the_sdk_has_none(aws: pytest.MonkeyPatch) -> None:
    aws.delenv("AWS_DEFAULT_REGION")
    with serving(Canned([(400, {"__type": "QueueDoesNotExist"})])) as server:
        aws.setenv("AWS_ENDPOINT_URL_SQS", server.url)
        with closing(SqsWake(URL)) as wake:
            assert "SQS has no queue botkit-wake in eu-west-1: " in str(failure(wake, CALLS["SendMessage"]))


def test_without_any_region_the_error_names_the_variable(aws: pytest.MonkeyPatch) -> None:
    aws.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(WakeError) as caught:
        SqsWake("http://localhost:4566/000000000000/botkit-wake")
    assert str(caught.value) == "no AWS region for SQS: set AWS_DEFAULT_REGION"
    assert isinstance(caught.value.__cause__, BotoCoreError)


@every_call
def test_without_credentials_the_error_says_where_they_come_from(aws: pytest.MonkeyPatch, operation: str) -> None:
    aws.delenv("AWS_ACCESS_KEY_ID")
    aws.delenv("AWS_SECRET_ACCESS_KEY")
    with closing(SqsWake(URL)) as wake:
        error = failure(wake, CALLS[operation])
    assert str(error) == (
        "no AWS credentials for SQS: give the function a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID"
    )


def test_an_unknown_profile_is_one_without_credentials(aws: pytest.MonkeyPatch) -> None:
    aws.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(WakeError, match="no AWS credentials for SQS"):
        SqsWake(URL)


def test_a_broken_endpoint_is_said(aws: pytest.MonkeyPatch) -> None:
    aws.setenv("AWS_ENDPOINT_URL_SQS", "not a url")
    with pytest.raises(WakeError) as caught:
        SqsWake(URL)
    assert str(caught.value) == NOT_FOUND


@every_call
def test_no_failure_tells_a_secret(wake: SqsWake, between: Upstream, aws: pytest.MonkeyPatch, operation: str) -> None:
    between.answers[operation] = 403, {"__type": "AccessDenied", "message": "no"}
    text = "".join(traceback.format_exception(failure(wake, CALLS[operation])))
    assert WAKEUP.receipt not in text
    assert json.dumps(HANA.id) not in text


# ---------------------------------------------------------------- the URL

NO_URL = "is not the URL of an SQS queue; write https://sqs.REGION.amazonaws.com/ACCOUNT/NAME"
FIFO = "names a FIFO queue; make a standard one: conversations keep their order by themselves"
FAULTS = [
    (f"{URL}.fifo", FIFO),
    ("botkit.fifo", FIFO),
    *(
        (url, NO_URL)
        for url in (
            *("", "botkit-wake", "arn:aws:sqs:eu-west-1:123456789012:botkit-wake", "sqs.eu-west-1.amazonaws.com/1/q"),
            *("https://sqs.eu-west-1.amazonaws.com", "https://sqs.eu-west-1.amazonaws.com/botkit", "ftp://host/1/q"),
            *(f"{URL}/", f"{URL}?x=1", f"{URL}#x", f"{URL} ", f"{URL}\n", f" {URL}", "https:///1/q", f"{URL}é"),
            *("https://user:canary@host/1/q", "https://host:port/1/q", "https://host/1/" + "q" * 81, "https://[::1"),
        )
    ),
]


@pytest.mark.parametrize(("url", "text"), FAULTS)
def test_what_is_no_queue_of_ours_is_said_at_once_and_not_shown(url: str, text: str) -> None:
    assert queue_fault(url) == text
    with pytest.raises(WakeError) as caught:
        SqsWake(url)
    assert str(caught.value) == f"BOTKIT_QUEUE {text}"
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("sqs.eu-west-1.amazonaws.com", "eu-west-1"),
        ("sqs.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("sqs-fips.us-east-1.amazonaws.com", "us-east-1"),
        ("sqs.ap-northeast-1.api.aws", "ap-northeast-1"),
        ("vpce-0a1b-2c3d.sqs.us-west-2.vpce.amazonaws.com", "us-west-2"),
        ("sqs.us-east-1.localhost.localstack.cloud:4566", "us-east-1"),
        ("queue.amazonaws.com", None),
        ("127.0.0.1:4566", None),
        ("localhost", None),
        ("sqs.example.com", None),
        ("notsqs.eu-west-1.amazonaws.com", None),
    ],
)
def test_a_queues_url_tells_its_name_and_perhaps_its_region(host: str, region: str | None) -> None:
    assert split_queue(f"https://{host}/123456789012/botkit_Wake-1") == ("botkit_Wake-1", region)
