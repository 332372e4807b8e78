"""botkit's two functions in processes that tell what each event has set in motion; nothing here is timed."""

import json
import os
import select
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.versus.contestants import Contestant, Role, environ
from benchmarks.versus.events import batch
from benchmarks.versus.seeds import seeds
from benchmarks.versus.servers import World

HOST = Path(__file__).with_name("host.py")
PATIENCE = 60
"""Seconds after which a process that tells nothing is taken to hang."""
NO_CALLS = (".bytes_in", ".bytes_out", ".connections")
Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What one event, or the start, has set in motion in its process (host.py).

    `calls` are those of functions written in Python by their names, in all threads, and `opened` the files. `modules`
    is all that was imported so far. The garbage collector leaves `frozen` objects alone, and looks through `watched`.
    """

    response: Any
    calls: dict[str, int]
    opened: list[str]
    modules: list[str]
    frozen: int
    watched: int
    collects: bool


class Process:
    """An instance of a function; lives until it is closed. Nothing but `folder` and the standard library is on its path.

    `start` is what was set in motion before the first event.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        command = [os.path.realpath(sys.executable), "-I", "-S", "-B", str(HOST), str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, cwd="/")
        self.start = self._told()

    def invoke(self, event: Event) -> Told:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(event).encode() + b"\n")
        self._process.stdin.flush()
        return self._told()

    def _told(self) -> Told:
        assert self._process.stdout is not None
        is_there, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        line = self._process.stdout.readline() if is_there else b""
        if not line:
            self.close()
            raise RuntimeError("the handler has failed, or hangs; what it has printed is on stderr")
        return Told(**json.loads(line))

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass(frozen=True, slots=True)
class Service:
    """A door and a worker, each in a process of its own."""

    world: World
    door: Process
    worker: Process

    def serve(self, *events: Event) -> tuple[Told, Told]:
        """Have webhooks accepted, and then all of them answered at once; what the last door and the worker tell."""
        for event in events:
            door = self.door.invoke(event)
            assert door.response["statusCode"] == 200, door.response
        worker = self.worker.invoke(batch(self.world.take(10)))
        assert worker.response == {"batchItemFailures": []}, worker.response
        return door, worker

    def remember(self, user_id: str, messages: int) -> None:
        """Have so many messages stored of what this person and the bot have said."""
        self.world.seed(seeds(Contestant("botkit", HOST, queued=True), user_id, messages))

    def requests(self, *events: Event) -> Counter[str]:
        """How often they have each operation of AWS, LINE and the model called."""
        before = Counter(self.world.counts())
        self.serve(*events)
        calls = Counter(self.world.counts()) - before
        return Counter({name: calls[name] for name in calls if not name.endswith(NO_CALLS)})


@dataclass(frozen=True, slots=True)
class Town:
    """LINE, a model, a table and a queue, and what can be deployed among them; lives as long as its module."""

    world: World
    package: Callable[[int], Path]
    stack: ExitStack

    def process(self, role: Role, bots: int = 1) -> Process:
        """A new instance of the function that has this part, with so many bots in its package."""
        deployed = Contestant("botkit", self.package(bots), queued=True)
        process = Process(deployed.folder, environ(deployed, self.world, role))
        self.stack.callback(process.close)
        return process

    def service(self) -> Service:
        """A new instance of each function."""
        return Service(self.world, self.process("door"), self.process("worker"))
