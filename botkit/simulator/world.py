"""What LINE knows: accounts, people, groups, what was said in them, and what may still be done."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Any

from botkit.messages import Chat, Content
from botkit.ports import Clock
from botkit.simulator.allowances import Allowances
from botkit.simulator.chats import Account, ChatLog, Person, Place, Transcript, Via, utterance_of
from botkit.simulator.troubles import Troubles
from botkit.simulator.wire import Ids, JsonObject

_QUOTABLE = ("text", "textV2", "sticker", "image", "video", "template", "flex")


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the API as it came in. `headers` are lower-case and without the access token.

    `body` is the parsed JSON, None where there was none; `status` is 0 where no answer was given.
    """

    endpoint: str | None
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    status: int


class World:
    """The state behind the platform. It takes time only from `clock`; the same `seed` gives the same ids.

    Safe to use from several threads: `lock` guards everything but `troubles`, which guard themselves.
    """

    def __init__(self, clock: Clock, *, seed: int | None = None) -> None:
        self.clock = clock
        self.ids = Ids(seed)
        self.lock = RLock()
        self.troubles = Troubles()
        self.allowances = Allowances()
        self.accounts: dict[str, Account] = {}
        self.people: dict[str, Person] = {}
        self.places: dict[Chat, Place] = {}
        self.logs: defaultdict[tuple[str, Chat], ChatLog] = defaultdict(ChatLog)
        self.acquainted: set[tuple[str, str]] = set()
        self.blocked: set[tuple[str, str]] = set()
        self.contents: dict[tuple[str, str], Content | None] = {}
        self.gone: set[tuple[str, str]] = set()
        self._quotable: dict[str, tuple[str, Chat]] = {}
        self._calls: list[Call] = []

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
            self.accounts[account.user_id] = account
            return account

    def add_person(self, name: str, *, language: str | None = None, user_id: str | None = None) -> Person:
        """A new person, so far nobody's friend."""
        with self.lock:
            person = Person(name, user_id or "U" + self.ids.hexadecimal(32), language)
            self.people[person.user_id] = person
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
        """Every call of the API so far, in the order of their answers."""
        with self.lock:
            return tuple(self._calls)

    def calls_of(self, endpoint: str) -> tuple[Call, ...]:
        """The calls of one endpoint; the names are those of `troubles.Endpoint`."""
        return tuple(call for call in self.calls if call.endpoint == endpoint)

    def record(self, call: Call) -> None:
        """Keep a call of the API."""
        with self.lock:
            self._calls.append(call)

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
        self._quotable[token] = account.user_id, chat
        return token

    def may_quote(self, account: Account, chat: Chat, token: str) -> bool:
        """Whether the token belongs to a message of this chat."""
        return self._quotable.get(token) == (account.user_id, chat)

    def show_loading(self, account: Account, person: Person, seconds: int) -> None:
        """Show the loading animation; a second call starts its time anew."""
        self.log(account, one_to_one(person)).loading_until = self.clock.now() + 1000 * seconds

    def deliver(self, account: Account, chat: Chat, messages: Iterable[JsonObject], via: Via) -> list[JsonObject]:
        """Put a bot's messages into a chat; returns LINE's `sentMessages`. A person who blocks the bot sees nothing."""
        sent = [self._sent(account, chat, message) for message in messages]
        blocked = chat.kind == "user" and (account.user_id, chat.id) in self.blocked
        for message, entry in zip(messages, sent, strict=True):
            if not blocked:
                said = utterance_of(message, entry["id"], self.clock.now(), account.name, via)
                self.log(account, chat).add(said)
        return sent

    def _sent(self, account: Account, chat: Chat, message: Mapping[str, Any]) -> JsonObject:
        entry = {"id": self.ids.message()}
        if message.get("type") in _QUOTABLE:
            entry["quoteToken"] = self.quotable(account, chat)
        return entry

    def _add_place(self, chat: Chat, people: Iterable[Person], name: str) -> Chat:
        with self.lock:
            self.places[chat] = Place(chat, name, {person.user_id: person for person in people})
            return chat

    def log(self, account: Account, chat: Chat) -> ChatLog:
        """A chat of this account in the making."""
        return self.logs[account.user_id, chat]


def one_to_one(person: Person) -> Chat:
    """The 1:1 chat with a person, the same for every account."""
    return Chat("user", person.user_id)
