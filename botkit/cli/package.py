"""Put the bots and all they need into one zip for AWS Lambda, and write the CloudFormation template beside it.

The packages that botkit needs are fetched for Lambda, at the versions that are installed here. What steps of
your own need besides stands in requirements.txt in the bots folder. The same files give the same zip.

example:
  botkit package                           botkit.zip and template.yaml
  botkit package --python 3.13 --arm       for Lambda's arm64, with Python 3.13
  botkit package --output dist/botkit.zip --json
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from botkit.cli.folder import bots_folder
from botkit.deploy import template
from botkit.deploy.bots import check
from botkit.deploy.package import GLIBC, Package, Part, Target, Tell, build, default_python, find_home
from botkit.errors import DeployError

SMALL_ZIPPED, SMALL_UNZIPPED = 25_000_000, 90_000_000
"""Bytes that a package is to stay below; AWS allows more."""
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
OURS = "# LINE chatbots, made by botkit"
"""How a template begins that may be made anew."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--output", metavar="FILE", type=Path, default=Path("botkit.zip"), help="default: botkit.zip")
    versions = ", ".join(GLIBC)
    parser.add_argument("--python", metavar="X.Y", help=f"Lambda's Python, one of {versions}; by default the one here")
    parser.add_argument("--arm", action="store_true", help="for arm64 instead of x86_64: it costs a fifth less")
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Make both; 2 where the target or a name is wrong. Raises SpecError and DeployError, and makes neither then."""
    errors = Console(stderr=True, highlight=False, emoji=False)
    beside, bots = options.output.with_name("template.yaml"), bots_folder(environ)
    try:
        target = Target(options.python or default_python(), "arm64" if options.arm else "x86_64")
        _check_template(beside)
    except DeployError as error:
        errors.print(Text.assemble(("botkit:", "bold red"), f" {error}"), soft_wrap=True)
        return 2
    made = template.template(check(bots).bots, target)
    for function in template.FUNCTIONS:
        made["Resources"][function]["Properties"]["Code"] = options.output.name
    with _progress(errors) as tell:
        package = build(find_home(bots), bots, options.output, target, tell)
    if options.python is None and target.python != HERE:
        older = f"tiktoken has no wheels for Lambda's Python {HERE} any more: this is for {target.python}"
        package = replace(package, notes=(older, *package.notes))
    _write(made, beside)
    if options.json:
        print(json.dumps(_facts(package, beside), indent=2))  # noqa: T201  for programs: nothing may be wrapped
    else:
        show(Console(highlight=False, emoji=False), package, beside)
    return 0


def _check_template(path: Path) -> None:
    """Raises DeployError where somebody else's template would be written over."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            ours = file.readline().startswith(OURS)
    except FileNotFoundError:
        return
    except OSError as error:
        raise DeployError(f"{path} cannot be read: {error.strerror}; choose another folder with --output") from error
    if not ours:
        raise DeployError(f"{path} was not made by botkit; move it away, or choose another folder with --output")


def _write(made: Mapping[str, Any], path: Path) -> None:
    """Write the template, whole or not at all. Raises DeployError."""
    growing = path.with_name(f".{path.name}.part")
    try:
        template.write(made, growing)
        growing.replace(path)
    except OSError as error:
        raise DeployError(f"{path} cannot be written: {error.strerror}; correct that, and package again") from error
    finally:
        growing.unlink(missing_ok=True)


@contextmanager
def _progress(console: Console) -> Iterator[Tell]:
    """A bar of what goes on, gone when it is done; nothing where no person watches."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def tell(what: str, done: int, of: int) -> None:
            bar.update(task, description=what, completed=done, total=of or None)

        yield tell


def _facts(package: Package, beside: Path) -> dict[str, Any]:
    sizes = ("name", "files", "zipped", "unzipped")
    return {
        "path": str(package.path),
        "template": str(beside),
        "sha256": package.sha256,
        "python": package.target.python,
        "architecture": package.target.architecture,
        "files": package.files,
        "zipped": package.zipped,
        "unzipped": package.unzipped,
        "parts": [{size: getattr(part, size) for size in sizes} for part in package.parts],
        "notes": list(package.notes),
    }


def show(console: Console, package: Package, beside: Path) -> None:
    """What weighs what, whether that is little, and what comes next."""
    target = package.target
    title = Text.assemble((str(package.path), "bold green"), f"  for Python {target.python} on {target.architecture}")
    console.print(title, soft_wrap=True)
    console.print()
    console.print(_table(package))
    console.print()
    console.print(Text(f"sha256 {package.sha256}", "dim"), soft_wrap=True)
    for note in package.notes:
        console.print(Text.assemble(("!", "yellow"), f" {note}"))
    console.print()
    console.print(Text.assemble("Next: ", ("botkit deploy", "bold"), " brings the bots to AWS"))
    where = "" if beside.parent == Path() else f" in {beside.parent}"
    by_hand = ("or:   ", ("sam deploy --guided", "bold"), f"{where} takes template.yaml, which stands beside the zip")
    console.print(Text.assemble(*by_hand))


def _table(package: Package) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", style="cyan", overflow="fold")
    for heading in ("files", "zipped", "unzipped"):
        table.add_column(heading, justify="right", no_wrap=True)
    for part in package.parts:
        table.add_row(*_row(part))
    table.add_section()
    whole = Part("all", package.files, package.unzipped, package.zipped)
    table.add_row(*_row(whole), style="bold")
    table.add_row("to stay below", "", _size(SMALL_ZIPPED), _size(SMALL_UNZIPPED), style="dim")
    if whole.zipped > SMALL_ZIPPED or whole.unzipped > SMALL_UNZIPPED:
        table.add_row(Text("that is more: cold starts take longer", "yellow"))
    return table


def _row(part: Part) -> tuple[Text, str, str, str]:
    return Text(part.name), f"{part.files:,}", _size(part.zipped), _size(part.unzipped)


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"
