"""The stage for whole-path tests: LINE, a model and a store around the real handler.py."""

import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botkit.runtime import Runtime
from botkit.simulator.chats import Account
from botkit.simulator.platform import Platform
from botkit.simulator.wire import Delivery
from tests.support.openai_server import OpenAIServer
from tests.support.shapes import Shape, http_api

ROOT = Path(__file__).parents[2]
Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]

HEAD = "line: {{channel_secret: env:{name}_SECRET, channel_access_token: env:{name}_TOKEN{more}}}\n"


@dataclass
class Stage:
    """Bots are written, the handler is started, webhooks are posted. `environ` is what the handler sees."""

    bots: Path
    platform: Platform
    openai: OpenAIServer
    setenv: Callable[[str, str], None]
    accounts: dict[str, Account] = field(default_factory=dict)
    handler: Handler | None = None
    context: Any = None
    deliveries: list[Delivery] = field(default_factory=list)

    def bot(self, name: str, text: str, *, by_destination: bool = False) -> Account:
        """Write a bot file; it gets a LINE account of its own. `text` is the file less its `line:`."""
        account = self.accounts.get(name) or self.platform.add_account(name)
        self.accounts[name] = account
        variable = name.upper().replace("-", "_")
        more = f", user_id: {account.user_id}" if by_destination else ""
        (self.bots / f"{name}.yaml").write_text(HEAD.format(name=variable, more=more) + text, "utf-8")
        self.setenv(f"{variable}_SECRET", account.channel_secret)
        self.setenv(f"{variable}_TOKEN", account.access_token)
        self.handler = None
        return account

    def own_step(self, name: str, call: str) -> str:
        """Give the bots folder a name of its own and a step in it; `call` is the body of its `__call__`.

        Returns its entry for a pipeline. The name must be new: Python imports a module once.
        """
        self.bots = self.bots.rename(self.bots.with_name(f"bots_{name}"))
        self.setenv("BOTKIT_BOTS", str(self.bots))
        lines = "\n".join(f"        {line}" for line in call.splitlines())
        code = f"from botkit import Reply, Step\nclass Own(Step):\n    def __call__(self, turn, call_next):\n{lines}\n"
        (self.bots / "own.py").write_text(code, "utf-8")
        return f"{{use: bots_{name}.own:Own}}"

    def restart(self, *, on_lines_clock: bool = False) -> None:
        """A new process, as far as the handler can tell: everything in memory is gone.

        `on_lines_clock`: its time is the platform's, and moves with it; whoever waits does not.
        """
        if on_lines_clock:
            self.handler = Runtime.start(ROOT, clock=self.platform.clock)
        else:
            self.handler = runpy.run_path(str(ROOT / "handler.py"))["handler"]

    def sweep(self, after: int = 0) -> dict[str, Any]:
        """Run the schedule's sweep, so many ms from now on LINE's clock."""
        if self.handler is None:
            self.restart(on_lines_clock=True)
        assert self.handler is not None
        self.platform.clock.sleep(after)
        return self.handler({"botkit": "sweep"}, self.context)

    def post(
        self,
        bot: str,
        delivery: Delivery | None = None,
        *,
        shape: Shape = http_api,
        is_base64: bool = False,
        path: str | None = None,
        method: str = "POST",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Post a webhook to the handler and return its answer."""
        if delivery is not None:
            self.deliveries.append(delivery)
        if self.handler is None:
            self.restart()
        assert self.handler is not None
        body = delivery.body if delivery and body is None else body or b""
        headers = delivery.headers if delivery and headers is None else headers or {}
        where = f"/line/{bot}" if path is None else path
        return self.handler(shape(method, where, headers, body, is_base64), self.context)

    def prompts(self) -> list[list[dict[str, str]]]:
        """The messages of every request that reached the model."""
        return [request.body["messages"] for request in self.openai.requests]
