"""The client of LINE's Messaging API, over urllib3 alone: LINE's own SDK costs a cold start 1.5 s."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import urllib3
from urllib3.exceptions import HTTPError

from botkit.errors import LineError, LineRefused, LineUnsure
from botkit.line.cache import Cache
from botkit.line.calls import Answer, Call, check_headers, failure, fits_header, no_answer
from botkit.line.text import clean_name
from botkit.line.tokens import Channel, Issued, Tokens
from botkit.messages import Chat, Content, Profile
from botkit.ports import LineMessage
from botkit.wire.connections import pools
from botkit.wire.tls import tls_context

log = logging.getLogger(__name__)

API = "https://api.line.me"
DATA_API = "https://api-data.line.me"

_LARGEST_ANSWER = 1_000_000
_LARGEST_CONTENT = 20_000_000
_CHUNK = 64 * 1024

_PROFILES = {
    "user": "/v2/bot/profile/{user}",
    "group": "/v2/bot/group/{chat}/member/{user}",
    "room": "/v2/bot/room/{chat}/member/{user}",
}
_COUNTS = {"group": "/v2/bot/group/{chat}/members/count", "room": "/v2/bot/room/{chat}/members/count"}


class LineClient:
    """LINE's Messaging API, as the port `Line`; lives as long as the process and may be shared by threads.

    `base_url` stands for both of LINE's hosts (a simulator, a proxy). Times are in seconds: `connect`
    to connect, `read` without a byte received, `content` for a whole download. Nothing is tried
    twice here, since what to do about an unknown outcome is for the caller to know; but a call that LINE
    refuses for a token issued here (401) is made once more, with a new one. Names are kept for some minutes,
    by `clock`, which gives seconds; tokens by `now`, the time of day in ms since 1970. `pool` carries the calls
    instead of connections of the client's own.

    Raises LineRefused with LINE's status where LINE said no, with status 0 where nothing was sent
    (no connection, a token no header can hold), and LineUnsure where the call may have been carried
    out: a 5xx, no answer in time, a connection lost after sending.
    """

    def __init__(
        self,
        base_url: str | None = None,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        *,
        connect: float = 2.0,
        read: float = 5.0,
        content: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
        pool: urllib3.PoolManager | None = None,
    ) -> None:
        self._api = (base_url or API).rstrip("/")
        self._data_api = (base_url or DATA_API).rstrip("/")
        self._connect, self._read, self._content = connect, read, content
        self._pool = pool or _connect(self._api)
        self._profiles: Cache[tuple[str, Chat, str], Profile] = Cache(clock)
        self._chat_names: Cache[tuple[str, Chat], str] = Cache(clock)
        self._tokens = Tokens(self._ask_for_token, now)

    def issue_token(self, channel_id: str, channel_secret: str) -> str:
        """A stateless channel access token, good for two minutes at least: one at hand, or a new one.

        (LINE reference: Issue stateless channel access token.) A status of 400 or 401 says that the id or the
        secret is wrong.
        """
        return self._tokens.get(Channel(channel_id, channel_secret))

    def _ask_for_token(self, channel: Channel) -> Issued:
        form = {"grant_type": "client_credentials", "client_id": channel.id, "client_secret": channel.secret}
        call = Call("POST", "/oauth2/v3/token", None, form=form)
        answer = self._done(call)
        token, seconds = answer.document.get("access_token"), answer.document.get("expires_in")
        if not isinstance(token, str) or not fits_header(token):
            raise LineUnsure(f"LINE {call}: the answer holds no token (request {answer.request_id})")
        return Issued(token, seconds if isinstance(seconds, int) and seconds > 0 else 0)

    def reply(self, token: str, reply_token: str, messages: Sequence[LineMessage]) -> tuple[str, ...]:
        """Spend the reply token (LINE reference: Send reply message). Takes no retry key: LINE refuses one here."""
        payload = {"replyToken": reply_token, "messages": list(messages)}
        return _sent(self._done(Call("POST", "/v2/bot/message/reply", token, payload=payload)))

    def push(self, token: str, to: str, messages: Sequence[LineMessage], retry_key: str) -> tuple[str, ...]:
        """Push once per retry key (LINE reference: Send push message).

        A 409 says that an earlier call with this key was accepted: that is a success, whose ids LINE may not tell.
        """
        payload = {"to": to, "messages": list(messages)}
        call = Call("POST", "/v2/bot/message/push", token, payload=payload, retry_key=retry_key)
        return _sent(self._done(call, also=(409,)))

    def start_loading(self, token: str, user_id: str, seconds: int) -> None:
        """Show the loading animation (LINE reference: Display a loading animation)."""
        payload = {"chatId": user_id, "loadingSeconds": seconds}
        # An ornament must not hold up the answer, which waits for it to be over.
        self._done(Call("POST", "/v2/bot/chat/loading/start", token, payload=payload), read=min(self._read, 2.0))

    def profile(self, token: str, chat: Chat, user_id: str) -> Profile | None:
        """The profile of a person (LINE reference: Get profile; Get group/multi-person chat member profile).

        None on 404: no friend and never wrote, blocked, no consent, not a member. The name is cleaned.
        """
        return self._profiles.get((token, chat, user_id), lambda: self._profile(token, chat, user_id))

    def _profile(self, token: str, chat: Chat, user_id: str) -> Profile | None:
        call = Call("GET", _PROFILES[chat.kind], token, ids={"chat": chat.id, "user": user_id})
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
        call = Call("GET", "/v2/bot/group/{chat}/summary", token, ids={"chat": chat.id})
        name = self._done(call, also=(404,)).document.get("groupName")
        return clean_name(name) if isinstance(name, str) else None

    def member_count(self, token: str, chat: Chat) -> int:
        """How many people are in a chat, at least 1; in a 1:1 chat 1, without a call.

        The account itself is not counted (LINE reference: Get number of users in a group chat; … in a
        multi-person chat). Raises LineUnsure, too, where LINE's answer has no such number.
        """
        if chat.kind == "user":
            return 1
        call = Call("GET", _COUNTS[chat.kind], token, ids={"chat": chat.id})
        answer = self._done(call)
        count = answer.document.get("count")
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise LineUnsure(f"LINE {call}: the answer holds no number of people (request {answer.request_id})")
        return count

    def content(self, token: str, message_id: str) -> Content | None:
        """What a media message holds, at most 20 MB (LINE reference: Get content). None on 202: still preparing."""
        call = Call("GET", "/v2/bot/message/{message}/content", token, ids={"message": message_id})
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
        self._done(Call("POST", "/v2/bot/chat/markAsRead", token, payload=payload), read=min(self._read, 2.0))

    def _done(
        self,
        call: Call,
        *,
        also: tuple[int, ...] = (),
        host: str | None = None,
        read: float | None = None,
        largest: int = _LARGEST_ANSWER,
    ) -> Answer:
        """The answer of a call that LINE carried out: a 2xx, or a status of `also`. Raises for every other one."""
        answer = self._send(call, host or self._api, read or self._read, largest)
        if answer.status == 401 and call.token is not None and (token := self._newer_token(call, call.token, answer)):
            call = replace(call, token=token)
            answer = self._send(call, host or self._api, read or self._read, largest)
        if 200 <= answer.status < 300 or answer.status in also:
            return answer
        raise failure(call, answer)

    def _newer_token(self, call: Call, token: str, refusal: Answer) -> str | None:
        """A token instead of one that has ended or was revoked; None where it was not issued here."""
        try:
            return self._tokens.instead_of(token)
        except LineError as error:
            # Whatever became of the token, the call itself has certainly not been carried out.
            text = f"{failure(call, refusal)}, and there is no new token: {error}"
            raise LineRefused(401, text, retryable=error.retryable) from error

    def _send(self, call: Call, host: str, read: float, largest: int) -> Answer:
        check_headers(call)
        response = self._request(call, host, read)
        headers = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(response.status, headers, _read(call, response, time.monotonic() + read, largest))
        log.info("LINE %s → %d (request %s)", call, answer.status, answer.request_id)
        return answer

    def _request(self, call: Call, host: str, read: float) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(
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
            raise no_answer(call, error) from error


def _connect(url: str) -> urllib3.PoolManager:
    # A simulator on this machine does without TLS, and so without what that costs to prepare.
    return pools(maxsize=8, ssl_context=None if url.startswith("http:") else tls_context())


def _read(call: Call, response: urllib3.BaseHTTPResponse, deadline: float, largest: int) -> bytes:
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


def _read_all(call: Call, response: urllib3.BaseHTTPResponse, deadline: float, largest: int) -> bytes:
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


def _sent(answer: Answer) -> tuple[str, ...]:
    entries = answer.document.get("sentMessages")
    if not isinstance(entries, list):
        return ()
    return tuple(entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str))
