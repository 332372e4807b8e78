"""What is said on an event, as it is written in the bot file: texts, stickers, and the model's own words."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from botkit.line.text import MOST_MESSAGES
from botkit.steps.forms import OneOrMore, Short
from botkit.steps.prose import Prose

Number = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,20}$"),
    WithJsonSchema({"type": ["string", "integer"], "pattern": r"^[0-9]{1,20}$", "examples": ["446"]}),
]


class Sticker(BaseModel):
    """A sticker of LINE's; only those of its public list can be sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    package: Number = Field(description="The number of its package.")
    id: Number = Field(description="Its own number.")


def _sticker(value: Any, _info: ValidationInfo) -> Sticker:
    numbers = value.strip().split("/") if isinstance(value, str) else []
    if len(numbers) != 2 or not all(re.fullmatch("[0-9]{1,20}", number) for number in numbers):
        raise PydanticCustomError("sticker", "is no sticker; write its package and its number, such as 446/1988")
    return Sticker(package=numbers[0], id=numbers[1])


_STICKER_SHAPE = {"type": "string", "pattern": r"^\s*[0-9]{1,20}/[0-9]{1,20}\s*$", "examples": ["446/1988"]}


class Line(BaseModel):
    """One thing that is said: a text, a sticker, or the model's own words; written short, the text."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    text: Prose | None = Field(None, description="A text, a template like the persona.")
    sticker: Annotated[Sticker | None, Short(_sticker, _STICKER_SHAPE)] = Field(
        None, description="A sticker: package/number."
    )
    ask: Literal["model"] | None = Field(None, description="model: what is said is left to the model and its persona.")
    tell: Prose | None = Field(None, description="With `ask`: what the model is told has happened, a template.")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if sum(one is not None for one in (self.text, self.sticker, self.ask)) != 1:
            cure = "for several, write a list: [Welcome!, {sticker: 446/1988}]"
            raise PydanticCustomError("line", f"needs one of text, sticker and ask; {cure}")
        if self.tell is not None and self.ask is None:
            raise PydanticCustomError("line", "has tell without ask; add `ask: model`, or write the words as text")
        return self

    @model_serializer
    def _written(self) -> Any:
        """As a person would write it."""
        if self.text is not None:
            return str(self.text)
        if self.sticker is not None:
            return {"sticker": f"{self.sticker.package}/{self.sticker.id}"}
        return {"ask": self.ask, **({} if self.tell is None else {"tell": str(self.tell)})}


_PROSE = TypeAdapter[Prose](Prose)


def _line(value: Any, info: ValidationInfo) -> Line:
    return Line.model_construct(text=_PROSE.validate_python(value, context=info.context))


class Says(OneOrMore):
    """Metadata of an option that holds what is said; its JSON Schema bears the name that the reference explains."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"title": "saying", **super().__get_pydantic_json_schema__(schema, handler)}


MEMBERS, DATA = ("Hana, Ken", ""), ("menu=lunch", "")
"""Samples of the variables that texts on some events know besides: one where LINE tells them, one where not."""

Lines = tuple[Annotated[Line, Short(_line, {"type": ["string", "number", "boolean"]})], ...]
Saying = Annotated[Lines | None, Says(MOST_MESSAGES)]
OfMembers = Annotated[Lines | None, Says(MOST_MESSAGES, members=MEMBERS)]
OfData = Annotated[Lines, Says(MOST_MESSAGES, data=DATA)]
