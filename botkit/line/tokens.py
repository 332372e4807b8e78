"""Stateless channel access tokens: LINE issues them for a channel's id and secret, and they end by themselves.

Nobody has to store, renew or revoke one. (LINE reference: Issue stateless channel access token.)
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from botkit.errors import LineError, LineRefused, LineUnsure

LIFE: Final = 15 * 60_000
"""How long a token is good, in ms, and the longest that one is kept, whatever LINE says of it."""
MARGIN: Final = 120_000
"""So much of that, in ms, is left at least when a token is handed out: none ends while a worker runs."""
REFUSED: Final = 30_000
"""How long LINE's clear no stands, in ms: while a secret is changed, each answer would begin with it."""
REMEMBERED: Final = 4 * LIFE
"""How long it is known of a token whose it is, in ms: longer than anybody holds one."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as LINE knows it: its id (digits), and its secret, which proves it."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Issued:
    """What LINE has issued. `seconds`: how long it is good; 0 where LINE does not say, and it is then used once."""

    token: str = field(repr=False)
    seconds: int


@dataclass(frozen=True, slots=True)
class _No:
    """Why there is no token. A value and no exception, because many threads may raise it.

    `status` is LINE's, 0 where nothing was sent, None where LINE gave no answer.
    """

    text: str
    status: int | None = None
    retryable: bool = True

    @classmethod
    def of(cls, error: LineError) -> "_No":
        return cls(str(error), error.status if isinstance(error, LineRefused) else None, error.retryable)

    @property
    def error(self) -> LineError:
        if self.status is None:
            return LineUnsure(self.text)
        return LineRefused(self.status, self.text, retryable=self.retryable)


_Outcome = Issued | _No


class Tokens:
    """The tokens that one process has had issued. Lives as long as it does, and may be shared by threads.

    `ask` gets a new token from LINE, or raises LineError; `now` is the time in ms since 1970. It must be the
    time of day and not one that stands still while the process does: on Lambda that may be for hours.
    """

    def __init__(self, ask: Callable[[Channel], Issued], now: Callable[[], int]) -> None:
        self._ask = ask
        self._now = now
        self._lock = Lock()
        self._kept: dict[Channel, tuple[_Outcome, int]] = {}
        self._asking: dict[Channel, Future[_Outcome]] = {}
        self._owners: dict[str, tuple[Channel, int]] = {}

    def get(self, channel: Channel) -> str:
        """A token that is good for two minutes more at least. Who asks at the same time gets the same one.

        Raises LineRefused where LINE issues none, which stands for 30 seconds, and LineUnsure.
        """
        with self._lock:
            outcome, until = self._kept.get(channel, (None, 0))
            if outcome is not None and self._now() < until:
                return _token(outcome)
            others = self._asking.get(channel)
            if others is None:
                mine = self._asking[channel] = Future()
        return _token(others.result() if others is not None else self._issue(channel, mine))

    def instead_of(self, token: str) -> str | None:
        """Another token for the same channel, because LINE takes this one no more; None where it was not issued here.

        Raises as `get` does.
        """
        with self._lock:
            if token not in self._owners:
                return None
            channel, _ = self._owners[token]
            outcome, _ = self._kept.get(channel, (None, 0))
            if isinstance(outcome, Issued) and outcome.token == token:
                del self._kept[channel]
        return self.get(channel)

    def _issue(self, channel: Channel, asking: "Future[_Outcome]") -> _Outcome:
        """Ask LINE, and let those know who wait for it, whatever comes of it."""
        outcome: _Outcome = _No("LINE could not be asked for a channel access token")
        asked_at = self._now()
        try:
            outcome = self._asked(channel)
        finally:
            with self._lock:
                self._keep(channel, outcome, asked_at)
                del self._asking[channel]
            asking.set_result(outcome)
        return outcome

    def _asked(self, channel: Channel) -> _Outcome:
        try:
            return self._ask(channel)
        except LineError as error:
            return _No.of(error)

    def _keep(self, channel: Channel, outcome: _Outcome, asked_at: int) -> None:
        now = self._now()
        self._kept = {one: kept for one, kept in self._kept.items() if now < kept[1]}
        self._owners = {token: owner for token, owner in self._owners.items() if now < owner[1]}
        if isinstance(outcome, Issued):
            self._kept[channel] = outcome, asked_at + min(outcome.seconds * 1000, LIFE) - MARGIN
            self._owners[outcome.token] = channel, now + REMEMBERED
        elif not outcome.retryable:
            self._kept[channel] = outcome, now + REFUSED


def _token(outcome: _Outcome) -> str:
    if isinstance(outcome, _No):
        raise outcome.error
    return outcome.token
