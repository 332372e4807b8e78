"""Bots in a package on machines like Lambda's, with LINE, a model and AWS around them."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from botkit.simulator.app import create_app
from botkit.simulator.chats import Account, Person
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving
from botkit.simulator.wire import Delivery
from botkit.stores.dynamodb import create_table
from botkit.testing import MovableClock
from tests.support.aws import poll
from tests.support.openai_server import OpenAIServer, openai_server
from tests.support.package import build_for
from tests.support.runtime_api import Function, Home, function, home
from tests.support.shapes import http_api

SWEEP = {"botkit": "sweep"}
PERSONA = "You are kind."
KIND = f"""\
persona: {PERSONA}
model: gpt-4.1-mini
line: {{channel_secret: env:SECRET, channel_access_token: env:TOKEN}}
reply: {{slow: silence}}
pipeline: [reply, {{use: bots.own:Trap, with: {{mended: MENDED}}}}, history, persona, model]
"""
VAULT = KIND.replace("env:SECRET", "env:VAULT_SECRET").replace("env:TOKEN", "secretsmanager:botkit-vault#token")
OWN = """\
import os
import re
import time

import botkit
from botkit.errors import StoreError


def hang():
    re.match("(a+)+$", "a" * 60 + "b")  # for years, and no other thread runs meanwhile


def eat():
    eaten = []
    while True:
        eaten.append(b"." * (1 << 23))
        time.sleep(0.002)


def fail():
    raise StoreError("the store is down")


TRAPS = {"hang": hang, "eat": eat, "fail": fail}


class Trap(botkit.Step):
    mended: str

    def __call__(self, turn, call_next):
        if turn.text == "where?":
            return botkit.Reply.of(botkit.__file__)
        if turn.text in TRAPS and not os.path.exists(self.mended):
            TRAPS[turn.text]()
        while turn.text == "sleep" and not os.path.exists(self.mended):
            time.sleep(0.05)
        return call_next(turn)
"""


@dataclass(frozen=True)
class Bots:
    """Bots with traps, which a file `mended`, once it is there, disarms. The package of them can be made anew."""

    mended: Path
    folder: Path

    def package(self, persona: str = PERSONA) -> Path:
        """The zip that `botkit package` makes of them, with this persona."""
        bots = self.folder / str(len(list(self.folder.iterdir()))) / "bots"
        bots.mkdir(parents=True)
        for name, text in {"kind.yaml": KIND, "vault.yaml": VAULT, "own.py": OWN}.items():
            text = text.replace("MENDED", str(self.mended)).replace(PERSONA, persona)
            (bots / name).write_text(text, "utf-8")
        return build_for(bots, bots.with_name("botkit.zip")).path


def until(
    is_so: Callable[[], Any], seconds: float = 60, tell: Callable[[], str] = str, tick: Callable[[], object] = bool
) -> None:
    """Ask until it is so, for so many seconds at most; at each second `tick` is called."""
    began, ticks = time.monotonic(), 0
    while not is_so():
        passed = time.monotonic() - began
        assert passed < seconds, tell()
        if passed >= ticks:
            tick()
            ticks = int(passed) + 1
        time.sleep(0.05)


@pytest.fixture(scope="session")
def trapped(tmp_path_factory: pytest.TempPathFactory) -> Bots:
    return Bots(tmp_path_factory.mktemp("mended") / "mended", tmp_path_factory.mktemp("bots"))


@pytest.fixture(scope="session")
def package(trapped: Bots) -> Path:
    return trapped.package()


@pytest.fixture
def mended(trapped: Bots) -> Iterator[Path]:
    """The file that disarms the traps of all bots here, for the rest of the test."""
    yield trapped.mended
    trapped.mended.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def lambda_home(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with home(package, tmp_path_factory.mktemp("machine")) as made:
        yield made


@pytest.fixture(scope="session")
def model_server() -> Iterator[OpenAIServer]:
    with openai_server() as server:
        yield server


@dataclass
class World:
    """LINE, a model, a table and a queue, and the functions that are started among them; lives as long as its module.

    `environ` is what its owner sets on a function.
    """

    home: Home
    platform: Platform
    account: Account
    model: OpenAIServer
    sqs: Any
    queue: str
    environ: Mapping[str, str]
    logs: Path
    _stack: ExitStack = field(default_factory=ExitStack)
    _count: Iterator[int] = field(default_factory=itertools.count)

    def function(self, memory: int | None = None, **environ: str) -> Function:
        """A function with this besides in its environment; killed where it takes more memory, in bytes."""
        logs = self.logs / str(next(self._count))
        return self._stack.enter_context(function(self.home, {**self.environ, **environ}, logs, memory))

    def person(self) -> Person:
        """Somebody new."""
        return self.platform.add_person("Hana")

    def say(self, person: Person, text: str) -> dict[str, Any]:
        """Somebody writes; the event in which the webhook reaches a function."""
        return event_of(self.platform.say(self.account, person, text))

    def heard(self, person: Person) -> list[str]:
        """What the bot has said to them."""
        return self.platform.chat(self.account, person).texts

    def batch(self, messages: int = 1) -> dict[str, Any]:
        """So many messages of the queue, as soon as it has them; they are hidden from then on."""
        records: list[Any] = []

        def all_are_there() -> bool:
            records.extend((self.next() or {"Records": ()})["Records"])
            return len(records) >= messages

        until(all_are_there)
        return {"Records": records}

    def next(self) -> dict[str, Any] | None:
        """As `batch`; None where there is nothing."""
        return poll(self.sqs, self.queue)


def event_of(delivery: Delivery) -> dict[str, Any]:
    """A webhook as an HTTP API hands it over."""
    return http_api("POST", "/line/kind", delivery.headers, delivery.body, False)


@pytest.fixture(scope="module")
def world(
    lambda_home: Home,
    aws_endpoint: str,
    dynamodb_client: Any,
    sqs_client: Any,
    model_server: OpenAIServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    platform = Platform(MovableClock(tick=1))
    account = platform.add_account("kind")
    name = f"botkit-{folder.name}"
    create_table(name, dynamodb_client)
    queue = sqs_client.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "300"})["QueueUrl"]
    with serving(create_app(platform)) as line, ExitStack() as stack:
        environ = {
            "AWS_ENDPOINT_URL": aws_endpoint,
            "BOTKIT_STORE": f"dynamodb://{name}",
            "BOTKIT_QUEUE": queue,
            "BOTKIT_LINE_URL": line,
            "OPENAI_API_KEY": model_server.key,
            "OPENAI_BASE_URL": model_server.url,
            "SECRET": account.channel_secret,
            "TOKEN": account.access_token,
        }
        yield World(lambda_home, platform, account, model_server, sqs_client, queue, environ, folder / "logs", stack)
