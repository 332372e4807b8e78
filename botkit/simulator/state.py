"""What is known, who is told when it changes, and how it is taken up again."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import RLock
from typing import Literal

from botkit.messages import Chat, Content
from botkit.ports import Clock
from botkit.simulator import records
from botkit.simulator.allowances import Allowances
from botkit.simulator.chats import Account, ChatLog, Person, Place, Utterance
from botkit.simulator.records import Record
from botkit.simulator.troubles import Troubles
from botkit.simulator.wire import Ids


@dataclass(frozen=True, slots=True)
class Change:
    """Something that can be seen has changed.

    `said`: `utterance` of a chat is new or changed · `loading`: the animation of a chat begins or ends ·
    `world`: people, groups, members, friends, accounts or counts; of a chat, where one is named, everything.
    """

    kind: Literal["said", "loading", "world"]
    account: Account | None = None
    chat: Chat | None = None
    utterance: Utterance | None = None


class State:
    """Everything that LINE knows. It takes time only from `clock`; the same `seed` gives the same ids.

    Safe to use from several threads: `lock` guards everything but `troubles`, which guard themselves.

    Whoever `listen`s is told what can be seen to change, and who `watch`es gets all that must be known to go on
    from here. Both are called in the thread that makes the change, with `lock` held: they must be quick, and
    never call back. What is written to the attributes directly is told to nobody.
    """

    def __init__(self, clock: Clock, *, seed: int | None = None) -> None:
        self.clock = clock
        self.ids = Ids(seed)
        self.lock = RLock()
        self.troubles = Troubles()
        self.allowances = Allowances(self._keep)
        self.accounts: dict[str, Account] = {}
        self.people: dict[str, Person] = {}
        self.places: dict[Chat, Place] = {}
        self.logs: defaultdict[tuple[str, Chat], ChatLog] = defaultdict(ChatLog)
        self.acquainted: set[tuple[str, str]] = set()
        self.blocked: set[tuple[str, str]] = set()
        self.contents: dict[tuple[str, str], Content | None] = {}
        self.gone: set[tuple[str, str]] = set()
        self.tokens: dict[str, tuple[str, int]] = {}
        self.quote_tokens: dict[str, tuple[str, Chat]] = {}
        self._listeners: list[Callable[[Change], None]] = []
        self._watchers: list[Callable[[Record], None]] = []

    # ---------------------------------------------------------------- who looks on

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Tell `listener` of every change from now on."""
        with self.lock:
            self._listeners.append(listener)

    def watch(self, watcher: Callable[[Record], None]) -> None:
        """Give `watcher` everything that is new or different from now on."""
        with self.lock:
            self._watchers.append(watcher)

    def restore(self, known: Iterable[Record]) -> None:
        """Take in what a watcher was given before. Nobody is told of it."""
        with self.lock:
            for record in records.in_order(known):
                self._restore(record)

    def log(self, account: Account, chat: Chat) -> ChatLog:
        """A chat of this account in the making, system lines and all."""
        return self.logs[account.user_id, chat]

    # ---------------------------------------------------------------- what changes; the caller holds `lock`

    def _set_account(self, account: Account) -> Account:
        self.accounts[account.user_id] = account
        self._know(records.account_record(account))
        return account

    def _set_place(self, place: Place) -> None:
        self.places[place.chat] = place
        self._know(records.place_record(place))

    def _add(self, account: Account, chat: Chat, utterance: Utterance) -> None:
        self.log(account, chat).add(utterance)
        self._said(account, chat, utterance)

    def _read(self, account: Account, chat: Chat, places: Iterable[int]) -> None:
        for utterance in self.log(account, chat).read(places):
            self._said(account, chat, utterance)

    def _said(self, account: Account, chat: Chat, utterance: Utterance) -> None:
        self._keep(records.utterance_record(account.user_id, chat, utterance))
        self._tell(Change("said", account, chat, utterance))

    def _hold(self, account: Account, message_id: str, content: Content | None) -> None:
        self.contents[account.user_id, message_id] = content
        self._keep(records.content_record(account.user_id, message_id, content))

    def _drop(self, account: Account, message_id: str) -> None:
        """Drop what a message held, if anything."""
        key = account.user_id, message_id
        if key in self.contents:
            del self.contents[key]
            self._keep(records.forgotten("content", *key))

    def _forget(self, account: Account, chat: Chat, message_id: str) -> None:
        self._keep(records.forgotten("utterance", account.user_id, chat.kind, chat.id, message_id))
        self._drop(account, message_id)

    def _befriend(self, account: Account, person: Person, *, acquainted: bool, blocked: bool) -> None:
        """Set how a person stands to an account."""
        pair = account.user_id, person.user_id
        before = pair in self.acquainted, pair in self.blocked
        (self.acquainted.add if acquainted else self.acquainted.discard)(pair)
        (self.blocked.add if blocked else self.blocked.discard)(pair)
        if before != (acquainted, blocked):
            self._know(records.friendship_record(*pair, acquainted=acquainted, blocked=blocked))

    def _know(self, record: Record) -> None:
        """Keep a fact that can be seen."""
        self._keep(record)
        self._tell(Change("world"))

    def _keep(self, record: Record) -> None:
        for watcher in self._watchers:
            watcher(record)

    def _tell(self, change: Change) -> None:
        for listener in self._listeners:
            listener(change)

    def _restore(self, record: Record) -> None:
        match record.kind, record.key, record.value:
            case "account", (user_id,), _:
                self.accounts[user_id] = records.account_of(record)
            case "person", (user_id,), _:
                self.people[user_id] = records.person_of(record)
            case "place", (kind, chat_id), {"name": name, "members": members, "account": account_id}:
                chat = records.chat_of(kind, chat_id)
                people = {one: self.people[one] for one in members if one in self.people}
                self.places[chat] = Place(chat, name, people, self.accounts.get(account_id))
            case "friendship", (account_id, user_id), known:
                for pairs, holds in (self.acquainted, known["acquainted"]), (self.blocked, known["blocked"]):
                    (pairs.add if holds else pairs.discard)((account_id, user_id))
            case "utterance", (account_id, kind, chat_id, _), _:
                self.logs[account_id, records.chat_of(kind, chat_id)].add(records.utterance_of_record(record))
            case "content", (account_id, message_id), _:
                self.contents[account_id, message_id] = records.content_of(record)
            case "unsent", (account_id, message_id), _:
                self.gone.add((account_id, message_id))
            case "quote token", (token,), (account_id, kind, chat_id):
                self.quote_tokens[token] = account_id, records.chat_of(kind, chat_id)
            case _:
                self.allowances.restore(record)


def one_to_one(person: Person) -> Chat:
    """The 1:1 chat with a person, the same for every account."""
    return Chat("user", person.user_id)
