"""What the commands share that look at AWS: which stack, and the settings."""

import os
import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Mapping

from botkit.deploy.session import TOGETHER
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
    return _Settings(environ)


class _Settings(Settings):
    """Settings that take credentials from one source: where the environment names some, those of `.env` do not count.

    So it is with the region, which has two variables.
    """

    def __getitem__(self, name: str) -> str:
        if self._stands_back(name):
            raise KeyError(name)
        return super().__getitem__(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name in super().__iter__() if not self._stands_back(name))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _stands_back(self, name: str) -> bool:
        if self._is_set(name):
            return False
        return any(name in group and any(map(self._is_set, group)) for group in TOGETHER)

    def _is_set(self, name: str) -> bool:
        return bool((self._environ.get(name) or "").strip())


def _stack_name(text: str) -> str:
    # CloudFormation API reference, CreateChangeSet: StackName.
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", text, re.ASCII):
        raise ArgumentTypeError(
            f"{text!r} is no name of a stack; write letters, digits and -, a letter first, at most 128"
        )
    return text
