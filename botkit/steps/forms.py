"""Forms in which an option may be written: one or a list, short or long; and what its templates know besides."""

from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Any, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema


class Knows:
    """Metadata of a `Prose` option: it knows these variables, too, each given with two samples."""

    def __init__(self, **samples: Sequence[Any]) -> None:
        self.samples = samples

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = TypeAdapter[Any](source)
        return core_schema.with_info_wrap_validator_function(
            lambda value, _, info: inner.validate_python(value, context=self.context(info)), handler(source)
        )

    def context(self, info: ValidationInfo) -> dict[str, Any]:
        """The validation context for what stands inside."""
        return {**(info.context or {}), "samples": self.samples}


class OneOrMore(Knows):
    """Metadata of an option that is a list, or None: one entry may stand without the list.

    `most` entries it may have; the templates in it know `samples`, too.
    """

    def __init__(self, most: int, /, **samples: Sequence[Any]) -> None:
        super().__init__(**samples)
        self.most = most

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        whole = TypeAdapter[Any](source)
        may_be_none = NoneType in get_args(source)
        (several,) = (kind for kind in get_args(source) if kind is not NoneType) if may_be_none else (source,)
        one = TypeAdapter[Any](get_args(several)[0])

        def read(value: Any, _: Any, info: ValidationInfo) -> Any:
            context = self.context(info)
            if isinstance(value, list | tuple) and len(value) > self.most:
                found = {"field_type": "List", "max_length": self.most, "actual_length": len(value)}
                raise PydanticKnownError("too_long", found)
            if isinstance(value, list | tuple) or (value is None and may_be_none):
                return whole.validate_python(value, context=context)
            return (one.validate_python(value, context=context),)

        return core_schema.with_info_wrap_validator_function(read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        shape = {**handler(schema), "maxItems": self.most}
        return {"anyOf": [*shape["items"].get("anyOf", [shape["items"]]), shape]}


class Short:
    """Metadata of a mapping that may also be written as one value, which `read` takes; `shape` is its JSON Schema."""

    def __init__(self, read: Callable[[Any, ValidationInfo], Any], shape: Mapping[str, Any]) -> None:
        self.read = read
        self.shape = shape

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_wrap_validator_function(
            lambda value, long, info: long(value) if isinstance(value, dict | source) else self.read(value, info),
            handler(source),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [dict(self.shape), handler(schema)]}
