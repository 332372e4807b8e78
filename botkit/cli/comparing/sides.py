"""The two sides that `botkit compare` plays the scenarios on: the bots here, and those of a revision or a folder."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Final

import botkit
from botkit.cli.comparing.revision import Unreachable, take_out
from botkit.cli.plan_sides import bots_within
from botkit.deploy.failures import local
from botkit.errors import DeployError, Problem

PATIENCE: Final = {"offline": 600, "live": 7200}
"""Seconds for all scenarios of both sides; real models may be slow, and own steps may do anything."""

_OURS: Final = Path(botkit.__file__).parent.parent


class Misfit(Exception):
    """Why two versions cannot be compared, in a sentence for people."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a bots folder; `called` is what people call it."""

    called: str
    folder: Path
    is_taken_out: bool = False

    def file_of(self, bot: str) -> str | None:
        """The name of a bot's file; None where there is no such bot."""
        return next((name for name in (f"{bot}.yaml", f"{bot}.yml") if (self.folder / name).is_file()), None)


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one side: its runs as `botkit test --json` shows them, or what is wrong with the bot's file."""

    runs: Sequence[Mapping[str, Any]] = ()
    problems: tuple[Problem, ...] = field(default=())


@contextmanager
def earlier(against: str, folder: Path, environ: Mapping[str, str]) -> Iterator[Version]:
    """The version that --against names: a folder, or else a revision of git, taken out for as long as it is needed.

    Raises Misfit.
    """
    with ExitStack() as stack:
        try:
            if against and Path(against).is_dir():
                yield Version(against, bots_within(Path(against), folder.resolve().name).resolve())
                return
            scratch = Path(stack.enter_context(TemporaryDirectory(prefix="botkit-")))
            version = Version(against, take_out(against, folder, scratch.resolve(), environ), is_taken_out=True)
        except (DeployError, Unreachable) as error:
            raise Misfit(str(error)) from None
        except OSError as error:
            raise Misfit(f"{against} cannot be had: {local(error)}") from None
        yield version


def played(request: Mapping[str, Any], bot: str, *versions: Version, environ: Mapping[str, str]) -> list[Played]:
    """Play the scenarios on each version, all at once, each in a process of its own. Raises DeployError.

    `request` is what `botkit.cli.comparing.side` is to do, less the folder and the bot's file.
    """
    with ExitStack() as stack:
        patience = PATIENCE[request["mode"]]
        until = monotonic() + patience
        sides = [stack.enter_context(_playing(version, request, bot, environ)) for version in versions]
        return [side.outcome(until, patience) for side in sides]


@dataclass(frozen=True, slots=True)
class _Side:
    version: Version
    process: subprocess.Popen[bytes]
    output: Path
    log: Path

    def outcome(self, until: float, patience: int) -> Played:
        """Wait for it, at most until then by the monotonic clock, for `patience` s in all. Raises DeployError."""
        try:
            code = self.process.wait(max(0.0, until - monotonic()))
        except subprocess.TimeoutExpired:
            why = f"the scenarios on {self.version.called} were not done after {patience // 60} minutes"
            raise DeployError(f"{why}; look what never ends in the bot's own steps, or play fewer: --only") from None
        try:
            found = json.loads(self._names_put_right(self.output.read_text("utf-8")))
        except (OSError, ValueError):
            raise DeployError(
                f"the scenarios could not be played on {self.version.called}: the process that plays them ended with "
                f"{code}{_last_words(self.log)}; look what the bot's own steps do"
            ) from None
        if "error" in found:
            raise DeployError(f"the scenarios could not be played on {self.version.called}: {found['error']}")
        return Played(found.get("runs", ()), tuple(Problem(**one) for one in found.get("problems", ())))

    def _names_put_right(self, text: str) -> str:
        """Its JSON with the files of a revision named as git names them: REVISION:bots/concierge.yaml."""
        if not self.version.is_taken_out:
            return text
        within, called = (json.dumps(f"{name}")[1:-1] for name in (self.version.folder.parent, self.version.called))
        return text.replace(f"{within}{os.sep}", f"{called}:")


@contextmanager
def _playing(version: Version, request: Mapping[str, Any], bot: str, environ: Mapping[str, str]) -> Iterator[_Side]:
    """A process that plays them; it is gone at the end, whatever happens."""
    whole = {**request, "folder": str(version.folder), "bot": version.file_of(bot)}
    # -P: a folder that happens to hold another botkit must not be taken for this one. -B: nothing is left behind.
    module = [sys.executable, "-P", "-B", "-m", "botkit.cli.comparing.side"]
    path = os.pathsep.join(filter(None, [str(_OURS), environ.get("PYTHONPATH")]))
    with TemporaryDirectory(prefix="botkit-") as scratch:
        output, log = Path(scratch, "runs.json"), Path(scratch, "log")
        with log.open("wb") as words, Path(scratch, "request").open("w+b") as asked:
            asked.write(json.dumps(whole).encode())
            asked.seek(0)
            try:
                process = subprocess.Popen(  # noqa: S603  this Python, and this module
                    [*module, str(output)],
                    env={**environ, "PYTHONPATH": path},
                    stdin=asked,
                    stdout=words,
                    stderr=words,
                )
            except OSError as error:
                raise DeployError(f"the scenarios cannot be played on {version.called}: {local(error)}") from None
        try:
            yield _Side(version, process, output, log)
        finally:
            process.kill()
            process.wait()


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f" ({last[:200]})" if last else ""
