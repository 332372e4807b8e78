"""LINE's own test data, which is kept beside the repository and not in it."""

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2].parent / "shared" / "line"


def fact(*parts: str) -> Path:
    """A file of LINE's test data; the test is skipped where it is absent."""
    path = FOLDER.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"LINE's test data is not here: {path}")
    return path


def webhook_bodies() -> list[Any]:
    """Every recorded webhook body, as a pytest parameter; none, which skips the test, where they are absent."""
    return [pytest.param(path, id=path.stem) for path in sorted(FOLDER.glob("webhooks/**/*.json"))]


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
