"""A town for the commands that speak to LINE: LINE, a model server, and the bots' own handler, each behind HTTP."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from botkit.runtime import Runtime
from botkit.simulator.app import create_app
from botkit.simulator.chats import Account
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving
from botkit.testing import MovableClock
from tests.support.shapes import http_api

MIDDLE = 1_763_200_000_000
"""The middle of a month: 2025-11-15."""


class Behind:
    """A server whose application each test sets anew."""

    url: str
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@dataclass
class Town:
    """LINE at `line.url`, the bots' handler at `door.url`, models at `models.url`. Bots are files of `bots`.

    `answer` stands before the handler: what it returns is answered instead.
    """

    line: Behind
    door: Behind
    models: Behind
    bots: Path = field(default=Path())
    platform: Platform = field(default_factory=lambda: Platform(MovableClock()))
    environ: dict[str, str] = field(default_factory=dict)
    setenv: Callable[[str, str], None] = print  # the test's own, from reset
    names: list[str] = field(default_factory=list)
    key: str = "sk-town-0123456789"
    asked: list[str] = field(default_factory=list)
    answer: Callable[[], Response | None] = lambda: None
    _started: tuple[list[tuple[str, int]], Runtime] | None = None

    def reset(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        """An empty town for the next test, on a machine that knows no AWS."""
        self.bots, self.platform, self.setenv = folder / "bots", Platform(MovableClock()), patch.setenv
        self.bots.mkdir()
        self.names, self.asked, self.answer = ["gpt-4.1-mini", "gpt-4.1-nano"], [], lambda: None
        self.line.app = create_app(self.platform)
        self.door.app = Starlette(routes=[Route("/{path:path}", self._handle, methods=["POST"])])
        self.models.app = Starlette(routes=[Route("/v1/models", self._list)])
        for name, value in {
            "BOTKIT_BOTS": str(self.bots),
            "BOTKIT_STORE": f"sqlite:///{folder}/botkit.db",
            "BOTKIT_LINE_URL": self.line.url,
            "OPENAI_API_KEY": self.key,
            "OPENAI_BASE_URL": f"{self.models.url}/v1",
            "COLUMNS": "300",
        }.items():
            patch.setenv(name, value)
        for name in [one for one in os.environ if one.startswith("AWS_")]:
            patch.delenv(name)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, str(folder / "none"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def bot(self, name: str, text: str = "persona: hi\nmodel: gpt-4.1-mini\n", **line: str) -> Account:
        """A bot with an account of its own; `line` is more for that section, and without a value takes one out.

        A `channel_id` or a `user_id` that is "own" becomes that of the account.
        """
        account = self.platform.add_account(name)
        variable = name.upper().replace("-", "_")
        section = {"channel_secret": f"env:{variable}_SECRET", "channel_access_token": f"env:{variable}_TOKEN"} | line
        own = {"channel_id": account.channel_id, "user_id": account.user_id}
        section |= {key: own[key] for key in section if section[key] == "own"}
        fields = ", ".join(f"{key}: {value!r}" for key, value in section.items() if value)
        (self.bots / f"{name}.yaml").write_text(f"line: {{{fields}}}\n{text}", "utf-8")
        self.setenv(f"{variable}_SECRET", account.channel_secret)
        self.setenv(f"{variable}_TOKEN", account.access_token)
        return account

    def address(self, name: str) -> str:
        """Where the bot is."""
        return f"{self.door.url}/line/{name}"

    def now(self, account: Account) -> Account:
        """The account as LINE has it now."""
        return self.platform.accounts[account.user_id]

    async def _handle(self, request: Request) -> Response:
        if (instead := await run_in_threadpool(self.answer)) is not None:
            return instead
        event = http_api(request.method, request.url.path, dict(request.headers), await request.body(), False)
        answer = await run_in_threadpool(lambda: self._runtime()(event, None))
        return Response(answer["body"], answer["statusCode"])

    def _runtime(self) -> Runtime:
        """The handler with the bots as they are now. Not one for each call: LINE waits two seconds."""
        files = sorted((str(one), one.stat().st_mtime_ns) for one in self.bots.iterdir())
        if self._started is None or self._started[0] != files:
            self._started = files, Runtime.start(Path())
        return self._started[1]

    async def _list(self, request: Request) -> Response:
        self.asked.append(request.headers.get("authorization", ""))
        if self.asked[-1] != f"Bearer {self.key}":
            text = f"Incorrect API key provided: {self.asked[-1]}"
            return JSONResponse({"error": {"message": text, "code": "invalid_api_key"}}, 401)
        return JSONResponse({"object": "list", "data": [{"id": name, "object": "model"} for name in self.names]})


@contextmanager
def town() -> Iterator[Town]:
    """The servers, for a module of tests."""
    with ExitStack() as stack:
        servers = [Behind() for _ in range(3)]
        for server in servers:
            server.url = stack.enter_context(serving(server))
        yield Town(*servers)


def printed(text: str) -> Any:
    """What a command has printed with --json."""
    return json.loads(text)
