"""The package: the bots and all they need in one zip for AWS Lambda, the same bytes for the same input."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from botkit.deploy import archive
from botkit.deploy import bots as bots_folder
from botkit.deploy.bytecode import compile_tree, find_python
from botkit.deploy.prune import prune
from botkit.deploy.wheels import Machine, install
from botkit.errors import DeployError
from botkit.spec.compiling import compile_into
from botkit.spec.loader import Loaded

MAX_UNZIPPED = 250 * 1024 * 1024
"""Bytes of a package, unzipped (AWS Lambda quotas: Deployment package)."""
LARGE = 1_000_000
"""Bytes, unzipped, from which on a dependency has a row of its own."""

GLIBC = {"3.11": (2, 26), "3.12": (2, 34), "3.13": (2, 34), "3.14": (2, 34)}
"""Lambda's versions of Python, and what their images have of glibc: 3.11 is on Amazon Linux 2, the others on 2023.

(AWS Lambda developer guide: Lambda runtimes.)
"""

HANDLER = '''\
"""The Lambda entry point: serves every bot in the bots folder."""

from pathlib import Path

from botkit.runtime import Runtime

handler = Runtime.start(Path(__file__).parent)
'''
NOT_ON_LAMBDA = ("cli", "simulator", "deploy", "scenarios", "testing.py", "pytest_plugin.py", "__main__.py", "compiled")
"""What of botkit only a person needs; `compiled` is made anew."""

Tell = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and how much there is; 0 where that is not known."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the package is to run on. Raises DeployError for what Lambda has not.

    `glibc` is Lambda's own, unless the package is to be run by another machine.
    """

    python: str
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    glibc: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.python not in GLIBC:
            known = ", ".join(GLIBC)
            raise DeployError(f"Lambda has no Python {self.python[:20]} that botkit runs on; write --python {known}")
        if self.architecture not in ("x86_64", "arm64"):
            raise DeployError(f"Lambda has no {self.architecture[:20]}; it is x86_64 or arm64")

    @property
    def runtime(self) -> str:
        """Lambda's own name for it."""
        return f"python{self.python}"

    @property
    def machine(self) -> Machine:
        """What wheels must fit."""
        return Machine(self.python, self.architecture, self.glibc or GLIBC[self.python])


def default_python() -> str:
    """The version of Python to package for where none is named: the one that runs.

    But where that is 3.11: tiktoken has no wheels for its old image any more, so that a package would not start.
    """
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return "3.13" if here == "3.11" else here


def find_home(bots: Path) -> Path:
    """The folder of handler.py: the one we are in, else the one that holds the bots."""
    here = Path.cwd()
    return here if (here / "handler.py").is_file() else bots.resolve().parent


@dataclass(frozen=True, slots=True)
class Part:
    """A row of the table of what weighs what; sizes in bytes."""

    name: str
    files: int
    unzipped: int
    zipped: int


@dataclass(frozen=True, slots=True)
class Package:
    """A zip that was made. `notes` are sentences on what could be better."""

    path: Path
    sha256: str
    target: Target
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> int:
        """How many files are in it."""
        return sum(part.files for part in self.parts)

    @property
    def unzipped(self) -> int:
        """Bytes that it takes on Lambda."""
        return sum(part.unzipped for part in self.parts)

    @property
    def zipped(self) -> int:
        """Bytes of the zip, less its last 22."""
        return sum(part.zipped for part in self.parts)


@dataclass(frozen=True, slots=True)
class Laid:
    """The dependencies in a folder, pruned and compiled. `owners` are the packages of its top names."""

    folder: Path
    versions: Mapping[str, str]
    owners: Mapping[str, str]
    compiler: str | None


def build(home: Path, bots: Path, output: Path, target: Target, tell: Tell) -> Package:
    """Check the bots, fetch what they need, and write the zip `output`, whole or not at all.

    `home` is the folder of handler.py; where there is none, botkit's own is packaged. A `requirements.lock`
    in it gives hashes, and a `requirements.txt` in `bots` packages for steps of the user's own. `tell` is
    called as the work goes on. Raises SpecError where a bot is wrong, and DeployError.
    """
    with _in_words(), TemporaryDirectory(prefix="botkit-") as folder:
        _check_output(output, bots)
        tell("checking the bots", 0, 0)
        loaded = bots_folder.check(bots)
        laid = lay(Path(folder), home, bots, target, tell)
        return finish(laid, loaded, home, bots, output, target, tell)


def lay(folder: Path, home: Path, bots: Path, target: Target, tell: Tell) -> Laid:
    """Fetch the dependencies into an empty folder: what takes longest, and is the same for all bots."""
    tell("fetching packages", 0, 0)
    versions = install(folder, target.machine, home / "requirements.lock", bots / bots_folder.REQUIREMENTS)
    owners = _owners(folder)
    for taken in {"bots", "botkit", "handler.py", "botkit.json"} & owners.keys():
        raise DeployError(f"{owners[taken]} brings a {taken} of its own, where ours stands; leave it out")
    prune(folder, versions)
    tell("compiling", 0, 0)
    compiler = find_python(target.python)
    if compiler:
        compile_tree(compiler, folder)
    return Laid(folder, versions, owners, compiler)


def finish(laid: Laid, loaded: Loaded, home: Path, bots: Path, output: Path, target: Target, tell: Tell) -> Package:
    """Lay what is ours beside the dependencies, and write the zip."""
    notes = fill(laid, loaded, home, bots, target, tell)
    files = archive.files_of(laid.folder)
    _check_size(_parts(files, laid, {}))
    sizes = archive.write(files, output, lambda number: tell("zipping", number, len(files)))
    return Package(output, archive.sha256_of(output), target, tuple(_parts(files, laid, sizes)), notes)


def fill(laid: Laid, loaded: Loaded, home: Path, bots: Path, target: Target, tell: Tell) -> tuple[str, ...]:
    """Lay botkit, the bots and the handler beside the dependencies: the folder is as Lambda unpacks it then.

    Returns sentences on what could be better.
    """
    tree, handler = laid.folder, home / "handler.py"
    _copy_botkit(tree / "botkit")
    bots_folder.copy(loaded, bots, tree / "bots")
    compile_into(tree / "botkit" / "compiled", loaded.bots.values(), tree / "bots")
    (tree / "handler.py").write_bytes(handler.read_bytes() if handler.is_file() else HANDLER.encode())
    (tree / "botkit.json").write_bytes(_manifest(laid, tree, target))
    return _compile_own(laid, bots, target, tell)


@contextmanager
def _in_words() -> Iterator[None]:
    """A disk that is full, a file that may not be read: a sentence."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise DeployError(f"the package cannot be made: {where}{error.strerror or error}; correct that") from error


def _check_output(output: Path, bots: Path) -> None:
    if output.is_dir() or not output.parent.is_dir():
        raise DeployError(f"{output} cannot be written: name a file in a folder that is there")
    if output.resolve().is_relative_to(bots.resolve()):
        raise DeployError(f"{output} would stand among the bots, and be packaged with them; name another folder")


def _owners(folder: Path) -> dict[str, str]:
    """The package that each name at the top of the folder belongs to."""
    found = distributions(path=[str(folder)])
    return {path.parts[0]: one.name for one in found for path in one.files or () if path.parts[0] != ".."}


def _copy_botkit(to: Path) -> None:
    own = Path(__file__).parents[1]
    unwanted = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "py.typed")

    def ignore(folder: str, names: list[str]) -> set[str]:
        return unwanted(folder, names) | (set(NOT_ON_LAMBDA) if Path(folder) == own else set())

    shutil.copytree(own, to, ignore=ignore, copy_function=shutil.copyfile)


def _compile_own(laid: Laid, bots: Path, target: Target, tell: Tell) -> tuple[str, ...]:
    """Compile what was laid last; returns what it means where that cannot be."""
    tell("compiling", 0, 0)
    if laid.compiler is None:
        return (
            f"there is no Python {target.python} here to compile with: cold starts take about twice as long; "
            f"uv python install {target.python}",
        )
    faults = compile_tree(laid.compiler, laid.folder, "bots")
    if faults:
        name = faults[0].removeprefix("bots/")
        raise DeployError(f"{bots / name}; correct it for Python {target.python}, or remove the file")
    compile_tree(laid.compiler, laid.folder, "botkit")
    compile_tree(laid.compiler, laid.folder, "handler.py")
    return ()


def _manifest(laid: Laid, tree: Path, target: Target) -> bytes:
    """What is in the zip, for whoever has only the zip."""
    bots = {name: archive.sha256_of(path) for name, path in archive.files_of(tree / "bots").items()}
    facts = {
        "python": target.python,
        "architecture": target.architecture,
        "bots": bots,
        "packages": dict(laid.versions),
    }
    return (json.dumps(facts, indent=1) + "\n").encode()


def _parts(files: Mapping[str, Path], laid: Laid, sizes: Mapping[str, int]) -> list[Part]:
    """What weighs what: botkit, the bots, each large dependency, and the others together."""
    groups: dict[str, list[str]] = {}
    for name in files:
        top = name.partition("/")[0]
        groups.setdefault(laid.owners.get(top, "bots" if top == "bots" else "botkit"), []).append(name)
    rows = {group: _part(group, names, files, sizes) for group, names in groups.items()}
    own = [rows.pop(group) for group in ("botkit", "bots")]
    large = sorted((row for row in rows.values() if row.unzipped >= LARGE), key=lambda row: (-row.unzipped, row.name))
    small = [name for group, names in groups.items() if group in rows and rows[group] not in large for name in names]
    others = _part(f"{len(rows) - len(large)} smaller packages", small, files, sizes)
    return [*own, *large, others]


def _part(name: str, names: Sequence[str], files: Mapping[str, Path], sizes: Mapping[str, int]) -> Part:
    unzipped = sum(os.path.getsize(files[one]) for one in names)
    return Part(name, len(names), unzipped, sum(sizes.get(one, 0) for one in names))


def _check_size(parts: Sequence[Part]) -> None:
    whole = sum(part.unzipped for part in parts)
    if whole > MAX_UNZIPPED:
        largest = sorted(parts, key=lambda part: -part.unzipped)[:3]
        named = ", ".join(f"{part.name} {part.unzipped / 1e6:,.0f} MB" for part in largest)
        raise DeployError(
            f"the package takes {whole / 1e6:,.0f} MB unzipped, and Lambda 262 at most; the largest parts are {named}"
        )
