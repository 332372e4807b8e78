"""The package under Lambda's own runtime (awslambdaric): what it imports, answers, logs and survives."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from botkit.simulator.app import create_app
from botkit.simulator.chats import Person
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving
from tests.deploy.conftest import SWEEP, World, until
from tests.support.moment import Moment
from tests.support.openai_server import openai_server
from tests.support.runtime_api import Died, Function, FunctionFailed, TimedOut

REPLY = "/v2/bot/message/reply"
FINE: dict[str, Any] = {"batchItemFailures": []}
BRIEF = 15
"""Seconds that an invocation has which will not end well; its lease ends two seconds after them."""
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def door(world: World) -> Function:
    """Both tell of every import."""
    return world.function(PYTHONVERBOSE="1")


@pytest.fixture(scope="module")
def worker(world: World) -> Function:
    return world.function(PYTHONVERBOSE="1")


@pytest.fixture(scope="module")
def used(world: World, door: Function, worker: Function) -> Person:
    """Somebody whose two messages have gone in at the door and were answered by the worker; the schedule came by."""
    hana = world.person()
    for text in ("今晩は 🌙", "and now?"):
        assert door(world.say(hana, text))["statusCode"] == 200, door.told()
        assert worker(world.batch()) == FINE, worker.told()
    assert worker(SWEEP) == {"swept": 0}
    return hana


def test_a_message_goes_in_at_the_door_and_is_answered_by_the_worker(world: World, used: Person) -> None:
    assert world.heard(used) == ["今晩は 🌙", "and now?"]
    said = [one["content"] for one in world.model.requests[-1].body["messages"]]
    assert said == ["You are kind.", "今晩は 🌙", "今晩は 🌙", "and now?"]


@pytest.mark.usefixtures("used")
def test_nothing_is_imported_but_the_package_the_runtime_and_python(
    world: World, door: Function, worker: Function
) -> None:
    home = world.home
    for function in (door, worker):
        files = imported_files(function)
        assert any(one.startswith(f"{home.task}/botkit/") for one in files)
        known = (f"{home.task}/", f"{home.runtime}/", f"{home.library}/")
        assert [one for one in files if not one.startswith(known) or "/python3.11/site-packages/" in one] == []
        # What both have is taken from the package, as its folder comes first.
        assert [one for one in files if one.startswith(f"{home.runtime}/") and "botocore" in one] == []


@pytest.mark.usefixtures("used")
def test_the_packages_bytecode_is_used_and_nothing_is_written(world: World, door: Function, worker: Function) -> None:
    for function in (door, worker):
        ours = [one for one in imported_files(function) if one.startswith(f"{world.home.task}/")]
        assert [one for one in ours if not one.endswith((".pyc", ".so"))] == []
        assert "wrote " not in function.stderr
        assert "could not create" not in function.stderr
    assert world.home.snapshot() == world.home.as_unpacked


@pytest.mark.usefixtures("used")
def test_the_door_pays_for_no_model_and_no_client_of_line(door: Function, worker: Function) -> None:
    heavy = {"openai", "tiktoken", "httpx2", "linebot", "botkit.line.client", "markdown_it", "boto3", "asyncio"}
    assert heavy & imported_modules(door) == set()
    # So the list is of names that could be found; tiktoken and the last three are needed by nobody there.
    assert heavy & imported_modules(worker) >= {"httpx2", "botkit.line.client"}
    assert "tiktoken" not in imported_modules(worker)


@pytest.mark.usefixtures("used")
def test_every_line_on_stdout_is_json_of_its_invocation(door: Function, worker: Function) -> None:
    for function in (door, worker):
        lines = [json.loads(line) for line in function.stdout.splitlines()]
        assert {line["request_id"] for line in lines} <= set(function.request_ids)
    assert [line["bot"] for line in lines if "_aws" in line] == ["kind", "kind"]


def test_an_event_of_no_known_shape_is_an_error_and_the_next_one_is_served(world: World) -> None:
    function = world.function()
    with pytest.raises(FunctionFailed) as failed:
        function({"what": "is this?"})
    assert failed.value.posted["errorType"] == "ConfigurationError"
    assert failed.value.posted["errorMessage"].startswith(
        "this event is of no shape that botkit knows (its keys: what)"
    )
    assert function(SWEEP) == {"swept": 0}


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("BOTKIT_STORE", "", "BOTKIT_STORE is not set; on Lambda write dynamodb://TABLE"),
        ("BOTKIT_LOG", "loud", "BOTKIT_LOG is 'loud'; write debug, info or warning"),
    ],
)
def test_a_wrong_setting_stops_the_start_in_plain_words(world: World, setting: str, value: str, words: str) -> None:
    function = world.function(**{setting: value})
    with pytest.raises(FunctionFailed) as failed:
        function(SWEEP)
    assert failed.value.posted["errorType"] == "ConfigurationError"
    assert failed.value.posted["errorMessage"] == words
    assert world.environ["SECRET"] not in function.told()


@dataclass(frozen=True)
class Accident:
    """Something that befalls a worker in the middle of its turns.

    `texts` are what different people say; the bots' traps know some words. `ends`: how the invocation ends; None
    where it has noticed in time, and hands the wake-ups back. `arm` sets up what is to happen. `at`: waits for the
    moment at which the process is to be killed; None where it is left alone. `environ`: of this function alone.
    """

    texts: tuple[str, ...]
    ends: type[Exception] | None = None
    arm: Callable[[], object] = bool
    at: Callable[[], object] | None = None
    environ: Mapping[str, str] = field(default_factory=dict)

    def befall(self, function: Function, batch: Any) -> Any:
        """What the invocation has answered. Raises how it ends."""
        self.arm()
        invocation = function.begin(batch, BRIEF)
        if self.at is not None:
            self.at()
            function.kill()
        return function.finish(invocation)


class Line:
    """A LINE of one function's own, whose first reply is lost on its way, and the second on its way back."""

    def __init__(self, platform: Platform) -> None:
        self.app: ASGIApp = create_app(platform)
        self.after = Moment(self.app, REPLY)
        self.before = Moment(self.after, REPLY, before=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    def arm(self) -> None:
        """From now on."""
        self.app = self.before

    def wait(self) -> None:
        """Until both are on their way."""
        self.before.wait()
        self.after.wait()

    def release(self) -> None:
        """Hold nothing any more."""
        self.before.release()
        self.after.release()


@pytest.fixture
def accidents(world: World) -> Iterator[dict[str, Accident]]:
    line = Line(world.platform)
    with openai_server() as slow, openai_server() as gone, serving(line) as url:
        yield {
            "a step sleeps, and a model takes too long": Accident(
                ("sleep", "slow"), arm=slow.hang, environ={"OPENAI_BASE_URL": slow.url}
            ),
            "every thread of it hangs": Accident(("hang",), TimedOut),
            "a step eats all memory": Accident(("eat",), Died),
            "killed as a model thinks, before LINE has a reply, and after LINE has one": Accident(
                ("one", "two", "three"),
                Died,
                arm=lambda: (gone.hang(), line.arm()),
                at=lambda: (until(lambda: len(gone.requests) == 4), line.wait()),
                environ={"OPENAI_BASE_URL": gone.url, "BOTKIT_LINE_URL": url},
            ),
        }
        line.release()


def test_whatever_befalls_a_worker_in_mid_turn_each_message_is_answered_once(
    world: World, door: Function, accidents: dict[str, Accident], mended: Path
) -> None:
    """Each befalls a process of its own, all at the same time. Then the bots are mended, and the work goes on."""
    people, batches = {}, {}
    functions = {name: world.function(300 * MEGABYTE, **one.environ) for name, one in accidents.items()}
    warm_up(world, door, functions.values())
    for name, one in accidents.items():
        for text in one.texts:
            people[text] = world.person()
            assert door(world.say(people[text], text))["statusCode"] == 200
        batches[name] = world.batch(len(one.texts))
    with ThreadPoolExecutor(len(accidents)) as threads:
        ends = {name: threads.submit(one.befall, functions[name], batches[name]) for name, one in accidents.items()}
    for name, one in accidents.items():
        assert type(ends[name].exception()) is (one.ends or type(None)), (name, functions[name].told())
        if one.ends is None:
            handed_back = [record["messageId"] for record in batches[name]["Records"]]
            assert ends[name].result() == {"batchItemFailures": [{"itemIdentifier": one} for one in handed_back]}
    mended.touch()
    # In this process, frozen meanwhile, threads of those turns are still alive; and it is to answer all the others.
    survivor = functions["a step sleeps, and a model takes too long"]
    until(lambda: go_on(world, survivor) and all(world.heard(one) for one in people.values()), tell=survivor.told)
    until(lambda: survivor(SWEEP) == {"swept": 0})
    assert {text: world.heard(one) for text, one in people.items()} == {text: [text] for text in people}


def warm_up(world: World, door: Function, functions: Iterable[Function]) -> None:
    """Each has answered somebody: however slow the machine is, what it does next it does at once."""
    batches = []
    for one in functions:
        assert door(world.say(world.person(), "hello"))["statusCode"] == 200
        batches.append((one, world.batch()))
    with ThreadPoolExecutor(len(batches)) as threads:
        assert list(threads.map(lambda one: one[0](one[1]), batches)) == [FINE] * len(batches)


def go_on(world: World, function: Function) -> bool:
    """What the schedule and the queue bring, once."""
    function(SWEEP)
    event = world.next()
    if event:
        function(event)
    return True


def imported_files(function: Function) -> list[str]:
    """The files from which code was loaded: what PYTHONVERBOSE tells of them."""
    told = function.stderr
    return re.findall(r"^# code object from '([^']+)'$", told, re.M) + re.findall(r"loaded from '([^']+)'", told)


def imported_modules(function: Function) -> set[str]:
    return set(re.findall(r"^import '([\w.]+)' #", function.stderr, re.M))
