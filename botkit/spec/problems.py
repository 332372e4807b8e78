"""Turns pydantic's findings into sentences that say what is wrong and what to do."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from botkit.spec.bot import Header
from botkit.steps import STEPS

Owners = Mapping[str, Collection[str]]

# pydantic error type → what to say; `{…}` are the fields of its context.
_SAYINGS = {
    "missing": "is required; add it",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "greater_than": "must be more than {gt}",
    "less_than": "must be less than {lt}",
    "finite_number": "must be an ordinary number",
    "literal_error": "must be one of: {expected}",
    "string_type": "must be a text; put it in quotes",
    "string_too_long": "may have {max_length} characters at most",
    "string_too_short": "must not be empty",
    "too_short": "must not be an empty list",
    "too_long": "may have {max_length} entries at most",
    "string_pattern_mismatch": "does not have the right form; it must match {pattern}",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "dict_type": "must be a mapping (`name: value` lines, indented)",
    "model_type": "must be a mapping (`name: value` lines, indented)",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
}

# What is wanted where nothing stands.
_EMPTY = {"string_type": "a text", "model_type": "its options", "dict_type": "its options"}
_PRICES = "must say what each model costs, in USD a million tokens: `{my-model: {input: 0.4, output: 1.6}}`"
# Options that people write as one value → what to write there.
_AS_MAPPING = (
    (r"limits\.(user|group|bot)", "must be a mapping; write `messages: 20/min` under it"),
    (r"model\.prices(\..+)?", _PRICES),
    ("moderation", "must be a mapping; write `input: refuse` under it, or remove the line if nothing is to be judged"),
    (
        "commands",
        "must be a mapping; write a command's name with `off`, such as `usage: off`, or leave `commands` out of the "
        "pipeline",
    ),
)
# Options that there cannot be, by pattern → why.
_NEVER = ((r"events\.(unfollow|leave)", "nothing can be said to somebody who has gone; see `forget_on_unfollow`"),)

# What belongs to steps that do not exist yet: refused by name, not as a spelling mistake.
_NOT_YET = {"tools"}


def explain(
    details: ErrorDetails, path: Sequence[str | int], known: Iterable[str], owners: Owners | None = None
) -> str:
    """One finding as a sentence. `path` is where validation began, `known` the options that could stand there.

    `owners` says which options stand in which sections of the file, by default those of a bot file. The value is
    shown unless it could be a secret.
    """
    *owner, last = details["loc"] or ("",)
    # pydantic's mark of a word in somebody's own mapping, which stands before it.
    if last == "[key]" and owner and details["type"] != "extra_forbidden":
        if not str(owner[-1]).strip():
            return f"{dotted((*path, *owner[:-1]))}: a word must not be empty"
        return f"{dotted((*path, *owner))}: the word {_said(details)}"
    option = dotted((*path, *details["loc"]))
    if details["type"] == "extra_forbidden":
        return _explain_unknown(option, str(last), known, _OWNERS if owners is None else owners)
    if details["input"] is None and details["type"] in _EMPTY:
        return f"{option}: is empty; write {_EMPTY[details['type']]}, or remove the line"
    return f"{option}: {_shown(details, option)}{_special(details, option) or _said(details)}"


def _said(details: ErrorDetails) -> str:
    saying = _SAYINGS.get(details["type"])
    return saying.format_map(_Quoted(details.get("ctx") or {})) if saying else details["msg"]


def _special(details: ErrorDetails, option: str) -> str:
    """What to say where the kind of finding alone does not tell the cure; "" where it does."""
    kind, value, context = details["type"], details["input"], details.get("ctx") or {}
    if kind in ("model_type", "dict_type"):
        return next((cure for pattern, cure in _AS_MAPPING if re.fullmatch(pattern, option)), "")
    if kind == "string_type" and isinstance(value, dict | list):
        return f"must be one text, not a {'list' if isinstance(value, list) else 'mapping'}"
    if kind == "literal_error" and (only := re.fullmatch("'([^']*)'", str(context.get("expected")))):
        return f"must be `{only[1]}`"
    if kind == "literal_error" and str(context.get("expected")) == "True":
        return "must be `true`"
    if kind == "string_pattern_mismatch" and str(context.get("pattern")).startswith("^http"):
        also = "http:// or " if context["pattern"].startswith("^https?:") else ""
        return f"does not have the right form; write an address that begins with {also}https://"
    return ""


def _explain_unknown(option: str, word: str, known: Iterable[str], owners: Owners) -> str:
    if option in _NOT_YET:
        return f"{option}: is not available in this version; remove it"
    if option.startswith("line."):  # it may be the secret itself, written in the wrong place
        return "line: unknown option (not shown)" + near("", known)
    if why := next((why for pattern, why in _NEVER if re.fullmatch(pattern, option)), ""):
        return f"{option}: {why}"
    own = option.partition(".")[0]
    owner = next((section for section, options in owners.items() if word in options and section != own), None)
    if owner and not get_close_matches(word, list(known), 1, 0.8):
        return f"{option}: belongs under `{owner}:`; move it there"
    if option == f"commands.{_short(word)}" and not get_close_matches(word, list(known), 1):
        return f"{option}: unknown option; words of your own belong under `say:`"
    return f"{option}: unknown option{near(word, known)}"


def fields_at(kind: Any, loc: Sequence[str | int]) -> list[str]:
    """The options of the model that stands at `loc` inside `kind`; none where it is no model."""
    for key in loc:
        # A key that is no option is one of the person's own, as in `postback: {"menu=*": …}`.
        if isinstance(kind, type) and issubclass(kind, BaseModel) and key in kind.model_fields:
            kind = _model_in(kind.model_fields[key].annotation)
    return options_of(kind) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def options_of(kind: type[BaseModel]) -> list[str]:
    """The options of a model, as people write them."""
    return [field.alias or name for name, field in kind.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)


_OWNERS: Owners = {
    "line": fields_at(Header, ["line"]),
    **{name: list(kind.model_fields) for name, kind in STEPS.items()},
}


def dotted(path: Iterable[str | int]) -> str:
    """A path as people write it: `reply.quick_replies[2].label`; words that are no option may be of any length."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{_short(part)}" for part in path).removeprefix(".")


def _short(word: str) -> str:
    shown = word if word.isprintable() else ascii(word)[1:-1]
    return shown if len(shown) <= 40 else f"{ascii(word)[1:38]}…"


def near(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?` where a known word is near, else all the known words."""
    choices = sorted(known)
    close = get_close_matches(word, choices, 1)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; there is {', '.join(choices)}" if choices else ""


class _Quoted(dict[str, Any]):
    """Missing context fields stay visible instead of failing the report itself; whole numbers have no point."""

    def __init__(self, context: Mapping[str, Any]) -> None:
        super().__init__({name: _plain(value) for name, value in context.items()})

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


_SILENT = {"commands", "missing", "literal_secret", "persona", "no_room"}


def _shown(details: ErrorDetails, option: str) -> str:
    if details["type"] in _SILENT or option == "line" or option.startswith("line.") or option.endswith(".base_url"):
        return ""
    value = details["input"]
    if isinstance(value, dict | list):
        return ""
    text = "nothing" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return f"{text[:60]} " if len(text) <= 60 else f"{text[:57]}… "
