"""The whole chain: LINE → HTTP API → Lambda → SQS → Lambda → DynamoDB, the model, and LINE again."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from botkit.simulator.app import create_app
from botkit.simulator.chats import Account, Person
from botkit.simulator.platform import Platform
from botkit.stores.dynamodb import create_table
from botkit.testing import MovableClock
from tests.support.chain import ROOT, Chain, deployed
from tests.support.moment import Counted
from tests.support.openai_server import OpenAIServer

REPLY = "/v2/bot/message/reply"
KIND = """\
persona: You are kind.
model: gpt-4.1-mini
line: {channel_secret: env:SECRET, channel_access_token: env:TOKEN}
"""
WHERE = KIND + "pipeline: [reply, {use: bots.own:Where}, persona, model]\n"
BROKEN = KIND + "pipeline: [reply, {use: bots.own:Broken}, persona, model]\n"
OWN = """\
import botkit, botkit.errors, os
class Where(botkit.Step):
    def __call__(self, turn, call_next):
        return botkit.Reply.of(botkit.__file__)
class Broken(botkit.Step):
    def __call__(self, turn, call_next):
        if not os.path.exists(os.environ["MENDED"]):
            raise botkit.errors.StoreError("the store is down")
        return call_next(turn)
"""


@dataclass
class Deployed:
    """A deployment, and those at its two ends. Once the file `mended` is there, one of its bots works."""

    chain: Chain
    platform: Platform
    account: Account
    mended: Path


@dataclass
class Ends:
    """A test's view of it: somebody new, and what the bot's replies bring."""

    chain: Chain
    platform: Platform
    account: Account
    mended: Path
    replies: Counted
    model: OpenAIServer
    hana: Person

    def say(self, text: str, bot: str = "kind") -> tuple[int, Any]:
        return self.chain.post(f"/line/{bot}", self.platform.say(self.account, self.hana, text))

    @property
    def heard(self) -> list[tuple[str, str]]:
        return [(one.via, one.text) for one in self.platform.chat(self.account, self.hana).answers]

    def wait_for_reply(self) -> None:
        """Until LINE was asked for one more reply."""
        assert self.replies.wait(), self.chain.story()

    def wait_until_done(self) -> None:
        """Until the queue is empty: it deletes a message only after the worker has ended, and tells nobody."""
        until(lambda: not self.chain.waiting())

    def wait_until_failed(self) -> None:
        """Until a worker has handed a message back."""
        until(lambda: "partial failures" in self.chain.last_result())


def until(is_so: Callable[[], bool]) -> None:
    """Ask AWS until it says so."""
    give_up = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.05)


@pytest.fixture(scope="module")
def deployment(
    aws_endpoint: str,
    dynamodb_client: Any,
    line_server: Any,
    model_server: OpenAIServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployed]:
    bots = tmp_path_factory.mktemp("chain") / "bots"
    bots.mkdir()
    files = {"kind.yaml": KIND, "where.yaml": WHERE, "broken.yaml": BROKEN, "own.py": OWN}
    for name, text in files.items():
        (bots / name).write_text(text, "utf-8")
    platform = Platform(MovableClock(tick=1))
    account = platform.add_account("kind")
    create_table("botkit-chain", dynamodb_client)
    environ = {
        "BOTKIT_STORE": "dynamodb://botkit-chain",
        "BOTKIT_LINE_URL": line_server.url,
        "OPENAI_API_KEY": model_server.key,
        "OPENAI_BASE_URL": model_server.url,
        "SECRET": account.channel_secret,
        "TOKEN": account.access_token,
        "MENDED": str(bots.with_name("mended")),
    }
    with deployed(aws_endpoint, bots, environ) as chain:
        yield Deployed(chain, platform, account, bots.with_name("mended"))


@pytest.fixture
def ends(deployment: Deployed, line_server: Any, model_server: OpenAIServer) -> Ends:
    model_server.reset()
    platform = deployment.platform
    line_server.app = replies = Counted(create_app(platform), REPLY)
    hana = platform.add_person("Hana")
    return Ends(deployment.chain, platform, deployment.account, deployment.mended, replies, model_server, hana)


def test_a_message_goes_all_the_way_and_back(ends: Ends) -> None:
    assert ends.say("今晩は 🌙 what a night") == (200, {})
    ends.wait_for_reply()
    assert ends.heard == [("reply", "今晩は 🌙 what a night")]
    ends.wait_until_done()
    assert ends.chain.sweep() == {"swept": 0}


def test_the_next_message_is_answered_with_the_first_in_mind(ends: Ends) -> None:
    for text in ("one", "two"):
        assert ends.say(text) == (200, {})
        ends.wait_for_reply()
    assert [one["content"] for one in ends.model.requests[-1].body["messages"]][1:] == ["one", "one", "two"]


def test_a_redelivery_is_answered_once(ends: Ends) -> None:
    said = ends.platform.say(ends.account, ends.hana, "once")
    for delivery in (said, said, ends.platform.redeliver(said)):
        assert ends.chain.post("/line/kind", delivery) == (200, {})
    ends.wait_for_reply()
    ends.wait_until_done()
    assert ends.chain.post("/line/kind", ends.platform.redeliver(said)) == (200, {})
    assert ends.chain.waiting() == 0
    assert ends.heard == [("reply", "once")]
    assert len(ends.model.requests) == 1


def test_what_is_not_a_signed_webhook_is_refused_and_wakes_nobody(ends: Ends) -> None:
    said = ends.platform.say(ends.account, ends.hana, "hi")
    assert ends.chain.post("/line/kind", said, signature="A" * 43 + "=") == (401, {"error": "unauthorized"})
    assert ends.chain.post("/line/ghost", said) == (401, {"error": "unauthorized"})
    assert ends.chain.ask("GET", "/line/kind") == (405, {"error": "method not allowed"})
    assert ends.chain.ask("GET", "/elsewhere") == (404, {"error": "not found"})
    assert ends.chain.ask("GET", "/botkit/health") == (200, {"ok": True})
    assert ends.chain.waiting() == 0


def test_the_code_and_the_users_own_steps_are_those_of_the_zip(ends: Ends) -> None:
    ends.say("where?", "where")
    ends.wait_for_reply()
    (said,) = ends.heard
    where = Path(said[1])
    assert where.parts[-3:] == ("code", "botkit", "__init__.py")
    assert not where.is_relative_to(ROOT)


def test_what_failed_comes_back_by_itself_and_holds_up_nobody(ends: Ends) -> None:
    """The worker hands the message back, and has the queue show it again after five seconds."""
    assert ends.say("are you there?", "broken") == (200, {})
    ends.wait_until_failed()
    assert ends.say("and you?") == (200, {})
    ends.wait_for_reply()
    assert [text for _, text in ends.heard] == ["and you?"]
    ends.mended.touch()
    ends.wait_for_reply()
    assert [text for _, text in ends.heard] == ["and you?", "are you there?"]
    ends.wait_until_done()
