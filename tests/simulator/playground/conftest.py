import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def own_steps_go_with_their_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bots folder of one test is no package to another one's."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "bots"]:
        del sys.modules[name]
