"""What an account may still do: spend reply tokens, repeat a push, use up its month."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from botkit.messages import Chat
from botkit.simulator.wire import JsonObject

MINUTE = 60_000
RENEWABLE_FOR = 20 * MINUTE
RETRY_KEY_LIFE = 24 * 60 * MINUTE

# LINE counts months in Japan's time, wherever the account is.
_JAPAN = timedelta(hours=9)


@dataclass(slots=True)
class ReplyToken:
    """A reply token: good once, and a minute from each delivery of its webhook (LINE reference: Send reply message)."""

    account_id: str
    chat: Chat
    event_at: int
    valid_until: int
    used: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """A push that was accepted under a retry key."""

    at: int
    request_id: str
    sent: list[JsonObject]


@dataclass(slots=True)
class Allowances:
    """The tokens, retry keys and monthly counts of all accounts. Not locked: the platform does that."""

    _tokens: dict[str, ReplyToken] = field(default_factory=dict)
    _accepted: dict[tuple[str, str], Accepted] = field(default_factory=dict)
    _pushed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def issue(self, token: str, account_id: str, chat: Chat, now: int) -> None:
        """Make a reply token known, for a minute."""
        self._tokens[token] = ReplyToken(account_id, chat, now, now + MINUTE)

    def renew(self, token: str, now: int) -> None:
        """A minute more, for a redelivered webhook; never beyond 20 minutes after the event."""
        known = self._tokens[token]
        known.valid_until = max(known.valid_until, min(now + MINUTE, known.event_at + RENEWABLE_FOR))

    def chat_of(self, token: str, account_id: str, now: int) -> Chat | None:
        """The chat that a reply token answers, None where it is no good."""
        known = self._tokens.get(token)
        if known is None or known.used or known.account_id != account_id or now > known.valid_until:
            return None
        return known.chat

    def spend(self, token: str) -> None:
        """Use a known reply token up."""
        self._tokens[token].used = True

    def accepted(self, account_id: str, retry_key: str, now: int) -> Accepted | None:
        """The push accepted under this retry key in the last 24 hours."""
        known = self._accepted.get((account_id, retry_key))
        return known if known and now - known.at < RETRY_KEY_LIFE else None

    def accept(self, account_id: str, retry_key: str, accepted: Accepted) -> None:
        """Remember an accepted push."""
        self._accepted[account_id, retry_key] = accepted

    def pushed(self, account_id: str, now: int) -> int:
        """How many messages the account has pushed this month, counted per recipient."""
        return self._pushed[account_id, _month(now)]

    def count_push(self, account_id: str, recipients: int, now: int) -> None:
        """Count one push to so many recipients, however many message objects it holds."""
        self._pushed[account_id, _month(now)] += recipients


def _month(now: int) -> str:
    return f"{datetime.fromtimestamp(now / 1000, UTC) + _JAPAN:%Y-%m}"
