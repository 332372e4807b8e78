"""The sweep: conversations with overdue events are woken, so that no crash and no lost wake-up loses a message."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence

from botkit.delivery.drain import LEAST_TIME
from botkit.delivery.together import Rest
from botkit.errors import SecretError
from botkit.ports import Conversation, Services

log = logging.getLogger(__name__)

BATCH = 100
"""Conversations asked for at once."""

WakeAll = Callable[[Sequence[Conversation]], Mapping[Conversation, Rest]]


def sweep(bots: Collection[str], services: Services, wake: WakeAll, deadline: int) -> int:
    """Wake every overdue conversation of these bots, while there is time; returns for how many that went well.

    `wake` works on some conversations and says what came of each. One that fails does not hold up the
    others, and a bot without its secrets does not hold up the other bots.
    """
    able, seen, woken = set(bots), set[Conversation](), 0
    while batch := _overdue(services, able, seen):
        if services.clock.now() > deadline - LEAST_TIME:
            log.warning("the sweep is out of time; the next one goes on")
            break
        seen.update(batch)
        outcomes = wake(batch)
        able -= {one.bot for one, outcome in outcomes.items() if isinstance(outcome, SecretError)}
        woken += sum(not isinstance(outcome, Exception) for outcome in outcomes.values())
    return woken


def _overdue(services: Services, able: Collection[str], seen: set[Conversation]) -> list[Conversation]:
    # As many more as have been seen: those that failed may still be overdue, and first in line.
    overdue = services.store.overdue(services.clock.now(), BATCH + len(seen), able)
    return [conversation for conversation in overdue if conversation not in seen]
