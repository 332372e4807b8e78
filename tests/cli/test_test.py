"""`botkit test`: which scenarios are played, what is told of them, and with which exit code it ends."""

import json
import os
import re
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any
from xml.etree import ElementTree

import pytest

from botkit.cli import test as command
from tests.support.openai_server import OpenAIServer, openai_server

ROOT = Path(__file__).parents[2]
BOT = "persona: You are kind.\nmodel: gpt-4.1-mini\n"
GREETS = """\
- name: greets whoever says hello
  turns:
    - hana: Hello!
      model: Hi, Hana!
      expect: {contains: hi}
"""
FORGETS = """\
- name: tells the time
  turns:
    - hana: When is check-in?
      model: From four.
      expect:
        contains: three
"""
ASKS = "- name: asks a model\n  turns:\n    - hana: Who are you?\n      expect: {contains: kind}\n"
NOISY = """\
import os, time
from multiprocessing import parent_process
from botkit import Step

class Noisy(Step):
    def __call__(self, turn, call_next):
        print("this is no result")
        if parent_process():
            os.write(1, b"nor is this")
        if turn.text == "leave":
            os._exit(3)
        while turn.text == "stay":
            time.sleep(0.01)
        return call_next(turn)
"""

NOISY_PIPELINE = "pipeline: [reply, {use: 'bots.steps.noisy:Noisy'}, persona, model]\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a folder of bots in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "bots").mkdir()
    return tmp_path


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    with openai_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", running.key)
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        yield running


def write(home: Path, name: str, tests: str | None, bot: str = BOT) -> None:
    (home / "bots" / f"{name}.yaml").write_text(bot, "utf-8")
    if tests is not None:
        (home / "bots" / f"{name}.test.yaml").write_text(tests, "utf-8")


def run(*arguments: str) -> int:
    parser = ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments), os.environ)


Captured = pytest.CaptureFixture[str]


def facts(capsys: Captured, *arguments: str) -> dict[str, Any]:
    run(*arguments, "--json")
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


# ---------------------------------------------------------------- what is told


def test_of_what_passes_there_is_a_line_for_each_bot(home: Path, capsys: Captured) -> None:
    write(home, "inn", GREETS)
    write(home, "bar", GREETS + GREETS.replace("greets", "welcomes"))
    assert run() == 0
    told = capsys.readouterr().out.splitlines()
    assert told[:3] == ["✓ bar  2 passed", "✓ inn  1 passed", ""]
    assert re.fullmatch(r"3 passed in \d+\.\d s", told[3])


def test_a_failure_shows_the_conversation_what_was_wanted_and_what_came(home: Path, capsys: Captured) -> None:
    write(home, "inn", GREETS + FORGETS)
    assert run() == 1
    told = capsys.readouterr().out
    for line in (
        "✗ tells the time",
        "  bots/inn.test.yaml:6:3",
        "  │ When is check-in?",
        "    ✗ wanted  an answer with “three”",
        "      came    the answer was “From four.”",
        "      at      bots/inn.test.yaml:11:9  contains",
        "✗ inn  1 passed, 1 failed",
    ):
        assert line in told.splitlines()
    assert re.search(r"^ {40,}From four\. │$", told, re.MULTILINE), "the bot speaks on the right"
    assert "Hi, Hana!" not in told, "what passes is not shown"


def test_what_was_left_out_is_told_with_its_cure(home: Path, capsys: Captured) -> None:
    live = "- name: is charming\n  live: true\n  turns: [{hana: Hello, expect: {messages: 1}}]\n"
    write(home, "inn", GREETS.replace("{contains: hi}", "{judge: greets by name}") + live)
    assert run() == 0
    told = capsys.readouterr().out
    assert "✓ inn  1 passed, 1 skipped\n  ? not judged: greets by name  bots/inn.test.yaml:1:3 greets" in told
    assert "1 skipped: it needs a real model: add --live" in told
    assert "1 expectation was not judged: a judge is asked with --live, and its verdict kept with --record" in told


def test_programs_get_the_results_and_nothing_else(home: Path) -> None:
    write(home, "inn", GREETS + FORGETS, bot=BOT + NOISY_PIPELINE)
    (home / "bots" / "steps").mkdir()
    (home / "bots" / "steps" / "noisy.py").write_text(NOISY)
    for jobs in ("1", "2"):
        command_line = [sys.executable, "-m", "botkit", "test", "--json", "--jobs", jobs]
        ended = subprocess.run(command_line, cwd=home, capture_output=True, text=True, timeout=60, check=False)
        told = json.loads(ended.stdout)
        assert [one["outcome"] for one in told["results"]] == ["passed", "failed"]
        totals = told["totals"]
        assert (totals["passed"], totals["failed"], totals["not_run"], totals["unjudged"]) == (1, 1, 0, 0)
        assert told["problems"] == []
        assert ended.returncode == 1
        assert "this is no result" in ended.stderr
    assert "nor is this" in ended.stderr


def test_steps_of_ones_own_are_read_as_they_are_now(home: Path, capsys: Captured) -> None:
    write(home, "inn", GREETS, bot=BOT + NOISY_PIPELINE)
    (home / "bots" / "steps").mkdir()
    (home / "bots" / "steps" / "noisy.py").write_text(NOISY)
    assert run("--jobs", "1") == 0
    (home / "bots" / "steps" / "noisy.py").write_text(NOISY.replace("(Step):\n", "(Step):\n    volume: int\n\n"))
    assert run("--jobs", "1") == 1
    assert "volume: is required; add it" in capsys.readouterr().err


def test_a_step_that_ends_its_process_fails_its_own_scenario_alone(home: Path, capsys: Captured) -> None:
    write(home, "inn", GREETS + GREETS.replace("Hello!", "leave").replace("greets", "leaves"), bot=BOT + NOISY_PIPELINE)
    (home / "bots" / "steps").mkdir()
    (home / "bots" / "steps" / "noisy.py").write_text(NOISY)
    assert run() == 1
    told = capsys.readouterr().out
    assert "its process ended (exit code 3) in the middle of it; look for os._exit" in told
    assert "✗ inn  1 passed, 1 failed" in told


def test_of_many_failures_the_later_ones_take_two_lines(home: Path, capsys: Captured) -> None:
    write(home, "inn", "".join(FORGETS.replace("time", f"time {number}") for number in range(22)))
    assert run("--jobs", "1") == 1
    told = capsys.readouterr().out
    assert told.count("│ When is check-in?") == 20
    assert (
        "✗ tells the time 21\n  bots/inn.test.yaml:132:9  wanted an answer with “three”; the answer was “From four.”"
        in told
    )


# ---------------------------------------------------------------- which are played


def test_words_choose_scenarios_by_their_names(home: Path, capsys: Captured) -> None:
    write(home, "inn", GREETS + FORGETS)
    assert [one["scenario"] for one in facts(capsys, "--only", "HELLO greets")["results"]] == [
        "greets whoever says hello"
    ]
    assert run("--only", "lunch") == 2
    told = capsys.readouterr().err
    assert "no scenario has “lunch” in its name; there is: greets whoever says hello, tells the time" in told


def test_a_wrong_file_is_told_and_the_others_are_played(home: Path, capsys: Captured) -> None:
    write(home, "inn", GREETS)
    write(home, "bar", "- name: x\n  turns: [{hana: hi, expect: {contians: a}}]\n")
    write(home, "spa", GREETS, bot="persona: hi\nmodle: x\n")
    (home / "bots" / "inn.test.json").write_text("[]")
    write(home, "den", GREETS)
    assert run() == 1
    told = capsys.readouterr()
    assert "✓ den  1 passed" in told.out
    assert "inn" not in told.out
    for place in ("bots/bar.test.yaml:2:", "bots/spa.yaml:2:1: modle", "bots/inn.test.json: it is"):
        assert place in told.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nobody"], "there is no such bot; there is inn"),
        (["--times", "3"], "--times needs a real model, for offline every run is the same; add --live"),
        (["--at-least", "90%"], "--at-least is a rate of several runs; add --live --times 20"),
        (["--live", "--record"], "write one of them"),
        (["--judge", "gpt-4.1"], "--judge is asked with --live or --record alone; add one of them"),
        (["--watch", "--json"], "leave --json out"),
        (["--junit", "bots"], "--junit: bots is a folder; name a file in it, such as bots/report.xml"),
        (["--live"], "inn: there is no model to ask: set OPENAI_API_KEY, or OPENAI_BASE_URL, in .env"),
    ],
)
def test_misuse_is_told_with_its_cure(home: Path, capsys: Captured, arguments: list[str], told: str) -> None:
    write(home, "inn", GREETS)
    assert run(*arguments) == 2
    assert told in capsys.readouterr().err


def test_without_scenarios_there_is_an_example_of_one_that_passes(home: Path, capsys: Captured) -> None:
    write(home, "inn", None)
    assert run() == 1
    told = capsys.readouterr().err
    assert "there are no scenarios yet; write some, such as this one in bots/inn.test.yaml:" in told
    write(home, "inn", told.partition("test.yaml:\n")[2])
    assert run() == 0
    (home / "bots" / "bar.yaml").write_text(BOT)
    assert run("bar", "inn") == 1
    assert "bots/bar.test.yaml: there is no such file; write scenarios of this bot there" in capsys.readouterr().err


def test_a_bot_is_named_by_its_files_too(home: Path) -> None:
    write(home, "inn", GREETS)
    assert run("bots/inn.yaml") == 0
    assert run("bots/inn.test.yaml") == 0


def test_a_wrong_file_is_in_the_summary_and_in_the_report(home: Path, capsys: Captured) -> None:
    write(home, "inn", GREETS)
    write(home, "bar", GREETS.replace("expect", "expcet"))
    assert run("--junit", "report.xml") == 1
    assert capsys.readouterr().out.endswith("1 file is wrong, and what stands there was not run: see above\n")
    report = ElementTree.parse("report.xml").getroot()
    assert (report.get("tests"), report.get("errors")) == ("2", "1")
    assert [case.get("name") for case in report.iter("testcase") if case.find("error") is not None] == [
        "bots/bar.test.yaml"
    ]


# ---------------------------------------------------------------- real models


def test_what_a_model_answers_is_recorded_once_and_replayed(
    home: Path, server: OpenAIServer, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, "inn", ASKS + GREETS)
    assert run() == 1
    assert "botkit test inn --record" in capsys.readouterr().out
    server.say("I am the kind one.")
    assert run("--record") == 0
    assert "bots/inn.test.json: 1 recorded\n" in capsys.readouterr().out
    assert run("--record") == 0
    assert "bots/inn.test.json: 1 kept\n" in capsys.readouterr().out
    assert len(server.requests) == 1
    with monkeypatch.context() as without:
        without.delenv("OPENAI_API_KEY")
        assert run() == 0
    write(home, "inn", GREETS)
    assert run("--record") == 0
    assert "bots/inn.test.json: 1 dropped\n" in capsys.readouterr().out
    assert not (home / "bots" / "inn.test.json").exists()


def test_a_part_of_a_file_recorded_anew_leaves_the_rest_of_the_recordings(
    home: Path, server: OpenAIServer, capsys: Captured
) -> None:
    write(home, "inn", ASKS + ASKS.replace("asks a model", "another").replace("Who", "What"))
    server.say("I am the kind one.")
    server.say("I am a kind bot.")
    assert run("--record", "--jobs", "1") == 0
    write(home, "inn", ASKS.replace("asks a model", "renamed") + ASKS.replace("asks a model", "another"))
    server.say("I am so kind.")
    assert run("--record", "--only", "another") == 0
    assert "asks a model" in (home / "bots" / "inn.test.json").read_text("utf-8")


def test_what_was_answered_before_a_run_was_killed_is_kept(home: Path, server: OpenAIServer) -> None:
    (home / "bots" / "steps").mkdir()
    (home / "bots" / "steps" / "noisy.py").write_text(NOISY)
    dies = "- name: dies\n  turns:\n    - hana: leave\n      expect: {silent: true}\n"
    write(home, "inn", ASKS + dies, bot=BOT + NOISY_PIPELINE)
    server.say("I am the kind one.")
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "botkit", "test", "--record", "--jobs", "1"]
    assert subprocess.run(command, cwd=home, env=environ, capture_output=True, timeout=60).returncode == 3
    assert "I am the kind one." in (home / "bots" / "inn.test.json").read_text("utf-8")


def test_recordings_of_a_wrong_test_file_are_kept(home: Path, server: OpenAIServer, capsys: Captured) -> None:
    write(home, "inn", ASKS)
    server.say("I am the kind one.")
    run("--record")
    kept = (home / "bots" / "inn.test.json").read_bytes()
    write(home, "inn", ASKS.replace("expect", "expects"))
    write(home, "bar", GREETS)
    assert run("--record") == 1
    assert (home / "bots" / "inn.test.json").read_bytes() == kept


def test_a_changed_prompt_is_shown_as_a_diff(home: Path, server: OpenAIServer, capsys: Captured) -> None:
    write(home, "inn", ASKS)
    server.say("I am the kind one.")
    run("--record")
    write(home, "inn", ASKS, bot=BOT.replace("kind", "strict"))
    assert run() == 1
    told = capsys.readouterr().out.splitlines()
    assert "              -You are kind." in told
    assert "              +You are strict." in told


def test_live_it_is_said_that_a_script_was_set_aside(home: Path, server: OpenAIServer, capsys: Captured) -> None:
    write(home, "inn", GREETS)
    server.say("Good evening.")
    assert run("--live") == 1
    assert "live, a real model answers instead of this turn's `model:`" in capsys.readouterr().out


def test_live_it_is_told_how_often_each_passes_and_what_goes_wrong(
    home: Path, server: OpenAIServer, capsys: Captured
) -> None:
    asks = ASKS.replace("{contains: kind}", "{length: 20, contains: kind}")
    write(home, "inn", asks + GREETS.replace("{contains: hi}", "{silent: false}"))
    for words in ("I am kind.", "So kind of you to ask me.", "Leave me alone.", "Who knows?", "Hi", "Hi", "Hi", "Hi"):
        server.say(words)
    assert run("--live", "--times", "4", "--jobs", "1") == 1
    told = capsys.readouterr().out
    often = told.index("✗ asks a model  2 of 4 runs; this is run 3\n")
    assert often < told.index("✗ asks a model  1 of 4 runs; this is run 2\n"), "what happens most comes first"
    assert "Leave me alone." in told
    assert "Who knows?" not in told, "one example is enough"
    assert "✗ inn  asks a model  1 of 4 passed, 25 % (5–70 %)" in told
    assert "✓ inn  greets whoever says hello  4 of 4 passed, 100 % (51–100 %)" in told
    assert re.search(r"^5 passed, 3 failed in .* s, \d+ tokens, 0\.\d+ USD$", told, re.MULTILINE)


def test_a_rate_that_is_enough_can_be_named(home: Path, server: OpenAIServer, capsys: Captured) -> None:
    write(home, "inn", ASKS)
    for _ in range(2):
        for words in ("I am kind.", "Leave me alone."):
            server.say(words)
    assert run("--live", "--times", "2", "--jobs", "1", "--at-least", "50%") == 0
    rates = facts(capsys_after(capsys), "--live", "--times", "2", "--jobs", "1")["rates"]
    assert rates == [
        {
            "bot": "inn",
            "scenario": "asks a model",
            "runs": 2,
            "passed": 1,
            "rate": 0.5,
            "interval": [0.0945, 0.9055],
            "failures": [
                {
                    "count": 1,
                    "expectation": "contains",
                    "fault": "unmet",
                    "wanted": "an answer with “kind”",
                    "line": 4,
                    "example": 2,
                }
            ],
        }
    ]


def capsys_after(capsys: Captured) -> Captured:
    capsys.readouterr()
    return capsys


# ---------------------------------------------------------------- reports, and running again


def test_a_report_for_ci_is_written_beside_what_is_told(home: Path, capsys: Captured) -> None:
    write(home, "inn", GREETS + FORGETS)
    assert run("--junit", "reports/tests.xml") == 1
    suite = ElementTree.parse(home / "reports" / "tests.xml").getroot()[0]
    assert [(case.get("name"), [child.tag for child in case]) for case in suite] == [
        ("greets whoever says hello", []),
        ("tells the time", ["failure", "system-out"]),
    ]
    write(home, "inn", GREETS)
    (home / "locked").write_text("")
    assert run("--junit", "locked/tests.xml") == 1
    assert "locked/tests.xml cannot be written: " in capsys.readouterr().err


class Running:
    """The command in a process of its own, as from a terminal. Lives as long as its `with` block."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "botkit", "test", *arguments],
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def until(self, *words: str) -> str:
        """What is told until all of these words have come, in whatever order."""
        assert self.process.stdout is not None
        told = ""
        for line in self.process.stdout:
            told += line
            if all(one in told for one in words):
                return told
        raise AssertionError(f"it ended without one of {words}: {told}")

    def interrupt(self) -> tuple[int, str, float]:
        """Ctrl-C: the exit code, what is told then, and how long that took in seconds."""
        self.process.send_signal(signal.SIGINT)
        began = monotonic()
        told, _ = self.process.communicate(timeout=20)
        return self.process.returncode, told, monotonic() - began


def test_an_interrupt_ends_it_at_once_with_what_is_known(home: Path) -> None:
    write(home, "bar", GREETS)
    write(home, "inn", GREETS.replace("Hello!", "stay"), bot=BOT + NOISY_PIPELINE)
    (home / "bots" / "steps").mkdir()
    (home / "bots" / "steps" / "noisy.py").write_text(NOISY)
    with Running(home) as running:
        running.until("✓ bar  1 passed", "this is no result")
        code, told, seconds = running.interrupt()
    assert code == 130
    assert re.search(r"^1 passed, 1 not run in .* s$", told, re.MULTILINE)
    assert "Traceback" not in told
    assert seconds < 5


def test_it_runs_again_what_a_saved_file_concerns(home: Path) -> None:
    base = "extends: _base.yaml\npersona: {file: kind.j2}\n"
    (home / "bots" / "_base.yaml").write_text("model: gpt-4.1-mini\n")
    (home / "bots" / "kind.j2").write_text("You are kind.")
    write(home, "inn", GREETS, bot=base)
    write(home, "bar", GREETS)
    with Running(home, "--watch") as running:
        assert "2 passed" in running.until("watching bots; Ctrl-C ends it")
        for name, text, bots in (
            ("inn.test.yaml", FORGETS, {"inn"}),
            ("kind.j2", "You are very kind.", {"inn"}),
            ("_base.yaml", "model: gpt-4.1\n", {"inn"}),
            ("bar.yaml", BOT + "timezone: Asia/Tokyo\n", {"bar"}),
            ("help.py", "HELP = 1\n", {"bar", "inn"}),
        ):
            (home / "bots" / name).write_text(text)
            told = running.until("watching bots")
            assert f"── {name} ─" in told
            assert set(re.findall(r"^[✓✗] (inn|bar) ", told, re.MULTILINE)) == bots
        code, told, _ = running.interrupt()
    assert code == 1, "as the last round ended"
    assert "Traceback" not in told
