"""The comparison as a person reads it: a table of all scenarios, then the turns that differ, old and new together."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from botkit.cli.comparing.comparison import LEVEL, Pair, Side, State, TurnPair
from botkit.cli.printing import printable
from botkit.scenarios.statistics import shift_told, told

WIDE = 100
"""Columns from which on two versions stand beside each other."""
MOST_WORDS = 2_000
"""Words of a text up to which those that differ are looked for."""

_COLORS: Mapping[State, str] = {"passed": "green", "failed": "red", "stale": "yellow", "unrecorded": "yellow"}
_CHANGES = {"worse": "bold red", "better": "bold green", "open": "yellow", "same": ""}
# A word; where a script sets no spaces, one character; a stretch of spaces; a mark.
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+|\s+|.", re.DOTALL)
_SAMPLE = "a run of each"


def show(console: Console, against: str, pairs: Sequence[Pair], *, live: bool) -> None:
    """Print all of it, one line of summary last."""
    console.print(Text(f"compared with {printable(against)}", "dim"), soft_wrap=True)
    console.print()
    console.print(_table(pairs))
    for pair in pairs:
        if not pair.says_the_same or pair.change == "worse":
            console.print()
            _Block(console, pair).show()
    console.print()
    for line in _summary(pairs, live=live):
        console.print(line)


# ---------------------------------------------------------------- the table


def _table(pairs: Sequence[Pair]) -> Table:
    priced = any(side.cost for pair in pairs for side in (pair.before, pair.now))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("scenario", overflow="fold")
    table.add_column("before → now", overflow="fold", min_width=8)
    for heading in ("tokens", "calls", *(["USD/1,000"] if priced else [])):
        table.add_column(heading, justify="right", overflow="fold")
    for pair in pairs:
        before, now = pair.before, pair.now
        figures = [
            _moved(f"{before.tokens:,.0f}", f"{now.tokens:,.0f}"),
            _moved(_number(before.calls), _number(now.calls)),
            *([_moved(_dollars(before.cost), _dollars(now.cost))] if priced else []),
        ]
        table.add_row(Text(printable(pair.name), _CHANGES[pair.change]), _outcome(pair), *figures)
    return table


def _outcome(pair: Pair) -> Text:
    old, new = _came_to(pair.before), _came_to(pair.now)
    return new if old.plain == new.plain else Text.assemble(old, " → ", new)


def _came_to(side: Side) -> Text:
    """What became of one run, or how many of several passed."""
    if len(side.runs) == 1 or not side.was_played:
        return Text(side.state, _COLORS.get(side.state, "dim"))
    return Text(f"{side.passed}/{len(side.runs)}", "green" if side.passed == len(side.runs) else "red")


def _moved(old: str, new: str) -> str:
    return new if old == new else f"{old} → {new}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _dollars(cost: float) -> str:
    """What a thousand runs cost."""
    return f"{cost * 1000:,.2f}" if cost else "–"


# ---------------------------------------------------------------- one scenario


class _Block:
    """Prints what differs in one scenario."""

    def __init__(self, console: Console, pair: Pair) -> None:
        self._console, self._pair = console, pair
        self._marks = console.color_system is None

    def show(self) -> None:
        """Print it: what passes, then the turns."""
        pair = self._pair
        place = f"{pair.file}:{pair.line}"
        self._line(0, Text.assemble((printable(pair.name), "bold"), "  ", (place, "dim")))
        if len(pair.now.runs) > 1:
            self._rates()
        if not (pair.before.was_played and pair.now.was_played):
            self._unknown()
            return
        same = [str(turn.number) for turn in pair.turns if not turn.differs]
        for turn in pair.turns:
            if turn.differs:
                self._turn(turn)
        if same:
            which = "every turn" if len(same) == len(pair.turns) else f"turn{'s' * (len(same) > 1)} {', '.join(same)}"
            self._line(2, Text(f"{which}: the same", "dim"))
        for name, side in (("failed before", pair.before), ("fails now", pair.now)):
            for failure in side.failures:
                self._failure(name, failure)

    def _unknown(self) -> None:
        """Where a model had no answer, nothing can be compared: what was said instead is none of the bot's."""
        for name, side in (("before", self._pair.before), ("now", self._pair.now)):
            for failure in () if side.was_played else side.failures[:1]:
                self._line(2, Text(f"{name}: not known, because {printable(failure['came'])}", "yellow"))
                for line in str(failure["detail"]).splitlines():
                    self._line(4, Text(printable(line), "dim"))

    def _rates(self) -> None:
        pair = self._pair
        for name, side in (("before", pair.before), ("now   ", pair.now)):
            self._line(2, Text(f"{name} {told(side.passed, len(side.runs))}"))
        if pair.before.passed != pair.now.passed:
            certain = pair.chance < LEVEL
            how = "is more than chance" if certain else "may be chance; raise --times to know"
            moved = shift_told(*((side.passed, len(side.runs)) for side in (pair.before, pair.now)))
            self._line(2, Text(f"{moved}: the difference {how} (p = {pair.chance:.2f})", "bold" if certain else "dim"))
        if not pair.says_the_same:
            self._line(2, Text(f"the turns below are of {_SAMPLE}", "dim"))

    def _failure(self, name: str, failure: Mapping[str, Any]) -> None:
        reason = f" ({failure['detail']})" if failure["expectation"] == "judge" and failure["detail"] else ""
        words = printable(f"wanted {failure['wanted']}; {failure['came']}{reason}")
        where = f"{failure['file']}:{failure['line']}"
        self._line(2, Text.assemble((f"{name}: ", "red"), words, (f"  {where}", "dim")), 2)

    def _turn(self, turn: TurnPair) -> None:
        heard = [[_chat(one) for one in side if one["kind"] != "bot"] for side in (turn.before, turn.now)]
        said = ["\n".join(_chat(one) for one in side if one["kind"] == "bot") for side in (turn.before, turn.now)]
        self._line(2, Text(f"turn {turn.number}", "cyan"))
        if heard[0] == heard[1]:
            for words in heard[1]:
                self._line(2, Text(_safe(words)))
        else:  # a guest that a model plays says something else each time
            said = ["\n".join([*words, answer]) for words, answer in zip(heard, said, strict=True)]
        old, new = _marked(*(one or "(silent)" for one in said), plain=self._marks)
        if self._console.width >= WIDE:
            self._beside(old, new)
        else:
            self._under(old, new)

    def _beside(self, old: Text, new: Text) -> None:
        width = (self._console.width - 7) // 2
        columns = [
            [Text(head, "dim"), *text.wrap(self._console, width)] for head, text in (("before", old), ("now", new))
        ]
        for number in range(max(map(len, columns))):
            left, right = (column[number] if number < len(column) else Text() for column in columns)
            left.rstrip()
            right.rstrip()
            pad = " " * (width - cell_len(left.plain))
            line = Text("    ").append_text(left).append(pad).append(" │ ", "dim").append_text(right)
            line.rstrip()
            self._console.print(line, soft_wrap=True)

    def _under(self, old: Text, new: Text) -> None:
        for head, text in (("before", old), ("now   ", new)):
            for number, line in enumerate(text.wrap(self._console, max(self._console.width - 11, 20))):
                line.rstrip()
                self._console.print(
                    Text("    ").append("      " if number else head, "dim").append(" ").append_text(line),
                    soft_wrap=True,
                )

    def _line(self, indent: int, text: Text, hang: int = 0) -> None:
        """One line; broken between words and hung."""
        for number, part in enumerate(text.wrap(self._console, max(self._console.width - indent - hang, 20))):
            part.rstrip()
            self._console.print(Text(" " * (indent + (hang if number else 0))).append_text(part), soft_wrap=True)


def _chat(line: Mapping[str, Any]) -> str:
    """A line as it stands in a chat; not made fit to be printed yet."""
    if line["kind"] == "system":
        return f"— {line['text']} —"
    way = {"push": " (pushed)", "button": " (a notice: the answer comes with a tap)"}.get(line["via"] or "", "")
    offered = "".join(f"  [{label}]" for label in line["buttons"])
    return f"{line['who']} › {line['text']}{way}{offered}"


def _safe(text: str) -> str:
    """The text with nothing in it that steers a terminal; of several lines."""
    return "\n".join(map(printable, text.split("\n")))


# ---------------------------------------------------------------- words that differ


def _marked(old: str, new: str, *, plain: bool) -> tuple[Text, Text]:
    """Both texts with the words marked that only one has: by style, or `plain`, as [-old-] and {+new+}."""
    ours, theirs = _WORDS.findall(old), _WORDS.findall(new)
    left, right = Text(), Text()
    for same, gone, come in _stretches(ours, theirs):
        for text, words, style, marks in ((left, gone, "red", "[--]"), (right, come, "green", "{++}")):
            if same or not words:
                text.append(_safe(words))
            else:
                marked = f"{marks[:2]}{_safe(words)}{marks[2:]}" if plain else _safe(words)
                text.append(marked, f"bold underline {style}")
    return left, right


def _stretches(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[bool, str, str]]:
    """Stretches that are the same in both, and those between; spaces alone between two of these belong to them."""
    if max(len(ours), len(theirs)) > MOST_WORDS:
        yield False, "".join(ours), "".join(theirs)
        return
    gone = come = ""
    for kind, begin, end, start, stop in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        mine, other = "".join(ours[begin:end]), "".join(theirs[start:stop])
        if kind != "equal" or (mine.isspace() and "\n" not in mine and (gone or come)):
            gone, come = gone + mine, come + other
            continue
        yield False, gone, come
        yield True, mine, other
        gone = come = ""
    yield False, gone, come


# ---------------------------------------------------------------- the summary


def _summary(pairs: Sequence[Pair], *, live: bool) -> Iterator[Text]:
    same = sum(pair.says_the_same for pair in pairs)
    yield Text(f"{same} of {len(pairs)} with the same answers and the same outcome", "dim")
    states = {side.state for pair in pairs for side in (pair.before, pair.now)}
    if not live and states & {"stale", "unrecorded"}:
        yield Text("stale or unrecorded: nothing is known of what a model would answer there; add --live", "yellow")
    counts = [(change, sum(pair.change == change for pair in pairs)) for change in ("worse", "better", "open")]
    names = {"worse": "worse", "better": "better", "open": "not to be compared"}
    told_of = [Text(f"{count} {names[change]}", _CHANGES[change]) for change, count in counts if count]
    yield Text(", ").join(told_of) if told_of else Text("nothing is worse, nothing better", "bold")
