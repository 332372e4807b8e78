"""The model's side of a turn: scripts, their troubles, and what is asked without one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from botkit.errors import ContextOverflow, ModelError
from botkit.messages import Content, Message
from botkit.models.openai import OpenAIModel
from botkit.models.tokens import count_messages, count_tokens
from botkit.ports import ChatRequest, ModerationRequest, TranscriptionRequest
from botkit.scenarios.file.loader import load_tests
from botkit.scenarios.file.scenario import Act, Deed, Turn
from botkit.scenarios.model.recordings import Tape
from botkit.scenarios.model.scripted import Mode, Speaker
from botkit.scenarios.performance import Case
from botkit.scenarios.results import Result
from botkit.scenarios.running import play
from botkit.simulator.playground.mischief import Mischief
from botkit.simulator.playground.mortal import Life
from botkit.spec.document import Place
from botkit.testing import MovableClock
from tests.support.openai_server import openai_server

PLACE = Place("bots/desk.test.yaml", 4, 5)
PLACES = {("model",): Place("bots/desk.test.yaml", 5, 7), ("model", 1): Place("bots/desk.test.yaml", 7, 9)}
REQUEST = ChatRequest("gpt-4.1-mini", (Message("system", "Be kind."), Message("user", "Hello")), 30.0)
BOT = "persona: Be kind.\nmodel: {name: gpt-4.1-mini, timeout: 80s}\n"


def act(*deeds: dict[str, Any], **turn: Any) -> Act:
    says = tuple(Deed.model_validate(deed) for deed in deeds)
    return Act(Turn.model_validate(turn), PLACE, PLACES, "hana", says)


def speaker(script: Any = (), mode: Mode = "offline", clock: MovableClock | None = None) -> Speaker:
    one = Speaker(mode, Tape(), clock or MovableClock(0), None)
    one.begin(1, act(model=script) if script else act())
    return one


def fault(ask: Callable[[], object]) -> ModelError:
    with pytest.raises(ModelError) as caught:
        ask()
    return caught.value


def played(folder: Path, turns: str, bot: str = BOT) -> Result:
    (folder / "desk.yaml").write_text(bot)
    (folder / "desk.test.yaml").write_text(f"- name: it\n  turns:\n{turns}")
    loaded = load_tests(folder / "desk.test.yaml")
    assert not loaded.problems
    return play(Case(folder, loaded.scenarios[0]), {})


# ---------------------------------------------------------------- scripts


def test_scripts_are_said_in_order_and_their_tokens_counted() -> None:
    one = speaker(["First.", {"say": " Second. "}])
    assert [one.complete(REQUEST).text for _ in range(2)] == ["First.", "Second."]
    asked = count_messages("gpt-4.1-mini", REQUEST.messages)
    assert [(usage.input_tokens, usage.output_tokens) for usage in one.usages] == [
        (asked, count_tokens("gpt-4.1-mini", "First.")),
        (asked, count_tokens("gpt-4.1-mini", "Second.")),
    ]
    assert one.prompts == (REQUEST, REQUEST)
    assert one.end() == ()


def test_each_turn_begins_anew() -> None:
    one = speaker("First.")
    one.complete(REQUEST)
    one.begin(2, act(model="Second."))
    assert (one.prompts, one.usages) == ((), ())
    assert one.complete(REQUEST).text == "Second."


def test_the_last_script_is_not_repeated() -> None:
    one = speaker("First.")
    one.complete(REQUEST)
    assert not fault(lambda: one.complete(REQUEST)).retryable
    (failure,) = one.end()
    assert (failure.fault, failure.place.line) == ("unrecorded", 5)
    assert failure.wanted == "an answer to call 2 of the model"
    assert failure.came == "`model` has 1 answer"


def test_a_script_that_nobody_asks_for_is_told_at_its_place() -> None:
    one = speaker(["First.", "Second."])
    one.complete(REQUEST)
    (failure,) = one.end()
    assert (failure.fault, failure.expectation, failure.place.line) == ("unmet", "model", 7)
    assert failure.came == "it was asked once, so nobody asked for “Second.”"


def test_a_call_that_nothing_answers_is_told_once_with_the_cure() -> None:
    one = speaker()
    for _ in range(2):  # as a bot asks its next model
        assert not fault(lambda: one.complete(REQUEST)).retryable
    (failure,) = one.end()
    assert (failure.fault, failure.place) == ("unrecorded", PLACE)
    assert "model: …" in failure.detail
    assert "`botkit test desk --record`" in failure.detail


def test_threads_get_one_script_each() -> None:
    one = speaker([f"No. {number}" for number in range(20)])
    with ThreadPoolExecutor(8) as pool:
        said = [completion.text for completion in pool.map(lambda _: one.complete(REQUEST), range(20))]
    assert sorted(said) == sorted(f"No. {number}" for number in range(20))
    assert (len(one.prompts), len(one.usages), one.end()) == (20, 20, ())


# ---------------------------------------------------------------- troubles


@pytest.mark.parametrize(("fails", "name"), [("down", "model_down"), ("rate_limit", "rate_limit")])
def test_it_fails_in_the_words_in_which_the_playground_fails(fails: str, name: str) -> None:
    mischief, clock = Mischief(), MovableClock(0)
    mischief.set(name, "on")
    expected = fault(lambda: mischief.model(speaker("x"), Life(), clock).complete(REQUEST))
    error = fault(lambda: speaker({"fails": fails}).complete(REQUEST))
    assert (str(error), error.retryable) == (str(expected), expected.retryable)


def test_it_overflows_in_the_words_of_the_real_model() -> None:
    with openai_server({"gpt-4.1-mini": 5}) as server:
        here = ChatRequest("gpt-4.1-mini", REQUEST.messages, 5.0, base_url=server.url, api_key=server.key)
        with closing(OpenAIModel(MovableClock())) as model:
            expected = fault(lambda: model.complete(here))
    error = fault(lambda: speaker({"fails": "overflow"}).complete(here))
    assert type(error) is type(expected) is ContextOverflow
    assert (str(error), error.retryable) == (str(expected), expected.retryable)


def test_no_answer_in_time_takes_all_the_time_there_is() -> None:
    clock = MovableClock(0)
    error = fault(lambda: speaker({"fails": "timeout"}, clock=clock).complete(REQUEST))
    words = "api.openai.com did not answer for 'gpt-4.1-mini' in time: try again, or raise model.timeout"
    assert (str(error), error.retryable, clock.now()) == (words, True, 30_000)


@pytest.mark.parametrize(("takes", "passed", "says"), [("30s", 30_000, True), ("31s", 30_000, False)])
def test_a_slow_model_takes_its_time_or_all_there_is(takes: str, passed: int, says: bool) -> None:
    clock = MovableClock(0)
    one = speaker({"say": "Here it is.", "takes": takes}, clock=clock)
    if says:
        assert one.complete(REQUEST).text == "Here it is."
    else:
        assert "did not answer" in str(fault(lambda: one.complete(REQUEST)))
    assert (clock.now(), one.end()) == (passed, ())


def test_a_blank_answer_fails_as_a_servers_does() -> None:
    error = fault(lambda: speaker({"say": " "}).complete(REQUEST))
    assert (str(error), error.retryable) == ("'gpt-4.1-mini' answered with an empty text: try again", True)


# ---------------------------------------------------------------- voices and findings


def test_voice_messages_are_heard_in_order_where_their_bytes_say_nothing() -> None:
    one = speaker()
    one.begin(1, act({"audio": "good morning"}, {"text": "hm"}, {"audio": "when is breakfast?"}))
    request = TranscriptionRequest("whisper-1", Content(b"\0", "audio/x-m4a"), 5.0)
    assert [one.transcribe(request) for _ in range(3)] == ["good morning", "when is breakfast?", ""]


def test_a_voice_message_is_known_by_its_bytes_in_any_order_and_again() -> None:
    one = speaker()
    one.begin(1, act({"audio": "おはよう"}, {"audio": "when is breakfast?"}))
    second = TranscriptionRequest("whisper-1", Content(b"when is breakfast?", "audio/x-m4a"), 5.0)
    first = TranscriptionRequest("whisper-1", Content("おはよう".encode(), "audio/x-m4a"), 5.0)
    assert [one.transcribe(each) for each in (second, first, second)] == [
        "when is breakfast?",
        "おはよう",
        "when is breakfast?",
    ]


@pytest.mark.parametrize("mode", ["offline", "record", "live"])
def test_moderation_finds_what_the_turn_says(mode: Mode) -> None:
    one, request = speaker(mode=mode), ModerationRequest("omni-moderation-latest", "Grr", 5.0)
    assert one.moderate(request) == ()
    one.begin(2, act(flagged=["harassment", "violence"]))
    assert one.moderate(request) == ("harassment", "violence")
    one.begin(3, act())
    assert one.moderate(request) == ()


# ---------------------------------------------------------------- through a bot


def test_a_bot_turns_to_its_next_model(tmp_path: Path) -> None:
    bot = "persona: Be kind.\nmodel: {name: gpt-4.1-mini, fallback: [gpt-4.1-nano]}\n"
    turns = "    - ken: hello\n      model: [{fails: down}, Hi!]\n      expect: {equals: Hi!, model_calls: 2}\n"
    assert played(tmp_path, turns, bot).all_failures == ()


def test_a_prompt_that_is_too_long_is_asked_again_with_less(tmp_path: Path) -> None:
    turns = "    - ken: one\n      model: A\n" + (
        "    - ken: two\n      model: [{fails: overflow}, B]\n      expect: {equals: B, model_calls: 2}\n"
    )
    assert played(tmp_path, turns).all_failures == ()


def test_every_answer_has_the_bots_own_price(tmp_path: Path) -> None:
    bot = "persona: Be kind.\nmodel: {name: mine, prices: {mine: {input: 1000000, output: 0}}}\n"
    result = played(tmp_path, "    - ken: hello\n      model: Hi!\n      expect: {silent: false}\n", bot)
    (usage,) = result.usages
    assert usage.input_tokens > 0
    assert usage.cost == usage.input_tokens * 1_000_000


@pytest.mark.parametrize("takes", [46, 61, 79])
def test_a_slow_answer_waits_behind_a_button_however_slow_it_is(tmp_path: Path, takes: int) -> None:
    turns = f"    - ken: hello\n      model: {{say: Here it is., takes: {takes}s}}\n      expect: {{via: button}}\n"
    turns += "    - ken: {tap: Show the answer}\n      expect: {equals: Here it is., via: reply}\n"
    assert played(tmp_path, turns).all_failures == ()
