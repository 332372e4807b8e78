"""What LINE knows, one fact at a time, in a form that can be written down and read again."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, get_args

from botkit.messages import Chat, Content
from botkit.simulator.chats import Account, Person, Place, Utterance

Kind = Literal[
    "account",
    "person",
    "place",
    "friendship",
    "utterance",
    "content",
    "unsent",
    "quote token",
    "reply token",
    "retry key",
    "pushed",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""In the order in which they are read again: places name people and accounts."""


@dataclass(frozen=True, slots=True)
class Record:
    """One fact. A later record of the same kind and key replaces it.

    `value` is JSON; None: it is a fact no more. `data` are bytes that belong to it. `until` (ms since 1970): from
    then on it makes no difference.
    """

    kind: Kind
    key: tuple[str, ...]
    value: Any
    data: bytes | None = None
    until: int | None = None


# ---------------------------------------------------------------- who there is


def account_record(account: Account) -> Record:
    """An official account, by its user id."""
    return Record("account", (account.user_id,), _fields(account))


def account_of(record: Record) -> Account:
    """The account of its record."""
    return Account(**record.value)


def person_record(person: Person) -> Record:
    """A person, by the user id."""
    return Record("person", (person.user_id,), _fields(person))


def person_of(record: Record) -> Person:
    """The person of the record."""
    return Person(**record.value)


def place_record(place: Place) -> Record:
    """A group or room: its name, its members' user ids and that of its account."""
    account_id = place.account.user_id if place.account else None
    value = {"name": place.name, "members": list(place.members), "account": account_id}
    return Record("place", (place.chat.kind, place.chat.id), value)


def friendship_record(account_id: str, user_id: str, *, acquainted: bool, blocked: bool) -> Record:
    """How a person stands to an account."""
    return Record("friendship", (account_id, user_id), {"acquainted": acquainted, "blocked": blocked})


# ---------------------------------------------------------------- what was said


def utterance_record(account_id: str, chat: Chat, utterance: Utterance) -> Record:
    """A message or system line of a chat. They are kept in the order in which they were first shown."""
    return Record("utterance", (account_id, chat.kind, chat.id, utterance.id), _fields(utterance))


def utterance_of_record(record: Record) -> Utterance:
    """The message of its record."""
    return Utterance(**{**record.value, "quick_replies": tuple(record.value["quick_replies"])})


def content_record(account_id: str, message_id: str, content: Content | None) -> Record:
    """What a message holds; None while it is prepared."""
    key = account_id, message_id
    if content is None:
        return Record("content", key, {"media_type": None})
    return Record("content", key, {"media_type": content.media_type}, content.data)


def content_of(record: Record) -> Content | None:
    """What the message of the record holds."""
    return None if record.data is None else Content(record.data, record.value["media_type"])


def unsent_record(account_id: str, message_id: str) -> Record:
    """That a message was taken back."""
    return Record("unsent", (account_id, message_id), True)


def quote_token_record(token: str, account_id: str, chat: Chat) -> Record:
    """A quote token, and where it is good."""
    return Record("quote token", (token,), [account_id, chat.kind, chat.id])


# ---------------------------------------------------------------- the form


def forgotten(kind: Kind, *key: str) -> Record:
    """That something is a fact no more."""
    return Record(kind, key, None)


def in_order(records: Iterable[Record]) -> list[Record]:
    """The records by kind, in the order of `KINDS`; those of one kind as they come."""
    return sorted(records, key=lambda record: KINDS.index(record.kind))


def chat_of(kind: Any, chat_id: str) -> Chat:
    """A chat of its parts."""
    return Chat(kind, chat_id)


def _fields(value: Any) -> dict[str, Any]:
    """A dataclass's fields by name, one level deep."""
    return {field.name: getattr(value, field.name) for field in fields(value)}
