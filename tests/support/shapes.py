"""The four shapes in which an HTTP request reaches a Lambda handler, as AWS documents them."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

Shape = Callable[[str, str, Mapping[str, str], bytes, bool], dict[str, Any]]


def _content(body: bytes, is_base64: bool) -> dict[str, Any]:
    content = b64encode(body).decode() if is_base64 else body.decode("utf-8")
    return {"body": content, "isBase64Encoded": is_base64}


def http_api(method: str, path: str, headers: Mapping[str, str], body: bytes, is_base64: bool) -> dict[str, Any]:
    """API Gateway HTTP API, payload 2.0."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {"apiId": "a1", "http": {"method": method, "path": path}, "stage": "$default"},
        **_content(body, is_base64),
    }


def function_url(method: str, path: str, headers: Mapping[str, str], body: bytes, is_base64: bool) -> dict[str, Any]:
    """A Lambda function URL: payload 2.0 without an API."""
    event = http_api(method, path, headers, body, is_base64)
    return event | {"requestContext": {"accountId": "anonymous", "http": {"method": method, "path": path}}}


def rest_api(method: str, path: str, headers: Mapping[str, str], body: bytes, is_base64: bool) -> dict[str, Any]:
    """API Gateway REST API, proxy integration."""
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "requestContext": {"resourcePath": "/{proxy+}", "httpMethod": method, "stage": "prod"},
        **_content(body, is_base64),
    }


def load_balancer(method: str, path: str, headers: Mapping[str, str], body: bytes, is_base64: bool) -> dict[str, Any]:
    """An Application Load Balancer whose target group sends single-value headers."""
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:…"}},
        "httpMethod": method,
        "path": path,
        "queryStringParameters": {},
        "headers": {name.lower(): value for name, value in headers.items()},
        **_content(body, is_base64),
    }


SHAPES: list[Shape] = [http_api, function_url, rest_api, load_balancer]
