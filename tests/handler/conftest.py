"""The stage, on each store that a handler may run on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from botkit.simulator.app import create_app
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving
from botkit.testing import MovableClock
from tests.line.openapi import request_mistakes
from tests.support.openai_server import OpenAIServer, openai_server
from tests.support.stage import Stage


class LineServer:
    """One server for all tests; each test puts a platform of its own behind it."""

    url: str
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def line_server() -> Iterator[LineServer]:
    server = LineServer()
    with serving(server) as server.url:
        yield server


@pytest.fixture(scope="session")
def model_server() -> Iterator[OpenAIServer]:
    with openai_server() as server:
        yield server


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
def stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line_server: LineServer, model_server: OpenAIServer
) -> Iterator[Stage]:
    """The stage on the embedded store."""
    stage = build(tmp_path, monkeypatch, f"sqlite:///{tmp_path}/botkit.db", line_server, model_server)
    yield stage
    check_requests(stage)


@pytest.fixture
def any_stage(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    any_store: str,
    line_server: LineServer,
    model_server: OpenAIServer,
) -> Iterator[Stage]:
    """The stage on every store in turn."""
    stage = build(tmp_path, monkeypatch, any_store, line_server, model_server)
    yield stage
    check_requests(stage)


def check_requests(stage: Stage) -> None:
    """Whatever the test was about: all that was sent to LINE is as LINE's SDK and description have it."""
    calls = stage.platform.calls
    assert [fault for call in calls for fault in request_mistakes(call.endpoint, call.body)] == []


def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str, line: LineServer, model: OpenAIServer) -> Stage:
    bots = tmp_path / "bots"
    bots.mkdir()
    platform = Platform(MovableClock(tick=1))
    line.app = create_app(platform)
    model.reset()
    settings = {
        "BOTKIT_BOTS": str(bots),
        "BOTKIT_STORE": store,
        "BOTKIT_LINE_URL": line.url,
        "OPENAI_API_KEY": model.key,
        "OPENAI_BASE_URL": model.url,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return Stage(bots, platform, model, monkeypatch.setenv)
