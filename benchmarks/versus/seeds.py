"""Messages that are stored already, as each contestant has them in DynamoDB."""

import time
from collections.abc import Iterator
from typing import Any

from benchmarks.versus.contestants import Contestant
from benchmarks.versus.events import BOT, TEXT
from botkit.messages import Message, Role
from botkit.ports import Conversation, Memory
from botkit.stores.dynamodb_items import message_item
from botkit.stores.dynamodb_table import to_wire

TOKENS = 13
"""Of the text, in o200k_base."""
MINUTE, MONTH = 60_000, 30 * 24 * 3_600_000


def seeds(contestant: Contestant, user_id: str, size: int) -> list[dict[str, Any]]:
    """The items of so many messages, a minute between them, the last one a minute ago; in DynamoDB's own JSON."""
    make = _of_botkit if contestant.queued else _by_hand
    return [make(user_id, number, at, role) for number, at, role in _said(size)]


def _said(size: int) -> Iterator[tuple[int, int, Role]]:
    """The number of the pair, the time in ms and the role of each message; people and bot take turns."""
    now = int(time.time() * 1000)
    for number in range(size):
        yield number // 2, now - (size - number) * MINUTE, "assistant" if number % 2 else "user"


def _by_hand(user_id: str, _number: int, at: int, role: Role) -> dict[str, Any]:
    return {"pk": {"S": user_id}, "sk": {"S": f"{at * 1_000_000:020d}"}, "role": {"S": role}, "text": {"S": TEXT}}


def _of_botkit(user_id: str, number: int, at: int, role: Role) -> dict[str, Any]:
    message = Message(role, TEXT, tokens=TOKENS)
    memory = Memory(f"01{number:024X}", at, at + MONTH, message, user_id)
    return to_wire(message_item(Conversation(BOT, f"user:{user_id}"), memory))
