"""A scenario is played by the real handler on LINE's stand-in: what its people do, and what comes of it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from botkit.scenarios.file.loader import load_tests
from botkit.scenarios.own_modules import OwnModules
from botkit.scenarios.performance import Case
from botkit.scenarios.results import Result
from botkit.scenarios.running import Player

BOT = "persona: You are {{ bot.name }}. It is {{ now.strftime('%H:%M') }}.\nmodel: gpt-4.1-mini\n"
GROUP = BOT + "history: {scope: group}\ngroups: {overhear: 5}\n"

Play = Callable[..., Result]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Plays the only scenario of a test file, given less its name; `files` stand beside the bot."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bots").mkdir()

    def played(scenario: str, bot: str = BOT, files: Mapping[str, bytes] = {}) -> Result:
        for name, content in files.items():
            (tmp_path / "bots" / name).write_bytes(content)
        (tmp_path / "bots" / "desk.yaml").write_text(bot, "utf-8")
        path = tmp_path / "bots" / "desk.test.yaml"
        path.write_text("- name: it\n" + "".join(f"  {line}\n" for line in scenario.strip().splitlines()), "utf-8")
        loaded = load_tests(path)
        assert not loaded.problems
        (one,) = loaded.scenarios
        with OwnModules(path.parent).at_hand():
            return Player({}).play(Case(path.parent, one))

    return played


def failures(result: Result) -> list[tuple[str, str]]:
    return [(one.expectation or one.fault, f"{one.place.line}") for one in result.all_failures]


def lines(result: Result) -> list[str]:
    return [f"{line.who}: {line.text}" if line.who else line.text for turn in result.turns for line in turn.lines]


def passes(result: Result) -> None:
    assert result.passed, [(one.place, one.wanted, one.came, one.detail) for one in result.all_failures]


# ---------------------------------------------------------------- what people do


def test_a_conversation_goes_on(play: Play) -> None:
    result = play(
        """
turns:
  - hana: Hello
    model: Hi, Hana!
    expect: {equals: "Hi, Hana!", via: reply, messages: 1, model_calls: 1, prompt_has: "You are desk."}
  - hana: Again
    model: Yes?
    expect: {prompt_has: ["Hello", "Hi, Hana!"], history_has: ["Hello", "Again", "Yes?"]}
"""
    )
    passes(result)
    assert lines(result) == ["hana: Hello", "desk: Hi, Hana!", "hana: Again", "desk: Yes?"]


def test_what_does_not_come_is_told_at_its_place(play: Play) -> None:
    result = play(
        """
turns:
  - hana: Hello
    model: Hi!
    expect:
      contains:
        - hi
        - welcome
      via: push
"""
    )
    assert failures(result) == [("contains", "8"), ("via", "9")]
    assert [one.place.file for one in result.all_failures] == ["bots/desk.test.yaml"] * 2


def test_it_is_the_time_that_the_scenario_says(play: Play) -> None:
    passes(
        play(
            """
at: 2026-04-01 22:30
turns:
  - hana: Hello
    model: Good evening.
    expect: {prompt_has: "It is 22:30."}
  - pause: 2h
  - hana: Still there?
    model: Yes.
    expect: {prompt_has: "It is 00:30."}
""",
            "timezone: Asia/Tokyo\n" + BOT,
        )
    )


def test_messages_in_a_row_are_one_turn_without_what_was_taken_back(play: Play) -> None:
    passes(
        play(
            """
turns:
  - hana: [One, Two, {unsend: true}, Three]
    model: All.
    expect: {messages: 1, model_calls: 1, prompt_has: [One, Three], prompt_not: Two, history_not: Two}
  - hana: {unsend: true, of: One}
    expect: {silent: true, history_not: One}
"""
        )
    )


def test_media_reach_the_bot_as_on_line(play: Play) -> None:
    passes(
        play(
            """
turns:
  - hana: {audio: When do you open?}
    model: At nine.
    expect: {prompt_has: When do you open?}
  - hana: {sticker: [hello, wave]}
    model: Hello!
    expect: {prompt_has: wave}
  - hana: {location: {title: Kyoto Station, address: Kyoto}}
    model: Near us.
    expect: {prompt_has: Kyoto Station}
  - hana: {image: photo.png}
    model: A nice photo.
    expect: {via: reply}
  - hana: {video: true}
    expect: {model_calls: 0, silent: false}
  - hana: {file: plan.pdf}
    expect: {model_calls: 0, silent: false}
""",
            files={"photo.png": b"\x89PNG\r\n\x1a\n a map"},
        )
    )


def test_a_photo_is_sent_to_the_model_as_it_is(play: Play) -> None:
    result = play(
        "turns:\n  - hana: {image: photo.png}\n    model: Nice.\n    expect: {via: reply}",
        files={"photo.png": b"\x89PNG\r\n\x1a\n the very bytes"},
    )
    passes(result)
    (request,) = result.turns[0].outcome.prompts
    assert [image.data for image in request.messages[-1].images] == [b"\x89PNG\r\n\x1a\n the very bytes"]


def test_a_group_is_talked_in_with_mentions_quotes_and_people_who_come_and_go(play: Play) -> None:
    passes(
        play(
            """
chat: {kind: group, name: Hikers}
people: {mei: メイ}
turns:
  - join: true
    expect: {contains: "Hello, Hikers"}
  - hana: Lunch?
    expect: silent
  - ken: "@desk when?"
    model: At noon.
    expect: {contains: noon, prompt_has: ["hana: Lunch?", "ken: when?"]}
  - hana: {text: Really?, quote: true}
    model: Really.
    expect: {contains: Really}
  - ken: {edit: "@desk where?", of: when}
  - come: mei
    expect: {contains: Welcome メイ}
  - mei: "@desk hi"
    model: Hi!
    expect: {prompt_has: ["where?", "メイ: hi"], prompt_not: "ken: when?"}
  - go: mei
    expect: silent
  - leave: true
    expect: silent
""",
            GROUP + 'events: {join: "Hello, {{ chat.name }}!", member_joined: "Welcome {{ members }}"}\n',
        )
    )


def test_only_who_is_there_can_speak_in_a_group(play: Play) -> None:
    result = play("chat: group\nturns:\n  - mei: Hello?\n    expect: silent\n  - come: mei\n  - mei: Hello!\n", GROUP)
    assert failures(result) == [("broken", "4")]
    assert "mei is not in this group" in result.all_failures[0].came


def test_following_blocking_and_taps(play: Play) -> None:
    passes(
        play(
            """
turns:
  - follow: hana
    expect: {contains: "Welcome, hana", quick_replies: [Menu], model_calls: 0}
  - hana: {tap: Menu}
    model: Tea and cake.
    expect: {contains: cake, prompt_has: Menu}
  - hana: {postback: menu=tea}
    expect: {contains: Tea costs 3}
  - unfollow: hana
    expect: silent
""",
            BOT
            + 'events: {follow: "Welcome, {{ user.name }}", postback: {"menu=*": Tea costs 3}}\n'
            + "reply: {quick_replies: [Menu]}\n",
        )
    )


def test_what_is_not_offered_cannot_be_tapped(play: Play) -> None:
    result = play("turns:\n  - hana: {tap: Menu}\n    expect: silent\n", BOT)
    (failure,) = result.all_failures
    assert failure.came == "there is nothing to tap with the label “Menu”; nothing is offered"


def test_a_slow_answer_waits_behind_a_button(play: Play) -> None:
    passes(
        play(
            """
turns:
  - hana: A poem, please
    model: {say: Rails hum., takes: 50s}
    expect: {via: button, messages: 1, not: Rails}
  - hana: {tap: Show the answer}
    expect: {equals: Rails hum., via: reply, model_calls: 0}
"""
        )
    )


def test_a_slow_answer_is_pushed_where_the_bot_does_that(play: Play) -> None:
    passes(
        play(
            """
turns:
  - hana: A poem, please
    model: {say: Rails hum., takes: 70s}
    expect: {equals: Rails hum., via: push}
""",
            "persona: Hi\nmodel: {name: gpt-4.1-mini, timeout: 80s}\nreply: {slow: {do: push}}\n",
        )
    )


def test_a_redelivered_webhook_is_answered_once(play: Play) -> None:
    result = play("turns:\n  - hana: Hello\n    model: Hi!\n  - redelivery: true\n    expect: silent\n")
    passes(result)
    assert lines(result) == ["hana: Hello", "desk: Hi!", "LINE sends it once more"]


def test_limits_and_memory_go_by_the_clock(play: Play) -> None:
    passes(
        play(
            """
turns:
  - hana: One
    model: 1
  - hana: Two
    expect: {contains: enough, model_calls: 0}
  - pause: 2h
  - hana: Three
    model: 3
    expect: {contains: 3, prompt_not: One}
""",
            BOT + "history: {keep: 1h}\nlimits: {user: {messages: 1/hour}, notice: That is enough.}\n",
        )
    )


def test_a_model_that_fails_gives_way_to_the_next_or_the_error_text(play: Play) -> None:
    passes(
        play(
            """
turns:
  - hana: Hello
    model: [{fails: down}, From the second.]
    expect: {contains: second, model_calls: 2}
  - hana: Hello
    model: [{fails: rate_limit}, {fails: down}]
    expect: {contains: out of order, model_calls: 2}
""",
            "persona: Hi\nmodel: {name: gpt-4.1, fallback: [gpt-4.1-mini]}\nreply: {error: I am out of order.}\n",
        )
    )


def test_what_moderation_finds_is_said_by_the_turn(play: Play) -> None:
    passes(
        play(
            """
turns:
  - hana: Something bad
    flagged: violence
    expect: {contains: Not that, model_calls: 0}
  - hana: Something good
    model: Fine.
    expect: {contains: Fine}
""",
            BOT + "moderation: {input: refuse, notice: Not that.}\n",
        )
    )


# ---------------------------------------------------------------- walls


def test_two_people_are_two_conversations(play: Play) -> None:
    passes(
        play(
            """
turns:
  - hana: My code is 4711
    model: Noted.
    expect: {history_has: "4711"}
  - ken: What is the code?
    model: I do not know.
    expect: {prompt_not: "4711", history_not: "4711"}
"""
        )
    )


def test_a_group_and_a_private_chat_are_apart(play: Play) -> None:
    passes(
        play(
            """
chat: group
turns:
  - hana: "@desk my code is 4711"
    model: Noted.
  - hana: What is my code?
    chat: user
    model: I do not know.
    expect: {prompt_not: "4711"}
""",
            GROUP,
        )
    )


def test_scenarios_share_nothing_but_the_file(play: Play, tmp_path: Path) -> None:
    play("turns:\n  - hana: My code is 4711\n    model: Noted.\n    expect: {history_has: '4711'}\n")
    passes(play("turns:\n  - hana: My code?\n    model: Unknown.\n    expect: {prompt_not: '4711'}\n"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bots"]


# ---------------------------------------------------------------- what goes wrong


def test_a_model_without_words_fails_the_scenario_with_the_cure(play: Play) -> None:
    result = play("turns:\n  - hana: Hello\n    expect: {silent: false}\n")
    assert failures(result) == [("unrecorded", "3")]
    assert "--record" in result.all_failures[0].detail


def test_a_script_that_nobody_asks_for_fails(play: Play) -> None:
    result = play("chat: group\nturns:\n  - hana: Lunch?\n    model: At noon.\n    expect: silent\n", GROUP)
    assert failures(result) == [("model", "5")]


def test_a_failing_step_of_ones_own_is_named_with_its_line(play: Play, tmp_path: Path) -> None:
    step = (
        b"from botkit import Step\n\nclass Oven(Step):\n    def __call__(self, turn, call_next):\n"
        b"        raise ValueError('the oven is cold')\n"
    )
    bot = BOT + "pipeline: [reply, {use: 'bots.oven:Oven'}, persona, model]\n"
    result = play("turns:\n  - hana: Hello\n    expect: {silent: true}\n", bot, {"oven.py": step})
    assert "broken" in dict(failures(result))
    assert result.all_failures[0].came == "ValueError: the oven is cold (bots/oven.py:5)"


def test_the_whole_conversation_is_looked_at_in_the_end(play: Play) -> None:
    result = play(
        """
turns:
  - hana: One
    model: First.
  - hana: Two
    model: Second.
expect:
  contains: [first, second]
  model_calls: 3
  tokens_below: 10
"""
    )
    assert failures(result) == [("model_calls", "9"), ("tokens_below", "10")]


def test_what_needs_a_real_model_is_left_out_offline(play: Play) -> None:
    result = play("live: true\nuser: {persona: A guest, goal: to know the time}\nexpect: {contains: o'clock}\n")
    assert result.skipped
    assert not result.passed


def test_what_is_to_be_judged_is_told_where_there_is_no_judge(play: Play) -> None:
    result = play("turns:\n  - hana: Hello\n    model: Hi!\n    expect: {judge: is polite}\n")
    passes(result)
    assert result.turns[0].unjudged == ("is polite",)


def test_a_very_slow_answer_has_its_notice_while_the_token_lives(play: Play) -> None:
    passes(
        play(
            """
turns:
  - hana: A poem, please
    model: {say: Rails hum., takes: 70s}
    expect: {via: button}
  - hana: {tap: Show the answer}
    expect: {equals: Rails hum., via: reply}
""",
            "persona: Hi\nmodel: {name: gpt-4.1-mini, timeout: 80s}\n",
        )
    )


def own_step(body: str) -> tuple[str, dict[str, bytes]]:
    """A bot with a step of its own, and the step's file; `body` is what its call does."""
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    code = "from botkit import Reply, Step\nfrom botkit.errors import StoreError\n\nclass Own(Step):\n"
    code += f"    def __call__(self, turn, call_next):\n{lines}"
    return BOT + "pipeline: [reply, {use: 'bots.own:Own'}, persona, model]\n", {"own.py": code.encode()}


def test_an_answer_that_line_refuses_fails_whatever_is_expected(play: Play) -> None:
    body = "from botkit.messages import Flex\nreturn Reply((Flex('alt', {'type': 'nothing'}),))"
    result = play("turns:\n  - hana: Hello\n    expect: {silent: true}\n", *own_step(body))
    assert failures(result) == [("broken", "3")]
    assert "LINE refused" in result.all_failures[0].came


def test_a_worker_that_gives_up_fails_whatever_is_expected(play: Play) -> None:
    result = play("turns:\n  - hana: Hello\n    expect: {silent: true}\n", *own_step("raise StoreError('gone')"))
    assert failures(result) == [("broken", "3")]
    assert "a dead letter" in result.all_failures[0].came


def test_a_step_that_ends_the_process_is_a_fault(play: Play) -> None:
    body = "raise SystemExit(3)"
    result = play("turns:\n  - hana: Hello\n    expect: {contains: sorry}\n", *own_step(body))
    assert ("broken", "3") in failures(result)
    assert result.all_failures[0].came.startswith("SystemExit: 3 (bots/own.py:")


def test_moderation_that_nobody_asks_for_fails(play: Play) -> None:
    result = play("turns:\n  - hana: Bad\n    flagged: violence\n    model: Fine.\n    expect: {contains: fine}\n")
    assert failures(result) == [("flagged", "4")]


def test_a_bot_that_is_deaf_holds_no_promise(play: Play) -> None:
    result = play("chat: group\nturns:\n  - hana: Hm\n    expect: {prompt_not: x, not: x, length: 9}\n", GROUP)
    assert sorted(failures(result)) == [("length", "5"), ("not", "5"), ("prompt_not", "5")]


def test_who_is_not_there_cannot_leave(play: Play) -> None:
    result = play("chat: group\nturns:\n  - go: ken\n    expect: silent\n  - come: ken\n", GROUP)
    assert result.all_failures[0].came == "ken cannot leave, not being in this group"
