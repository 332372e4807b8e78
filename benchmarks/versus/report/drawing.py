"""SVG, as far as a plot needs it: shapes and words of a kind, and one style sheet that says how each kind looks.

A page that shows the picture by <img> lends it no colours and no fonts, so it has a paper of its own, light or dark.
"""

from collections.abc import Sequence
from xml.etree import ElementTree

Point = tuple[float, float]
"""From the left and from the top, in px."""

LIGHT = {"paper": "#ffffff", "edge": "#d1d9e0", "ink": "#1f2328", "muted": "#59636e", "grid": "#e4e8ec"} | {
    "plain": "#98a2ad",
    "tuned": "#5b8fc7",
    "botkit": "#05a34a",
}
DARK = {"paper": "#0f141a", "edge": "#2f3741", "ink": "#f0f3f6", "muted": "#9aa4af", "grid": "#242b33"} | {
    "plain": "#79838f",
    "tuned": "#6ba3de",
    "botkit": "#2fce6f",
}
HUES = ("plain", "tuned", "botkit")
SHAPES = """\
text { font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; font-size: 12px; }
.title { font-size: 20px; font-weight: 600; }
.heading { font-size: 14px; font-weight: 600; }
.strong { font-weight: 600; }
.grid { stroke-width: 1; }
.aim { stroke-width: 1.5; stroke-dasharray: 3 2; }
.curve { fill: none; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; }
.pale { opacity: 0.42; }
"""


class Drawing:
    """A picture under way; lives until it is written."""

    def __init__(self, width: float, height: float, title: str, description: str) -> None:
        box = {"viewBox": f"0 0 {_px(width)} {_px(height)}", "width": _px(width), "height": _px(height)}
        self._svg = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", **box})
        ElementTree.SubElement(self._svg, "title").text = title
        ElementTree.SubElement(self._svg, "desc").text = description
        ElementTree.SubElement(self._svg, "style").text = _style()
        self._add("rect", "paper", x=0.5, y=0.5, width=width - 1, height=height - 1, rx=10)

    def text(self, at: Point, words: str, kind: str = "ink", anchor: str = "start") -> None:
        """Words on the line at `at`, which is where they begin, or their middle or end."""
        self._add("text", kind, x=at[0], y=at[1]).text = words
        self._svg[-1].set("text-anchor", anchor)

    def bar(self, at: Point, width: float, height: float, kind: str) -> None:
        """A bar, from its upper left corner."""
        self._add("rect", kind, x=at[0], y=at[1], width=max(width, 1), height=height, rx=2.5)

    def line(self, start: Point, end: Point, kind: str) -> None:
        """A straight line."""
        self._add("line", kind, x1=start[0], y1=start[1], x2=end[0], y2=end[1])

    def curve(self, points: Sequence[Point], hue: str) -> None:
        """Points of one hue, and a line through them."""
        self._add("polyline", f"curve {hue}-line").set("points", " ".join(f"{_px(x)},{_px(y)}" for x, y in points))
        for x, y in points:
            self._add("circle", hue, cx=x, cy=y, r=3.5)

    def to_svg(self) -> str:
        """The whole picture."""
        ElementTree.indent(self._svg)
        return ElementTree.tostring(self._svg, encoding="unicode") + "\n"

    def _add(self, shape: str, kind: str, **places: float) -> ElementTree.Element:
        placed = {name: _px(value) for name, value in places.items()}
        return ElementTree.SubElement(self._svg, shape, {"class": kind, **placed})


def _px(value: float) -> str:
    return f"{round(value, 1):g}"


def _style() -> str:
    """Light, and dark where the reader's system is; no variables, which not every renderer of SVG knows."""
    return f"\n{SHAPES}{_colours(LIGHT)}@media (prefers-color-scheme: dark) {{\n{_colours(DARK)}}}\n"


def _colours(tones: dict[str, str]) -> str:
    rules = [f".paper {{ fill: {tones['paper']}; stroke: {tones['edge']}; }}"]
    rules += [f".{word} {{ fill: {tones[word]}; }}" for word in ("ink", "muted", *HUES)]
    rules += [f".grid {{ stroke: {tones['grid']}; }}", f".aim {{ stroke: {tones['ink']}; }}"]
    rules += [f".{hue}-line {{ stroke: {tones[hue]}; }}" for hue in HUES]
    return "".join(f"{rule}\n" for rule in rules)
