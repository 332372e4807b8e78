"""The `botkit` command: picks one of the commands and turns its outcome into an exit code."""

import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from botkit.errors import BotkitError, SpecError

try:
    from rich.console import Console
    from rich.markup import escape
except ModuleNotFoundError:  # the packaged Lambda has no terminal, and the runtime dependencies have no rich
    sys.exit("the botkit command needs the extra `dev`; run `make run`, or: pip install 'botkit[dev]'")

from botkit.cli import check
from botkit.cli.printing import printable

COMMANDS = (
    *("new", "check", "show", "chat", "dev", "test", "compare", "record"),
    *("package", "plan", "deploy", "webhook", "doctor"),
    *("usage", "history", "forget", "explain", "schema"),
)
"""The commands, each a module of this package, in the order of the help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 ok, 1 something was found wrong, 2 misuse."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser(given).parse_args(given)
    try:
        return int(_module(options.command).run(options, os.environ))
    except SpecError as error:
        check.report(Console(stderr=True, emoji=False), error.problems)
        return 1
    except BotkitError as error:
        Console(stderr=True, emoji=False).print(
            f"[bold red]botkit:[/] {escape(printable(str(error)))}", highlight=False
        )
        return 1
    except KeyboardInterrupt:
        # Not a return: Python would wait for threads that wait for a model. What they are at is in the
        # store, and the next start goes on with it.
        sys.stdout.flush()
        os._exit(130)


def _parser(given: Sequence[str]) -> ArgumentParser:
    """Of what is `given` the first word is the command. It alone is loaded, and all only where there is none."""
    parser = ArgumentParser("botkit", description="LINE chatbots out of YAML files.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in given[:1] if given and given[0] in COMMANDS else COMMANDS:
        module = _module(name)
        summary, _, details = (module.__doc__ or "").partition("\n\n")
        command = commands.add_parser(
            name, help=summary, description=f"{summary}\n\n{details}", formatter_class=RawDescriptionHelpFormatter
        )
        module.add_arguments(command)
    return parser


def _module(name: str) -> Any:
    """A command's module: `add_arguments`, `run`, and a docstring that is its help."""
    return import_module(f"botkit.cli.{name}")
