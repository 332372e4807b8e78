"""What was measured, as tables of text, which a terminal and a page show alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.versus.readings import Kind, Part, Reading, Run, Series, Setting
from benchmarks.versus.report.aims import SETTINGS, aims, cpu, memory, over, wall


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: the first column says what a row is of, the others are numbers. `note` says how many were read."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def sheets(run: Run) -> dict[str, Sheet]:
    """All tables of which something was measured, by the names under which a page has them."""
    made = {
        "cold": _cold(run),
        **{f"warm, {setting}": _warm(run, setting) for setting in SETTINGS},
        "calls": _calls(run),
        "history": _sizes(run, "history", "event", "event", "By stored messages: an event, warm"),
        "bots": _sizes(run, "bots", "door", "start", "By bots: a door's cold start"),
        "batch": _sizes(run, "batch", "worker", "invocation", "By conversations in a batch: a worker, warm"),
        "packages": _packages(run),
        "aims": _aims(run),
    }
    return {name: sheet for name, sheet in made.items() if sheet.rows}


# ---------------------------------------------------------------- words and numbers


def _name(reading: Reading, run: Run) -> str:
    key = reading.key
    if key.together:
        return f"{key.contestant} in one process"
    is_parted = run.find(key.kind, key.contestant, "door", key.setting, key.size) is not None
    return f"{key.contestant} {'both' if key.part == 'event' else key.part}" if is_parted else key.contestant


def share(one: float | None, other: float | None) -> str:
    """A quotient as it is shown; nothing where one of the two is missing."""
    ratio = over(one, other)
    return "" if ratio is None else f"{ratio:.2f}"


def _note(series: Sequence[Series], what: str) -> str:
    """How many values a row is made of, at least."""
    number = min((len(one.values) for one in series), default=0)
    return f"{number} {what}{'' if number == 1 else 's'} each." if series else ""


# ---------------------------------------------------------------- what an event takes


def _cold(run: Run) -> Sheet:
    base, found = run.find("cold", "plain"), [one for one in run.readings if one.key.kind == "cold"]
    columns = ("", "p50 ms", "p99 ms", "÷ plain", "INIT ms", "CPU ms", "÷ plain", "MB", "÷ plain")
    rows = tuple((_name(one, run), *_cold_cells(one, base)) for one in found)
    return Sheet("Cold: from the start of the process", columns, rows, _note([one.wall_ms for one in found], "start"))


def _cold_cells(reading: Reading, base: Reading | None) -> Iterator[str]:
    yield from (f"{reading.wall_ms.p50:,.0f}", f"{reading.wall_ms.p99:,.0f}", share(wall(reading), wall(base)))
    yield f"{reading.init_ms.p50:,.0f}"
    yield from (f"{reading.cpu_ms.p50:,.0f}", share(cpu(reading), cpu(base)))
    yield from (f"{reading.memory_mb.last:.0f}", share(memory(reading), memory(base)))


def _warm(run: Run, setting: Setting) -> Sheet:
    plain, tuned = (run.find("warm", name, setting=setting) for name in ("plain", "tuned"))
    found = [one for one in run.readings if one.key.kind == "warm" and one.key.setting == setting]
    shown = [one for one in found if one.key.part == "event" or not one.key.together]
    columns = ("p50 ms", "p99 ms", "÷ plain", "CPU p50", "CPU p99", "÷ plain", "÷ tuned", "between", "MB", "÷ plain")
    rows = tuple((_name(one, run), *_warm_cells(one, plain, tuned)) for one in shown)
    note = _note([one.wall_ms for one in shown], "event")
    return Sheet(f"Warm: an event, {SETTINGS[setting]}", ("", *columns), rows, note)


def _warm_cells(reading: Reading, plain: Reading | None, tuned: Reading | None) -> Iterator[str]:
    yield from (f"{reading.wall_ms.p50:.1f}", f"{reading.wall_ms.p99:.1f}", share(wall(reading), wall(plain)))
    yield from (f"{reading.cpu_ms.p50:.2f}", f"{reading.cpu_ms.p99:.2f}", share(cpu(reading), cpu(plain)))
    yield share(cpu(reading), cpu(tuned))
    yield f"{reading.rest_cpu_ms.p50:.2f}"
    yield from (f"{reading.memory_mb.last:.0f}", share(memory(reading), memory(plain)))


def _calls(run: Run) -> Sheet:
    found = {name: run.find("warm", name, setting="one") for name in run.contestants()}
    made = {name: reading.operations for name, reading in found.items() if reading}
    operations = sorted({operation for calls in made.values() for operation in calls})
    rows = [(one, *(_times(calls.get(one, 0)) for calls in made.values())) for one in operations]
    rows += [("all of DynamoDB", *(_times(_of_dynamodb(calls)) for calls in made.values()))] if rows else []
    rows += [("all", *(_times(sum(calls.values())) for calls in made.values()))] if rows else []
    return Sheet("Calls for an event, warm, in one conversation", ("", *made), tuple(rows))


def _of_dynamodb(calls: dict[str, float]) -> float:
    return sum(times for operation, times in calls.items() if operation.startswith("dynamodb."))


def _times(times: float) -> str:
    return f"{times:g}" if times else "–"


# ---------------------------------------------------------------- what grows


def _sizes(run: Run, kind: Kind, part: Part, what: str, title: str) -> Sheet:
    sizes, rows, counted = run.sizes(kind), list[tuple[str, ...]](), list[Series]()
    for contestant in run.contestants():
        found = [one for size in sizes if (one := run.find(kind, contestant, part, size=size))]
        if len(found) == len(sizes) > 0:
            rows.append((f"{contestant}, ms", *_medians([one.wall_ms for one in found], digits=1)))
            rows.append((f"{contestant}, CPU ms", *_medians([one.cpu_ms for one in found], digits=2)))
            counted += [one.wall_ms for one in found]
    ends = (f"{sizes[-1]:,} ÷ {sizes[0]:,}",) if sizes else ()
    return Sheet(title, ("", *(f"{size:,}" for size in sizes), *ends), tuple(rows), _note(counted, what))


def _medians(series: Sequence[Series], digits: int) -> Iterator[str]:
    yield from (f"{one.p50:,.{digits}f}" for one in series)
    yield share(series[-1].p50, series[0].p50)


def _packages(run: Run) -> Sheet:
    plain = next((one.zipped for one in run.weights if one.contestant == "plain"), None)
    rows = (
        (one.contestant, f"{one.files:,}", _megabytes(one.unzipped), _megabytes(one.zipped), share(one.zipped, plain))
        for one in run.weights
    )
    return Sheet("Packages", ("", "files", "MB", "zip MB", "÷ plain"), tuple(rows))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"


# ---------------------------------------------------------------- what is aimed at


def _aims(run: Run) -> Sheet:
    found = aims(run)
    rows = tuple((one.name, f"{one.ratio:.3f}", f"≤ {one.most:g}", _verdict(one.is_reached)) for one in found)
    note = f"{sum(one.is_reached for one in found)} of {len(found)} reached."
    return Sheet("What botkit aims at", ("", "is", "aim", ""), rows, note)


def _verdict(is_reached: bool) -> str:
    return "reached" if is_reached else "missed"
