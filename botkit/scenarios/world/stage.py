"""Stage: one bot, LINE, a queue and a store, in one thread and one time that moves only when it is told to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from threading import Condition
from traceback import extract_tb
from typing import Final

from pydantic import ConfigDict

from botkit.delivery.conversations import conversation_of
from botkit.errors import BotkitError, SecretError
from botkit.line.client import LineClient
from botkit.line.markdown import LineMarkdown
from botkit.messages import Chat, Message, Reply
from botkit.pipeline import Handler, Step
from botkit.ports import ChatModel, Conversation, Secrets, Services, Usage
from botkit.runtime import Runtime
from botkit.simulator.direct import DirectPool
from botkit.simulator.platform import Platform
from botkit.simulator.playground.accounts import line_section, made_up_id
from botkit.simulator.playground.queue import Queue, event_of
from botkit.simulator.playground.webhooks import http_event
from botkit.simulator.wire import Delivery
from botkit.spec.bot import BotSpec
from botkit.spec.shelf import Shelf
from botkit.steps.history import History
from botkit.steps.reply import Reply as ReplyStep
from botkit.stores.memory import MemoryStore
from botkit.testing import MovableClock
from botkit.threads import Threads
from botkit.turn import Turn

DOOR_MS: Final = 10_000
WORKER_MS: Final = 90_000
"""What a deployed door and worker have, in ms."""
VISIBILITY_MS: Final = 6 * WORKER_MS
PATIENCE_MS: Final = 15 * 60_000
"""How far the clock is moved on at most for what the bot has put off, as after a failure."""
MOST_ROUNDS: Final = 30
"""So often a worker is woken at most for what happened in one turn."""

_HERE = Path(__file__).parents[2]


class Refused(Exception):
    """The handler did not take a webhook in: what it answered."""


@dataclass(slots=True)
class Seen:
    """What is known of the turns of the pipeline since it was last emptied."""

    notes: list[str] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def clear(self) -> None:
        """Forget it: something else begins."""
        for noted in (self.notes, self.usages, self.faults):
            noted.clear()


class Onlooker(Step):
    """Notes how turns end, and changes nothing. The outermost step of the bot on a stage."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    seen: Seen

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Go on. Raises what the steps inside raise."""
        try:
            return call_next(turn)
        except BaseException as error:  # also a SystemExit: what is meant to fail fails as botkit's own errors do
            if not isinstance(error, BotkitError):
                self.seen.faults.append(_fault(error))
            raise
        finally:
            self.seen.notes += [note.text for note in turn.notes]
            self.seen.usages += turn.usages


class Stage:
    """A bot in a world of its own, served as when it is deployed: door, queue, worker. Lives as long as one scenario.

    `real` are the secrets to use where a real model is asked; without it the bot needs none but its made-up account's.
    """

    def __init__(self, bot: BotSpec, model: ChatModel, clock: MovableClock, real: Secrets | None = None) -> None:
        self.clock = clock
        self.platform = Platform(clock, seed=0)
        self.account = self.platform.add_account(bot.name, user_id=made_up_id("U", "bot", bot.name))
        reply = bot.step(ReplyStep)
        self.platform.set_read_mode(self.account, "manual" if reply and reply.mark_as_read else "auto")
        self.seen = Seen()
        line, own = line_section(bot, self.account)
        self.bot = replace(bot, line=line, steps=(Onlooker(seen=self.seen), *bot.steps))
        self._queue = Queue(clock, Condition(), VISIBILITY_MS)
        self._dead, self._since = 0, clock.now()
        numbers = count(1)
        self.services = Services(
            store=MemoryStore(),
            line=LineClient(
                "http://line.invalid", clock.now, clock=lambda: clock.now() / 1000, pool=DirectPool(self.platform)
            ),
            model=model,
            markdown=LineMarkdown(),
            secrets=_StageSecrets({f"env:{name}": value for name, value in own.items()}, real),
            clock=clock,
            pool=Threads(),
            wake=self._queue,
            new_id=lambda: f"{next(numbers):032x}",
        )
        self._runtime = Runtime(Shelf.of(self.bot), self.services)

    def deliver(self, delivery: Delivery) -> None:
        """Have LINE call the bot's webhook. Raises Refused where that is not answered with 200."""
        event = http_event(self.bot.name, delivery, self.clock.now())
        answer = self._runtime(event, _Context(self.clock, self.clock.now() + DOOR_MS))
        if answer["statusCode"] != 200:
            raise Refused(f"the webhook was answered {answer['statusCode']}: {answer.get('body', '')}")

    def sweep(self) -> None:
        """Run the schedule's sweep."""
        self._runtime({"botkit": "sweep"}, self._worker())

    def work(self) -> None:
        """Let workers answer until there is nothing more to do; what was put off is waited for, on this clock."""
        until = self.clock.now() + PATIENCE_MS
        for _ in range(MOST_ROUNDS):
            due = self._queue.next_due
            if due is None or due > until:
                return
            if (early := due - self.clock.now()) > 0:
                self.clock.sleep(early)
            batch = self._queue.receive()
            ids = {message.id for message in batch}
            answer = self._runtime(event_of(batch), self._worker()) if batch else {}
            failed = {one["itemIdentifier"] for one in answer.get("batchItemFailures", ())}
            self._queue.settle({message.receipt for message in batch}, failed & ids)

    def left_undone(self) -> str:
        """What keeps a turn from having come to its end; "" where nothing does."""
        if self._queue.dead > self._dead:
            self._dead = self._queue.dead
            return "the worker failed each time it was woken, and what woke it is a dead letter now"
        if self._queue.waiting:
            return f"the worker has still not answered after {PATIENCE_MS // 60_000} minutes of the scenario's clock"
        return ""

    def refused(self) -> str:
        """What LINE refused last of the messages that it was to send in this turn; "" where it took them in the end."""
        calls = [call for call in self.platform.calls if call.endpoint in ("reply", "push") and call.at >= self._since]
        if not calls or calls[-1].status < 400:
            return ""
        said = calls[-1]
        return f"LINE refused to {said.endpoint} it, with status {said.status}: its messages are none that LINE takes"

    def begin(self) -> None:
        """A turn begins: what was before is no longer looked at."""
        self.seen.clear()
        self._since = self.clock.now()

    def history(self, chat: Chat, user_id: str | None) -> tuple[Message, ...]:
        """What the bot remembers of a conversation, oldest first, overheard lines among it."""
        step = self.bot.step(History)
        if step is None:
            return ()
        conversation = self.conversation(chat, user_id)
        return tuple(self.services.store.history(conversation, MOST_REMEMBERED, self.clock.now(), MOST_REMEMBERED))

    def conversation(self, chat: Chat, user_id: str | None) -> Conversation:
        """The conversation that somebody's words in a chat belong to."""
        shares = self.bot.shares_groups
        return conversation_of(self.bot.name, chat, user_id, event_id="", shares_groups=shares)

    def _worker(self) -> "_Context":
        return _Context(self.clock, self.clock.now() + WORKER_MS)


MOST_REMEMBERED: Final = 1000
"""Messages of a history that are looked at, the newest."""


@dataclass(frozen=True, slots=True)
class _Context:
    """What Lambda hands to the handler beside the event."""

    clock: MovableClock
    deadline: int

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self.deadline - self.clock.now())


@dataclass(frozen=True, slots=True)
class _StageSecrets:
    """The made-up account's secrets, and the real ones where there are such; else a bot needs none."""

    own: Mapping[str, str]
    real: Secrets | None

    def get(self, reference: str) -> str:
        """The value; "" of a key that is not there: whoever asks a model without one hears of it then."""
        if reference in self.own:
            return self.own[reference]
        try:
            return self.real.get(reference) if self.real else ""
        except SecretError:
            return ""

    def warm(self, references: Collection[str]) -> None:
        """Fetch what is not at hand."""
        if self.real:
            self.real.warm([one for one in references if one not in self.own])


def _fault(error: BaseException) -> str:
    """An exception of a step, with the place in a file that is not botkit's own where there is one."""
    frames = [frame for frame in extract_tb(error.__traceback__) if not _is_ours(frame.filename)]
    where = f" ({_shown(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _is_ours(file: str) -> bool:
    return Path(file).is_relative_to(_HERE) or "site-packages" in Path(file).parts


def _shown(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
