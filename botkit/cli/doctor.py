"""Examine every account and the deployment, and say how to cure what is wrong.

Of each bot: its file, its secrets, whether LINE accepts its token, whether the account is the one its file names,
where its webhooks go and whether LINE's test of that goes through, its quota of pushes, and its model. Of the
deployment: the stack, the table, the queue and its DLQ, the functions, the schedule. Of this machine: its clock.
Nothing is changed, and nothing is paid for. It takes at most about 20 seconds. LINE allows 60 tests an hour for an
account, and this is one.

example:
  botkit doctor                                     all bots, and the stack of `botkit deploy`
  botkit doctor concierge --url https://bots.example.com
  botkit doctor --json                              for programs
"""

import json
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

from rich.console import Console

from botkit.cli import check
from botkit.cli.addresses import address_fault
from botkit.cli.cloud import add_stack_argument, settings
from botkit.cli.examination import Section, worst
from botkit.cli.folder import bots_folder, nothing_in, unknown_bots
from botkit.cli.picture import draw
from botkit.spec.files import bot_files

SECONDS: Final = 20
"""How long everything may take together."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bots", metavar="BOT", nargs="*", help="names of bots; all of them if none is given")
    add_stack_argument(parser)
    parser.add_argument("--url", metavar="BASE", help="where the bots are to be: the address before /line/BOT")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Examine everything; 1 where something is wrong, which warnings are not, 2 for misuse."""
    folder, known = bots_folder(environ), settings(environ)
    errors = Console(stderr=True, highlight=False, emoji=False)
    if missing := unknown_bots(folder, options.bots):
        check.report(errors, missing)
        return 2
    if options.url is not None and (fault := address_fault(options.url, known)):
        errors.print(f"[bold red]botkit:[/] --url {fault}", soft_wrap=True)
        return 2
    if not bot_files(folder):
        errors.print(f"{nothing_in(folder)}; make one: botkit new NAME", markup=False, soft_wrap=True)
        return 1
    # Here, because it takes more than a second to load what asks LINE and models.
    examine: Callable[..., list[Section]] = import_module("botkit.cli.examine").examine
    with errors.status("examining …"):
        sections = examine(folder, known, options, until=time.monotonic() + SECONDS)
    if options.json:
        print(json.dumps(_facts(sections), indent=2, ensure_ascii=False))  # noqa: T201  for programs
    else:
        draw(Console(highlight=False, emoji=False), sections)
    return 1 if worst(one for section in sections for one in section.findings) == "error" else 0


def _facts(sections: list[Section]) -> list[dict[str, Any]]:
    return [
        {
            "kind": section.kind,
            "name": section.name,
            "severity": worst(section.findings),
            "findings": [one.facts for one in section.findings],
        }
        for section in sections
    ]
