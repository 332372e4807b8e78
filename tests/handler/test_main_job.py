"""The main job, end to end: a YAML file answers a signed LINE webhook."""

import json

import pytest

from tests.support.shapes import SHAPES, Shape, http_api
from tests.support.stage import Stage

KIND = "persona: You are kind.\nmodel: gpt-4.1-mini\n"


@pytest.mark.parametrize("is_base64", [False, True], ids=["plain", "base64"])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_signed_message_is_answered_through_every_front_end(stage: Stage, shape: Shape, is_base64: bool) -> None:
    account, hana = stage.bot("kind", KIND), stage.platform.add_person("Hana")
    stage.openai.say("こんにちは 🍎")
    answer = stage.post("kind", stage.platform.say(account, hana, "はじめまして 🌸"), shape=shape, is_base64=is_base64)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {})
    assert stage.platform.chat(account, hana).texts == ["こんにちは 🍎"]
    assert stage.prompts() == [
        [{"role": "system", "content": "You are kind."}, {"role": "user", "content": "はじめまして 🌸"}]
    ]


def test_history_survives_a_restart(any_stage: Stage) -> None:
    stage = any_stage
    account, hana = stage.bot("kind", KIND), stage.platform.add_person("Hana")
    stage.openai.say("Hello Hana!")
    stage.post("kind", stage.platform.say(account, hana, "I am Hana."))
    stage.restart()
    stage.openai.say("You are Hana.")
    stage.post("kind", stage.platform.say(account, hana, "Who am I?"))
    assert stage.platform.chat(account, hana).texts == ["Hello Hana!", "You are Hana."]
    assert stage.prompts()[-1] == [
        {"role": "system", "content": "You are kind."},
        {"role": "user", "content": "I am Hana."},
        {"role": "assistant", "content": "Hello Hana!"},
        {"role": "user", "content": "Who am I?"},
    ]


def test_one_handler_serves_two_accounts_apart(any_stage: Stage) -> None:
    stage = any_stage
    one, two = (
        stage.bot("one", "persona: You are One.\nmodel: gpt-4.1-mini\n"),
        stage.bot("two", "persona: Two.\nmodel: gpt-4o\n"),
    )
    hana = stage.platform.add_person("Hana")
    stage.post("one", stage.platform.say(one, hana, "a secret for One"))
    stage.post("two", stage.platform.say(two, hana, "hello Two"))
    assert stage.platform.chat(one, hana).texts == ["a secret for One"]  # the stand-in echoes
    assert stage.platform.chat(two, hana).texts == ["hello Two"]
    assert [request.body["model"] for request in stage.openai.requests] == ["gpt-4.1-mini", "gpt-4o"]
    assert "secret" not in json.dumps(stage.prompts()[1])


def test_a_webhook_signed_for_one_bot_is_not_taken_for_another(stage: Stage) -> None:
    one, _ = stage.bot("one", KIND), stage.bot("two", KIND)
    delivery = stage.platform.say(one, stage.platform.add_person("Hana"), "hi")
    assert stage.post("two", delivery)["statusCode"] == 401
    assert stage.openai.requests == []


def test_the_destination_finds_the_bot(stage: Stage) -> None:
    one = stage.bot("one", KIND, by_destination=True)
    two = stage.bot("two", KIND, by_destination=True)
    hana = stage.platform.add_person("Hana")
    assert stage.post("", stage.platform.say(two, hana, "hi"), path="/prod/line")["statusCode"] == 200
    assert stage.platform.chat(two, hana).texts == ["hi"]
    assert stage.platform.chat(one, hana).texts == []


def test_a_duplicate_is_answered_once(any_stage: Stage) -> None:
    stage = any_stage
    account, hana = stage.bot("kind", KIND), stage.platform.add_person("Hana")
    delivery = stage.platform.say(account, hana, "hi")
    for one in (delivery, delivery, stage.platform.redeliver(delivery)):
        assert stage.post("kind", one)["statusCode"] == 200
    assert stage.platform.chat(account, hana).texts == ["hi"]
    assert len(stage.openai.requests) == 1


def test_several_events_of_one_webhook_go_to_their_own_people(any_stage: Stage) -> None:
    stage = any_stage
    account = stage.bot("kind", KIND)
    hana, ken = stage.platform.add_person("Hana"), stage.platform.add_person("Ken")
    both = stage.platform.bundle(
        stage.platform.say(account, hana, "I am Hana"), stage.platform.say(account, ken, "I am Ken")
    )
    stage.post("kind", both)
    assert stage.platform.chat(account, hana).texts == ["I am Hana"]
    assert stage.platform.chat(account, ken).texts == ["I am Ken"]
    assert all(len(prompt) == 2 for prompt in stage.prompts())


def test_quick_replies_and_sender_come_with_the_answer(stage: Stage) -> None:
    account = stage.bot(
        "kind", KIND + "reply: {quick_replies: [One, {label: Two, text: Second}], sender: {name: Yoshi}}\n"
    )
    hana = stage.platform.add_person("Hana")
    stage.post("kind", stage.platform.say(account, hana, "hi"))
    (answer,) = stage.platform.chat(account, hana).answers
    assert (answer.quick_replies, answer.sender) == (("One", "Two"), "Yoshi")


def test_a_long_answer_is_split_within_lines_limits(stage: Stage) -> None:
    account, hana = stage.bot("kind", KIND), stage.platform.add_person("Hana")
    stage.openai.say("長い答えです。🍎" * 4000)
    stage.post("kind", stage.platform.say(account, hana, "hi"))
    texts = stage.platform.chat(account, hana).texts
    assert len(texts) == 5
    assert texts[-1].endswith("…")


def test_the_persona_knows_the_person_the_chat_and_the_time(stage: Stage) -> None:
    account = stage.bot(
        "kind",
        "persona: '{{ bot.name }} {{ user.name }} {{ user.language }} {{ chat.kind }} {{ chat.name }} {{ inn }} {{ today.year }}'\n"
        "model: gpt-4.1-mini\n",
    )
    file = stage.bots / "kind.yaml"
    file.write_text(
        file.read_text()
        .replace("persona: '", "persona: {vars: {inn: Yoshi-an}, text: '")
        .replace("year }}'", "year }}'}")
    )
    hana = stage.platform.add_person("Hana\u202e\n{{ 7 * 7 }}", language="ja")
    stage.post("kind", stage.platform.say(account, hana, "hi"))
    system = stage.prompts()[0][0]["content"]
    assert system.startswith("kind Hana {{ 7 * 7 }} ja user Hana {{ 7 * 7 }} Yoshi-an 20")


def test_health_is_answered(stage: Stage) -> None:
    stage.bot("kind", KIND)
    answer = stage.post("", path="/prod/health", method="GET", shape=http_api)
    assert answer["statusCode"] == 200
