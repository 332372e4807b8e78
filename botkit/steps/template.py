"""Jinja2 templates in a cage: what a bot file may hold cannot reach out, run long or grow large."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from itertools import islice
from types import TracebackType
from typing import Any

import jinja2
from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_TEXT = 64 * 1024
"""Characters that a template may render to, or keep in a variable."""
MAX_TOKENS = 3_000
"""Words and signs inside the braces of a template; Jinja2 takes some 50 µs to compile each."""
MAX_ROUNDS = 5_000
"""Rounds of all loops and calls of macros together."""
MAX_NUMBER = 10**12
MAX_FAULTS = 20
"""Unknown names told of one template."""

_FILE = "<template>"
# What a template may use: lists of what is harmless, because what makes much out of little is hard to list.
_FILTERS = {
    *("abs", "capitalize", "count", "default", "d", "dictsort", "first", "float", "groupby", "int", "items", "last"),
    *("length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr"),
    *("sort", "string", "striptags", "sum", "title", "trim", "truncate", "unique", "upper", "wordcount"),
}
_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        [
            "capitalize",
            "casefold",
            "count",
            "endswith",
            "find",
            "isdigit",
            "lower",
            "lstrip",
            "removeprefix",
            "removesuffix",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "swapcase",
            "title",
            "upper",
        ]
    ),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
    dict: frozenset({"get", "items", "keys", "values"}),
    int: frozenset(),
    float: frozenset(),
    range: frozenset(),
    bytes: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a template: its line (from 1), the word it is about, and what to do."""

    line: int
    word: str
    text: str


class TemplateFaults(Exception):
    """A template is wrong; `faults` lists what was found."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("; ".join(fault.text for fault in faults))


class Template:
    """A template compiled and searched for names it cannot know. Lives as long as its bot.

    `variables` are the names it may use; those with attributes may be asked for these alone.
    Raises TemplateFaults.
    """

    def __init__(self, source: str, variables: Mapping[str, frozenset[str] | None]) -> None:
        self._source = source
        try:
            _check_size(source)
            tree = _cage.parse(source)
            faults = [*_foreign(tree), *_unknown_names(tree, variables), *_unknown_attributes(tree, variables)]
            if not faults:
                self._compiled = _cage.from_string(_bounded(tree))
        except TemplateSyntaxError as error:
            raise TemplateFaults(Fault(error.lineno, "", _cure(error.message or "", source))) from error
        except Exception as error:  # Python's own compiler has limits, of nesting for one, that Jinja2 does not name
            raise TemplateFaults(Fault(1, "", f"it cannot be compiled: {_reason(error)}; make it simpler")) from error
        if faults:
            raise TemplateFaults(*sorted(faults, key=lambda fault: fault.line))

    def render(self, values: Mapping[str, Any]) -> str:
        """The text for these values. Raises TemplateFaults where it fails, runs long or grows large."""
        try:
            return "".join(_limited(self._compiled.generate({**values, **_Meter().functions()})))
        except Exception as error:  # templates call what they are given: anything may come out
            line = _line_of(error.__traceback__)
            text = _without(error, self._source) or f"it cannot be rendered: {_reason(error)}"
            raise TemplateFaults(Fault(line, "", text)) from error


def _cure(said: str, source: str) -> str:
    """What to do about a mistake in the syntax, where Jinja2's own words would not tell."""
    if open_block := re.search(r"end of template.*innermost block that needs to be closed is '(\w+)'", said):
        word = open_block[1]
        return f"{'an' if word == 'if' else 'a'} `{{% {word} %}}` is not closed; add `{{% end{word} %}}`"
    for begin, end, name in (("{{", "}}", "print statement"), ("{%", "%}", "statement block")):
        is_about_it = f"end of {name}'" in said or said == "unexpected '}'"
        if is_about_it and source.count(begin) > source.count(end):
            return f"`{begin}` is not closed; add `{end}`"
    return said or "it cannot be read"


def _without(error: Exception, source: str) -> str:
    """What to say where a value lacks what it is asked for; "" where that is not what is wrong."""
    match = re.search(r"has no attribute '(.+)'$", str(error)) if isinstance(error, UndefinedError) else None
    if match is None:
        return ""
    asked = [node for node in _cage.parse(source).find_all(nodes.Getattr) if node.attr == match[1]]
    names = {_dotted(node) for node in asked}
    name = names.pop() if len(names) == 1 else ""
    return f"`{name}` does not exist" if name else f"a value has no `{match[1]}`"


def _dotted(node: nodes.Node) -> str:
    """`user.name.foo` as it is written; "" for what is no plain name."""
    if isinstance(node, nodes.Getattr):
        owner = _dotted(node.node)
        return owner and f"{owner}.{node.attr}"
    return node.name if isinstance(node, nodes.Name) else ""


def _reason(error: Exception) -> str:
    return (
        "it calls or nests itself too often"
        if isinstance(error, RecursionError)
        else str(error) or type(error).__name__
    )


class _TooMuch(Exception):
    """A limit is reached."""


class _Cage(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, less what makes much out of little."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic within bounds; texts cannot be multiplied or formatted."""
        if not all(isinstance(value, int | float) for value in (left, right)) and operator != "+":
            raise _TooMuch(f"`{operator}` is for numbers only")
        if operator == "**" and (abs(left) > MAX_NUMBER or abs(right) > 64):
            raise _TooMuch("a power is too large")
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, int) and abs(result) > MAX_NUMBER:
            raise _TooMuch(f"a number is over {MAX_NUMBER:,}")
        return _fitting(result)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """As in the sandbox; of texts, numbers and collections only the methods listed."""
        listed = next((names for kind, names in _METHODS.items() if isinstance(obj, kind)), None)
        return (listed is None or attr in listed) and super().is_safe_attribute(obj, attr, value)


def _range(*arguments: int) -> range:
    numbers = range(*arguments)
    if len(numbers) > MAX_ROUNDS:
        raise _TooMuch(f"a range has {len(numbers):,} numbers; {MAX_ROUNDS:,} are the most")
    return numbers


def _make_cage() -> _Cage:
    cage = _Cage(undefined=StrictUndefined, autoescape=False)
    cage.globals = {"range": _range, "namespace": jinja2.utils.Namespace, "dict": dict}
    cage.filters = {name: cage.filters[name] for name in _FILTERS}
    cage.filters |= {"join": _join, "replace": _replace, "round": _round}
    return cage


def _join(values: Iterable[Any], between: str = "") -> str:
    """As Jinja2's filter, within bounds."""
    texts = [str(value) for value in islice(values, MAX_ROUNDS)]
    if sum(map(len, texts)) + len(between) * len(texts) > MAX_TEXT:
        raise _TooMuch(f"a value is longer than {MAX_TEXT:,}")
    return between.join(texts)


def _replace(text: str, old: str, new: str) -> str:
    """As Jinja2's filter, within bounds."""
    text, old, new = str(text), str(old), str(new)
    if len(text) + text.count(old) * len(new) > MAX_TEXT:
        raise _TooMuch(f"a value is longer than {MAX_TEXT:,}")
    return text.replace(old, new)


def _round(number: float, digits: int = 0) -> float:
    """As Jinja2's filter, to at most ten digits."""
    return round(float(number), max(-10, min(10, int(digits))))


_cage = _make_cage()


class _Meter:
    """Counts the rounds of one rendering. The template's tree calls it, under names that no template may use."""

    def __init__(self) -> None:
        self._rounds = 0

    def functions(self) -> dict[str, Any]:
        return {_ROUND: self.round, _FIT: _fitting}

    def round(self) -> str:
        self._rounds += 1
        if self._rounds > MAX_ROUNDS:
            raise _TooMuch(f"its loops run more than {MAX_ROUNDS:,} times")
        return ""


_ROUND, _FIT = "_botkit_round", "_botkit_fit"


def _fitting(value: Any) -> Any:
    if isinstance(value, str | list | tuple) and len(value) > MAX_TEXT:
        raise _TooMuch(f"a value is longer than {MAX_TEXT:,}")
    return value


def _limited(pieces: Iterator[str]) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > MAX_TEXT:
            raise _TooMuch(f"the text is longer than {MAX_TEXT:,} characters")
        yield piece


def _check_size(source: str) -> None:
    if len(source) > MAX_TEXT:
        raise _TooMuch(f"it has {len(source):,} characters; {MAX_TEXT:,} are the most")
    words = (token for token in _cage.lex(source) if token[1] not in ("data", "whitespace", "comment"))
    if next(islice(words, MAX_TOKENS, None), None) is not None:
        raise _TooMuch(f"it has more than {MAX_TOKENS:,} words and signs in braces")


def _bounded(tree: nodes.Template) -> nodes.Template:
    """The tree with a count in every loop and macro, and a look at every value that is kept."""
    repeating: list[nodes.For | nodes.Macro | nodes.CallBlock] = [
        *tree.find_all(nodes.For),
        *tree.find_all(nodes.Macro),
        *tree.find_all(nodes.CallBlock),
    ]
    for node in repeating:
        node.body.insert(0, nodes.Output([_call(_ROUND)]))
    for assignment in list(tree.find_all(nodes.Assign)):
        assignment.node = _call(_FIT, assignment.node)
    tree.set_environment(_cage)
    tree.set_lineno(1)
    return tree


def _call(name: str, *arguments: nodes.Node) -> nodes.Call:
    return nodes.Call(nodes.Name(name, "load"), [*arguments], [], None, None)


def _foreign(tree: nodes.Template) -> Iterator[Fault]:
    kinds: tuple[type[nodes.Node], ...] = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
    for kind in kinds:
        for node in tree.find_all(kind):
            yield Fault(node.lineno, "", "a template cannot take in other files; write the text out here")


def _unknown_names(tree: nodes.Template, variables: Mapping[str, Any]) -> Iterator[Fault]:
    """Names that nothing defines, also in branches that no rendering has taken yet."""
    known = {*variables, *_cage.globals}
    lines: dict[str, int] = {}
    for node in tree.find_all(nodes.Name):
        lines.setdefault(node.name, node.lineno)
        if node.ctx == "store" and node.name.startswith("_"):
            yield Fault(node.lineno, node.name, f"`{node.name}`: names of your own do not begin with _")
    for macro in tree.find_all(nodes.Macro):
        if macro.name.startswith("_"):
            yield Fault(macro.lineno, macro.name, f"`{macro.name}`: names of your own do not begin with _")
    for name in sorted(find_undeclared_variables(tree) - known)[:MAX_FAULTS]:
        line = lines.get(name, 1)
        near = get_close_matches(name, known, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"there is {', '.join(variables)}"
        yield Fault(line, name, f"unknown variable `{name}`; {hint}")


def _unknown_attributes(tree: nodes.Template, variables: Mapping[str, frozenset[str] | None]) -> Iterator[Fault]:
    asked: list[nodes.Getattr | nodes.Getitem] = [*tree.find_all(nodes.Getattr), *tree.find_all(nodes.Getitem)]
    for node in asked:
        owner = node.node.name if isinstance(node.node, nodes.Name) else ""
        attributes, name = variables.get(owner), _constant_key(node)
        if attributes is not None and name is not None and name not in attributes:
            near = get_close_matches(name, attributes, 1)
            choices = ", ".join(f"{owner}.{one}" for one in sorted(attributes))
            hint = f"did you mean `{owner}.{near[0]}`?" if near else f"there is {choices}"
            yield Fault(node.lineno, name, f"`{owner}.{name}` does not exist; {hint}")


def _constant_key(node: nodes.Getattr | nodes.Getitem) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    key = node.arg.value if isinstance(node.arg, nodes.Const) else None
    return key if isinstance(key, str) else None


def _line_of(traceback: TracebackType | None) -> int:
    """The line of the template that was running last; Jinja2 rewrites its tracebacks to show them."""
    line = 1
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _FILE:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


MOMENT = frozenset(name for name in dir(datetime) if not name.startswith("_"))
DAY = frozenset(name for name in dir(date) if not name.startswith("_"))
"""What a template may ask of `now` and of `today`."""
