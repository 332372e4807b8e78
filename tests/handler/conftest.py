"""The stage, on each store that a handler may run on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from botkit.simulator.app import create_app
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving
from tests.support.openai_server import openai_server
from tests.support.stage import MovableClock, Stage


@pytest.fixture(params=["sqlite", "dynamodb"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/botkit.db"
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", request.getfixturevalue("aws_endpoint"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return f"dynamodb://{request.getfixturevalue('dynamodb_table')}"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The stage on the embedded store."""
    yield from build(tmp_path, monkeypatch, f"sqlite:///{tmp_path}/botkit.db")


@pytest.fixture
def any_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, any_store: str) -> Iterator[Stage]:
    """The stage on every store in turn."""
    yield from build(tmp_path, monkeypatch, any_store)


def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str) -> Iterator[Stage]:
    bots = tmp_path / "bots"
    bots.mkdir()
    platform = Platform(MovableClock())
    with serving(create_app(platform)) as line, openai_server() as openai:
        settings = {
            "BOTKIT_BOTS": str(bots),
            "BOTKIT_STORE": store,
            "BOTKIT_LINE_URL": line,
            "OPENAI_API_KEY": openai.key,
            "OPENAI_BASE_URL": openai.url,
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield Stage(bots, platform, openai, monkeypatch.setenv)
