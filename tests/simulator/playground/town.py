"""A town to try the cloud in: LINE over HTTP, one bot on a real store, and a clock that is moved by hand."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botkit.models.rehearsal import RehearsalModel
from botkit.ports import ChatModel, Services
from botkit.runtime import Runtime
from botkit.simulator.app import create_app
from botkit.simulator.chats import Account, Person
from botkit.simulator.platform import Platform
from botkit.simulator.playground.cloud import Cloud, Delivered
from botkit.simulator.playground.mischief import Mischief
from botkit.simulator.playground.mortal import Life, mortal
from botkit.simulator.server import serving
from botkit.simulator.wire import Delivery
from botkit.spec.shelf import Shelf
from botkit.wiring import services
from tests.simulator.clock import MovableClock

PATIENCE = 10.0
KIND = """\
line: {channel_secret: env:KIND_SECRET, channel_access_token: env:KIND_TOKEN}
persona: Be kind.
model: gpt-4.1-mini
"""


def until(happened: Callable[[], object]) -> None:
    """Wait for something that threads bring about without the clock."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.002)


@dataclass(frozen=True)
class Context:
    """What Lambda hands to the handler beside the event."""

    clock: MovableClock
    deadline: int

    def get_remaining_time_in_millis(self) -> int:
        return self.deadline - self.clock.now()


@dataclass
class Town:
    """The handler, and all around it. `events` are those of its invocations, `told` is what LINE has seen."""

    bots: Path
    platform: Platform
    account: Account
    hana: Person
    wired: Services
    model: ChatModel = field(default_factory=RehearsalModel)
    mischief: Mischief = field(default_factory=Mischief)
    events: list[Mapping[str, Any]] = field(default_factory=list)
    told: list[Delivered] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock: MovableClock = self.platform.clock  # type: ignore[assignment]
        self.platform.troubles = self.mischief.troubles()
        self.cloud = Cloud(self.invoke, self.clock, self.mischief, self.told.append)
        self.shelf = Shelf(self.bots)

    def write(self, text: str) -> None:
        """Give the bot this file from now on."""
        (self.bots / "kind.yaml").write_text(text, "utf-8")
        self.shelf = Shelf(self.bots)

    def invoke(self, event: Mapping[str, Any], deadline: int, life: Life) -> dict[str, Any]:
        """One invocation of the handler that is deployed."""
        self.events.append(event)
        model = self.mischief.model(self.model, life, self.clock)
        wired = replace(self.wired, model=model, wake=self.cloud.wake)
        return Runtime(self.shelf, mortal(wired, life))(event, Context(self.clock, deadline))

    # ---------------------------------------------------------------- what people do

    def say(self, text: str = "hello", person: Person | None = None) -> Delivery:
        """Somebody writes to the bot; returns the webhook that LINE has sent."""
        delivery = self.platform.say(self.account, person or self.hana, text)
        self.deliver(delivery)
        return delivery

    def deliver(self, delivery: Delivery) -> None:
        """LINE calls the bot's webhook."""
        self.cloud.deliver("kind", delivery, self.platform.redeliver)

    def pass_time(self, seconds: int) -> None:
        """Let time pass, until all that is due then is done."""
        self.clock.sleep(seconds * 1000)
        self.cloud.tick()
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is under way."""
        assert self.cloud.settle(PATIENCE), "it does not come to rest"

    # ---------------------------------------------------------------- what can be seen

    def heard(self, person: Person | None = None) -> list[tuple[str, str]]:
        """How the bot's words came, and the first line of them."""
        answers = self.platform.chat(self.account, person or self.hana).answers
        return [(one.via, one.text.partition("\n")[0]) for one in answers]

    def webhooks(self) -> list[Mapping[str, Any]]:
        """The invocations that were webhooks."""
        return [event for event in self.events if "rawPath" in event]


@contextmanager
def town(folder: Path, text: str = KIND) -> Iterator[Town]:
    """A town with one bot, `kind`, of this file; its cloud works until the end of the block."""
    bots = folder / "bots"
    bots.mkdir()
    (bots / "kind.yaml").write_text(text, "utf-8")
    platform = Platform(MovableClock())
    account = platform.add_account("kind")
    hana = platform.add_person("Hana", language="ja")
    with serving(create_app(platform)) as url:
        environ = {
            "BOTKIT_STORE": f"sqlite:///{folder}/botkit.db",
            "BOTKIT_LINE_URL": url,
            "KIND_SECRET": account.channel_secret,
            "KIND_TOKEN": account.access_token,
        }
        made = Town(bots, platform, account, hana, services(environ, platform.clock))
        made.cloud.start()
        made.settle()
        try:
            yield made
        finally:
            made.cloud.stop()


def rehearsed(text: str) -> str:
    """The first line of what the rehearsal model answers."""
    return f"rehearsal: I heard “{text}”."
