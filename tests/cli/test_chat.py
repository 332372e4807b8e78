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


EVENTS = """\
persona: hi
model: gpt-4.1-mini
history: {scope: group}
events:
  follow: Welcome, {{ user.name }}!
  unblock: You are back!
  join: [Hello all, {sticker: {package: 446, id: 1988}}]
  member_joined: "Good to see you, {{ members }}!"
  postback: {"menu=*": "Here is {{ data }}"}
"""


def test_events_can_be_tried_one_to_one(bots: Path) -> None:
    (bots / "host.yaml").write_text(EVENTS)
    says = "/follow\n/block\n/follow\n/data menu=1 2\n/data else\n/come Ken\n/follow me\n"
    out = chat(bots, "host", "--as", ":tada:", says=says).stdout
    assert told(out, ":tada:") == [
        "host › Welcome, :tada:!",
        "The bot is blocked; /follow lets it back.",
        "host › You are back!",
        "host › Here is menu=1 2",
        "… stays silent",
        "People come into group chats only; start with --group.",
        "host › rehearsal: I heard “/follow me”.",
        "",
    ]


def told(out: str, speaker: str) -> list[str]:
    """The first line of what came after each prompt."""
    return [one.split("\n")[0] for one in out.split(f"{speaker} › ")[1:]]


def test_the_greetings_of_a_group_are_seen(bots: Path) -> None:
    (bots / "host.yaml").write_text(EVENTS)
    out = chat(bots, "host", "--group", says="/come Ken\n/follow\n/as Ken\n@host hi\n").stdout
    greeting = out.partition("You › ")[0]
    assert "host › Hello all\nhost › [sticker 446/1988]\n" in greeting
    assert told(out, "You")[:2] == ["host › Good to see you, Ken!", "host › Welcome, You!"]
    assert "I heard “Ken: hi”" in out


def test_a_bot_without_a_greeting_joins_in_silence(bots: Path) -> None:
    assert "silent" not in chat(bots, "friend", "--group").stdout


def test_voices_and_places_are_sent_and_what_is_said_is_taken_back(bots: Path) -> None:
    (bots.parent / "a.m4a").write_bytes(b"voice")
    says = f"my secret\n/unsend\n/unsend\n/voice {bots.parent}/a.m4a\n/voice nix\n/place Gion\n"
    out = chat(bots, "kind", says=says).stdout
    assert "Your last message is unsent." in out
    assert "There is nothing of this sitting to take back." in out
    assert "nix: No such file or directory" in out
    voice, _, place = out.partition("You › ")[2].partition("nix:")
    assert "I heard “(voice message) rehearsal: a recording of 5 bytes" in voice
    assert "Earlier messages: 1, the last “rehearsal" in voice  # the answer to what was unsent
    assert "I heard “(location: Gion, " in place


def test_only_pictures_are_sent_as_photos(bots: Path) -> None:
    (bots.parent / "real.jpg").write_bytes(b"\x89PNG\r\n\x1a\n...")
    (bots.parent / "fake.jpg").write_text("a text")
    result = chat(bots, "kind", says=f"/photo {bots.parent}/fake.jpg\n/photo {bots.parent}/real.jpg\n")
    fake, real, _ = told(result.stdout, "You")
    assert fake.endswith("fake.jpg: no picture, as its first bytes say; send a JPEG, PNG, GIF or WebP")
    assert "I heard “(photo)”" in real


def test_the_help_names_each_word_and_a_word_without_its_argument_shows_it(bots: Path) -> None:
    for typed in ("/?", "/data", "/99"):
        out = chat(bots, "kind", says=f"{typed}\n").stdout
        assert "/come NAME     somebody joins the group chat\n" in out
        assert "/quit          leave (or Ctrl-D)\n" in out


def test_the_bots_own_commands_come_before_the_terminals_words(bots: Path) -> None:
    (bots / "own.yaml").write_text("persona: hi\nmodel: gpt-4.1-mini\ncommands: {say: {/follow: Follow me.}}\n")
    assert "own › Follow me." in chat(bots, "own", says="/follow\n").stdout


def test_of_a_silence_its_own_reason_is_told(bots: Path) -> None:
    (bots / "brief.yaml").write_text(
        "persona: hi\nmodel: gpt-4.1-mini\nlimits: {user: {messages: 1/day}, notice: Enough.}\n"
    )
    out = chat(bots, "brief", "--group", says="hi\n@brief a\n@brief b\n@brief c\n").stdout
    assert out.count("(say @brief to be heard)") == 1
    assert "… stays silent (limits: messages 1/day of the user reached; no model is asked)" in out
    with openai_server() as server:
        failing = chat(bots, "kind", "--group", says="@kind hi\n", OPENAI_API_KEY="wrong", OPENAI_BASE_URL=server.url)
    assert "… stays silent (no answer: " in failing.stdout


def test_a_flex_message_is_told_apart_from_a_text(bots: Path) -> None:
    (bots / "rich.yaml").write_text("persona: hi\nmodel: gpt-4.1-mini\nreply: {markdown: flex}\n")
    with openai_server() as server:
        server.say("| a | b |\n|---|---|\n| 1 | 2 |")
        out = chat(bots, "rich", says="hi\n", OPENAI_API_KEY=server.key, OPENAI_BASE_URL=server.url).stdout
    assert "rich › [flex] " in out


def test_that_a_rehearsal_judges_nothing_is_said(bots: Path) -> None:
    saying = "moderation: not judged in a rehearsal"
    assert saying not in chat(bots, "kind").stdout
    (bots / "kind.yaml").write_text(KIND + "moderation: {output: refuse}\n")
    assert saying in chat(bots, "kind").stdout
    assert saying not in chat(bots, "kind", OPENAI_API_KEY="sk").stdout


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
