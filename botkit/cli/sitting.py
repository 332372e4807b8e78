"""One sitting at the terminal: a person, a bot, a local LINE between them, and what is seen of it."""

import re
from argparse import Namespace
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from botkit.cli import explain
from botkit.delivery.conversations import conversation_of
from botkit.messages import Chat
from botkit.models.rehearsal import RehearsalModel
from botkit.ports import Conversation, Record, Services
from botkit.runtime import Runtime, services
from botkit.simulator.chats import Person, Utterance
from botkit.simulator.platform import Platform
from botkit.simulator.wire import Delivery
from botkit.spec.bot import BotSpec, LineAccount
from botkit.spec.shelf import Shelf
from botkit.steps.commands import Commands
from botkit.steps.model import Model

NOT_ADDRESSED = "groups: the bot was not addressed"
"""The note of the step `groups` on what is said to others."""
_COURSE = ("turn: ", "history: ", "answer: ")
"""Notes that tell how a turn went, and never why nothing was said."""


class Sitting:
    """Who speaks, to which bot and where. What is posted goes to the bot as LINE's webhook; what it says is shown."""

    def __init__(
        self, console: Console, platform: Platform, bot: BotSpec, options: Namespace, environ: Mapping[str, str]
    ) -> None:
        self.console = console
        self.platform = platform
        self.account = platform.add_account(bot.name, user_id=_id("U", "bot", bot.name))
        self.group: Chat | None = None
        self.speaker = self.person(options.speaker)
        if options.group:
            group_id = _id("C", "group", bot.name)
            self.group = platform.add_group(self.speaker, name="Terminal", group_id=group_id)
        secrets = {"CHAT_SECRET": self.account.channel_secret, "CHAT_TOKEN": self.account.access_token}
        line = LineAccount.model_validate(
            {"channel_secret": "env:CHAT_SECRET", "channel_access_token": "env:CHAT_TOKEN"}
        )
        self.bot = replace(bot, line=line)
        self.rehearses = _rehearses(bot, environ)
        wired = _services({**environ, **secrets}, rehearses=self.rehearses)
        self.runtime = Runtime(Shelf.of(self.bot), wired, "terminal")
        self.buttons: list[Button] = []
        self.last: Delivery | None = None

    @property
    def conversation(self) -> Conversation:
        """The one that the speaker is in."""
        chat = self.group or Chat("user", self.speaker.user_id)
        shares = self.bot.shares_groups
        return conversation_of(self.bot.name, chat, self.speaker.user_id, event_id="", shares_groups=shares)

    def person(self, name: str) -> Person:
        """Somebody of this name: the same in every sitting, so that history goes on."""
        return self.platform.add_person(name, user_id=_id("U", "person", name))

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

    def tap(self, button: "Button") -> None:
        """The speaker taps a button."""
        if button.data is None:
            return self.say(button.label)
        return self.post(self.platform.postback(self.account, self.speaker, button.data, chat=self.group))

    def post(self, delivery: Delivery, *, where: Chat | Person | None = None, quiet: str | None = None) -> None:
        """Hand the bot a webhook, and show what it says in `where`, by default the chat of this sitting.

        `quiet` is shown instead of the silence that follows what nobody expects an answer to.
        """
        self.last = delivery
        place = where or self.group or self.speaker
        before = len(self.platform.chat(self.account, place))
        with self.console.status("[dim]…[/]", spinner="dots"):
            answer = self.runtime(_webhook(self.bot.name, delivery.body, delivery.headers), None)
        said = [one for one in self.platform.chat(self.account, place).utterances[before:] if one.via != "person"]
        if answer["statusCode"] != 200:
            self.console.print(f"[red]The webhook was answered {answer['statusCode']}: {escape(answer['body'])}[/]")
        elif said:
            self._show(said)
        elif text := self._silence() if quiet is None else quiet:
            self.console.print(Text(text, "dim"))

    def explain(self) -> None:
        """Tell what happened to what was posted last."""
        records = [record for event in (self.last.events if self.last else ()) for record in self._records(event)]
        explain.tell(self.console, records, self.bot.timezone)
        if not records:
            self.console.print("[dim]There is nothing to tell.[/]")

    # ---------------------------------------------------------------- what is seen

    def _show(self, said: Iterable[Utterance]) -> None:
        for utterance in said:
            name = utterance.sender or self.bot.name
            self.console.print(Text.assemble((name, "bold green"), " › ", _seen(utterance)))
            self.buttons = _buttons(utterance)
        if self.buttons:
            chips = "  ".join(f"/{number} {button.label}" for number, button in enumerate(self.buttons, 1))
            self.console.print(Padding(Text(chips, style="dim"), (0, 0, 0, 2)))

    def _silence(self) -> str:
        """That nothing was said, and why, as far as the bot has noted it."""
        events = self.last.events if self.last else ()
        notes = [note.text for event in events for record in self._records(event) for note in record.notes]
        if NOT_ADDRESSED in notes:
            return f"… stays silent (say @{self.bot.name} to be heard)"
        why = [note for note in notes if not note.startswith(_COURSE)]
        return f"… stays silent ({why[-1]})" if why else "… stays silent"

    def _records(self, event: Mapping[str, Any]) -> list[Record]:
        wired = self.runtime.services
        return explain.records_of(wired.store, self.bot.name, event["webhookEventId"], wired.clock.now())


@dataclass(frozen=True, slots=True)
class Button:
    """What can be tapped under a message: it says its label, or sends `data` unseen."""

    label: str
    data: str | None = None


def _buttons(utterance: Utterance) -> list[Button]:
    actions = utterance.message.get("template", {}).get("actions", ())
    return [
        *(Button(label) for label in utterance.quick_replies),
        *(Button(action["label"], action["data"]) for action in actions if action["type"] == "postback"),
    ]


def _seen(utterance: Utterance) -> Text:
    """A message as far as a terminal can show it: of a flex message that is its altText."""
    message = utterance.message
    match message.get("type"):
        case "flex":
            return Text.assemble(("[flex] ", "dim"), utterance.text)
        case "sticker":
            return Text(f"[sticker {message['packageId']}/{message['stickerId']}]", "dim")
    return Text(utterance.text)


def _id(prefix: str, kind: str, name: str) -> str:
    return prefix + sha256(f"{kind}:{name}".encode()).hexdigest()[:32]


def _rehearses(bot: BotSpec, environ: Mapping[str, str]) -> bool:
    """Whether there is no model to ask: no key, and no server of one's own."""
    model = bot.step(Model)
    if model is None or model.base_url or environ.get("OPENAI_BASE_URL"):
        return False
    return not environ.get(model.api_key.removeprefix("env:"))


def _services(environ: Mapping[str, str], *, rehearses: bool) -> Services:
    wired = services(environ)
    return replace(wired, model=RehearsalModel()) if rehearses else wired


def _webhook(bot: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """LINE's call as API Gateway hands it to the Lambda handler."""
    return {
        "version": "2.0",
        "requestContext": {"http": {"method": "POST", "path": f"/line/{bot}"}},
        "rawPath": f"/line/{bot}",
        "headers": headers,
        "body": body.decode(),
        "isBase64Encoded": False,
    }
