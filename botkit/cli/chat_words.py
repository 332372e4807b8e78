"""The words with a slash that `botkit chat` knows: what a person does on LINE, and what is about the sitting."""

from collections.abc import Callable
from mimetypes import guess_type
from pathlib import Path
from typing import NamedTuple

from rich.text import Text

from botkit.cli.sitting import Sitting
from botkit.messages import Content
from botkit.simulator.world import one_to_one
from botkit.steps.media_words import picture_type


class Word(NamedTuple):
    """One word: how it is written in the help, what it is for, and what it does with what stands after it."""

    written: str
    about: str
    does: Callable[[Sitting, str], None]

    @property
    def has_argument(self) -> bool:
        """Whether something must stand after it."""
        return " " in self.written


def take(sitting: Sitting, line: str) -> None:
    """Do what a line says. What is no word of the terminal's is for the bot, also with a slash."""
    command, _, rest = line.partition(" ")
    word, argument, number = WORDS.get(command), rest.strip(), command[1:]
    if not line.startswith("/") or sitting.is_the_bots(line):
        sitting.say(line)
    elif number.isdecimal() and 0 < int(number) <= len(sitting.buttons):
        sitting.tap(sitting.buttons[int(number) - 1])
    elif line == "/?" or number.isdecimal() or (word and word.has_argument and not argument):
        sitting.console.print(Text(HELP, "dim"))
    elif word and word.has_argument == bool(argument):
        word.does(sitting, argument)
    else:
        sitting.say(line)


# ---------------------------------------------------------------- about the sitting


def _speak_as(sitting: Sitting, name: str) -> None:
    sitting.speak_as(name)


def _explain(sitting: Sitting, _: str) -> None:
    sitting.explain()


def _reset(sitting: Sitting, _: str) -> None:
    sitting.forget()
    sitting.console.print("[dim]The conversation is forgotten.[/]")


# ---------------------------------------------------------------- what is sent


def _photo(sitting: Sitting, file: str) -> None:
    data = _read(sitting, file)
    if data is None:
        return
    media_type = picture_type(data)
    if media_type is None:
        _refuse(sitting, f"{file}: no picture, as its first bytes say; send a JPEG, PNG, GIF or WebP")
        return
    photo = Content(data, media_type)
    sitting.post(sitting.platform.send_media(sitting.account, sitting.speaker, "image", photo, chat=sitting.group))


def _voice(sitting: Sitting, file: str) -> None:
    data = _read(sitting, file)
    if data is not None:
        voice = Content(data, guess_type(file)[0] or "audio/mp4")
        sitting.post(sitting.platform.send_media(sitting.account, sitting.speaker, "audio", voice, chat=sitting.group))


def _read(sitting: Sitting, file: str) -> bytes | None:
    try:
        return Path(file).expanduser().read_bytes()
    except (OSError, RuntimeError) as error:  # RuntimeError: a ~ of nobody
        _refuse(sitting, f"{file}: {getattr(error, 'strerror', None) or error}")
        return None


def _refuse(sitting: Sitting, text: str) -> None:
    sitting.console.print(Text(text, "red"))


def _sticker(sitting: Sitting, keywords: str) -> None:
    words, where = keywords.split(), sitting.group
    sitting.post(sitting.platform.send_sticker(sitting.account, sitting.speaker, chat=where, keywords=words))


def _place(sitting: Sitting, title: str) -> None:
    sitting.post(sitting.platform.send_location(sitting.account, sitting.speaker, title, "Kyoto", chat=sitting.group))


def _data(sitting: Sitting, data: str) -> None:
    sitting.post(sitting.platform.postback(sitting.account, sitting.speaker, data, chat=sitting.group))


def _unsend(sitting: Sitting, _: str) -> None:
    account, speaker, where = sitting.account, sitting.speaker, sitting.group
    said = sitting.platform.chat(account, where or speaker)
    mine = [one.id for one in said if one.user_id == speaker.user_id and not one.unsent]
    if not mine:
        _refuse(sitting, "There is nothing of yours to take back.")
        return
    sitting.post(sitting.platform.unsend(account, speaker, mine[-1], chat=where), quiet="Your last message is unsent.")


# ---------------------------------------------------------------- who comes and goes


def _follow(sitting: Sitting, _: str) -> None:
    followed = sitting.platform.follow(sitting.account, sitting.speaker)
    sitting.post(followed, where=one_to_one(sitting.speaker))


def _block(sitting: Sitting, _: str) -> None:
    blocked = sitting.platform.unfollow(sitting.account, sitting.speaker)
    sitting.post(blocked, where=one_to_one(sitting.speaker), quiet="The bot is blocked; /follow lets it back.")


def _join(sitting: Sitting, _: str) -> None:
    if sitting.group is None:
        _refuse(sitting, "A bot is invited into group chats only; start with --group.")
        return
    sitting.post(sitting.platform.join(sitting.account, sitting.group))


def _come(sitting: Sitting, name: str) -> None:
    if sitting.group is None:
        _refuse(sitting, "People come into group chats only; start with --group.")
        return
    sitting.post(sitting.platform.come(sitting.account, sitting.group, sitting.person(name)))


_ALL = (
    Word("/as NAME", "speak as somebody else", _speak_as),
    Word("/photo FILE", "send a photo", _photo),
    Word("/voice FILE", "send a voice message", _voice),
    Word("/sticker WORD", "send a sticker that shows this", _sticker),
    Word("/place TITLE", "send a location", _place),
    Word("/data TEXT", "tap a button that carries this (a postback)", _data),
    Word("/unsend", "take back your last message", _unsend),
    Word("/follow", "add the bot as a friend, or unblock it", _follow),
    Word("/block", "block the bot", _block),
    Word("/join", "invite the bot into the group chat anew", _join),
    Word("/come NAME", "somebody joins the group chat", _come),
    Word("/explain", "tell what happened to the last message", _explain),
    Word("/reset", "forget this conversation", _reset),
)

WORDS = {word.written.partition(" ")[0]: word for word in _ALL}
"""What can be typed, by its first word."""

HELP = "\n".join(
    [
        *(f"{written:<14} {about}" for written, about, _ in _ALL),
        f"{'/1 … /13':<14} tap a button",
        f"{'/quit':<14} leave (or Ctrl-D)",
        "Any other line is for the bot, also its own commands such as /help.",
    ]
)
