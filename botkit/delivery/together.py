"""Drains many conversations at once: they wait for their models together, and none of them for another's failure."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from itertools import islice
from typing import TypeVar
from zlib import crc32

from botkit.delivery.drain import Worker, take
from botkit.errors import UpstreamError
from botkit.ports import Conversation, Held, Services, Wakeup
from botkit.spec.bot import BotSpec

log = logging.getLogger(__name__)

AT_ONCE = 10
"""Conversations drained at the same time. Each takes two of the pool's threads, and those its steps spawn."""
PATIENCE = 3
"""How often a wake-up comes back for a conversation that another worker has; from then on the sweep sees to it."""
FIRST_PAUSE, LONGEST_PAUSE = 5 * 1000, 2 * 60 * 1000
"""Before a failed wake-up comes again, in ms; doubled each time."""

Rest = int | Exception | None
"""What a drain has left: nothing, or something that is due then (ms since 1970), or all, for this reason."""
FindBot = Callable[[str], BotSpec | None]
T = TypeVar("T")


def drain_together(
    find: FindBot, conversations: Sequence[Conversation], services: Services, owner: str, deadline: int
) -> dict[Conversation, Rest]:
    """Drain each conversation, ten at once. Where `find` does not know the bot any more, nothing is done.

    Those whose last worker has crashed come after the others, one by one: what killed it may kill this process.
    """
    outcomes: dict[Conversation, Rest] = {}
    suspects: dict[Conversation, Worker] = {}
    left = iter(dict.fromkeys(conversations))
    begin = partial(_begin, find, services=services, owner=owner, deadline=deadline)
    while chunk := list(islice(left, AT_ONCE)):
        for one, begun in _at_once(services.pool, begin, chunk):
            if isinstance(begun, Worker):
                suspects[one] = begun
            else:
                outcomes[one] = begun
    for one in sorted(suspects, key=lambda one: crc32(f"{owner} {one.id}".encode())):  # each time another one first
        outcomes[one] = _outcome(suspects[one].drain)
    return outcomes


def drain_batch(find: FindBot, wakeups: Sequence[Wakeup], services: Services, owner: str, deadline: int) -> list[str]:
    """Drain the conversations of a batch of the queue; returns the ids of the messages that must come again.

    Those are asked to come when there is something to do: at the end of another worker's lease, when
    what was postponed is due, after a pause that grows where something failed.
    """
    conversations = [wakeup.conversation for wakeup in wakeups]
    outcomes = drain_together(find, conversations, services, owner, deadline)
    failed = []
    for wakeup in wakeups:
        pause = _pause(wakeup, outcomes[wakeup.conversation], services.clock.now())
        if pause is not None:
            failed.append(wakeup.id)
            _come_back(services, wakeup, pause)
    return failed


def _begin(
    find: FindBot, conversation: Conversation, *, services: Services, owner: str, deadline: int
) -> "int | Worker | None":
    """Drain a conversation, or only take it where its last worker has crashed."""
    bot = find(conversation.bot)
    if bot is None:
        log.error("bot %s: a conversation is waiting, and the bot is gone or its file broken", conversation.bot)
        return None
    worker = take(bot, conversation, services, owner, deadline)
    if isinstance(worker, Held):
        return worker.until
    return worker if worker.is_suspect else worker.drain()


def _at_once(
    pool: Executor, work: Callable[[Conversation], T], conversations: Sequence[Conversation]
) -> Iterator[tuple[Conversation, T | Exception]]:
    """What comes of the work on each. A single one is done in this thread: another one takes 0.1 ms to come and go."""
    if len(conversations) == 1:
        yield conversations[0], _outcome(partial(work, conversations[0]))
        return
    running = {one: pool.submit(work, one) for one in conversations}
    for one, future in running.items():
        yield one, _outcome(future.result)


def _outcome(result: Callable[[], T]) -> T | Exception:
    try:
        return result()
    except Exception as error:  # told here, at the edge, and the others go on
        if isinstance(error, UpstreamError):
            log.error("a conversation is left for later: %s", error)
        else:
            log.exception("a conversation is left for later")
        return error


def _pause(wakeup: Wakeup, outcome: Rest, now: int) -> int | None:
    """How long until the wake-up must come again, in ms; None: it is done with."""
    if isinstance(outcome, Exception):
        return min(FIRST_PAUSE << min(max(0, wakeup.receives - 1), 10), LONGEST_PAUSE)
    if outcome is None or wakeup.receives > PATIENCE:
        return None
    return max(0, outcome - now)


def _come_back(services: Services, wakeup: Wakeup, pause: int) -> None:
    try:
        if services.wake is not None:
            services.wake.come_back(wakeup, pause)
    except UpstreamError as error:
        log.warning("a wake-up comes again at the queue's own time: %s", error)
