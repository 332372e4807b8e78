"""What is said: LINE's events as botkit reads them, messages of a conversation, and replies. All frozen."""

from dataclasses import dataclass, field
from typing import Literal, Self

ChatKind = Literal["user", "group", "room"]
Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Chat:
    """Where something was said: LINE's `source`. `id` is a user, group or room id by `kind`."""

    kind: ChatKind
    id: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch `text[start:end]` of an event's text (Python indices) that mentions somebody."""

    start: int
    end: int
    user_id: str | None
    is_self: bool


@dataclass(frozen=True, slots=True)
class Event:
    """One webhook event, as far as botkit understands it.

    `at` is LINE's `timestamp` in ms since 1970, 0 where it gave none. `chat` is None where LINE names no source that
    botkit knows. `message_id` is the message that was sent, edited or unsent; `postback` the data of the button
    tapped; `photo_set` the id of a set of photos sent together and how many they are, 0 where LINE does not say.
    `body` is the event's JSON as it was received, for what is not named here.
    (LINE reference: Webhook Event Objects.)
    """

    id: str
    type: str
    at: int
    mode: str
    chat: Chat | None
    user_id: str | None
    reply_token: str | None = field(repr=False)
    redelivered: bool
    body: str = field(repr=False)
    message_id: str | None = None
    message_type: str | None = None
    text: str | None = None
    mentions: tuple[Mention, ...] = ()
    quote_token: str | None = None
    quoted_message_id: str | None = None
    postback: str | None = field(default=None, repr=False)
    photo_set: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What LINE tells of a person. `language` is a BCP 47 tag; absent for people outside the friends' list."""

    name: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation as the model sees it.

    `speaker` is set in conversations that several people share. `tokens` counts the content
    (`Message.content`) as it was when it was stored, near enough for every model; 0 = not counted.
    """

    role: Role
    text: str
    speaker: str | None = None
    tokens: int = 0

    @property
    def content(self) -> str:
        """The text for the model, the speaker's name before it where there is one.

        Further lines are indented then, so that nobody can write a line that reads as somebody else's.
        """
        if not self.speaker:
            return self.text
        return f"{self.speaker}: " + "\n  ".join(self.text.splitlines())


@dataclass(frozen=True, slots=True)
class Text:
    """A text to be shown; rendering splits it where LINE's 5000 UTF-16 units end."""

    text: str


@dataclass(frozen=True, slots=True)
class QuickReply:
    """A button under the last message that says `text` for the person when tapped.

    `label`: at most 20 characters (LINE reference: Quick reply).
    """

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Button:
    """A message with one button that, tapped, sends `data` back to the bot unseen (LINE reference: Postback action).

    `text` at most 160 characters, `label` at most 20, `data` at most 300 (LINE reference: Buttons template).
    """

    text: str
    label: str
    data: str


@dataclass(frozen=True, slots=True)
class Sender:
    """The name (at most 20 characters) and icon (an https address) shown instead of the account's."""

    name: str | None = None
    icon: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a turn answers. Without parts the bot stays silent."""

    parts: tuple[Text, ...] = ()
    quick_replies: tuple[QuickReply, ...] = ()
    sender: Sender | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """A reply that says `text`; silence where it is blank (LINE refuses empty messages)."""
        return cls((Text(text),)) if text.strip() else cls()

    @property
    def silent(self) -> bool:
        """Whether nothing is said."""
        return not self.parts

    @property
    def text(self) -> str:
        """All that is said, as history keeps it."""
        return "\n\n".join(part.text for part in self.parts)


SILENCE = Reply()
