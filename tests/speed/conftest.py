"""Packages as they are deployed, and the town in which they run."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from benchmarks.loading import BOT as OTHER_BOT
from benchmarks.versus.contestants import BOT_FILE
from benchmarks.versus.events import BOT, person, webhook
from benchmarks.versus.servers import servers
from tests.speed.town import Service, Town
from tests.support.package import unpack_for

# The animation is shown where a turn takes half a second, which a machine that stalls does, and no count here may.
CALLED = BOT_FILE + "reply: {loading: false}\n"


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """A package of so many bots as Lambda unpacks it, made once. The bot that is called is the same in all."""
    return cache(lambda bots: _unpacked(bots, tmp_path_factory.mktemp("package")))


def _unpacked(bots: int, folder: Path) -> Path:
    files = folder / "bots"
    files.mkdir()
    (files / f"{BOT}.yaml").write_text(CALLED, "utf-8")
    for number in range(1, bots):
        (files / f"bot{number}.yaml").write_text(OTHER_BOT.format(n=number), "utf-8")
    return unpack_for(files, folder / "task")


@pytest.fixture(scope="module")
def town(package: Callable[[int], Path]) -> Iterator[Town]:
    with servers() as world, ExitStack() as stack:
        yield Town(world, package, stack)


@pytest.fixture(scope="module")
def warm(town: Town) -> Service:
    """Has answered two strangers: the first event loads and connects, and at the second urllib3 learns how to wait."""
    service = town.service()
    for number in (1, 2):
        service.serve(webhook(person(number)).event)
    return service
