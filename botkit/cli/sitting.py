"""One sitting at the terminal: a person, a bot, a local LINE between them, and what is seen of it."""

import re
from argparse import Namespace
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic, sleep

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from botkit.cli import explain
from botkit.cli.chat_changes import Changes
from botkit.cli.chat_messages import Button, buttons_of, ending_of, seen
from botkit.delivery.conversations import conversation_of
from botkit.messages import Chat
from botkit.ports import Conversation, Record
from botkit.simulator.chats import Person, Utterance
from botkit.simulator.playground.accounts import made_up_id
from botkit.simulator.playground.playground import Notice, Playground
from botkit.simulator.wire import Delivery
from botkit.simulator.world import one_to_one
from botkit.spec.bot import BotSpec
from botkit.steps.commands import Commands

NOT_ADDRESSED = "groups: the bot was not addressed"
"""The note of the step `groups` on what is said to others."""
GOES_ON = 60
"""Seconds that an answer which an earlier sitting has left open is waited for: a worker's time."""
_COURSE = ("turn: ", "history: ", "answer: ")
"""Notes that tell how a turn went, and never why nothing was said."""
_OPEN = ("RECEIVED", "SENDING")
"""States of an event whose answer is still to come."""
_GLANCE = 0.05
"""Seconds between two looks at what has been said."""


class Sitting:
    """Who speaks, to which bot and where. What is posted goes to the bot as LINE's webhook; what it says is shown.

    Lives as long as the command. It prints only when it is asked to do something, so that nothing runs into what
    is being typed. `last` are the events of what was posted last, also in an earlier sitting.
    """

    def __init__(self, console: Console, playground: Playground, bot: BotSpec, options: Namespace) -> None:
        self.console = console
        self.playground = playground
        self.platform = playground.platform
        self.account = playground.accounts[bot.name]
        self.changes = Changes(playground, bot)
        self.speaker = self.person(options.speaker)
        self.group = self._enter_group() if options.group else None
        self.buttons: list[Button] = []
        self.last: tuple[str, ...] = ()
        self._news: SimpleQueue[Notice] = SimpleQueue()

    @property
    def bot(self) -> BotSpec:
        """The bot as its file was when that was last right."""
        return self.changes.bot

    @property
    def place(self) -> Chat:
        """The chat of this sitting."""
        return self.group or one_to_one(self.speaker)

    @property
    def conversation(self) -> Conversation:
        """The one that the speaker is in."""
        shares = self.bot.shares_groups
        return conversation_of(self.bot.name, self.place, self.speaker.user_id, event_id="", shares_groups=shares)

    @property
    def is_uninvited(self) -> bool:
        """Whether the bot is not in the group chat yet."""
        return self.group is not None and self.platform.places[self.group].account is None

    def person(self, name: str) -> Person:
        """Somebody of this name: the same in every sitting, so that history goes on."""
        user_id = made_up_id("U", "person", name)
        return self.platform.person(user_id) or self.platform.add_person(name, user_id=user_id)

    def speak_as(self, name: str) -> None:
        """Be somebody else from now on."""
        self.speaker = self.person(name)
        if self.group:
            self._bring_in(self.group)

    def is_the_bots(self, line: str) -> bool:
        """Whether the bot takes the line for a command of its own, as it does on LINE."""
        commands = self.bot.step(Commands)
        return commands is not None and not self.group and commands.matches(line)

    # ---------------------------------------------------------------- what happens

    def say(self, text: str) -> None:
        """The speaker says it; in a group chat "@name" of the bot mentions it."""
        mentioned = re.search(rf"@{re.escape(self.account.name)}(?![a-z0-9-])", text)
        mention = self.account if self.group and mentioned else ()
        self.post(self.platform.say(self.account, self.speaker, text, chat=self.group, mention=mention))

    def tap(self, button: Button) -> None:
        """The speaker taps a button."""
        if button.data is None:
            return self.say(button.label)
        return self.post(self.platform.postback(self.account, self.speaker, button.data, chat=self.group))

    def post(self, delivery: Delivery, *, where: Chat | None = None, quiet: str | None = None) -> None:
        """Hand the bot a webhook, and show what comes of it, until the bot is done.

        It is expected in `where`, by default the chat of this sitting. `quiet` is shown instead of the silence
        that follows what nobody expects an answer to.
        """
        self.last = tuple(event["webhookEventId"] for event in delivery.events)
        place, heard = where or self.place, False
        self.playground.deliver(delivery)
        with self.console.status("[dim]…[/]", spinner="dots"):
            while not self.playground.cloud.settle(_GLANCE):
                heard |= self._show_news(place)
        heard |= self._show_news(place)
        if not heard and (text := self._silence() if quiet is None else quiet):
            self.console.print(Text(text, "dim"))

    def go_on(self) -> None:
        """Show how the chat ends, as LINE does when one is opened, and wait for the answer that is still to come.

        An earlier sitting that was ended in the middle has left it open.
        """
        with self.platform.lock:  # so that nothing is said between what is shown now and what is told from now on
            self.playground.listen(self._news.put)
            said = ending_of(self.platform.log(self.account, self.place).utterances)
        self.last = tuple(one.event_id for one in said[:1] if one.event_id)
        for utterance in said:
            self._show(utterance)
        if self._is_open():
            self._wait()
        self._show_news(self.place)

    def catch_up(self) -> None:
        """Show what has come and what has changed meanwhile."""
        self.changes.tell(self.console)
        self._show_news(self.place)

    def forget(self) -> None:
        """Forget the conversation, and what was said in the chat."""
        self.playground.services.store.clear(self.conversation)
        self.platform.clear(self.account, self.place)

    def explain(self) -> None:
        """Tell what happened to what was posted last."""
        records = self._records()
        explain.tell(self.console, records, self.bot.timezone)
        if not records:
            self.console.print("[dim]There is nothing to tell.[/]")

    def _wait(self) -> None:
        """Wait for the answer to what was posted last, which may have to wait for the lease of who was killed at it."""
        end = monotonic() + GOES_ON
        with self.console.status("[dim]…[/]", spinner="dots"):
            while self._is_open() and monotonic() < end:
                sleep(_GLANCE)
                self._show_news(self.place)

    # ---------------------------------------------------------------- what is seen

    def _show_news(self, place: Chat) -> bool:
        """Show what has come; whether the bot has spoken in `place`, or LINE could not reach it."""
        heard = False
        with suppress(Empty):
            while True:
                notice = self._news.get_nowait()
                if notice.bot != self.bot.name or notice.chat is None:
                    continue
                if notice.kind == "webhook":
                    self.console.print(Text(notice.text, "red"))
                    heard = True
                elif notice.kind == "message" and notice.utterance and notice.utterance.is_answer:
                    self._show(notice.utterance, None if notice.chat in (place, self.place) else notice.chat)
                    heard |= notice.chat == place
        return heard

    def _show(self, utterance: Utterance, elsewhere: Chat | None = None) -> None:
        """Show a message; `elsewhere` is its chat where that is another one than is talked in."""
        if not utterance.is_answer:
            said = utterance.text if utterance.via == "system" else f"{utterance.who} › {utterance.line}"
            self.console.print(Text(said, "dim"))
            return
        name = utterance.sender or self.bot.name
        to = (f" to {self._name_of(elsewhere)}" if elsewhere else "", "dim")
        self.console.print(Text.assemble((name, "bold green"), to, " › ", seen(utterance)))
        if elsewhere is None:
            self._offer(buttons_of(utterance))

    def _offer(self, buttons: list[Button]) -> None:
        self.buttons = buttons
        if buttons:
            chips = "  ".join(f"/{number} {button.label}" for number, button in enumerate(buttons, 1))
            self.console.print(Padding(Text(chips, style="dim"), (0, 0, 0, 2)))

    def _name_of(self, chat: Chat) -> str:
        person, place = self.platform.person(chat.id), self.platform.places.get(chat)
        return person.name if person else place.name if place else chat.id

    def _silence(self) -> str:
        """That nothing was said, and why, as far as the bot has noted it."""
        if not self.group and (self.account.user_id, self.speaker.user_id) in self.platform.blocked:
            return "… is blocked; /follow lets it back"
        notes = [note.text for record in self._records() for note in record.notes]
        if NOT_ADDRESSED in notes:
            return f"… stays silent (say @{self.bot.name} to be heard)"
        silence = "… has not answered yet" if self._is_open() else "… stays silent"
        why = [note for note in notes if not note.startswith(_COURSE)]
        return f"{silence} ({why[-1]})" if why else silence

    def _is_open(self) -> bool:
        """Whether an answer to what was posted last is still to come."""
        return any(record.state in _OPEN for record in self._records())

    def _records(self) -> list[Record]:
        wired, bot = self.playground.services, self.bot.name
        now = wired.clock.now()
        return [one for event in self.last for one in explain.records_of(wired.store, bot, event, now)]

    # ---------------------------------------------------------------- the group chat

    def _enter_group(self) -> Chat:
        """The terminal's group chat, with the speaker in it."""
        chat = Chat("group", made_up_id("C", "group", self.account.name))
        if chat not in self.platform.places:
            return self.platform.add_group(self.speaker, name="Terminal", group_id=chat.id)
        self._bring_in(chat)
        return chat

    def _bring_in(self, chat: Chat) -> None:
        """Make the speaker a member, as if of old: nobody is told."""
        with self.platform.lock:
            self.platform.places[chat].members.setdefault(self.speaker.user_id, self.speaker)
