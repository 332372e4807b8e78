"""A Lambda's cold start: what its first event surely needs is loaded before it comes.

Lambda gives the start a whole processor and an invocation a share of one, by its memory (AWS Lambda developer guide:
Understanding the Lambda execution environment lifecycle; Configure Lambda function memory).
"""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Final

from botkit.demand import Adapter
from botkit.errors import BotkitError
from botkit.ports import Services
from botkit.spec.shelf import Shelf

ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "door": (),
    "worker": ("botkit.delivery.together", "botkit.delivery.sweep", "botkit.spec.loader"),
}
"""What a function is deployed for, as BOTKIT_ROLE says it, and the modules of that besides its adapters."""


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """No garbage is looked for meanwhile, and what is there at the end is never looked through again.

    Nothing that is imported goes away: looking through it again and again takes 2 to 4 % of a start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def get_ready(role: str, shelf: Shelf, services: Services) -> None:
    """Load what the first event of a `door` or a `worker` needs, as far as it can be told beforehand.

    What cannot be built now fails when it is used, where it is answered for.
    """
    for name in ROLES[role]:
        import_module(name)
    door = (services.store, services.wake)
    worker = (services.store, services.line, services.markdown, services.model)
    for service in door if role == "door" else worker:
        if isinstance(service, Adapter):
            with suppress(BotkitError):
                service.build_adapter()
    if role == "worker" and len(shelf.stems) == 1:  # of several bots nobody knows which will be called
        shelf.find(*shelf.stems)
