"""A bots folder at work: edited between messages, with the real handler, a store, LINE over HTTP and somebody looking on."""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botkit.messages import Chat
from botkit.runtime import Runtime
from botkit.simulator.app import create_app
from botkit.simulator.chats import Account, Person
from botkit.simulator.keeper import Keeper
from botkit.simulator.platform import Platform
from botkit.simulator.playground.live import LiveShelf
from botkit.simulator.playground.settings import Settings
from botkit.simulator.playground.switch import secrets_and_model
from botkit.simulator.playground.watching import Traces, Watcher
from botkit.simulator.server import serving
from botkit.simulator.wire import Delivery
from botkit.spec.bot import BotSpec, LineAccount
from botkit.testing import MovableClock
from botkit.wiring import services
from tests.support.shapes import http_api

KIND = "persona: You are kind.\nmodel: gpt-4.1-mini\n"


@dataclass
class Workshop:
    """Write files, say something, see what comes back. `environ` is the process's environment."""

    home: Path
    environ: dict[str, str]
    line_url: str
    platform: Platform
    memory: Path | None = None
    accounts: dict[str, Account] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder = self.home / "bots"
        self.hana = self.platform.add_person("Hana", language="ja")
        self.secrets: dict[str, str] = {}
        self.start()

    def start(self) -> None:
        """Begin as a new process does."""
        store = {"BOTKIT_STORE": f"sqlite:///{self.home}/botkit.db", "BOTKIT_LINE_URL": self.line_url}
        self.settings = Settings(self.environ, self.home / ".env")
        environ = ChainMap(self.secrets, store, self.settings)  # type: ignore[arg-type]
        wired = services(environ, self.platform.clock)
        secrets, model = secrets_and_model(environ, self.platform.clock, lambda: self.shelf.all().values())
        wired = replace(wired, secrets=secrets, model=model)
        self.keeper = Keeper(self.memory)
        self.traces = Traces(wired, self.platform, self.keeper, model)
        self.traces.listen(lambda bot, event: self.told.append((bot, event)))
        self.shelf = LiveShelf(self.folder, self.dress, lambda: self.changes.append("changed"))
        self.runtime = Runtime(self.shelf, wired)

    def stop(self) -> None:
        """End as a process does. What it held is let go of now, so that its connections close in their order."""
        self.traces.keep_calls()
        self.keeper.close()
        del self.runtime, self.shelf, self.traces

    def dress(self, bot: BotSpec) -> BotSpec:
        """As the playground does: an account of this LINE, and somebody who looks on."""
        account = self.accounts.get(bot.name) or self.platform.add_account(bot.name)
        self.accounts[bot.name] = account
        secret, token = f"SECRET_{account.user_id}", f"TOKEN_{account.user_id}"
        self.secrets |= {secret: account.channel_secret, token: account.access_token}
        line = LineAccount.model_validate({"channel_secret": f"env:{secret}", "channel_access_token": f"env:{token}"})
        return replace(bot, line=line, steps=(Watcher(traces=self.traces), *bot.steps))

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def post(self, bot: str, delivery: Delivery) -> int:
        event = http_api("POST", f"/line/{bot}", delivery.headers, delivery.body, False)
        status: int = self.runtime(event, None)["statusCode"]
        return status

    def say(self, text: str, bot: str = "kind", *, chat: Chat | None = None) -> str:
        """Say it, and return what the bot has answered; "" where it has not."""
        where: Person | Chat = chat or self.hana
        account = self.accounts[bot]
        before = len(self.platform.chat(account, where).answers)
        self.last = self.platform.say(account, self.hana, text, chat=chat)
        assert self.post(bot, self.last) == 200
        return "\n".join(self.platform.chat(account, where).texts[before:])

    def trace(self, event: int = -1, bot: str = "kind") -> dict[str, Any]:
        """What happened to an event that was said last."""
        found = self.traces.of(bot, self.last.events[event]["webhookEventId"])
        assert found is not None
        return found


@contextmanager
def workshop(home: Path, environ: Mapping[str, str] = {}, memory: Path | None = None) -> Iterator[Workshop]:
    """A workshop with one bot, `kind`, in its folder."""
    (home / "bots").mkdir()
    (home / "bots" / "kind.yaml").write_text(KIND)
    platform = Platform(MovableClock(tick=1))
    with serving(create_app(platform)) as url:
        made = Workshop(home, dict(environ), url, platform, memory)
        yield made
        made.stop()
