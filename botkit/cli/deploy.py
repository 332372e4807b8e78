"""Bring the bots to AWS: package them, show what would change, ask, and do it; the first time and every time.

It looks first for what would fail: secrets that are not set, a stack that cannot be changed. Variables that the bots
name are taken from the environment or from .env, and what is not set there stays as it was deployed. What it proposes
and is not wanted leaves nothing behind; what fails is undone by AWS.

example:
  botkit deploy                                     to the stack botkit, after a look at what changes
  botkit deploy --dry-run                           only look
  botkit deploy --stack shops --set WorkerMemory=2048 --set AlarmEmail=hana@example.com
  botkit deploy --yes --json                        without asking, for programs
"""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction, Namespace
from collections.abc import Mapping
from pathlib import Path

from botkit.cli.cloud import add_stack_argument, settings
from botkit.cli.deploy_view import View
from botkit.cli.deployment import Deployment
from botkit.cli.execution import Report
from botkit.cli.folder import bots_folder, nothing_in
from botkit.deploy.package import GLIBC
from botkit.deploy.rollout import PAUSE
from botkit.deploy.stack import Deployed
from botkit.errors import BotkitError
from botkit.spec.bot import BotSpec
from botkit.spec.files import bot_files


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_stack_argument(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and leave everything as it is")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--set",
        metavar="PARAMETER=VALUE",
        type=_setting,
        action="append",
        default=[],
        help="a parameter of the template, such as WorkerMemory; kept by later deployments. Can be given again",
    )
    parser.add_argument("--table", metavar="NAME", help="go on with this DynamoDB table; the stack makes none then")
    parser.add_argument("--package", metavar="FILE", type=Path, help="deploy this zip of `botkit package`")
    parser.add_argument("--python", metavar="X.Y", choices=tuple(GLIBC), help="Lambda's Python; by default as deployed")
    parser.add_argument("--arm", action=BooleanOptionalAction, help="run on arm64, which costs a fifth less, or not")
    parser.add_argument("--replace-table", action="store_true", help="go on also where conversations would be lost")
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON")


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isascii() or not name.isalnum():
        # What stands there may be a secret, so it is not shown.
        raise ArgumentTypeError("write a parameter and its value, such as WorkerMemory=2048")
    return name, value


def run(options: Namespace, environ: Mapping[str, str], pause: float = PAUSE) -> int:
    """Deploy; 0 where the stack is as it is wanted, 1 where it is not, 2 for misuse.

    `pause` are the seconds between two looks at what AWS is doing. Raises DeployError, SpecError.
    """
    view, given = View(for_programs=options.json), settings(environ)
    folder = bots_folder(given)
    if options.package and (options.python or options.arm is not None):
        return _misuse("--package says already what it was made for; leave --python and --arm out")
    if not options.package and not bot_files(folder):
        return _misuse(f"{nothing_in(folder)}; make one: botkit new NAME")
    if not (options.yes or options.dry_run or sys.stdin.isatty()):
        return _misuse("nobody is there to be asked; write --yes, or --dry-run to look only")
    deployment = Deployment(options, environ, view, pause)
    report = deployment.report
    try:
        deployment.run()
    except BotkitError as error:
        report.cause = str(error)
        _tell_programs(options, report)
        raise
    _tell_programs(options, report)
    _conclude(view, report, deployment.bots)
    return 0 if report.status in ("deployed", "unchanged", "proposed") else 1


def _tell_programs(options: Namespace, report: Report) -> None:
    if options.json:
        print(json.dumps(report.facts(), indent=2, ensure_ascii=False))  # noqa: T201  for programs: nothing wrapped


def _misuse(text: str) -> int:
    View(for_programs=True).say(f"botkit: {text}", "bold red")
    return 2


def _conclude(view: View, report: Report, bots: Mapping[str, BotSpec]) -> None:
    """How it ended, and what to do next."""
    match report.status:
        case "proposed":
            view.say("\nNothing was changed, and nothing is left behind.")
        case "declined":
            view.say("Nothing was changed.")
        case "unchanged":
            view.say("\nNothing changes: these bots are deployed already.", "green")
        case "deployed":
            view.say("\nDeployed.", "bold green")
        case _:
            return
    if report.deployed:
        _tell_addresses(view, report.deployed, bots)


def _tell_addresses(view: View, stack: Deployed, bots: Mapping[str, BotSpec]) -> None:
    view.webhooks(
        {
            name: (stack.url_of(name) or "", "" if bot.line else "no LINE account yet: its file has no line:")
            for name, bot in bots.items()
        }
    )
    if dashboard := stack.outputs.get("Dashboard"):
        view.heading("Dashboard", dashboard)
    named = f" --stack {stack.name}" if stack.name != "botkit" else ""
    if any(bot.line for bot in bots.values()):
        view.say(f"Next: botkit webhook set --all{named}, which tells LINE; then botkit doctor{named}")
    else:
        view.say("Next: give a bot its LINE account, see `line` in docs/bot-file.md, and deploy again")
