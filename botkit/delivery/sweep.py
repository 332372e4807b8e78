"""The sweep: conversations with overdue events are drained, so that no crash and no lost wake-up loses a message."""

import logging
from collections.abc import Callable, Mapping

from botkit.delivery.drain import LEAST_TIME
from botkit.errors import SecretError, UpstreamError
from botkit.ports import Conversation, Services
from botkit.spec.bot import BotSpec

log = logging.getLogger(__name__)

BATCH = 100
"""Conversations asked for at once."""


def sweep(
    bots: Mapping[str, BotSpec], services: Services, wake: Callable[[BotSpec, Conversation], None], deadline: int
) -> int:
    """Wake every overdue conversation of the bots served, while there is time; returns how many were worked off.

    One that fails does not hold up the others, and a bot without its secrets does not hold up the other bots.
    """
    able, seen, worked_off = dict(bots), set[Conversation](), 0
    while batch := _overdue(services, able, seen):
        for conversation in batch:
            if services.clock.now() > deadline - LEAST_TIME:
                log.warning("the sweep is out of time; the next one goes on")
                return worked_off
            seen.add(conversation)
            if conversation.bot in able:
                worked_off += _woken(able, conversation, wake)
    return worked_off


def _overdue(services: Services, able: Mapping[str, BotSpec], seen: set[Conversation]) -> list[Conversation]:
    # As many more as have been seen: those that failed may still be overdue, and first in line.
    overdue = services.store.overdue(services.clock.now(), BATCH + len(seen), able)
    return [conversation for conversation in overdue if conversation not in seen]


def _woken(able: dict[str, BotSpec], conversation: Conversation, wake: Callable[[BotSpec, Conversation], None]) -> bool:
    """Whether the conversation could be worked off. A bot whose secrets are missing is left out from now on."""
    try:
        wake(able[conversation.bot], conversation)
    except SecretError as error:
        log.error("bot %s: not swept: %s", conversation.bot, error)
        del able[conversation.bot]
    except UpstreamError as error:
        log.error("bot %s: a conversation is not swept: %s", conversation.bot, error)
    except Exception:  # a bug: told, and the others go on
        log.exception("bot %s: a conversation is not swept", conversation.bot)
    else:
        return True
    return False
