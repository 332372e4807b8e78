"""Bytecode, so that a cold start compiles nothing: the same bytes wherever and whenever it is made."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from botkit.deploy.wheels import uv
from botkit.errors import DeployError

ROOT = "/var/task"
"""Where Lambda unpacks a zip (AWS Lambda developer guide, LAMBDA_TASK_ROOT): the paths that tracebacks show."""


def find_python(version: str) -> str | None:
    """A Python of this version (`3.13`): the one that runs, one on the PATH, or one that uv has installed.

    Bytecode is good for one version only. What is found is tried: a shim may stand for nothing.
    """
    return next((python for python in _candidates(version) if _answers(python, version)), None)


def _candidates(version: str) -> Iterator[str]:
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        yield sys.executable
    for folder in os.get_exec_path():
        if found := shutil.which(f"python{version}", path=folder):
            yield found
    command = (uv(), "python", "find", "--managed-python", "--no-python-downloads", version)
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return
    if result.returncode == 0:
        yield result.stdout.strip()


def _answers(python: str, version: str) -> bool:
    code = "import platform, sys; print(platform.python_implementation(), '%d.%d' % sys.version_info[:2])"
    try:
        result = subprocess.run(  # noqa: S603  an interpreter, with code of our own
            [python, "-E", "-s", "-S", "-c", code], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.stdout.split() == ["CPython", version]


def compile_tree(python: str, folder: Path, below: str = "") -> tuple[str, ...]:
    """Compile every module in `folder`, or in its subfolder `below`; returns what is wrong, one text for each file.

    The bytecode is never compared with its source (PEP 552, unchecked): on Lambda neither changes, and the
    sources' times are not kept.
    """
    at = folder / below
    options = ("-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", ROOT)
    result = subprocess.run(  # noqa: S603  an interpreter, with its own compileall
        [python, "-E", "-s", "-S", "-W", "ignore", "-m", "compileall", *options, str(at)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    faults = tuple(_faults(result.stdout, folder))
    if result.returncode and not faults:
        raise DeployError(f"{python} cannot compile: {result.stderr.strip()[-300:]}; package with another --python")
    return faults


def _faults(said: str, folder: Path) -> Iterator[str]:
    for report in said.split("*** ")[1:]:
        name = re.search(r"'([^'\n]*)'", report)
        line = re.search(r"\bline (\d+)", report)
        reason = report.strip().splitlines()[-1].strip()
        where = name[1].removeprefix(f"{folder}/").removeprefix(f"{ROOT}/") if name else ""
        yield f"{where}:{line[1]}: {reason}" if line else f"{where}: {reason}"
