"""One piece of advice: said of an option, at its place in the bot file."""

from collections.abc import Mapping

from botkit.errors import Problem
from botkit.spec.bot import BotSpec
from botkit.spec.document import Path
from botkit.spec.problems import dotted


def remark(bot: BotSpec, path: Path, text: str) -> Problem:
    """A warning at the option, or at the nearest section; at the file alone where there is none of it."""
    place = bot.place_of(path) if path[:1] in bot.places else (bot.shown_file, 0, 0)
    return Problem(*place, f"{dotted(path)}: {text}", "warning")


def unset(reference: str, environ: Mapping[str, str]) -> str | None:
    """The environment variable that a reference names and nobody has set."""
    kind, _, name = reference.partition(":")
    return name if kind == "env" and not environ.get(name, "").strip() else None


def shown_duration(seconds: int) -> str:
    """In days where they are whole, else in hours."""
    if seconds % 86400 == 0:
        return "1 day" if seconds == 86400 else f"{seconds // 86400} days"
    return f"{seconds / 3600:g} hours"
