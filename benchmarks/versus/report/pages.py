"""Writes docs/performance.json, .svg and the generated parts of .md: all of them are made of that JSON alone."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from benchmarks.versus.readings import Reading, Run, Series
from benchmarks.versus.report.aims import aims
from benchmarks.versus.report.plot import plot
from benchmarks.versus.report.sheets import Sheet, sheets

NAME = "performance"
DIGITS = 2
"""Of the ms and MB that are kept; more are noise."""

_BLOCK = re.compile(r"(<!-- begin: generated (?P<name>[^>]+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def write(folder: Path, run: Run) -> None:
    """Put a whole run into the three files of docs; the prose in performance.md stays. Raises ValueError as `fill`."""
    text, page = to_json(run), folder / f"{NAME}.md"
    (folder / f"{NAME}.json").write_text(text, "utf-8")
    kept = Run.from_json(text)
    (folder / f"{NAME}.svg").write_text(plot(kept), "utf-8")
    page.write_text(fill(page.read_text("utf-8"), blocks(kept)), "utf-8")


# ---------------------------------------------------------------- JSON


def to_json(run: Run) -> str:
    """A run and its ratios, short: rounded, and a line for each reading."""
    kept = replace(run, readings=tuple(map(_rounded, run.readings)))
    told = json.loads(kept.to_json())
    readings = ",\n".join(_short(_counted(one)) for one in told.pop("readings"))
    ratios = {one.name: {"is": round(one.ratio, 3), "at_most": one.most} for one in aims(kept)}
    head = "".join(f'"{name}": {_short(value)},\n' for name, value in (told | {"aims": ratios}).items())
    return f'{{\n{head}"readings": [\n{readings}\n]\n}}\n'


def _rounded(reading: Reading) -> Reading:
    """Each series, to the digits that are kept."""
    return replace(
        reading,
        wall_ms=_short_values(reading.wall_ms),
        cpu_ms=_short_values(reading.cpu_ms),
        rest_cpu_ms=_short_values(reading.rest_cpu_ms),
        init_ms=_short_values(reading.init_ms),
        memory_mb=_short_values(reading.memory_mb),
    )


def _short_values(series: Series) -> Series:
    return Series(tuple(round(value, DIGITS) for value in series.values))


def _counted(told: dict[str, object]) -> dict[str, object]:
    """A reading, each of its series with the number of its values."""
    return {
        name: {"n": len(value["values"]), **value} if isinstance(value, dict) and "values" in value else value
        for name, value in told.items()
    }


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# ---------------------------------------------------------------- Markdown


def blocks(run: Run) -> dict[str, str]:
    """The generated parts of the page, by name."""
    return {"run": _told(run), **{name: _markdown(sheet) for name, sheet in sheets(run).items()}}


def fill(page: str, parts: Mapping[str, str]) -> str:
    """The page with each part between its markers, `<!-- begin: generated NAME -->` and `<!-- end -->`.

    Raises ValueError where a part has no place or two, or a place no part: nothing measured is to be missed.
    """
    places = [found["name"] for found in _BLOCK.finditer(page)]
    if sorted(places) != sorted(parts):
        raise ValueError(f"the page has places for {', '.join(sorted(places))}; there are {', '.join(sorted(parts))}")
    return _BLOCK.sub(lambda found: f"{found[1]}{parts[found['name']]}\n{found[3]}", page)


def _told(run: Run) -> str:
    made = datetime.fromisoformat(run.made_at)
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    return (
        f"The run of {made.day} {made:%B %Y}, {made:%H:%M} UTC: {run.machine}, {run.cores} processors, "
        f"Python {run.python}, {run.rounds} rounds; {versions}."
    )


def _markdown(sheet: Sheet) -> str:
    rules = ["---", *["--:"] * (len(sheet.columns) - 1)]
    lines = [f"| {' | '.join(cells)} |" for cells in (sheet.columns, rules, *sheet.rows)]
    return "\n".join([*([sheet.note, ""] if sheet.note else []), *lines])
