"""Stands for Lambda: imports a handler from a task folder, and calls it with each event that comes on stdin.

    python -I -S -B host.py FOLDER MODULE

Of the standard library it imports what Lambda's own runtime has imported as well, and as little as it can. Each
line of stdin is `{"event": …, "seconds": S, "memory": bool}`: the invocation ends in S seconds at most, and memory is
read where asked for, since that takes time. Each line of stdout is what came of it; see `_answer`.
"""

from __future__ import annotations

import json
import os
import sys
import time

TYPE_CHECKING = False  # as typing has it, which is not imported here: a handler is to pay for that itself
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Context:
    """What Lambda tells a handler of one invocation."""

    def __init__(self, number: int, seconds: float) -> None:
        self.aws_request_id = f"00000000-0000-4000-8000-{number:012d}"
        self.function_name = "bench"
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would end this invocation."""
        return max(0, int((self._end - time.monotonic()) * 1000))


def main(folder: str, module: str) -> None:
    """Answer events until stdin ends."""
    # What the handler prints goes nowhere, as fast as to Lambda's own pipe; the real stdout is for readings alone.
    readings = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.chdir(folder)
    sys.path.insert(0, folder)
    began = time.perf_counter()
    handler = __import__(module).handler
    init = {"init_ms": 1000 * (time.perf_counter() - began)}
    rested = time.process_time()
    for number, line in enumerate(sys.stdin):
        asked = json.loads(line)
        answer, rested = _answer(handler, asked, number, rested)
        memory = _memory() if asked.get("memory") else {}
        readings.write(json.dumps({**answer, **memory, **init}) + "\n")
        readings.flush()


def _answer(
    handler: Callable[..., Any], asked: dict[str, Any], number: int, rested: float
) -> tuple[dict[str, Any], float]:
    """The response, what it took in ms of the clock and of all threads' CPU, and the CPU's time at its end.

    `rest_cpu_ms` is what was spent since the last answer: the host's own JSON, and what a handler left running.
    `all_cpu_ms` is what the process has spent since it was started.
    """
    context = Context(number, asked.get("seconds", 60))
    cpu, wall = time.process_time(), time.perf_counter()
    response = handler(asked["event"], context)
    wall_ms = 1000 * (time.perf_counter() - wall)
    spent = time.process_time()
    answer = {
        "response": response,
        "wall_ms": wall_ms,
        "cpu_ms": 1000 * (spent - cpu),
        "rest_cpu_ms": 1000 * (cpu - rested),
        "all_cpu_ms": 1000 * spent,
    }
    return answer, spent


def _memory() -> dict[str, float]:
    """Resident memory in MB."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        sizes = dict(line.split(":", 1) for line in status)
    return {"rss_mb": int(sizes["VmRSS"].split()[0]) * 1024 / 1e6}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
