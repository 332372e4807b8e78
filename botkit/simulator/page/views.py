"""The world as the page shows it: JSON of what a playground holds, made anew at each look."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from botkit.errors import Problem
from botkit.messages import Chat
from botkit.simulator.chats import Account, ChatLog, Person, Place, Utterance
from botkit.simulator.playground.accounts import made_up_id
from botkit.simulator.playground.playground import Playground
from botkit.simulator.playground.settings import rehearses
from botkit.simulator.wire import JsonObject
from botkit.spec.bot import BotSpec
from botkit.steps.commands import Commands
from botkit.steps.model import Model

_NOTHING = ChatLog()


def state(playground: Playground, version: int) -> JsonObject:
    """Everything but the messages: who there is, who talks with whom, what is wrong, what goes wrong on purpose."""
    platform = playground.platform
    bots = [_bot(playground, name) for name in sorted(playground.shelf.names)]
    troubles = playground.mischief.list()
    problems = _problems((*playground.shelf.problems, *playground.settings.problems))
    with platform.lock:
        return {
            "version": version,
            "now": playground.clock.now(),
            "offset": playground.clock.offset,
            "me": playground.me.user_id,
            "people": [_person(person) for person in _people(playground)],
            "bots": bots,
            "groups": [_group(place) for place in platform.places.values()],
            "chats": _chats(playground),
            "problems": problems,
            "troubles": troubles,
            "cloud": playground.cloud.counts,
        }


def chat(playground: Playground, bot: str, where: Chat) -> JsonObject:
    """All that was said in a chat, oldest first. A chat in which nothing was said is empty."""
    account = playground.accounts.get(bot)
    if account is None:
        return {"messages": [], "loading_until": None}
    with playground.platform.lock:
        log = _log(playground, account, where)
        shown = _Shown(playground, account, log)
        return {
            "messages": [shown.message(one) for one in log.utterances],
            "loading_until": loading_until(playground, bot, where),
        }


def message(playground: Playground, bot: str, where: Chat, utterance: Utterance) -> JsonObject:
    """One message or system line of a chat."""
    account = playground.accounts[bot]
    with playground.platform.lock:
        return _Shown(playground, account, _log(playground, account, where)).message(utterance)


def loading_until(playground: Playground, bot: str, where: Chat) -> int | None:
    """When the loading animation of a chat ends (ms since 1970); None where there is none."""
    with playground.platform.lock:
        until = _log(playground, playground.accounts[bot], where).loading_until
        return until if until > playground.clock.now() else None


def chat_id(where: Chat) -> JsonObject:
    """A chat's name on the wire."""
    return {"kind": where.kind, "id": where.id}


# ---------------------------------------------------------------- bots and people


def _bot(playground: Playground, name: str) -> JsonObject:
    shelf, platform = playground.shelf, playground.platform
    bot, account = shelf.serving.get(name), playground.accounts.get(name)
    with platform.lock:
        pushed = platform.allowances.pushed(account.user_id, playground.clock.now()) if account else 0
    return {
        "name": name,
        "user_id": account.user_id if account else made_up_id("U", "bot", name),
        "problems": _problems(shelf.problems_of(name) or _gone(playground, name, bot)),
        "stale": shelf.is_stale(name),
        "works": bot is not None,
        "quota": account.quota if account else None,
        "pushed": pushed,
        **_traits(bot, playground.settings),
    }


def _traits(bot: BotSpec | None, settings: Mapping[str, str]) -> JsonObject:
    """What the bot's file says; of a bot whose file never was right, nothing."""
    model = bot.step(Model) if bot else None
    return {
        "description": bot.description if bot else "",
        "model": model.name if model else None,
        "rehearses": rehearses(bot, settings) if bot else False,
        "key": model.api_key.removeprefix("env:") if model else None,
        "commands": _commands(bot),
    }


def _commands(bot: BotSpec | None) -> list[str]:
    """The words that a person may send, the first of each command."""
    commands = bot.step(Commands) if bot else None
    if commands is None:
        return []
    builtin = (commands.help, commands.reset, commands.forget, commands.usage)
    return [*(words[0] for words in builtin if words), *commands.say]


def _gone(playground: Playground, name: str, bot: BotSpec | None) -> tuple[Problem, ...]:
    """What is wrong with a bot that has no file any more."""
    file = str(playground.folder / f"{name}.yaml")
    return () if bot else (Problem(file, 0, 0, "is gone; nothing answers until it is there again"),)


def _problems(problems: Iterable[Problem]) -> list[JsonObject]:
    return [asdict(problem) for problem in problems]


def _people(playground: Playground) -> list[Person]:
    """Everybody, first who sits at this machine."""
    me = playground.me.user_id
    return sorted(playground.platform.people.values(), key=lambda person: person.user_id != me)


def _person(person: Person) -> JsonObject:
    return {"id": person.user_id, "name": person.name, "language": person.language}


# ---------------------------------------------------------------- chats; the caller holds the platform's lock


def _group(place: Place) -> JsonObject:
    bot = place.account.name if place.account else None
    return {**chat_id(place.chat), "name": place.name, "bot": bot, "members": list(place.members)}


def _chats(playground: Playground) -> list[JsonObject]:
    """Every group, and every 1:1 chat in which there is anything."""
    platform, accounts = playground.platform, playground.accounts.values()
    known: dict[tuple[str, Chat], Account] = {}
    for place in platform.places.values():
        if place.account:
            known[place.account.user_id, place.chat] = place.account
    for account in accounts:
        for (user_id, where), log in platform.logs.items():
            if user_id == account.user_id and log.utterances:
                known[user_id, where] = account
    return [_chat(playground, account, where) for (_, where), account in known.items()]


def _chat(playground: Playground, account: Account, where: Chat) -> JsonObject:
    platform, log = playground.platform, _log(playground, account, where)
    said = [one for one in log.utterances if one.via != "system"]
    person = platform.people.get(where.id)
    return {
        "bot": account.name,
        **chat_id(where),
        "last": _Shown(playground, account, log).message(said[-1]) if said else None,
        "count": len(said),
        "lines": len(log.utterances),
        "blocked": (account.user_id, where.id) in platform.blocked,
        "friend": person is not None and platform.is_acquainted(account, person),
    }


def _log(playground: Playground, account: Account, where: Chat) -> ChatLog:
    """A chat, without making one where there is none."""
    return playground.platform.logs.get((account.user_id, where), _NOTHING)


class _Shown:
    """The messages of one chat as they are shown; lives as long as one look at it."""

    def __init__(self, playground: Playground, account: Account, log: ChatLog) -> None:
        self._playground = playground
        self._account = account
        self._log = log

    def message(self, said: Utterance) -> JsonObject:
        """One message, or a system line."""
        return {
            "id": said.id,
            "at": said.at,
            "via": said.via,
            "who": self._who(said),
            "sender": _sender(said),
            "message": dict(said.message),
            "text": said.text,
            "unsent": said.unsent,
            "edited": said.edited,
            "read": said.read,
            "quote": self._quote(said),
            "media": self._media(said),
            "event": said.event_id,
        }

    def _who(self, said: Utterance) -> JsonObject:
        if said.via == "system":
            return {"kind": "system", "id": None, "name": ""}
        if said.is_answer:
            return {"kind": "bot", "id": self._account.user_id, "name": self._account.name}
        return {"kind": "person", "id": said.user_id, "name": said.who}

    def _quote(self, said: Utterance) -> JsonObject | None:
        """The message that this one was said under, as far as it can be seen."""
        if said.is_answer:  # a bot names what it quotes by its token, and the person's message bears the same
            token = said.message.get("quoteToken")
            found = next((one for one in self._people_said() if token and one.message.get("quoteToken") == token), None)
        else:
            quoted = said.message.get("quotedMessageId")
            found = next((one for one in self._log.utterances if one.id == quoted), None) if quoted else None
        return {"id": found.id, "name": found.sender or found.who, "text": found.line} if found else None

    def _people_said(self) -> Iterable[Utterance]:
        return (one for one in self._log.utterances if one.via == "person")

    def _media(self, said: Utterance) -> JsonObject | None:
        """Where the bytes are that a person has sent."""
        content = self._playground.platform.contents.get((self._account.user_id, said.id))
        if content is None:
            return None
        fields: Mapping[str, Any] = said.message
        return {
            "url": f"/sim/media/{said.id}",
            "type": content.media_type,
            "name": fields.get("fileName"),
            "duration": fields.get("duration"),
        }


def _sender(said: Utterance) -> JsonObject | None:
    sender = said.message.get("sender")
    return {"name": sender.get("name"), "icon": sender.get("iconUrl")} if sender else None
