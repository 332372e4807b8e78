"""The servers as those who measure see them: where they are, what happened there, and what is to happen."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.versus.servers.sqs import PATH

Document = dict[str, Any]

ROOT = Path(__file__).parents[3]
"""Where `benchmarks` is imported from."""


@dataclass
class World:
    """All servers; lives until they are stopped. URLs have no slash at their end."""

    ca: str
    dynamodb: str
    sqs: str
    line: str
    openai: str
    control: str
    table: str = "bench"
    _connection: HTTPConnection = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._connection = HTTPConnection(urlsplit(self.control).netloc)

    @property
    def queue(self) -> str:
        """The URL of the queue."""
        return self.sqs + PATH

    def environ(self) -> dict[str, str]:
        """What a child has to find in its environment to reach the servers by way of the SDKs."""
        return {
            "AWS_CA_BUNDLE": self.ca,
            "SSL_CERT_FILE": self.ca,
            "REQUESTS_CA_BUNDLE": self.ca,
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb,
            "AWS_ENDPOINT_URL_SQS": self.sqs,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "OPENAI_BASE_URL": self.openai,
            "OPENAI_API_KEY": "bench",
        }

    def reset(self) -> None:
        """Empty the tables, the queue and all that is counted and kept. How long the model thinks stays."""
        self._say("reset")

    def seed(self, items: Sequence[Document], table: str = "bench") -> None:
        """Put items, as DynamoDB's JSON has them, without calls."""
        self._say("seed", table=table, items=items)

    def counts(self) -> dict[str, int]:
        """How often what was called since the last reset ("dynamodb.Query"), and the bytes and connections of each."""
        return dict(self._say("counts"))

    def replies(self) -> list[Document]:
        """What LINE was asked to say since the last reset, in order: `token` and `texts`."""
        return list(self._say("replies"))

    def take(self, most: int) -> list[Document]:
        """Up to so many messages of the queue, which are deleted there: `id`, `handle` and `body`."""
        return list(self._say("take", most=most))

    def think(self, seconds: float) -> None:
        """How long the model takes from now on."""
        self._say("think", seconds=seconds)

    def asked(self) -> list[Document]:
        """The last bodies, at most 20, that the model was asked with."""
        return list(self._say("asked"))

    def _say(self, word: str, **arguments: Any) -> Any:
        self._connection.request("POST", f"/{word}", json.dumps(arguments))
        response = self._connection.getresponse()
        found = json.loads(response.read())
        if response.status != 200:
            raise ValueError(f"{word}: {found['message']}")
        return found

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def servers() -> Iterator[World]:
    """Run all servers in a process of their own, which ends with the block."""
    command = [sys.executable, "-m", "benchmarks.versus.servers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin
        assert process.stdout
        try:
            world = World(**json.loads(process.stdout.readline()))
            try:
                yield world
            finally:
                world.close()
        finally:
            process.stdin.close()
