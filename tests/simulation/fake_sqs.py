"""A standard queue: visibility, receive counts, a dead-letter queue, now and then a message twice, no order."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from botkit.errors import WakeError
from botkit.ports import Conversation, Wakeup
from tests.simulation.fake_dynamodb import Around
from tests.simulation.faults import COMMON, Fault, Nature
from tests.simulation.scheduler import Scheduler

MOST_RECEIVES = 5
"""After so many the queue gives up on a message (the deployment's redrive policy)."""
BATCH = 10


@dataclass
class Message:
    """A message of the queue; `receipt` is of its latest delivery."""

    id: str
    body: str
    visible_at: int
    receives: int = 0
    receipt: str = ""

    def record(self) -> dict[str, Any]:
        """As Lambda passes it on."""
        return {
            "messageId": self.id,
            "receiptHandle": self.receipt,
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.receives), "SentTimestamp": "0"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:botkit",
            "awsRegion": "us-east-1",
        }


@dataclass
class FakeQueue:
    """The queue itself. `visibility` in ms; `changed` is called when a message may become visible at another time."""

    scheduler: Scheduler
    visibility: int
    changed: Callable[[], None]
    messages: dict[str, Message] = field(default_factory=dict)
    dead: list[Message] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def put(self, conversation: Conversation) -> None:
        """A new message; one in thirty comes twice."""
        body = json.dumps({"bot": conversation.bot, "conversation": conversation.id})
        for _ in range(1 if self.scheduler.random.random() > 1 / 30 else 2):
            delay = self.scheduler.random.randint(5, 120)
            message = Message(f"q{next(self._numbers)}", body, self.scheduler.now + delay)
            self.messages[message.id] = message
            self.changed()

    def put_all(self, conversations: Sequence[Conversation]) -> None:
        """New messages."""
        for conversation in conversations:
            self.put(conversation)

    def receive(self) -> list[Message]:
        """Up to ten visible messages, in no order; those received too often go to the dead-letter queue."""
        visible = [message for message in self.messages.values() if message.visible_at <= self.scheduler.now]
        self.scheduler.random.shuffle(visible)
        batch = []
        for message in visible[:BATCH]:
            if message.receives >= MOST_RECEIVES:
                self.dead.append(self.messages.pop(message.id))
                continue
            message.receives += 1
            message.receipt = f"{message.id}-{message.receives}"
            message.visible_at = self.scheduler.now + self.visibility
            batch.append(message)
        self.changed()
        return batch

    def delete(self, receipts: Sequence[str]) -> None:
        """Done with."""
        for message in list(self.messages.values()):
            if message.receipt in receipts:
                del self.messages[message.id]

    def hide(self, receipt: str, ms: int) -> None:
        """ChangeMessageVisibility: of a message that is there no more, or was received again, nothing changes."""
        for message in self.messages.values():
            if message.receipt == receipt:
                message.visible_at = self.scheduler.now + ms
                self.changed()

    def next_visible(self) -> int | None:
        """When the next message can be received."""
        return min((message.visible_at for message in self.messages.values()), default=None)


@dataclass(frozen=True)
class FakeWake:
    """The port `Wake`, as one process holds it."""

    queue: FakeQueue
    around: Around

    def send(self, conversations: Sequence[Conversation]) -> None:
        self.around("wake.send", _NATURE, lambda: self.queue.put_all(conversations), conversations)

    def come_back(self, wakeup: Wakeup, ms: int) -> None:
        self.around("wake.come_back", _NATURE, lambda: self.queue.hide(wakeup.receipt, ms), (wakeup.id, ms))


def _error(fault: Fault, n: int) -> Exception:
    return WakeError("the queue did not answer", retryable=True)


_NATURE = Nature(_error, (3, 15), (500, 1500), (*COMMON, Fault.TWICE, Fault.LATE))
