"""The package in AWS's own emulator of Lambda, which kills what is late and starts what has died."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.deploy.conftest import SWEEP, World, until
from tests.support.openai_server import openai_server
from tests.support.rie import Emulator, emulated, emulator

BRIEF = 15
"""Seconds of an invocation; a lease ends two seconds after them."""

PROGRAM = emulator()
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="aws-lambda-rie is not here: uv sync --group cloud brings it, for x86_64"
)
Start = Callable[..., Emulator]


@pytest.fixture
def start(world: World, tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start(name: str, **environ: str) -> Emulator:
            assert PROGRAM is not None
            made = emulated(PROGRAM, world.home, {**world.environ, **environ}, BRIEF, tmp_path / name)
            return stack.enter_context(made)

        yield start


def test_killed_for_its_time_or_its_memory_and_answered_once(world: World, start: Start, mended: Path) -> None:
    with openai_server() as gone:
        one, two = start("one"), start("two", OPENAI_BASE_URL=gone.url)
        hana, ken = world.person(), world.person()
        for function, person in ((one, hana), (two, ken)):
            assert function(world.say(person, "今晩は"))["statusCode"] == 200, function.told()
            # On a slow machine the first turn of all may not end in time; then it is begun again.
            until(lambda function=function, person=person: go_on(world, function) and world.heard(person))
        gone.hang()
        batches = []
        for person, text in ((hana, "hang"), (ken, "gone")):
            assert one(world.say(person, text))["statusCode"] == 200
            batches.append(world.batch())
        with ThreadPoolExecutor(2) as threads:
            late, dead = threads.submit(one, batches[0]), threads.submit(two, batches[1])
            until(lambda: len(gone.requests) == 2, tell=two.told)
            two.kill_runtime()
        assert late.result() == f"Task timed out after {BRIEF}.00 seconds"
        assert dead.result()["errorType"] == "Runtime.ExitError"
        mended.touch()
        until(lambda: go_on(world, one) and len(world.heard(ken)) == len(world.heard(hana)) == 2, tell=one.told)
        until(lambda: two(SWEEP) == {"swept": 0}, tell=two.told)
    assert world.heard(hana) == ["今晩は", "hang"]
    assert world.heard(ken) == ["今晩は", "gone"]


def go_on(world: World, function: Emulator) -> bool:
    """What the schedule and the queue bring, once."""
    function(SWEEP)
    event = world.next()
    if event:
        function(event)
    return True
