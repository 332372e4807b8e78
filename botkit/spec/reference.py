"""The page that explains every option of a bot file, made from the same models as the schema."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError

from botkit.spec.document import MAX_BYTES, MAX_DEPTH
from botkit.spec.prose import EVENT_WORDS, INTRODUCTION, NOTES, OWN_STEPS, SECRETS, VALUES, VARIABLE_WORDS, YAML
from botkit.spec.schema import REQUIRED, TEXT, sections
from botkit.spec.values import SecretRef
from botkit.steps import STEPS
from botkit.steps.prose import VARIABLES

Shape = dict[str, Any]

# The title of a value's shape → where the page explains it.
_EXPLAINED = {
    "duration": "a [duration](#values)",
    "secret reference": "a [secret reference](#secrets)",
    "time zone": "a [time zone](#values)",
    "saying": "[what is said](#what-is-said)",
    # On the page about test files.
    "expectation": "[what is expected](#what-is-expected)",
    "script": "[what the model does](#what-the-model-does)",
    "turns": "a list, each [a turn](#a-turn)",
    "player": "[who plays](#a-played-guest)",
}


def reference() -> str:
    """The Markdown page `docs/bot-file.md`: every section, every option, and what YAML may be used."""
    shapes = sections()
    steps = [(f"`{name}`", shapes[name]["description"]) for name in STEPS]
    own = {name: shape for name, shape in shapes.items() if name not in STEPS and name != "pipeline"}
    parts = [
        INTRODUCTION,
        "## The bot and its LINE account",
        option_table(option_rows("", {"properties": own})),
        *(_section(name, shapes[name]) for name in STEPS),
        _pipeline(shapes["pipeline"], steps),
        _sayings(shapes["events"]["properties"]["follow"]),
        _variables(),
        VALUES,
        _secrets(),
        YAML.format(kilobytes=MAX_BYTES // 1024, depth=MAX_DEPTH),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _section(name: str, shape: Shape) -> str:
    """One step's options; `NOTES` adds what no single option says."""
    short = STEPS[name].short
    parts = [
        f"## `{name}`",
        shape["description"] + (" Required." if name in REQUIRED else ""),
        f"Short form: `{name}: …` is `{name}: {{{short}: …}}`." if short else "",
        NOTES.get(name, ""),
        option_table(row for prefix, inner in inner_mappings("", shape) for row in option_rows(prefix, inner)),
    ]
    return "\n\n".join(part.strip() for part in parts if part)


def _pipeline(shape: Shape, steps: list[tuple[str, str]]) -> str:
    return "\n\n".join(
        [
            "## `pipeline`",
            shape["description"],
            f"The standard is `pipeline: [{', '.join(STEPS)}]`. {NOTES['pipeline']}",
            markdown_table(("step", "what it does"), steps),
            OWN_STEPS.strip(),
            option_table(row for _, inner in inner_mappings("", shape) for row in option_rows("", inner)),
        ]
    )


def _sayings(shape: Shape) -> str:
    """What the options of `events` have in common: the mapping in the list of all that may be written."""
    long = next(one for one in shape["anyOf"] if "properties" in one)
    return "\n\n".join(["## What is said", NOTES["sayings"], option_table(option_rows("", long))])


def _variables() -> str:
    rows = [(f"`{name}`", words) for name, words in VARIABLE_WORDS.items() if _is_variable(*name.split("."))]
    rows += [(f"`{name}`", words) for name, words in EVENT_WORDS.items()]
    return "\n\n".join(["## Persona variables", NOTES["variables"], markdown_table(("variable", "what it is"), rows)])


def _is_variable(name: str, attribute: str | None = None) -> bool:
    return name in VARIABLES and (attribute is None or attribute in VARIABLES[name])


def _secrets() -> str:
    rows = [(f"`{form}`", words) for form, words in SECRETS.items() if _is_taken(form)]
    return "\n\n".join(["## Secrets", NOTES["secrets"], markdown_table(("written", "where the secret is"), rows)])


def _is_taken(reference: str) -> bool:
    try:
        TypeAdapter(SecretRef).validate_python(reference)
    except ValidationError:
        return False
    return True


def option_table(rows: Iterable[tuple[str, str, str, str]]) -> str:
    """A table of options, from their rows."""
    return markdown_table(("option", "what it does", "what may be written", "default"), rows)


def option_rows(prefix: str, shape: Shape) -> Iterator[tuple[str, str, str, str]]:
    """A row for each option of a mapping, followed by the rows of the mappings inside it."""
    for name, option in shape["properties"].items():
        full = f"{prefix}.{name}".removeprefix(".")
        required = name in shape.get("required", ())
        yield f"`{full}`", option.get("description", ""), _words(option), "required" if required else _default(option)
        for inside, inner in inner_mappings(full, option):
            yield from option_rows(inside, inner)


def inner_mappings(name: str, shape: Shape) -> Iterator[tuple[str, Shape]]:
    """The mappings with options of their own that may stand at `name`, or in its list as `name[]`."""
    if _title(shape) in _EXPLAINED:  # it stands in one place, for all options that hold it
        return
    if "properties" in shape:
        yield name, shape
    for one in shape.get("anyOf", ()):
        yield from inner_mappings(name, one)
    if "items" in shape:
        yield from inner_mappings(f"{name}[]", shape["items"])
    if (values := _values(shape)) is not None:
        yield from inner_mappings(f"{name}.*", values)


def _default(shape: Shape) -> str:
    if "default" not in shape:
        return "–"
    default = shape["default"]
    return f"`{default if isinstance(default, str) else json.dumps(default, ensure_ascii=False)}`"


def _words(shape: Shape) -> str:
    """What may be written, for a person: `a whole number (0 to 1000)`."""
    if (title := _title(shape)) in _EXPLAINED:
        return _EXPLAINED[title]
    if "const" in shape:
        const = shape["const"]
        return f"`{const if isinstance(const, str) else json.dumps(const)}`"
    if "anyOf" in shape:
        return " or ".join(dict.fromkeys(_words(one) for one in shape["anyOf"]))
    if "enum" in shape:
        return _alternatives([f"`{one}`" for one in shape["enum"]])
    return _kind_words(shape)


def _kind_words(shape: Shape) -> str:
    kinds = [kind for kind in _listed(shape.get("type", "anything")) if kind != "null"]
    match "text" if set(kinds) >= set(TEXT) - {"null"} else kinds[0]:
        case "text":
            return "a text" + _length(shape)
        case "string":
            return _form(shape)
        case "integer":
            return "a whole number" + _range(shape)
        case "number":
            return "a number" + _range(shape)
        case "boolean":
            return "`true` or `false`"
        case "array":
            most = f" of up to {shape['maxItems']}" if "maxItems" in shape else ""
            return f"a list{most}, each {_words(shape.get('items', {}))}"
        case "object":
            return "a mapping (its options follow)" if "properties" in shape else _open_mapping(shape)
    return "anything"


def _open_mapping(shape: Shape) -> str:
    """A mapping whose words are the person's own."""
    values = _values(shape)
    if values is None:
        return "a mapping of names and values"
    if _title(values) == "saying":
        return f"a mapping of patterns to {_EXPLAINED['saying']}"
    return (
        "a mapping of words to texts" if values.get("type") == TEXT else f"a mapping of names, each to {_words(values)}"
    )


def _values(shape: Shape) -> Shape | None:
    """The shape of the values in a mapping whose words are the person's own; None where it may be any."""
    patterns = list(shape.get("patternProperties", {}).values())
    found = patterns[0] if patterns else shape.get("additionalProperties")
    return found if isinstance(found, dict) else None


def _title(shape: Shape) -> str:
    """The title, which pydantic takes from what a mapping holds."""
    said = {"sticker", "ask"}
    is_saying = any(said <= one.get("properties", {}).keys() for one in shape.get("anyOf", ()))
    return "saying" if is_saying else shape.get("title", "")


def _listed(kinds: str | list[str]) -> list[str]:
    return [kinds] if isinstance(kinds, str) else kinds


def _form(shape: Shape) -> str:
    """A text that must look like something; an example says more than its pattern."""
    if examples := shape.get("examples"):
        return f"a text such as {_alternatives([f'`{one}`' for one in examples])}"
    pattern = shape.get("pattern", "")
    if pattern.startswith("^https"):
        return "an address: " + ("`http://…` or `https://…`" if pattern.startswith("^https?:") else "`https://…`")
    return f"a text that matches `{pattern}`" if pattern else "a text"


def _length(shape: Shape) -> str:
    return f" (up to {shape['maxLength']} characters)" if "maxLength" in shape else ""


def _range(shape: Shape) -> str:
    least, most = shape.get("minimum"), shape.get("maximum")
    if least is None:
        return "" if most is None else f" ({most} or less)"
    return f" ({least} or more)" if most is None else f" ({least} to {most})"


def _alternatives(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def markdown_table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(
        "| " + " | ".join(" ".join(cell.split()).replace("|", r"\|") for cell in line) + " |" for line in lines
    )
