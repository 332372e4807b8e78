"""The sweep: conversations with overdue events are drained, so that no crash and no lost wake-up loses a message."""

import logging
from collections.abc import Callable, Mapping

from botkit.errors import UpstreamError
from botkit.ports import Conversation, Services
from botkit.spec.bot import BotSpec

log = logging.getLogger(__name__)

LIMIT = 100
"""Conversations looked after in one sweep; the rest is for the next."""


def sweep(bots: Mapping[str, BotSpec], services: Services, wake: Callable[[BotSpec, Conversation], None]) -> int:
    """Wake every conversation that is overdue; returns how many. One that fails does not hold up the others."""
    overdue = services.store.overdue(services.clock.now(), LIMIT)
    for conversation in overdue:
        bot = bots.get(conversation.bot)
        if bot is None:
            log.error("bot %s has waiting messages but is not served", conversation.bot)
            continue
        try:
            wake(bot, conversation)
        except UpstreamError as error:
            log.error("bot %s: not swept: %s", bot.name, error)
    return len(overdue)
