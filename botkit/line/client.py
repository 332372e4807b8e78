"""The client of LINE's Messaging API, over urllib3 alone: LINE's own SDK costs a cold start 1.5 s."""

import json
import logging
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    SSLError,
)

from botkit.errors import LineError, LineRefused, LineUnsure
from botkit.line.cache import Cache
from botkit.line.text import clean_name
from botkit.messages import Chat, Content, Profile
from botkit.ports import LineMessage

log = logging.getLogger(__name__)

API = "https://api.line.me"
DATA_API = "https://api-data.line.me"

_LARGEST_ANSWER = 1_000_000
_LARGEST_CONTENT = 20_000_000
_CHUNK = 64 * 1024
_LONGEST_REASON = 300

_PROFILES = {
    "user": "/v2/bot/profile/{user}",
    "group": "/v2/bot/group/{chat}/member/{user}",
    "room": "/v2/bot/room/{chat}/member/{user}",
}
_COUNTS = {"group": "/v2/bot/group/{chat}/members/count", "room": "/v2/bot/room/{chat}/members/count"}


@dataclass(frozen=True, slots=True)
class _Call:
    """One HTTP call. `path` is a template filled with `ids`, so that logs and errors name no person."""

    method: str
    path: str
    token: str = field(repr=False)
    ids: Mapping[str, str] = field(default_factory=dict)
    payload: Mapping[str, Any] | None = None
    retry_key: str | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def target(self) -> str:
        """The path with its ids, each of them one segment whatever it holds."""
        return self.path.format(**{key: quote(value, safe="", errors="replace") for key, value in self.ids.items()})

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": "botkit"}
        if self.payload is not None:
            headers["Content-Type"] = "application/json"
        if self.retry_key is not None:
            headers["X-Line-Retry-Key"] = self.retry_key
        return headers

    @property
    def body(self) -> bytes | None:
        if self.payload is None:
            return None
        # "replace", because a lone surrogate must not keep an answer from being sent.
        return json.dumps(self.payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    def redacted(self, text: str) -> str:
        """The text without the secrets of this call, in case the other side echoes them."""
        for secret in (self.token, str((self.payload or {}).get("replyToken") or "")):
            # A secret so short is none, and replacing it would garble the text.
            text = text.replace(secret, "…") if len(secret) >= 8 else text
        return text


@dataclass(frozen=True, slots=True)
class _Answer:
    """What LINE answered. `data` is empty where the body was lost on the way."""

    status: int
    headers: Mapping[str, str]
    data: bytes

    @property
    def request_id(self) -> str:
        return self.headers.get("x-line-request-id", "-")

    @property
    def document(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        try:
            document = json.loads(self.data)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}


class LineClient:
    """LINE's Messaging API, as the port `Line`; lives as long as the process and may be shared by threads.

    `base_url` stands for both of LINE's hosts (a simulator, a proxy). Times are in seconds: `connect`
    to connect, `read` without a byte received, `content` for a whole download. Nothing is tried
    twice here: what to do about an unknown outcome is for the caller to know. Names are kept for
    some minutes, by `clock`, which gives seconds.

    Raises LineRefused with LINE's status where LINE said no, with status 0 where nothing was sent
    (no connection, a token no header can hold), and LineUnsure where the call may have been carried
    out: a 5xx, no answer in time, a connection lost after sending.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        connect: float = 2.0,
        read: float = 5.0,
        content: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = (base_url or API).rstrip("/")
        self._data_api = (base_url or DATA_API).rstrip("/")
        self._connect, self._read, self._content = connect, read, content
        self._pool = urllib3.PoolManager(maxsize=8)
        self._profiles: Cache[tuple[str, Chat, str], Profile] = Cache(clock)
        self._chat_names: Cache[tuple[str, Chat], str] = Cache(clock)

    def reply(self, token: str, reply_token: str, messages: Sequence[LineMessage]) -> tuple[str, ...]:
        """Spend the reply token (LINE reference: Send reply message). Takes no retry key: LINE refuses one here."""
        payload = {"replyToken": reply_token, "messages": list(messages)}
        return _sent(self._done(_Call("POST", "/v2/bot/message/reply", token, payload=payload)))

    def push(self, token: str, to: str, messages: Sequence[LineMessage], retry_key: str) -> tuple[str, ...]:
        """Push once per retry key (LINE reference: Send push message).

        A 409 says that an earlier call with this key was accepted: that is a success, whose ids LINE may not tell.
        """
        payload = {"to": to, "messages": list(messages)}
        call = _Call("POST", "/v2/bot/message/push", token, payload=payload, retry_key=retry_key)
        return _sent(self._done(call, also=(409,)))

    def start_loading(self, token: str, user_id: str, seconds: int) -> None:
        """Show the loading animation (LINE reference: Display a loading animation)."""
        payload = {"chatId": user_id, "loadingSeconds": seconds}
        # An ornament must not hold up the answer, which waits for it to be over.
        self._done(_Call("POST", "/v2/bot/chat/loading/start", token, payload=payload), read=min(self._read, 2.0))

    def profile(self, token: str, chat: Chat, user_id: str) -> Profile | None:
        """The profile of a person (LINE reference: Get profile; Get group/multi-person chat member profile).

        None on 404: no friend and never wrote, blocked, no consent, not a member. The name is cleaned.
        """
        return self._profiles.get((token, chat, user_id), lambda: self._profile(token, chat, user_id))

    def _profile(self, token: str, chat: Chat, user_id: str) -> Profile | None:
        call = _Call("GET", _PROFILES[chat.kind], token, ids={"chat": chat.id, "user": user_id})
        answer = self._done(call, also=(404,))
        name, language = answer.document.get("displayName"), answer.document.get("language")
        if answer.status == 404 or not isinstance(name, str):
            return None
        return Profile(clean_name(name), language if isinstance(language, str) and chat.kind == "user" else None)

    def chat_name(self, token: str, chat: Chat) -> str | None:
        """The name of a group, cleaned (LINE reference: Get group chat summary).

        None on 404, and where there is none to ask for: LINE has no names for rooms and 1:1 chats.
        """
        if chat.kind != "group":
            return None
        return self._chat_names.get((token, chat), lambda: self._chat_name(token, chat))

    def _chat_name(self, token: str, chat: Chat) -> str | None:
        call = _Call("GET", "/v2/bot/group/{chat}/summary", token, ids={"chat": chat.id})
        name = self._done(call, also=(404,)).document.get("groupName")
        return clean_name(name) if isinstance(name, str) else None

    def member_count(self, token: str, chat: Chat) -> int:
        """How many people are in a chat, at least 1; in a 1:1 chat 1, without a call.

        The account itself is not counted (LINE reference: Get number of users in a group chat; … in a
        multi-person chat). Raises LineUnsure, too, where LINE's answer has no such number.
        """
        if chat.kind == "user":
            return 1
        call = _Call("GET", _COUNTS[chat.kind], token, ids={"chat": chat.id})
        answer = self._done(call)
        count = answer.document.get("count")
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise LineUnsure(f"LINE {call}: the answer holds no number of people (request {answer.request_id})")
        return count

    def content(self, token: str, message_id: str) -> Content | None:
        """What a media message holds, at most 20 MB (LINE reference: Get content). None on 202: still preparing."""
        call = _Call("GET", "/v2/bot/message/{message}/content", token, ids={"message": message_id})
        answer = self._done(call, host=self._data_api, read=self._content, largest=_LARGEST_CONTENT)
        if answer.status == 202:
            return None
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Content(answer.data, media_type or "application/octet-stream")

    def mark_as_read(self, token: str, read_token: str) -> None:
        """Mark a chat as read up to a message, for ever valid (LINE reference: Mark messages from users as read).

        It shows only where the account's Chat is switched on; else LINE marks all as read by itself.
        """
        payload = {"markAsReadToken": read_token}
        # An ornament, as the loading animation is: the answer waits for it to be over.
        self._done(_Call("POST", "/v2/bot/chat/markAsRead", token, payload=payload), read=min(self._read, 2.0))

    def _done(
        self,
        call: _Call,
        *,
        also: tuple[int, ...] = (),
        host: str | None = None,
        read: float | None = None,
        largest: int = _LARGEST_ANSWER,
    ) -> _Answer:
        """The answer of a call that LINE carried out: a 2xx, or a status of `also`. Raises for every other one."""
        answer = self._send(call, host or self._api, read or self._read, largest)
        log.info("LINE %s → %d (request %s)", call, answer.status, answer.request_id)
        if 200 <= answer.status < 300 or answer.status in also:
            return answer
        raise _failure(call, answer)

    def _send(self, call: _Call, host: str, read: float, largest: int) -> _Answer:
        _check_headers(call)
        try:
            response = self._pool.request(
                call.method,
                host + call.target,
                body=call.body,
                headers=call.headers,
                timeout=urllib3.Timeout(connect=self._connect, read=read),
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except HTTPError as error:
            raise _no_answer(call, error) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return _Answer(response.status, headers, _read(call, response, time.monotonic() + read, largest))


def _read(call: _Call, response: urllib3.BaseHTTPResponse, deadline: float, largest: int) -> bytes:
    """The body. Of a POST the status tells all that matters, so there a body lost on the way is no failure."""
    try:
        data = _read_all(call, response, deadline, largest)
    except LineError:
        # What was not read to its end leaves a connection that cannot be used again.
        response.close()
        if call.method == "GET":
            raise
        return b""
    response.release_conn()
    return data


def _read_all(call: _Call, response: urllib3.BaseHTTPResponse, deadline: float, largest: int) -> bytes:
    data = bytearray()
    try:
        while chunk := response.read1(_CHUNK):
            data += chunk
            if len(data) > largest:
                raise LineRefused(413, f"LINE {call}: the answer is larger than {largest:,} bytes")
            if time.monotonic() > deadline:
                raise LineUnsure(f"LINE {call}: the answer did not end in time")
    except HTTPError as error:
        raise LineUnsure(f"LINE {call}: the answer broke off ({type(error).__name__})") from error
    return bytes(data)


def _sent(answer: _Answer) -> tuple[str, ...]:
    entries = answer.document.get("sentMessages")
    if not isinstance(entries, list):
        return ()
    return tuple(entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str))


def _check_headers(call: _Call) -> None:
    for name, value in (("channel access token", call.token), ("retry key", call.retry_key)):
        if value is not None and not (value and value.isascii() and value.isprintable() and " " not in value):
            raise LineRefused(0, f"LINE {call}: the {name} is empty or holds what no HTTP header can carry")


def _no_answer(call: _Call, error: HTTPError) -> LineError:
    """The error for a call without an answer: refused where nothing can have been sent, else unsure."""
    text = f"LINE {call}: {type(error).__name__}"
    certificate = isinstance(error, SSLError) and isinstance(error.__cause__, ssl.SSLCertVerificationError)
    if isinstance(error, NewConnectionError | ConnectTimeoutError):
        return LineRefused(0, f"{text}, no connection", retryable=True)
    if isinstance(error, LocationValueError) or certificate:
        return LineRefused(0, f"{text}, no connection")
    return LineUnsure(text)


def _failure(call: _Call, answer: _Answer) -> LineError:
    text = f"LINE {call}: {answer.status} {_reason(call, answer)} (request {answer.request_id})"
    if answer.status >= 500:
        return LineUnsure(text)
    # LINE tells the two kinds of 429 apart by their text alone (LINE reference: Status codes).
    monthly = "monthly limit" in str(answer.document.get("message", "")).lower()
    return LineRefused(answer.status, text, retryable=answer.status == 429 and not monthly)


def _reason(call: _Call, answer: _Answer) -> str:
    """LINE's `message` and `details`, which name what is wrong with a request (LINE reference: Error responses)."""
    details = answer.document.get("details")
    entries = [entry for entry in details if isinstance(entry, dict)] if isinstance(details, list) else []
    parts = [f"{entry.get('property', '')}: {entry.get('message', '')}" for entry in entries]
    text = " ".join(str(part) for part in (answer.document.get("message", ""), "; ".join(parts)) if part)
    return call.redacted(" ".join(text.split()))[:_LONGEST_REASON]
