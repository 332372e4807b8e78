"""What happened to each event, as the page tells it."""

import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from botkit.messages import Content
from botkit.models.tokens import IMAGE_TOKENS, count_tokens
from botkit.simulator.playground.bounds import LARGEST
from botkit.simulator.playground.mortal import Killed, Life, mortal
from botkit.simulator.playground.watching import MOST, NOT_TAKEN_IN
from tests.simulator.playground.workshop import KIND, Workshop, workshop
from tests.support.openai_server import OpenAIServer, openai_server

PHOTO = Content(b"\xff\xd8\xff\xe0" + b"x" * 3000, "image/jpeg")
OWN = KIND + "pipeline: [reply, {use: bots.own:Own}, history, persona, model]\n"


def own_step(call: str) -> str:
    """The source of a step; `call` is the body of its `__call__`, on one line."""
    return f"import sys\nfrom botkit import Reply, Step\nclass Own(Step):\n    def __call__(self, turn, call_next):\n        {call}\n"


@pytest.fixture(scope="module")
def running() -> Iterator[OpenAIServer]:
    with openai_server() as server:
        yield server


@pytest.fixture
def openai(running: OpenAIServer) -> Iterator[OpenAIServer]:
    yield running
    running.reset()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with workshop(tmp_path, memory=tmp_path / "line.db") as made:
        yield made


@pytest.fixture
def real(shop: Workshop, openai: OpenAIServer) -> Workshop:
    """The same with a real model."""
    shop.environ |= {"OPENAI_API_KEY": openai.key, "OPENAI_BASE_URL": openai.url}
    return shop


def kinds(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(message["part"], message["text"]) for message in messages]


# ---------------------------------------------------------------- the turn


def test_the_steps_are_told_with_their_times(shop: Workshop) -> None:
    shop.write("own.py", own_step("turn.services.clock.sleep(500); return call_next(turn)"))
    shop.write("kind.yaml", OWN)
    shop.say("hi")
    trace = shop.trace()
    (turn,) = trace["turns"]
    assert [one["step"] for one in turn["steps"]] == ["Reply", "Own", "History", "Persona", "Model"]
    took = {one["step"]: one for one in turn["steps"]}
    assert 500 <= took["Own"]["own"] < took["Own"]["ms"] < took["Reply"]["ms"]
    assert took["Reply"]["own"] < 500
    assert sum(one["own"] for one in turn["steps"]) == turn["steps"][0]["ms"] <= turn["ended"] - turn["began"]
    assert [one["after"] for one in turn["steps"]] == sorted(one["after"] for one in turn["steps"])
    assert turn["failed"] is None
    assert turn["events"] == [trace["event"]]


def test_the_prompt_is_told_as_it_was_sent(real: Workshop, openai: OpenAIServer) -> None:
    real.write("kind.yaml", "persona: You are kind.\nmodel: {name: gpt-4.1-mini, temperature: 0.5}\n")
    real.say("one")
    openai.say("A real answer.")
    real.say("two")
    trace = real.trace()
    (turn,) = trace["turns"]
    (call,) = turn["models"]
    assert [{"role": one["role"], "content": one["text"]} for one in call["messages"]] == openai.requests[-1].body[
        "messages"
    ]
    assert kinds(call["messages"]) == [
        ("persona", "You are kind."),
        ("history", "one"),
        ("history", "one"),
        ("new", "two"),
    ]
    assert [one["tokens"] for one in call["messages"]] == [
        count_tokens("gpt-4.1-mini", one["text"]) for one in call["messages"]
    ]
    assert (call["kind"], call["model"], call["answer"]) == ("chat", "gpt-4.1-mini", "A real answer.")
    assert (call["temperature"], call["max_output_tokens"], call["context_tokens"]) == (0.5, 800, 1_047_576)
    assert (call["rehearsed"], call["failed"], call["base_url"]) == (False, None, openai.url)
    assert 0 <= call["after"] <= call["after"] + call["ms"] <= turn["ended"] - turn["began"]
    assert call["cost"] > 0
    assert trace["usage"] == {name: call[name] for name in ("input_tokens", "output_tokens", "cost")}
    assert turn["reply"] == ["A real answer."]


def test_a_rehearsal_is_told_as_one(shop: Workshop) -> None:
    shop.say("hi")
    (call,) = shop.trace()["turns"][0]["models"]
    assert (call["rehearsed"], call["cost"], call["base_url"]) == (True, 0, None)


def test_what_was_stored_and_not_sent_is_told(shop: Workshop) -> None:
    shop.write("kind.yaml", KIND + "history: {max_tokens: 140}\n")
    for text in ("one", "two", "three"):
        shop.say(text)
    trace = shop.trace()
    sent = [one["text"] for one in trace["turns"][0]["models"][0]["messages"] if one["part"] == "history"]
    left_out = trace["turns"][0]["left_out"]
    said = [one.text for one in shop.platform.chat(shop.accounts["kind"], shop.hana)][:4]
    assert [*(one["text"] for one in left_out), *sent] == said
    assert sent
    assert [one["tokens"] for one in left_out] == [count_tokens("", one["text"]) for one in left_out]


def test_what_is_told_twice_is_left_out_only_as_often_as_it_was(shop: Workshop) -> None:
    shop.write("kind.yaml", KIND + "history: {max_tokens: 90}\n")
    for _ in range(3):
        shop.say("hi")
    trace = shop.trace()
    turn = trace["turns"][0]
    history = [one for one in turn["models"][0]["messages"] if one["part"] == "history"]
    assert len(history) + len(turn["left_out"]) == 4
    assert history


def test_what_did_not_fit_the_model_was_not_sent(real: Workshop, openai: OpenAIServer) -> None:
    for text in ("one", "two"):
        real.say(text)
    openai.fail(400, "Too long.", code="context_length_exceeded", param="messages")
    real.say("three")
    (turn,) = real.trace()["turns"]
    assert [len(call["messages"]) for call in turn["models"]] == [6, 4]
    assert [one["text"] for one in turn["left_out"]] == ["one", "one"]


def test_of_a_turn_that_asks_no_model_nothing_is_left_out(shop: Workshop) -> None:
    shop.say("one")
    shop.say("/reset")
    turn = shop.trace()["turns"][0]
    assert (turn["models"], turn["left_out"]) == ([], [])
    assert len(turn["reply"]) == 1


def test_each_try_of_a_model_is_told(real: Workshop, openai: OpenAIServer) -> None:
    real.write("kind.yaml", "persona: hi\nmodel: {name: gpt-4.1-mini, fallback: [gpt-4.1-nano]}\n")
    openai.fail(400, "Bad request.")
    openai.say("The second one's.")
    real.say("hi")
    first, second = real.trace()["turns"][0]["models"]
    assert "400" in first["failed"]
    assert (first["answer"], first["input_tokens"]) == ("", 0)
    assert (second["model"], second["failed"], second["answer"]) == ("gpt-4.1-nano", None, "The second one's.")


def test_a_failed_step_is_told_and_nothing_changes_for_the_person(shop: Workshop) -> None:
    shop.write("own.py", own_step("raise ValueError('the oven is cold')"))
    shop.write("kind.yaml", OWN)
    assert shop.say("hi") == "Sorry, something went wrong. Please try again."
    (turn,) = shop.trace()["turns"]
    assert re.fullmatch(r"ValueError: the oven is cold \(.*/own\.py:\d+\)", turn["failed"])
    assert turn["reply"] == []


def test_a_step_that_returns_no_reply_is_told(shop: Workshop) -> None:
    shop.write("own.py", own_step("return 'hello'"))
    shop.write("kind.yaml", KIND + "pipeline: [{use: bots.own:Own}, persona, model]\n")
    shop.say("hi")
    assert shop.trace()["turns"][0]["failed"] == "a step returned str instead of a Reply"


def test_a_burst_is_one_turn_and_each_of_its_events_leads_to_it(shop: Workshop) -> None:
    account, hana = shop.accounts["kind"], shop.hana
    deliveries = [shop.platform.say(account, hana, text) for text in ("one", "two")]
    shop.last = shop.platform.bundle(*deliveries)
    assert shop.post("kind", shop.last) == 200
    first, second = shop.trace(0), shop.trace(1)
    assert first["turns"] == second["turns"]
    assert first["turns"][0]["events"] == [first["event"], second["event"]]
    assert kinds(first["turns"][0]["models"][0]["messages"])[1:] == [("new", "one"), ("new", "two")]
    assert first["line"] == second["line"] != []
    assert first["lead"] == second["lead"]


def test_each_attempt_is_told(shop: Workshop) -> None:
    """A worker is killed in the middle of its turn; the sweep's goes on."""
    shop.write("own.py", own_step("sys.during(turn); return call_next(turn)"))
    shop.write("kind.yaml", OWN)
    life = Life()
    vars(sys)["during"] = lambda _turn: life.end()
    alive = shop.runtime.services
    shop.runtime.services = mortal(alive, life)
    delivery = shop.platform.say(shop.accounts["kind"], shop.hana, "hi")
    with suppress(Killed):  # where it was killed there is nobody to answer
        shop.post("kind", delivery)
    shop.last = delivery
    shop.runtime.services = alive
    vars(sys)["during"] = lambda _turn: None
    shop.platform.clock.sleep(120_000)
    shop.runtime({"botkit": "sweep"}, None)
    trace = shop.trace()
    assert [turn["failed"] for turn in trace["turns"]] == ["the worker was killed", None]
    assert all(one["ms"] >= 0 for one in trace["turns"][0]["steps"])
    assert trace["state"] == "DONE"


def test_a_turn_is_told_while_it_goes_on(shop: Workshop) -> None:
    shop.write("own.py", own_step("sys.during(turn); return call_next(turn)"))
    shop.write("kind.yaml", OWN)
    began, go_on = Event(), Event()

    def wait(_turn: object) -> None:
        began.set()
        assert go_on.wait(10)

    vars(sys)["during"] = wait
    with ThreadPoolExecutor() as pool:
        said = pool.submit(shop.say, "hi")
        assert began.wait(10)
        (turn,) = shop.trace()["turns"]
        assert turn["ended"] is None
        assert [(one["step"], one["ms"]) for one in turn["steps"]] == [("Reply", None), ("Own", None)]
        assert shop.trace()["state"] == "RECEIVED"
        go_on.set()
        said.result(10)
    assert shop.trace()["turns"][0]["ended"] is not None


def test_photos_are_only_counted(real: Workshop, openai: OpenAIServer) -> None:
    account = real.accounts["kind"]
    real.last = real.platform.send_media(account, real.hana, "image", PHOTO)
    assert real.post("kind", real.last) == 200
    trace = real.trace()
    (message,) = [one for one in trace["turns"][0]["models"][0]["messages"] if one["part"] == "new"]
    assert (message["text"], message["images"]) == ("(photo)", 1)
    assert message["tokens"] == count_tokens("gpt-4.1-mini", "(photo)") + IMAGE_TOKENS
    assert "base64" in json.dumps(openai.requests[-1].body)
    assert "base64" not in json.dumps(trace)
    assert sorted(call["endpoint"] for call in trace["line"]) == ["content", "reply"]


def test_recordings_and_judgements_are_told(real: Workshop, openai: OpenAIServer) -> None:
    real.write("kind.yaml", KIND + "moderation: {input: refuse}\n")
    openai.hear("good evening")
    openai.find("violence")
    sound = Content(b"\x00\x00\x00\x1cftypM4A hello", "audio/x-m4a")
    real.last = real.platform.send_media(real.accounts["kind"], real.hana, "audio", sound)
    real.post("kind", real.last)
    calls = real.trace()["turns"][0]["models"]
    assert {(one["kind"], one["model"], one["answer"]) for one in calls} == {
        ("transcription", "whisper-1", "good evening"),
        ("moderation", "omni-moderation-latest", "violence"),
    }
    assert next(one["cost"] for one in calls if one["kind"] == "transcription") > 0


# ---------------------------------------------------------------- secrets


def test_no_secret_enters_a_trace(real: Workshop, openai: OpenAIServer) -> None:
    """Not even where a step of one's own puts it into its complaint."""
    key = "turn.services.secrets.get('env:OPENAI_API_KEY')"
    real.write("own.py", own_step(f"call_next(turn); raise ValueError({key} + turn.access_token)"))
    real.write("kind.yaml", OWN)
    real.say("data:image/png;base64," + "A" * 400)
    account, trace = real.accounts["kind"], real.trace()
    shown = json.dumps([trace, real.keeper.get("trace.0"), real.keeper.get("traces")])
    assert trace["turns"][0]["failed"].startswith("ValueError: …… (")
    for secret in (openai.key, account.access_token, account.channel_secret, "AAAAAAAA"):
        assert secret not in shown


def test_an_address_is_shown_without_what_may_be_secret_in_it(shop: Workshop, openai: OpenAIServer) -> None:
    shop.environ["OPENAI_BASE_URL"] = openai.url.replace("http://", "http://hana:pass@")
    shop.say("hi")
    assert shop.trace()["turns"][0]["models"][0]["base_url"] == openai.url


# ---------------------------------------------------------------- the store's part and LINE's


def test_the_stores_record_is_told_beside(shop: Workshop) -> None:
    shop.say("hi")
    trace = shop.trace()
    record = shop.runtime.services.store.record("kind", trace["event"], shop.platform.clock.now())
    assert record is not None
    assert (trace["state"], trace["meaning"]) == ("DONE", "answered, or nothing to say")
    assert (trace["at"], trace["received_at"]) == (record.at, record.received_at)
    assert (trace["attempts"], trace["sends"], trace["lead"]) == (record.attempts, record.sends, trace["event"])
    assert trace["notes"] == [{"at": note.at, "text": note.text} for note in record.notes] != []


def test_a_note_of_a_turn_that_left_nothing_in_the_store_is_told(shop: Workshop) -> None:
    shop.write("own.py", own_step("turn.note('own: so far'); sys.during(turn); return call_next(turn)"))
    shop.write("kind.yaml", OWN)
    seen: list[dict[str, Any]] = []
    vars(sys)["during"] = lambda _turn: seen.append(shop.trace())
    shop.last = shop.platform.say(shop.accounts["kind"], shop.hana, "hi")
    shop.post("kind", shop.last)
    assert "own: so far" in [note["text"] for note in seen[0]["notes"]]
    assert [note["text"] for note in shop.trace()["notes"]].count("own: so far") == 1


def test_an_event_that_nobody_knows_has_no_trace(shop: Workshop) -> None:
    assert shop.traces.of("kind", "01NONE") is None
    shop.say("hi")
    assert shop.traces.of("other", shop.trace()["event"]) is None


def test_an_event_that_the_store_has_lost_is_still_told(shop: Workshop) -> None:
    shop.say("hi")
    shop.platform.clock.sleep(8 * 86_400_000)
    trace = shop.trace()
    assert (trace["state"], trace["meaning"], trace["notes"]) == (None, NOT_TAKEN_IN, trace["notes"])
    assert len(trace["turns"]) == 1


def test_the_reply_to_an_event_is_told_and_no_other(shop: Workshop) -> None:
    shop.say("one")
    first = shop.trace()
    shop.say("two")
    (call,) = [one for one in shop.trace()["line"] if one["endpoint"] == "reply"]
    assert (call["method"], call["path"], call["status"]) == ("POST", "/v2/bot/message/reply", 200)
    assert "“two”" in call["request"]["messages"][0]["text"]
    assert shop.traces.of("kind", first["event"])["line"] == first["line"]  # type: ignore[index]


def test_a_push_is_known_by_its_retry_key(shop: Workshop) -> None:
    shop.platform.troubles.refuse("reply", 400, "Invalid reply token")
    shop.say("hi")
    calls = [one for one in shop.trace()["line"] if one["endpoint"] in ("reply", "push")]
    assert [(one["endpoint"], one["status"]) for one in calls] == [("reply", 400), ("push", 200)]
    assert calls[1]["retry_key"] is not None
    shop.say("hi")
    assert [one["endpoint"] for one in shop.trace()["line"] if one["endpoint"] == "push"] == []


def test_a_call_that_got_no_answer_has_no_status(shop: Workshop) -> None:
    shop.platform.troubles.drop("reply", done=False)
    shop.say("hi")
    assert [one["status"] for one in shop.trace()["line"] if one["endpoint"] == "reply"] == [None, 200]


def test_what_a_turn_asks_of_line_is_told_in_its_own_trace_alone(shop: Workshop) -> None:
    shop.write("other.yaml", KIND)
    shop.write("kind.yaml", KIND.replace("kind.", "kind to {{ user.name }}."))
    shop.say("hi")
    trace = shop.trace()
    assert sorted(one["endpoint"] for one in trace["line"]) == ["profile", "reply"]
    assert all(trace["turns"][0]["began"] <= one["at"] for one in trace["line"])
    shop.say("hi", "other")
    assert [one["endpoint"] for one in shop.trace(bot="other")["line"]] == ["reply"]
    assert shop.traces.of("kind", trace["event"]) == trace


def test_the_tap_that_brings_an_answer_is_told(shop: Workshop) -> None:
    """The tap runs no turn: there is only the store's record, and the call to LINE."""
    shop.write("own.py", own_step("turn.services.clock.sleep(46_000); return call_next(turn)"))
    shop.write("kind.yaml", OWN)
    assert "rehearsal" not in shop.say("hi")
    asked = shop.trace()
    assert asked["state"] == "UNDELIVERED"
    account = shop.accounts["kind"]
    shop.last = shop.platform.postback(account, shop.hana, f"botkit:answer:{asked['event']}")
    shop.post("kind", shop.last)
    tapped = shop.trace()
    assert (tapped["state"], tapped["turns"]) == ("DONE", [])
    assert [(one["endpoint"], one["status"]) for one in tapped["line"]] == [("reply", 200)]
    assert shop.traces.of("kind", asked["event"])["lead"] == tapped["event"]  # type: ignore[index]


# ---------------------------------------------------------------- keeping


def test_traces_outlive_the_process(shop: Workshop) -> None:
    shop.say("one")
    before = shop.trace()
    shop.stop()
    shop.platform._calls.clear()
    shop.start()
    assert shop.trace() == before
    assert before["line"]
    shop.say("two")
    assert shop.traces.of("kind", before["event"]) == before


def test_the_newest_events_are_known_and_the_oldest_are_forgotten(shop: Workshop) -> None:
    shop.write("own.py", own_step("return Reply.of('x')"))
    shop.write("kind.yaml", KIND + "pipeline: [{use: bots.own:Own}, persona, model]\n")
    account = shop.accounts["kind"]
    shop.say("first")
    first, second = shop.last, None
    for start in range(0, MOST, 15):
        said = [shop.platform.say(account, shop.hana, str(number)) for number in range(start, start + 15)]
        shop.last = shop.platform.bundle(*said)
        second = second or shop.last
        shop.post("kind", shop.last)
    assert second is not None
    assert turns_of(shop, first.events[0]["webhookEventId"]) == 0
    assert turns_of(shop, second.events[0]["webhookEventId"]) == 1
    assert shop.keeper.get(f"trace.{MOST // 15 + 1}") is None  # what is free is used again
    shop.say("once more")
    assert turns_of(shop, second.events[0]["webhookEventId"]) == 0
    assert turns_of(shop, second.events[1]["webhookEventId"]) == 1


def turns_of(shop: Workshop, event: str) -> int:
    trace = shop.traces.of("kind", event)
    return len(trace["turns"]) if trace else 0


def test_a_huge_prompt_is_kept_cut_with_a_mark(shop: Workshop) -> None:
    persona = "You are kind. " * 20_000
    shop.write("own.py", own_step("turn.system = 'You are kind. ' * 20_000; return call_next(turn)"))
    shop.write("kind.yaml", KIND + "pipeline: [persona, {use: bots.own:Own}, model]\n")
    shop.say("hi")
    (call,) = shop.trace()["turns"][0]["models"]
    text, _, mark = call["messages"][0]["text"].partition("…")
    assert persona.startswith(text)
    assert mark == f" (cut here: {len(persona):,} characters in all)"
    assert call["messages"][0]["tokens"] == count_tokens("gpt-4.1-mini", persona)
    assert call["messages"][-1] == {"role": "user", "text": "hi", "images": 0, "part": "new", "tokens": 1}
    assert len(json.dumps(shop.keeper.get("trace.0"))) <= LARGEST


def test_a_prompt_of_very_many_messages_is_kept_in_part(shop: Workshop) -> None:
    many = "from botkit.messages import Message\n" + own_step(
        "turn.history = tuple(Message('user', f'{n} ' + 'x' * 150, tokens=50) for n in range(1500)); return call_next(turn)"
    )
    shop.write("own.py", many)
    shop.write("kind.yaml", KIND + "pipeline: [persona, {use: bots.own:Own}, model]\n")
    shop.say("hi")
    (call,) = shop.trace()["turns"][0]["models"]
    texts = [one["text"] for one in call["messages"]]
    assert texts[:2] == ["You are kind.", "… (1451 messages are not kept here)"]
    assert texts[-1] == "hi"
    assert len(json.dumps(shop.keeper.get("trace.0"))) <= LARGEST


def test_whoever_listens_is_told_of_each_step(shop: Workshop) -> None:
    shop.say("hi")
    event = shop.trace()["event"]
    assert shop.told == [("kind", event)] * 4  # it begins, the model is asked, it answers, it is over


def test_a_listener_that_fails_changes_nothing(shop: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_bot: str, _event: str) -> None:
        raise RuntimeError("no page")

    shop.traces.listen(fail)
    with caplog.at_level(logging.CRITICAL):
        assert "rehearsal" in shop.say("hi")


def test_watching_costs_little(shop: Workshop) -> None:
    shop.say("warm")
    took = []
    for _ in range(5):
        began = time.perf_counter()
        shop.say("hi")
        took.append(time.perf_counter() - began)
    assert min(took) < 0.15


def test_a_bot_can_be_dressed_with_it(shop: Workshop) -> None:
    """Nothing that the handler asks of a bot is changed by who looks on."""
    bot = shop.shelf.find("kind")
    assert bot is not None
    assert replace(bot, steps=bot.steps[1:]).secrets == bot.secrets
