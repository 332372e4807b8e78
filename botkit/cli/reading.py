"""What the commands share that read or delete what bots remember: which store is meant."""

from argparse import ArgumentParser, Namespace
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

from botkit.cli.cloud import settings
from botkit.errors import DeployError
from botkit.ports import Services
from botkit.wiring import services


def add_stack_argument(parser: ArgumentParser) -> None:
    """Declare `--stack`: unlike for the commands of the deployment, nothing deployed is meant where it is not given."""
    parser.add_argument(
        "--stack", metavar="NAME", help="what is deployed as this stack, such as botkit; else what BOTKIT_STORE names"
    )


def services_of(options: Namespace, environ: Mapping[str, str]) -> Services:
    """The services with the store that is meant: a stack's table, or what BOTKIT_STORE names. Raises DeployError."""
    if options.stack is None:
        return services(environ)
    wired = services(ChainMap({"BOTKIT_STORE": "memory:"}, dict(environ)))
    return replace(wired, store=_table_of(options.stack, environ))


def _table_of(name: str, environ: Mapping[str, str]) -> Any:
    # Here, because AWS's SDK takes half a second to load, which who reads a file need not wait for.
    deployment, found = import_module("botkit.deploy.session"), import_module("botkit.deploy.stack")
    session = deployment.open_session(settings(environ))
    stack = found.find_stack(session, name)
    if stack is None or "Table" not in stack.outputs:
        raise DeployError(f"there is no stack {name} that serves bots in {session.region}")
    client = deployment.client(session, "dynamodb")
    return import_module("botkit.stores.dynamodb").DynamoStore(stack.outputs["Table"], client)
