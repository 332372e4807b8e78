"""Lambda's HTTP events as requests, and answers in the shape the front end expects.

Sources: API Gateway HTTP API payload 2.0 (also Lambda function URLs), REST API proxy integration
(payload 1.0), Application Load Balancer "Lambda functions as targets".
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from botkit.ports import Request, Response


def is_http(event: Mapping[str, Any]) -> bool:
    """Whether a Lambda event is an HTTP request of one of the four front ends."""
    context = event.get("requestContext")
    return isinstance(context, dict) and (isinstance(context.get("http"), dict) or "httpMethod" in event)


def read_request(event: Mapping[str, Any]) -> Request:
    """The request in an event for which `is_http` holds."""
    if "http" in event["requestContext"]:  # HTTP API and function URL
        method, path = event["requestContext"]["http"]["method"], event.get("rawPath", "/")
    else:  # REST API and load balancer
        method, path = event["httpMethod"], event.get("path", "/")
    content, is_base64 = event.get("body") or "", bool(event.get("isBase64Encoded"))
    return Request(method.upper(), path, _headers(event), content, is_base64)


def write_response(event: Mapping[str, Any], response: Response) -> dict[str, Any]:
    """The answer to `event`, as its front end takes it."""
    written: dict[str, Any] = {
        "statusCode": response.status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(response.body),
        "isBase64Encoded": False,
    }
    if "elb" in event["requestContext"]:
        written["statusDescription"] = f"{response.status} {HTTPStatus(response.status).phrase}"
    if "elb" in event["requestContext"] and "multiValueHeaders" in event:
        # A target group that sends multi-value headers takes no others back.
        written["multiValueHeaders"] = {name: [value] for name, value in written.pop("headers").items()}
    return written


def _headers(event: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """All values by lower-case name. The multi-value form, where there is one, holds what the other folds away."""
    headers: dict[str, list[str]] = {}
    for name, values in (event.get("multiValueHeaders") or {}).items():
        headers.setdefault(name.lower(), []).extend(values or [])
    if not headers:
        for name, value in (event.get("headers") or {}).items():
            headers.setdefault(name.lower(), []).append(value or "")
    return dict(headers)
