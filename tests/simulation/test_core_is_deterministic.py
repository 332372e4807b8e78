"""The core takes time, ids and randomness from the ports only: else a seed would not be a run."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = [
    *sorted((ROOT / "botkit" / "delivery").glob("*.py")),
    *sorted((ROOT / "botkit" / "steps").glob("*.py")),
    ROOT / "botkit" / "turn.py",
    ROOT / "botkit" / "pipeline.py",
]
MODULES = {"time", "random", "secrets", "threading", "asyncio", "multiprocessing"}
"""Not to be imported at all."""
USES = {"now", "utcnow", "today", "uuid1", "uuid4", "urandom", "getrandbits", "monotonic", "perf_counter"}
"""Not to be used of `datetime`, `date`, `uuid` and `os`, under whatever name."""
OWNERS = {"datetime", "date", "uuid", "os", "dt"}


def faults(source: str) -> list[str]:
    """What a module takes from the machine that only a port may give."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or "").partition(".")[0]
            found += [node.module or ""] if module in MODULES else []
            found += [alias.name for alias in node.names if module in OWNERS and alias.name in USES]
        elif isinstance(node, ast.Attribute) and node.attr in USES:
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            found += [f"{name}.{node.attr}"] if name in OWNERS else []
    return found


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_asks_only_the_ports_for_time_ids_and_chance(path: Path) -> None:
    assert faults(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import time", ["time"]),
        ("from time import sleep", ["time"]),
        ("import random as dice", ["random"]),
        ("from secrets import token_hex", ["secrets"]),
        ("from threading import Timer", ["threading"]),
        ("from uuid import uuid4", ["uuid4"]),
        ("from os import urandom", ["urandom"]),
        ("import uuid\nuuid.uuid1()", ["uuid.uuid1"]),
        ("import datetime\ndatetime.datetime.now()", ["datetime.now"]),
        ("from datetime import date\ndate.today()", ["date.today"]),
        ("from uuid import NAMESPACE_URL, uuid5\nuuid5(NAMESPACE_URL, 'a')", []),
        ("from datetime import datetime\ndatetime.fromtimestamp(clock.now() / 1000)", []),
    ],
)
def test_what_it_must_not_do_is_found(source: str, found: list[str]) -> None:
    assert faults(source) == found
