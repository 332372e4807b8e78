"""Playground: a LINE of one's own, with every bot of a folder as a friend, served by the code that is deployed."""

import logging
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any, Literal, Self

from botkit.aws.batch import is_batch, read_batch
from botkit.errors import BotkitError
from botkit.messages import Chat
from botkit.ports import Services
from botkit.runtime import Runtime
from botkit.simulator.app import create_app
from botkit.simulator.chats import Account, Person, Utterance
from botkit.simulator.keeper import Keeper
from botkit.simulator.platform import Platform
from botkit.simulator.playground.accounts import line_section, made_up_id
from botkit.simulator.playground.clock import PlayClock
from botkit.simulator.playground.cloud import Cloud, Delivered
from botkit.simulator.playground.live import LiveShelf
from botkit.simulator.playground.mischief import Mischief
from botkit.simulator.playground.mortal import Life, mortal
from botkit.simulator.playground.queue import batch_of
from botkit.simulator.playground.settings import Settings
from botkit.simulator.playground.switch import secrets_and_model
from botkit.simulator.playground.unfinished import Unfinished
from botkit.simulator.playground.watching import Traces, Watcher
from botkit.simulator.server import serving
from botkit.simulator.wire import Delivery
from botkit.simulator.world import Change
from botkit.spec.bot import BotSpec
from botkit.steps.model import Model
from botkit.steps.reply import Reply
from botkit.wiring import services

log = logging.getLogger(__name__)

LOOK_EVERY = 0.3
"""Seconds between two looks at the bots folder and at .env."""
WARM_UP_AFTER = 1.5
"""Seconds from the start until what the first answer needs is loaded."""
ME = "You"
FRIENDS = ("Hana", "Ken")
"""Who is there at the first start, so that a group can be made at once."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a page shows has changed.

    `message`: `utterance` of a chat is new or changed · `loading`: a chat's animation · `trace`: the story of
    `event` · `webhook`: LINE's call did not get through, and `text` says why · `world`: anything else.
    """

    kind: Literal["message", "loading", "trace", "webhook", "world"]
    bot: str = ""
    chat: Chat | None = None
    utterance: Utterance | None = None
    event: str = ""
    status: int | None = None
    text: str = ""


class Playground:
    """LINE, AWS and the bots of a folder, in one process. Lives as long as the `with` block of `open`."""

    def __init__(self, folder: Path, settings: Settings, keeper: Keeper, clock: PlayClock) -> None:
        self.folder = folder
        self.settings = settings
        self.keeper = keeper
        self.clock = clock
        self.platform = Platform(self.clock)
        keeper.restore(self.platform)
        keeper.watch(self.platform)
        self.mischief = Mischief()
        self.mischief.load(keeper.get("troubles"))
        self.platform.troubles = self.mischief.troubles()
        self.cloud = Cloud(self._invoke, self.clock, self.mischief, self._delivered)
        self._listeners: list[Callable[[Notice], None]] = []
        self._secrets: dict[str, str] = {}
        self._ended = Flag()
        self._unfinished = Unfinished(keeper)
        self._heirs: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self.me = self._person(ME)
        if len(self.platform.people) == 1:
            for name in FRIENDS:
                self._person(name)

    @classmethod
    @contextmanager
    def open(
        cls, folder: Path, environ: Mapping[str, str], *, memory: Path | None = None, only: str | None = None
    ) -> Iterator[Self]:
        """Start everything. What people said is kept in the file `memory`, where one is given.

        `only`: this bot and no other, whose messages are then nobody's affair here, either.
        Raises ConfigurationError for a store that cannot be, and StoreError where a file cannot be opened.
        """
        with ExitStack() as stack:
            keeper = Keeper(memory)
            stack.callback(keeper.close)
            settings = environ if isinstance(environ, Settings) else Settings(environ)
            playground = cls(folder, settings, keeper, PlayClock(memory.with_name("clock") if memory else None))
            line_url = stack.enter_context(serving(create_app(playground.platform)))
            playground._start(line_url, only)
            stack.callback(playground._stop)
            yield playground

    @property
    def accounts(self) -> dict[str, Account]:
        """The account of every bot that works, or has worked since the start, by the bot's name."""
        return {bot: self.platform.accounts[user_id] for bot, user_id in self._ids.items()}

    def listen(self, listener: Callable[[Notice], None]) -> Callable[[], None]:
        """Be told of every change, in whichever thread makes it; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # ---------------------------------------------------------------- what is done here

    def deliver(self, delivery: Delivery) -> None:
        """Have LINE call the bot's webhook with what a person did; returns at once.

        Until the bot has taken it in, or LINE gives up, the webhook is kept for the next start.
        """
        self._unfinished.send(delivery)
        self.cloud.deliver(self.bot_of(delivery.destination), delivery, self.platform.redeliver)

    def jump(self, ms: int) -> None:
        """Let so much time pass at once, for LINE, the bots and the schedule."""
        self.clock.jump(ms)
        self.cloud.tick()
        self._tell(Notice("world"))

    def sweep(self) -> None:
        """Run the schedule's sweep now."""
        self.cloud.sweep()

    def reset(self, bot: str, chat: Chat) -> None:
        """Forget what was said in a chat, as the bot remembers it and as it is shown."""
        self.services.store.disband(bot, chat, self.clock.now())
        self.platform.clear(self.accounts[bot], chat)

    def bot_of(self, user_id: str) -> str:
        """The bot behind an account. Raises KeyError where there is none."""
        return self.platform.accounts[user_id].name

    # ---------------------------------------------------------------- inside

    def _start(self, line_url: str, only: str | None) -> None:
        mine = {"BOTKIT_LINE_URL": line_url, "BOTKIT_QUEUE": ""}
        environ = ChainMap(self._secrets, mine, self.settings)  # type: ignore[arg-type]  # only the first is written to
        secrets, model = secrets_and_model(environ, self.clock, lambda: self.shelf.all().values())
        wired = services(environ, self.clock)
        self.services: Services = replace(wired, secrets=secrets, model=model, wake=self.cloud.wake)
        self.traces = Traces(self.services, self.platform, self.keeper, model)
        self.traces.listen(lambda bot, event: self._tell(Notice("trace", bot, event=event)))
        self.shelf = LiveShelf(self.folder, self._dress, lambda: self._tell(Notice("world")), only)
        self.platform.listen(self._changed)
        self.mischief.listeners.append(self._keep_troubles)
        self._go_on()
        self.cloud.start()
        self._send_again()
        Thread(target=self._look, name="looks at files", daemon=True).start()
        Thread(target=self._warm_up, name="warms up", daemon=True).start()

    def _stop(self) -> None:
        self._ended.set()
        self._unfinished.stop()
        self.cloud.stop()
        self.traces.keep_calls()

    def _warm_up(self) -> None:
        """Load what the first answer needs, which takes seconds, once the page had time to show itself."""
        if self._ended.wait(WARM_UP_AFTER):
            return
        with suppress(BotkitError):  # whoever needs it will hear of it
            for bot in self.shelf.all().values():
                model = bot.step(Model)
                self.services.model.count_tokens(model.name if model else "", "")
            _ = self.services.line.reply, self.services.markdown.plain  # imported at their first use

    def _look(self) -> None:
        seen = self.settings.changes
        while not self._ended.wait(LOOK_EVERY):
            try:
                self.shelf.look()
                self.settings.look()
                if self.settings.changes != seen:  # whoever has asked for a setting may have looked before
                    seen = self.settings.changes
                    self._tell(Notice("world"))
            except (Exception, SystemExit):  # whatever a file holds, the next look must come
                log.exception("the bots folder could not be read anew")

    def _dress(self, bot: BotSpec) -> BotSpec:
        """The bot with an account of this LINE instead of its own, and somebody who looks on."""
        account = self.platform.account_named(bot.name) or self.platform.add_account(
            bot.name, user_id=made_up_id("U", "bot", bot.name)
        )
        reply = bot.step(Reply)
        self.platform.set_read_mode(account, "manual" if reply and reply.mark_as_read else "auto")
        self._ids = {**self._ids, bot.name: account.user_id}  # a new dict: others may be going through this one
        line, secrets = line_section(bot, account)
        self._secrets |= secrets
        return replace(bot, line=line, steps=(Watcher(traces=self.traces), *bot.steps))

    def _invoke(self, event: Mapping[str, Any], deadline: int, life: Life) -> dict[str, Any]:
        """One invocation of the handler, in a process of its own as far as it can tell."""
        if not is_batch(event):
            return self._runtime(self.services.new_id(), life)(event, _Context(self.clock, deadline))
        wakeups, _ = read_batch(event)
        owner = self._heirs.pop(wakeups[0].id, None) or self.services.new_id()
        with self._unfinished.at_work(owner, [wakeup.conversation for wakeup in wakeups]):
            answer = self._runtime(owner, life)(event, _Context(self.clock, deadline))
        self.traces.keep_calls()
        return answer

    def _runtime(self, owner: str, life: Life) -> Runtime:
        model = self.mischief.model(self.services.model, life, self.clock)
        return Runtime(self.shelf, mortal(replace(self.services, model=model), life), owner)

    def _go_on(self) -> None:
        """Finish what this program was at when it was stopped: under its name, since nobody else gets those leases."""
        for owner, conversations in self._unfinished.workers.items():
            messages = [(f"{owner}:{number}", one) for number, one in enumerate(conversations)]
            self._heirs[messages[0][0]] = owner
            self.cloud.work(batch_of(messages))

    def _send_again(self) -> None:
        """Send what no bot has taken in before this program was stopped; what one has, it knows."""
        for delivery in self._unfinished.deliveries:
            self.deliver(self.platform.redeliver(delivery))

    def _delivered(self, delivered: Delivered) -> None:
        """Note what LINE has seen of a webhook: where it was taken in, the message is read."""
        if not delivered.comes_again:
            self._unfinished.sent(delivered.delivery)
        account = self.platform.accounts[delivered.delivery.destination]
        for event in delivered.delivery.events:
            event_id, status = event["webhookEventId"], delivered.status
            if status == 200:
                self.platform.read(account, event_id)
            else:
                self._tell(Notice("webhook", delivered.bot, _chat_of(event), None, event_id, status, delivered.text))

    def _changed(self, change: Change) -> None:
        if change.kind == "world" or change.account is None:
            self._tell(Notice("world", change.account.name if change.account else "", change.chat))
        else:
            kind: Literal["message", "loading"] = "message" if change.kind == "said" else "loading"
            self._tell(Notice(kind, change.account.name, change.chat, change.utterance))

    def _keep_troubles(self) -> None:
        self.keeper.put("troubles", self.mischief.dump())
        self._tell(Notice("world"))

    def _tell(self, notice: Notice) -> None:
        for listener in tuple(self._listeners):
            listener(notice)

    def _person(self, name: str) -> Person:
        user_id = made_up_id("U", "person", name)
        return self.platform.people.get(user_id) or self.platform.add_person(name, user_id=user_id)


@dataclass(frozen=True, slots=True)
class _Context:
    """What Lambda hands to the handler beside the event."""

    clock: PlayClock
    deadline: int

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self.deadline - self.clock.now())


def _chat_of(event: Mapping[str, Any]) -> Chat:
    source = event["source"]
    kind = source["type"]
    return Chat(kind, source[f"{kind}Id"])
