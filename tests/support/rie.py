"""AWS's own Lambda runtime interface emulator around a package: it starts the runtime, keeps its time, and kills it."""

import http.client
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.aws import free_port
from tests.support.runtime_api import Home

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
INVOCATIONS = "/2015-03-31/functions/function/invocations"


def emulator() -> Path | None:
    """The emulator's program, as aws-sam-cli brings it; None where it is not installed or not for this processor."""
    if platform.machine() != "x86_64":
        return None
    found = sorted(ROOT.glob(".venv*/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64"))
    on_path = shutil.which("aws-lambda-rie")
    return found[0] if found else Path(on_path) if on_path else None


class Emulator:
    """A function in the emulator; it starts the process at the first event, and a new one where that has died."""

    def __init__(self, port: int, process: "subprocess.Popen[bytes]", logs: Path) -> None:
        self._port = port
        self._process = process
        self._logs = logs

    def __call__(self, event: Any) -> Any:
        """One invocation: what the function has answered, or the error that the emulator tells."""
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)) as connection:
            connection.request("POST", INVOCATIONS, json.dumps(event))
            said = connection.getresponse().read().decode()
        try:
            return json.loads(said)
        except ValueError:
            return said

    def kill_runtime(self) -> None:
        """As memory runs out: the process of the function is gone, and the emulator is not asked."""
        for pid in self._children():
            os.kill(pid, signal.SIGKILL)

    def _children(self) -> list[int]:
        """The processes that the emulator has started."""
        status = [path / "status" for path in Path("/proc").iterdir() if path.name.isdigit()]
        return [int(path.parent.name) for path in status if _parent(path) == self._process.pid]

    def close(self) -> None:
        """End it, and the function's process."""
        children = self._children()
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in children:  # each has a session of its own, and outlives an emulator that was killed
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def told(self) -> str:
        """What all of them have written."""
        return self._logs.read_text("utf-8", "replace")


def _parent(status: Path) -> int:
    with suppress(OSError):
        return int(re.findall(r"^PPid:\s*(\d+)$", status.read_text(), re.M)[0])
    return 0


@contextmanager
def emulated(program: Path, home: Home, environ: Mapping[str, str], seconds: int, logs: Path) -> Iterator[Emulator]:
    """A function whose invocations have so many seconds, in an emulator on 127.0.0.1; `logs` is a new file."""
    port, api = free_port(), free_port()
    command = [
        str(program),
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{api}"),
        *("--log-level", "error"),
        *home.command(),
    ]
    environment = home.environ({**environ, "AWS_LAMBDA_FUNCTION_TIMEOUT": str(seconds)})
    with logs.open("wb") as out:
        process = subprocess.Popen(
            command, env=environment, cwd=home.task, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    made = Emulator(port, process, logs)
    try:
        _wait_until_up(port, made)
        yield made
    finally:
        made.close()


def _wait_until_up(port: int, made: Emulator) -> None:
    give_up = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError), closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
            connection.connect()
            return
        if time.monotonic() > give_up:
            raise RuntimeError(f"the emulator did not start:\n{made.told()}")
        time.sleep(0.05)
