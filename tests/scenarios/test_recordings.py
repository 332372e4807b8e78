"""Recordings: what models have answered is kept beside the scenarios, and replayed to the very same request."""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from botkit.errors import ModelError, SpecError
from botkit.messages import Content, Message
from botkit.models.openai import OpenAIModel
from botkit.ports import ChatRequest, Completion, Usage
from botkit.scenarios.file.loader import load_tests
from botkit.scenarios.model import recordings
from botkit.scenarios.model.recordings import Stale, Tape
from botkit.scenarios.model.scripted import Mode, Speaker
from botkit.scenarios.performance import Case
from botkit.scenarios.results import Recorded, Result
from botkit.scenarios.running import Player
from botkit.simulator.playground.switch import ModelSwitch
from botkit.testing import MovableClock
from botkit.wiring import SystemClock
from tests.support.openai_server import OpenAIServer

REQUEST = ChatRequest("gpt-4.1-mini", (Message("system", "Be kind."), Message("user", "Hello")), 30.0, 0.7, 800)
PHOTO = Content(b"\x89PNG one", "image/png")

TWO_TURNS = """
- name: a talk
  turns:
    - ken: hello
      expect: {silent: false}
    - ken: and you?
      expect: {silent: false}
"""


Play = Callable[..., list[Result]]


@pytest.fixture
def play(tmp_path: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Plays the scenarios of a file; where that is to record, keeps what `botkit test --record` keeps."""
    monkeypatch.chdir(tmp_path)

    def played(
        mode: Mode = "offline", tests: str = TWO_TURNS, persona: str = "Be kind.", model: str = "name: gpt-4.1-mini"
    ) -> list[Result]:
        where = f", base_url: '{server.url}'"
        Path("desk.yaml").write_text(f"persona: {persona}\nmodel: {{{model}{where}}}\n", "utf-8")
        path = Path("desk.test.yaml")
        path.write_text(tests, "utf-8")
        loaded = load_tests(path)
        assert not loaded.problems
        kept = recordings.read(recordings.path_of(path))
        cases = [Case(Path(), one, mode, kept.get(one.name, ())) for one in loaded.scenarios]
        with closing(Player({"OPENAI_API_KEY": server.key})) as player:
            results = [player.play(case) for case in cases]
        if mode == "record":
            names = [one.name for one in loaded.scenarios]
            recordings.write(recordings.path_of(path), recordings.renewed(kept, names, results))
        return results

    return played


def faults(results: list[Result]) -> list[tuple[str, int]]:
    """What the model's side found, and at which line."""
    found = [one for result in results for one in result.all_failures]
    return [(one.fault, one.place.line) for one in found if one.fault != "unmet"]


def answers(results: list[Result]) -> list[str]:
    return [answer for result in results for answer in result.answers]


def recorded(request: ChatRequest = REQUEST, answer: str = "Hi!", turn: int = 1, call: int = 1) -> Recorded:
    tape = Tape()
    tape.keep("model", turn, call, request, Completion(answer, Usage(request.model, 10, 2)))
    return tape.kept[0]


# ---------------------------------------------------------------- a run that records, and those after it


def test_what_was_recorded_is_replayed_without_a_model(play: Play, server: OpenAIServer) -> None:
    server.say("Hi, Ken!")
    server.say("Fine.")
    assert answers(play("record")) == ["Hi, Ken!", "Fine."]
    asked = len(server.requests)
    results = play()
    assert answers(results) == ["Hi, Ken!", "Fine."]
    assert results[0].passed
    assert [usage.input_tokens > 0 and usage.cost > 0 for usage in results[0].usages] == [True, True]
    assert len(server.requests) == asked == 2


def test_recording_again_asks_nobody_and_leaves_the_file_alone(play: Play, server: OpenAIServer) -> None:
    play("record")
    before = Path("desk.test.json").read_bytes()
    assert play("record")[0].passed
    assert (len(server.requests), Path("desk.test.json").read_bytes()) == (2, before)


def test_live_asks_anew_and_does_not_record(play: Play, server: OpenAIServer) -> None:
    play("record")
    before = Path("desk.test.json").read_bytes()
    server.say("Something else.")
    assert answers(play("live"))[0] == "Something else."
    assert (len(server.requests), Path("desk.test.json").read_bytes()) == (4, before)


def test_without_a_recording_the_turn_fails_with_the_cure(play: Play, server: OpenAIServer) -> None:
    results = play()
    assert faults(results) == [("unrecorded", 4), ("unrecorded", 6)]
    assert "`botkit test desk --record`" in results[0].all_failures[0].detail
    assert not server.requests


def test_a_changed_persona_makes_a_recording_stale(play: Play, server: OpenAIServer) -> None:
    server.say("Hi, Ken!")
    play("record")
    results = play(persona="Be very kind.")
    assert faults(results) == [("stale", 4), ("stale", 6)]
    assert "Hi, Ken!" not in "".join(answers(results))
    first, second = (one for one in results[0].all_failures if one.fault == "stale")
    assert first.detail.splitlines() == [
        "--- recorded",
        "+++ now",
        "@@ -1,4 +1,4 @@",
        " [system]",
        "-Be kind.",
        "+Be very kind.",
        " [user]",
        " hello",
        "Look at what it answers now, and keep it: `botkit test desk --record`",
    ]
    assert second.detail.startswith("an earlier prompt has changed, too: see there")


def test_another_model_is_told_in_one_line(play: Play) -> None:
    play("record")
    results = play(model="name: gpt-4.1, temperature: 1")
    assert results[0].all_failures[0].detail.splitlines()[:2] == [
        "model: gpt-4.1-mini → gpt-4.1",
        "temperature: not given → 1.0",
    ]


def test_what_is_stale_is_recorded_anew_and_the_old_dropped(play: Play, server: OpenAIServer) -> None:
    play("record")
    server.say("I am kind now.")
    play("record", persona="Be very kind.")
    assert answers(play(persona="Be very kind."))[0] == "I am kind now."
    calls = json.loads(Path("desk.test.json").read_text("utf-8"))["scenarios"]["a talk"]
    assert [(call["turn"], call["call"]) for call in calls] == [(1, 1), (2, 1)]


def test_a_scripted_turn_is_neither_asked_nor_recorded(play: Play, server: OpenAIServer) -> None:
    tests = TWO_TURNS.replace("ken: hello\n", "ken: hello\n      model: Scripted.\n")
    server.say("Asked.")
    assert answers(play("record", tests)) == ["Scripted.", "Asked."]
    calls = json.loads(Path("desk.test.json").read_text("utf-8"))["scenarios"]["a talk"]
    assert [call["turn"] for call in calls] == [2]
    assert play(tests=tests)[0].passed


def test_live_the_model_answers_in_place_of_scripts_but_not_of_troubles(play: Play, server: OpenAIServer) -> None:
    tests = TWO_TURNS.replace("ken: hello\n", "ken: hello\n      model: Scripted.\n")
    tests = tests.replace("ken: and you?\n", "ken: and you?\n      model: {say: Slowly., takes: 10s}\n")
    server.say("Asked.")
    assert answers(play("live", tests)) == ["Asked.", "Slowly."]


def test_a_slow_turn_without_words_is_answered_by_the_recording(play: Play, server: OpenAIServer) -> None:
    tests = TWO_TURNS.replace("ken: hello\n", "ken: hello\n      model: {takes: 50s}\n      # in time\n")
    tests = tests.replace("silent: false", "via: button", 1)
    server.say("At last.")
    assert faults(play("record", tests)) == []
    results = play(tests=tests)
    assert faults(results) == []
    assert results[0].turns[0].outcome.said[0].via == "button"


# ---------------------------------------------------------------- runs that fail


def test_a_model_that_fails_is_told_and_nothing_is_lost(play: Play, server: OpenAIServer) -> None:
    server.say("Hi, Ken!")
    play("record")
    server.fail(400, "No.")
    results = play("record", TWO_TURNS.replace("and you?", "and how are you?"))
    assert faults(results) == [("broken", 6)]
    assert "refused the request" in results[0].all_failures[0].came
    assert answers(play())[0] == "Hi, Ken!"
    assert faults(play()) == []


def test_a_run_that_lacks_an_answer_loses_no_recording(play: Play, server: OpenAIServer) -> None:
    server.say("Hi, Ken!")
    server.say("Fine.")
    play("record")
    scripted = TWO_TURNS.replace("ken: hello\n", "ken: hello\n      model: [{fails: overflow}]\n")
    scripted = scripted.replace("- ken: hello\n", "- ken: why?\n      expect: {silent: false}\n    - ken: hello\n")
    assert ("unrecorded", 7) in faults(play("record", scripted))
    assert answers(play()) == ["Hi, Ken!", "Fine."]


def test_without_a_key_nothing_is_recorded_in_place_of_a_model() -> None:
    tape, switch = Tape(), ModelSwitch(OpenAIModel(SystemClock()), {})
    speaker = Speaker("record", tape, MovableClock(0), switch)
    speaker.begin(1, None)
    with pytest.raises(ModelError, match="there is no model to ask: set OPENAI_API_KEY"):
        speaker.complete(REQUEST)
    assert [one.fault for one in speaker.end()] == ["broken"]
    assert tape.kept == ()


def test_scenarios_that_were_not_played_keep_theirs_and_those_gone_lose_them(play: Play) -> None:
    def place() -> Any:
        return load_tests(Path("desk.test.yaml")).scenarios[0].place

    play("record")
    old = {"a talk": (recorded(),), "gone": (recorded(),), "left out": (recorded(),)}
    skipped = Result("desk", "left out", place(), skipped="it needs a real model")
    died = Result("desk", "a talk", place())
    assert recordings.renewed(old, ["left out", "a talk"], [skipped, died]) == {
        "left out": old["left out"],
        "a talk": old["a talk"],
    }


# ---------------------------------------------------------------- the key


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, model="gpt-4.1"),
        replace(REQUEST, temperature=0.8),
        replace(REQUEST, temperature=None),
        replace(REQUEST, max_output_tokens=801),
        replace(REQUEST, messages=REQUEST.messages[:1]),
        replace(REQUEST, messages=(REQUEST.messages[0], Message("assistant", "Hello"))),
        replace(REQUEST, messages=(REQUEST.messages[0], Message("user", "Hello", speaker="Ken"))),
        replace(REQUEST, messages=(REQUEST.messages[0], Message("user", "Hello", images=(PHOTO,)))),
    ],
)
def test_what_changes_the_answer_makes_it_stale(other: ChatRequest) -> None:
    assert isinstance(Tape([recorded()]).find("model", 1, 1, other), Stale)


def test_another_photo_makes_it_stale() -> None:
    first, second = (
        replace(REQUEST, messages=(Message("user", "(photo)", images=(photo,)),))
        for photo in (PHOTO, Content(b"\x89PNG two", "image/png"))
    )
    found = Tape([recorded(first)]).find("model", 1, 1, second)
    assert isinstance(found, Stale)
    assert found.recorded.request["messages"][0]["images"][0]["media_type"] == "image/png"


def test_what_does_not_change_the_answer_does_not() -> None:
    other = replace(REQUEST, timeout=5.0, base_url="http://127.0.0.1:1/v1", api_key="sk-secret")
    assert isinstance(Tape([recorded()]).find("model", 1, 1, other), Recorded)


def test_no_secret_is_kept(tmp_path: Path) -> None:
    secret = replace(REQUEST, base_url="https://me:pass@host/v1", api_key="sk-secret")
    recordings.write(tmp_path / "desk.test.json", {"it": [recorded(secret)]})
    text = (tmp_path / "desk.test.json").read_text("utf-8")
    assert "sk-secret" not in text
    assert "pass@host" not in text


def test_equal_requests_get_their_own_answers_once_each() -> None:
    tape = Tape([recorded(answer="first", turn=1), recorded(answer="second", turn=2)])
    found = [tape.find("model", turn, 1, REQUEST) for turn in (2, 1)]
    assert [one.answer for one in found if isinstance(one, Recorded)] == ["second", "first"]
    assert tape.find("model", 3, 1, REQUEST) is None


def test_a_recording_follows_its_turn_to_another_place() -> None:
    tape = Tape([recorded(turn=1)])
    tape.records = True
    assert isinstance(tape.find("model", 4, 2, REQUEST), Recorded)
    assert [(one.turn, one.call) for one in tape.kept] == [(4, 2)]


def test_what_a_judge_has_said_answers_no_model() -> None:
    assert Tape([recorded()]).find("judge", 1, 1, REQUEST) is None


# ---------------------------------------------------------------- the file


def test_the_file_reads_well_and_comes_back(tmp_path: Path) -> None:
    path = recordings.path_of(tmp_path / "desk.test.yaml")
    asked = ChatRequest("gpt-4.1-mini", (Message("system", "Be kind.\n\n日本語で。"), Message("user", "Hi")), 5.0)
    one, two = recorded(asked, "はい。\nDone."), recorded()
    assert recordings.write(path, {"zz": [one], "a first": [two], "nothing": []})
    assert recordings.read(path) == {"zz": (one,), "a first": (two,)}
    text = path.read_text("utf-8")
    assert text.splitlines()[:4] == [
        "{",
        '  "version": 1,',
        '  "about": "What models have answered in desk.test.yaml; written by: botkit test desk --record",',
        '  "scenarios": {',
    ]
    assert [line.strip() for line in text.splitlines() if "。" in line] == ['"日本語で。"', '"はい。",']
    assert list(json.loads(text)["scenarios"]) == ["zz", "a first"]
    assert [found.name for found in tmp_path.iterdir()] == ["desk.test.json"]


def test_half_an_emoji_is_kept_as_what_the_server_got(tmp_path: Path) -> None:
    path = tmp_path / "desk.test.json"
    asked = replace(REQUEST, messages=(Message("user", "Hi \ud83d"),))
    recordings.write(path, {"it": [recorded(asked, "Yes \ud83d")]})
    (one,) = recordings.read(path)["it"]
    assert one.answer == "Yes \ufffd"
    assert isinstance(Tape([one]).find("model", 1, 1, asked), Recorded)


def test_without_recordings_there_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "desk.test.json"
    assert not recordings.write(path, {})
    recordings.write(path, {"it": [recorded()]})
    assert recordings.write(path, {"it": []})
    assert not path.exists()
    assert recordings.read(path) == {}


def test_a_file_is_exchanged_as_a_whole(tmp_path: Path) -> None:
    path, before = tmp_path / "desk.test.json", tmp_path / "before"
    recordings.write(path, {"it": [recorded()]})
    before.hardlink_to(path)
    recordings.write(path, {"it": [recorded(answer="Hello!")]})
    assert "Hi!" in before.read_text("utf-8")
    assert "Hello!" in path.read_text("utf-8")


def test_a_file_that_cannot_be_written_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "desk.test.json"
    path.mkdir()
    with pytest.raises(SpecError, match=r"desk\.test\.json: it cannot be written: Is a directory; correct that"):
        recordings.write(path, {"it": [recorded()]})
    assert [found.name for found in tmp_path.iterdir()] == ["desk.test.json"]


CALL = """{"kind": "model", "turn": 1, "call": 1, "request": {"model": "m", "messages": []},
 "answer": "x", "usage": {"model": "m", "input_tokens": 1, "output_tokens": 1}}"""
CURE = "take its last good version, or delete it and record again: botkit test desk --record"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", f":1:1: it is not JSON (Expecting value); {CURE}"),
        (
            '{"version": 1,\n<<<<<<< HEAD\n"scenarios": {}}',
            f":2:1: it is not JSON (Expecting property name enclosed in double quotes); {CURE}",
        ),
        ("[]", ": it is no file of recordings; move it away: botkit keeps its own under this name"),
        ('{"scenarios": {}}', ": it is no file of recordings; move it away"),
        ('{"version": 2, "scenarios": {}}', f": it is of another version of botkit, not 1; {CURE}"),
        ('{"version": 1, "version": 1}', ": it is not as botkit has written it ('version' stands twice in one object)"),
        ('{"version": 1, "scenarios": {"it": NaN}}', ": it is not as botkit has written it (NaN is no JSON)"),
        ('{"version": 1, "scenarios": \n{"it": 3}}', ':2:1: "it" is not as botkit has written it (Input should be a'),
        (
            '{"version": 1, "scenarios": {"one": [], \n\n"two": [' + CALL.replace('"turn": 1', '"turn": -1') + "]}}",
            ':3:1: of "two" the call 0.turn is not as botkit has written it (Input should be greater than or equal to 0)',
        ),
        (
            '{"version": 1, "scenarios": {"it": [' + CALL.replace('"answer"', '"api_key": "sk-secret", "answer"') + "]}}",
            ':1:1: of "it" the call 0.api_key is not as botkit has written it (Extra inputs are not permitted)',
        ),
        ("[" * 100_000, ": it is not as botkit has written it (maximum recursion depth exceeded"),
        (b"\xff\xfe{", f": it is not UTF-8; {CURE}"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_with_its_place(tmp_path: Path, content: str | bytes, told: str) -> None:
    path = tmp_path / "desk.test.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SpecError) as caught:
        recordings.read(path)
    assert str(caught.value).startswith(f"{path}{told}")
    assert "sk-secret" not in str(caught.value)


def test_a_request_that_was_changed_in_the_file_is_stale(tmp_path: Path) -> None:
    path = tmp_path / "desk.test.json"
    recordings.write(path, {"it": [recorded()]})
    path.write_text(path.read_text("utf-8").replace("Be kind.", "Be rude."), "utf-8")
    assert isinstance(Tape(recordings.read(path)["it"]).find("model", 1, 1, REQUEST), Stale)


def test_a_difference_shows_the_part_of_a_long_paragraph_and_obeys_no_terminal() -> None:
    long = "word " * 200
    before, now = (
        replace(REQUEST, messages=(Message("system", f"{long}{middle} {long}"),))
        for middle in ("old\x1b[31m", "new\x1b[31m")
    )
    found = Tape([recorded(before)]).find("model", 1, 1, now)
    assert isinstance(found, Stale)
    told = found.difference(recorded(now).request)
    assert max(map(len, told.splitlines())) <= 170
    assert "\x1b" not in told
    assert "old\\x1b[31m" in told
