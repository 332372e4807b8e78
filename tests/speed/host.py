"""Stands for Lambda: calls a handler with each event that comes on stdin, and tells what this has set in motion.

    python -I -S -B host.py FOLDER

Each line of stdout is what has happened since the line before; the first one tells of the start.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
from collections import Counter
from types import FrameType
from typing import Any

called: list[str] = []
opened: list[str] = []


class Context:
    """What Lambda tells a handler of an invocation."""

    aws_request_id = "00000000-0000-4000-8000-000000000000"
    function_name = "speed"

    def get_remaining_time_in_millis(self) -> int:
        """Time enough."""
        return 60_000


def main(folder: str) -> None:
    """Answer events until stdin ends."""
    # What the handler prints goes nowhere; the real stdout is for what is told alone.
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.addaudithook(_on_audit)
    threading.setprofile(_on_profile)  # threads that begin now are to be seen as well
    sys.setprofile(_on_profile)
    handler = __import__("handler").handler
    _tell(told, None)
    for line in sys.stdin:
        event = json.loads(line)
        called.clear()
        opened.clear()
        _tell(told, handler(event, Context()))


def _on_profile(frame: FrameType, what: str, _argument: object) -> None:
    if what == "call":  # a function that is written in Python; `c_call` would be one that is not
        called.append(f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}")


def _on_audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        opened.append(str(arguments[0]))


def _tell(told: Any, response: object) -> None:
    calls, files = Counter(called), list(opened)  # at once, since what follows calls and opens as well
    state = {"frozen": gc.get_freeze_count(), "watched": len(gc.get_objects()), "collects": gc.isenabled()}
    said = {"response": response, "calls": calls, "opened": files, "modules": sorted(sys.modules), **state}
    told.write(json.dumps(said) + "\n")
    told.flush()


if __name__ == "__main__":
    main(sys.argv[1])
