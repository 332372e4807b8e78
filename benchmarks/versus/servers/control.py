"""What whoever measures says to the servers and hears from them, as JSON over plain HTTP."""

import json
from collections.abc import Callable
from typing import Any

from benchmarks.versus.servers.dynamodb import DynamoDB
from benchmarks.versus.servers.http import Ledger, Request, Response, respond
from benchmarks.versus.servers.line import Line
from benchmarks.versus.servers.openai import OpenAI
from benchmarks.versus.servers.sqs import SQS
from benchmarks.versus.servers.values import Invalid


class Control:
    """All servers, and the words that are spoken to them; lives as long as the process."""

    name = "control"

    def __init__(self) -> None:
        self._ledger = Ledger()
        self.unmeasured = Ledger()
        self.dynamodb = DynamoDB(self._ledger)
        self.sqs = SQS(self._ledger)
        self.line = Line(self._ledger)
        self.openai = OpenAI(self._ledger)
        self._words: dict[str, Callable[..., Any]] = {
            "reset": self._reset,
            "seed": self.dynamodb.seed,
            "counts": lambda: self._ledger.counts,
            "replies": lambda: self.line.replies,
            "take": self.sqs.take,
            "think": self._think,
            "asked": lambda: list(self.openai.asked),
        }

    @property
    def ledger(self) -> Ledger:
        """What is counted of the services."""
        return self._ledger

    def answer(self, request: Request) -> Response:
        """See `Service.answer`: the path is the word, and the body its arguments."""
        word = self._words.get(request.path.strip("/"))
        if word is None:
            return respond({"message": "unknown word"}, 404)
        try:
            return respond(word(**json.loads(request.body or b"{}")))
        except (Invalid, TypeError, KeyError) as error:
            return respond({"message": str(error)}, 400)

    def _reset(self) -> None:
        self._ledger.counts.clear()
        for service in (self.dynamodb, self.sqs, self.line, self.openai):
            service.reset()

    def _think(self, seconds: float) -> None:
        self.openai.seconds = seconds
