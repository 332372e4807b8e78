"""What LINE knows: accounts, people, groups, what was said in them, and what may still be done."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from botkit.messages import Chat, Content
from botkit.ports import Clock
from botkit.simulator import records
from botkit.simulator.chats import Account, Person, Place, ReadMode, Transcript, Utterance, Via, utterance_of
from botkit.simulator.state import Change as Change
from botkit.simulator.state import State
from botkit.simulator.state import one_to_one as one_to_one
from botkit.simulator.wire import JsonObject

_QUOTABLE = ("text", "textV2", "sticker", "image", "video", "template", "flex")

TOKEN_LIFE = 15 * 60 * 1000
"""How long an issued channel access token is good, in ms (LINE reference: Issue stateless channel access token)."""
MOST_CALLS = 3_000
"""Calls of the API that are remembered, the newest."""
MOST_EVENTS = 500
"""How far back in a chat the event that a push answers is looked for."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the API as it came in. `headers` are lower-case and without the access token.

    `body` is the parsed JSON, None where there was none; `status` is 0 where no answer was given. `at` is when
    it came in (ms since 1970), `account` the user id of the account whose token it bore, None where that was wrong.
    """

    endpoint: str | None
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    status: int
    at: int = 0
    account: str | None = None


class World(State):
    """The state behind the platform, and what LINE's API does with it."""

    def __init__(self, clock: Clock, *, seed: int | None = None) -> None:
        super().__init__(clock, seed=seed)
        self._calls: deque[Call] = deque(maxlen=MOST_CALLS)

    # ---------------------------------------------------------------- who there is

    def add_account(
        self,
        name: str,
        *,
        user_id: str | None = None,
        channel_secret: str | None = None,
        access_token: str | None = None,
        quota: int | None = None,
    ) -> Account:
        """A new official account; what is not given is made up."""
        with self.lock:
            account = Account(
                name,
                user_id or "U" + self.ids.hexadecimal(32),
                channel_secret or self.ids.hexadecimal(32),
                access_token or self.ids.opaque(172),
                quota,
            )
            return self._set_account(account)

    def set_quota(self, account: Account, quota: int | None) -> Account:
        """Let an account push so much a month, None: without an end; returns it as it is now."""
        with self.lock:
            return self._set_account(replace(self.accounts[account.user_id], quota=quota))

    def set_read_mode(self, account: Account, read_mode: ReadMode) -> Account:
        """Have messages read by themselves or by the bot; returns the account as it is now."""
        with self.lock:
            return self._set_account(replace(self.accounts[account.user_id], read_mode=read_mode))

    def set_webhook(self, account: Account, address: str | None) -> Account:
        """Send an account's webhooks to this address; returns the account as it is now."""
        with self.lock:
            return self._set_account(replace(self.accounts[account.user_id], webhook=address))

    def use_webhook(self, account: Account, *, active: bool) -> Account:
        """Switch "Use webhook" of LINE's console; returns the account as it is now."""
        with self.lock:
            return self._set_account(replace(self.accounts[account.user_id], webhook_active=active))

    def set_secret(self, account: Account, channel_secret: str) -> Account:
        """Give an account another channel secret, as LINE's console does; returns the account as it is now."""
        with self.lock:
            return self._set_account(replace(self.accounts[account.user_id], channel_secret=channel_secret))

    def issue_token(self, account: Account) -> str:
        """A new access token, good for 15 minutes beside all others. It is not kept: the next start knows none."""
        with self.lock:
            now, token = self.clock.now(), self.ids.opaque(172)
            self.tokens = {one: known for one, known in self.tokens.items() if now < known[1]}
            self.tokens[token] = account.user_id, now + TOKEN_LIFE
            return token

    def account_of(self, token: str) -> Account | None:
        """The account that an access token is good for now; None where it is no good."""
        with self.lock:
            user_id, until = self.tokens.get(token, ("", 0))
            if self.clock.now() < until:
                return self.accounts[user_id]
            return next((account for account in self.accounts.values() if account.access_token == token), None)

    def account_named(self, name: str) -> Account | None:
        """The newest account of this name, as it is now."""
        with self.lock:
            return next((account for account in reversed(self.accounts.values()) if account.name == name), None)

    def person(self, user_id: str) -> Person | None:
        """Somebody, by the user id."""
        with self.lock:
            return self.people.get(user_id)

    def add_person(self, name: str, *, language: str | None = None, user_id: str | None = None) -> Person:
        """A new person, so far nobody's friend."""
        with self.lock:
            person = Person(name, user_id or "U" + self.ids.hexadecimal(32), language)
            self.people[person.user_id] = person
            self._know(records.person_record(person))
            return person

    def add_group(self, *people: Person, name: str = "", group_id: str | None = None) -> Chat:
        """A new group of people; an account comes in by `join`."""
        return self._add_place(Chat("group", group_id or "C" + self.ids.hexadecimal(32)), people, name)

    def add_room(self, *people: Person) -> Chat:
        """A new multi-person chat; an account comes in by `join`."""
        return self._add_place(Chat("room", "R" + self.ids.hexadecimal(32)), people, "")

    # ---------------------------------------------------------------- what can be seen

    def chat(self, account: Account, where: Person | Chat) -> Transcript:
        """What was said between an account and a person, or in a group or room."""
        with self.lock:
            chat = one_to_one(where) if isinstance(where, Person) else where
            return self.log(account, chat).transcript(self.clock.now())

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call of the API so far, the newest 3,000, in the order of their answers."""
        with self.lock:
            return tuple(self._calls)

    def calls_of(self, endpoint: str) -> tuple[Call, ...]:
        """The calls of one endpoint; the names are those of `troubles.Endpoint`."""
        return tuple(call for call in self.calls if call.endpoint == endpoint)

    def record(self, call: Call) -> None:
        """Keep a call of the API."""
        with self.lock:
            self._calls.append(call)

    def read(self, account: Account, event_id: str) -> None:
        """The message of this event is read, where that goes by itself: its webhook was taken in."""
        with self.lock:
            if self.accounts[account.user_id].read_mode == "manual":
                return
            if found := self._find(account, lambda said: said.event_id == event_id and said.via == "person"):
                self._read(account, found[0], [found[1]])

    def clear(self, account: Account, chat: Chat) -> None:
        """Empty a chat of all that was said in it."""
        with self.lock:
            log = self.log(account, chat)
            for utterance in log.utterances:
                self._forget(account, chat, utterance.id)
            log.utterances.clear()
            log.loading_until = 0
            self._tell(Change("world", account, chat))

    # ---------------------------------------------------------------- for the API; the caller holds `lock`

    def is_acquainted(self, account: Account, person: Person) -> bool:
        """Whether they are friends or the person has written 1:1. (LINE forgets the latter after 7 days.)"""
        return (account.user_id, person.user_id) in self.acquainted

    def is_reachable(self, account: Account, person: Person) -> bool:
        """Whether they are acquainted, and the account is not blocked."""
        return self.is_acquainted(account, person) and (account.user_id, person.user_id) not in self.blocked

    def place(self, account: Account, chat: Chat) -> Place | None:
        """A group or room that the account is in."""
        place = self.places.get(chat)
        return place if place and place.account == account else None

    def content(self, account: Account, message_id: str) -> Content | None:
        """What a message to this account holds, None while it is prepared. Raises KeyError where it holds nothing."""
        return self.contents[account.user_id, message_id]

    def is_unsent(self, account: Account, message_id: str) -> bool:
        """Whether a message to this account was taken back."""
        return (account.user_id, message_id) in self.gone

    def quotable(self, account: Account, chat: Chat) -> str:
        """A new quote token for a message of this chat; it is good for ever, and nowhere else."""
        token = self.ids.opaque(150)
        self.quote_tokens[token] = account.user_id, chat
        self._keep(records.quote_token_record(token, account.user_id, chat))
        return token

    def may_quote(self, account: Account, chat: Chat, token: str) -> bool:
        """Whether the token belongs to a message of this chat."""
        return self.quote_tokens.get(token) == (account.user_id, chat)

    def show_loading(self, account: Account, person: Person, seconds: int) -> None:
        """Show the loading animation; a second call starts its time anew."""
        chat = one_to_one(person)
        self.log(account, chat).loading_until = self.clock.now() + 1000 * seconds
        self._tell(Change("loading", account, chat))

    def count_push(self, account: Account, recipients: int) -> None:
        """Count one push to so many recipients, however many message objects it holds."""
        self.allowances.count_push(account.user_id, recipients, self.clock.now())
        self._tell(Change("world"))

    def mark_read(self, account: Account, token: str) -> None:
        """Mark people's messages as read up to the one of this `markAsReadToken`, if there is one."""
        if found := self._find(account, lambda said: said.message.get("markAsReadToken") == token):
            self._read(account, found[0], range(found[1] + 1))

    def deliver(
        self, account: Account, chat: Chat, messages: Iterable[JsonObject], via: Via, event_id: str | None = None
    ) -> list[JsonObject]:
        """Put a bot's messages into a chat; returns LINE's `sentMessages`. A person who blocks the bot sees nothing.

        `event_id` is the `webhookEventId` of the event that they answer.
        """
        sent = [self._sent(account, chat, message) for message in messages]
        if self._is_blocked(account, chat):
            return sent
        loads = self.log(account, chat).loading_until > 0
        for message, entry in zip(messages, sent, strict=True):
            said = utterance_of(message, entry["id"], self.clock.now(), account.name, via, event_id=event_id)
            self._add(account, chat, said)
        if loads:
            self._tell(Change("loading", account, chat))
        return sent

    def answered_by(self, account: Account, chat: Chat, retry_key: str | None) -> str | None:
        """The `webhookEventId` of the event that a push answers: by its retry key, or else the chat's newest.

        botkit makes the key from the event's id; a bot's name is its account's here.
        """
        said = (one for one in reversed(self.log(account, chat).utterances) if not one.is_answer)
        events = [one.event_id for one in islice(said, MOST_EVENTS) if one.event_id is not None]
        key = None if retry_key is None else UUID(retry_key)
        made = (event for event in events if key == uuid5(NAMESPACE_URL, f"botkit:{account.name}:{event}"))
        return next(made, events[0] if events else None)

    # ---------------------------------------------------------------- inside

    def _sent(self, account: Account, chat: Chat, message: Mapping[str, Any]) -> JsonObject:
        entry = {"id": self.ids.message()}
        if message.get("type") in _QUOTABLE:
            entry["quoteToken"] = self.quotable(account, chat)
        return entry

    def _add_place(self, chat: Chat, people: Iterable[Person], name: str) -> Chat:
        with self.lock:
            self._set_place(Place(chat, name, {person.user_id: person for person in people}))
            return chat

    def _is_blocked(self, account: Account, chat: Chat) -> bool:
        return chat.kind == "user" and (account.user_id, chat.id) in self.blocked

    def _find(self, account: Account, fits: Callable[[Utterance], bool]) -> tuple[Chat, int] | None:
        """Where something was said to an account: the chat, and the place in it; the newest of a chat first."""
        for (account_id, chat), log in self.logs.items():
            if account_id == account.user_id:
                for place in range(len(log.utterances) - 1, -1, -1):
                    if fits(log.utterances[place]):
                        return chat, place
        return None
