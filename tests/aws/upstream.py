"""AWS as the tests of secrets see it: every call is counted, and may be answered otherwise or held up."""

import json
from collections.abc import Mapping
from threading import Event
from typing import Any

import pytest

from botkit.errors import SecretError
from botkit.ports import Secrets
from tests.support.wire import Lossy

OUTAGE = (503, {"__type": "ServiceUnavailable", "message": "no"})


class Upstream(Lossy):
    """Passes calls on, save those of the operations in `answers`, which get these.

    `calls` are the operations asked for, with their bodies, and `called` is set by the first. Operations
    in `held` wait for their event.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, "", times=0)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, tuple[int, Mapping[str, Any] | bytes]] = {}
        self.held: dict[str, Event] = {}
        self.called = Event()
        self.down = False

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def answer(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes] | None:
        operation = headers["X-Amz-Target"].rpartition(".")[2]
        self.calls.append((operation, json.loads(body)))
        self.called.set()
        if operation in self.held:
            assert self.held[operation].wait(10)
        status, content = OUTAGE if self.down else self.answers.get(operation, (0, b""))
        if not status:
            return super().answer(headers, body)
        return status, content if isinstance(content, bytes) else json.dumps(content).encode()


def refusal(code: str, status: int = 400) -> tuple[int, dict[str, str]]:
    """An error as AWS's JSON protocol has it."""
    return status, {"__type": f"com.amazonaws#{code}", "message": "no"}


def failure_of(secrets: Secrets, reference: str) -> SecretError:
    """The error that getting a secret raises."""
    with pytest.raises(SecretError) as caught:
        secrets.get(reference)
    return caught.value
