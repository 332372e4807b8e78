"""What the page sends: the bodies of POST /sim/do/…, checked before anything is done with them."""

from base64 import b64decode
from binascii import Error
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from botkit.messages import Chat
from botkit.simulator.rules import faults

LARGEST_MEDIA = 10_000_000
"""Bytes of one photo, voice message, video or file."""
LONGEST_JUMP = 366 * 24 * 60 * 60_000
_DAY = 24 * 60 * 60_000


def _said(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "is empty; write something")
    if faults([{"type": "text", "text": text}]):
        raise PydanticCustomError("long", "is longer than LINE takes, which is 5000 UTF-16 units; shorten it")
    return text


def _named(text: str) -> str:
    text = " ".join(text.split())
    if not text:
        raise PydanticCustomError("blank", "is empty; write a name")
    return text


def _decoded(data: object) -> bytes:
    """Base64 as bytes."""
    try:
        decoded = b64decode(data, validate=True) if isinstance(data, str) else b""
    except (Error, ValueError):
        raise PydanticCustomError("base64", "is no base64; send the bytes as standard base64") from None
    if not decoded:
        raise PydanticCustomError("empty", "holds nothing; choose a file that is not empty")
    if len(decoded) > LARGEST_MEDIA:
        raise PydanticCustomError("large", "is larger than 10 MB; choose a smaller file")
    return decoded


Id = Annotated[str, Field(min_length=1, max_length=100)]
Said = Annotated[str, AfterValidator(_said)]
Name = Annotated[str, Field(max_length=50), AfterValidator(_named)]
Label = Annotated[str, Field(max_length=100)]
"""Titles and addresses (LINE reference: Location message)."""


class Body(BaseModel):
    """One request of the page. What nobody asks for is not looked at."""

    model_config = ConfigDict(frozen=True, strict=True, populate_by_name=True)


class ChatId(Body):
    """A chat on the wire."""

    kind: Literal["user", "group", "room"]
    id: Id

    @property
    def chat(self) -> Chat:
        """The chat."""
        return Chat(self.kind, self.id)


class OfBot(Body):
    """Something with one of the bots."""

    bot: Id


class InChat(OfBot):
    """Something that happens in a chat with a bot."""

    where: ChatId = Field(alias="chat")


class ByPerson(InChat):
    """Something that a person does in a chat with a bot."""

    actor: Id = Field(alias="as")


class Say(ByPerson):
    """A text; `mentions` are "bot", "all" and user ids (at most 20: LINE reference, mention object)."""

    text: Said
    mentions: tuple[Id, ...] = Field((), max_length=20, strict=False)
    quote: Id | None = None


class Sticker(ByPerson):
    """A sticker."""

    keywords: tuple[Label, ...] = Field((), max_length=15, strict=False)
    text: Label | None = None


class Location(ByPerson):
    """A place on the map."""

    title: Label
    address: Label


class Media(ByPerson):
    """A photo, voice message, video or file, as base64; `duration` in ms."""

    kind: Literal["image", "audio", "video", "file"]
    type: str = Field(max_length=100, pattern=r"^[\w.+-]+/[\w.+-]+(\s*;.*)?$")
    data: Annotated[bytes, BeforeValidator(_decoded)]
    name: str | None = Field(None, max_length=255)
    duration: int | None = Field(None, ge=0, le=_DAY)


class OfMessage(ByPerson):
    """Something done with a message."""

    message: Id


class Again(InChat):
    """The same webhook once more."""

    message: Id


class Edit(OfMessage):
    """Another text for a message."""

    text: Said


class Postback(ByPerson):
    """A tap on a button; `text` is what it says for the person (LINE reference: Postback action)."""

    data: str = Field(max_length=300)
    params: dict[Label, Label] | None = Field(None, max_length=10)
    text: Annotated[str, Field(max_length=300)] | None = None


class Friendship(OfBot):
    """A person follows or blocks a bot."""

    actor: Id = Field(alias="as")


class NewPerson(Body):
    """Somebody new; `language` is a BCP 47 tag."""

    name: Annotated[Name, Field(max_length=20)]
    language: str | None = Field(None, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35)


class NewGroup(OfBot):
    """A new group with a bot in it."""

    name: Name
    members: tuple[Id, ...] = Field(min_length=1, max_length=100, strict=False)


class People(InChat):
    """Who comes or goes."""

    people: tuple[Id, ...] = Field(min_length=1, max_length=100, strict=False)


class Trouble(Body):
    """How a trouble is set."""

    name: Id
    mode: Literal["off", "once", "on"]
    value: int | None = Field(None, ge=0, le=10**9)


class Jump(Body):
    """How much time passes at once."""

    ms: int = Field(gt=0, le=LONGEST_JUMP)


class Nothing(Body):
    """What needs no word."""
