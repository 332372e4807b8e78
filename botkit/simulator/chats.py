"""Who talks where: accounts, people, the groups they meet in, and what was said there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

from botkit.messages import Chat

Via = Literal["person", "reply", "push", "system"]
ReadMode = Literal["auto", "manual"]

# What tells nothing of what was said. (The read token stays good for the messages before.)
_LEFT_OF_UNSENT = ("type", "id", "markAsReadToken")


@dataclass(frozen=True, slots=True)
class Account:
    """A LINE Official Account and its Messaging API channel.

    `quota`: pushes a month, counted per recipient; None = unlimited.
    `read_mode`: whether messages are read by themselves, or where the bot marks them (LINE reference: Get bot info).
    `webhook`: where its webhooks go, and `webhook_active`: whether they do ("Use webhook" in LINE's console).
    All of these may be set anew, and are no part of which account it is. `channel_id` follows from the user id.
    """

    name: str
    user_id: str
    channel_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    quota: int | None = field(default=None, compare=False)
    read_mode: ReadMode = field(default="auto", compare=False)
    webhook: str | None = field(default=None, compare=False)
    webhook_active: bool = field(default=True, compare=False)

    @property
    def channel_id(self) -> str:
        """The channel's number in LINE's console: ten digits, the same at every start."""
        return f"20{int(sha256(self.user_id.encode()).hexdigest(), 16) % 10**8:08d}"


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
    """One message of a chat as people see it, or a line between messages that tells what happened (via "system").

    `text` is what can be read of it (a flex message's altText, "[image]"); "" once it was unsent.
    `message` is the message object; `quick_replies` are the labels; `sender` is the name shown
    instead of `who`. `user_id` is that of the person who said it, None for the bot's and for system lines.
    `event_id` is the `webhookEventId` of what was said or happened; for a bot's message, of what it
    answers, as far as that can be known. `read`: the account has read it.
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
    user_id: str | None = None
    event_id: str | None = None
    edited: bool = False
    read: bool = False

    @property
    def is_answer(self) -> bool:
        """Whether the bot said it."""
        return self.via in ("reply", "push")

    @property
    def line(self) -> str:
        """The words for a line about it: its text, or that it was unsent."""
        return f"{self.who} unsent a message" if self.unsent else self.text


@dataclass(frozen=True, slots=True)
class Transcript:
    """What has been said in a chat so far, oldest first, and until when (ms) the loading animation shows.

    System lines are left out.
    """

    utterances: tuple[Utterance, ...]
    loading_until: int | None = None

    def __iter__(self) -> Iterator[Utterance]:
        return iter(self.utterances)

    def __len__(self) -> int:
        return len(self.utterances)

    @property
    def answers(self) -> tuple[Utterance, ...]:
        """What the bot said."""
        return tuple(utterance for utterance in self.utterances if utterance.is_answer)

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
        """Show a message or a system line. A message of the bot's ends the loading animation."""
        self.utterances.append(utterance)
        if utterance.is_answer:
            self.loading_until = 0

    def find(self, message_id: str) -> int:
        """Where a message stands. Raises ValueError where it was never said here."""
        return [utterance.id for utterance in self.utterances].index(message_id)

    def edit(self, message_id: str, text: str) -> Utterance:
        """Give a message another text; returns it as it is now."""
        place = self.find(message_id)
        before = self.utterances[place]
        # Whom the old text mentions is told by positions in it.
        kept = {key: value for key, value in before.message.items() if key != "mention"}
        self.utterances[place] = replace(before, text=text, message={**kept, "text": text}, edited=True)
        return self.utterances[place]

    def unsend(self, message_id: str) -> Utterance:
        """Leave nothing of a message but that it was there; returns it as it is now."""
        place = self.find(message_id)
        before = self.utterances[place]
        kept = {key: before.message[key] for key in _LEFT_OF_UNSENT if key in before.message}
        self.utterances[place] = replace(before, text="", message=kept, unsent=True)
        return self.utterances[place]

    def read(self, places: Iterable[int]) -> list[Utterance]:
        """Mark people's messages among these as read; returns those that were not, as they are now."""
        fresh = [
            place for place in places if self.utterances[place].via == "person" and not self.utterances[place].read
        ]
        for place in fresh:
            self.utterances[place] = replace(self.utterances[place], read=True)
        return [self.utterances[place] for place in fresh]

    def transcript(self, now: int) -> Transcript:
        """A snapshot."""
        said = tuple(utterance for utterance in self.utterances if utterance.via != "system")
        return Transcript(said, self.loading_until if self.loading_until > now else None)


def utterance_of(
    message: Mapping[str, Any],
    message_id: str,
    at: int,
    who: str,
    via: Via,
    *,
    user_id: str | None = None,
    event_id: str | None = None,
) -> Utterance:
    """How a message object, a person's or a bot's, is seen in a chat."""
    text = message.get("text") or message.get("altText") or f"[{message.get('type')}]"
    items = message.get("quickReply", {}).get("items", ())
    labels = tuple(item["action"]["label"] for item in items)
    sender = message.get("sender", {}).get("name")
    return Utterance(message_id, at, who, text, via, message, labels, sender, user_id=user_id, event_id=event_id)


def system_line(text: str, at: int, event_id: str) -> Utterance:
    """A line in the middle of the chat, about the event of this `webhookEventId`."""
    message = {"type": "text", "text": text}
    return Utterance(f"S{event_id}", at, "", text, "system", message, event_id=event_id)
