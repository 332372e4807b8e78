"""Every error botkit raises on purpose.

    BotkitError
    ├── SpecError            a bot file is wrong; stops the start
    ├── RequestError         the request cannot be served; becomes a 4xx or a 503
    ├── LeaseLost            another worker took this conversation over; stop quietly
    ├── TakenBack            a message was unsent while it was being answered; begin again
    ├── OutOfTime            this invocation ends too soon to answer; the next worker does
    ├── DeployError          the package or the deployment cannot be made, or cannot be reached
    └── UpstreamError        LINE, the model, the store or a secret failed
        ├── StoreError       the store did not do it, or may have: ask it again
        ├── SecretError      a secret reference leads nowhere
        ├── WakeError        the queue did not take a wake-up: the sweep finds what waits
        ├── LineError
        │   ├── LineRefused  LINE said no, or was not reached: certainly not delivered
        │   └── LineUnsure   no answer, or a 5xx: it may have been delivered
        └── ModelError       the model gave no answer
            └── ContextOverflow   the prompt was too long for the model

Anything else that escapes is a bug. No message of any of these holds a secret.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


class BotkitError(Exception):
    """The root: catching it catches every failure botkit foresees, and no bug."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a bot file, and what to do about it.

    `line` and `column` count from 1; both are 0 where the file as a whole is meant.
    """

    file: str
    line: int
    column: int
    text: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.text}"


class SpecError(BotkitError):
    """One or more bot files are wrong; `problems` lists all of them in reading order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class RequestError(BotkitError):
    """A request that gets the HTTP status `status` (a 4xx, or 503) and the text as its `error`."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


class LeaseLost(BotkitError):
    """The lease on a conversation has passed to another worker: nothing more may be written."""


class TakenBack(BotkitError):
    """A person unsent a message while its answer was being made: that answer must not be."""


class OutOfTime(BotkitError):
    """The invocation ends before an answer can be made: the event stays in the inbox, for the next worker."""


class DeployError(BotkitError):
    """Nothing was deployed, or what is deployed cannot be asked; the text says why, and what to do."""


class UpstreamError(BotkitError):
    """Something botkit depends on failed. `retryable`: the same call may work later."""

    def __init__(self, text: str, *, retryable: bool = False) -> None:
        self.retryable = retryable
        super().__init__(text)


class StoreError(UpstreamError):
    """The store failed. A write may or may not have happened."""


class SecretError(UpstreamError):
    """A secret reference could not be resolved; the message names the reference, never a value."""


class WakeError(UpstreamError):
    """The queue did not take a message, or may have."""


class LineError(UpstreamError):
    """A call to LINE failed."""


class LineRefused(LineError):
    """What was asked of LINE has certainly not been done.

    `status` is LINE's, or 0 where nothing was sent at all. `retryable`: there was no connection, or
    a 429 that is a rate and not the monthly quota.
    """

    def __init__(self, status: int, text: str, *, retryable: bool = False) -> None:
        self.status = status
        super().__init__(text, retryable=retryable)


class LineUnsure(LineError):
    """The call was sent and its outcome is unknown (timeout, reset, 5xx); always retryable."""

    def __init__(self, text: str) -> None:
        super().__init__(text, retryable=True)


class ModelError(UpstreamError):
    """The model gave no usable answer."""


class ContextOverflow(ModelError):
    """The prompt did not fit the model's context window."""
