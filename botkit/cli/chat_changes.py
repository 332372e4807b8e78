"""What changes beside the talk: the bot's file is saved, and a key is put into `.env` or taken out of it."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from botkit.cli import check
from botkit.errors import Problem
from botkit.simulator.playground.playground import Playground
from botkit.simulator.playground.settings import rehearses
from botkit.spec.bot import BotSpec
from botkit.steps.model import Model


@dataclass(frozen=True, slots=True)
class _Seen:
    """How things stood at a look. `stamp` is that of the bot's own file, () where there is none."""

    stamp: tuple[int, ...]
    bot: BotSpec | None
    problems: tuple[Problem, ...]


class Changes:
    """One bot as it is now, and what of that was not told yet. Lives as long as the sitting.

    `bot` is what its file says, or said when it was last right, or when it was last there.
    """

    def __init__(self, playground: Playground, bot: BotSpec) -> None:
        self._playground = playground
        self.bot = bot
        self._seen = self._look()
        self._rehearsed = self.rehearses

    @property
    def rehearses(self) -> bool:
        """Whether the bot has no model to ask, as its file and the settings are now."""
        return rehearses(self.bot, self._playground.settings)

    def tell(self, console: Console) -> None:
        """Print what has changed since this was asked last."""
        before, self._seen = self._seen, self._look()
        self.bot = self._seen.bot or self.bot
        if self._seen != before:
            self._tell_of_file(console, before, self._seen)
        if self.rehearses != self._rehearsed:
            self._rehearsed = self.rehearses
            self._tell_of_model(console)

    def tell_of_rehearsal(self, console: Console) -> None:
        """Print that there is no model to ask, and what to do for one."""
        model = self.bot.step(Model)
        key = escape(model.api_key.removeprefix("env:")) if model else "OPENAI_API_KEY"
        console.print(
            f"[yellow]No {key}: the offline model rehearses.[/] "
            "[dim]Put the key, or OPENAI_BASE_URL for a server of your own, into .env; no restart is needed.[/]"
        )

    def _look(self) -> _Seen:
        shelf, name = self._playground.shelf, self.bot.name
        stamp = _stamp(self.bot.file)  # first: what changes meanwhile is seen the next time
        bot = shelf.find(name)
        return _Seen(stamp, bot, shelf.problems_of(name))

    def _tell_of_file(self, console: Console, before: _Seen, now: _Seen) -> None:
        file = escape(self.bot.file.name)
        if now.bot is None:
            console.print(f"[red]{file} is gone, and nobody answers; put it back.[/]")
        elif now.problems:
            check.report(console, now.problems)
            if self._playground.shelf.is_stale(self.bot.name):
                console.print("[dim]The last good version answers.[/]")
        else:
            what = file if now.stamp != before.stamp else f"A file that {file} uses"
            console.print(f"[dim]{what} was changed.[/]")

    def _tell_of_model(self, console: Console) -> None:
        model = self.bot.step(Model)
        if self.rehearses:
            self.tell_of_rehearsal(console)
        elif model:
            console.print(f"[dim]The rehearsal is over: {escape(model.name)} answers from now on.[/]")


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino
