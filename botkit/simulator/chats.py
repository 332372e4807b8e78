"""Who talks where: accounts, people, the groups they meet in, and what was said there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from botkit.messages import Chat

Via = Literal["person", "reply", "push"]


@dataclass(frozen=True, slots=True)
class Account:
    """A LINE Official Account. `quota`: pushes a month, counted per recipient; None = unlimited."""

    name: str
    user_id: str
    channel_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    quota: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who uses LINE. `language` is a BCP 47 tag; None where LINE does not know it."""

    name: str
    user_id: str
    language: str | None = None


@dataclass(slots=True)
class Place:
    """A group or room: its members, and the one official account in it, if any."""

    chat: Chat
    name: str
    members: dict[str, Person]
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message of a chat as people see it.

    `text` is what can be read of it (a flex message's altText, "[image]"); "" once it was unsent.
    `message` is the message object; `quick_replies` are the labels; `sender` is the name shown
    instead of `who`.
    """

    id: str
    at: int
    who: str
    text: str
    via: Via
    message: Mapping[str, Any]
    quick_replies: tuple[str, ...] = ()
    sender: str | None = None
    unsent: bool = False


@dataclass(frozen=True, slots=True)
class Transcript:
    """What has been said in a chat so far, oldest first, and until when (ms) the loading animation shows."""

    utterances: tuple[Utterance, ...]
    loading_until: int | None = None

    def __iter__(self) -> Iterator[Utterance]:
        return iter(self.utterances)

    def __len__(self) -> int:
        return len(self.utterances)

    @property
    def answers(self) -> tuple[Utterance, ...]:
        """What the bot said."""
        return tuple(utterance for utterance in self.utterances if utterance.via != "person")

    @property
    def texts(self) -> list[str]:
        """The texts of what the bot said."""
        return [utterance.text for utterance in self.answers]


@dataclass(slots=True)
class ChatLog:
    """A chat of one account in the making."""

    utterances: list[Utterance] = field(default_factory=list)
    loading_until: int = 0

    def add(self, utterance: Utterance) -> None:
        """Show a message. One of the bot's ends the loading animation."""
        self.utterances.append(utterance)
        if utterance.via != "person":
            self.loading_until = 0

    def find(self, message_id: str) -> int:
        """Where a message stands. Raises ValueError where it was never said here."""
        return [utterance.id for utterance in self.utterances].index(message_id)

    def change(self, message_id: str, text: str, *, unsent: bool = False) -> Utterance:
        """Edit or unsend a message; returns it as it was."""
        place = self.find(message_id)
        before = self.utterances[place]
        self.utterances[place] = replace(before, text=text, message={**before.message, "text": text}, unsent=unsent)
        return before

    def transcript(self, now: int) -> Transcript:
        """A snapshot."""
        return Transcript(tuple(self.utterances), self.loading_until if self.loading_until > now else None)


def utterance_of(message: Mapping[str, Any], message_id: str, at: int, who: str, via: Via) -> Utterance:
    """How a message object, a person's or a bot's, is seen in a chat."""
    text = message.get("text") or message.get("altText") or f"[{message.get('type')}]"
    items = message.get("quickReply", {}).get("items", ())
    labels = tuple(item["action"]["label"] for item in items)
    return Utterance(message_id, at, who, text, via, message, labels, message.get("sender", {}).get("name"))
