"""Make a scenario of a conversation that is stored."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bots", metavar="BOT", nargs="*")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Run it."""
    raise NotImplementedError
