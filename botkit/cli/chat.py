"""Talk to a bot in the terminal, without a LINE account and without a key.

The bot runs as it does when deployed: what is typed becomes a signed LINE webhook, and the
answer comes back through a local LINE that enforces LINE's rules. History is kept between runs.
Without OPENAI_API_KEY (or OPENAI_BASE_URL, or the bot's own base_url) the offline model rehearses.

example:
  botkit chat assistant
  botkit chat concierge --as Hana
  botkit chat companion --group --as Hana      in a group chat; say @companion to be heard
"""

import logging
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from botkit.cli import check, explain
from botkit.cli.folder import bots_folder, unknown_bots
from botkit.delivery.conversations import conversation_of
from botkit.messages import Chat, Content
from botkit.models.rehearsal import RehearsalModel
from botkit.ports import Conversation, Services
from botkit.runtime import Runtime, SystemClock, services
from botkit.simulator.app import create_app
from botkit.simulator.chats import Person, Utterance
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving
from botkit.simulator.wire import Delivery
from botkit.spec.bot import BotSpec, LineAccount
from botkit.spec.loader import load_folder
from botkit.spec.shelf import Shelf
from botkit.steps.commands import Commands
from botkit.steps.history import History
from botkit.steps.model import Model

with suppress(ModuleNotFoundError):  # absent on Windows
    import readline  # noqa: F401  gives the prompt its line editing and its memory

HELP = """\
/as NAME       speak as somebody else
/photo FILE    send a photo
/sticker WORD  send a sticker that shows this
/1 … /13       tap a button
/explain       tell what happened to the last message
/reset         forget this conversation
/quit          leave (or Ctrl-D)
Any other line is for the bot, also its own commands such as /help."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bot", metavar="BOT", help="the bot's name")
    parser.add_argument("--as", dest="speaker", metavar="NAME", default="You", help="the name you speak as")
    parser.add_argument("--group", action="store_true", help="talk in a group chat instead of 1:1")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Talk until the input ends; 0 then, 1 where the bot's file is wrong, 2 where there is no such bot."""
    console, folder = Console(highlight=False), bots_folder(environ)
    if missing := unknown_bots(folder, [options.bot]):
        check.report(Console(stderr=True, highlight=False), missing)
        return 2
    loaded = load_folder(folder, [options.bot])
    if loaded.problems:
        check.report(Console(stderr=True, highlight=False), loaded.problems)
        return 1
    logging.basicConfig(
        level=logging.WARNING,
        format="%(message)s",
        handlers=[RichHandler(console=Console(stderr=True), show_path=False)],
    )
    platform = Platform(SystemClock())
    with serving(create_app(platform)) as line_url:
        Sitting(console, platform, loaded.bots[options.bot], options, {**environ, "BOTKIT_LINE_URL": line_url}).talk()
    return 0


class Sitting:
    """One sitting at the terminal: a person, a bot, and the chat they are in."""

    def __init__(
        self, console: Console, platform: Platform, bot: BotSpec, options: Namespace, environ: Mapping[str, str]
    ) -> None:
        self.console = console
        self.platform = platform
        self.account = platform.add_account(bot.name, user_id=_id("U", "bot", bot.name))
        self.group: Chat | None = None
        self.speaker = self._person(options.speaker)
        self.group = self._join_group() if options.group else None
        secrets = {"CHAT_SECRET": self.account.channel_secret, "CHAT_TOKEN": self.account.access_token}
        line = LineAccount.model_validate(
            {"channel_secret": "env:CHAT_SECRET", "channel_access_token": "env:CHAT_TOKEN"}
        )
        self.bot = replace(bot, line=line)
        self.rehearses = _rehearses(bot, environ)
        self.runtime = Runtime(
            Shelf.of(self.bot), _services({**environ, **secrets}, rehearses=self.rehearses), "terminal"
        )
        self.buttons: list[_Button] = []
        self.last: Delivery | None = None

    def talk(self) -> None:
        """Read, answer, repeat."""
        self._greet()
        while (line := self._read()) is not None:
            if line in ("/quit", "/exit"):
                break
            if line:
                self._take(line)
        self.console.print("[dim]Bye.[/]")

    def _greet(self) -> None:
        model = self.bot.step(Model)
        where = "in a group chat" if self.group else "1:1"
        self.console.print(f"[bold green]{self.bot.name}[/]  {escape(self.bot.description)}", style="default")
        self.console.print(
            f"[dim]{where} · {'rehearsal' if self.rehearses else model.name if model else 'no model'} · /? for help[/]"
        )
        if self.rehearses:
            key = escape(model.api_key.removeprefix("env:")) if model else "OPENAI_API_KEY"
            self.console.print(
                f"[yellow]No {key}: the offline model rehearses.[/] "
                "[dim]Set the key, or OPENAI_BASE_URL for a server of your own, and start again.[/]"
            )
        if earlier := self._count_earlier():
            messages = "1 earlier message" if earlier == 1 else f"{earlier} earlier messages"
            self.console.print(f"[dim]Going on after {messages}; /reset forgets the conversation.[/]")
        self.console.print()

    def _count_earlier(self) -> int:
        """Opens the store, so that one that cannot be opened is told before anything is typed. Raises StoreError."""
        history, wired = self.bot.step(History), self.runtime.services
        window = history.window if history else 0
        return len(wired.store.history(self._conversation(), window, wired.clock.now()))

    def _read(self) -> str | None:
        try:
            return self.console.input(f"[bold cyan]{escape(self.speaker.name)}[/] › ").strip()
        except (EOFError, KeyboardInterrupt):
            self.console.print()
            return None

    def _take(self, line: str) -> None:
        if not line.startswith("/") or self._is_the_bots(line):
            return self._say(line)
        command, _, argument = line.partition(" ")
        if command == "/reset":
            return self._reset()
        if command == "/photo" and argument.strip():
            return self._send_photo(Path(argument.strip()).expanduser())
        if command == "/sticker" and argument.strip():
            words = argument.split()
            return self._post(self.platform.send_sticker(self.account, self.speaker, chat=self.group, keywords=words))
        if command == "/explain":
            return self._explain()
        if command == "/as" and argument.strip():
            self.speaker = self._person(argument.strip())
            return None
        if command[1:].isdecimal() and 0 < int(command[1:]) <= len(self.buttons):
            return self._tap(self.buttons[int(command[1:]) - 1])
        if command in ("/?", "/as", "/photo", "/sticker") or command[1:].isdecimal():
            return self.console.print(HELP, style="dim")
        return self._say(line)  # any other word with a slash is for the bot

    def _is_the_bots(self, line: str) -> bool:
        """Whether the bot takes the line for a command of its own, as it does on LINE."""
        commands = self.bot.step(Commands)
        return commands is not None and not self.group and commands.matches(line)

    def _send_photo(self, path: Path) -> None:
        try:
            photo = Content(path.read_bytes(), guess_type(path.name)[0] or "application/octet-stream")
        except OSError as error:
            return self.console.print(f"[red]{escape(str(path))}: {escape(error.strerror or '')}[/]")
        return self._post(self.platform.send_media(self.account, self.speaker, "image", photo, chat=self.group))

    def _say(self, text: str) -> None:
        mentioned = re.search(rf"@{re.escape(self.account.name)}(?![a-z0-9-])", text)
        mention = self.account if self.group and mentioned else ()
        self._post(self.platform.say(self.account, self.speaker, text, chat=self.group, mention=mention))

    def _tap(self, button: "_Button") -> None:
        if button.data is None:
            return self._say(button.label)
        return self._post(self.platform.postback(self.account, self.speaker, button.data, chat=self.group))

    def _explain(self) -> None:
        wired = self.runtime.services
        for event in self.last.events if self.last else ():
            records = explain.records_of(wired.store, self.bot.name, event["webhookEventId"], wired.clock.now())
            explain.tell(self.console, records, self.bot.timezone)

    def _post(self, delivery: Delivery) -> None:
        self.last = delivery
        where = self.group or self.speaker
        before = len(self.platform.chat(self.account, where))
        with self.console.status("[dim]…[/]", spinner="dots"):
            answer = self.runtime(_webhook(self.bot.name, delivery.body, delivery.headers), None)
        said = [one for one in self.platform.chat(self.account, where).utterances[before:] if one.via != "person"]
        self._show(said, answer)

    def _show(self, said: list[Utterance], answer: Mapping[str, Any]) -> None:
        if answer["statusCode"] != 200:
            self.console.print(f"[red]The webhook was answered {answer['statusCode']}: {escape(answer['body'])}[/]")
        elif not said:
            hint = f" (say @{self.bot.name} to be heard)" if self.group else ""
            self.console.print(f"[dim]… stays silent{hint}[/]")
        for utterance in said:
            name = utterance.sender or self.bot.name
            self.console.print(Text.assemble((name, "bold green"), " › ", utterance.text))
            self.buttons = _buttons(utterance)
        if said and self.buttons:
            chips = "  ".join(f"/{number} {button.label}" for number, button in enumerate(self.buttons, 1))
            self.console.print(Padding(Text(chips, style="dim"), (0, 0, 0, 2)))

    def _reset(self) -> None:
        self.runtime.services.store.clear(self._conversation())
        self.console.print("[dim]The conversation is forgotten.[/]")

    def _conversation(self) -> Conversation:
        chat = self.group or Chat("user", self.speaker.user_id)
        shares = self.bot.shares_groups
        return conversation_of(self.bot.name, chat, self.speaker.user_id, event_id="", shares_groups=shares)

    def _person(self, name: str) -> Person:
        # The same name is the same person in every sitting, so that history goes on.
        person = self.platform.add_person(name, user_id=_id("U", "person", name))
        if self.group:
            self.platform.come(self.account, self.group, person)
        return person

    def _join_group(self) -> Chat:
        group = self.platform.add_group(self.speaker, name="Terminal", group_id=_id("C", "group", self.account.name))
        self.platform.join(self.account, group)
        return group


@dataclass(frozen=True, slots=True)
class _Button:
    """What can be tapped under a message: it says its label, or sends `data` unseen."""

    label: str
    data: str | None = None


def _buttons(utterance: Utterance) -> list[_Button]:
    actions = utterance.message.get("template", {}).get("actions", ())
    return [
        *(_Button(label) for label in utterance.quick_replies),
        *(_Button(action["label"], action["data"]) for action in actions if action["type"] == "postback"),
    ]


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
