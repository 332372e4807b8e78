"""One call of LINE's API as it goes over the wire, its answer, and the error that it comes to."""

import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationValueError, NewConnectionError, SSLError

from botkit.errors import LineError, LineRefused, LineUnsure
from botkit.line.echoes import without_echoes

_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call. `path` is a template filled with `ids`, so that logs and errors name no person.

    Its body is the `payload` as JSON, or a `form`; `token` is None only where a token is asked for.
    """

    method: str
    path: str
    token: str | None = field(repr=False)
    ids: Mapping[str, str] = field(default_factory=dict)
    payload: Mapping[str, Any] | None = None
    retry_key: str | None = None
    form: Mapping[str, str] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def target(self) -> str:
        """The path with its ids, each of them one segment whatever it holds."""
        return self.path.format(**{key: quote(value, safe="", errors="replace") for key, value in self.ids.items()})

    @property
    def headers(self) -> dict[str, str]:
        """All that are sent, but those that HTTP itself asks for."""
        headers = {"User-Agent": "botkit"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.payload is not None:
            headers["Content-Type"] = "application/json"
        if self.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if self.retry_key is not None:
            headers["X-Line-Retry-Key"] = self.retry_key
        return headers

    @property
    def body(self) -> bytes | None:
        """The body; None where there is none."""
        # "replace", because a lone surrogate must not keep an answer from being sent.
        if self.form is not None:
            return urlencode(self.form, errors="replace").encode("ascii")
        if self.payload is None:
            return None
        return json.dumps(self.payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    def redacted(self, text: str) -> str:
        """The text without the secrets of this call and without what was said, in case the other side echoes them."""
        for secret in self._secrets():
            # A secret so short is none, and replacing it would garble the text.
            text = text.replace(secret, "…") if len(secret) >= 8 else text
        return without_echoes(text, [self.payload, dict(self.ids), self.token, dict(self.form or {})])

    def _secrets(self) -> Iterator[str]:
        yield self.token or ""
        yield str((self.payload or {}).get("replyToken") or "")
        secret = (self.form or {}).get("client_secret", "")
        yield secret
        yield quote_plus(secret, errors="replace")


@dataclass(frozen=True, slots=True)
class Answer:
    """What LINE answered. `data` is empty where the body was lost on the way."""

    status: int
    headers: Mapping[str, str]
    data: bytes = field(repr=False)

    @property
    def request_id(self) -> str:
        """What LINE's support asks for."""
        return self.headers.get("x-line-request-id", "-")

    @property
    def document(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        try:
            document = json.loads(self.data)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}


def fits_header(value: str) -> bool:
    """Whether an HTTP header can carry it as one word."""
    return bool(value) and value.isascii() and value.isprintable() and " " not in value


def check_headers(call: Call) -> None:
    """Raises LineRefused where the call cannot be sent as it is."""
    for name, value in (("channel access token", call.token), ("retry key", call.retry_key)):
        if value is not None and not fits_header(value):
            raise LineRefused(0, f"LINE {call}: the {name} is empty or holds what no HTTP header can carry")


def no_answer(call: Call, error: HTTPError) -> LineError:
    """The error for a call without an answer: refused where nothing can have been sent, else unsure."""
    text = f"LINE {call}: {type(error).__name__}"
    certificate = isinstance(error, SSLError) and isinstance(error.__cause__, ssl.SSLCertVerificationError)
    if isinstance(error, NewConnectionError | ConnectTimeoutError):
        return LineRefused(0, f"{text}, no connection", retryable=True)
    if isinstance(error, LocationValueError) or certificate:
        return LineRefused(0, f"{text}, no connection")
    return LineUnsure(text)


def failure(call: Call, answer: Answer) -> LineError:
    """The error for a call that LINE did not carry out, or may not have."""
    text = f"LINE {call}: {answer.status} {_reason(call, answer)} (request {answer.request_id})"
    if answer.status >= 500:
        return LineUnsure(text)
    # LINE tells the two kinds of 429 apart by their text alone (LINE reference: Status codes).
    monthly = "monthly limit" in str(answer.document.get("message", "")).lower()
    return LineRefused(answer.status, text, retryable=answer.status == 429 and not monthly)


def _reason(call: Call, answer: Answer) -> str:
    """LINE's `message` and `details`, which name what is wrong with a request (LINE reference: Error responses).

    Where a token is asked for they are called `error` and `error_description`.
    """
    document = answer.document
    details = document.get("details")
    entries = [entry for entry in details if isinstance(entry, dict)] if isinstance(details, list) else []
    parts = [f"{entry.get('property', '')}: {entry.get('message', '')}" for entry in entries]
    words = [document.get(name, "") for name in ("message", "error", "error_description")]
    text = " ".join(str(part) for part in (*words, "; ".join(parts)) if part)
    return call.redacted(" ".join(text.split()))[:_LONGEST_REASON]
