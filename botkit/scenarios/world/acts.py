"""Acts: what the people of a scenario do, done on LINE's platform."""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Final

from botkit.messages import Chat, Content
from botkit.scenarios.file.scenario import Deed, Scenario, Turn
from botkit.scenarios.world.stage import Stage
from botkit.simulator.chats import Person, Utterance
from botkit.simulator.platform import Mentioned
from botkit.simulator.playground.accounts import made_up_id
from botkit.simulator.wire import Delivery
from botkit.simulator.world import one_to_one

_BLANK_PNG: Final = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
_MEDIA: Final = {"image": "image/png", "audio": "audio/x-m4a", "video": "video/mp4", "file": "application/pdf"}


class Impossible(Exception):
    """Something that cannot be done on LINE as things stand, in a sentence for people."""


class Cast:
    """The people of a scenario and the chat they meet in, on its stage. Lives as long as the scenario.

    Whoever follows the bot, or comes into the group, in a turn of their own is not there before; all others are
    from the start, and nobody is told.
    """

    def __init__(self, stage: Stage, scenario: Scenario, folder: Path) -> None:
        self.stage = stage
        self._platform, self._account = stage.platform, stage.account
        self._folder = folder
        self.people = {name: self._person(name, scenario) for name in scenario.speakers}
        self.place = self._meet(scenario)
        self._befriend(scenario)

    def chat(self, speaker: str, *, privately: bool = False) -> Chat:
        """Where a speaker talks: the scenario's group or room, or 1:1 with the bot."""
        return one_to_one(self.people[speaker]) if privately or self.place is None else self.place

    def do(self, speaker: str, deed: Deed, *, privately: bool = False) -> Delivery:
        """Do something; returns the webhook that LINE sends for it. Raises Impossible."""
        person, chat = self.people[speaker], self.chat(speaker, privately=privately)
        where = None if chat.kind == "user" else chat
        try:
            return self._done(person, deed, chat, where)
        except (ValueError, KeyError) as error:
            raise Impossible(str(error.args[0] if error.args else error)) from error

    def happen(self, turn: Turn) -> tuple[Delivery, tuple[Chat, str | None]]:
        """Let somebody come or go; returns the webhook, and the chat and the speaker it is about. Raises Impossible."""
        who = turn.follow or turn.unfollow
        try:
            if who is not None:
                move = self._platform.follow if turn.follow else self._platform.unfollow
                return move(self._account, self.people[who]), (one_to_one(self.people[who]), who)
            if self.place is None:
                raise Impossible("in a 1:1 chat nobody joins or leaves; write `chat: group`")
            return self._moved(turn, self.place), (self.place, None)
        except (ValueError, KeyError) as error:
            raise Impossible(str(error.args[0] if error.args else error)) from error

    # ---------------------------------------------------------------- what is done

    def _moved(self, turn: Turn, place: Chat) -> Delivery:
        if turn.join or turn.leave:
            return (self._platform.join if turn.join else self._platform.leave)(self._account, place)
        people = [self.people[name] for name in turn.come or turn.go or ()]
        there = self._platform.places[place].members
        if absent := [one.name for one in people if turn.go and one.user_id not in there]:
            raise Impossible(f"{', '.join(absent)} cannot leave, not being in this {place.kind}")
        return (self._platform.come if turn.come else self._platform.go)(self._account, place, *people)

    def _done(self, person: Person, deed: Deed, chat: Chat, where: Chat | None) -> Delivery:
        platform, account = self._platform, self._account
        match deed.kind:
            case "text":
                return self._say(person, deed, chat, where)
            case "sticker":
                return platform.send_sticker(account, person, chat=where, keywords=deed.sticker or ())
            case "image" | "audio" | "video" | "file" as kind:
                return platform.send_media(
                    account, person, kind, self._content(deed), chat=where, name=deed.file or "file.pdf"
                )
            case "location" if deed.location is not None:
                return platform.send_location(account, person, deed.location.title, deed.location.address, chat=where)
            case "postback":
                return platform.postback(account, person, deed.postback or "", chat=where)
            case "tap":
                return self._tap(person, deed.tap or "", chat, where)
            case "edit":
                found = self._own(person, chat, deed.of, only_text=True)
                return platform.edit(account, person, found.id, deed.edit or "", chat=chat)
            case _:
                return platform.unsend(account, person, self._own(person, chat, deed.of).id, chat=where)

    def _say(self, person: Person, deed: Deed, chat: Chat, where: Chat | None) -> Delivery:
        text = deed.text or ""
        mention = self._mentioned(text) if where else ()
        quote = self._quoted(chat, deed.quote).id if deed.quote is not None else None
        return self._platform.say(self._account, person, text, chat=where, mention=mention, quote=quote)

    def _mentioned(self, text: str) -> list[Mentioned]:
        """Whom a text of a group mentions: the bot, somebody by the name they have, or all."""
        known: list[tuple[str, Mentioned]] = [(self._account.name, self._account), ("all", "all")]
        known += [(person.name, person) for person in self.people.values()]
        return [who for name, who in known if re.search(rf"@{re.escape(name)}(?![\w-])", text)]

    def _quoted(self, chat: Chat, which: bool | str) -> Utterance:
        wanted = None if isinstance(which, bool) else which
        found = (one for one in self._newest(chat) if (wanted is None and one.is_answer) or _has(one, wanted))
        if quoted := next(found, None):
            return quoted
        raise Impossible("there is nothing to quote: " + _missing("the bot has said nothing yet", wanted))

    def _own(self, person: Person, chat: Chat, words: str | None, *, only_text: bool = False) -> Utterance:
        """The newest message of a person's, or the newest with these words."""
        for one in self._newest(chat):
            mine = one.via == "person" and one.user_id == person.user_id and not one.unsent
            if mine and not (only_text and one.message.get("type") != "text") and (words is None or _has(one, words)):
                return one
        raise Impossible(f"there is no such message of {person.name}'s: " + _missing("nothing was said before", words))

    def _tap(self, person: Person, label: str, chat: Chat, where: Chat | None) -> Delivery:
        """Tap what the bot offers. Quick replies are there for the newest message alone, as on LINE."""
        action = next((one for one in self._offered(chat) if one.get("label") == label), None)
        if action is None:
            offered = ", ".join(f"“{one.get('label')}”" for one in self._offered(chat))
            raise Impossible(f"there is nothing to tap with the label “{label}”; {offered or 'nothing'} is offered")
        if action["type"] == "postback":
            text = action.get("displayText")
            return self._platform.postback(self._account, person, action["data"], chat=where, text=text)
        if action["type"] == "message":
            return self._platform.say(self._account, person, action["text"], chat=where)
        raise Impossible(f"“{label}” is of the kind {action['type']}, which tells the bot nothing")

    def _offered(self, chat: Chat) -> Iterator[Mapping[str, Any]]:
        for number, one in enumerate(self._newest(chat)):
            if number == 0 and one.is_answer:
                items = one.message.get("quickReply", {}).get("items", ())
                yield from (item["action"] for item in items)
            if one.is_answer:
                yield from _actions({key: value for key, value in one.message.items() if key != "quickReply"})

    def _newest(self, chat: Chat) -> Iterator[Utterance]:
        """What was said in a chat, the newest first."""
        said = self._platform.log(self._account, chat).utterances
        return (one for one in reversed(said) if one.via != "system")

    def _content(self, deed: Deed) -> Content:
        """What a medium holds: the file that is named, or something that only looks like it."""
        if isinstance(deed.image, str):
            path = self._folder / deed.image
            try:
                return Content(path.read_bytes(), guess_type(path.name)[0] or _MEDIA["image"])
            except OSError as error:
                raise Impossible(f"{deed.image} cannot be read: {error.strerror}") from error
        if deed.kind == "audio":  # by which the words of each are known: transcriptions run side by side
            return Content((deed.audio or "").encode() or b"\0", _MEDIA["audio"])
        return Content(_BLANK_PNG if deed.kind == "image" else b"\0", _MEDIA[deed.kind])

    # ---------------------------------------------------------------- who is there

    def _person(self, name: str, scenario: Scenario) -> Person:
        known = scenario.header.people.get(name)
        return self._platform.add_person(
            known.name if known else name,
            language=known.language if known else None,
            user_id=made_up_id("U", "person", name),
        )

    def _meet(self, scenario: Scenario) -> Chat | None:
        setting, platform = scenario.header.chat, self._platform
        if setting.kind == "user":
            return None
        late = {name for act in scenario.acts for name in act.turn.come or ()}
        there = [person for name, person in self.people.items() if name not in late]
        if setting.kind == "group":
            place = platform.add_group(*there, name=setting.name or "", group_id=made_up_id("C", "group", "scenario"))
        else:
            place = platform.add_room(*there)
        if not _joins_first(scenario):
            platform.join(self._account, place)
        return place

    def _befriend(self, scenario: Scenario) -> None:
        late = {act.turn.follow for act in scenario.acts}
        for name, person in self.people.items():
            if name not in late or _unfollows_first(scenario, name):
                self._platform.follow(self._account, person)


def _joins_first(scenario: Scenario) -> bool:
    turns = (act.turn for act in scenario.acts)
    return next((turn.join is not None for turn in turns if turn.join or turn.leave), False)


def _unfollows_first(scenario: Scenario, name: str) -> bool:
    turns = (act.turn for act in scenario.acts)
    return next((turn.unfollow == name for turn in turns if name in (turn.follow, turn.unfollow)), False)


def _has(one: Utterance, words: str | None) -> bool:
    return words is not None and words.casefold() in one.text.casefold()


def _missing(nothing: str, words: str | None) -> str:
    return nothing if words is None else f"no message holds “{words}”"


def _actions(message: Any) -> Iterator[Mapping[str, Any]]:
    """Everything in a message object that can be tapped, and has a label."""
    if isinstance(message, Mapping):
        if message.get("type") in ("postback", "message", "uri") and "label" in message:
            yield message
        for value in message.values():
            yield from _actions(value)
    elif isinstance(message, list | tuple):
        for value in message:
            yield from _actions(value)
