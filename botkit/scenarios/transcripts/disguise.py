"""Disguise: a conversation without the names of those who had it, and without what else would tell who they are."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import chain, count
from typing import Any, Final

from botkit.scenarios.transcripts.draft import Draft, DraftTurn, Written
from botkit.scenarios.transcripts.folding import fold, folded
from botkit.scenarios.transcripts.harmless import Harmless
from botkit.scenarios.transcripts.name_words import (
    GREETED,
    GROUPS,
    MADE_UP,
    NO_NAMES,
    OF_OTHERS,
    OWN_WORDS,
    TOLD_BY_ONESELF,
)
from botkit.scenarios.transcripts.naming import Found, Names

LONGEST_TEXT: Final = 5000
LONGEST_DATA: Final = 300
"""Characters of a text, and of a button's data, in a test file."""

_PLURALS: Final = {"e-mail address": "e-mail addresses"}


class Disguise:
    """Made-up names and stand-ins for one draft: the same for the same thing wherever it stands.

    `ids` are ids that must not be seen, `hidden` names that the draft does not know as such, `kept` those that stay.
    What `public` holds, such as the bot's own file, is nobody's secret: names that are only guessed are left alone
    where they stand in it.
    """

    def __init__(
        self, draft: Draft, ids: Collection[str], hidden: Collection[str], kept: Collection[str], public: str = ""
    ) -> None:
        self._draft, self._public = draft, fold(public)
        self._kept = {fold(one) for one in kept}
        texts = [*_texts(draft)]
        self._said = fold("\n".join(texts))
        self._taken = "\n".join([self._said, *map(fold, (*draft.speakers, *kept, draft.group, *hidden))])
        self._made_up = self._unused(MADE_UP, "person")
        self._names = Names([*kept, *self._own_names()])
        self._harmless = Harmless(ids)
        self._done: dict[str, str] = {}
        self._counted: defaultdict[str, set[str]] = defaultdict(set)
        self.people = {speaker: next(self._made_up) for speaker in draft.speakers}
        self._group = next(self._unused(GROUPS, "Group ")) if draft.group else ""
        self._learn(hidden)

    def draft(self) -> Draft:
        """The draft in disguise."""
        whole, people = self._draft, self.people
        turns = tuple(self._turn(turn) for turn in whole.turns)
        aliases = tuple((people.get(who, ""), "") for _, who in whole.aliases)
        return replace(whole, name=self.text(whole.name), group=self._group, turns=turns, aliases=aliases)

    def text(self, text: str) -> str:
        """A text in disguise."""
        if text not in self._done:
            self._done[text] = self._changed(text)
        return self._done[text]

    def _changed(self, text: str) -> str:
        found = [*self._harmless.find(text), *self._names.find(folded(text))]
        end, parts = 0, []
        for one in sorted(_apart(found)):
            self._counted[one[3]].add(one[4])
            parts += [text[end : one[0]], one[2]]
            end = one[1]
        return "".join([*parts, text[end:]])

    def told(self) -> list[str]:
        """What was replaced, in numbers: "2 names", "1 e-mail address"."""
        told = []
        self._counted["name"] |= {*self.people.values()} if any(self.people) else set()
        for kind, keys in sorted(self._counted.items(), key=lambda one: one[0] != "name"):
            if keys:
                shown = kind if len(keys) == 1 else _PLURALS.get(kind, f"{kind}s")
                told.append(f"{len(keys)} {shown}")
        return told

    @property
    def careful(self) -> int:
        """How many people's names are ordinary words, too, and so are not replaced wherever they stand."""
        return self._names.careful(self._draft.speakers)

    # ---------------------------------------------------------------- whose names

    def _learn(self, hidden: Collection[str]) -> None:
        """The names of all speakers, and those that texts give away; what is known for certain first."""
        for speaker, new in self.people.items():
            if not re.fullmatch(r"(Member [^ ]{1,4})?", speaker):  # that is how somebody without a name is called
                self._names.add(speaker, new)
        if self._group:
            self._names.add(self._draft.group, self._group)
        for name, speaker in self._draft.aliases:
            self._names.add(name, self.people[speaker])
        for name in hidden:
            if fold(name) in self._said and not self._names.knows(name):
                self._names.add(name, next(self._made_up), sure=True)
        for name, whose in chain(self._told_by_themselves(), self._of_others()):
            if not self._names.knows(name) and self._may_be_name(name):
                self._names.add(name, self.people[whose] if whose is not None else next(self._made_up))

    def _may_be_name(self, name: str) -> bool:
        """Whether what stands in the place of a name is one."""
        letters = fold(name)
        return bool(letters.strip()) and letters not in OWN_WORDS | NO_NAMES and letters not in self._public

    def _told_by_themselves(self) -> Iterator[tuple[str, str | None]]:
        """Names that people call themselves by, or are greeted by where nobody else is."""
        alone = self._draft.speakers[0] if len(self._draft.speakers) == 1 else None
        for turn in self._draft.turns:
            for text in _strings(turn.deeds) if turn.speaker is not None else ():
                yield from ((match[1], turn.speaker) for one in TOLD_BY_ONESELF for match in one.finditer(text))
            yield from ((match[1], alone) for one in GREETED for match in one.finditer(turn.answer or ""))

    def _of_others(self) -> Iterator[tuple[str, None]]:
        for text in _texts(self._draft):
            yield from ((match[1], None) for one in (*OF_OTHERS, *GREETED) for match in one.finditer(text))

    def _own_names(self) -> Iterator[str]:
        """What the bot calls itself."""
        for turn in self._draft.turns:
            yield from (match[1] for one in TOLD_BY_ONESELF[:1] for match in one.finditer(turn.answer or ""))

    def _unused(self, names: Collection[str], more: str) -> Iterator[str]:
        """Names that nobody and nothing in the conversation has."""
        for name in chain(names, (f"{more}{number}" for number in count(1))):
            if not re.search(rf"(?<![a-z]){re.escape(fold(name))}(?![a-z])", self._taken):
                yield name

    # ---------------------------------------------------------------- the draft

    def _turn(self, turn: DraftTurn) -> DraftTurn:
        return replace(
            turn,
            speaker=None if turn.speaker is None else self.people[turn.speaker],
            deeds=tuple(_within_limits(self._value(one)) for one in turn.deeds),
            happening={option: self._happened(option, value) for option, value in turn.happening.items()},
            scripts=tuple(self._value(one) for one in turn.scripts),
            expect=self._value(turn.expect),
            answer=None if turn.answer is None else self.text(turn.answer),
        )

    def _happened(self, option: str, value: Any) -> Any:
        if option == "pause" or value is True:
            return value
        return tuple(self.people[one] for one in value) if isinstance(value, tuple) else self.people[value]

    def _value(self, value: Any) -> Any:
        """A value with every text in it in disguise; what is no one's text is of few words that no name can be."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            fixed = ("fails", "via")
            return {name: one if name in fixed else self._value(one) for name, one in value.items()}
        return tuple(map(self._value, value)) if isinstance(value, tuple) else value


def _apart(found: Collection[Found]) -> Iterator[tuple[int, int, str, str, str]]:
    """Stretches that do not overlap; of those that do, the longest."""
    starts: list[int] = []
    ends: list[int] = []
    for one in sorted(found, key=lambda one: (one.start - one.end, one.start)):
        place = bisect_right(starts, one.start)
        if (place == 0 or ends[place - 1] <= one.start) and (place == len(starts) or one.end <= starts[place]):
            starts.insert(place, one.start)
            ends.insert(place, one.end)
            yield one.start, one.end, one.new, one.kind, one.key


def _within_limits(deed: Written) -> Written:
    """What LINE would not take because what was put in is longer, cut."""
    if isinstance(deed, str):
        return deed[:LONGEST_TEXT]
    return {**deed, "postback": deed["postback"][:LONGEST_DATA]} if "postback" in deed else deed


def _texts(draft: Draft) -> Iterator[str]:
    """All that was said."""
    for turn in draft.turns:
        yield from _strings(turn.deeds)
        yield turn.answer or ""


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else ():
        yield from _strings(inner)
