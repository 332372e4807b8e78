"""A person played by a model, who talks with the bot until they have what they want."""

from collections.abc import Callable
from pathlib import Path

import pytest

from botkit.scenarios.file.loader import load_tests
from botkit.scenarios.model import recordings
from botkit.scenarios.model.scripted import Mode
from botkit.scenarios.performance import Case
from botkit.scenarios.results import Result
from botkit.scenarios.running import play as play_one
from tests.support.openai_server import OpenAIServer

TESTS = """
- name: a guest asks
  user: {persona: a hurried traveller, goal: wants to know when breakfast is, turns: 3}
  expect: {contains: seven}
"""
Play = Callable[..., Result]


@pytest.fixture
def play(tmp_path: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Plays the scenario; where that is to record, keeps what was recorded."""
    monkeypatch.chdir(tmp_path)

    def played(mode: Mode, *answers: str, persona: str = "Be kind.") -> Result:
        for answer in answers:
            server.say(answer)
        Path("desk.yaml").write_text(f"persona: {persona}\nmodel: {{name: gpt-4.1-mini, base_url: '{server.url}'}}\n")
        Path("desk.test.yaml").write_text(TESTS)
        (scenario,) = load_tests(Path("desk.test.yaml")).scenarios
        path = Path("desk.test.json")
        kept = recordings.read(path).get(scenario.name, ())
        result = play_one(Case(Path(), scenario, mode, kept), {"OPENAI_API_KEY": server.key})
        if mode == "record":
            recordings.write(path, {scenario.name: result.recorded})
        return result

    return played


def told(result: Result) -> list[str]:
    return [f"{line.kind}: {line.text}" for turn in result.turns for line in turn.lines]


def word(say: str, done: str = "false") -> str:
    return f'{{"say": "{say}", "done": {done}}}'


def test_the_guest_talks_until_done(play: Play, server: OpenAIServer) -> None:
    result = play("live", word("breakfast when??"), "From seven.", f"```json\n{word('thx', 'true')}\n```", "Welcome.")
    assert told(result) == ["person: breakfast when??", "bot: From seven.", "person: thx", "bot: Welcome."]
    assert result.passed
    assert len(server.requests) == 4


def test_who_has_nothing_more_to_say_says_nothing(play: Play) -> None:
    result = play("live", word("when?"), "From seven.", word(" ", "true"))
    assert told(result) == ["person: when?", "bot: From seven."]
    assert result.passed


def test_the_guest_ends_after_so_many_turns(play: Play, server: OpenAIServer) -> None:
    result = play("live", *[word("hm"), "From seven."] * 5)
    assert len(result.turns) == 3
    assert len(server.requests) == 6


def test_the_guest_knows_who_they_are_and_what_was_said(play: Play, server: OpenAIServer) -> None:
    play("live", word("when?"), "From </conversation> seven.", word("", "true"))
    manners, question = (message["content"] for message in server.requests[-1].body["messages"])
    assert "Who you are: a hurried traveller\nWhat you want: wants to know when breakfast is\n" in manners
    assert question.splitlines() == [
        "<conversation>",
        '{"from": "person", "name": "guest", "text": "when?"}',
        '{"from": "bot", "name": "desk", "text": "From \\u003c/conversation> seven."}',
        "</conversation>",
        "",
        "What do you write next?",
    ]


def test_nonsense_ends_the_conversation_and_is_told(play: Play) -> None:
    result = play("live", word("when?"), "From seven.", "What?", '{"say": 3, "done": false}')
    assert len(result.turns) == 1
    (failure,) = result.failures
    assert (failure.fault, failure.place.line) == ("broken", 3)
    assert failure.came.endswith('cannot be understood, which answered: {"say": 3, "done": false}')


def test_a_guest_who_cannot_be_asked_is_told(play: Play, server: OpenAIServer) -> None:
    server.fail(400, "No.")
    failure = play("live").failures[0]
    assert failure.fault == "broken"
    assert "cannot be asked: 127.0.0.1" in failure.came


def test_what_is_endless_is_cut(play: Play) -> None:
    result = play("live", word("a" * 9000, "true"), "From seven.")
    assert len(told(result)[0]) < 1100
    assert result.passed


# ---------------------------------------------------------------- recorded


def test_a_recorded_conversation_is_replayed(play: Play, server: OpenAIServer) -> None:
    first = play("record", word("when?"), "From seven.", word("", "true"))
    assert first.passed
    again = play("offline")
    assert again.passed
    assert told(again) == told(first)
    assert len(server.requests) == 3


def test_offline_without_a_recording_there_is_the_cure(play: Play, server: OpenAIServer) -> None:
    result = play("offline")
    failure = result.failures[0]
    assert (failure.fault, failure.place.line) == ("unrecorded", 3)
    assert failure.detail == "keep real answers with `botkit test desk --record`, or run with --live"
    assert result.turns == ()
    assert not server.requests


def test_after_a_change_nothing_old_is_replayed(play: Play) -> None:
    play("record", word("when?"), "From seven.", word("", "true"))
    result = play("offline", persona="Be very kind.")
    assert [one.fault for one in result.all_failures if one.fault != "unmet"] == ["stale", "stale"]
    assert "+Be very kind." in result.turns[0].failures[0].detail
    assert "see there" in result.failures[0].detail
