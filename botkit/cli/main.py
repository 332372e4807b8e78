"""The `botkit` command: picks one of the commands and turns its outcome into an exit code."""

import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence

from botkit.errors import BotkitError, SpecError

try:
    from rich.console import Console
    from rich.markup import escape
except ModuleNotFoundError:  # the packaged Lambda has no terminal, and the runtime dependencies have no rich
    sys.exit("the botkit command needs the extra `dev`; run `make run`, or: pip install 'botkit[dev]'")

from botkit.cli import chat, check, dev, explain, forget, history, new, schema, show, usage

COMMANDS = {
    "new": new,
    "check": check,
    "show": show,
    "chat": chat,
    "dev": dev,
    "usage": usage,
    "history": history,
    "forget": forget,
    "explain": explain,
    "schema": schema,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 ok, 1 something was found wrong, 2 misuse."""
    options = _parser().parse_args(arguments)
    try:
        return int(COMMANDS[options.command].run(options, os.environ))
    except SpecError as error:
        check.report(Console(stderr=True, emoji=False), error.problems)
        return 1
    except BotkitError as error:
        Console(stderr=True, emoji=False).print(f"[bold red]botkit:[/] {escape(str(error))}", highlight=False)
        return 1
    except KeyboardInterrupt:
        # Not a return: Python would wait for threads that wait for a model. What they are at is in the
        # store, and the next start goes on with it.
        sys.stdout.flush()
        os._exit(130)


def _parser() -> ArgumentParser:
    parser = ArgumentParser("botkit", description="LINE chatbots out of YAML files.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        summary, _, details = (module.__doc__ or "").partition("\n\n")
        command = commands.add_parser(
            name, help=summary, description=f"{summary}\n\n{details}", formatter_class=RawDescriptionHelpFormatter
        )
        module.add_arguments(command)
    return parser
