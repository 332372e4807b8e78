"""What may be written under `events`, and which postbacks a pattern fits."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_jsonable_python

from botkit.spec.loader import load_file
from botkit.steps.events import Events, matcher

HEAD = "persona: {text: hi, vars: {inn: Yoshi-an}}\nmodel: gpt-4.1-mini\n"


def problems(tmp_path: Path, section: str) -> list[str]:
    path = tmp_path / "bot.yaml"
    path.write_text(HEAD + section, "utf-8")
    return [f"{one.line}:{one.column} {one.text}" for one in load_file(path)[1]]


GOOD = [
    "events:",
    "events: {follow: 'Hi {{ user.name }}, this is {{ inn }}'}",
    "events: {follow: 0123, join: true, member_joined: 12:30}",
    "events: {follow: , unblock: [], join: ''}",
    "events: {follow: [Hi, {text: there}, {sticker: 446/1988}, {sticker: {package: 446, id: '1988'}}]}",
    "events: {join: {ask: model}, member_joined: {ask: model, tell: '{{ members }} are new'}}",
    "events: {postback: {'menu=*': 'You took {{ data }}', 1: [one, {ask: model}]}}",
    "events: {forget_on_unfollow: true}",
]


@pytest.mark.parametrize("section", GOOD)
def test_what_may_be_written(tmp_path: Path, section: str) -> None:
    assert problems(tmp_path, section + "\n") == []


MISTAKES = {
    "events: {follow: 'Hi {{ usr.name }}'}": "3:10 events.follow: unknown variable `usr`; did you mean `user`?",
    "events:\n  follow: |\n    Hi\n\n    {{ usr.name }}": "7:8 events.follow: unknown variable `usr`; "
    "did you mean `user`?",
    "events:\n  follow:\n    - Hi\n    - text: |\n        you {{ user.nam }}": "7:21 events.follow[1].text: "
    "`user.nam` does not exist; did you mean `user.name`?",
    "events: {follow: '{{ members }}'}": "3:10 events.follow: unknown variable `members`; "
    "there is inn, bot, user, chat, now, today",
    "events: {join: {ask: model, tell: '{{ data }}'}}": "3:29 events.join.tell: unknown variable `data`; "
    "there is inn, bot, user, chat, now, today",
    "events: {postback: {a: '{{ members }}'}}": "3:21 events.postback.a: unknown variable `members`; "
    "there is inn, bot, user, chat, now, today, data",
    "events: {follow: '{{ 1 / user.name|length }}'}": "3:10 events.follow: it cannot be rendered: division by zero",
    "events: {follow: '{% include \"x\" %}'}": "3:10 events.follow: a template cannot take in other files; "
    "write the text out here",
    "events: {follow: {sticker: 446}}": "3:19 events.follow.sticker: 446 is no sticker; "
    "write its package and its number, such as 446/1988",
    "events: {follow: {sticker: {package: 446}}}": "3:19 events.follow.sticker.id: is required; add it",
    "events: {follow: {text: Hi, sticker: 446/1988}}": "3:10 events.follow: needs one of text, sticker and ask; "
    "for several, write a list: [Welcome!, {sticker: 446/1988}]",
    "events: {follow: {}}": "3:10 events.follow: needs one of text, sticker and ask; "
    "for several, write a list: [Welcome!, {sticker: 446/1988}]",
    "events: {follow: {text: Hi, tell: x}}": "3:10 events.follow: has tell without ask; add `ask: model`, "
    "or write the words as text",
    "events: {follow: {ask: me}}": "3:19 events.follow.ask: 'me' must be `model`",
    "events: {follow: [{ask: model}, {ask: model}]}": "3:10 events.follow: asks the model twice; keep one `ask`, "
    "with all there is to tell it",
    "events: {follow: [a, b, c, d, e, f]}": "3:10 events.follow: may have 5 entries at most",
    "events: {folow: Hi}": "3:10 events.folow: unknown option; did you mean `follow`?",
    "events: {forget_on_unfollow: yes}": "3:10 events.forget_on_unfollow: 'yes' must be true or false",
}


@pytest.mark.parametrize(("section", "problem"), MISTAKES.items())
def test_a_mistake_is_told_at_its_place_with_its_cure(tmp_path: Path, section: str, problem: str) -> None:
    assert problems(tmp_path, section + "\n") == [problem]


def test_all_mistakes_of_a_section_are_told_at_once(tmp_path: Path) -> None:
    section = "events:\n  follow: '{{ a }}'\n  join: '{{ b }}'\n  postback: {x: '{{ c }}', y: {sticker: z}}\n"
    assert [problem.split(":")[0] for problem in problems(tmp_path, section)] == ["4", "5", "6", "6"]


@pytest.mark.parametrize(
    "written",
    [
        {"follow": ["Hi", {"sticker": "446/1988"}, {"ask": "model", "tell": "x"}]},
        {"unblock": None, "join": [{"ask": "model"}]},
        {"postback": {"a*": ["b {{ data }}"]}, "forget_on_unfollow": True},
    ],
)
def test_what_it_holds_is_shown_as_it_may_be_written(written: dict[str, Any]) -> None:
    shown = to_jsonable_python(dict(Events.model_validate(written)))
    assert {key: shown[key] for key in written} == written
    assert to_jsonable_python(dict(Events.model_validate(shown))) == shown


# ---------------------------------------------------------------- patterns

DATA = st.text("ab*?=\n.é", max_size=12)


def fits(pattern: str, data: str) -> bool:
    """Whether a pattern fits, by trying everything."""
    if not pattern:
        return not data
    if pattern[0] == "*":
        return any(fits(pattern[1:], data[n:]) for n in range(len(data) + 1))
    return bool(data) and pattern[0] in ("?", data[0]) and fits(pattern[1:], data[1:])


@given(st.text("ab*?=\n.é\\", min_size=1, max_size=7), DATA)
def test_a_pattern_fits_what_it_says(pattern: str, data: str) -> None:
    assert bool(matcher(pattern).fullmatch(data)) is fits(pattern, data)


@given(st.text(min_size=1, max_size=50).filter(lambda text: not set(text) & set("*?")))
def test_all_other_characters_stand_for_themselves(data: str) -> None:
    assert matcher(data).fullmatch(data)
    assert not matcher(data).fullmatch(data + "x")
    assert re.escape(data).lower() == re.escape(data) or not matcher(data).fullmatch(data.lower())


@pytest.mark.parametrize("data", ["a" * 10_000, "b" * 10_000, "a" * 149 + "b" * 10_000, "ab" * 5_000])
def test_no_pattern_takes_long_for_any_data(data: str) -> None:
    pattern = matcher("*a" * 100 + "*b*a" * 20 + "?c")
    started = time.process_time()
    pattern.fullmatch(data)
    assert time.process_time() - started < 0.5
