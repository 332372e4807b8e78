"""Tables and code as Flex messages that LINE takes."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.line.flex import LONGEST_CODE, code_bubble, fits, table_contents
from botkit.simulator.rules import faults


def components(contents: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All components, in the order they are read."""
    bubbles = contents["contents"] if contents["type"] == "carousel" else [contents]
    waiting = [bubble[block] for bubble in bubbles for block in ("body", "footer") if block in bubble]
    while waiting:
        component, *waiting = waiting
        yield component
        waiting = [*component.get("contents", ()), *waiting]


def words(contents: dict[str, Any] | None) -> list[str]:
    assert contents is not None
    assert faults([{"type": "flex", "altText": "x", "contents": contents}]) == []
    return [component["text"] for component in components(contents) if component["type"] == "text"]


def layouts(contents: dict[str, Any] | None) -> list[list[str]]:
    """The texts of each horizontal box."""
    assert contents is not None
    boxes = [one for one in components(contents) if one.get("layout") == "horizontal"]
    return [[child.get("text", child["type"]) for child in box["contents"]] for box in boxes]


def test_a_narrow_table_is_a_grid_with_a_bold_header() -> None:
    contents = table_contents(["Room", "Price"], [["Plum", "100"], ["Pine", ""]])
    assert layouts(contents) == [["Room", "Price"], ["Plum", "100"], ["Pine", "box"]]
    assert contents is not None
    bold = [one["text"] for one in components(contents) if one.get("weight") == "bold"]
    assert bold == ["Room", "Price"]
    kinds = [child["type"] for child in contents["body"]["contents"]]
    assert kinds == ["box", "separator", "box", "separator", "box"]
    assert all(one["wrap"] for one in components(contents) if one["type"] == "text")


def test_wide_columns_get_more_room_than_narrow_ones() -> None:
    contents = table_contents(["No", "What it is"], [["1", "A quiet room"]])
    assert contents is not None
    number, name = (child["flex"] for child in contents["body"]["contents"][0]["contents"])
    assert 0 < number < name


@pytest.mark.parametrize(
    "header", [["a", "b", "c", "d", "e"], ["Room", "What there is to say of it", "Price", "When it is free"]]
)
def test_a_wide_table_is_a_box_for_each_row_with_its_cells_named(header: list[str]) -> None:
    row = [f"{name}!" for name in header]
    contents = table_contents(header, [row])
    assert layouts(contents) == [[name, f"{name}!"] for name in header[1:]]
    assert words(contents)[:2] == [header[0], row[0]]


def test_japanese_counts_for_twice_its_length() -> None:
    latin, japanese = ["abcdefghij"] * 3, ["あいうえおかきくけこ"] * 3
    assert layouts(table_contents(latin, [latin])) == [latin, latin]
    assert layouts(table_contents(japanese, [japanese])) == [japanese[:2]] * 2


def test_a_long_table_is_a_carousel_with_the_header_on_each_bubble() -> None:
    contents = table_contents(["Room", "Price"], [[f"Room {number}", "100"] for number in range(120)])
    assert contents is not None
    assert contents["type"] == "carousel"
    found = words(contents)
    assert found.count("Price") == len(contents["contents"]) > 1
    assert [word for word in found if word.startswith("Room ")] == [f"Room {number}" for number in range(120)]


def test_a_table_that_line_would_refuse_is_none() -> None:
    assert table_contents(["a", "b"], [["x" * 100, "y" * 100]] * 400) is None
    assert table_contents(["a", "b"], [["x" * 40_000, "y"]]) is None
    assert table_contents(["a", "b"], []) is None


def test_code_can_be_copied_by_a_button() -> None:
    contents = code_bubble("  x = 1\ny")
    assert words(contents) == ["  x = 1\ny"]
    assert contents is not None
    (button,) = [one for one in components(contents) if one["type"] == "button"]
    assert button["action"] == {"type": "clipboard", "label": "📋", "clipboardText": "  x = 1\ny"}


def test_code_beyond_the_clipboard_has_no_button() -> None:
    assert words(code_bubble("x" * 1001)) == ["x" * 1001]
    contents = code_bubble("x" * 1001)
    assert contents is not None
    assert "footer" not in contents


@pytest.mark.parametrize("code", ["", " \n", "x" * (LONGEST_CODE + 1)])
def test_blank_and_long_code_is_none(code: str) -> None:
    assert code_bubble(code) is None


def test_what_line_counts_is_bytes() -> None:
    def bubble(text: str) -> dict[str, Any]:
        return {
            "type": "bubble",
            "body": {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": text}]},
        }

    assert fits(bubble("x" * 29_000))
    assert not fits(bubble("語" * 10_000))
    assert fits({"type": "carousel", "contents": [bubble("x" * 4_000)] * 12})
    assert not fits({"type": "carousel", "contents": [bubble("x" * 4_200)] * 12})
    assert not fits({"type": "carousel", "contents": [bubble("x")] * 13})
    assert not fits({"type": "carousel", "contents": []})


cells = st.sampled_from(["", "a", "語" * 30, "x" * 200]) | st.text("ab 語", max_size=5).map(str.strip)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    columns = draw(st.integers(1, 8))
    row = st.lists(cells, min_size=columns, max_size=columns)
    return draw(row), draw(st.lists(row, max_size=12)) * draw(st.sampled_from([1, 1, 9]))


@settings(deadline=None)
@given(tables())
def test_whatever_the_table_line_takes_it_and_no_cell_is_lost(table: tuple[list[str], list[list[str]]]) -> None:
    header, rows = table
    contents = table_contents(header, rows)
    if contents is not None:
        assert set(words(contents)) == {cell for row in (header, *rows) for cell in row if cell}
