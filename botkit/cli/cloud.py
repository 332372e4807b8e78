"""What the commands share that look at AWS: which stack, and the settings."""

import os
import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping

from botkit.simulator.playground.settings import Settings


def add_stack_argument(parser: ArgumentParser) -> None:
    """Declare `--stack`; its default is BOTKIT_STACK, or `botkit`."""
    parser.add_argument(
        "--stack",
        metavar="NAME",
        type=_stack_name,
        default=settings(os.environ).get("BOTKIT_STACK") or "botkit",
        help="the CloudFormation stack, by default that of BOTKIT_STACK, or botkit",
    )


def settings(environ: Mapping[str, str]) -> Settings:
    """The environment, and the `.env` of the working directory where it says nothing."""
    return Settings(environ)


def _stack_name(text: str) -> str:
    # CloudFormation API reference, CreateChangeSet: StackName.
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", text, re.ASCII):
        raise ArgumentTypeError(
            f"{text!r} is no name of a stack; write letters, digits and -, a letter first, at most 128"
        )
    return text
