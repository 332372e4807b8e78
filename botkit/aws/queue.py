"""The queue that wakes a worker: Amazon SQS, a standard queue."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  botocore's own name for it
    CredentialRetrievalError,
    HTTPClientError,
    NoRegionError,
)

from botkit.aws.queue_url import queue_fault, split_queue
from botkit.aws.secrets_refusals import NO_CREDENTIALS
from botkit.errors import WakeError
from botkit.ports import Conversation, Wakeup
from botkit.wire.connect import Patience, connect_to

CONNECT_TIMEOUT: Final = 0.5
READ_TIMEOUT: Final = 1.0
EARLY: Final = 0.3
"""Seconds. LINE waits for two: a second attempt is made only where the first has failed this early."""

BATCH: Final = 10
"""The most messages in one SendMessageBatch (SQS API reference)."""

LONGEST_HIDING: Final = 12 * 60 * 60
"""Seconds (SQS API reference: ChangeMessageVisibility, VisibilityTimeout)."""

PASSING: Final = frozenset({"RequestThrottled", "ThrottlingException", "Throttling", "KmsThrottled", "InternalError"})
"""Refusals that pass by themselves, beside all those with a 5xx."""

_MISSING: Final = "SQS has no queue {queue} in {region}: correct BOTKIT_QUEUE or the region, or create the queue"
_DENIED: Final = (
    "AWS does not allow it on the queue {queue}: give the role sqs:SendMessage and sqs:ChangeMessageVisibility on it"
)
_KEY: Final = (
    "SQS cannot use the KMS key of the queue {queue}: see that it is enabled, and allow the role kms:GenerateDataKey "
    "and kms:Decrypt on it"
)
_CREDENTIALS: Final = "AWS does not accept the credentials ({code}): renew them, or check the function's role"
_GONE: Final = (
    "the queue {queue} has taken the message back meanwhile: make its visibility timeout at least six times the "
    "function's timeout"
)
_NOT_FOUND: Final = "SQS is not found: see that AWS_ENDPOINT_URL, where it is set, is a URL and leads to AWS"
LEFT_OUT: Final = "botkit.LeftOut"
"""Our own code, beside AWS's, for a message of which the answer says nothing."""

CURES: Final = {
    LEFT_OUT: _NOT_FOUND,
    "QueueDoesNotExist": _MISSING,
    "AWS.SimpleQueueService.NonExistentQueue": _MISSING,
    "InvalidAddress": _MISSING,
    "AccessDenied": _DENIED,
    "AccessDeniedException": _DENIED,
    "KmsAccessDenied": _KEY,
    "KmsDisabled": _KEY,
    "KmsInvalidState": _KEY,
    "KmsInvalidKeyUsage": _KEY,
    "KmsNotFound": _KEY,
    "InvalidClientTokenId": _CREDENTIALS,
    "UnrecognizedClientException": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "InvalidSignatureException": _CREDENTIALS,
    "ExpiredToken": _CREDENTIALS,
    "ExpiredTokenException": _CREDENTIALS,
    "MissingAuthenticationToken": _CREDENTIALS,
    "MissingAuthenticationTokenException": _CREDENTIALS,
    "MessageNotInflight": _GONE,
    "ReceiptHandleIsInvalid": _GONE,
}


class SqsWake:
    """SQS as the port `Wake`; lives as long as the process and may be shared by threads.

    `client` is botocore's for SQS, by default one that gives up in time for an answer to LINE, in the
    SDK's own region or else that of the URL. Raises WakeError, at once where the URL is not a
    standard queue's.
    """

    def __init__(self, queue_url: str, client: Any = None) -> None:
        if fault := queue_fault(queue_url):
            raise WakeError(f"BOTKIT_QUEUE {fault}")
        self._url = queue_url
        self._name, region = split_queue(queue_url)
        with self._translated():
            self._client = client or _connect(region)
        self._region: str = self._client.meta.region_name

    def send(self, conversations: Sequence[Conversation]) -> None:
        """Send one message for each conversation. Those of a batch that SQS does not take keep no other from it."""
        bodies = [_body(conversation) for conversation in conversations]
        if len(bodies) == 1:
            lost = self._send(bodies[0])
        else:
            batches = [bodies[start : start + BATCH] for start in range(0, len(bodies), BATCH)]
            lost = [code for batch in batches for code in self._send_batch(batch)]
        if lost:
            text = f"{len(lost)} of {len(bodies)} wake-ups were not taken: {self._cure(lost[0])}"
            raise WakeError(text, retryable=PASSING.issuperset(lost))

    def come_back(self, wakeup: Wakeup, ms: int) -> None:
        """Hide the message for so long, from now, rounded up to a second; 12 hours at most."""
        seconds = min(max(-(-ms // 1000), 0), LONGEST_HIDING)
        self._ask(self._client.change_message_visibility, ReceiptHandle=wakeup.receipt, VisibilityTimeout=seconds)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, body: str) -> list[str]:
        """Send one message; a code where SQS does not say that it took it."""
        return [] if "MessageId" in self._ask(self._client.send_message, MessageBody=body) else [LEFT_OUT]

    def _send_batch(self, bodies: Sequence[str]) -> list[str]:
        """Send up to ten messages; the codes of those that SQS did not take."""
        ids = [str(position) for position in range(len(bodies))]
        entries = [{"Id": one, "MessageBody": body} for one, body in zip(ids, bodies, strict=True)]
        answer = self._ask(self._client.send_message_batch, Entries=entries)
        with self._translated():
            taken = {entry.get("Id") for entry in answer.get("Successful", ())}
            codes = {entry.get("Id"): entry.get("Code", LEFT_OUT) for entry in answer.get("Failed", ())}
        return [codes.get(one, LEFT_OUT) for one in ids if one not in taken]

    def _ask(self, call: Callable[..., Any], **asked: Any) -> Mapping[str, Any]:
        """One call, made again at once where it fails early: so dies a connection that Lambda has frozen.

        A client's own retries would first wait. A message sent twice does no harm.
        """
        began = time.monotonic()
        try:
            return self._ask_once(call, asked)
        except WakeError as error:
            if not error.retryable or time.monotonic() - began > EARLY:
                raise
        return self._ask_once(call, asked)

    def _ask_once(self, call: Callable[..., Any], asked: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._translated():
            answer: Mapping[str, Any] = call(QueueUrl=self._url, **asked)
            return answer

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turns what the client raises into a WakeError with the cure."""
        try:
            yield
        except ClientError as error:
            raise self._refusal(error) from error
        except NO_CREDENTIALS as error:
            text = "no AWS credentials for SQS: give the function a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID"
            # Where credentials are fetched from a role's endpoint, that may be out of order for a moment.
            raise WakeError(text, retryable=isinstance(error, CredentialRetrievalError)) from error
        except NoRegionError as error:
            raise WakeError("no AWS region for SQS: set AWS_DEFAULT_REGION") from error
        except (ConnectionError, HTTPClientError) as error:
            raise WakeError(f"SQS does not answer: {error}", retryable=True) from error
        except BotoCoreError as error:
            raise WakeError(f"the SQS client failed: {error}") from error
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            # Clients let these through: of an endpoint that is no URL, and of what is no answer of SQS.
            raise WakeError(_NOT_FOUND) from error

    def _refusal(self, error: ClientError) -> WakeError:
        # AWS's own message is left out: of a wrong signature it repeats the request, session token and all.
        told: Mapping[str, Any] = error.response["Error"]
        code = told.get("QueryErrorCode") or told["Code"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        # 501 is how a stand-in for AWS says that it does not know the operation.
        return WakeError(self._cure(code), retryable=code in PASSING or (status >= 500 and status != 501))

    def _cure(self, code: str) -> str:
        cure = CURES.get(code, "SQS refused ({code}) on the queue {queue}")
        return cure.format(queue=self._name, region=self._region, code=code)


def _connect(region: str | None) -> Any:
    """A client in the SDK's region, or in this one where it has none. Endpoint and credentials are the SDK's own."""
    # A single attempt: SqsWake makes its own second one.
    return connect_to("sqs", Patience(CONNECT_TIMEOUT, READ_TIMEOUT, attempts=1), region)


def _body(conversation: Conversation) -> str:
    return json.dumps({"bot": conversation.bot, "conversation": conversation.id}, separators=(",", ":"))
