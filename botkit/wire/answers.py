"""AWS's JSON protocol: what a service answers, and its refusals as botocore's own errors."""

import http.client
import json
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError
from urllib3 import BaseHTTPResponse

LONGEST_TEXT: Final = 1000
"""The most characters shown of a refusal that is no JSON: a page of some server in between."""


class TransactionCanceledException(ClientError):
    """DynamoDB made none of a transaction's writes; `response["CancellationReasons"]` has a reason for each."""


def read_answer(operation: str, answer: BaseHTTPResponse, token: str | None) -> dict[str, Any]:
    """The members of the answer that have a value.

    `token` is the session token, which no error may tell. Raises ClientError where the service refused, shaped
    as botocore shapes it, and ValueError where the answer is no JSON object.
    """
    found = _parse(answer.data)
    if answer.status >= 300:
        raise _refusal(operation, answer, _told(answer, found), token)
    if found is None:
        # Without the parser's error, which would hold the answer, and so perhaps a secret.
        raise ValueError(f"the answer to {operation} is no JSON object")
    return {name: value for name, value in found.items() if value is not None}


def _parse(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data) if data else {}
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refusal(operation: str, answer: BaseHTTPResponse, found: Mapping[str, Any], token: str | None) -> ClientError:
    # Of a wrong signature AWS's message repeats the request, and so the session token.
    told = {name: _redact(value, token) for name, value in found.items() if name != "__type"}
    code = str(found.get("__type") or answer.status).partition(":")[0].rpartition("#")[2]
    message = told.get("message", told.get("Message", ""))
    error = {"Message": message, "Code": code, **_query_codes(answer, code)}
    metadata = {
        "HTTPStatusCode": answer.status,
        "HTTPHeaders": {name.lower(): value for name, value in answer.headers.items()},
        "RequestId": answer.headers.get("x-amzn-requestid", ""),
    }
    response: Any = {**told, "Error": error, "ResponseMetadata": metadata}
    kind = TransactionCanceledException if code == TransactionCanceledException.__name__ else ClientError
    return kind(response, operation)


def _query_codes(answer: BaseHTTPResponse, code: str) -> dict[str, str]:
    """SQS's codes of the time before its JSON protocol, which botocore puts first, and then the code of today."""
    older, _, kind = answer.headers.get("x-amzn-query-error", "").partition(";")
    return {"Code": older, "Type": kind, "QueryErrorCode": code} if older and kind else {}


def _told(answer: BaseHTTPResponse, found: dict[str, Any] | None) -> dict[str, Any]:
    """What a refusal says, in the service's words or, as a message, in those of whoever sent a page instead."""
    if found is not None and answer.data:
        return found
    page = answer.data.decode("utf-8", "replace").strip()[:LONGEST_TEXT]
    says_nothing = answer.status >= 500 and (not page or page.startswith("<html>"))
    return {"message": http.client.responses.get(answer.status, "") if says_nothing else page}


def _redact(value: Any, token: str | None) -> Any:
    return value.replace(token, "[session token]") if token and isinstance(value, str) else value
