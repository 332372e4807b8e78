"""Transcript: what a bot remembers of a conversation, made into the turns of a scenario."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from botkit.line.text import clean
from botkit.messages import ChatKind, Message
from botkit.scenarios.transcripts.draft import Draft, DraftTurn, Written
from botkit.spec.bot import BotSpec
from botkit.steps.groups import Groups
from botkit.steps.history import label

SOMEBODY: Final = ""
"""A speaker whom the history does not name: the only one there is, or whoever it was."""
TOGETHER_MS: Final = 90_000
"""What follows sooner may have waited for the same worker, which lives as long as this."""
MOST_TOGETHER: Final = 15
"""Messages that one turn of the pipeline answers (`botkit.delivery.plan.BURST`)."""
LONGEST: Final = 4900
"""Characters of a text: LINE takes 5,000, and a mention of the bot, or longer names, may be put in."""

_CLOSED = r"(?:, not opened| that could not be opened)?"


@dataclass(frozen=True, slots=True)
class _Done:
    """What a message of the history was: deeds of its sender, or something that happened to `people`."""

    deeds: tuple[Written, ...] = ()
    happenings: tuple[Mapping[str, Any], ...] = ()
    speaker: str | None = None
    group: str = ""
    remark: str = ""


def transcribe(said: Sequence[Message], kind: ChatKind, bot: BotSpec) -> Draft:
    """The draft of a scenario that repeats what was said, oldest first, in a chat of this kind.

    Names and all else in it are as they were said. What the history cannot tell is replaced by the nearest that a
    test file can say, with a remark. Answers to nothing that is kept are left out.
    """
    draft = _Transcript(kind, bot).of(said)
    first = next((one.began for one in draft.turns if one.began), 0)
    begins = datetime.fromtimestamp(first / 1000, UTC).astimezone(bot.timezone) if first else None
    return replace(draft, begins=begins if begins and 2000 <= begins.year <= 2100 else None)


class _Transcript:
    """Makes one draft."""

    def __init__(self, kind: ChatKind, bot: BotSpec) -> None:
        self._kind, self._bot = kind, bot
        self._groups = bot.step(Groups) if kind != "user" else None
        self._turns: list[DraftTurn] = []
        self._waiting: list[Message] = []
        self._group = ""
        self._aliases: list[tuple[str, str]] = []

    def of(self, said: Sequence[Message]) -> Draft:
        for one in said:
            message = replace(one, text=clean(one.text))
            if message.role == "assistant":
                self._answered(message.text)
            elif message.role == "user" and message.text:
                self._take(message)
        self._flush()
        aliases = tuple(dict.fromkeys(self._aliases))
        return Draft("", self._kind, self._group, turns=tuple(self._turns), aliases=aliases)

    # ---------------------------------------------------------------- what belongs together

    def _take(self, message: Message) -> None:
        """Something that a person said: it waits for its answer, unless it has none to expect."""
        if self._waiting and not self._joins(message):
            self._flush()
        if message.overheard and not self._waiting:
            self._turns += self._turn([message], expect={"silent": True})
        else:
            self._waiting.append(message)

    def _joins(self, message: Message) -> bool:
        last = self._waiting[-1]
        gap = message.at - last.at if message.at and last.at else 0
        return (
            (message.speaker or SOMEBODY) == (last.speaker or SOMEBODY)
            and gap <= TOGETHER_MS
            and len(self._waiting) < MOST_TOGETHER
            and not any(_done(one).happenings or _done(one).speaker for one in (last, message))
        )

    def _flush(self) -> None:
        """What waits was never answered, as far as is known."""
        if self._waiting:
            remark = "No answer is kept: none was made, as here, or it was taken back."
            expect = {"via": "reply"} if self._kind == "user" else {"silent": True}
            self._turns += self._turn(self._waiting, scripts=({"fails": "down"},), expect=expect, remark=remark)
        self._waiting = []

    def _answered(self, answer: str) -> None:
        if self._waiting:
            scripts = (answer.strip(),) if answer.strip() else ()
            self._turns += self._turn(self._waiting, scripts=scripts, expect={"via": "reply"}, answer=answer)
        self._waiting = []

    # ---------------------------------------------------------------- turns

    def _turn(self, messages: Sequence[Message], *, remark: str = "", **options: Any) -> list[DraftTurn]:
        """A turn, with what must have come before it."""
        done = [(one, _done(one)) for one in messages]
        remarks = dict.fromkeys(one for one in (remark, *(what.remark for _, what in done)) if one)
        began, ended = messages[0].at, messages[-1].at
        turn = DraftTurn(remark=" ".join(remarks), began=began, ended=ended, **options)
        first, speaker = done[0][1], messages[0].speaker or SOMEBODY
        if first.happenings:
            return [*self._happened(first, turn)]
        if first.speaker:
            speaker = self._named(first.speaker)
        deeds = (self._addressed(deed, message) for message, what in done for deed in what.deeds)
        return [replace(turn, speaker=speaker, deeds=tuple(deeds))]

    def _happened(self, done: _Done, turn: DraftTurn) -> list[DraftTurn]:
        self._group = done.group or self._group
        happenings = [{option: self._whom(value) for option, value in one.items()} for one in done.happenings]
        before = [DraftTurn(happening=one, began=turn.began, ended=turn.ended) for one in happenings[:-1]]
        return [*before, replace(turn, happening=happenings[-1])]

    def _whom(self, value: Any) -> Any:
        """The speakers that a happening is about."""
        if isinstance(value, str):
            return self._named(value)
        return tuple(self._named(one) for one in value) if isinstance(value, tuple) else value

    def _named(self, name: str) -> str:
        """The speaker of this name; where nobody else can be meant, the one there is."""
        if name in ("", "Somebody"):
            return SOMEBODY
        speaker = SOMEBODY if self._kind == "user" else label(name, "", [self._bot.name])
        if speaker != name:
            self._aliases.append((name, speaker))
        return speaker

    def _addressed(self, deed: Written, message: Message) -> Written:
        """What was said to the bot in a group: how it was called is not kept, so it is called again."""
        groups = self._groups
        if groups is None or groups.answer != "addressed" or message.overheard or not isinstance(deed, str):
            return deed
        mention = f"@{self._bot.name}"
        calls = groups.asked(f"@{deed}") != f"@{deed}" or re.search(rf"{re.escape(mention)}(?![\w-])", deed)
        return deed if calls else f"{mention} {deed}"


# ---------------------------------------------------------------- what a message was


def _done(message: Message) -> _Done:
    """What somebody did, from the words that `media` and `events` have for it in the history."""
    for pattern, read in _FORMS if message.text.startswith("(") and not message.overheard else ():
        if match := pattern.fullmatch(message.text):
            return read(match)
    if len(message.text) <= LONGEST:
        return _Done((message.text,))
    return _Done((message.text[: LONGEST - 1] + "…",), remark="The text is cut short: LINE takes no longer one.")


def _sticker(match: re.Match[str]) -> _Done:
    words = tuple(one for one in (match["words"] or "").split(", ") if one.strip())
    if not words:
        return _Done(({"sticker": "sticker"},), remark="What the sticker shows is not known.")
    return _Done(({"sticker": words if len(words) > 1 else words[0]},))


def _file(match: re.Match[str]) -> _Done:
    return _Done(({"file": (match["name"] or "").strip() or "file.pdf"},))


def _location(match: re.Match[str]) -> _Done:
    """A place, without its coordinates."""
    words = re.sub(r"(^|, )-?\d{1,3}(\.\d{1,5})?, -?\d{1,3}(\.\d{1,5})?$", "", match["words"] or "")
    title, _, address = words.partition(", ")
    if not title.strip():
        return _Done(({"location": "A place"},), remark="Where the place is, is left out.")
    return _Done(({"location": {"title": title, "address": address} if address.strip() else title},))


def _voice(match: re.Match[str]) -> _Done:
    words = match["words"]
    if len(words) > LONGEST:
        words = words[: LONGEST - 1] + "…"
    return _Done(({"audio": words},))


def _join(match: re.Match[str]) -> _Done:
    return _Done(happenings=({"join": True},), group=match["name"] or "")


def _come(match: re.Match[str]) -> _Done:
    names = tuple(one for one in match["names"].split(", ") if one) if match["names"] != "somebody" else ("",)
    return _Done(happenings=({"come": names},))


_UNHEARD = "What was said in the voice message is not kept."
_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], _Done]], ...]] = tuple(
    (re.compile(pattern, re.DOTALL), read)
    for pattern, read in (
        (rf"\(photo{_CLOSED}\)", lambda _: _Done(({"image": True},))),
        (r"\(voice message\) (?P<words>.+)", _voice),
        (r"\(voice message without words\)", lambda _: _Done(({"audio": ""},))),
        (rf"\(voice message(?:, \d+ s)?{_CLOSED}\)", lambda _: _Done(({"audio": "…"},), remark=_UNHEARD)),
        (rf"\(sticker(?:: (?P<words>.+?))?{_CLOSED}\)", _sticker),
        (rf"\(location(?:: (?P<words>.+?))?{_CLOSED}\)", _location),
        (rf"\(video(?:, \d+ s)?{_CLOSED}\)", lambda _: _Done(({"video": True},))),
        (rf"\(file(?:: (?P<name>.+?))?{_CLOSED}\)", _file),
        (r"\(edited\)", lambda _: _Done(("(edited)",), remark="What the text was edited to is not kept.")),
        (
            r"\((?P<who>.+) has just added you as a friend\. Greet them\.\)",
            lambda match: _Done(happenings=({"follow": match["who"]},)),
        ),
        (
            r"\((?P<who>.+) had blocked you, and is back\. Greet them\.\)",
            lambda match: _Done(happenings=({"unfollow": match["who"]}, {"follow": match["who"]})),
        ),
        (r"\(You have just been added to the group(?: (?P<name>.+))?\. Introduce yourself briefly\.\)", _join),
        (r"\(Just joined this group: (?P<names>.+)\. Welcome them\.\)", _come),
        (
            r"\((?P<who>.+) has tapped a button that stands for: (?P<data>.{1,300})\)",
            lambda match: _Done(({"postback": match["data"]},), speaker=match["who"]),
        ),
    )
)
