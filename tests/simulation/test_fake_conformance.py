"""The store of the deployed bots, on the simulation's DynamoDB, passes the suite that every store passes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any, cast

import pytest

from botkit.ports import Store
from botkit.stores.dynamodb import DynamoStore
from tests.simulation.backends import TABLE
from tests.simulation.fake_dynamodb import FakeDynamoDB
from tests.stores.test_conformance import *  # noqa: F403
from tests.support.samples import NOW

SMALLEST_PAGES = 2
"""Items on a page of a Query: DynamoDB ends one after 1 MB, here nearly at once."""


def opener(page: int) -> Callable[[], Store]:
    service = FakeDynamoDB(lambda: NOW, page=page)
    service.create(TABLE)
    return lambda: DynamoStore(TABLE, cast(Any, service.client(strict=True)), pause=lambda seconds: None)


# These two stand in place of the suite's own.
@pytest.fixture(params=[1000, SMALLEST_PAGES], ids=["simulated", "simulated-in-small-pages"])  # type: ignore[no-redef]
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with closing(cast(Any, opener(request.param)())) as opened:
        yield opened


@pytest.fixture(params=[1000], ids=["simulated"])  # type: ignore[no-redef]
def reopen(request: pytest.FixtureRequest) -> Iterator[Callable[[], Store]]:
    open_anew = opener(request.param)
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(cast(Any, open_anew())))
