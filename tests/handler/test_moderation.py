"""What is said, and what is answered, is judged: what is withheld goes nowhere and is not remembered."""

import pytest

from botkit.messages import Content
from botkit.simulator.chats import Person
from botkit.simulator.wire import Delivery
from tests.handler.test_delivery import ways
from tests.support.stage import Stage

KIND = "persona: You are kind.\nmodel: gpt-4.1-mini\nreply: {error: Sorry!}\n"
INPUT, OUTPUT = "moderation: {input: refuse}\n", "moderation: {output: refuse}\n"
NOTICE = "I cannot talk about that."
JPEG = b"\xff\xd8\xff\xe0 "


def with_file(stage: Stage, more: str = "") -> Stage:
    stage.bot("kind", KIND + more)
    if not stage.platform.people:
        stage.platform.add_person("Hana")
    stage.openai.banned = {"bomb"}
    return stage


@pytest.fixture
def careful(stage: Stage) -> Stage:
    """A bot that judges what people say."""
    return with_file(stage, INPUT)


@pytest.fixture
def decent(stage: Stage) -> Stage:
    """A bot that judges what it says itself."""
    return with_file(stage, OUTPUT)


def hana_of(stage: Stage) -> Person:
    return next(iter(stage.platform.people.values()))


def text(stage: Stage, words: str) -> Delivery:
    return stage.platform.say(stage.accounts["kind"], hana_of(stage), words)


def say(stage: Stage, words: str) -> Delivery:
    delivery = text(stage, words)
    stage.post("kind", delivery)
    return delivery


def photos(stage: Stage, *captions: bytes) -> list[Delivery]:
    contents = [Content(JPEG + caption, "image/jpeg") for caption in captions]
    return stage.platform.send_photos(stage.accounts["kind"], hana_of(stage), *contents)


def answers(stage: Stage) -> list[str]:
    return [text for _, text in ways(stage)]


def asked(stage: Stage) -> list[object]:
    return [message["content"] for message in stage.prompts()[-1]][1:]


# ---------------------------------------------------------------- what is not said to the bot


def test_what_was_said_to_others_is_judged_before_the_model_reads_it(stage: Stage) -> None:
    with_file(stage, INPUT + "history: {scope: group}\ngroups: {overhear: 5}\n")
    account, hana = stage.accounts["kind"], hana_of(stage)
    group = stage.platform.add_group(hana)
    stage.post("kind", stage.platform.join(account, group))
    for words in ("how to build a bomb?", "@kind please answer what I asked"):
        mention = [account] if "@kind" in words else []
        stage.post("kind", stage.platform.say(account, hana, words, chat=group, mention=mention))
    assert asked(stage) == ["Hana: please answer what I asked"]


def test_an_edit_which_nobody_judges_does_not_reach_the_model(stage: Stage) -> None:
    with_file(stage, INPUT + "history: {scope: group}\ngroups: {answer: always}\n")
    account, hana = stage.accounts["kind"], hana_of(stage)
    group = stage.platform.add_group(hana)
    stage.post("kind", stage.platform.join(account, group))
    said = stage.platform.say(account, hana, "fine", chat=group)
    stage.post("kind", said)
    stage.post("kind", stage.platform.edit(account, hana, said.message_id, "a bomb", chat=group))
    stage.post("kind", stage.platform.say(account, hana, "and?", chat=group))
    assert asked(stage) == ["Hana: (edited)", "Hana: fine", "Hana: and?"]


# ---------------------------------------------------------------- off


def test_by_default_nobody_is_asked(stage: Stage) -> None:
    with_file(stage)
    say(stage, "a bomb")
    assert answers(stage) == ["a bomb"]
    assert stage.openai.judged == []


def test_off_is_a_word(stage: Stage) -> None:
    with_file(stage, "moderation: {input: off, output: off}\n")
    say(stage, "a bomb")
    assert answers(stage) == ["a bomb"]


# ---------------------------------------------------------------- what is said


def test_what_is_harmless_goes_on(careful: Stage) -> None:
    say(careful, "hi")
    assert answers(careful) == ["hi"]
    assert [seen.body for seen in careful.openai.judged] == [
        {"model": "omni-moderation-latest", "input": ["hi"]},
    ]


def test_what_is_found_is_answered_with_the_notice_and_the_model_not_asked(careful: Stage) -> None:
    say(careful, "how to build a bomb")
    assert answers(careful) == [NOTICE]
    assert careful.openai.requests == []


def test_it_is_not_remembered(careful: Stage) -> None:
    say(careful, "how to build a bomb")
    say(careful, "hi")
    assert asked(careful) == ["hi"]


def test_nor_where_history_stands_before_it(stage: Stage) -> None:
    with_file(stage, INPUT + "pipeline: [reply, history, moderation, persona, model]\n")
    say(stage, "how to build a bomb")
    say(stage, "hi")
    assert asked(stage) == ["hi"]


def test_the_story_names_what_was_found_and_not_what_was_said(careful: Stage) -> None:
    careful.restart(on_lines_clock=True)
    careful.openai.find("violence", "illicit/violent")
    delivery = say(careful, "how to build it")
    story = careful.handler.services.store.record(
        "kind", delivery.event["webhookEventId"], careful.platform.clock.now()
    )  # type: ignore[union-attr]
    told = "\n".join(note.text for note in story.notes)
    assert "what was said is withheld: illicit/violent, violence" in told
    assert "build" not in told


def test_one_message_of_several_is_enough(careful: Stage) -> None:
    careful.post("kind", careful.platform.bundle(text(careful, "hi"), text(careful, "a bomb"), text(careful, "thanks")))
    assert answers(careful) == [NOTICE]


def test_a_voice_message_is_judged_by_its_words(careful: Stage) -> None:
    careful.openai.hear("how to build a bomb")
    voice = Content(b"\x00\x00\x00\x1cftypM4A", "audio/x-m4a")
    account = careful.accounts["kind"]
    careful.post("kind", careful.platform.send_media(account, hana_of(careful), "audio", voice))
    assert answers(careful) == [NOTICE]


def test_every_photo_is_judged(careful: Stage) -> None:
    careful.post("kind", careful.platform.bundle(*photos(careful, b"a cat", b"a dog", b"a bomb")))
    assert answers(careful) == [NOTICE]
    assert careful.openai.requests == []
    assert len(careful.openai.judged) == 3  # OpenAI takes one photo a request


def test_harmless_photos_are_seen(careful: Stage) -> None:
    careful.post("kind", careful.platform.bundle(*photos(careful, b"a cat", b"a dog"), text(careful, "nice?")))
    assert answers(careful) == ["nice?"]
    first = max(careful.openai.judged, key=lambda seen: len(seen.body["input"]))
    assert first.body["input"][0] == {"type": "text", "text": "(photo)\n(photo)\nnice?"}


def test_a_model_that_judges_words_alone_is_sent_no_photos(stage: Stage) -> None:
    with_file(stage, "moderation: {input: refuse, model: text-moderation-latest}\n")
    stage.post("kind", stage.platform.bundle(*photos(stage, b"a cat", b"a bomb")))
    assert [seen.body["input"] for seen in stage.openai.judged] == [["(photo)\n(photo)"]]
    assert len(stage.openai.requests) == 1


# ---------------------------------------------------------------- what is answered


def test_a_harmless_answer_is_given(decent: Stage) -> None:
    decent.openai.say("Good morning!")
    say(decent, "hi")
    assert answers(decent) == ["Good morning!"]


def test_an_answer_that_is_found_is_withheld_and_forgotten(decent: Stage) -> None:
    decent.openai.say("Take a bomb and")
    say(decent, "hi")
    say(decent, "go on")
    assert answers(decent)[0] == NOTICE
    assert asked(decent) == ["hi", NOTICE, "go on"]


def test_what_people_say_is_not_judged_then(decent: Stage) -> None:
    decent.openai.say("No.")
    say(decent, "a bomb")
    assert answers(decent) == ["No."]


def test_the_notice_is_the_files(stage: Stage) -> None:
    with_file(stage, "moderation: {input: refuse, output: refuse, notice: お答えできません。}\n")
    say(stage, "a bomb")
    stage.openai.say("a bomb")
    say(stage, "hi")
    assert answers(stage) == ["お答えできません。"] * 2


def test_silence_is_not_judged(stage: Stage) -> None:
    silent = stage.own_step("silent_answer", "return Reply()")
    with_file(stage, OUTPUT + f"pipeline: [reply, moderation, {silent}, persona, model]\n")
    say(stage, "hi")
    assert answers(stage) == []
    assert stage.openai.judged == []


# ---------------------------------------------------------------- no judgement, no answer


@pytest.mark.parametrize("more", [INPUT, OUTPUT])
def test_where_nobody_judges_nothing_passes(stage: Stage, more: str) -> None:
    with_file(stage, more).restart(on_lines_clock=True)
    for _ in range(3):
        stage.openai.fail(503, at="moderation")
    say(stage, "hi")
    assert answers(stage) == ["Sorry!"]


@pytest.mark.parametrize("more", [INPUT, OUTPUT])
@pytest.mark.parametrize("body", [{}, {"results": []}, {"results": [{"categories": {}}]}, [], "<html>"])
def test_what_is_no_judgement_lets_nothing_pass(stage: Stage, more: str, body: object) -> None:
    with_file(stage, more)
    stage.openai.send(200, body, at="moderation")
    say(stage, "hi")
    assert answers(stage) == ["Sorry!"]


def test_one_photo_that_cannot_be_judged_lets_none_pass(careful: Stage) -> None:
    careful.openai.fail(400, at="moderation")
    careful.post("kind", careful.platform.bundle(*photos(careful, b"a cat", b"a dog")))
    assert answers(careful) == ["Sorry!"]
    assert careful.openai.requests == []


def test_an_unknown_judge_is_told_to_the_owner(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    with_file(stage, "moderation: {input: refuse, model: judge-9}\n")
    say(stage, "hi")
    assert answers(stage) == ["Sorry!"]
    assert "knows no model 'judge-9', or has no moderations at this address: check moderation.model" in caplog.text


def test_another_endpoint_judges(stage: Stage) -> None:
    with_file(stage, f"moderation: {{input: refuse, base_url: '{stage.openai.url}'}}\n")
    stage.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    say(stage, "a bomb")
    assert answers(stage) == [NOTICE]
