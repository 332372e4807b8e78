"""A package to test with: the real code of `botkit package`, with the dependencies fetched once in a session.

    target()                      -> Target      this machine's Python, processor and glibc: what it makes can be run here
    dependencies()                -> Laid        fetched, pruned and compiled, once (about 15 s); never write into its folder
    build_for(bots, output)       -> Package     the zip of a bots folder, named `bots` where it has steps of its own (about 8 s)
    unpack_for(bots, folder)      -> Path        as Lambda would unpack it, without a zip (about 2 s); returns `folder`
    unpacked(package, folder)     -> Path        the whole zip unpacked into `folder`; returns `folder`

No test may change what these give without making it anew. `home=` names another folder of handler.py.
"""

import atexit
import os
import platform
import shutil
import sys
import tempfile
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from botkit.deploy import bots as bots_folder
from botkit.deploy.package import Laid, Package, Target, fill, finish, lay

ROOT = Path(__file__).parents[2]


def quiet(what: str, done: int, of: int) -> None:
    """Nobody watches."""


@cache
def target() -> Target:
    """What runs on this very machine."""
    major, minor, *_ = platform.libc_ver()[1].split(".")
    processor = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    return Target(f"{sys.version_info[0]}.{sys.version_info[1]}", processor, (int(major), int(minor)))


@cache
def dependencies() -> Laid:
    folder = Path(tempfile.mkdtemp(prefix="botkit-packages-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return lay(folder, ROOT, ROOT / "bots", target(), quiet)


def build_for(bots: Path, output: Path, home: Path = ROOT) -> Package:
    with tempfile.TemporaryDirectory(prefix="botkit-package-") as folder:
        return finish(_laid(Path(folder)), bots_folder.check(bots), home, bots, output, target(), quiet)


def unpack_for(bots: Path, folder: Path, home: Path = ROOT) -> Path:
    fill(_laid(folder), bots_folder.check(bots), home, bots, target(), quiet)
    return folder


def _laid(folder: Path) -> Laid:
    laid = dependencies()
    shutil.copytree(laid.folder, folder, copy_function=os.link, dirs_exist_ok=True)
    return replace(laid, folder=folder)


def unpacked(package: Package, folder: Path) -> Path:
    with zipfile.ZipFile(package.path) as archive:
        archive.extractall(folder)
    return folder
