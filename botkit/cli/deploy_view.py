"""What `botkit deploy` says: what was found, what would change, how far it is, and what there is now."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn
from rich.text import Text

from botkit.deploy.beforehand import Findings
from botkit.deploy.changes import KINDS, Change, called, counted, told
from botkit.deploy.parameters import Value, without_credentials
from botkit.deploy.rollout import Event

Tell = Callable[[str, int, int], None]
"""Takes what is being done, how much of it is done, and of how much."""

_COLOURS = {
    "exchanged": "bold red",
    "made": "green",
    "changed": "yellow",
    "replaced": "bold yellow",
    "deleted": "red",
    "left": "bold yellow",
}
_SIGNS = {"exchanged": "±", "made": "+", "changed": "~", "replaced": "±", "deleted": "-", "left": "!"}
_DONE = {
    "CREATE_COMPLETE": ("✓", "green", "is made"),
    "UPDATE_COMPLETE": ("✓", "green", "is changed"),
    "DELETE_COMPLETE": ("✓", "dim", "is deleted"),
    "DELETE_SKIPPED": ("!", "yellow", "stays in the account"),
}
_DOING = {"CREATE": "makes", "UPDATE": "changes", "DELETE": "deletes", "ROLLBACK": "undoes"}
MOST_LINES = 20


class View:
    """Prints to people; lives as long as the command. To the terminal's error stream where programs read the other."""

    def __init__(self, *, for_programs: bool) -> None:
        self.console = Console(highlight=False, emoji=False, stderr=for_programs)

    def say(self, text: str, style: str = "") -> None:
        """A line, broken between words for a terminal alone."""
        self.console.print(Text(text, style), soft_wrap=not self.console.is_terminal)

    def heading(self, text: str, remark: str = "") -> None:
        """A line that begins a part."""
        self.console.print(Text.assemble("\n", (text, "bold"), f"  {remark}" if remark else ""), soft_wrap=True)

    def findings(self, found: Findings) -> None:
        """What forbids to deploy, and what is to be known."""
        for text in found.faults:
            self._item("✗", "red", text)
        for text in found.remarks:
            self._item("!", "yellow", text)

    def _item(self, sign: str, style: str, text: str, dimmed: str = "") -> None:
        line = Text.assemble((sign, style), " ", (text, dimmed))
        if self.console.is_terminal:
            lines = line.wrap(self.console, max(self.console.width - 2, 20))
            for part in lines:
                part.rstrip()
            line = Text("\n  ").join(lines)
        self.console.print(line, soft_wrap=True)

    @contextmanager
    def progress(self, *, of_bytes: bool = False) -> Iterator[Tell]:
        """A bar for what goes on; without a terminal, a line for each thing that is begun."""
        if not self.console.is_terminal:
            yield self._lines()
            return
        amount = DownloadColumn() if of_bytes else TaskProgressColumn()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), amount)
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task("", total=None)

            def tell(what: str, done: int, of: int) -> None:
                bar.update(task, description=what, completed=done, total=of or None)

            yield tell

    def _lines(self) -> Tell:
        said: set[str] = set()

        def tell(what: str, _done: int, _of: int) -> None:
            if what not in said:
                said.add(what)
                self.say(f"{what} …", "dim")

        return tell

    def plan(self, lines: Sequence[str]) -> None:
        """What changes bot by bot."""
        self.heading("Bots")
        for line in lines:
            self._item("•", "dim", line)

    def changes(self, changes: Sequence[Change]) -> None:
        """What becomes of each resource; where all are new, how many there are of each kind."""
        self.heading("On AWS", counted(changes) or "nothing changes")
        if all(change.action == "made" for change in changes):
            self._item("+", "green", _kinds(changes))
            return
        shown = [change for change in changes if change.action != "follows"]
        for change in shown[:MOST_LINES]:
            style = "bold red" if change.loses else _COLOURS[change.action]
            self._item(_SIGNS[change.action], style, told(change), style if change.loses else "")
        if len(shown) > MOST_LINES:
            self.say(f"  and {len(shown) - MOST_LINES} more", "dim")

    def settings(self, before: Mapping[str, str], after: Mapping[str, str], values: Sequence[Value]) -> None:
        """What the functions are given: secrets by their names alone, and the settings that differ from before."""
        secrets = [value for value in values if value.secret]
        moved = [(name, before.get(name), text) for name, text in after.items() if before.get(name, "") != text]
        if not secrets and not moved:
            return
        self.heading("Settings")
        for heading, chosen in (
            ("from here", [value for value in secrets if value.text is not None]),
            ("kept as deployed", [value for value in secrets if value.text is None]),
        ):
            if chosen:
                self._item("•", "dim", f"secrets {heading}: {', '.join(one.variable or one.name for one in chosen)}")
        sources = {value.name: value for value in values}
        for name, old, new in moved:
            source = sources.get(name)
            old, new = without_credentials(old or ""), without_credentials(new)
            where = f" (from {source.variable})" if source and source.origin == "environment" else ""
            self._item("•", "dim", f"{name}: {f'{old} → ' if old else ''}{new or 'none'}{where}")

    def ask(self, question: str) -> bool:
        """Whether a person says yes."""
        self.console.print(Text.assemble("\n", (question, "bold"), " [y/N] "), end="")
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def event(self, event: Event) -> None:
        """What AWS has done, as it comes."""
        sign, style, words = _DONE.get(event.status, ("", "", ""))
        if event.failed:
            self._item("✗", "red", f"{called(event.logical, event.kind)} failed")
        elif event.own and "ROLLBACK_IN_PROGRESS" in event.status:
            self._item("!", "yellow", "AWS undoes what was done")
        elif sign and not event.own:
            self._item(sign, style, f"{called(event.logical, event.kind)} {words}")

    def webhooks(self, addresses: Mapping[str, tuple[str, str]]) -> None:
        """Where LINE finds each bot, and what is missing for that."""
        width = max(map(len, addresses), default=0)
        self.console.print()
        self.console.print(Text(f"{'bot':<{width}}  webhook address", "dim"))
        for bot, (address, remark) in addresses.items():  # an address is copied, so it is never broken
            self.console.print(Text.assemble((f"{bot:<{width}}", "green"), f"  {address}"), soft_wrap=True)
            if remark:
                self.console.print(Padding(Text(remark, "yellow"), (0, 0, 0, width + 2)))


def doing(event: Event) -> str:
    """What AWS is at, for the bar."""
    what = "the stack" if event.own else called(event.logical, event.kind)
    verb = "undoes" if "ROLLBACK" in event.status else _DOING.get(event.status.partition("_")[0], "looks at")
    return f"AWS {verb} {what}"


def _kinds(changes: Sequence[Change]) -> str:
    counts: dict[str, int] = {}
    for change in changes:
        words = KINDS.get(change.kind, change.kind.removeprefix("AWS::").replace("::", " "))
        counts[words] = counts.get(words, 0) + 1
    ordered = sorted(counts, key=lambda words: (-counts[words], words))
    return ", ".join(f"{counts[words]} × {words}" if counts[words] > 1 else words for words in ordered)
