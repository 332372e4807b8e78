"""SQS over its JSON protocol: one standard queue, whose messages wait until they are taken."""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from hashlib import md5
from typing import Any, Final
from uuid import uuid4

from benchmarks.versus.servers.http import Ledger, Request, Response, respond

Asked = Mapping[str, Any]
Document = dict[str, Any]

TARGET: Final = "AmazonSQS."
JSON_1_0: Final = "application/x-amz-json-1.0"
SIGNED: Final = "AWS4-HMAC-SHA256 "
PATH: Final = "/000000000000/bench"
"""Where the queue is found, behind the address of the server."""
LARGEST: Final = 1024 * 1024
"""Bytes of a message, and of a batch (SQS developer guide: Amazon SQS message quotas)."""
MOST: Final = 10
LONGEST_HIDING: Final = 43_200
_OLD: Final = "AWS.SimpleQueueService."
OLD_CODES: Final = {
    "QueueDoesNotExist": f"{_OLD}NonExistentQueue",
    "EmptyBatchRequest": f"{_OLD}EmptyBatchRequest",
    "TooManyEntriesInBatchRequest": f"{_OLD}TooManyEntriesInBatchRequest",
    "BatchEntryIdsNotDistinct": f"{_OLD}BatchEntryIdsNotDistinct",
    "UnsupportedOperation": f"{_OLD}UnsupportedOperation",
}
"""What errors were called in the older protocol, which clients are told beside it."""


class Refused(Exception):
    """What SQS answers with an error."""

    def __init__(self, code: str, message: str) -> None:
        self.document = {"__type": f"com.amazonaws.sqs#{code}", "message": message}
        self.headers = {"x-amzn-query-error": f"{OLD_CODES.get(code, code)};Sender"}
        super().__init__(message)


class SQS:
    """The queue; lives as long as the process. Handles of messages that were taken stay known until a reset."""

    name = "sqs"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._operations: dict[str, Callable[[Asked], Document]] = {
            "SendMessage": self._send,
            "SendMessageBatch": self._send_batch,
            "ChangeMessageVisibility": self._hide,
            "DeleteMessage": self._delete,
        }
        self.reset()

    def reset(self) -> None:
        """Empty the queue."""
        self._waiting: deque[Document] = deque()
        self._handles: set[str] = set()

    def take(self, most: int) -> list[Document]:
        """Take messages out of the queue, the oldest first."""
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        self._handles.update(message["handle"] for message in taken)
        return taken

    # ---------------------------------------------------------------- requests

    def answer(self, request: Request) -> Response:
        """See `Service.answer`."""
        operation = request.headers.get("x-amz-target", "").removeprefix(TARGET)
        self._ledger.add(f"sqs.{operation}")
        headers = {"x-amzn-requestid": str(uuid4())}
        try:
            return respond(self._answer(operation, request), 200, headers, kind=JSON_1_0)
        except Refused as refused:
            return respond(refused.document, 400, headers | refused.headers, kind=JSON_1_0)

    def _answer(self, operation: str, request: Request) -> Document:
        if not request.headers.get("authorization", "").startswith(SIGNED):
            raise Refused("MissingAuthenticationToken", "Request is missing Authentication Token")
        if operation not in self._operations:
            raise Refused("UnsupportedOperation", f"The operation {operation} is not supported.")
        asked = json.loads(request.body)
        if not str(asked.get("QueueUrl", "")).endswith(PATH):
            raise Refused("QueueDoesNotExist", "The specified queue does not exist.")
        return self._operations[operation](asked)

    def _send(self, asked: Asked) -> Document:
        _check_bodies([asked])
        return self._put(asked)

    def _put(self, asked: Asked) -> Document:
        body, message_id = asked["MessageBody"], str(uuid4())
        self._waiting.append({"id": message_id, "handle": uuid4().hex, "body": body})
        digest = md5(body.encode(), usedforsecurity=False).hexdigest()
        return {"MessageId": message_id, "MD5OfMessageBody": digest}

    def _send_batch(self, asked: Asked) -> Document:
        entries = asked.get("Entries", [])
        _check_batch([entry["Id"] for entry in entries])
        _check_bodies(entries)
        return {"Successful": [{"Id": entry["Id"], **self._put(entry)} for entry in entries], "Failed": []}

    def _hide(self, asked: Asked) -> Document:
        """A message that was taken does not come back, but its handle has to be one."""
        self._check_handle(asked)
        if not 0 <= asked.get("VisibilityTimeout", -1) <= LONGEST_HIDING:
            raise Refused("InvalidParameterValue", "VisibilityTimeout must be between 0 and 43200 seconds.")
        return {}

    def _delete(self, asked: Asked) -> Document:
        self._check_handle(asked)
        return {}

    def _check_handle(self, asked: Asked) -> None:
        if asked.get("ReceiptHandle") not in self._handles:
            raise Refused("ReceiptHandleIsInvalid", "The input receipt handle is not a valid receipt handle.")


def _check_batch(ids: Sequence[str]) -> None:
    if not ids:
        raise Refused("EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request.")
    if len(ids) > MOST:
        text = f"Maximum number of entries per request are {MOST}. You have sent {len(ids)}."
        raise Refused("TooManyEntriesInBatchRequest", text)
    if len(set(ids)) < len(ids):
        raise Refused("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")


def _check_bodies(entries: Sequence[Asked]) -> None:
    bodies = [entry.get("MessageBody") for entry in entries]
    if not all(bodies):
        raise Refused("MissingParameter", "The request must contain the parameter MessageBody.")
    if sum(len(str(body).encode()) for body in bodies) > LARGEST:
        raise Refused("InvalidParameterValue", f"One or more parameters are invalid: longer than {LARGEST} bytes.")
