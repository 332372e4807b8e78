"""The packages a Lambda needs, at the versions that are installed here, fetched for Lambda's platform by uv."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distributions, requires
from pathlib import Path
from tempfile import TemporaryDirectory

from botkit.errors import DeployError

PATIENCE = 900
"""Seconds that uv may take in all. It gives up a server by itself, after 30 seconds and three retries."""

PLATFORMS = ((2, 17), (2, 28), *((2, minor) for minor in range(31, 41)))
"""The versions of glibc for which uv can be asked for wheels (uv reference: `--python-platform`)."""

PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)")
_HASH = re.compile(r"--hash=\S+")


@dataclass(frozen=True, slots=True)
class Machine:
    """What wheels must fit: a version of Python, a processor (`x86_64`, `arm64`), a version of glibc."""

    python: str
    architecture: str
    glibc: tuple[int, int]

    def __str__(self) -> str:
        return f"Python {self.python} on {self.architecture} with glibc {self.glibc[0]}.{self.glibc[1]}"

    @property
    def arguments(self) -> tuple[str, ...]:
        """As uv is told of it."""
        major, minor = max(version for version in PLATFORMS if version <= self.glibc)
        processor = "aarch64" if self.architecture == "arm64" else self.architecture
        return "--python-platform", f"{processor}-manylinux_{major}_{minor}", "--python-version", self.python


def install(to: Path, machine: Machine, lock: Path, own: Path) -> dict[str, str]:
    """Install into the folder `to` what botkit needs at run time; returns the version of each package.

    Versions are those installed here, hashes those of `lock` where it names the same version. The file
    `own` names packages for the steps of the user's own; it and `lock` may be absent. Raises DeployError.
    """
    with TemporaryDirectory(prefix="botkit-") as folder:
        wanted, held, pins = (Path(folder, name) for name in ("wanted.txt", "held.txt", "pins.txt"))
        locked = read_lock(lock)
        wanted.write_text("".join(f"{line}\n" for line in _needed()), "utf-8")
        held.write_text("".join(f"{name}=={version}\n" for name, version in _held(locked.keys()).items()), "utf-8")
        also = [str(own)] if own.is_file() else []
        bare = ("--no-header", "--no-annotate")
        listed = _ask(machine, "compile", str(wanted), *also, "--constraint", str(held), *bare)
        lines = [line for line in listed.splitlines() if line.strip()]
        pins.write_text("".join(f"{_with_hashes(line, locked)}\n" for line in lines), "utf-8")
        # Copied, not linked: what is done in the folder must never reach what uv keeps.
        target = ("--target", str(to), "--link-mode", "copy")
        _ask(machine, "install", *target, "--no-deps", "--requirements", str(pins))
        # What is no pin is a wheel by its address.
        return dict(sorted((pin[1], pin[2]) if (pin := PINNED.match(line)) else _address(line) for line in lines))


def _address(line: str) -> tuple[str, str]:
    return line.partition(" ")[0], "address"


def read_lock(lock: Path) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """The hashes that a `requirements.lock` names for each package and version; none where there is no such file."""
    if not lock.is_file():
        return {}
    entries = lock.read_text("utf-8", "replace").replace("\\\n", " ").splitlines()
    found = ((PINNED.match(entry), _HASH.findall(entry)) for entry in entries)
    return {(_plain(pin[1]), pin[2]): tuple(hashes) for pin, hashes in found if pin}


def _plain(name: str) -> str:
    """A package's name as it is compared (PyPA: Names and normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _needed() -> Iterator[str]:
    """What botkit's own code needs; of boto3 only botocore, unless a package of the user's needs more.

    Extras fall away by themselves: none is asked for, so that their markers are false.
    """
    try:
        needed = requires("botkit") or ()
    except PackageNotFoundError as error:
        raise DeployError("botkit is not installed here, so what it needs is not known; pip install botkit") from error
    for requirement in needed:
        yield "botocore" if re.match(r"boto3\b(?!-)", requirement) else requirement


def _held(locked: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The version of every package that is installed here; of those that only Lambda needs, the locked one."""
    installed = {_plain(one.name): one.version for one in distributions() if one.name}
    held: dict[str, str] = {**dict(locked), **installed}
    held.pop("botkit", None)
    return dict(sorted(held.items()))


def _with_hashes(line: str, locked: Mapping[tuple[str, str], tuple[str, ...]]) -> str:
    pin = PINNED.match(line)
    return " ".join((line, *locked.get((_plain(pin[1]), pin[2]), ()))) if pin else line


def _ask(machine: Machine, *command: str) -> str:
    """What uv answers. Without a network it is asked again for what it has kept. Raises DeployError."""
    whole = (uv(), "pip", *command, "--quiet", "--only-binary", ":all:", "--python", sys.executable, *machine.arguments)
    result = _run(whole)
    if result.returncode and _is_offline(result.stderr):
        again = _run((*whole, "--offline"))
        result = result if again.returncode else again
    if result.returncode:
        raise DeployError(explain(result.stderr, machine))
    return result.stdout


def uv() -> str:
    """The program uv. Raises DeployError where there is none."""
    try:
        return str(import_module("uv").find_uv_bin())
    except (ImportError, FileNotFoundError) as error:
        found = shutil.which("uv")
        if found is None:
            raise DeployError("uv, which fetches the packages, is not installed; pip install 'botkit[dev]'") from error
        return found


def _run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603  uv, with arguments of our own
            command, capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DeployError(f"uv has fetched no packages in {PATIENCE // 60} minutes; try again") from error
    except OSError as error:
        raise DeployError(f"uv does not start: {error.strerror}; install it again: pip install uv") from error


def _is_offline(said: str) -> bool:
    return bool(re.search(r"error sending request|Connect\b|dns error|timed out|Request failed after", said))


def explain(said: str, machine: Machine) -> str:
    """What uv complains of, as one sentence with the cure. Passwords in addresses are left out."""
    said = re.sub(r"://[^/\s@]*@", "://", re.sub(r"\s+", " ", said)).strip()
    if _is_offline(said):
        return "the packages cannot be fetched: there is no connection to the package index; connect, and try again"
    if wheel := re.search(r"([\w.-]+)==(\S+) has no (?:usable wheels|wheels with a matching)", said):
        cure = "package for another --python or architecture, or pin a version that has one"
        if machine.python == "3.11":
            cure = "Lambda's Python 3.11 is the last on the old Amazon Linux 2: package for --python 3.13"
        return f"{wheel[1]} {wheel[2]} has no wheel for {machine}; {cure}"
    if mismatch := re.search(r"Hash mismatch for `([^`]*)`", said):
        return f"{mismatch[1]} was fetched, and is not what requirements.lock names; make the lock anew, or delete it"
    if missing := re.search(r"Because (\S+) was not found in the package registry", said):
        return f"there is no package {missing[1]} in the index; correct bots/requirements.txt"
    reason = re.sub(r"^.*?cause: |^error: | hint: .*$", "", said)
    return f"the packages cannot be had: {reason[:500].rstrip('.')}; correct bots/requirements.txt"
