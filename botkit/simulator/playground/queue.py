"""The queue that wakes a worker, as Amazon SQS keeps it: a standard queue with a visibility timeout and a DLQ."""

import json
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from threading import Condition
from typing import Any, Final
from uuid import uuid4

from botkit.errors import WakeError
from botkit.ports import Clock, Conversation, Wakeup

log = logging.getLogger(__name__)

BATCH: Final = 10
"""Messages in one invocation at most (Lambda: the default batch size of an SQS queue)."""
LONGEST_HIDING: Final = 12 * 60 * 60 * 1000
"""In ms (SQS API reference: ChangeMessageVisibility, VisibilityTimeout)."""
MOST_RECEIVES: Final = 5
"""The deployed queue's maxReceiveCount: who would be received once more is a dead letter."""


@dataclass(slots=True)
class Message:
    """A message of the queue; lives until it is deleted or dead.

    It can be received from `visible_at` on (ms since 1970). `receipt` names its newest receipt, "" before the first;
    `taken`: an invocation has it in its hands, as far as the queue knows.
    """

    id: str
    conversation: Conversation
    visible_at: int
    receives: int = 0
    receipt: str = ""
    taken: bool = False


class Queue:
    """The port `Wake`, and the queue behind it; lives as long as the program.

    `bell` guards it, and rings when it fills. `visibility` (ms): how long a message is hidden from other
    workers once one has it.
    """

    def __init__(self, clock: Clock, bell: Condition, visibility: int) -> None:
        self._clock = clock
        self._bell = bell
        self._visibility = visibility
        self._messages: dict[str, Message] = {}
        self._dead = 0

    # ---------------------------------------------------------------- what botkit asks of it

    def send(self, conversations: Sequence[Conversation]) -> None:
        """Put one message for each conversation; a worker gets it at once."""
        now = self._clock.now()
        with self._bell:
            for conversation in conversations:
                message = Message(str(uuid4()), conversation, now)
                self._messages[message.id] = message
            self._bell.notify_all()

    def come_back(self, wakeup: Wakeup, ms: int) -> None:
        """Hide the message for so long, from now, rounded up to a second. Raises WakeError where its receipt is old."""
        with self._bell:
            message = self._messages.get(wakeup.id)
            if message is None or message.receipt != wakeup.receipt:
                raise WakeError("the queue has taken the message back meanwhile")
            hidden = min(max(-(-ms // 1000), 0) * 1000, LONGEST_HIDING)
            message.visible_at = self._clock.now() + hidden
            self._bell.notify_all()

    # ---------------------------------------------------------------- what Lambda asks of it

    def receive(self) -> list[Message]:
        """Up to ten messages that can be seen now, each under a new receipt. Those received too often are dead."""
        now = self._clock.now()
        with self._bell:
            seen = [message for message in self._messages.values() if message.visible_at <= now]
            for message in seen:
                if message.receives >= MOST_RECEIVES:
                    self._bury(message)
            batch = [message for message in seen if message.id in self._messages][:BATCH]
            for message in batch:
                message.visible_at = now + self._visibility
                message.receives += 1
                message.receipt = str(uuid4())
                message.taken = True
            return batch

    def settle(self, receipts: Collection[str], failed: Collection[str]) -> None:
        """An invocation has ended: of what it got under these receipts all is deleted but the messages that failed.

        What another worker has received meanwhile is that one's.
        """
        with self._bell:
            mine = [message for message in self._messages.values() if message.receipt in receipts]
            for message in mine:
                message.taken = False
                if message.id not in failed:
                    del self._messages[message.id]
            self._bell.notify_all()

    # ---------------------------------------------------------------- what can be seen

    @property
    def waiting(self) -> int:
        """Messages that no worker has now."""
        with self._bell:
            return sum(not message.taken for message in self._messages.values())

    @property
    def dead(self) -> int:
        """Messages that were received too often; nobody gets them any more."""
        with self._bell:
            return self._dead

    @property
    def next_due(self) -> int | None:
        """When the next message can be received (ms since 1970)."""
        with self._bell:
            return min((message.visible_at for message in self._messages.values()), default=None)

    def _bury(self, message: Message) -> None:
        log.error(
            "bot %s: a wake-up was received %d times to no effect, and goes to the DLQ; the sweep sees to its messages",
            message.conversation.bot,
            message.receives,
        )
        del self._messages[message.id]
        self._dead += 1


def batch_of(messages: Iterable[tuple[str, Conversation]]) -> dict[str, Any]:
    """Messages, each by its id, as a Lambda event; each as if received for the first time."""
    return event_of(Message(name, conversation, 0, 1, name) for name, conversation in messages)


def event_of(messages: Iterable[Message]) -> dict[str, Any]:
    """Received messages as Lambda hands them to the handler (Lambda developer guide: Using Lambda with Amazon SQS)."""
    return {"Records": [_record(message) for message in messages]}


def _record(message: Message) -> dict[str, Any]:
    named = {"bot": message.conversation.bot, "conversation": message.conversation.id}
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": json.dumps(named, separators=(",", ":")),
        "attributes": {"ApproximateReceiveCount": str(message.receives)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:botkit",
        "awsRegion": "us-east-1",
    }
