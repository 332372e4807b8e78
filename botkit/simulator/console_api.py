"""The part of the Messaging API that a bot's owner calls: the webhook's address, and LINE's test of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError, TimeoutError  # noqa: A004

from botkit.line.signature import sign
from botkit.simulator.chats import Account
from botkit.simulator.wire import Delivery, JsonObject, compact
from botkit.simulator.world import World

LONGEST_ADDRESS: Final = 500
"""Characters (LINE reference: Set webhook endpoint URL)."""
ANSWER_WITHIN: Final = 2.0
"""Seconds that LINE waits for a bot (LINE docs: Check webhook error statistics, request_timeout)."""

Said = tuple[int, JsonObject]
"""A status and a body."""

_INVALID: Final[Said] = 400, {"message": "Invalid webhook endpoint URL"}
_UNSET: Final[Said] = 404, {"message": "Webhook endpoint not found"}


def get_endpoint(world: World, account: Account, _body: Mapping[str, object]) -> Said:
    """Get webhook endpoint information: 404 until one is set."""
    now = world.accounts[account.user_id]
    return (200, {"endpoint": now.webhook, "active": now.webhook_active}) if now.webhook else _UNSET


def set_endpoint(world: World, account: Account, body: Mapping[str, object]) -> Said:
    """Set webhook endpoint URL. It changes nothing about "Use webhook"."""
    address = body.get("endpoint")
    if not isinstance(address, str) or not _is_address(address):
        return _INVALID
    world.set_webhook(account, address)
    return 200, {}


def test_endpoint(world: World, account: Account, body: Mapping[str, object]) -> Said:
    """Test webhook endpoint: calls the address given, or else the one that is set, with a signed body of no events.

    "Use webhook" need not be on for it.
    """
    address = body.get("endpoint", world.accounts[account.user_id].webhook)
    if address is None:
        return _UNSET
    if not isinstance(address, str) or not _is_address(address):
        return _INVALID
    content = compact({"destination": account.user_id, "events": []})
    delivery = Delivery(content, sign(account.channel_secret, content))
    at = datetime.fromtimestamp(world.clock.now() / 1000, UTC)
    status, reason, detail = call(address, delivery)
    shown = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
    success = reason == "OK"
    return 200, {"success": success, "timestamp": shown, "statusCode": status, "reason": reason, "detail": detail}


def call(address: str, delivery: Delivery) -> tuple[int, str, str]:
    """What LINE notes of one webhook call: the status (0 where there was no answer), the reason and the detail."""
    timeout = urllib3.Timeout(total=ANSWER_WITHIN)
    with urllib3.PoolManager(retries=False, timeout=timeout) as pool:
        try:
            # Without retries no redirect is followed, either; and LINE follows none.
            response = pool.request(
                "POST", address, body=delivery.body, headers=delivery.headers, preload_content=False
            )
        except HTTPError as error:
            return 0, *_failure(address, error)
        response.close()
    if 200 <= response.status < 300:
        return response.status, "OK", str(response.status)
    return response.status, "ERROR_STATUS_CODE", str(response.status)


def _failure(address: str, error: HTTPError) -> tuple[str, str]:
    if isinstance(error, SSLError):
        return "COULD_NOT_CONNECT", f"TLS handshake failure: {address}"
    if isinstance(error, NewConnectionError | ConnectTimeoutError):
        return "COULD_NOT_CONNECT", f"Connection failed: {address}"
    if isinstance(error, TimeoutError):
        return "REQUEST_TIMEOUT", "Request timeout"
    return "UNCLASSIFIED", type(error).__name__


def _is_address(address: str) -> bool:
    """LINE takes https alone. Here a machine's own bots, which have no certificate, are taken besides."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:  # a bracket that is not closed
        return False
    own = host in ("127.0.0.1", "::1", "localhost") or host.endswith(".localhost")
    is_fit = parts.scheme == "https" or (parts.scheme == "http" and own)
    return is_fit and bool(host) and len(address) <= LONGEST_ADDRESS
