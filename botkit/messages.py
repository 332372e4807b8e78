"""What is said: LINE's events as botkit reads them, messages of a conversation, and replies. All frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

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
class Location:
    """A place on the map that somebody has sent. `title` and `address` are "" where LINE gives none."""

    title: str
    address: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Event:
    """One webhook event, as far as botkit understands it.

    `at` is LINE's `timestamp` in ms since 1970, 0 where it gave none. `chat` is None where LINE names no source that
    botkit knows. `message_id` is the message that was sent, edited or unsent; `postback` the data of the button
    tapped; `photo_set` the id of a set of photos sent together and how many they are, 0 where LINE does not say.
    `words` are what LINE says a sticker shows or what is written on it; `duration` is that of a video or voice
    message in ms; `is_external` is media that LINE does not hold, and so cannot give; `members` are the user
    ids of people who have joined; `is_unblocked` tells of a follow that the person had blocked the bot before;
    `read_token` marks the chat as read up to this message.
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
    words: tuple[str, ...] = ()
    location: Location | None = None
    file_name: str | None = None
    duration: int | None = None
    is_external: bool = False
    members: tuple[str, ...] = ()
    is_unblocked: bool = False
    read_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """What LINE tells of a person. `language` is a BCP 47 tag; absent for people outside the friends' list."""

    name: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a photo, voice message, video or file, and their media type."""

    data: bytes = field(repr=False)
    media_type: str


def most_tokens(text: str) -> int:
    """The most tokens that a text can have: one for each of its bytes in UTF-8.

    Byte-level BPE begins with the bytes and only ever joins them, so a token is one byte at least. (Radford et al.
    2019: Language Models are Unsupervised Multitask Learners, 2.2; tiktoken README: What is BPE anyway?)
    """
    # Half a surrogate pair, which JSON can carry, has three bytes, as U+FFFD has, which is counted in its place.
    return len(text.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation as the model sees it.

    `speaker` is set in conversations that several people share. `tokens` counts the content
    (`Message.content`) as it was when it was stored, near enough for every model; None = not counted.
    `overheard`: it was said in a group to others than the bot. `images` go to the model with the text, and
    are not stored. `at` is when it was said (ms since 1970; 0 = not known).
    """

    role: Role
    text: str
    speaker: str | None = None
    tokens: int | None = None
    overheard: bool = False
    images: tuple[Content, ...] = ()
    at: int = field(default=0, compare=False)

    @property
    def content(self) -> str:
        """The text for the model, the speaker's name before it where there is one.

        Further lines are indented then, so that nobody can write a line that reads as somebody else's.
        """
        if not self.speaker:
            return self.text
        return f"{self.speaker}: " + "\n  ".join(self.text.splitlines())

    @property
    def most_tokens(self) -> int:
        """Its tokens; where they are not counted, the most that they can be."""
        return most_tokens(self.content) if self.tokens is None else self.tokens


@dataclass(frozen=True, slots=True)
class Text:
    """A text to be shown; rendering splits it where LINE's 5000 UTF-16 units end.

    `markdown`: it is written in Markdown, as models write, and the step `reply` makes of it what LINE can
    show. `whole` are stretches `text[start:end]` that are not cut as long as they fit a message.
    """

    text: str
    markdown: bool = False
    whole: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Sticker:
    """A sticker of LINE's (Messaging API docs: List of available stickers)."""

    package_id: str
    sticker_id: str

    @property
    def text(self) -> str:
        """What history keeps of it."""
        return "(sticker)"


@dataclass(frozen=True, slots=True)
class Flex:
    """A Flex message: `contents` is a bubble or carousel (LINE reference: Flex Message), `text` says the same in words.

    The words are what history keeps and what is shown where LINE would refuse the contents.
    """

    text: str
    contents: Mapping[str, Any]


Part = Text | Sticker | Flex


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
    """What a turn answers. Without parts the bot stays silent.

    `quote` is the quote token of the message that the answer is shown under (LINE reference: quoteToken).
    """

    parts: tuple[Part, ...] = ()
    quick_replies: tuple[QuickReply, ...] = ()
    sender: Sender | None = None
    quote: str | None = field(default=None, repr=False)

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
