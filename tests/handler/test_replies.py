"""What is shown of an answer: its form, what is quoted, and what LINE shows meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import pytest

from botkit.line.text import utf16_length
from botkit.messages import Chat, Content
from botkit.simulator.chats import Account, Person, Utterance
from botkit.simulator.wire import Delivery
from tests.line.facts import fact
from tests.support.stage import Stage

KIND = "persona: You are kind.\nmodel: gpt-4.1-mini\n"
PATIENCE = 20.0
SORRY = "Sorry, something went wrong. Please try again."


@pytest.fixture
def hana(stage: Stage) -> Person:
    return stage.platform.add_person("Hana")


def answers(stage: Stage, who: Person, words: str, options: str = "") -> tuple[Utterance, ...]:
    """How a bot with these options of `reply` shows what the model answers to somebody's message."""
    account = stage.bot("kind", KIND + f"reply: {{{options}}}\n")
    stage.openai.say(words)
    stage.post("kind", stage.platform.say(account, who, "hi"))
    return stage.platform.chat(account, who).answers


def loading(stage: Stage) -> list[int]:
    return [call.body["loadingSeconds"] for call in stage.platform.calls_of("loading")]


# ---------------------------------------------------------------- form

ANSWER = """\
# Rooms
See [the **map**](https://example.com/a_b).

| Room | Price |
|---|---|
| Plum | 100 |

```
open()
```
"""


def test_marks_are_taken_out_of_what_the_model_writes(stage: Stage, hana: Person) -> None:
    (answer,) = answers(stage, hana, ANSWER)
    assert answer.text == "Rooms\n\nSee the map: https://example.com/a_b.\n\nRoom: Price\nPlum: 100\n\nopen()"


def test_tables_and_code_are_flex_messages_where_the_bot_wants_them(stage: Stage, hana: Person) -> None:
    shown = answers(stage, hana, ANSWER, "markdown: flex")
    assert [(one.message["type"], one.text) for one in shown] == [
        ("text", "Rooms\n\nSee the map: https://example.com/a_b."),
        ("flex", "Room: Price\nPlum: 100"),
        ("flex", "open()"),
    ]


def test_markdown_is_left_alone_where_the_bot_wants_it(stage: Stage, hana: Person) -> None:
    (answer,) = answers(stage, hana, ANSWER, "markdown: raw")
    assert answer.text == ANSWER.strip()


@pytest.mark.parametrize("markdown", ["plain", "flex"])
def test_the_model_remembers_what_was_shown(stage: Stage, hana: Person, markdown: str) -> None:
    answers(stage, hana, ANSWER, f"markdown: {markdown}")
    answers(stage, hana, "fine", f"markdown: {markdown}")
    (said,) = [message["content"] for message in stage.prompts()[-1] if message["role"] == "assistant"]
    assert said == "Rooms\n\nSee the map: https://example.com/a_b.\n\nRoom: Price\nPlum: 100\n\nopen()"


def test_what_no_model_has_written_is_not_taken_for_markdown(stage: Stage, hana: Person) -> None:
    entry = stage.own_step("replies_literal", 'return Reply.of("# 2 *stars*")')
    account = stage.bot("kind", KIND + f"pipeline: [reply, {entry}, persona, model]\n")
    stage.post("kind", stage.platform.say(account, hana, "hi"))
    assert stage.platform.chat(account, hana).texts == ["# 2 *stars*"]


HOSTILE = {
    "60 KB": "All *work* and no [play](https://example.com/a_b). " * 1200,
    "empty": "",
    "white space": " \n\t\u3000\n",
    "control characters": "\x00\x1b\x07\x7f\u0085",
    "a lone mark": "#",
    "bidi and tags": "pay \u202e100\u202c \u2066now\u2069" + "".join(chr(0xE0000 + ord(char)) for char in "or else"),
    "only bidi and tags": "\u202e\u2066\U000e0041\U000e007f",
    "a table of 40 columns": "|".join(f"column {n}" for n in range(40))
    + "\n"
    + "-|" * 40
    + "\n"
    + "x|" * 40
    + "\n"
    + "y|" * 40,
    "20 KB of code": "Look:\n```python\n" + "print('hello, world')\n" * 950 + "```\nDone.",
    "emoji": "👨‍👩‍👧‍👦" * 545,
    "an open fence": "```",
    "many tables": ("|a|b|\n|-|-|\n|c|d|\n\nand\n\n" * 30),
    "deep quotes": "> " * 200 + "here",
}
UNSAID = ("empty", "white space", "control characters", "only bidi and tags")


@pytest.mark.parametrize("markdown", ["plain", "flex", "raw"])
@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_the_model_says_is_answered_within_lines_limits(
    stage: Stage, hana: Person, name: str, markdown: str
) -> None:
    shown = answers(stage, hana, HOSTILE[name], f"markdown: {markdown}")
    # The platform refuses what breaks LINE's rules; one call, and no error text, says that there was no need.
    assert [call.status for call in stage.platform.calls_of("reply")] == [200]
    assert 1 <= len(shown) <= 5
    assert all(one.text.strip() and utf16_length(one.text) <= 5000 for one in shown)
    assert ([one.text for one in shown] == [SORRY]) is (name in UNSAID)
    assert not {char for one in shown for char in one.text} & set("\x00\x1b\u202e\u2066\U000e0041\U000e006f")


@pytest.mark.parametrize("markdown", ["plain", "flex", "raw"])
def test_code_of_many_kilobytes_loses_nothing(stage: Stage, hana: Person, markdown: str) -> None:
    shown = answers(stage, hana, HOSTILE["20 KB of code"], f"markdown: {markdown}")
    assert sum(one.text.count("print('hello, world')") for one in shown) == 950
    assert all(
        line in ("print('hello, world')", "Look:", "Done.", "", "```python", "```")
        for one in shown
        for line in one.text.split("\n")
    )


@pytest.mark.parametrize("markdown", ["plain", "flex", "raw"])
def test_no_family_is_torn_apart(stage: Stage, hana: Person, markdown: str) -> None:
    shown = answers(stage, hana, HOSTILE["emoji"], f"markdown: {markdown}")
    assert [len(one.text) % len("👨‍👩‍👧‍👦") for one in shown] == [0, 0]
    assert "".join(one.text for one in shown) == HOSTILE["emoji"]


# ---------------------------------------------------------------- quotes


@pytest.fixture
def group(stage: Stage, hana: Person) -> Chat:
    return stage.platform.add_group(hana, stage.platform.add_person("Ken"))


def quoted(stage: Stage, hana: Person, group: Chat, options: str = "") -> list[str | None]:
    """The quote tokens of the answer to the second of two messages, the first being that of the message."""
    account = stage.bot("kind", KIND + f"groups: {{answer: always}}\nreply: {{{options}}}\n")
    stage.post("kind", stage.platform.join(account, group))
    stage.openai.say("word " * 1500)
    said = [stage.platform.say(account, hana, text, chat=group) for text in ("one", "two")]
    stage.post("kind", stage.platform.bundle(*said))
    tokens = [one.message.get("quoteToken") for one in stage.platform.chat(account, group).answers]
    return [said[1].event["message"]["quoteToken"], *tokens]


def test_in_a_group_the_answer_quotes_the_last_message_it_answers(stage: Stage, hana: Person, group: Chat) -> None:
    theirs, first, second = quoted(stage, hana, group)
    assert first == theirs
    assert second is None


def test_nothing_is_quoted_where_the_bot_is_not_to(stage: Stage, hana: Person, group: Chat) -> None:
    assert quoted(stage, hana, group, "quote: false")[1:] == [None, None]


def test_an_answer_whose_quote_line_refuses_is_shown_without_it(stage: Stage, hana: Person, group: Chat) -> None:
    account = stage.bot("kind", KIND + "groups: {answer: always}\n")
    stage.post("kind", stage.platform.join(account, group))
    for endpoint in ("reply", "push"):
        stage.platform.troubles.refuse(endpoint, 400, "Invalid quote token")
    for text in ("one", "two"):
        stage.post("kind", stage.platform.say(account, hana, text, chat=group))
    answers = stage.platform.chat(account, group).answers
    assert [(one.text, "quoteToken" in one.message) for one in answers] == [("one", False), ("two", True)]


def test_a_room_is_like_a_group(stage: Stage, hana: Person) -> None:
    theirs, first, _ = quoted(stage, hana, stage.platform.add_room(hana))
    assert first == theirs


def test_nothing_is_quoted_in_a_1_1_chat(stage: Stage, hana: Person) -> None:
    (answer,) = answers(stage, hana, "hello", "quote: true")
    assert "quoteToken" not in answer.message


def test_an_answer_with_flex_first_quotes_with_its_first_text(stage: Stage, hana: Person, group: Chat) -> None:
    account = stage.bot("kind", KIND + "groups: {answer: always}\nreply: {markdown: flex}\n")
    stage.post("kind", stage.platform.join(account, group))
    stage.openai.say("|a|b|\n|-|-|\n|c|d|\n\nDone.")
    stage.post("kind", stage.platform.say(account, hana, "hi", chat=group))
    shown = stage.platform.chat(account, group).answers
    assert [(one.message["type"], "quoteToken" in one.message) for one in shown] == [("flex", False), ("text", True)]


# ---------------------------------------------------------------- what LINE shows meanwhile

SILENT = "call_next(turn); return Reply()"
SLOW = """\
import time
turn.services.clock.sleep(600)
while not turn.is_slow:
    time.sleep(0.001)
return Reply.of("Nice.")
"""


def posted_slowly(stage: Stage, delivery: Delivery) -> None:
    """Post a webhook whose turn lasts until an animation was asked for."""
    stage.openai.hang()
    stage.restart(on_lines_clock=True)
    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(stage.post, "kind", delivery)
        assert stage.openai.wait_for_request(PATIENCE)
        stage.platform.clock.sleep(600)
        give_up = monotonic() + PATIENCE
        while not loading(stage):
            sleep(0.001)
            assert monotonic() < give_up
        stage.openai.release()
        posting.result(PATIENCE)


def silent(stage: Stage, module: str) -> Account:
    """A bot that asks the model, and says nothing."""
    entry = stage.own_step(module, SILENT)
    return stage.bot("kind", KIND + f"pipeline: [reply, {entry}, persona, model]\n")


def test_the_animation_shows_while_the_model_takes_its_time(stage: Stage, hana: Person) -> None:
    account = stage.bot("kind", KIND)
    posted_slowly(stage, stage.platform.say(account, hana, "hi"))
    assert loading(stage) == [60]
    assert stage.platform.chat(account, hana).loading_until is None
    assert stage.platform.chat(account, hana).texts == ["hi"]


def test_an_answer_that_is_there_at_once_needs_no_animation(stage: Stage, hana: Person) -> None:
    stage.bot("kind", KIND)
    stage.restart(on_lines_clock=True)
    answers(stage, hana, "hello")
    assert loading(stage) == []


def test_the_animation_of_a_turn_that_says_nothing_ends_soon(stage: Stage, hana: Person) -> None:
    account = silent(stage, "replies_silent")
    posted_slowly(stage, stage.platform.say(account, hana, "hi"))
    assert loading(stage) == [60, 5]
    assert stage.platform.chat(account, hana).loading_until is not None
    stage.platform.clock.sleep(6_000)
    assert stage.platform.chat(account, hana).loading_until is None


def test_an_animation_that_line_refused_is_not_ended(stage: Stage, hana: Person) -> None:
    account = silent(stage, "replies_refused")
    stage.platform.troubles.refuse("loading", 500)
    posted_slowly(stage, stage.platform.say(account, hana, "hi"))
    assert loading(stage) == [60]


def test_a_photo_too_starts_the_animation_and_a_follow_does_not(stage: Stage, hana: Person) -> None:
    entry = stage.own_step("replies_photo", SLOW)
    account = stage.bot("kind", KIND + f"pipeline: [reply, {entry}, persona, model]\n")
    stage.restart(on_lines_clock=True)
    stage.post("kind", stage.platform.follow(account, hana))
    assert loading(stage) == []
    stage.post("kind", stage.platform.send_media(account, hana, "image", Content(b"png", "image/png")))
    assert loading(stage) == [60]


def test_there_is_no_animation_in_a_group(stage: Stage, hana: Person, group: Chat) -> None:
    entry = stage.own_step("replies_group", SLOW)
    account = stage.bot(
        "kind", KIND + f"groups: {{answer: always}}\npipeline: [reply, groups, {entry}, persona, model]\n"
    )
    stage.restart(on_lines_clock=True)
    stage.post("kind", stage.platform.join(account, group))
    stage.post("kind", stage.platform.say(account, hana, "hi", chat=group))
    assert stage.platform.chat(account, group).texts == ["Nice.", "Nice."]
    assert loading(stage) == []


def test_there_is_no_animation_where_it_is_off(stage: Stage, hana: Person) -> None:
    entry = stage.own_step("replies_off", SLOW)
    account = stage.bot("kind", KIND + f"reply: {{loading: false}}\npipeline: [reply, {entry}, persona, model]\n")
    stage.restart(on_lines_clock=True)
    stage.post("kind", stage.platform.say(account, hana, "hi"))
    assert stage.platform.chat(account, hana).texts == ["Nice."]
    assert loading(stage) == []


@pytest.mark.parametrize(
    ("option", "marks"), [("mark_as_read: true", True), ("mark_as_read: false", False), ("", False)]
)
def test_messages_are_marked_as_read_where_the_bot_is_to(stage: Stage, hana: Person, option: str, marks: bool) -> None:
    account = stage.bot("kind", KIND + f"reply: {{{option}}}\n")
    said = stage.platform.say(account, hana, "hi")
    stage.post("kind", said)
    tokens = [call.body["markAsReadToken"] for call in stage.platform.calls_of("mark_as_read")]
    assert tokens == [said.event["message"]["markAsReadToken"]] * marks


def test_what_has_no_read_token_is_not_marked(stage: Stage, hana: Person) -> None:
    account = stage.bot("kind", KIND + "reply: {mark_as_read: true}\n")
    stage.post("kind", stage.platform.follow(account, hana))
    assert stage.platform.calls_of("mark_as_read") == ()


def test_an_ornament_that_fails_costs_no_answer(stage: Stage, hana: Person) -> None:
    account = stage.bot("kind", KIND + "reply: {mark_as_read: true}\n")
    stage.platform.troubles.refuse("mark_as_read", 403)
    stage.platform.troubles.refuse("loading", 429)
    posted_slowly(stage, stage.platform.say(account, hana, "hello"))
    assert stage.platform.chat(account, hana).texts == ["hello"]


def test_lines_description_of_its_api_is_here() -> None:
    """Where it is, all that tests of the handler send is checked against it (see the fixture `stage`)."""
    assert fact("openapi", "messaging-api.yml").is_file()
