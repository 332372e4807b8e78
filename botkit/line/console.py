"""What the owner of an account asks of LINE from a terminal, through LINE's own SDK.

The SDK takes more than a second to load: import this module only where LINE is really asked. (The bots themselves
speak to LINE through `botkit.line.client`.)
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal, Self

from linebot.v3.messaging import (  # type: ignore[import-untyped]  # it ships no types
    ApiClient,
    Configuration,
    MessagingApi,
    SetWebhookEndpointRequest,
    TestWebhookEndpointRequest,
)
from linebot.v3.messaging.exceptions import ApiException  # type: ignore[import-untyped]
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationValueError, NewConnectionError

from botkit.errors import LineError, LineRefused, LineUnsure

CONNECT: Final = 3.0
READ: Final = 5.0
TEST_READ: Final = 10.0
"""Seconds. LINE itself waits two for the bot, and connects before that."""
_LONGEST_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where LINE sends an account's webhooks, and whether it does: `active` is "Use webhook" of LINE's console."""

    address: str
    active: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of LINE's own test of a webhook.

    `status` is that of the bot's answer, 0 or less where there was none. `reason` is OK, COULD_NOT_CONNECT,
    REQUEST_TIMEOUT, ERROR_STATUS_CODE or UNCLASSIFIED (LINE docs: Check webhook error statistics).
    """

    success: bool
    status: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account as LINE knows it (LINE reference: Get bot info).

    `user_id` is the `destination` of its webhooks. `ahead`: by how many seconds this machine's clock is ahead of
    LINE's, to about a second; None where LINE did not say what time it is.
    """

    user_id: str
    basic_id: str
    name: str
    chat_mode: Literal["chat", "bot"]
    read_mode: Literal["auto", "manual"]
    ahead: float | None


@dataclass(frozen=True, slots=True)
class Quota:
    """How many pushes the account may send in this month, None without an end, and about how many it has sent."""

    limit: int | None
    used: int


class LineConsole:
    """LINE's Messaging API as an account's owner uses it. Lives as long as a `with` block; for one thread.

    `token` is a channel access token, and `base_url` stands for LINE's host. Each call has a time limit, and
    nothing is tried twice.

    Raises LineRefused with LINE's status and reason where LINE said no, with status 0 where nothing was sent, and
    LineUnsure where what was asked may have been done: a 5xx, no answer in time, or one that cannot be read.
    """

    def __init__(
        self,
        token: str,
        base_url: str | None = None,
        *,
        connect: float = CONNECT,
        read: float = READ,
        test_read: float = TEST_READ,
    ) -> None:
        self._token, self._base_url = token, base_url
        self._timeout, self._test_timeout = (connect, read), (connect, test_read)
        configuration = Configuration(host=base_url.rstrip("/") if base_url else None, access_token=token)
        configuration.retries = False  # urllib3 would try three times more
        self._client = ApiClient(configuration)
        self._api = MessagingApi(self._client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.rest_client.pool_manager.clear()

    def webhook(self) -> Webhook | None:
        """Get webhook endpoint information; None where no address was ever set."""
        try:
            found = self._ask("GET webhook endpoint", self._api.get_webhook_endpoint_with_http_info).data
        except LineRefused as error:
            if error.status == 404:
                return None
            raise
        return Webhook(found.endpoint, found.active) if found.endpoint else None

    def set_webhook(self, address: str) -> None:
        """Set webhook endpoint URL: https, at most 500 characters. It may take a minute until LINE heeds it."""
        request = SetWebhookEndpointRequest(endpoint=address)
        call = self._api.set_webhook_endpoint_with_http_info
        self._ask("PUT webhook endpoint", call, request, answers=False)

    def test_webhook(self, address: str) -> Verdict:
        """Test webhook endpoint: have LINE call this address now. LINE allows 60 tests an hour."""
        request = TestWebhookEndpointRequest(endpoint=address)
        call = self._api.test_webhook_endpoint_with_http_info
        found = self._ask("POST webhook test", call, request, timeout=self._test_timeout).data
        return Verdict(found.success is True, found.status_code, found.reason, _plain(found.detail))

    def account(self) -> Account:
        """Get bot info."""
        before = time.time()
        answer = self._ask("GET bot info", self._api.get_bot_info_with_http_info)
        middle, info = (before + time.time()) / 2, answer.data
        return Account(
            info.user_id,
            info.basic_id,
            _plain(info.display_name),
            info.chat_mode,
            info.mark_as_read_mode,
            clock_ahead(answer.headers.get("date"), middle),
        )

    def quota(self) -> Quota:
        """Get the target limit for sending messages this month, and the number of messages sent this month."""
        quota = self._ask("GET message quota", self._api.get_message_quota_with_http_info).data
        used = self._ask("GET message quota consumption", self._api.get_message_quota_consumption_with_http_info).data
        return Quota(quota.value if quota.type == "limited" else None, used.total_usage)

    def _ask(
        self,
        name: str,
        call: Callable[..., Any],
        *arguments: object,
        timeout: tuple[float, float] | None = None,
        answers: bool = True,
    ) -> Any:
        """The SDK's ApiResponse; of what `answers` it has data."""
        self._check(name)
        try:
            answer = call(*arguments, _request_timeout=timeout or self._timeout)
        except ApiException as error:
            raise self._refused(name, error) from None  # its text holds all headers and the whole body
        except HTTPError as error:
            raise _unreached(name, error) from error
        except (ValueError, LookupError, RecursionError) as error:
            # The SDK's words repeat the answer.
            raise LineUnsure(f"LINE {name}: the answer is none of LINE's ({type(error).__name__})") from None
        if answers and answer.data is None:
            raise LineUnsure(f"LINE {name}: the answer is empty")
        return answer

    def _check(self, name: str) -> None:
        # Found out here and not by the HTTP library: its message would show the token.
        if not (self._token and self._token.isascii() and self._token.isprintable() and " " not in self._token):
            fault = "the channel access token is empty or holds what no HTTP header can carry; copy it again"
            raise LineRefused(0, f"LINE {name}: {fault}")
        if not (self._base_url or "https://").startswith(("https://", "http://")):
            raise LineRefused(0, f"LINE {name}: the address that stands for LINE's does not begin with https://")

    def _refused(self, name: str, error: ApiException) -> LineError:
        if not error.status:
            return LineRefused(0, f"LINE {name}: no connection, because the certificate was not accepted")
        request = (error.headers or {}).get("x-line-request-id", "-")
        reason = _reason(error.body).replace(self._token, "…")
        text = f"LINE {name}: {error.status} {reason} (request {request})"
        if error.status >= 500:
            return LineUnsure(text)
        return LineRefused(error.status, text, retryable=error.status == 429)


def clock_ahead(date: str | None, at: float) -> float | None:
    """By how many seconds the clock that showed `at` is ahead of an HTTP answer's Date; None where there is none."""
    try:
        told = parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return None
    return at - (told + 0.5)  # it tells whole seconds, and cuts the rest off


def _unreached(name: str, error: HTTPError) -> LineError:
    text = f"LINE {name}: {type(error).__name__}"
    if isinstance(error, NewConnectionError | ConnectTimeoutError | LocationValueError):
        return LineRefused(0, f"{text}, no connection", retryable=not isinstance(error, LocationValueError))
    return LineUnsure(text)


def _reason(body: object) -> str:
    """LINE's `message` and `details` (LINE reference: Error responses)."""
    try:
        document = json.loads(body) if isinstance(body, str | bytes) else {}
    except (ValueError, RecursionError):
        document = {}
    if not isinstance(document, dict):
        return ""
    details = document.get("details")
    entries = [entry for entry in details if isinstance(entry, dict)] if isinstance(details, list) else []
    parts = [f"{entry.get('property', '')}: {entry.get('message', '')}" for entry in entries]
    return _plain(" ".join(str(part) for part in (document.get("message", ""), "; ".join(parts)) if part))


def _plain(text: str) -> str:
    """Words of the other side for one line of a terminal."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:_LONGEST_REASON]
