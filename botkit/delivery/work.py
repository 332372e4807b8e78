"""What the parts of a drain share: the work under one lease, and what comes of a piece of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from botkit.messages import Chat
from botkit.ports import Answer, Count, Lease, Note, Pending, Services
from botkit.spec.bot import BotSpec
from botkit.steps.reply import Reply
from botkit.usage import statistics

MOST_COVERED = 20
"""Events that one transaction of the store can end besides its own."""


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work under a lease; lives until the event it is about is settled.

    `deadline` (ms since 1970) is when the process must be done. `last`: nothing else is known to wait,
    so the lease is given back with the write that ends this.
    """

    bot: BotSpec
    services: Services
    lease: Lease
    deadline: int
    access_token: str = field(repr=False)
    last: bool = False

    @property
    def now(self) -> int:
        """Milliseconds since 1970."""
        return self.services.clock.now()

    @property
    def manners(self) -> Reply:
        """The bot file's `reply` section."""
        return self.bot.step(Reply) or Reply()

    def statistics(self, amounts: Mapping[str, int], user_id: str | None, event_id: str) -> list[Count]:
        """What `botkit usage` is to show of an event of this person: the day of the bot, the month of the person."""
        return statistics(amounts, user_id=user_id, event_id=event_id, now=self.now, zone=self.bot.timezone)

    def note(self, text: str) -> Note:
        """A line for the event's story."""
        return Note(self.now, text)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: the lease, None once it was given back; and when what is left is due (ms since 1970)."""

    lease: Lease | None
    again: int | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A fixed answer to be sent.

    `pending` is its event as it was found, by a worker that may be another than the one that made the
    answer. `slow`: it was begun while the token lived, and took too long. `first`: nothing in it was ever
    refused, so if LINE refuses it for good, it may be shown with the next reply. `apology`: it only says
    that there is no answer, which nobody wants to read above a later one. `tapped`: somebody has tapped for it.
    """

    pending: Pending
    chat: Chat
    reply_token: str = field(repr=False)
    answer: Answer
    slow: bool = False
    first: bool = False
    apology: bool = False
    tapped: bool = False
