"""The door: a signed webhook comes in, every event of it is made durable, and then it is answered 200."""

import logging
import re
from collections.abc import Callable, Sequence

from botkit.delivery.conversations import conversation_of
from botkit.delivery.metrics import Ending, tell
from botkit.delivery.plan import ENDINGS
from botkit.delivery.times import MAX_AGE
from botkit.errors import RequestError, SecretError, StoreError
from botkit.line.events import Webhook, parse_webhook
from botkit.line.signature import verify
from botkit.messages import Chat, Event
from botkit.ports import Acceptance, Arrival, Conversation, Request, Response, Services
from botkit.spec.account import Account
from botkit.spec.shelf import Shelf

log = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024
RENEWAL = 20 * 60 * 1000
"""How long after the event LINE renews the token of a redelivery, in ms (LINE reference: Reply token)."""
DUE_AFTER = 5 * 1000
"""When the sweep looks after an event that nobody has picked up, in ms."""

_LINE = re.compile(r"(?:/[^/]*)*?/line(?:/([^/]+))?/?")
_HEALTH = re.compile(r"(?:/[^/]*)*/health/?")

WakeAll = Callable[[Sequence[Conversation]], None]


class Door:
    """Takes HTTP requests for all bots. Lives as long as one invocation.

    `wake` is called with the conversations that have something to do, after all is durable.
    """

    def __init__(self, shelf: Shelf, services: Services, wake: WakeAll) -> None:
        self._shelf = shelf
        self._services = services
        self._wake = wake

    def __call__(self, request: Request) -> Response:
        """Answer a request; no exception leaves here but a bug."""
        try:
            return self._route(request)
        except RequestError as error:
            return Response(error.status, {"error": str(error)})
        except SecretError as error:
            log.error("cannot check the signature: %s", error)
            return Response(503, {"error": "the bot is not set up"})
        except StoreError as error:
            log.error("not accepted: %s", error)
            return Response(500, {"error": "try again"})

    def _route(self, request: Request) -> Response:
        line = _LINE.fullmatch(request.path)
        if line is None and not _HEALTH.fullmatch(request.path):
            raise RequestError(404, "not found")
        if request.method != ("POST" if line else "GET"):
            raise RequestError(405, "method not allowed")
        if line is None:
            return Response(200, {"ok": True})
        if request.size > MAX_BODY:
            raise RequestError(413, "the body is over 1 MB")
        return self._webhook(request, line[1])

    def _webhook(self, request: Request, name: str | None) -> Response:
        body = request.body()
        if name and self._shelf.is_broken(name):
            log.error("bot %s: a webhook came, and its file is broken; run `botkit check`", name)
            raise RequestError(503, "the bot is not set up")
        account = self._verified(name, body, request)
        webhook = parse_webhook(body)
        if account.user_id not in (None, webhook.destination):
            raise RequestError(400, "destination is not this bot")
        waiting: dict[Conversation, None] = {}
        try:
            self._accept(account, webhook, waiting)
        finally:  # what is durable is answered, also where the rest must come again
            if waiting:
                self._wake(list(waiting))
        return Response(200, {})

    def _verified(self, name: str | None, body: bytes, request: Request) -> Account:
        """The account whose secret signed the body. Unknown bots and wrong signatures look the same from outside."""
        account = self._shelf.account(name) if name else self._addressee(body)
        signatures = request.headers.get("x-line-signature", ())
        if account is None or not account.channel_secret or len(signatures) != 1:
            raise RequestError(401, "unauthorized")
        self._services.secrets.warm(account.channel_secret)
        if not verify(self._channel_secrets(account), body, signatures[0]):
            raise RequestError(401, "unauthorized")
        return account

    def _channel_secrets(self, account: Account) -> list[str]:
        """All that resolve: during a rotation one of them may be gone already. Raises SecretError where none does."""
        secrets: list[str] = []
        for reference in account.channel_secret:
            try:
                secrets.append(self._services.secrets.get(reference))
            except SecretError:
                if reference == account.channel_secret[-1] and not secrets:
                    raise
        return secrets

    def _addressee(self, body: bytes) -> Account | None:
        """The account that an unverified body names; only its own secret can then verify it."""
        try:
            destination = parse_webhook(body).destination
        except RequestError:
            return None
        return self._shelf.account_of_user(destination)

    def _accept(self, account: Account, webhook: Webhook, waiting: dict[Conversation, None]) -> None:
        """Make every event durable; those conversations that have something to do are added to `waiting`."""
        received_at = self._services.clock.now()
        for event in webhook.events:
            if event.chat is not None and event.type == "unsend":  # however old: it asks for nothing but to forget
                self._unsend(account, event, event.chat, received_at)
                _tell(account, event, "silent")
            elif event.chat is None or self._is_stale(event, received_at):
                _tell(account, event, "stale")
            else:
                arrival = self._arrival(account, event, event.chat, received_at)
                if self._services.store.accept(arrival) is not Acceptance.FINISHED:
                    waiting[arrival.conversation] = None

    def _is_stale(self, event: Event, now: int) -> bool:
        """Whether it came too late to be answered, and asks for nothing else."""
        return (event.at or now) < now - MAX_AGE and event.type not in ENDINGS

    def _unsend(self, account: Account, event: Event, chat: Chat, now: int) -> None:
        """At once, and not by way of the inbox: a turn may be under way with that very message."""
        if event.message_id is not None:
            self._services.store.unsend(account.bot, chat, event.message_id, now)

    def _arrival(self, account: Account, event: Event, chat: Chat, received_at: int) -> Arrival:
        """The event on its way into its inbox."""
        at = event.at or received_at  # LINE always says when; what comes without is not taken for ancient
        return Arrival(
            conversation=self._conversation(account, event, chat),
            event_id=event.id,
            at=at,
            received_at=received_at,
            due_at=received_at + DUE_AFTER,
            body=event.body,
            chat=chat,
            user_id=event.user_id,
            message_id=event.message_id if event.type == "message" else None,
            renews=event.redelivered and received_at <= at + RENEWAL,
        )

    def _conversation(self, account: Account, event: Event, chat: Chat) -> Conversation:
        """An edit belongs where the message is, also if LINE does not say who made it."""
        own = conversation_of(account.bot, chat, event.user_id, event.id, shares_groups=account.shares_groups)
        if event.type != "messageEdited" or event.message_id is None:
            return own
        return self._services.store.conversation_of(account.bot, chat, event.message_id) or own


def _tell(account: Account, event: Event, outcome: Ending) -> None:
    """Of what is settled here nothing is remembered, so where LINE sends it again it is told again, and not counted."""
    kind = {"chat": event.chat.kind} if event.chat else {}
    told = {"bot": account.bot, "event": event.id, "type": event.type, **kind, "outcome": outcome}
    tell(f"event {event.id}: {outcome}", told, {})
