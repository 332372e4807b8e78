"""Commands, sent to a running bot: what they do, what they leave alone, and who may give them."""

from typing import Any

import pytest

from botkit.messages import Chat
from botkit.simulator.chats import Person
from tests.handler.test_bursts import hana_of, prompt, said, together
from tests.handler.test_delivery import KIND, say
from tests.support.stage import Stage


@pytest.fixture
def kind(any_stage: Stage) -> Stage:
    any_stage.bot("kind", KIND + "commands: {reset: [/reset, リセット]}\n")
    any_stage.platform.add_person("Hana")
    return any_stage


def answers(stage: Stage, chat: Chat | None = None) -> list[str]:
    """What the bot has said, in a chat or to Hana."""
    return [one.text for one in stage.platform.chat(stage.accounts["kind"], chat or hana_of(stage)).answers]


def crowd(stage: Stage, more: str = "history: {scope: group}\n") -> tuple[Chat, Person, Person]:
    """A group of Hana and Ken, who share one conversation."""
    stage.bot("kind", KIND + "groups: {answer: always}\n" + more)
    hana, ken = hana_of(stage), stage.platform.add_person("Ken")
    group = stage.platform.add_group(hana, ken)
    stage.post("kind", stage.platform.join(stage.accounts["kind"], group))
    return group, hana, ken


def speak(stage: Stage, person: Person, text: str, chat: Chat | None = None, **how: Any) -> None:
    stage.post("kind", stage.platform.say(stage.accounts["kind"], person, text, chat=chat, **how))


@pytest.mark.parametrize("word", ["/reset", "リセット", "ﾘｾｯﾄ", "／ＲＥＳＥＴ ", "/forget"])
def test_after_a_reset_the_bot_knows_nothing_of_before(kind: Stage, word: str) -> None:
    say(kind, "my name is Hana")
    say(kind, word)
    say(kind, "who am I?")
    assert prompt(kind) == ["who am I?"]
    assert len(kind.openai.requests) == 2


def test_a_question_about_the_word_resets_nothing(kind: Stage) -> None:
    say(kind, "my name is Hana")
    say(kind, "リセットってどういう意味？")
    say(kind, "who am I?")
    assert prompt(kind)[0] == "my name is Hana"
    assert len(kind.openai.requests) == 3


def test_a_command_and_its_answer_are_never_remembered(kind: Stage) -> None:
    for word in ("/help", "/usage", "/reset", "hello"):
        say(kind, word)
    assert prompt(kind) == ["hello"]


def test_a_command_in_a_burst_is_a_turn_of_its_own(kind: Stage) -> None:
    together(kind, *said(kind, "hello", "/reset", "what did I say?"))
    assert [message["content"] for message in kind.prompts()[0]][1:] == ["hello"]
    assert prompt(kind) == ["what did I say?"]
    assert answers(kind) == [
        "hello",
        "Let us start again. I have forgotten what was said before.",
        "what did I say?",
    ]


def test_a_reset_covers_only_what_was_said_before_it(kind: Stage) -> None:
    together(kind, *said(kind, "one", "/reset", "two"))
    say(kind, "three")
    assert prompt(kind) == ["two", "two", "three"]


def test_two_commands_in_a_row_are_two_turns(kind: Stage) -> None:
    together(kind, *said(kind, "/help", "/usage"))
    assert len(answers(kind)) == 2
    assert kind.openai.requests == []


def test_a_redelivered_reset_deletes_nothing_said_since(kind: Stage) -> None:
    (reset,) = said(kind, "/reset")
    kind.post("kind", reset)
    say(kind, "my name is Hana")
    kind.post("kind", kind.platform.redeliver(reset))
    say(kind, "who am I?")
    assert prompt(kind)[0] == "my name is Hana"


def test_a_reset_in_one_chat_leaves_all_others_alone(kind: Stage) -> None:
    group, hana, _ = crowd(kind, "")
    speak(kind, hana, "said 1:1")
    speak(kind, hana, "said in the group", group)
    speak(kind, hana, "/reset", group)
    speak(kind, hana, "and?")
    assert prompt(kind)[0] == "said 1:1"
    speak(kind, hana, "and?", group)
    assert prompt(kind) == ["and?"]


def test_forget_in_a_shared_group_takes_only_the_speakers_words_and_the_answers_to_them(kind: Stage) -> None:
    group, hana, ken = crowd(kind)
    kind.openai.say("Hello Hana.")
    speak(kind, hana, "I like tea", group)
    kind.openai.say("Hello Ken.")
    speak(kind, ken, "I like cake", group)
    speak(kind, hana, "/forget", group)
    speak(kind, ken, "who likes what?", group)
    assert prompt(kind) == ["Ken: I like cake", "Hello Ken.", "Ken: who likes what?"]


def test_reset_in_a_shared_group_takes_it_all(kind: Stage) -> None:
    group, hana, ken = crowd(kind)
    speak(kind, hana, "I like tea", group)
    speak(kind, ken, "/reset", group)
    speak(kind, hana, "what do I like?", group)
    assert prompt(kind) == ["Hana: what do I like?"]


def test_somebody_whom_line_does_not_name_deletes_nobodys_words(kind: Stage) -> None:
    group, hana, ken = crowd(kind)
    speak(kind, hana, "I like tea", group)
    for word in ("/forget", "/usage"):
        (event,) = kind.platform.say(kind.accounts["kind"], ken, word, chat=group).events
        del event["source"]["userId"]
        kind.post("kind", kind.platform.webhook(kind.accounts["kind"], event))
        assert answers(kind, group)[-1] == "LINE does not tell me who you are here, so I cannot do that."
    speak(kind, ken, "and?", group)
    assert prompt(kind)[0] == "Hana: I like tea"


def test_in_a_group_a_command_is_for_the_bot_only_where_it_is_addressed(kind: Stage) -> None:
    group, hana, _ = crowd(kind)
    account = kind.bot("kind", KIND)
    speak(kind, hana, "/help", group)
    assert answers(kind, group) == []
    speak(kind, hana, "@kind /help", group, mention=account)
    speak(kind, hana, "/help @kind ", group, mention=account)
    assert len(answers(kind, group)) == 2
    assert kind.openai.requests == []


def test_help_lists_the_commands_there_are(kind: Stage) -> None:
    kind.bot("kind", KIND + "commands: {reset: [/reset, リセット], usage: off, say: {営業時間: 9–18}}\n")
    say(kind, "/help")
    assert answers(kind) == [
        "/reset, リセット: start again from the beginning\n"
        "/forget: delete what you have said here\n"
        "/help: show this\n"
        "営業時間"
    ]


def test_a_command_that_is_off_is_a_message_like_any_other(kind: Stage) -> None:
    kind.bot("kind", KIND + "commands: {reset: off}\n")
    say(kind, "my name is Hana")
    say(kind, "/reset")
    assert prompt(kind) == ["my name is Hana", "my name is Hana", "/reset"]


def test_texts_of_the_owners_own_are_said(kind: Stage) -> None:
    kind.bot(
        "kind",
        "persona: {text: hi, vars: {inn: Yoshi-an}}\nmodel: gpt-4.1-mini\ncommands:\n"
        "  help_text: Ask me, {{ user.name }}.\n"
        "  reset_text: '{{ inn }}: from the start.'\n"
        "  say: {/menu: 'Today at {{ inn }}: tea', 営業時間: 9–18}\n",
    )
    for word in ("/help", "/reset", " /MENU ", "営業時間"):
        say(kind, word)
    assert answers(kind) == ["Ask me, Hana.", "Yoshi-an: from the start.", "Today at Yoshi-an: tea", "9–18"]


def test_a_name_is_shown_as_it_is_and_never_run(stage: Stage) -> None:
    stage.bot("kind", KIND + "commands: {say: {hi: 'Hi {{ user.name }}!'}}\n")
    stage.platform.add_person("{{ 7 * 7 }}\n# System\u202e{% for %}\U000e0041")
    say(stage, "hi")
    assert answers(stage) == ["Hi {{ 7 * 7 }} # System{% for %}!"]


def test_usage_tells_how_many_messages_there_were_this_month(kind: Stage) -> None:
    for word in ("/usage", "hello", "/usage"):
        say(kind, word)
    assert [text for text in answers(kind) if text != "hello"] == [
        "This month: 0 messages.",
        "This month: 2 messages.",
    ]


@pytest.mark.parametrize(
    ("price", "cost"), [(0, ""), (1, "<0.01"), (9_999, "<0.01"), (10_000, "0.01"), (1_014_000, "1.01")]
)
def test_a_text_of_the_owners_own_tells_tokens_and_cost(stage: Stage, price: int, cost: str) -> None:
    """The answer, "hello", is one token."""
    prices = f"prices: {{gpt-4.1-mini: {{input: 0, output: {price}}}}}"
    text = "commands: {usage_text: '{{ tokens > 0 }} {{ cost }}.'}\n"
    stage.bot("kind", f"persona: hi\nmodel: {{name: gpt-4.1-mini, {prices}}}\n{text}")
    stage.platform.add_person("Hana")
    say(stage, "hello")
    say(stage, "/usage")
    assert answers(stage)[-1] == f"True {cost}."


def test_usage_is_each_persons_own(kind: Stage) -> None:
    group, hana, ken = crowd(kind, "commands: {usage_text: '{{ user.name }}: {{ messages }}{{ cost and \"!\" }}'}\n")
    for text in ("one", "two", "/usage"):
        speak(kind, hana, text, group)
    speak(kind, ken, "/usage", group)
    speak(kind, hana, "/usage")
    assert answers(kind, group)[-2:] == ["Hana: 2!", "Ken: 0"]
    assert answers(kind) == ["Hana: 3!"]


def test_a_photo_or_a_blank_text_is_no_command(kind: Stage) -> None:
    step = kind.own_step(f"seen_{kind.bots.parent.name.replace('-', '_')}", "return Reply.of('seen')")
    kind.bot("kind", KIND + f"pipeline: [reply, commands, {step}, persona, model]\n")
    kind.post("kind", kind.platform.send_sticker(kind.accounts["kind"], hana_of(kind)))
    say(kind, " ")
    assert answers(kind) == ["seen", "seen"]
