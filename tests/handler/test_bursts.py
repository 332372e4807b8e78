"""Messages that wait together become one turn, each of them covered once; poison holds nobody up."""

from threading import Event
from typing import Any

import pytest

from botkit.messages import Chat, Content
from botkit.simulator.chats import Person
from botkit.simulator.wire import Delivery
from tests.handler.test_delivery import KIND, MINUTE, say, ways
from tests.support.stage import Stage


@pytest.fixture
def kind(any_stage: Stage) -> Stage:
    any_stage.bot("kind", KIND)
    any_stage.platform.add_person("Hana")
    return any_stage


def hana_of(stage: Stage) -> Person:
    return next(iter(stage.platform.people.values()))


def together(stage: Stage, *deliveries: Delivery) -> None:
    """All these events wait before anybody works on one of them."""
    stage.post("kind", stage.platform.bundle(*deliveries))


def said(stage: Stage, *texts: str, **where: Any) -> list[Delivery]:
    return [stage.platform.say(stage.accounts["kind"], hana_of(stage), text, **where) for text in texts]


def prompt(stage: Stage) -> list[str]:
    """What the model was asked last, without the persona."""
    return [message["content"] for message in stage.prompts()[-1]][1:]


def crowd(stage: Stage, file: str = "") -> tuple[Chat, Person]:
    """A group of Hana and Ken that shares one conversation."""
    stage.bot("kind", KIND + "groups: {answer: always}\nhistory: {scope: group}\n" + file)
    ken = stage.platform.add_person("Ken")
    group = stage.platform.add_group(hana_of(stage), ken)
    stage.post("kind", stage.platform.join(stage.accounts["kind"], group))
    return group, ken


def test_messages_sent_in_a_row_are_one_turn(kind: Stage) -> None:
    together(kind, *said(kind, "hello", "one more thing", "when is breakfast?"))
    assert prompt(kind) == ["hello", "one more thing", "when is breakfast?"]
    assert ways(kind) == [("reply", "when is breakfast?")]
    assert len(kind.openai.requests) == 1


def test_each_of_them_is_remembered_in_its_place(kind: Stage) -> None:
    together(kind, *said(kind, "one", "two"))
    say(kind, "three")
    assert prompt(kind) == ["one", "two", "two", "three"]


def test_a_message_that_comes_during_a_turn_is_answered_by_the_next_one(kind: Stage) -> None:
    def interrupt(_body: dict[str, Any]) -> str:
        say(kind, "and another")
        return "first"

    kind.openai.say(interrupt)
    say(kind, "one")
    assert prompt(kind) == ["one", "first", "and another"]
    assert [text for _, text in ways(kind)] == ["first", "and another"]


def test_twenty_messages_are_more_than_one_turn_and_none_is_lost(kind: Stage) -> None:
    together(kind, *said(kind, *(f"{n}" for n in range(20))))
    assert len(kind.openai.requests) == 2
    assert [text for _, text in ways(kind)] == ["14", "19"]


def test_the_token_whose_window_ends_last_brings_the_answer(kind: Stage) -> None:
    """The first message is redelivered, which renews its token, after the second one's has died."""
    kind.restart(on_lines_clock=True)
    token = kind.accounts["kind"].access_token
    kind.setenv("KIND_TOKEN", "")
    first, second = said(kind, "one", "two")
    together(kind, first, second)
    kind.platform.clock.sleep(2 * MINUTE)
    kind.setenv("KIND_TOKEN", token)
    kind.post("kind", kind.platform.redeliver(first))
    assert ways(kind) == [("reply", "two")]
    assert prompt(kind) == ["one", "two"]


def test_a_button_ends_the_turn(kind: Stage) -> None:
    account = kind.accounts["kind"]
    step = kind.own_step(
        f"tapped_{kind.bots.parent.name.replace('-', '_')}",
        "return call_next(turn) if turn.text else Reply.of(f'tapped {turn.event.postback}')",
    )
    kind.bot("kind", KIND + f"pipeline: [reply, {step}, persona, model]\n")
    together(kind, *said(kind, "one"), kind.platform.postback(account, hana_of(kind), "menu=1"), *said(kind, "two"))
    assert [text for _, text in ways(kind)] == ["one", "tapped menu=1", "two"]


def test_two_people_in_one_conversation_each_get_an_answer(kind: Stage) -> None:
    group, ken = crowd(kind)
    account = kind.accounts["kind"]
    together(
        kind,
        *said(kind, "mine?", chat=group),
        kind.platform.say(account, ken, "and mine?", chat=group),
        kind.platform.say(account, ken, "please", chat=group),
    )
    assert len(kind.openai.requests) == 2
    assert [message["content"] for message in kind.prompts()[0]][1:] == ["Hana: mine?"]
    assert prompt(kind)[-2:] == ["Ken: and mine?", "Ken: please"]


def test_of_a_burst_in_a_group_only_what_addresses_the_bot_is_asked(kind: Stage) -> None:
    group, _ = crowd(kind, "")
    account = kind.accounts["kind"]
    kind.bot("kind", KIND + "history: {scope: group}\n")
    mentioned = kind.platform.say(account, hana_of(kind), "@kind when?", chat=group, mention=account)
    together(kind, *said(kind, "lunch?", chat=group), mentioned)
    assert prompt(kind) == ["Hana: when?"]
    assert len(kind.platform.calls_of("reply")) == 1


def test_photos_sent_together_are_one_turn(kind: Stage) -> None:
    step = kind.own_step(f"photos_{kind.bots.parent.name.replace('-', '_')}", "return Reply.of('nice')")
    kind.bot("kind", KIND + f"pipeline: [reply, {step}, persona, model]\n")
    kind.restart(on_lines_clock=True)
    photos = [photo(kind, index, total=3) for index in (2, 1)]
    together(kind, *photos)
    assert ways(kind) == [("reply", "nice")]


def photo(stage: Stage, index: int, total: int) -> Delivery:
    account = stage.accounts["kind"]
    delivery = stage.platform.send_media(account, hana_of(stage), "image", Content(b"png", "image/png"))
    (event,) = delivery.events
    event["message"]["imageSet"] = {"id": "set1", "index": index, "total": total}
    return stage.platform.webhook(account, event)


# ---------------------------------------------------------------- poison


class Fatal:
    """An invocation without the time for a turn that hangs."""

    def get_remaining_time_in_millis(self) -> int:
        return 12_000


POISON = (
    "from botkit.errors import OutOfTime\n"
    "if 'poison' in turn.text:\n"
    "    raise OutOfTime('hangs')\n"
    "return call_next(turn)"
)


def poisoned(stage: Stage) -> None:
    """A bot that comes to no end where a message holds the word poison."""
    step = stage.own_step(f"poison_{stage.bots.parent.name.replace('-', '_')}", POISON)
    stage.bot("kind", KIND + f"pipeline: [reply, {step}, history, persona, model]\n")
    stage.restart(on_lines_clock=True)


def test_a_poison_message_gets_the_error_text_after_six_attempts(kind: Stage) -> None:
    poisoned(kind)
    say(kind, "poison")
    for _ in range(5):
        assert ways(kind) == []
        kind.sweep(after=MINUTE)
    kind.sweep(after=MINUTE)
    assert [text for _, text in ways(kind)] == ["Sorry!"]
    assert kind.sweep(after=MINUTE) == {"swept": 0}
    assert kind.openai.requests == []


def test_a_poison_message_does_not_hold_up_those_behind_it(kind: Stage) -> None:
    poisoned(kind)
    say(kind, "poison")
    say(kind, "hello")
    assert [text for _, text in ways(kind)] == ["hello"]


def test_what_was_sent_together_with_poison_is_answered_by_itself(kind: Stage) -> None:
    poisoned(kind)
    together(kind, *said(kind, "hello", "poison", "are you there?"))
    for _ in range(3):
        kind.sweep(after=MINUTE)
    assert [text for _, text in ways(kind)] == ["hello", "are you there?"]


def test_a_turn_that_hangs_does_not_take_its_worker_down(kind: Stage) -> None:
    """The step never returns in time; the event waits for the next worker, and the conversation is free."""
    step = kind.own_step(
        f"hang_{kind.bots.parent.name.replace('-', '_')}",
        "if turn.services.clock.now() < turn.event.at + 12_000:\n"
        "    turn.services.clock.sleep(20_000)\n"
        "return call_next(turn)",
    )
    kind.bot("kind", KIND + f"pipeline: [reply, {step}, persona, model]\n")
    kind.restart(on_lines_clock=True)
    kind.context = Fatal()
    say(kind, "hi")
    kind.context = None
    kind.sweep(after=MINUTE)
    assert [text for _, text in ways(kind)] == ["hi"]


def test_turns_that_hang_for_ever_take_no_place_from_others(kind: Stage) -> None:
    """More of them than any pool would have threads; another bot goes on."""
    released = Event()
    HANGING[kind.bots.parent.name] = released
    step = kind.own_step(
        f"forever_{kind.bots.parent.name.replace('-', '_')}",
        "import sys\n"
        "turn.services.clock.sleep(20_000)\n"
        f"sys.modules['tests.handler.test_bursts'].HANGING[{kind.bots.parent.name!r}].wait(30)\n"
        "return Reply()",
    )
    kind.bot("stuck", KIND + f"pipeline: [reply, {step}, persona, model]\n")
    kind.bot("kind", KIND)
    kind.restart(on_lines_clock=True)
    kind.context = Fatal()
    account = kind.accounts["stuck"]
    crowd_of = [kind.platform.say(account, kind.platform.add_person(f"P{n}"), "hi") for n in range(70)]
    kind.post("stuck", kind.platform.bundle(*crowd_of))
    kind.context = None
    kind.post("kind", *said(kind, "are you there?"))
    released.set()
    assert [text for _, text in ways_of(kind)] == ["are you there?"]


HANGING: dict[str, Event] = {}


def ways_of(stage: Stage) -> list[tuple[str, str]]:
    return [(one.via, one.text) for one in stage.platform.chat(stage.accounts["kind"], hana_of(stage)).answers]
