"""Show what a deployment would change, bot by bot: prompt, options, tokens, cost.

The bots here are compared with those in the package of the stack, or with a folder or a zip. Steps of your own are
imported on both sides, each in a process of its own: name only what you trust.

example:
  botkit plan                              against what is deployed
  botkit plan concierge                    one bot
  botkit plan --against ../main            against another folder, such as a git worktree; needs no AWS
  botkit plan --against botkit.zip         against a package
"""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from botocore.session import Session
from rich.console import Console
from rich.text import Text

import botkit
from botkit.cli import check
from botkit.cli.cloud import add_stack_argument, settings
from botkit.cli.folder import bots_folder, nothing_in, unknown_bots
from botkit.cli.plan_sides import Side, bots_within, described
from botkit.cli.plan_view import show
from botkit.deploy.plan import Plan, compare, headline
from botkit.deploy.session import open_session
from botkit.deploy.stack import Deployed, find_stack
from botkit.deploy.storage import fetch
from botkit.deploy.unpack import core_changes, unpack_bots
from botkit.spec.files import bot_files

_CORE = Path(botkit.__file__).parent
# A stack that was never made: nothing runs there (CloudFormation user guide: stack status codes).
_NEVER_RAN = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bots", metavar="BOT", nargs="*", help="names of bots; all of them if none is given")
    add_stack_argument(parser)
    parser.add_argument("--against", metavar="FOLDER|ZIP", type=Path, help="compare with these bots, not with a stack")
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Show it; 0 also where much changes, 1 where a bot here is wrong, 2 where there is none of a name.

    Raises DeployError.
    """
    folder, errors = bots_folder(environ), Console(stderr=True, highlight=False, emoji=False)
    if not bot_files(folder):
        errors.print(Text(f"{nothing_in(folder)}; make one: botkit new NAME"))
        return 1
    plan = _asked(options, environ)
    known = {bot.name for bot in plan.bots}
    if missing := [problem for name in options.bots if name not in known for problem in unknown_bots(folder, [name])]:
        check.report(errors, missing)
        return 2
    if options.json:
        print(json.dumps(_facts(plan), indent=2, ensure_ascii=False))  # noqa: T201  for programs: nothing may be wrapped
    else:
        show(Console(highlight=False, emoji=False), plan, settings(environ))
        check.report(errors, plan.problems)
    return 1 if plan.problems else 0


def plan_for_stack(
    session: Session, deployed: Deployed | None, environ: Mapping[str, str], only: Sequence[str] = ()
) -> Plan:
    """What deploying the bots here would change of a stack; None is a stack that is not there.

    `environ` is the process's own. Raises DeployError where what is deployed cannot be had, or a side cannot be read.
    """
    if deployed is None or deployed.status in _NEVER_RAN:
        return compare("nothing: there is no such stack yet", {}, described(_here(environ))[0], only)
    # The stack asks its models where its own setting says, and keeps that where nothing else is given.
    base = deployed.parameters.get("OpenaiBaseUrl", "")
    here = _here(environ, base)
    with TemporaryDirectory(prefix="botkit-") as scratch:
        package = fetch(session, deployed, Path(scratch))
        called = f"the stack {deployed.name} in {deployed.region}"
        return _against_zip(called, package, Path(scratch), here, {**here.environ, "OPENAI_BASE_URL": base}, only)


def _here(environ: Mapping[str, str], deployed: str = "") -> Side:
    """The bots here, with the endpoint that they would be deployed with; of `.env` own steps are given nothing else."""
    base = settings(environ).get("OPENAI_BASE_URL") or deployed
    return Side(bots_folder(environ), {**environ, "OPENAI_BASE_URL": base}, is_here=True)


def _asked(options: Namespace, environ: Mapping[str, str]) -> Plan:
    if options.against is None:
        session = open_session(settings(environ))
        return plan_for_stack(session, find_stack(session, options.stack), environ, options.bots)
    here = _here(environ)
    if options.against.is_file():
        with TemporaryDirectory(prefix="botkit-") as scratch:
            called = str(options.against)
            return _against_zip(called, options.against, Path(scratch), here, here.environ, options.bots)
    there = bots_within(options.against, here.folder.resolve().name)
    old, new = described(Side(there.resolve(), here.environ), here)
    return compare(str(there), old, new, options.bots)


def _against_zip(
    called: str, package: Path, scratch: Path, here: Side, environ: Mapping[str, str], only: Sequence[str]
) -> Plan:
    there = unpack_bots(package, scratch / "unpacked")
    old, new = described(Side(there, environ), here)
    return compare(called, old, new, only, core_changes(package, _CORE))


def _facts(plan: Plan) -> dict[str, Any]:
    facts = {**asdict(plan), "summary": headline(plan)}
    for bot, found in zip(plan.bots, facts["bots"], strict=True):
        for side, takes in (("old", bot.old), ("new", bot.new)):
            found[side] = takes and {**takes.model_dump(), "tokens": takes.tokens}
    return facts
