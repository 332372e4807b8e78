"""The plot of a whole run: bars for what an event takes, and lines for what grows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.versus.readings import Reading, Run, Setting
from benchmarks.versus.report.aims import COLD_ANSWER, COLD_DOOR, GROWTH, MEMORY, SETTINGS, WARM_CPU, cpu, growth
from benchmarks.versus.report.drawing import HUES, Drawing, Point
from benchmarks.versus.report.lines import draw_lines

WIDTH, MARGIN, GAP = 920, 32, 48
PANEL = (WIDTH - 2 * MARGIN - GAP) / 2
TOP = 92
BARS_HEIGHT, LINES_HEIGHT = 144, 246
HEIGHT = TOP + 3 * BARS_HEIGHT + LINES_HEIGHT + 12

NAMES, VALUES = 50, 124
"""Px of a panel of bars that the names take at the left of them, and the values at the right."""
STEP, BAR = 25, 15


@dataclass(frozen=True, slots=True)
class Bar:
    """One contestant's value, of which a first part, `pale`, is told apart."""

    hue: str
    value: float
    pale: float = 0


@dataclass(frozen=True, slots=True)
class Bars:
    """A panel. `aim`: what botkit's is to be at most, as a share of the plain one's."""

    heading: str
    says: str
    unit: str
    bars: Sequence[Bar]
    aim: float | None = None
    digits: int = 0


def plot(run: Run) -> str:
    """An SVG of all panels. Raises AssertionError where the run has not measured all that they show."""
    drawing = Drawing(WIDTH, HEIGHT, "botkit and two handlers written by hand", _description(run))
    _head(drawing, run)
    for number, panel in enumerate(_bars(run)):
        _draw_bars(drawing, _corner(number), panel)
    _draw_history(drawing, _corner(6), run)
    _draw_bots(drawing, _corner(7), run)
    return drawing.to_svg()


def _corner(number: int) -> Point:
    """The upper left corner of a panel."""
    return MARGIN + number % 2 * (PANEL + GAP), TOP + number // 2 * BARS_HEIGHT


def _description(run: Run) -> str:
    told = (f"{panel.heading}: {', '.join(_told(panel))}" for panel in _bars(run))
    return ". ".join(told) + "."


def _told(panel: Bars) -> Iterator[str]:
    return (f"{bar.hue} {bar.value:,.{panel.digits}f} {panel.unit}" for bar in panel.bars)


def _head(drawing: Drawing, run: Run) -> None:
    drawing.text((MARGIN, 44), "botkit and two handlers written by hand", "title ink")
    where = f"{run.machine}, {run.cores} processors, Python {run.python}, {run.made_at[:10]}"
    drawing.text((MARGIN, 65), f"Medians of one run, and × plain; shorter is better. {where}", "muted")
    for number, hue in enumerate(HUES):
        at = WIDTH - MARGIN - 196 + number * 70
        drawing.bar((at, 34), 12, 12, hue)
        drawing.text((at + 18, 44), hue)


# ---------------------------------------------------------------- bars


def _bars(run: Run) -> Iterator[Bars]:
    pale = "paler: INIT"
    doors = [_cold_bar(name, run.door(name)) for name in HUES]
    yield Bars("Cold, until the webhook has its 200", f"{pale}; LINE waits 2 s", "ms", doors, COLD_DOOR)
    answers = [_cold_bar(name, run.answer(name)) for name in HUES]
    yield Bars("Cold, until the answer is sent", f"{pale}; of botkit, its worker", "ms", answers, COLD_ANSWER)
    for setting, where in SETTINGS.items():
        yield Bars("CPU of a warm event", where, "ms", [_cpu_bar(run, name, setting) for name in HUES], WARM_CPU, 1)
    memory = [Bar(name, _found(run.find("warm", name, setting="one")).memory_mb.last) for name in HUES]
    yield Bars("Memory", "resident; the larger of botkit's two processes", "MB", memory, MEMORY)
    weights = {one.contestant: one.zipped / 1e6 for one in run.weights}
    yield Bars("Zip", "all that is uploaded", "MB", [Bar(name, weights[name]) for name in HUES], digits=1)


def _found(reading: Reading | None) -> Reading:
    assert reading is not None, "only a whole run is drawn"
    return reading


def _cold_bar(name: str, reading: Reading | None) -> Bar:
    found = _found(reading)
    return Bar(name, found.wall_ms.p50, pale=found.init_ms.p50)


def _cpu_bar(run: Run, name: str, setting: Setting) -> Bar:
    return Bar(name, _found(run.find("warm", name, setting=setting)).cpu_ms.p50)


def _draw_bars(drawing: Drawing, corner: Point, panel: Bars) -> None:
    x, y = corner
    _draw_heading(drawing, corner, panel.heading, panel.says, f"aim: {panel.aim:.2f} × plain" if panel.aim else "")
    left, scale = x + NAMES, (PANEL - NAMES - VALUES) / max(bar.value for bar in panel.bars)
    for number, bar in enumerate(panel.bars):
        at, end = (left, y + 40 + number * STEP), left + bar.value * scale
        _draw_bar(drawing, at, bar, scale)
        if panel.aim and bar.hue == "botkit":
            at_aim = left + panel.aim * panel.bars[0].value * scale
            drawing.line((at_aim, at[1] - 4), (at_aim, at[1] + BAR + 4), "aim")
            end = max(end, at_aim)
        _draw_value(drawing, (end + 8, at[1] + 12), panel, bar)


def _draw_heading(drawing: Drawing, corner: Point, heading: str, says: str, aim: str = "") -> None:
    x, y = corner
    drawing.text((x, y + 10), heading, "heading ink")
    drawing.text((x, y + 27), says, "muted")
    if aim:
        drawing.text((x + PANEL, y + 27), aim, "muted", "end")


def _draw_bar(drawing: Drawing, at: Point, bar: Bar, scale: float) -> None:
    x, y = at
    drawing.text((x - NAMES, y + 12), bar.hue)
    if bar.pale:
        drawing.bar(at, bar.pale * scale - 1, BAR, f"{bar.hue} pale")
    drawing.bar((x + bar.pale * scale, y), (bar.value - bar.pale) * scale, BAR, bar.hue)


def _draw_value(drawing: Drawing, at: Point, panel: Bars, bar: Bar) -> None:
    value = f"{bar.value:,.{panel.digits}f} {panel.unit}"
    kind = "ink strong" if bar.hue == "botkit" else "ink"
    ratio = "" if bar is panel.bars[0] else f" · {bar.value / panel.bars[0].value:.2f} ×"
    drawing.text(at, value + ratio, kind)


# ---------------------------------------------------------------- lines


def _draw_history(drawing: Drawing, corner: Point, run: Run) -> None:
    sizes = run.sizes("history")
    lines = {name: [_found(run.find("history", name, size=size)).cpu_ms.p50 for size in sizes] for name in HUES}
    says = f"ms; at the right {sizes[-1]:,} ÷ {sizes[0]:,}. The model is shown 20 at most"
    _draw_heading(drawing, corner, "CPU of a warm event, by stored messages", says)
    ends = {name: f"{name} × {growth(run, 'history', name, of=cpu):.2f}" for name in HUES}
    draw_lines(drawing, corner, PANEL, sizes, lines, ends)


def _draw_bots(drawing: Drawing, corner: Point, run: Run) -> None:
    sizes = run.sizes("bots")
    values = [_found(run.find("bots", "botkit", "door", size=size)).wall_ms.p50 for size in sizes]
    says = f"ms; at the right {sizes[-1]:,} ÷ {sizes[0]:,}, aim: {GROWTH:g}"
    _draw_heading(drawing, corner, "botkit's cold door, by bots in the package", says)
    ends = {"botkit": f"botkit × {growth(run, 'bots', 'botkit', 'door'):.2f}"}
    draw_lines(drawing, corner, PANEL, sizes, {"botkit": values}, ends)
