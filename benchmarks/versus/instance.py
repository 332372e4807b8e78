"""One instance of Lambda: a process with a handler in it, which takes one event at a time."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Self

HOST = Path(__file__).parent / "host.py"
PATIENCE = 60
"""Seconds that an event may take."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host tells of one event (host.py). `age_ms` is how long ago the process was started."""

    response: Any
    wall_ms: float
    cpu_ms: float
    rest_cpu_ms: float
    all_cpu_ms: float
    init_ms: float
    age_ms: float
    rss_mb: float | None = None


class Instance:
    """Lives from its making until it is closed. Nothing but `folder` and the standard library is on its path."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        # Without the folder of the host, PYTHON* and site-packages (-I, -S); and as on Lambda no bytecode is written.
        python = os.path.realpath(sys.executable)
        command = [python, "-I", "-S", "-B", str(HOST), str(folder), "handler"]
        self._errors = TemporaryFile()  # noqa: SIM115  closed with the instance
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, env=environ, cwd="/"
        )

    def invoke(self, event: Mapping[str, Any], *, memory: bool = False) -> Answer:
        """Have the handler answer an event. Raises RuntimeError where it raises, or hangs."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({"event": event, "seconds": PATIENCE, "memory": memory}).encode() + b"\n"
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._failure() from error
        readable, _, _ = select.select([self._process.stdout], [], [], PATIENCE + 5)
        answered = self._process.stdout.readline() if readable else b""
        age = 1000 * (time.perf_counter() - self._began)
        if not answered:
            raise self._failure()
        return Answer(**json.loads(answered), age_ms=age)

    def _failure(self) -> RuntimeError:
        self._process.kill()
        self._process.wait()
        self._errors.seek(0)
        return RuntimeError("a handler failed:\n" + self._errors.read().decode("utf-8", "replace")[-4000:])

    def close(self) -> None:
        """End it, and wait until it is gone, so that its end costs nobody else's reading."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # it has ended by itself, which was told already
            self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
