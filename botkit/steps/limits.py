"""`limits`: how much a person, a group and the whole bot may ask for in a minute, an hour, a day and a month."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from botkit import usage
from botkit.messages import SILENCE, Reply
from botkit.pipeline import Handler, Step
from botkit.ports import Count
from botkit.spec.values import Money, Rate, Rates, Words
from botkit.turn import Turn

DEFAULT_NOTICE = "That is all I can answer for now. Please try again later."
BOT_SHARDS = "L"


class Allowance(BaseModel):
    """What is allowed; each is one value or a list of several, such as [20/min, 200/day]."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    messages: Rates = Field((), description="Messages answered, each of a burst counted, such as 20/min.")
    tokens: Rates = Field((), description="Tokens of prompts and answers together, such as 100k/day.")
    cost: Money = Field((), description="What the models cost, such as 1 USD/month.")

    @property
    def rates(self) -> tuple[tuple[str, Rate], ...]:
        """Each rate with the name of what it allows."""
        return tuple((name, rate) for name in type(self).model_fields for rate in getattr(self, name))


@dataclass(frozen=True, slots=True)
class Meter:
    """What one owner, such as the user, has used in one period: the sum of `counters`; lives for one turn.

    A turn adds what it uses to the counter `own`. `rates` are the limits, by the name of what they limit.
    """

    owner: str
    counters: tuple[str, ...]
    own: str
    period: usage.Period
    window: str
    rates: tuple[tuple[str, Rate], ...]

    def exceeded(self, used: Mapping[str, int]) -> str:
        """Which limit `used` has reached, in words; "" for none."""
        reached = (f"{name} {rate} of the {self.owner}" for name, rate in self.rates if used[name] >= rate.amount)
        return next(reached, "")


class Limits(Step):
    """Once a limit is reached, asks no model, says so once, and is silent until the period is over.

    What was used is read before a turn and added after it, so turns that run at once may all still pass: the
    excess is never more than what they use.
    """

    user: Allowance = Field(Allowance(), description="What each person may use, in all chats with the bot together.")
    group: Allowance = Field(Allowance(), description="What each group or room may use.")
    bot: Allowance = Field(Allowance(), description="What all may use together.")
    notice: Words = Field(
        DEFAULT_NOTICE, max_length=1000, description="Said once in the period and conversation when all is used up."
    )

    @property
    def counts_cost(self) -> bool:
        """Whether money is limited, so that prices must be known."""
        return any(allowance.cost for allowance in (self.user, self.group, self.bot))

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Go on and count what that used, or refuse. Raises StoreError where nobody can tell what was used."""
        now = turn.services.clock.now()
        meters = tuple(self._meters(turn, now))
        if not meters:
            return call_next(turn)
        used, noticed = _read(turn, meters, now)
        exceeded = {meter: words for meter, spent in zip(meters, used, strict=True) if (words := meter.exceeded(spent))}
        if exceeded:
            longest = max(exceeded, key=lambda meter: usage.PERIODS.index(meter.period))
            turn.note(f"limits: {exceeded[longest]} reached; no model is asked")
            return self._refuse(turn, longest, now, noticed=longest.window in noticed)
        ignored = False
        try:
            reply = call_next(turn)
            ignored = reply.silent and not turn.usages
        finally:  # a model that failed may have cost something, too
            turn.counts += [] if ignored else _spent(turn, meters, now)
        return reply

    def _meters(self, turn: Turn, now: int) -> Iterator[Meter]:
        """Whom this turn counts for. Nobody is counted as a person where LINE does not say who it was."""
        person, bot_shard = turn.user.id, usage.shard_of(turn.user.id or turn.event.id, BOT_SHARDS)
        if person:
            own = usage.user_counter(person)
            yield from _of("user", self.user, (own,), own, turn, now)
        if turn.chat.kind != "user":
            own = usage.chat_counter(turn.chat)
            yield from _of("group", self.group, (own,), own, turn, now)
        yield from _of("bot", self.bot, tuple(usage.shards(BOT_SHARDS)), bot_shard, turn, now)

    def _refuse(self, turn: Turn, meter: Meter, now: int, *, noticed: bool) -> Reply:
        """The notice, where something was asked and it was not given yet in this window."""
        if noticed or not turn.said:
            return SILENCE
        expires_at = usage.window_expiry(meter.period, now)
        turn.counts.append(Count(_notices(turn), meter.window, {"notices": 1}, expires_at))
        return Reply.of(self.notice)


def _of(owner: str, allowance: Allowance, counters: tuple[str, ...], own: str, turn: Turn, now: int) -> Iterator[Meter]:
    for period in usage.PERIODS:
        if rates := tuple((name, rate) for name, rate in allowance.rates if rate.period == period):
            yield Meter(owner, counters, own, period, usage.window(period, now, turn.bot.timezone), rates)


def _notices(turn: Turn) -> str:
    """The counter of the notices in this conversation."""
    return f"N#{turn.conversation.id}"


def _read(turn: Turn, meters: tuple[Meter, ...], now: int) -> tuple[list[Counter[str]], set[str]]:
    """What was used, by meter, and the windows in which this conversation has had its notice: one read for all.

    At most 4 periods of one person, one group, 16 shards and one conversation: 76 counters of the store's 100.
    """
    windows = list(dict.fromkeys(meter.window for meter in meters))
    asked = [(counter, meter.window) for meter in meters for counter in meter.counters]
    notices = [(_notices(turn), window) for window in windows]
    found = iter(turn.services.store.counted(turn.bot.name, [*asked, *notices], now))
    used = [sum((Counter(dict(next(found))) for _ in meter.counters), Counter()) for meter in meters]
    return used, {window for window, amounts in zip(windows, found, strict=True) if amounts}


def _spent(turn: Turn, meters: tuple[Meter, ...], now: int) -> list[Count]:
    """What this turn has used, for each of its meters, in the windows in which it began.

    Of what was said, what no step has left out; a tap or a greeting of which a model was asked is one message.
    """
    said = sum(one.event.type == "message" for one in turn.said)
    amounts = {
        "messages": max(said, 1 if turn.usages else 0),
        "tokens": sum(one.input_tokens + one.output_tokens for one in turn.usages),
        "cost": sum(one.cost for one in turn.usages),
    }
    amounts = {name: amount for name, amount in amounts.items() if amount}
    if not amounts:
        return []
    return [Count(meter.own, meter.window, amounts, usage.window_expiry(meter.period, now)) for meter in meters]
