"""The other side of the wire for benchmarks: LINE, a model and a queue in this process."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

from botkit.errors import LineRefused, ModelError
from botkit.line.signature import sign
from botkit.messages import Chat, Content, Profile
from botkit.ports import ChatRequest, Completion, Conversation, LineMessage, Usage, Wakeup

SECRET = "benchmark-secret"
POISON = "poison"
HANGS = 10.0
"""Seconds for which poison occupies the model."""


@dataclass
class FakeLine:
    """LINE: a token is spent once. `words` counts what was said in all, `at` says when a token was spent (seconds)."""

    delivered: Counter[str] = field(default_factory=Counter)
    said: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    at: dict[str, float] = field(default_factory=dict)
    words: int = 0
    _lock: Lock = field(default_factory=Lock)
    _ids: Any = field(default_factory=lambda: count(1))

    def reply(self, token: str, reply_token: str, messages: Sequence[LineMessage]) -> tuple[str, ...]:
        with self._lock:
            if self.delivered[reply_token]:
                raise LineRefused(400, "Invalid reply token")
            self.delivered[reply_token] += 1
            self.said[reply_token] = [str(message.get("text", "")) for message in messages]
            self.words += sum(len(text.split()) for text in self.said[reply_token])
            self.at[reply_token] = time.perf_counter()
            return tuple(str(next(self._ids)) for _ in messages)

    def push(self, token: str, to: str, messages: Sequence[LineMessage], retry_key: str) -> tuple[str, ...]:
        return self.reply(token, retry_key, messages)

    def start_loading(self, token: str, user_id: str, seconds: int) -> None:
        pass

    def profile(self, token: str, chat: Chat, user_id: str) -> Profile | None:
        return None

    def chat_name(self, token: str, chat: Chat) -> str | None:
        return None

    def member_count(self, token: str, chat: Chat) -> int:
        return 1

    def content(self, token: str, message_id: str) -> Content | None:
        return None


@dataclass
class FakeModel:
    """A model that thinks for so many seconds and repeats what is new to it; poison makes it hang, and fail."""

    seconds: float = 0.0
    asked: int = 0

    def complete(self, request: ChatRequest) -> Completion:
        self.asked += 1
        new = []
        for message in reversed(request.messages):
            if message.role != "user":
                break
            new.append(message.text)
        time.sleep(HANGS if POISON in new else self.seconds)
        if POISON in new:
            raise ModelError("poison", retryable=True)
        return Completion(" ".join(reversed(new)), Usage(request.model, 10, 10))

    def count_tokens(self, model: str, text: str) -> int:
        return len(text) // 4 + 1


class FakeQueue:
    """A standard queue without its network: at most ten messages a batch, failed ones come back."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[float, int, Conversation]] = SimpleQueue()

    def send(self, conversations: Sequence[Conversation]) -> None:
        for conversation in conversations:
            self._waiting.put((0.0, 1, conversation))

    def come_back(self, wakeup: Wakeup, ms: int) -> None:
        self._waiting.put((time.monotonic() + ms / 1000, wakeup.receives + 1, wakeup.conversation))

    def batch(self) -> dict[str, Any] | None:
        """Up to ten messages as Lambda would get them; None where nothing comes for a little while."""
        records: list[dict[str, Any]] = []
        later = []
        try:
            while len(records) < 10:
                due, receives, one = self._waiting.get(timeout=0.02 if not records else 0.0)
                if due > time.monotonic():
                    later.append((due, receives, one))
                    if len(later) > 50:
                        break
                    continue
                records.append(_record(str(len(records)), receives, one))
        except Empty:
            pass
        for one_later in later:
            self._waiting.put(one_later)
        return {"Records": records} if records else None


def _record(message_id: str, receives: int, conversation: Conversation) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "receiptHandle": message_id,
        "body": json.dumps({"bot": conversation.bot, "conversation": conversation.id}),
        "attributes": {"ApproximateReceiveCount": str(receives)},
        "eventSource": "aws:sqs",
    }


def webhook(number: int, user: int, text: str) -> dict[str, Any]:
    """A signed webhook with one message, as API Gateway hands it over; its reply token is `T{number}`."""
    now = int(time.time() * 1000)
    event = {
        "type": "message",
        "mode": "active",
        "webhookEventId": f"E{number:026d}",
        "timestamp": now,
        "deliveryContext": {"isRedelivery": False},
        "source": {"type": "user", "userId": f"U{user:032x}"},
        "replyToken": f"T{number}",
        "message": {"type": "text", "id": f"{number:018d}", "text": text},
    }
    body = json.dumps({"destination": "U" + "0" * 32, "events": [event]}).encode()
    return {
        "version": "2.0",
        "requestContext": {"http": {"method": "POST"}},
        "rawPath": "/line/bench",
        "headers": {"x-line-signature": sign(SECRET, body)},
        "body": body.decode(),
        "isBase64Encoded": False,
    }
