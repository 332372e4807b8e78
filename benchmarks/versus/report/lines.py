"""A panel of lines: values by sizes of which each is many times the one before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from benchmarks.versus.report.drawing import Drawing, Point

SCALE, ENDS = 30, 98
"""Px that the scale takes at the left, and the words at the ends of the lines at the right."""
HEADINGS, PLOT_HEIGHT = 46, 152


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a panel of lines has its values: sizes by their logarithm, values from nought to the top of the scale."""

    corner: Point
    width: float
    sizes: Sequence[int]
    top: float

    def at(self, size: int, value: float) -> Point:
        """The place of a value."""
        first, last = log10(self.sizes[0]), log10(self.sizes[-1])
        share = (log10(size) - first) / (last - first)
        return self.left + share * (self.right - self.left), self.foot - PLOT_HEIGHT * value / self.top

    @property
    def left(self) -> float:
        """Px from the left, where the smallest size is."""
        return self.corner[0] + SCALE

    @property
    def right(self) -> float:
        """Where the largest size is."""
        return self.corner[0] + self.width - ENDS

    @property
    def foot(self) -> float:
        """Px from the top, where nought is."""
        return self.corner[1] + HEADINGS + PLOT_HEIGHT


def draw_lines(
    drawing: Drawing,
    corner: Point,
    width: float,
    sizes: Sequence[int],
    lines: Mapping[str, Sequence[float]],
    ends: Mapping[str, str],
) -> None:
    """A line of each hue through its values at these sizes, with words at its end; below a panel's two headings."""
    step = _step(max(max(values) for values in lines.values()))
    frame = Frame(corner, width, sizes, step * ceil(max(max(values) for values in lines.values()) / step))
    _draw_scale(drawing, frame, step)
    places = {hue: [frame.at(*place) for place in zip(sizes, values, strict=True)] for hue, values in lines.items()}
    for hue, points in places.items():
        drawing.curve(points, hue)
    for hue, y in _apart({hue: points[-1][1] for hue, points in places.items()}).items():
        kind = "ink strong" if hue == "botkit" else "ink"
        drawing.text((frame.right + 10, y + 4), ends[hue], kind)


def _draw_scale(drawing: Drawing, frame: Frame, step: float) -> None:
    for number in range(round(frame.top / step) + 1):
        y = frame.at(frame.sizes[0], number * step)[1]
        drawing.line((frame.left, y), (frame.right, y), "grid")
        drawing.text((frame.left - 8, y + 4), f"{number * step:,g}", "muted", "end")
    for size in frame.sizes:
        drawing.text((frame.at(size, 0)[0], frame.foot + 20), f"{size:,}", "muted", "middle")


def _step(largest: float) -> float:
    """The distance of some four round numbers up to the largest value: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** floor(log10(largest))
    return next(step for step in (power / 5, power / 2, power, 2 * power, 5 * power) if largest / step <= 5)


def _apart(heights: dict[str, float], distance: float = 15) -> dict[str, float]:
    """Heights that words can stand at without touching one another, each as near its own as the one above lets it."""
    placed: dict[str, float] = {}
    above = 0.0
    for hue, height in sorted(heights.items(), key=lambda one: one[1]):
        placed[hue] = above = max(height, above + distance)
    return placed
