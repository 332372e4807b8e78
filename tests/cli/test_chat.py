"""`botkit chat`, run as a person runs it, with the input piped in."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.openai_server import openai_server

ROOT = Path(__file__).parents[2]
KIND = "persona: You are kind.\nmodel: gpt-4.1-mini\nreply: {quick_replies: [One, Two]}\n"


@pytest.fixture
def bots(tmp_path: Path) -> Path:
    folder = tmp_path / "bots"
    folder.mkdir()
    (folder / "kind.yaml").write_text(KIND)
    (folder / "friend.yaml").write_text("persona: hi\nmodel: gpt-4.1-mini\nhistory: {scope: group}\n")
    (folder / "broken.yaml").write_text("persona: hi\nmodle: x\n")
    return folder


def piped(bots: Path, *arguments: str, **settings: str) -> dict[str, Any]:
    """How the command is started: with the terminal's two sides in our hands."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI", "BOTKIT"))}
    environ = kept | {"BOTKIT_BOTS": str(bots), "BOTKIT_STORE": f"sqlite:///{bots.parent}/botkit.db", "COLUMNS": "200"}
    return {
        "args": [sys.executable, "-m", "botkit", "chat", *arguments],
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "env": environ | settings,
        "cwd": ROOT,
    }


def chat(bots: Path, *arguments: str, says: str = "", **settings: str) -> "subprocess.CompletedProcess[str]":
    started = piped(bots, *arguments, **settings)
    del started["stdin"]
    return subprocess.run(**started, input=says, timeout=60, check=False)


def test_without_a_key_the_offline_model_answers_and_history_outlives_the_process(bots: Path) -> None:
    first = chat(bots, "kind", says="I like 抹茶 tea\n")
    assert first.returncode == 0, first.stderr
    assert "No OPENAI_API_KEY: the offline model rehearses." in first.stdout
    assert "kind › rehearsal: I heard “I like 抹茶 tea”." in first.stdout
    assert "/1 One  /2 Two" in first.stdout
    second = chat(bots, "kind", says="again\n/reset\nanew\n")
    assert "Going on after 2 earlier messages" in second.stdout
    again, _, anew = second.stdout.partition("The conversation is forgotten.")
    assert "Earlier messages: 2" in again
    assert "Earlier messages" not in anew


def test_speakers_are_told_apart_and_quick_replies_can_be_tapped(bots: Path) -> None:
    result = chat(bots, "kind", "--as", "Hana", says="hi\n/as Ken\nhello\n/2\n")
    assert "Hana › " in result.stdout
    assert "I heard “Two”" in result.stdout
    assert "Earlier messages: 2, the last" in result.stdout  # Ken's second message; Hana's chat is her own


def test_in_a_group_the_bot_is_silent_until_it_is_meant(bots: Path) -> None:
    result = chat(bots, "friend", "--group", "--as", "Hana", says="lunch?\n@friend tea?\n/as Ken\n@friend and me?\n")
    assert result.returncode == 0, result.stderr
    assert "… stays silent (say @friend to be heard)" in result.stdout
    assert "I heard “Hana: tea?”" in result.stdout
    assert "I heard “Ken: and me?”" in result.stdout
    assert "Earlier messages: 2" in result.stdout


def test_with_a_key_the_model_answers(bots: Path) -> None:
    with openai_server() as server:
        server.say("Real [words] here.")
        result = chat(bots, "kind", says="hi\n", OPENAI_API_KEY=server.key, OPENAI_BASE_URL=server.url)
    assert "kind › Real [words] here." in result.stdout
    assert "rehearses" not in result.stdout


def test_an_unknown_bot_is_misuse_and_names_the_near_one(bots: Path) -> None:
    result = chat(bots, "kinf")
    assert (result.returncode, result.stdout) == (2, "")
    assert "kinf.yaml: there is no such bot; did you mean `kind`?" in result.stderr


def test_a_broken_file_stops_the_start_with_its_places(bots: Path) -> None:
    result = chat(bots, "broken")
    assert (result.returncode, result.stdout) == (1, "")
    assert "broken.yaml:2:1: modle: unknown option; did you mean `model`?" in result.stderr


def test_a_store_that_cannot_be_opened_is_a_sentence_not_a_traceback(bots: Path) -> None:
    (bots.parent / "file").write_text("")
    result = chat(bots, "kind", says="hi\n", BOTKIT_STORE=f"sqlite:///{bots.parent}/file/botkit.db")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr + result.stdout
    assert str(bots.parent / "file") in result.stderr


def test_what_happened_to_the_last_message_is_told_on_request(bots: Path) -> None:
    result = chat(bots, "kind", says="/explain\nhi\n/explain\n")
    before, _, after = result.stdout.partition("I heard “hi”")
    assert "webhook" not in before
    assert "its webhook was received" in after
    assert "reply: LINE took it" in after


def test_an_answer_that_takes_long_is_fetched_by_its_button(bots: Path) -> None:
    (bots / "slow.yaml").write_text("persona: hi\nmodel: gpt-4.1-mini\nreply: {slow: {after: 5s}}\n")
    with openai_server() as server:
        server.hang()
        talk = subprocess.Popen(**piped(bots, "slow", OPENAI_BASE_URL=server.url, OPENAI_API_KEY=server.key))
        assert talk.stdin
        assert talk.stdout
        talk.stdin.write("hi\n")
        talk.stdin.flush()
        assert server.wait_for_request(30)
        threading.Timer(6, server.release).start()
        out, _ = talk.communicate("/1\n", timeout=60)
    assert "This takes a little longer." in out
    assert "/1 Show the answer" in out
    assert "slow › hi" in out.partition("Show the answer")[2]


def test_ctrl_c_does_not_wait_for_the_model(bots: Path) -> None:
    with openai_server() as server:
        server.hang()
        talk = subprocess.Popen(**piped(bots, "kind", OPENAI_BASE_URL=server.url, OPENAI_API_KEY=server.key))
        assert talk.stdin
        talk.stdin.write("hi\n")
        talk.stdin.flush()
        assert server.wait_for_request(30)
        talk.send_signal(signal.SIGINT)
        assert talk.wait(timeout=20) == 130
        talk.communicate()
