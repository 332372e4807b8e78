"""What an account may still do: spend reply tokens, repeat a push, use up its month."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

from botkit.messages import Chat
from botkit.simulator.records import Record
from botkit.simulator.wire import JsonObject

MINUTE = 60_000
RENEWABLE_FOR = 20 * MINUTE
RETRY_KEY_LIFE = 24 * 60 * MINUTE

# LINE counts months in Japan's time, wherever the account is.
_JAPAN = timedelta(hours=9)


@dataclass(slots=True)
class ReplyToken:
    """A reply token: good once, and a minute from each delivery of its webhook (LINE reference: Send reply message).

    `event_id` is the `webhookEventId` of the event that it came with.
    """

    account_id: str
    chat: Chat
    event_at: int
    valid_until: int
    used: bool = False
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A push that was accepted under a retry key."""

    at: int
    request_id: str
    sent: list[JsonObject]


@dataclass(slots=True)
class Allowances:
    """The tokens, retry keys and monthly counts of all accounts. Not locked: the platform does that.

    `keep` is given each change.
    """

    keep: Callable[[Record], None] = lambda _record: None
    _tokens: dict[str, ReplyToken] = field(default_factory=dict)
    _accepted: dict[tuple[str, str], Accepted] = field(default_factory=dict)
    _pushed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def issue(self, token: str, account_id: str, chat: Chat, now: int, event_id: str | None = None) -> None:
        """Make a reply token known, for a minute."""
        self._note(token, ReplyToken(account_id, chat, now, now + MINUTE, event_id=event_id))

    def renew(self, token: str, now: int) -> None:
        """A minute more, for a redelivered webhook; never beyond 20 minutes after the event."""
        known = self._tokens.get(token)
        if known is not None:  # one of long ago may have been forgotten
            known.valid_until = max(known.valid_until, min(now + MINUTE, known.event_at + RENEWABLE_FOR))
            self._note(token, known)

    def chat_of(self, token: str, account_id: str, now: int) -> Chat | None:
        """The chat that a reply token answers, None where it is no good."""
        known = self._tokens.get(token)
        if known is None or known.used or known.account_id != account_id or now > known.valid_until:
            return None
        return known.chat

    def event_of(self, token: str) -> str | None:
        """The `webhookEventId` of the event that a known reply token came with."""
        return self._tokens[token].event_id

    def spend(self, token: str) -> None:
        """Use a known reply token up."""
        self._tokens[token].used = True
        self._note(token, self._tokens[token])

    def accepted(self, account_id: str, retry_key: str, now: int) -> Accepted | None:
        """The push accepted under this retry key in the last 24 hours."""
        known = self._accepted.get((account_id, retry_key))
        return known if known and now - known.at < RETRY_KEY_LIFE else None

    def accept(self, account_id: str, retry_key: str, accepted: Accepted) -> None:
        """Remember an accepted push."""
        self._accepted[account_id, retry_key] = accepted
        until = accepted.at + RETRY_KEY_LIFE
        self.keep(Record("retry key", (account_id, retry_key), asdict(accepted), until=until))

    def pushed(self, account_id: str, now: int) -> int:
        """How many messages the account has pushed this month, counted per recipient."""
        return self._pushed[account_id, _month(now)]

    def count_push(self, account_id: str, recipients: int, now: int) -> None:
        """Count one push to so many recipients, however many message objects it holds."""
        month = _month(now)
        self._pushed[account_id, month] += recipients
        self.keep(Record("pushed", (account_id, month), self._pushed[account_id, month]))

    def restore(self, record: Record) -> None:
        """Take in what was kept before; other kinds of records are passed over."""
        match record.kind, record.key, record.value:
            case "reply token", (token,), known:
                self._tokens[token] = ReplyToken(**{**known, "chat": Chat(**known["chat"])})
            case "retry key", (account_id, retry_key), accepted:
                self._accepted[account_id, retry_key] = Accepted(**accepted)
            case "pushed", (account_id, month), count:
                self._pushed[account_id, month] = count

    def _note(self, token: str, known: ReplyToken) -> None:
        self._tokens[token] = known
        until = known.event_at + RENEWABLE_FOR + MINUTE
        self.keep(Record("reply token", (token,), asdict(known), until=until))


def _month(now: int) -> str:
    return f"{datetime.fromtimestamp(now / 1000, UTC) + _JAPAN:%Y-%m}"
