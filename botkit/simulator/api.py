"""The Messaging API of the platform: requests in, LINE-shaped answers out, every call recorded."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from botkit.messages import Chat, ChatKind
from botkit.simulator.allowances import Accepted
from botkit.simulator.chats import Account, Person
from botkit.simulator.console_api import Said, get_endpoint, set_endpoint, test_endpoint
from botkit.simulator.rules import Fault, faults, quotes
from botkit.simulator.token_api import issue_token
from botkit.simulator.troubles import Endpoint
from botkit.simulator.wire import JsonObject, compact
from botkit.simulator.world import Call, World

LARGEST_REQUEST = 2_000_000
"""Bytes (LINE reference: Request body size)."""

NOT_ANSWERED = 0
"""The status of an answer that is never sent: the connection closes instead."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call as it comes in. Header names are lower-case; the path is raw, ids in it still percent-encoded."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer of the API."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A call whose access token is good: by which account, the ids of its path, and its body."""

    account: Account
    ids: tuple[str, ...]
    headers: Mapping[str, str]
    body: JsonObject


class Refusal(Exception):
    """A call that LINE refuses."""

    def __init__(
        self, status: int, message: str, details: Sequence[Fault] = (), sent: Sequence[JsonObject] = ()
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.details, self.sent = status, message, details, sent

    @property
    def answer(self) -> Answer:
        """LINE's error body; what is empty is absent."""
        body = {"message": self.message, "details": list(self.details), "sentMessages": list(self.sent)}
        return _json(self.status, {key: value for key, value in body.items() if value})


def handle(world: World, request: Request) -> Answer:
    """Answer one call, with whatever trouble waits for its endpoint, and record it."""
    route, ids = _find(request)
    at, caller = world.clock.now(), _caller(world, request)
    answer = _troubled(world, route, ids, request) if route else Refusal(404, "Not found").answer
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}
    endpoint, body = route.endpoint if route else None, _parsed(request.body)
    account = caller.user_id if caller else None
    world.record(Call(endpoint, request.method, request.path, headers, body, answer.status, at, account))
    return Answer(answer.status, answer.body, {"x-line-request-id": _request_id(world), **answer.headers})


# ---------------------------------------------------------------- endpoints


def reply(world: World, asked: Asked) -> Answer:
    """Send reply message. Its faults are found before the token is spent."""
    if "x-line-retry-key" in asked.headers:
        raise Refusal(400, "The header X-Line-Retry-Key is not supported by this endpoint")
    token = asked.body.get("replyToken")
    _check([] if isinstance(token, str) and token else [_empty("replyToken")])
    _check(faults(asked.body.get("messages")))
    chat = world.allowances.chat_of(str(token), asked.account.user_id, world.clock.now())
    if chat is None:
        raise Refusal(400, "Invalid reply token")
    _check_quotes(world, asked, chat)
    world.allowances.spend(str(token))
    event_id = world.allowances.event_of(str(token))
    return _json(200, {"sentMessages": world.deliver(asked.account, chat, asked.body["messages"], "reply", event_id)})


def push(world: World, asked: Asked) -> Answer:
    """Send push message: once per retry key, and only within the month's quota."""
    key = asked.headers.get("x-line-retry-key")
    account, now = asked.account, world.clock.now()
    if key is not None:
        _check_uuid(key)
        known = world.allowances.accepted(account.user_id, key, now)
        if known is not None:
            answer = Refusal(409, "The retry key is already accepted", sent=known.sent).answer
            return Answer(409, answer.body, {"x-line-accepted-request-id": known.request_id})
    chat, recipients = _recipients(world, account, asked.body.get("to"))
    _check(faults(asked.body.get("messages")))
    _check_quotes(world, asked, chat)
    if account.quota is not None and world.allowances.pushed(account.user_id, now) + recipients > account.quota:
        raise Refusal(429, "You have reached your monthly limit.")
    world.count_push(account, recipients)
    event_id = world.answered_by(account, chat, key)
    sent, request_id = world.deliver(account, chat, asked.body["messages"], "push", event_id), _request_id(world)
    if key is not None:
        world.allowances.accept(account.user_id, key, Accepted(now, request_id, sent))
    return Answer(200, compact({"sentMessages": sent}), {"x-line-request-id": request_id})


def validate(_world: World, asked: Asked) -> Answer:
    """Validate message objects of a reply or push message, without sending them."""
    _check(faults(asked.body.get("messages")))
    return _json(200, {})


def start_loading(world: World, asked: Asked) -> Answer:
    """Display a loading animation: 1:1 chats only, 5 to 60 seconds in fives."""
    person, seconds = world.people.get(str(asked.body.get("chatId"))), asked.body.get("loadingSeconds", 20)
    if person is None:
        raise Refusal(400, "The request body has 1 error(s)", [{"message": "Invalid user ID", "property": "chatId"}])
    if not isinstance(seconds, int) or seconds not in range(5, 61, 5):
        fault = {"message": "Must be a multiple of 5 between 5 and 60", "property": "loadingSeconds"}
        raise Refusal(400, "The request body has 1 error(s)", [fault])
    world.show_loading(asked.account, person, seconds)
    return _json(202, {})


def mark_as_read(world: World, asked: Asked) -> Answer:
    """Mark messages as read, all up to that of the token."""
    token = asked.body.get("markAsReadToken")
    _check([] if isinstance(token, str) else [_empty("markAsReadToken")])
    world.mark_read(asked.account, str(token))
    return _json(200, {})


def profile(world: World, asked: Asked) -> Answer:
    """Get profile: of friends and people who have written, unless they block the account."""
    person = world.people.get(asked.ids[0])
    if person is None or not world.is_reachable(asked.account, person):
        raise Refusal(404, "Not found")
    return _json(200, {**_profile(person), **({"language": person.language} if person.language else {})})


def group_member(world: World, asked: Asked) -> Answer:
    """Get group chat member profile, also of people who are no friends."""
    return _member(world, asked, "group")


def room_member(world: World, asked: Asked) -> Answer:
    """Get multi-person chat member profile."""
    return _member(world, asked, "room")


def group_summary(world: World, asked: Asked) -> Answer:
    """Get group chat summary."""
    place = world.place(asked.account, Chat("group", asked.ids[0]))
    if place is None:
        raise Refusal(404, "Not found")
    return _json(200, {"groupId": place.chat.id, "groupName": place.name})


def group_count(world: World, asked: Asked) -> Answer:
    """Get number of users in a group chat. The account is not one of them."""
    return _count(world, asked, "group")


def room_count(world: World, asked: Asked) -> Answer:
    """Get number of users in a multi-person chat."""
    return _count(world, asked, "room")


def content(world: World, asked: Asked) -> Answer:
    """Get content: 202 while it is being prepared, 410 once the message was unsent."""
    message_id = asked.ids[0]
    if world.is_unsent(asked.account, message_id):
        raise Refusal(410, "Gone")
    try:
        found = world.content(asked.account, message_id)
    except KeyError:
        raise Refusal(404, "Not found") from None
    return _json(202, {}) if found is None else Answer(200, found.data, {"content-type": found.media_type})


def info(_world: World, asked: Asked) -> Answer:
    """Get bot info."""
    account = asked.account
    return _json(
        200,
        {
            "userId": account.user_id,
            "basicId": "@" + account.user_id[1:9],
            "displayName": account.name,
            "chatMode": "chat" if account.read_mode == "manual" else "bot",
            "markAsReadMode": account.read_mode,
        },
    )


def quota(_world: World, asked: Asked) -> Answer:
    """Get the target limit for sending messages this month."""
    limit = asked.account.quota
    return _json(200, {"type": "none"} if limit is None else {"type": "limited", "value": limit})


def consumption(world: World, asked: Asked) -> Answer:
    """Get number of messages sent this month."""
    return _json(200, {"totalUsage": world.allowances.pushed(asked.account.user_id, world.clock.now())})


def _of_owner(run: Callable[[World, Account, JsonObject], Said]) -> Callable[[World, Asked], Answer]:
    """An endpoint that a bot's owner calls, as one of these."""
    return lambda world, asked: _json(*run(world, asked.account, asked.body))


# ---------------------------------------------------------------- routing


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint by method and path; each {} of the path is one id.

    `calls`: it calls a bot, and so runs without the platform's lock, and without a body if there is none.
    `run` is None for the call that asks for an access token, and so bears none.
    """

    endpoint: Endpoint
    method: str
    path: str
    run: Callable[[World, Asked], Answer] | None
    calls: bool = False

    @property
    def pattern(self) -> re.Pattern[str]:
        """The path as a regular expression over the raw path."""
        return re.compile(re.escape(self.path).replace(r"\{\}", "([^/]+)"))


ROUTES = (
    Route("reply", "POST", "/v2/bot/message/reply", reply),
    Route("push", "POST", "/v2/bot/message/push", push),
    Route("validate", "POST", "/v2/bot/message/validate/reply", validate),
    Route("validate", "POST", "/v2/bot/message/validate/push", validate),
    Route("loading", "POST", "/v2/bot/chat/loading/start", start_loading),
    Route("mark_as_read", "POST", "/v2/bot/chat/markAsRead", mark_as_read),
    Route("profile", "GET", "/v2/bot/profile/{}", profile),
    Route("profile", "GET", "/v2/bot/group/{}/member/{}", group_member),
    Route("profile", "GET", "/v2/bot/room/{}/member/{}", room_member),
    Route("group", "GET", "/v2/bot/group/{}/summary", group_summary),
    Route("member_count", "GET", "/v2/bot/group/{}/members/count", group_count),
    Route("member_count", "GET", "/v2/bot/room/{}/members/count", room_count),
    Route("content", "GET", "/v2/bot/message/{}/content", content),
    Route("info", "GET", "/v2/bot/info", info),
    Route("quota", "GET", "/v2/bot/message/quota", quota),
    Route("consumption", "GET", "/v2/bot/message/quota/consumption", consumption),
    Route("token", "POST", "/oauth2/v3/token", None),
    Route("webhook", "GET", "/v2/bot/channel/webhook/endpoint", _of_owner(get_endpoint)),
    Route("webhook", "PUT", "/v2/bot/channel/webhook/endpoint", _of_owner(set_endpoint)),
    Route("webhook_test", "POST", "/v2/bot/channel/webhook/test", _of_owner(test_endpoint), calls=True),
)


def _find(request: Request) -> tuple[Route | None, tuple[str, ...]]:
    for route in ROUTES:
        match = route.pattern.fullmatch(request.path)
        if match and route.method == request.method:
            return route, tuple(map(unquote, match.groups()))
    return None, ()


def _troubled(world: World, route: Route, ids: tuple[str, ...], request: Request) -> Answer:
    trouble = world.troubles.take(route.endpoint)
    if trouble.hold:
        trouble.hold.wait()
    answer = _carried_out(world, route, ids, request) if trouble.done else None
    if trouble.drops:
        return Answer(NOT_ANSWERED, b"")
    if answer is None or trouble.status is not None:
        return Refusal(trouble.status or 500, trouble.message or "Internal Server Error").answer
    return answer


def _carried_out(world: World, route: Route, ids: tuple[str, ...], request: Request) -> Answer:
    with nullcontext() if route.calls else world.lock:
        try:
            if len(request.body) > LARGEST_REQUEST:
                raise Refusal(413, "Request Entity Too Large")
            if route.run is None:
                return _json(*issue_token(world, request.headers, request.body))
            account = _account(world, request)
            has_body = route.method != "GET" and bool(request.body or not route.calls)
            body = _object(request) if has_body else {}
            return route.run(world, Asked(account, ids, request.headers, body))
        except Refusal as refusal:
            return refusal.answer


# ---------------------------------------------------------------- checks


def _account(world: World, request: Request) -> Account:
    account = _caller(world, request)
    if account is None:
        text = "Authentication failed. Confirm that the access token in the authorization header is valid."
        raise Refusal(401, text)
    return account


def _caller(world: World, request: Request) -> Account | None:
    """The account whose access token a call bears."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return world.account_of(token) if scheme.lower() == "bearer" else None


def _object(request: Request) -> JsonObject:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refusal(415, "Unsupported media type")
    body = _parsed(request.body)
    if not isinstance(body, dict):
        raise Refusal(400, "The request body could not be parsed as JSON")
    return body


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _check(found: Sequence[Fault]) -> None:
    if found:
        raise Refusal(400, f"The request body has {len(found)} error(s)", found)


def _check_quotes(world: World, asked: Asked, chat: Chat) -> None:
    """A quote token must be that of a message of the same chat."""
    quoted = quotes(asked.body["messages"])
    wrong = [place for token, place in quoted if not world.may_quote(asked.account, chat, token)]
    _check([{"message": "Invalid quote token", "property": place} for place in wrong])


def _check_uuid(key: str) -> None:
    try:
        UUID(key)
    except ValueError:
        raise Refusal(400, "The value of the header X-Line-Retry-Key must be a UUID") from None


def _empty(place: str) -> Fault:
    return {"message": "May not be empty", "property": place}


def _recipients(world: World, account: Account, to: object) -> tuple[Chat, int]:
    """The chat that a push goes to, and how many people it counts for. A blocked one is counted, but sees nothing."""
    person = world.people.get(str(to))
    if person is not None and world.is_acquainted(account, person):
        return Chat("user", person.user_id), 1
    for chat in (Chat("group", str(to)), Chat("room", str(to))):
        place = world.place(account, chat)
        if place is not None:
            return place.chat, len(place.members)
    raise Refusal(400, "The property, 'to', in the request body is invalid (line: -, column: -)")


def _member(world: World, asked: Asked, kind: ChatKind) -> Answer:
    chat_id, user_id = asked.ids
    place = world.place(asked.account, Chat(kind, chat_id))
    if place is None or user_id not in place.members:
        raise Refusal(404, "Not found")
    return _json(200, _profile(place.members[user_id]))


def _count(world: World, asked: Asked, kind: ChatKind) -> Answer:
    place = world.place(asked.account, Chat(kind, asked.ids[0]))
    if place is None:
        raise Refusal(404, "Not found")
    return _json(200, {"count": len(place.members)})


def _profile(person: Person) -> JsonObject:
    return {"displayName": person.name, "userId": person.user_id}


def _request_id(world: World) -> str:
    with world.lock:
        return world.ids.request()


def _json(status: int, document: JsonObject) -> Answer:
    return Answer(status, compact(document), {"content-type": "application/json"})
