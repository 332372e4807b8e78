"""What Lambda is invoked with: signed webhooks as an HTTP API hands them over, and batches of the queue."""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botkit.line.signature import sign

SECRET = "benchmark-secret"
TOKEN = "benchmark-token-of-a-length-as-LINE-has-it-" + "x" * 128
BOT = "bench"
DESTINATION = "U" + "0" * 32
TEXT = "Is there a quiet table for two by the window tonight at seven?"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A message that was sent. `event` is what the door is invoked with, `reply_token` what its answer spends."""

    event: dict[str, Any]
    reply_token: str


def person(number: int) -> str:
    """A user id of LINE's form."""
    return f"U{number:032x}"


def webhook(user_id: str, text: str = TEXT, bot: str = BOT) -> Webhook:
    """A webhook with one message, said now, as LINE sends it (LINE reference: Webhook event objects)."""
    reply_token = secrets.token_hex(16)
    event = {
        "type": "message",
        "message": {
            "type": "text",
            "id": str(time.time_ns())[-18:],
            "quoteToken": secrets.token_urlsafe(64),
            "markAsReadToken": secrets.token_urlsafe(160),
            "text": text,
        },
        "webhookEventId": "01" + secrets.token_hex(12).upper(),
        "deliveryContext": {"isRedelivery": False},
        "timestamp": time.time_ns() // 1_000_000,
        "source": {"type": "user", "userId": user_id},
        "replyToken": reply_token,
        "mode": "active",
    }
    body = json.dumps({"destination": DESTINATION, "events": [event]}, separators=(",", ":"))
    return Webhook(_request(f"/line/{bot}", body), reply_token)


def _request(path: str, body: str) -> dict[str, Any]:
    """A POST as API Gateway hands it over (API Gateway developer guide: HTTP API payload format 2.0)."""
    host = "a1b2c3d4e5.execute-api.ap-northeast-1.amazonaws.com"
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "content-length": str(len(body)),
            "content-type": "application/json; charset=utf-8",
            "host": host,
            "user-agent": "LineBotWebhook/2.0",
            "x-amzn-trace-id": "Root=1-" + secrets.token_hex(4) + "-" + secrets.token_hex(12),
            "x-forwarded-for": "147.92.150.192",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            "x-line-signature": sign(SECRET, body.encode()),
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": host.partition(".")[0],
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "147.92.150.192",
                "userAgent": "LineBotWebhook/2.0",
            },
            "requestId": secrets.token_urlsafe(12),
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "timeEpoch": time.time_ns() // 1_000_000,
        },
        "body": body,
        "isBase64Encoded": False,
    }


def batch(taken: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Messages taken from the queue, as Lambda is invoked with them (Lambda developer guide: Using Lambda with SQS)."""
    return {"Records": [_record(message) for message in taken]}


def _record(message: dict[str, Any]) -> dict[str, Any]:
    now = str(time.time_ns() // 1_000_000)
    return {
        "messageId": message["id"],
        "receiptHandle": message["handle"],
        "body": message["body"],
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": now,
            "SenderId": "AROAEXAMPLE:bench",
            "ApproximateFirstReceiveTimestamp": now,
        },
        "messageAttributes": {},
        "md5OfBody": message.get("md5", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:ap-northeast-1:123456789012:bench",
        "awsRegion": "ap-northeast-1",
    }
