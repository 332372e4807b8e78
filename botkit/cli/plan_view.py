"""The plan as a person reads it: the texts that change as diffs, the rest as `old → new`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from botkit.cli.flow import flow
from botkit.cli.printing import printable
from botkit.deploy.consequences import secret_wanted
from botkit.deploy.description import Takes
from botkit.deploy.plan import (
    BotPlan,
    FileChange,
    OptionChange,
    Plan,
    TextChange,
    cost_change,
    cost_moved,
    headline,
    moved,
)

LONGEST = 70
"""Cells of a value that is shown beside its option; longer ones stand beneath it, the old over the new."""
FEW_PROBLEMS = 3
"""So many mistakes are told of a file that this version cannot read."""

_COLORS = {"new": "green", "changed": "yellow", "removed": "red", "wrong": "bold red"}
_TITLES = {
    "persona": "persona, as Hana reads it in a 1:1 chat",
    "persona in groups": "persona, as it is read in a group; 1:1 it stays as it is",
    "template": "the persona's template changes, and what it says in our samples does not",
    "pipeline": "pipeline",
    "file": "its file, as text",
}


def show(console: Console, plan: Plan, known: Mapping[str, str]) -> None:
    """Print all of it, the bots that change first, and one line of summary last."""
    page = _Page(console)
    page.line(0, Text(f"compared with {plan.against}", "dim"))
    for bot in plan.bots:
        if bot.state not in ("unchanged", "wrong"):
            page.gap()
            _bot(page, bot)
    same = [bot.name for bot in plan.bots if bot.state == "unchanged"]
    wrong = [bot.name for bot in plan.bots if bot.state == "wrong"]
    for names, style, told in (
        (same, "dim", "unchanged"),
        (wrong, _COLORS["wrong"], "wrong, so it cannot be deployed"),
    ):
        if names:
            page.gap()
            page.line(0, Text.assemble((", ".join(names), "bold" if names is wrong else ""), "  ", (told, style)))
    _besides(page, plan, known)
    page.gap()
    page.line(0, Text(headline(plan), "bold"))


class _Page:
    """Prints lines; broken between words and hung where a person reads them, whole where a program does."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def gap(self) -> None:
        self._console.print()

    def line(self, indent: int, text: Text, hang: int = 0) -> None:
        if not self._console.is_terminal:
            whole = Text(" " * indent).append_text(text)
            whole.rstrip()
            self._console.print(whole, soft_wrap=True)
            return
        for number, part in enumerate(text.wrap(self._console, max(self._console.width - indent - hang, 20))):
            part.rstrip()
            self._console.print(Text(" " * (indent + (hang if number else 0))).append_text(part), soft_wrap=True)

    def pairs(self, rows: Sequence[tuple[str, Text]]) -> None:
        """Rows of a name and what is said of it, the latter one under the other."""
        width = max(cell_len(name) for name, _ in rows) if rows else 0
        for name, said in rows:
            pad = " " * (width - cell_len(name) + 2)
            self.line(2, Text.assemble((name, "cyan"), pad).append_text(said), width + 2)


def _bot(page: _Page, bot: BotPlan) -> None:
    page.line(0, Text.assemble((bot.name, "bold"), "  ", (bot.state, _COLORS.get(bot.state, ""))))
    if bot.unreadable:
        page.line(
            2, Text("the earlier file cannot be read by this version, so the two are compared as texts", "yellow")
        )
    for problem in bot.unreadable[:FEW_PROBLEMS]:
        page.line(4, Text(printable(str(problem)), "yellow"), 2)
    for text in bot.texts:
        _text(page, text)
    _options(page, bot.options)
    for file in bot.files:
        _file(page, file)
    if bot.hidden:
        page.line(2, Text("a part of a base_url changes that is not shown"))
    for said in bot.consequences:
        page.line(2, Text.assemble(("! ", "bold yellow"), said), 2)
    page.pairs(list(_figures(bot)))


def _text(page: _Page, text: TextChange) -> None:
    page.line(2, Text(_TITLES[text.what], "cyan"))
    for line in _diff(text.lines):
        page.line(4, line, 2)


def _options(page: _Page, options: Sequence[OptionChange]) -> None:
    page.pairs(
        [
            (printable(one.option), Text.assemble((written(one.old), "red"), " → ", (written(one.new), "green")))
            for one in options
            if not _is_long(one)
        ]
    )
    for change in filter(_is_long, options):
        page.line(2, Text(printable(change.option), "cyan"))
        for line in _diff([f"-{line}" for line in _lines(change.old)] + [f"+{line}" for line in _lines(change.new)]):
            page.line(4, line, 2)


def _file(page: _Page, change: FileChange) -> None:
    color = _COLORS[change.state]
    page.line(2, Text.assemble(("own steps", "cyan"), f"  {printable(change.file)} ", (change.state, color)))


def written(value: Any) -> str:
    """A value as the bot file would hold it, on one line that holds no control characters."""
    return "not set" if value is None else printable(flow(value))


def _is_long(change: OptionChange) -> bool:
    """Whether the two stand one over the other."""
    values = (change.old, change.new)
    lines = any(isinstance(value, str) and "\n" in value for value in values)
    return lines or sum(cell_len(written(value)) for value in values) > LONGEST


def _lines(value: Any) -> list[str]:
    """A text line by line, anything else on one."""
    return value.removesuffix("\n").split("\n") if isinstance(value, str) and "\n" in value else [written(value)]


# ---------------------------------------------------------------- diffs


def _diff(lines: Sequence[str]) -> Iterator[Text]:
    """The lines of a diff; where as many come as go, what differs within each is marked."""
    gone: list[str] = []
    come: list[str] = []
    for number, line in enumerate([*lines, ""]):
        if line.startswith("-") and not come:
            gone.append(printable(line[1:]))
        elif line.startswith("+"):
            come.append(printable(line[1:]))
        else:
            yield from _block(gone, come)
            gone, come = [printable(line[1:])] if line.startswith("-") else [], []
            if line.startswith("@@"):
                yield from [Text("…", "dim")] if number else []
            elif line and not gone:
                yield Text(f"  {printable(line[1:])}".rstrip(), "dim")


def _block(gone: Sequence[str], come: Sequence[str]) -> Iterator[Text]:
    paired = len(gone) == len(come)
    others = (come, gone) if paired else ([None] * len(gone), [None] * len(come))
    for sign, color, mine, theirs in (("-", "red", gone, others[0]), ("+", "green", come, others[1])):
        for line, other in zip(mine, theirs, strict=True):
            text = Text(f"{sign} {line}".rstrip(), color)
            if other is not None:
                text.stylize("bold underline", *_differing(line, other))
            yield text


def _differing(line: str, other: str) -> tuple[int, int]:
    """Where the part of `line` begins and ends that is not in `other`, counted with the two cells of the sign."""
    begin = _alike(line, other)
    end = min(_alike(line[::-1], other[::-1]), min(len(line), len(other)) - begin)
    return begin + 2, len(line) - end + 2


def _alike(one: str, other: str) -> int:
    """How many characters are the same at the beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (mine, theirs) in pairs if mine != theirs), min(len(one), len(other)))


# ---------------------------------------------------------------- figures


def _figures(bot: BotPlan) -> Iterator[tuple[str, Text]]:
    if bot.new is None:
        return
    old, new = bot.old, bot.new
    parts = ", ".join(
        f"{name} {moved(old and getattr(old, field), getattr(new, field))}"
        for name, field in (("persona", "persona"), ("full history", "history"), ("question", "question"))
    )
    made = f"  {parts}, answer {moved(old and old.answer, new.answer)}"
    yield "tokens of a turn", Text.assemble(moved(old and old.tokens, new.tokens), (made, "dim"))
    yield (
        "left for history",
        Text.assemble(moved(old and old.room, new.room), (f"  of a window of {new.window:,}", "dim")),
    )
    yield "1,000 messages", _cost(old, new)


def _cost(old: Takes | None, new: Takes) -> Text:
    if new.cost is None and (old is None or old.cost is None):
        return Text("price unknown; write model.prices to know it")
    change = cost_change(old, new)
    return Text.assemble(cost_moved(old, new), (change and f"  {change}", "red" if change[:1] == "+" else "green"))


def _besides(page: _Page, plan: Plan, known: Mapping[str, str]) -> None:
    """What concerns no bot alone."""
    wanted = [one for one in plan.needed if not known.get(one.removeprefix("env:"), "").strip()]
    told = [Text.assemble(("! ", "bold yellow"), printable(secret_wanted(one))) for one in wanted]
    told += [Text(f"  no bot here needs {printable(one)} any more") for one in plan.freed]
    if plan.core:
        modules = "module" if plan.core == 1 else "modules"
        what = "what no file sets is shown as this version has it"
        told.append(Text(f"  botkit itself changes, too ({plan.core:,} {modules}); {what}"))
    if told:
        page.gap()
    for text in told:
        page.line(0, text, 2)
