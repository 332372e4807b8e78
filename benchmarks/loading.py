"""How long loading bot files takes, cold, and what the worst refused files cost.

    .venv/bin/python benchmarks/loading.py

Every row is the median of fresh processes. `import` is what Python and the libraries take before the
first file is looked at; "the one called" is what a Lambda's cold start pays for its bots.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

RUNS = 7
BOT = """\
description: bot {n}
timezone: Asia/Tokyo
persona: |
  You are bot {n}, the concierge of a small inn. Answer {{{{ user.name }}}} briefly.
  It is {{{{ now }}}}.
model: {{name: gpt-4.1-mini, temperature: 0.5}}
history: {{window: 12, keep: 24h}}
reply: {{quick_replies: [Check-in, Breakfast, Call a human]}}
line: {{channel_secret: env:SECRET_{n}, channel_access_token: env:TOKEN_{n}}}
"""
MEASURE = """
import json, resource, sys, time
began = time.perf_counter()
from botkit.spec.shelf import Shelf
from pathlib import Path
imported = time.perf_counter()
shelf = Shelf(Path(sys.argv[1]))
found = len(shelf.all()) if sys.argv[2] == "all" else shelf.find(sys.argv[2]) is not None
loaded = time.perf_counter()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([1000 * (imported - began), 1000 * (loaded - imported), peak, found]))
"""
REFUSED = {
    "256 KB of [": "[" * 256 * 1024,
    "256 KB of one key": "a: b\n" * 52_000,
    "256 KB of unknown keys": "".join(f"k{n}: v\n" for n in range(24_000)),
    "a wide list": "persona: hi\nmodel: m\nreply: {quick_replies: [" + "a, " * 80_000 + "a]}\n",
    "aliases of aliases": "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 200)),
    "a loop in a loop": "persona: '" + "{% for a in range(4000) %}" * 8 + "x" + "{% endfor %}" * 8 + "'\nmodel: m\n",
    "a macro calling itself twice": "persona: '{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}'\nmodel: m\n",
    "the longest expression, then a mistake": "persona: '{{ "
    + " ~ ".join(["user.name"] * 700)
    + " ~ x }}'\nmodel: m\n",
    "a long expression": "persona: '{{ " + " ~ ".join(["user.name"] * 15_000) + " }}'\nmodel: m\n",
}


def measure(folder: Path, which: str) -> tuple[float, float, float]:
    """Medians over fresh processes: ms to import, ms to load, peak MB."""
    command = [sys.executable, "-c", MEASURE, str(folder), which]
    rows = [json.loads(subprocess.check_output(command, stderr=subprocess.DEVNULL)) for _ in range(RUNS)]
    imported, loaded, peak = (statistics.median(row[column] for row in rows) for column in range(3))
    return imported, loaded, peak


def table(title: str, *columns: str) -> Table:
    """A table whose numbers stand under one another."""
    made = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number == 0 else "right")
    return made


def good_files(folder: Path) -> Table:
    """One, a hundred and a thousand good bots; all of them, and the one called."""
    made = table("Loading good files", "bots", "import ms", "all: ms", "all: MB", "the one called: ms", "MB")
    for number in (1, 100, 1000):
        bots = folder / f"bots{number}"
        bots.mkdir()
        for n in range(number):
            (bots / f"bot{n}.yaml").write_text(BOT.format(n=n))
        imported, everything, peak = measure(bots, "all")
        _, one, small = measure(bots, "bot0")
        made.add_row(f"{number:,}", *(f"{value:.0f}" for value in (imported, everything, peak, one, small)))
    return made


def refused_files(folder: Path) -> Table:
    """What hostile files cost before they are refused; the MB are those beyond a good file's."""
    made = table("Refusing bad files", "file", "ms", "MB more")
    (folder / "good").mkdir()
    (folder / "good" / "bot.yaml").write_text(BOT.format(n=1))
    _, _, base = measure(folder / "good", "bot")
    for number, (name, text) in enumerate(REFUSED.items()):
        bots = folder / f"bad{number}"
        bots.mkdir()
        (bots / "bot.yaml").write_text(text)
        _, loaded, peak = measure(bots, "bot")
        made.add_row(name, f"{loaded:.0f}", f"{peak - base:.0f}")
    return made


def main() -> None:
    """Measure and print."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        console.print(good_files(Path(folder)))
        console.print(refused_files(Path(folder)))


if __name__ == "__main__":
    main()
