"""How a failed scenario looks: like a chat, on any terminal, whatever is said in it."""

from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from botkit.cli.scenarios.view import WIDEST, show_failed
from botkit.scenarios.results import Failure, Fault, Line, Outcome, Result, TurnResult
from botkit.spec.document import Place

PLACE = Place("bots/inn.test.yaml", 7, 9)


def failure(fault: Fault = "unmet", wanted: str = "an answer with “three”", **more: str) -> Failure:
    return Failure(fault, PLACE, wanted, more.pop("came", "the answer was “four”"), **more)


def turn(*lines: Line, number: int = 1, failures: tuple[Failure, ...] = (), notes: tuple[str, ...] = ()) -> TurnResult:
    return TurnResult(number, PLACE, lines, Outcome(notes=notes), failures)


def person(text: str, who: str = "Ken") -> Line:
    return Line("person", who, text)


def bot(text: str, **more: tuple[str, ...]) -> Line:
    return Line("bot", "inn", text, "reply", **more)


def shown(*turns: TurnResult, width: int = 80, failures: tuple[Failure, ...] = (), color: bool = False) -> str:
    screen = StringIO()
    system = "truecolor" if color else None
    console = Console(
        file=screen, width=width, force_terminal=color, color_system=system, highlight=False, emoji=False, _environ={}
    )
    show_failed(console, Result("inn", "tells the time", Place("bots/inn.test.yaml", 2, 3), turns, failures))
    return screen.getvalue()


def test_people_stand_on_the_left_and_the_bot_on_the_right() -> None:
    told = shown(
        turn(person("When is check-in?"), bot("From four.", buttons=("Breakfast", "More")), failures=(failure(),))
    )
    assert told.splitlines() == [
        "✗ tells the time",
        "  bots/inn.test.yaml:2:3",
        "",
        "  Ken",
        "  │ When is check-in?",
        "                                                                replied · inn",
        "                                                                  From four. │",
        "                                                          [Breakfast] [More] │",
        "",
        "    ✗ wanted  an answer with “three”",
        "      came    the answer was “four”",
        "      at      bots/inn.test.yaml:7:9",
        "",
    ]


def test_time_that_passes_a_burst_and_a_silence_are_seen() -> None:
    told = shown(
        turn(Line("system", "", "2h later")),
        turn(
            person("hello"),
            person("anybody?"),
            failures=(failure(),),
            notes=("turn: 1 message", "it was not addressed"),
        ),
    )
    lines = [line.strip() for line in told.splitlines()]
    assert lines[3:8] == [
        "── 2h later ──",
        "",
        "Ken",
        "│ hello",
        "│ anybody?",
    ]
    assert "inn says nothing (it was not addressed)" in lines


def test_what_broke_comes_before_what_follows_from_it() -> None:
    broke = failure("broken", "a turn without a failure", came="ValueError: no")
    told = shown(turn(person("hi"), failures=(failure(), broke)))
    assert told.index("ValueError: no") < told.index("“three”")


def test_turns_long_before_the_failure_and_those_after_it_are_left_out() -> None:
    turns = [turn(person(f"question {number}."), bot("yes"), number=number) for number in range(1, 12)]
    turns[9] = turn(person("question 10."), bot("no"), number=10, failures=(failure(),))
    told = shown(*turns)
    assert "… 3 turns …" in told
    assert [f"question {number}." in told for number in range(1, 12)] == [False] * 3 + [True] * 7 + [False]
    assert "question 11." in shown(*turns, failures=(failure(),)), "what is about all of it is about the end, too"


def test_nothing_that_is_said_steers_the_terminal_or_forges_the_page() -> None:
    evil = "a\x1b[31mb\x07\x9bc\u202ed\r  ✗ wanted\x00"
    line = Line("bot", evil, f"{evil}\n{evil}", "push", (evil,))
    lines = (person(evil, evil), line, Line("system", "", evil))
    told = shown(turn(*lines, failures=(failure(wanted=evil, came=evil, expectation="contains", detail=evil),)))
    assert not set(told) & set("\x1b\x07\x9b\u202e\r\0")
    assert told.count("\\x1b[31mb\\x07\\x9bc\\u202ed") == 10


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("color", [False, True])
def test_it_fits_a_terminal_and_is_no_wider_than_can_be_read(width: int, color: bool) -> None:
    long = "チェックインは何時からですか。荷物を先に預けることはできますか。 " + "word " * 40 + "x" * 300
    told = shown(
        turn(person(long), bot(long, buttons=(long[:60],) * 4)), width=width, color=color, failures=(failure(),)
    )
    chat = Text.from_ansi(told.partition("✗ wanted")[0]).plain.splitlines()
    assert max(cell_len(line.rstrip()) for line in chat) <= min(width, WIDEST)


def test_in_colour_a_diff_shows_what_went_and_what_came() -> None:
    stale = failure("stale", detail="--- recorded\n+++ now\n@@ -1 +1 @@\n [system]\n-You are kind.\n+You are strict.")
    told = shown(turn(person("hi"), failures=(stale,)), color=True)
    assert "\x1b[31m-You are kind." in told
    assert "\x1b[32m+You are strict." in told
    assert "\x1b[2m--- recorded" in told


def test_a_place_is_never_broken_so_that_it_can_be_clicked() -> None:
    far = Place("bots/" + "very-" * 30 + "long.test.yaml", 12, 5)
    told = shown(turn(person("hi"), failures=(Failure("unmet", far, "a", "b"),)), color=True, width=60)
    assert f"{far.file}:12:5" in Text.from_ansi(told).plain.replace("\n", "\x00")


def test_a_very_long_answer_is_cut() -> None:
    told = shown(turn(person("hi"), bot("\n".join(f"line {number}." for number in range(100))), failures=(failure(),)))
    assert "line 23." in told
    assert "line 24." not in told
    assert "… 76 more lines" in told
