"""A scenario that failed, as a person reads it: the conversation like a chat, and under a turn what was expected."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from botkit.cli.printing import printable
from botkit.scenarios.file.scenario import Way
from botkit.scenarios.results import Failure, Line, Result, TurnResult
from botkit.spec.document import Place

WIDEST: Final = 92
"""Cells of a chat; on a wider screen people and bot would be too far apart to be read as one."""
LEAST: Final = 30
BEFORE: Final = 6
"""So many turns are shown before one that failed."""
MOST_LINES: Final = 24
MOST_DETAIL: Final = 100
"""Lines that are shown of one message, and of a failure's detail."""

WAYS: Final[dict[Way, str]] = {"reply": "replied", "button": "offered with a button", "push": "pushed"}
_COURSE: Final = ("turn: ", "history: ", "answer: ", "persona: ", "reply: ")
"""Notes that tell how a turn went, and never why nothing was said."""
_DIFF: Final = ((re.compile(r"\+\+\+ |--- |@@"), "dim"), (re.compile(r"\+"), "green"), (re.compile("-"), "red"))
_PERSON, _BOT, _CHIP = "#1c1c1c on #e4e6ea", "#0d2b12 on #9ae79a", "#0d2b12 on #cdf3cd"
"""Bubbles bring both colours, so that they can be read on any terminal's background. The bot's are green, as those
of oneself are on LINE: a scenario is looked at from the bot's side."""


def show_failed(console: Console, result: Result, note: str = "") -> None:
    """Print it: what it is called and where it stands, and the conversation up to the last turn that failed.

    `note` says more of this run, such as which of several it was.
    """
    page = _Page(console)
    page.line(Text.assemble(("✗ ", "bold red"), (plain(result.scenario), "bold"), (note and f"  {note}", "dim")))
    page.line(Text(f"  {located(result.place)}", "dim"))
    page.gap()
    for part in _shown(result):
        if isinstance(part, int):
            page.middle(f"… {part} {'turn' if part == 1 else 'turns'} …")
        else:
            _turn(page, result.bot, part)
    for failure in result.failures:
        _failure(page, failure)


def tell_failed(console: Console, result: Result) -> None:
    """Print what it is called, where it stands and what failed first, each on a line."""
    first = min(result.all_failures, key=lambda one: one.fault == "unmet")
    console.print(Text.assemble(("✗ ", "bold red"), (plain(result.scenario), "bold")), soft_wrap=True)
    came = plain(f"wanted {first.wanted}; {first.came}")
    console.print(Text.assemble(f"  {located(first.place)}  ", (came, "red")), soft_wrap=True)


def plain(text: str) -> str:
    """A text on one line, with nothing in it that steers a terminal."""
    return printable(" ".join(text.split()))


def located(place: Place) -> str:
    """A place as terminals take it for a link."""
    return f"{printable(place.file)}:{place.line}:{place.column}"


def _shown(result: Result) -> Iterator[TurnResult | int]:
    """The turns that are worth being shown, and how many are left out between them."""
    turns = result.turns
    wrong = [number for number, turn in enumerate(turns) if turn.failures]
    if result.failures:  # it is about all of them, so also about how it ended
        wrong.append(len(turns) - 1)
    near = [any(0 <= one - number <= BEFORE for one in wrong) for number in range(len(turns))]
    left_out = 0
    for turn, is_near in zip(turns[: max(wrong, default=-1) + 1], near, strict=False):
        if not is_near:
            left_out += 1
            continue
        if left_out:
            yield left_out
            left_out = 0
        yield turn


def _turn(page: "_Page", bot: str, turn: TurnResult) -> None:
    said_before = ""
    page.gap()
    for line in turn.lines:
        if line.kind == "system":
            page.middle(plain(line.text))
            said_before = ""
        elif line.kind == "person":
            page.person(line, named=line.who != said_before)
            said_before = line.who
        else:
            page.bot(line)
            said_before = ""
    is_asked = any(line.kind == "person" for line in turn.lines)
    if not any(line.kind == "bot" for line in turn.lines) and (is_asked or turn.failures):
        page.silence(bot, _why_silent(turn))
    # A cause before what follows from it: what broke was expected of nobody.
    for failure in sorted(turn.failures, key=lambda one: one.fault == "unmet"):
        _failure(page, failure)


def _why_silent(turn: TurnResult) -> str:
    """As far as the bot has noted it, and where that is not what the failure says anyway."""
    if all(failure.fault != "unmet" for failure in turn.failures):
        return ""
    return next((note for note in reversed(turn.outcome.notes) if not note.startswith(_COURSE)), "")


def _failure(page: "_Page", failure: Failure) -> None:
    option = (f"  {failure.expectation}" if failure.expectation else "", "cyan")
    page.gap()
    page.row("✗", "wanted", _styled(failure.wanted, "green"))
    page.row(" ", "came", _styled(failure.came, "red"))
    page.row(" ", "at", [Text.assemble(located(failure.place), option)], whole=True)
    if failure.detail.strip():
        page.row(
            " ", "", [_detail(line, failure) for line in _cut(failure.detail.strip("\n").split("\n"), MOST_DETAIL)]
        )
    page.gap()


def _styled(text: str, style: str) -> list[Text]:
    return [Text(printable(line), style) for line in _cut(text.split("\n"), MOST_LINES)]


def _detail(line: str, failure: Failure) -> Text:
    """A line of a diff in its colour; of anything else as a remark."""
    if failure.fault != "stale":
        return Text(printable(line), "yellow")
    return Text(printable(line), next((style for pattern, style in _DIFF if pattern.match(line)), ""))


def _cut(lines: Sequence[str], most: int) -> list[str]:
    if len(lines) <= most + 1:
        return list(lines)
    return [*lines[:most], f"… {len(lines) - most} more lines"]


class _Page:
    """Draws the chat: people on the left, the bot on the right, each with a bar at their side."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = max(min(console.width, WIDEST) - 4, LEAST)
        self._colored = console.color_system is not None and not console.no_color
        self._gap = True

    def gap(self) -> None:
        """An empty line, unless there is one already."""
        if not self._gap:
            self._console.print()
        self._gap = True

    def line(self, text: Text) -> None:
        """One line as it is."""
        if not self._colored:
            text.rstrip()
        self._console.print(text, soft_wrap=True)
        self._gap = False

    def middle(self, text: str) -> None:
        """What is nobody's word."""
        for part in self._wrapped(f"── {text} ──", self._width):
            self.line(Text(" " * (2 + (self._width - part.cell_len) // 2)).append(part.plain, "dim"))

    def person(self, line: Line, *, named: bool) -> None:
        """A bubble on the left."""
        if named:
            self.line(Text.assemble("  ", self._name(line, "bold")))
        for row in self._bubble(line, _PERSON):
            self.line(Text("  " if self._colored else "  │").append_text(row))

    def bot(self, line: Line) -> None:
        """A bubble on the right, with how it came above and the buttons beneath it."""
        way = f"{WAYS[line.via]} · " if line.via else ""
        self._right(Text.assemble((way, "dim"), self._name(line, "bold green"), " "))
        for row in self._bubble(line, _BOT):
            self._right(row if self._colored else row.append("│"))
        for chips in self._chips(line.buttons):
            self._right(chips if self._colored else chips.append(" │"))

    def silence(self, bot: str, why: str) -> None:
        """That the bot says nothing."""
        told = f"{plain(bot)} says nothing" + (f" ({plain(why)})" if why else "")
        for part in self._wrapped(told, self._width - 2):
            part.stylize("dim italic")
            self._right(part.append(" "))

    def row(self, mark: str, label: str, lines: Iterable[Text], *, whole: bool = False) -> None:
        """What is to be said under a label; broken between words for a person, unless it is to be `whole`."""
        first = Text.assemble("    ", (mark, "bold red"), " ", (f"{label:<6}", "dim"), "  ")
        broken = self._console.is_terminal and not whole
        width = max(min(self._console.width, 2 * WIDEST) - first.cell_len - 1, LEAST)
        for line in lines:
            for part in line.wrap(self._console, width) if broken and line else [line]:
                self.line(Text.assemble(first, part))
                first = Text(" " * first.cell_len)

    def _name(self, line: Line, style: str) -> Text:
        name = Text(plain(line.who), style)
        name.truncate(self._width // 2, overflow="ellipsis")
        return name

    def _right(self, text: Text) -> None:
        self.line(Text(" " * max(self._width + 2 - text.cell_len, 0)).append_text(text))

    def _bubble(self, line: Line, style: str) -> list[Text]:
        """The lines of a message, three quarters of the chat wide at most, all as wide as the widest."""
        lines = _cut(line.text.strip("\n").split("\n"), MOST_LINES)
        rows = [row for one in lines for row in self._wrapped(printable(one.rstrip()), self._width * 3 // 4)]
        width = max(row.cell_len for row in rows)
        return [
            Text.assemble(" ", row, " " * (width - row.cell_len + 1), style=style if self._colored else "")
            for row in rows
        ]

    def _wrapped(self, text: str, width: int) -> list[Text]:
        if not text:
            return [Text()]
        rows = list(Text(text.expandtabs(4)).wrap(self._console, width))
        for row in rows:
            row.rstrip()
        return rows

    def _chips(self, labels: Sequence[str]) -> Iterator[Text]:
        """Buttons, as many on a line as there is room for."""
        row = Text()
        room = self._width * 3 // 4
        for label in labels:
            chip = Text(f" {plain(label)} ", _CHIP) if self._colored else Text(f"[{plain(label)}]")
            chip.truncate(room, overflow="ellipsis")
            if row and row.cell_len + 1 + chip.cell_len > room:
                yield row
                row = Text()
            row = Text(" ").join([row, chip]) if row else chip
        if row:
            yield row
