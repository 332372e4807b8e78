"""How long `botkit test` takes for many scripted scenarios, from the start of the command to its end.

    .venv/bin/python benchmarks/scenarios.py

Each row is the median of some runs of the command.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

RUNS = 3
SCENARIOS, TURNS = 200, 4
TARGET = 10.0
"""Seconds for all of them on two cores."""

BOT = """\
timezone: Asia/Tokyo
persona: |
  You are the concierge of a small inn, for {{ user.name }}. It is {{ now }}.
model: gpt-4.1-mini
history: {window: 12}
"""
TURN = """\
    - hana: What about question {turn} of scenario {number}?
      model: This is the answer to question {turn}, and it is not a long one.
      expect: {{contains: answer to question {turn}, via: reply, messages: 1, prompt_has: small inn}}
"""


def scenarios(number: int) -> str:
    """A test file of so many scenarios."""
    turns = ["".join(TURN.format(number=one, turn=turn) for turn in range(1, TURNS + 1)) for one in range(number)]
    return "".join(f"- name: scenario {one}\n  turns:\n{text}" for one, text in enumerate(turns))


def seconds(folder: Path, *arguments: str) -> float:
    """The median of what the command takes."""
    command = [sys.executable, "-m", "botkit", "test", *arguments]
    environ = {**os.environ, "BOTKIT_BOTS": str(folder / "bots")}
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run(command, cwd=folder, env=environ, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    console, rows = Console(), Table(title=f"botkit test, scenarios of {TURNS} turns", title_justify="left")
    for column in ("scenarios", "jobs", "s", "ms a turn"):
        rows.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "bots").mkdir()
        (folder / "bots" / "inn.yaml").write_text(BOT, "utf-8")
        for number, jobs in ((1, 1), (40, 1), (40, 2), (SCENARIOS, 1), (SCENARIOS, 2)):
            (folder / "bots" / "inn.test.yaml").write_text(scenarios(number), "utf-8")
            taken = seconds(folder, "--jobs", str(jobs))
            rows.add_row(str(number), str(jobs), f"{taken:.1f}", f"{1000 * taken / number / TURNS:.1f}")
    console.print(rows)
    console.print(f"{SCENARIOS} of them took {taken:.1f} s; the aim is {TARGET:.0f} s on two cores")


if __name__ == "__main__":
    main()
