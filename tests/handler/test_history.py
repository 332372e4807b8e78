"""History: a window of messages and of tokens, and never the reason for a failing turn."""

import pytest

from botkit.models.tokens import count_tokens
from botkit.simulator.chats import Person
from tests.support.stage import Stage


@pytest.fixture
def hana(stage: Stage) -> Person:
    return stage.platform.add_person("Hana")


def talk(stage: Stage, hana: Person, *texts: str) -> None:
    for text in texts:
        stage.post("kind", stage.platform.say(stage.accounts["kind"], hana, text))


def last_prompt(stage: Stage) -> list[str]:
    """What the model was shown of the conversation, the persona left out."""
    return [message["content"] for message in stage.prompts()[-1] if message["role"] != "system"]


def test_the_newest_messages_of_the_window_are_kept_in_order(stage: Stage, hana: Person) -> None:
    stage.bot("kind", "persona: hi\nmodel: gpt-4.1-mini\nhistory: 3\n")
    talk(stage, hana, "one", "two", "three")  # each is echoed
    assert last_prompt(stage) == ["one", "two", "two", "three"]


def test_no_window_means_no_memory_in_the_prompt(stage: Stage, hana: Person) -> None:
    stage.bot("kind", "persona: hi\nmodel: gpt-4.1-mini\nhistory: 0\n")
    talk(stage, hana, "one", "two")
    assert last_prompt(stage) == ["two"]


def test_tokens_bound_the_history_too_and_leave_no_gap(stage: Stage, hana: Person) -> None:
    stage.bot("kind", "persona: hi\nmodel: gpt-4.1-mini\nhistory: {window: 20, max_tokens: 12}\n")
    long = "a rather long message that does not fit into so few tokens at all"
    assert count_tokens("gpt-4.1-mini", long) > 12
    stage.openai.say("short")
    talk(stage, hana, "first")
    stage.openai.say("ok")
    talk(stage, hana, long, "last")
    assert last_prompt(stage) == ["ok", "last"]


def test_an_over_long_history_never_fails_the_call(stage: Stage, hana: Person) -> None:
    """The model's window is smaller than the bot file claims: history is halved until the prompt is taken."""
    stage.openai.windows["small"] = 120
    stage.bot("kind", "persona: hi\nmodel: {name: small, context_tokens: 8000, max_output_tokens: 50}\n")
    talk(stage, hana, *(f"message number {number} " + "word " * 10 for number in range(6)))
    assert len(stage.platform.chat(stage.accounts["kind"], hana).texts) == 6
    assert all("Sorry" not in text for text in stage.platform.chat(stage.accounts["kind"], hana).texts)
    assert last_prompt(stage)[-1].startswith("message number 5")


def test_the_prompt_is_made_to_fit_a_known_window_before_it_is_sent(stage: Stage, hana: Person) -> None:
    stage.openai.windows["small"] = 1000
    stage.bot("kind", "persona: hi\nmodel: {name: small, context_tokens: 1000, max_output_tokens: 500}\n")
    talk(stage, hana, *(f"{number} " + "word " * 100 for number in range(8)))
    assert len(stage.openai.requests) == 8  # none was refused for its length
    assert last_prompt(stage)[-1].startswith("7 word")
    assert len(last_prompt(stage)) > 1


def test_a_message_too_long_for_the_model_is_shortened_not_refused(stage: Stage, hana: Person) -> None:
    stage.openai.windows["small"] = 1000
    stage.bot("kind", "persona: hi\nmodel: {name: small, context_tokens: 1000, max_output_tokens: 200}\n")
    talk(stage, hana, "長い" * 2000)
    (asked,) = last_prompt(stage)
    assert asked.endswith("…")
    assert len(stage.platform.chat(stage.accounts["kind"], hana).texts) == 1


def test_an_unfitting_prompt_without_history_ends_in_the_error_text(stage: Stage, hana: Person) -> None:
    stage.openai.windows["small"] = 20
    stage.bot("kind", "persona: hi\nmodel: {name: small, context_tokens: 8000}\nreply: {error: Sorry!}\n")
    talk(stage, hana, "word " * 100)
    assert stage.platform.chat(stage.accounts["kind"], hana).texts == ["Sorry!"]
