"""Show a bot as it counts: all its options, its pipeline, its persona, its tokens and their cost.

example:
  botkit show concierge
  botkit show concierge --json          for programs
"""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import PurePath
from typing import Any, NamedTuple
from unicodedata import category

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from botkit.cli import check
from botkit.cli.effective import Option, options_of, step_name
from botkit.cli.estimate import Estimate, estimate, sample_persona
from botkit.cli.flow import flow
from botkit.cli.folder import bots_folder, unknown_bots
from botkit.models.known import PRICES_TAKEN
from botkit.spec.bot import BotSpec
from botkit.spec.document import Path
from botkit.spec.loader import load_folder
from botkit.spec.problems import dotted
from botkit.spec.schema import first_sentence


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bot", metavar="BOT", help="the bot's name")
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Show it; 1 where its file is wrong, 2 where there is no such bot. Raises SpecError, ModelError."""
    folder, errors = bots_folder(environ), Console(stderr=True, highlight=False, emoji=False)
    if missing := unknown_bots(folder, [options.bot]):
        check.report(errors, missing)
        return 2
    loaded = load_folder(folder, [options.bot])
    if loaded.problems:
        check.report(errors, loaded.problems)
        return 1
    bot = loaded.bots[options.bot]
    persona = sample_persona(bot)
    found = estimate(bot, persona, environ)
    if options.json:
        facts = _facts(bot, persona, found)
        print(json.dumps(facts, indent=2, ensure_ascii=False))  # noqa: T201  for programs: nothing may be wrapped
    else:
        _show(Console(highlight=False, emoji=False), bot, persona, found)
    return 0


def _facts(bot: BotSpec, persona: str, found: Estimate | None) -> dict[str, Any]:
    return {
        "name": bot.name,
        "file": bot.shown_file,
        "options": [
            {"option": dotted(one.path), "value": one.value, "place": one.place and one.place._asdict()}
            for one in options_of(bot)
        ],
        "pipeline": [step_name(step) for step in bot.steps],
        "persona": persona,
        "estimate": found
        and {
            **asdict(found),
            "price": found.price and found.price._asdict(),
            "prices_taken": None if found.price_from == "file" else PRICES_TAKEN,
        },
    }


def _show(console: Console, bot: BotSpec, persona: str, found: Estimate | None) -> None:
    console.print(Text.assemble((bot.name, "bold green"), "  ", (bot.shown_file, "dim")), soft_wrap=True)
    _part(console, "Options", _yaml(options_of(bot)))
    _part(console, "Pipeline", _pipeline(bot))
    if persona:
        _part(console, "Persona, as Hana reads it in a 1:1 chat", Padding.indent(Text(persona), 2))
    if found:
        _part(console, "Tokens", _tokens(found))
        _part(console, "Cost", Padding.indent(_cost(found), 2))


def _part(console: Console, heading: str, *content: RenderableType) -> None:
    console.print()
    console.print(Text(heading, "bold"))
    console.print(*content)


class Line(NamedTuple):
    """A line of the bot file: how deep it stands, its key, its value, and where that comes from."""

    depth: int
    key: str
    value: str = ""
    origin: str = ""


def _yaml(options: Iterable[Option]) -> Table:
    """The options as YAML, each with its origin as a comment; defaults are dimmed."""
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(style="dim", overflow="fold")
    for line in _lines(options):
        origin = Text(f"# {line.origin}") if line.origin else ""
        dimmed = "dim" if line.origin == "default" else ""
        table.add_row(Padding.indent(_entry(line), 2 + 2 * line.depth), origin, style=dimmed)
    return table


def _entry(line: Line) -> RenderableType:
    """Key and value, the value wrapped beside its key; without a key it is a line of a text."""
    if not line.key:
        return Text(line.value)
    entry = Table.grid(padding=(0, 1))
    entry.add_column(no_wrap=True, style="cyan")
    entry.add_column(overflow="fold")
    entry.add_row(Text(line.key), Text(line.value))
    return entry


def _lines(options: Iterable[Option]) -> Iterator[Line]:
    above: Path = ()
    for option in options:
        yield from _opening(option.path, above)
        yield from _written(option)
        above = option.path


def _opening(path: Path, above: Path) -> Iterator[Line]:
    """The sections that begin with this option."""
    for depth, key in enumerate(path[:-1]):
        if path[: depth + 1] != above[: depth + 1] and isinstance(key, str):
            yield Line(depth, f"{flow(key)}:")


def _written(option: Option) -> Iterator[Line]:
    depth, key, value = len(option.path) - 1, option.path[-1], option.value
    head = "-" if isinstance(key, int) else f"{flow(key)}:"
    if key == "use" and isinstance(option.path[-2], int):  # an own step begins its entry of the list
        depth, head = depth - 1, f"- {head}"
    origin = f"{PurePath(option.place.file).name}:{option.place.line}" if option.place else "default"
    if not _is_block(value):
        yield Line(depth, head, flow(value), origin)
        return
    yield Line(depth, head, "|" if value.endswith("\n") else "|-", origin)
    for line in value.removesuffix("\n").split("\n"):
        yield Line(depth + 1, "", line)


def _is_block(value: Any) -> bool:
    """Whether a text keeps all it has when it is written as a block of lines."""
    if not isinstance(value, str) or "\n" not in value or value.startswith((" ", "\n")):
        return False
    lines = value.removesuffix("\n").split("\n")
    # Control characters (Cc) and other ends of lines (Zl, Zp) need escapes.
    strange = any(category(character) in ("Cc", "Cs", "Zl", "Zp") for line in lines for character in line)
    return lines[-1] != "" and not strange and not any(line.endswith(" ") for line in lines)


def _pipeline(bot: BotSpec) -> Table:
    table = Table.grid(padding=(0, 2))
    for number, step in enumerate(bot.steps, 1):
        about = first_sentence(type(step).__dict__.get("__doc__") or "")
        table.add_row(Text(f"{number:>4}", "dim"), Text(step_name(step), "cyan"), Text(about))
    return table


def _tokens(found: Estimate) -> Table:
    known = {"file": "as the file says", "model": "", "assumed": "assumed; set model.context_tokens"}
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    for name, tokens, remark in (
        ("context window", found.window, f"{found.model}  {known[found.window_from]}".strip()),
        ("persona", found.persona, ""),
        ("longest answer", found.max_answer, "model.max_output_tokens"),
        ("left for history", found.room, f"of which a running conversation fills {found.history:,}"),
    ):
        table.add_row(f"  {name}", f"{tokens:,}", Text(remark))
    return table


def _cost(found: Estimate) -> Text:
    takes = (
        f"A message takes {found.persona:,} tokens of persona, {found.history:,} of history, "
        f"{found.question} of question and {found.answer} of answer"
    )
    if found.cost is None or found.price is None:
        return Text.assemble(("price unknown", "bold"), (f"\n{takes}.", "dim"))
    whose, taken = ("the file's", "") if found.price_from == "file" else ("OpenAI's", f" ({PRICES_TAKEN})")
    rates = f"{whose} {found.price.input:.2f} and {found.price.output:.2f} USD per million tokens in and out{taken}"
    thinking = " What the model thinks is billed as answer, and comes on top." if found.thinks else ""
    said = f"{takes}, at {rates}, nothing cached.{thinking}"
    return Text.assemble((f"about {found.cost:.2f} USD", "bold"), " per 1,000 messages\n", (said, "dim"))
