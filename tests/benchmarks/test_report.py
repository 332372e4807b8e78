"""What is shown of a run: tables, the plot, and docs/performance.*, which never say anything else than the run does."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from benchmarks.versus.readings import Run
from benchmarks.versus.report import pages
from benchmarks.versus.report.aims import aims
from benchmarks.versus.report.plot import plot
from benchmarks.versus.report.sheets import sheets
from benchmarks.versus.report.terminal import show

DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def series(*values: float) -> dict[str, Any]:
    return {"values": list(values)}


def reading(kind: str, contestant: str, ms: float, part: str = "event", **more: Any) -> dict[str, Any]:
    """Three events around `ms`, of which nine tenths are CPU; cold, three quarters are INIT."""
    key = {"kind": kind, "contestant": contestant, "part": part, "setting": "", "size": 0, "together": False}
    calls = more.pop("calls", {})
    around = (ms, 2 * ms, ms / 2)
    return {
        "key": key | more,
        "wall_ms": series(*around),
        "cpu_ms": series(*(0.9 * value for value in around)),
        "rest_cpu_ms": series(0.1, 0.1, 0.1),
        "init_ms": series(*(0.75 * value for value in around) if kind in ("cold", "bots") else ()),
        "memory_mb": series(ms / 10, ms / 10),
        "calls": calls,
    }


def readings() -> list[dict[str, Any]]:
    """A whole run: botkit's door takes a tenth of the plain handler's cold start, and its worker three tenths."""
    query = {"dynamodb.Query": 1.0, "dynamodb.bytes_out": 621.0}
    made = [reading("cold", "plain", 1000), reading("cold", "tuned", 800)]
    made += [reading("cold", "botkit", ms, part) for part, ms in (("door", 100), ("worker", 300), ("event", 400))]
    for setting in ("new", "one"):
        made += [reading("warm", "plain", 30.004, setting=setting, calls={"dynamodb.PutItem": 2.0, **query})]
        made += [reading("warm", "tuned", 10, setting=setting, calls=query)]
        for part, ms in (("door", 2.5), ("worker", 10), ("event", 12.5)):
            made += [reading("warm", "botkit", ms, part, setting=setting, calls={"sqs.SendMessage": 1.0, **query})]
        made += [reading("warm", "botkit", 12, setting=setting, together=True)]
    for size in (10, 10_000):
        made += [reading("history", name, 20 + size / 10_000, size=size) for name in ("plain", "tuned", "botkit")]
    made += [reading("bots", "botkit", 100 + size / 100, "door", size=size) for size in (1, 1_000)]
    return made + [reading("batch", "botkit", 2_000 + size * 100, "worker", size=size) for size in (1, 10)]


@pytest.fixture
def run() -> Run:
    weights = [
        {"contestant": name, "files": 9_000, "unzipped": 90_000_000, "zipped": zipped}
        for name, zipped in (("plain", 40_000_000), ("tuned", 40_000_000), ("botkit", 20_000_000))
    ]
    document = {
        "made_at": "2026-03-01T09:05:00+00:00",
        "python": "3.13.1",
        "machine": "Linux arm64",
        "cores": 2,
        "rounds": 3,
        "versions": {"openai": "3.0", "boto3": "1.40"},
        "weights": weights,
        "readings": readings(),
    }
    return Run.from_json(json.dumps(document))


def only(run: Run, *kinds: str) -> Run:
    """What is left of the run where nothing else was measured."""
    return replace(run, weights=(), readings=tuple(one for one in run.readings if one.key.kind in kinds))


# ---------------------------------------------------------------- tables


def test_the_table_of_cold_starts_tells_each_part_beside_the_plain_handler(run: Run) -> None:
    assert sheets(run)["cold"].rows == (
        ("plain", "1,000", "2,000", "1.00", "750", "900", "1.00", "100", "1.00"),
        ("tuned", "800", "1,600", "0.80", "600", "720", "0.80", "80", "0.80"),
        ("botkit door", "100", "200", "0.10", "75", "90", "0.10", "10", "0.10"),
        ("botkit worker", "300", "600", "0.30", "225", "270", "0.30", "30", "0.30"),
        ("botkit both", "400", "800", "0.40", "300", "360", "0.40", "40", "0.40"),
    )
    assert sheets(run)["cold"].note == "3 starts each."


def test_the_tables_of_warm_events_tell_one_process_beside_two(run: Run) -> None:
    named = {name: cells for name, *cells in sheets(run)["warm, one"].rows}
    assert list(named) == ["plain", "tuned", "botkit door", "botkit worker", "botkit both", "botkit in one process"]
    assert named["botkit both"] == ["12.5", "25.0", "0.42", "11.25", "22.50", "0.42", "1.25", "0.10", "1", "0.42"]


def test_the_table_of_calls_has_a_row_for_each_operation_and_no_bytes(run: Run) -> None:
    assert sheets(run)["calls"].columns == ("", "plain", "tuned", "botkit")
    assert sheets(run)["calls"].rows == (
        ("dynamodb.PutItem", "2", "–", "–"),
        ("dynamodb.Query", "1", "1", "1"),
        ("sqs.SendMessage", "–", "–", "1"),
        ("all of DynamoDB", "3", "1", "1"),
        ("all", "3", "1", "2"),
    )


def test_what_grows_is_told_by_size_and_from_end_to_end(run: Run) -> None:
    shown = sheets(run)
    assert shown["history"].columns == ("", "10", "10,000", "10,000 ÷ 10")
    assert shown["history"].rows[-2:] == (
        ("botkit, ms", "20.0", "21.0", "1.05"),
        ("botkit, CPU ms", "18.00", "18.90", "1.05"),
    )
    assert shown["bots"].rows[0] == ("botkit, ms", "100.0", "110.0", "1.10")
    assert shown["batch"].rows[0] == ("botkit, ms", "2,100.0", "3,000.0", "1.43")


def test_an_aim_is_missed_by_the_least_excess(run: Run) -> None:
    rows = sheets(run)["aims"].rows
    assert rows[:2] == (
        ("cold door ÷ plain", "0.100", "≤ 0.2", "reached"),
        ("cold answer ÷ plain", "0.300", "≤ 0.45", "reached"),
    )
    assert rows[-1] == ("10 ÷ 1 conversations in a batch: wall", "1.429", "≤ 1.3", "missed")
    assert not replace(aims(run)[0], ratio=0.2001).is_reached
    assert sheets(run)["aims"].note == f"{sum(row[-1] == 'reached' for row in rows)} of {len(rows)} reached."


def test_what_was_not_measured_is_not_shown(run: Run) -> None:
    assert list(sheets(only(run, "cold"))) == ["cold", "aims"]
    assert list(sheets(only(run))) == []


def test_a_terminal_of_120_columns_shows_everything_whole(run: Run) -> None:
    printed = StringIO()
    show(run, Console(file=printed))
    lines = printed.getvalue().splitlines()
    assert max(map(len, lines)) <= 120
    assert "…" not in printed.getvalue()
    assert any("dynamodb.PutItem" in line for line in lines)


# ---------------------------------------------------------------- the plot


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_plot_is_an_svg_of_its_own_with_all_panels(run: Run) -> None:
    picture = ElementTree.fromstring(plot(run))
    assert picture.tag == f"{SVG}svg"
    assert {element.tag.removeprefix(SVG) for element in picture.iter()} <= {
        *("svg", "title", "desc", "style", "rect", "text", "line", "polyline", "circle"),
    }
    assert "100 ms · 0.10 ×" in words(plot(run))
    assert "300 ms · 0.30 ×" in words(plot(run))
    assert "20.0 MB · 0.50 ×" in words(plot(run))
    assert "botkit × 1.05" in words(plot(run))
    assert len(list(picture.iter(f"{SVG}polyline"))) == 4


def test_nothing_in_the_plot_leaves_its_paper(run: Run) -> None:
    picture = ElementTree.fromstring(plot(run))
    _, _, width, height = map(float, picture.attrib["viewBox"].split())
    for bar in picture.iter(f"{SVG}rect"):
        x, y, wide, high = (float(bar.attrib[name]) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= width
        assert 0 <= y <= y + high <= height


def test_what_the_plot_shows_is_told_to_who_cannot_see_it(run: Run) -> None:
    told = ElementTree.fromstring(plot(run)).findtext(f"{SVG}desc") or ""
    assert "Cold, until the webhook has its 200: plain 1,000 ms, tuned 800 ms, botkit 100 ms." in told


# ---------------------------------------------------------------- docs

PAGE = """\
# Prose

<!-- begin: generated run -->
old
<!-- end -->

More of it.

<!-- begin: generated aims -->
<!-- end -->
"""


def test_generated_parts_are_replaced_and_prose_is_kept() -> None:
    filled = pages.fill(PAGE, {"run": "one", "aims": "two\nthree"})
    assert filled == PAGE.replace("old\n", "one\n").replace("aims -->\n", "aims -->\ntwo\nthree\n")
    assert pages.fill(filled, {"run": "one", "aims": "two\nthree"}) == filled


@pytest.mark.parametrize("parts", [{"run": "one"}, {"run": "one", "aims": "two", "cold": "three"}])
def test_a_page_without_a_place_for_each_part_is_refused(parts: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="the page has places for aims, run; there are "):
        pages.fill(PAGE, parts)


def test_a_part_has_one_place() -> None:
    with pytest.raises(ValueError, match="places for aims, aims, run"):
        pages.fill(PAGE + "<!-- begin: generated aims -->\n<!-- end -->\n", {"run": "one", "aims": "two"})


def test_the_kept_run_is_short_and_read_back_as_it_is(run: Run) -> None:
    text = pages.to_json(run)
    kept = Run.from_json(text)
    document = json.loads(text)
    plain = kept.find("warm", "plain", setting="one")
    assert plain is not None
    assert plain.wall_ms.values == (30.0, 60.01, 15.0)
    assert document["readings"][0]["wall_ms"] == {
        "n": 3,
        "p50": 1000.0,
        "p99": 2000.0,
        "values": [1000.0, 2000.0, 500.0],
    }
    assert document["aims"]["cold door ÷ plain"] == {"is": 0.1, "at_most": 0.2}
    assert pages.to_json(kept) == text


def test_writing_a_run_leaves_three_files_that_say_the_same(run: Run, tmp_path: Path) -> None:
    (tmp_path / "performance.md").write_text((DOCS / "performance.md").read_text("utf-8"), "utf-8")
    pages.write(tmp_path, run)
    page = (tmp_path / "performance.md").read_text("utf-8")
    assert "The run of 1 March 2026, 09:05 UTC: Linux arm64, 2 processors, Python 3.13.1, 3 rounds" in page
    assert "| botkit door | 100 | 200 | 0.10 |" in page
    assert "## What was slow, and why" in page
    assert Run.from_json((tmp_path / "performance.json").read_text("utf-8")).rounds == 3
    assert (tmp_path / "performance.svg").read_text("utf-8") == plot(run)


def test_docs_say_what_their_run_says() -> None:
    text = (DOCS / "performance.json").read_text("utf-8")
    run, page = Run.from_json(text), (DOCS / "performance.md").read_text("utf-8")
    assert pages.to_json(run) == text
    assert pages.fill(page, pages.blocks(run)) == page
    assert plot(run) == (DOCS / "performance.svg").read_text("utf-8")
    assert len(text) < 200_000
