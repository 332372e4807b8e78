"""What is expected of an answer, option by option: what it says, and how it came."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from botkit.line.text import graphemes
from botkit.scenarios.expecting.language import Unavailable, likeness
from botkit.scenarios.expecting.language_codes import named
from botkit.scenarios.expecting.misses import Check, Miss, answer_of, has, like, noted
from botkit.scenarios.expecting.patterns import TooLong, fits
from botkit.scenarios.expecting.phrases import around, counted, listed, marked, plain, shown
from botkit.scenarios.file.scenario import Expect, Way
from botkit.scenarios.results import Outcome

_WAYS: Final[dict[Way, str]] = {"reply": "as a reply", "button": "as a notice with a button", "push": "as a push"}


# ---------------------------------------------------------------- whether and what


def _silent(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    if expect.silent and outcome.said:
        yield Miss(("silent",), "silence", answer_of(outcome))
    elif expect.silent is False and not outcome.said:
        yield Miss(("silent",), "an answer", answer_of(outcome))


def _contains(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    texts = [one.text for one in outcome.said]
    for number, words in enumerate(expect.contains or ()):
        if not has(outcome.answer, words):
            detail = _labelled(words, outcome) or like(words, texts)
            yield Miss(
                ("contains", number), f"an answer with {shown(words)}", answer_of(outcome), noted(outcome, detail)
            )


def _not(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    for number, words in enumerate(expect.not_ or ()):
        if _is_mute(expect, outcome):
            yield Miss(("not", number), f"an answer without {shown(words)}", answer_of(outcome))
        elif has(outcome.answer, words):
            came = f"the answer was {around(outcome.answer, words)}"
            yield Miss(("not", number), f"an answer without {shown(words)}", came)


def _matches(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    for number, pattern in enumerate(expect.matches or ()):
        wanted = f"an answer that fits the pattern {pattern}"
        try:
            missing = not outcome.said or not fits(pattern, outcome.answer)
        except TooLong:
            came = f"the search for it takes too long, and was given up: {shown(outcome.answer, 80)}"
            yield Miss(
                ("matches", number), wanted, came, "simplify it: repeats of repeats, such as (a+)+, may never end"
            )
        else:
            if missing:
                detail = _fits_with(pattern, outcome.answer) if outcome.said else ""
                yield Miss(("matches", number), wanted, answer_of(outcome), noted(outcome, detail))


def _equals(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    if expect.equals is None:
        return
    texts = tuple(one.text.strip() for one in outcome.said)
    if expect.equals in (texts, (outcome.answer.strip(),)):
        return
    several = len(expect.equals) > 1
    wanted = f"the messages {listed(expect.equals)}" if several else f"the answer {shown(expect.equals[0])}"
    detail = _unlike("\n".join(expect.equals), texts) if texts else ""
    yield Miss(("equals",), wanted, answer_of(outcome), noted(outcome, detail))


def _language(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    if expect.language is None:
        return
    path, wanted = ("language",), f"an answer in {named(expect.language)}"
    if not outcome.said:
        yield Miss(path, wanted, answer_of(outcome), noted(outcome))
    else:
        came, detail = _told_language(expect.language, outcome.answer)
        if came:
            yield Miss(path, wanted, came, noted(outcome, detail))


# ---------------------------------------------------------------- how it came


def _via(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    ways = [one.via for one in outcome.said]
    if expect.via is None or (ways and set(ways) == {expect.via}):
        return
    came = answer_of(outcome)
    if len(set(ways)) == 1:
        came = f"it came {_WAYS[ways[0]]}: {shown(outcome.answer)}"
    elif ways:
        came = "; ".join(f"message {number} came {_WAYS[way]}" for number, way in enumerate(ways, 1))
    yield Miss(("via",), f"an answer that comes {_WAYS[expect.via]}", came, noted(outcome))


def _messages(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    number = len(outcome.said)
    if expect.messages is not None and number != expect.messages:
        came = f"{counted(number, 'message')} came: {listed(one.text for one in outcome.said)}"
        detail = noted(outcome) if number < expect.messages else ""
        wanted = counted(expect.messages, "message")
        yield Miss(("messages",), wanted, came if number else answer_of(outcome), detail)


def _length(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    length = sum(1 for one in outcome.said for _ in graphemes(one.text))
    wanted = f"an answer of at most {counted(expect.length or 0, 'character')}"
    if expect.length is not None and _is_mute(expect, outcome):
        yield Miss(("length",), wanted, answer_of(outcome))
    elif expect.length is not None and length > expect.length:
        yield Miss(("length",), wanted, f"it has {length}: {shown(outcome.answer)}")


def _quick_replies(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    if expect.quick_replies is None:
        return
    offered = outcome.said[-1].quick_replies if outcome.said else ()
    here, there = [plain(one) for one in expect.quick_replies], [plain(one) for one in offered]
    if here == there and (outcome.said or not here):
        return
    wanted = f"the quick replies {listed(expect.quick_replies)}" if here else "no quick replies"
    came = f"the quick replies were {listed(offered)}" if offered else "there were none"
    detail = "they are the same, but in another order" if sorted(here) == sorted(there) else ""
    yield Miss(("quick_replies",), wanted, came if outcome.said else answer_of(outcome), noted(outcome, detail))


CHECKS: Final[tuple[Check, ...]] = (
    *(_silent, _contains, _not, _matches, _equals, _language),
    *(_via, _messages, _length, _quick_replies),
)


def _is_mute(expect: Expect, outcome: Outcome) -> bool:
    """Whether nothing was said where an answer is meant: of no answer all is true, also of a bot that is deaf."""
    return not outcome.said and not expect.silent and expect.messages != 0


def _unlike(wanted: str, texts: Sequence[str]) -> str:
    """How messages are not what was wanted."""
    came = "\n".join(texts)
    if wanted == came:
        return f"the words are the same, but in {counted(len(texts), 'message')}"
    same = plain(wanted) == plain(came)
    return marked(wanted, came) + "\nonly case, width or blanks differ: `contains` does not mind them" * same


def _labelled(words: str, outcome: Outcome) -> str:
    """Where words are that are not in the answer's text."""
    for one in outcome.said:
        for label in (*one.quick_replies, *one.buttons):
            if has(label, words):
                return f"it is on a button ({shown(label)}), which is not of the text"
    return ""


def _fits_with(pattern: str, text: str) -> str:
    """What would make a pattern fit."""
    try:
        if fits(pattern, text, re.IGNORECASE):
            return "it would fit without regard to case: begin the pattern with (?i)"
        return "it would fit across lines: begin the pattern with (?s)" if fits(pattern, text, re.DOTALL) else ""
    except TooLong:
        return ""


def _told_language(wanted: str, answer: str) -> tuple[str, str]:
    """What language an answer is in, and what to do where that is not sure; nothing where it may be the wanted one."""
    try:
        found = likeness(answer)
    except Unavailable as error:
        return f"its language could not be told: {error}", ""
    if found is None:
        return f"the answer has too few words to tell its language: {shown(answer)}", ""
    if found.may_be(wanted):
        return "", ""
    if found.is_sure:
        return f"the answer is in {named(found.best)}: {shown(answer)}", ""
    cure = "that is not sure, for it is short or in several languages; expect that of longer answers, or use `contains`"
    return f"the answer is more like {' or '.join(named(one) for one in found.likeliest)}: {shown(answer)}", cure
