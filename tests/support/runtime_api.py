"""A Lambda function as AWS runs it: its package, awslambdaric as in /var/runtime, and a Runtime API of our own.

The process sees its package, the runtime and the standard library, and nothing else. It takes one event
after the other, is killed at its deadline, and is frozen in between (AWS Lambda developer guide: "Using the
Lambda runtime API", "Understanding the Lambda execution environment lifecycle").
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import uuid
import venv
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import files
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

from tests.support.aws import CREDENTIALS

NAME = "botkit-proof"
REGION = CREDENTIALS["AWS_DEFAULT_REGION"]
ARN = f"arn:aws:lambda:{REGION}:123456789012:function:{NAME}"
API = "/2018-06-01/runtime"
PATIENCE = 60.0
RUNTIME = ("awslambdaric", "snapshot-restore-py", "simplejson")
"""What Lambda has in /var/runtime: its runtime and what that needs."""


class FunctionFailed(Exception):
    """The runtime has posted an error; `posted` is what it has posted."""

    def __init__(self, posted: Mapping[str, Any]) -> None:
        super().__init__(f"{posted['errorType']}: {posted['errorMessage']}")
        self.posted = posted


class TimedOut(Exception):
    """The deadline has come, and the process was killed."""


class Died(Exception):
    """The process has ended in the middle of an invocation, or before the first."""


@dataclass
class Home:
    """What is on a Lambda machine: the package, the runtime, and a Python that has nothing besides."""

    task: Path
    runtime: Path
    python: Path
    as_unpacked: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def library(self) -> Path:
        """The standard library's folder."""
        return Path(sysconfig.get_path("stdlib"))

    def command(self) -> list[str]:
        """How Lambda's own images start a function."""
        return [str(self.python), "-m", "awslambdaric", "handler.handler"]

    def environ(self, extra: Mapping[str, str]) -> dict[str, str]:
        """Lambda's environment, and `extra` (developer guide: "Defined runtime environment variables"). No HOME."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_LAMBDA_FUNCTION_NAME": NAME,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{NAME}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
            "LAMBDA_TASK_ROOT": str(self.task),
            "LAMBDA_RUNTIME_DIR": str(self.runtime),
            "_HANDLER": "handler.handler",
            "TZ": ":UTC",
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": f"{self.task}:{self.runtime}",
            **extra,
        }

    def snapshot(self) -> dict[str, tuple[int, int]]:
        """Every file of the package: its size, and when it was written."""
        found = {str(path.relative_to(self.task)): path.stat() for path in self.task.rglob("*") if path.is_file()}
        return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in found.items()}


@contextmanager
def home(package: Path, folder: Path) -> Iterator[Home]:
    """A Lambda machine in `folder`, where a package (a zip) is unpacked.

    Its task folder cannot be written to (but root can: compare `snapshot`s).
    """
    made = Home(folder / "task", folder / "runtime", folder / "lang" / "bin" / "python")
    with zipfile.ZipFile(package) as content:
        content.extractall(made.task)
    made.runtime.mkdir()
    for name in RUNTIME:
        for file in files(name) or ():
            if file.suffix in (".py", ".so") and ".." not in file.parts:
                place = made.runtime / file
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), place)
    venv.create(folder / "lang", symlinks=True)
    made.as_unpacked = made.snapshot()
    folders = [path for path in (made.task, *made.task.rglob("*")) if path.is_dir()]
    for path in folders:
        path.chmod(0o555)
    try:
        yield made
    finally:
        for path in folders:
            path.chmod(0o755)


@dataclass
class Invocation:
    """One event on its way through the process."""

    event: Any
    deadline: float  # seconds since 1970
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    done: Event = field(default_factory=Event)
    answer: Any = None
    error: Mapping[str, Any] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What the Runtime API says of it."""
        return {
            "Lambda-Runtime-Aws-Request-Id": self.id,
            "Lambda-Runtime-Deadline-Ms": str(int(self.deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": f"Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent={self.id[-16:]};Sampled=0",
            "Content-Type": "application/json",
        }


class RuntimeApi(ThreadingHTTPServer):
    """Lambda's Runtime API for one process after the other; lives as long as its function."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Calls)
        self.waiting: SimpleQueue[Invocation | None] = SimpleQueue()
        self.running: dict[str, Invocation] = {}
        self.ready = Event()
        self.init_error: Mapping[str, Any] | None = None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A process that was killed has broken off what it was at; anything else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def address(self) -> str:
        """As AWS_LAMBDA_RUNTIME_API has it."""
        return f"127.0.0.1:{self.server_port}"


class _Calls(BaseHTTPRequestHandler):
    server: RuntimeApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path != f"{API}/invocation/next":
            return self._send(404, b"{}")
        self.server.ready.set()
        invocation = self.server.waiting.get()
        if invocation is None:  # the process has ended, and with it the call
            self.close_connection = True
            return None
        self.server.running[invocation.id] = invocation
        return self._send(200, json.dumps(invocation.event).encode(), invocation.headers)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        what = self.path.removeprefix(API + "/").split("/")
        if what == ["init", "error"]:
            self.server.init_error = body
            self.server.ready.set()
            return self._send(202, b'{"status": "OK"}')
        if len(what) != 3 or what[0] != "invocation" or what[1] not in self.server.running:
            return self._send(400, b'{"errorMessage": "Invalid request ID"}')
        invocation = self.server.running.pop(what[1])
        if what[2] == "response":
            invocation.answer = body
        else:
            invocation.error = body
        self._send(202, b'{"status": "OK"}')
        invocation.done.set()
        return None

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        with suppress(OSError):  # a process that was killed takes no answer
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | dict(headers or {})).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing is written."""


class Function:
    """A function with at most one process, as its caller sees it. A process that has died is followed by a new one."""

    def __init__(self, home: Home, environ: Mapping[str, str], logs: Path, most: int | None) -> None:
        self._home = home
        self._environ = environ
        self._logs = logs
        self._most = most
        self._api = RuntimeApi()
        self._process: subprocess.Popen[bytes] | None = None
        self.request_ids: list[str] = []
        self._server = Thread(target=self._api.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._server.start()
        logs.mkdir(parents=True)

    def __call__(self, event: Any, seconds: float = 60) -> Any:
        """One invocation, which has so many seconds.

        Raises FunctionFailed for an error of the handler's, TimedOut and Died. Frozen before and after.
        """
        return self.finish(self.begin(event, seconds))

    def begin(self, event: Any, seconds: float = 60) -> Invocation:
        """Hand over an event; a process is started or thawed for it."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        self._signal(signal.SIGCONT)
        invocation = Invocation(event, time.time() + seconds)
        self.request_ids.append(invocation.id)
        self._api.waiting.put(invocation)
        return invocation

    def finish(self, invocation: Invocation) -> Any:
        """Wait for what becomes of an event that was handed over."""
        while not invocation.done.wait(0.02):
            if self._process is None or self._process.poll() is not None:
                raise Died(self.told())
            if time.time() > invocation.deadline:
                self.kill()
                raise TimedOut(self.told())
            if self._most and self.memory > self._most:
                self.kill()
        self._signal(signal.SIGSTOP)
        if invocation.error is not None:
            raise FunctionFailed(invocation.error)
        return invocation.answer

    def kill(self) -> None:
        """As a machine dies, or as memory runs out: no handler runs, no file is closed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End it."""
        self.kill()
        self._api.waiting.put(None)
        self._api.shutdown()
        self._api.server_close()
        self._server.join()

    @property
    def memory(self) -> int:
        """The most memory that the process has had, in bytes."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    @property
    def stdout(self) -> str:
        """What its processes have written so far, which on Lambda goes to CloudWatch."""
        return (self._logs / "stdout").read_text("utf-8")

    @property
    def stderr(self) -> str:
        """The same of stderr, which goes there, too."""
        return (self._logs / "stderr").read_text("utf-8")

    def told(self) -> str:
        """All that they have said, for a test that waits in vain."""
        return f"{self.stdout}\n{self.stderr[-3000:]}"

    def _start(self) -> None:
        self._api.waiting.put(None)  # for the thread that still waits in the name of the process before, if one does
        self._api.waiting = SimpleQueue()
        self._api.ready.clear()
        self._api.init_error = None
        environ = self._home.environ({"AWS_LAMBDA_RUNTIME_API": self._api.address, **self._environ})
        with (self._logs / "stdout").open("ab") as out, (self._logs / "stderr").open("ab") as err:
            self._process = subprocess.Popen(
                self._home.command(), env=environ, cwd=self._home.task, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )
        give_up = time.monotonic() + PATIENCE
        while not self._api.ready.wait(0.01):
            if self._process.poll() is not None or time.monotonic() > give_up:
                raise Died(self.told())
        if self._api.init_error is not None:
            self._process.wait(PATIENCE)
            raise FunctionFailed(self._api.init_error)

    def _signal(self, which: int) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, which)


@contextmanager
def function(home: Home, environ: Mapping[str, str], logs: Path, memory: int | None = None) -> Iterator[Function]:
    """A function of this machine; `environ` is what its owner has set, `logs` a new folder for what it says.

    A process that takes more than so many bytes of memory in an invocation is killed.
    """
    made = Function(home, environ, logs, memory)
    try:
        yield made
    finally:
        made.close()
