"""The shelf of a process: its bots are read when they are called for, by however many threads."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from botkit.spec.shelf import Shelf

NAMES = [f"bot{n}" for n in range(10)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / f"{name}.yaml").write_text("persona: hi\nmodel: gpt-4.1-mini\n")
    return tmp_path


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns at every opportunity."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_bots_that_are_called_for_at_once_are_all_found_and_stay(folder: Path) -> None:
    """A worker's first batch calls for ten bots in ten threads."""
    with ThreadPoolExecutor(len(NAMES)) as pool:
        for _ in range(10):
            shelf, start = Shelf(folder), Barrier(len(NAMES))

            def find(name: str, shelf: Shelf = shelf, start: Barrier = start) -> bool:
                start.wait(10)
                return shelf.find(name) is not None

            assert all(pool.map(find, NAMES))
            assert [name for name in NAMES if shelf.find(name) is None] == []


def test_only_what_is_called_for_is_read(folder: Path) -> None:
    (folder / "broken.yaml").write_text("persona: [")
    shelf = Shelf(folder)
    assert shelf.find("bot1") is not None
    assert shelf.problems == ()
    assert shelf.find("broken") is None
    assert shelf.is_broken("broken")
    assert shelf.problems != ()
