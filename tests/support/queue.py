"""A queue as its owner and Lambda see it, and the wire that leads a handler to it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.aws.upstream import Upstream
from tests.support.aws import CREDENTIALS, poll
from tests.support.wire import serving


@dataclass
class Queue:
    """An SQS queue; lives as long as its test. The handler reaches it by `wire`, which counts and can be cut."""

    url: str
    client: Any
    wire: Upstream

    def batch(self) -> dict[str, Any]:
        """What waits, as the event in which Lambda would get it; it is hidden from then on."""
        event = poll(self.client, self.url)
        assert event is not None, "no message is waiting"
        return event

    def next(self) -> dict[str, Any] | None:
        """As `batch`; None where nothing waits."""
        return poll(self.client, self.url)

    def bodies(self) -> list[str]:
        """The bodies of all that waits; it is hidden from then on."""
        found: list[str] = []
        while event := poll(self.client, self.url):
            found += [record["body"] for record in event["Records"]]
        return found

    def put(self, *bodies: str) -> None:
        """Messages that somebody else has sent."""
        for body in bodies:
            self.client.send_message(QueueUrl=self.url, MessageBody=body)

    def show(self, batch: Mapping[str, Any]) -> None:
        """Let the messages of a batch come again at once."""
        for record in batch["Records"]:
            self.client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
            )

    def empty(self) -> None:
        """Lose all that waits."""
        self.client.purge_queue(QueueUrl=self.url)

    @property
    def hidden(self) -> list[int]:
        """For how many seconds the handler has asked messages to be hidden, in order."""
        return [body["VisibilityTimeout"] for name, body in self.wire.calls if name == "ChangeMessageVisibility"]


@contextmanager
def named_by_environment(endpoint: str, client: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    """A queue of the AWS at `endpoint` that handlers find in their environment.

    Handlers of this process wait for it however slow the machine is, and try everything twice that fails.
    """
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    for limit in ("CONNECT_TIMEOUT", "READ_TIMEOUT", "EARLY"):
        monkeypatch.setattr(f"botkit.aws.queue.{limit}", 30.0)
    monkeypatch.setenv("BOTKIT_QUEUE", url)
    with serving(Upstream(endpoint)) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", wire.url)
        yield Queue(url, client, wire)


def back(*ids: str) -> dict[str, Any]:
    """The answer that hands these messages back."""
    return {"batchItemFailures": [{"itemIdentifier": one} for one in ids]}


FINE = back()
