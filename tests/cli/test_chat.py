"""`botkit chat`, run as a person runs it, with the input piped in."""

import os
import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from threading import Condition, Thread
from typing import Any

import pytest
from rich.console import Console

from botkit.cli.sitting import Sitting
from botkit.simulator.keeper import Keeper
from botkit.simulator.platform import Platform
from botkit.simulator.playground.playground import Playground
from botkit.simulator.world import one_to_one
from botkit.wiring import SystemClock
from tests.support.aws import CREDENTIALS
from tests.support.openai_server import openai_server

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
        "cwd": bots.parent,  # where no .env is but a test's own
    }


def chat(bots: Path, *arguments: str, says: str = "", **settings: str) -> "subprocess.CompletedProcess[str]":
    started = piped(bots, *arguments, **settings)
    del started["stdin"]
    return subprocess.run(**started, input=says, timeout=60, check=False)


class Terminal:
    """A command that runs: what is typed into it, and all that it has printed. Lives until the process ends."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self._printed = ""
        self._more = Condition()
        self.reader = Thread(target=self._read, daemon=True)
        self.reader.start()

    def type(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def wait_for(self, text: str, times: int = 1) -> str:
        """All that was printed, once `text` stands in it so often."""
        with self._more:
            assert self._more.wait_for(lambda: self._printed.count(text) >= times, 30), self._printed
            return self._printed

    def asks(self, line: str, answer: str) -> str:
        """Type a line and wait for the answer; returns what was printed between."""
        before = len(self.wait_for(" › "))
        self.type(line)
        with self._more:
            assert self._more.wait_for(lambda: answer in self._printed[before:], 30), self._printed
            return self._printed[before:]

    def end(self) -> str:
        """Type no more; returns all that was printed."""
        assert self.process.stdin
        self.process.stdin.close()
        assert self.process.wait(30) == 0
        return self.wait_for("Bye.")

    def _read(self) -> None:
        assert self.process.stdout
        while letter := self.process.stdout.read(1):
            with self._more:
                self._printed += letter
                self._more.notify_all()


@contextmanager
def terminal(bots: Path, *arguments: str, **settings: str) -> Iterator[Terminal]:
    with subprocess.Popen(**piped(bots, *arguments, **settings) | {"stderr": subprocess.STDOUT}) as process:
        started = Terminal(process)
        try:
            yield started
        finally:
            process.kill()
            started.reader.join()


def test_without_a_key_the_offline_model_answers_and_history_outlives_the_process(bots: Path) -> None:
    first = chat(bots, "kind", says="I like 抹茶 tea\n")
    assert first.returncode == 0, first.stderr
    assert "No OPENAI_API_KEY: the offline model rehearses." in first.stdout
    assert "kind › rehearsal: I heard “I like 抹茶 tea”." in first.stdout
    assert "/1 One  /2 Two" in first.stdout
    second = chat(bots, "kind", says="again\n/reset\nanew\n")
    assert "Going on after 2 earlier messages" in second.stdout
    again, forgotten, anew = second.stdout.partition("I have forgotten what was said before.")
    assert forgotten
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
        "… stays silent (events: nothing in the bot file is for this postback)",
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
    assert "There is nothing of yours to take back." in out
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
        with terminal(bots, "slow", OPENAI_BASE_URL=server.url, OPENAI_API_KEY=server.key) as talk:
            talk.type("hi")
            talk.wait_for("This takes a little longer.")
            talk.wait_for("/1 Show the answer")  # while the model is still at it
            server.release()
            talk.wait_for("You › ", 2)
            assert "slow › hi" in talk.asks("/1", "slow › hi")


# ---------------------------------------------------------------- what is kept between runs


def line_of(bots: Path, bot: str) -> list[tuple[str, str]]:
    """What LINE remembers of the chat with "You": how each message was sent, and its text."""
    keeper, platform = Keeper(bots.parent / f"terminal-{bot}.db"), Platform(SystemClock())
    try:
        keeper.restore(platform)
    finally:
        keeper.close()
    account = platform.account_named(bot)
    you = next(person for person in platform.people.values() if person.name == "You")
    assert account
    return [(one.via, one.text) for one in platform.chat(account, you)]


def test_what_a_killed_terminal_left_open_is_answered_once_at_the_next_start(bots: Path) -> None:
    with openai_server() as server:
        model = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": server.key}
        server.hang()
        with terminal(bots, "kind", **model) as talk:
            talk.type("hi")
            assert server.wait_for_request(30)
            talk.process.kill()
        server.release()
        again = chat(bots, "kind", says="/explain\n", **model)
        assert again.stdout.count("kind › hi") == 1, again.stdout
        assert again.stdout.index("You › hi") < again.stdout.index("kind › hi") < again.stdout.index("reply: LINE took")
        assert line_of(bots, "kind") == [("person", "hi"), ("reply", "hi")]
        third = chat(bots, "kind", **model)
        assert third.stdout.count("kind › hi") == 1  # how the chat ended
        assert len(server.requests) == 2
    assert line_of(bots, "kind") == [("person", "hi"), ("reply", "hi")]


def test_ctrl_c_does_not_wait_for_the_model_and_the_next_start_goes_on(bots: Path) -> None:
    with openai_server() as server:
        model = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": server.key}
        server.hang()
        with terminal(bots, "kind", **model) as talk:
            talk.type("hi")
            assert server.wait_for_request(30)
            talk.process.send_signal(signal.SIGINT)
            assert talk.process.wait(timeout=3) == 130
        server.release()
        assert chat(bots, "kind", **model).stdout.count("kind › hi") == 1
    assert line_of(bots, "kind") == [("person", "hi"), ("reply", "hi")]


def test_a_chat_opens_with_its_end_which_can_be_tapped(bots: Path) -> None:
    first = chat(bots, "kind", says="one\ntwo\n").stdout
    assert "I heard “two”" in first
    greeting, *talk = chat(bots, "kind", says="/2\n").stdout.split("\nYou › ")
    assert "I heard “one”" not in greeting
    assert "I heard “two”" in talk[0]
    assert "I heard “Two”" in talk[1]


def test_what_the_terminal_forgets_is_forgotten_by_line_too(bots: Path) -> None:
    (bots / "kind.yaml").write_text(KIND + "commands: {reset: off}\n")
    out = chat(bots, "kind", says="my secret\n/reset\nanew\n/reset\n").stdout
    assert "Earlier messages" not in out.partition("The conversation is forgotten.")[2]
    assert line_of(bots, "kind") == []
    assert "secret" not in chat(bots, "kind").stdout


def test_a_message_of_an_earlier_sitting_can_be_taken_back(bots: Path) -> None:
    chat(bots, "kind", says="my secret\n")
    assert "Your last message is unsent." in chat(bots, "kind", says="/unsend\n").stdout
    assert [text for via, text in line_of(bots, "kind") if via == "person"] == [""]


def test_a_bot_stays_blocked_until_it_is_let_back(bots: Path) -> None:
    assert "The bot is blocked; /follow lets it back." in chat(bots, "kind", says="/block\n").stdout
    again = chat(bots, "kind", says="hi\n/follow\nho\n").stdout
    assert told(again, "You")[:2] == [
        "… is blocked; /follow lets it back",
        "… stays silent (events: nothing in the bot file is for this follow)",
    ]
    assert "I heard “ho”" in again
    assert "kind › rehearsal: I heard “hi”" not in again


def test_a_group_greets_once_and_anew_where_the_bot_is_invited_anew(bots: Path) -> None:
    (bots / "host.yaml").write_text(EVENTS)
    assert chat(bots, "host", "--group").stdout.count("Hello all") == 1
    again = chat(bots, "host", "--group", "--as", "Ken", says="@host hi\n/join\n").stdout
    before, _, after = again.partition("I heard “Ken: hi”")
    assert before.count("Hello all") == 1  # how the chat ended
    assert "host › Hello all" in after
    assert "start with --group" in chat(bots, "host", says="/join\n").stdout


def test_a_second_terminal_on_a_bot_works_and_leaves_nothing(bots: Path) -> None:
    with terminal(bots, "kind") as first:
        first.asks("one", "I heard “one”")
        second = chat(bots, "kind", "--as", "Ken", says="two\n")
        assert "Another terminal has kind open" in second.stdout
        assert "I heard “two”" in second.stdout
        assert second.returncode == 0
        first.asks("three", "I heard “three”")
        assert "Another terminal" not in first.end()
    assert [text for via, text in line_of(bots, "kind") if via == "person"] == ["one", "three"]


def test_a_memory_that_is_no_database_is_a_sentence(bots: Path) -> None:
    (bots.parent / "terminal-kind.db").write_text("not a database, though long enough to be taken for one" * 99)
    result = chat(bots, "kind")
    assert result.returncode == 1
    assert "terminal-kind.db: it is not a database; move it away" in " ".join(result.stderr.split())


def test_a_store_in_memory_leaves_no_file(bots: Path) -> None:
    assert "I heard “hi”" in chat(bots, "kind", says="hi\n", BOTKIT_STORE="memory:").stdout
    assert sorted(path.name for path in bots.parent.iterdir()) == ["bots"]


def test_what_is_deployed_is_never_touched(bots: Path) -> None:
    # The SDK would not find an address there.
    (bots.parent / ".env").write_text("AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:9\n")
    result = chat(bots, "kind", says="hi\n", BOTKIT_STORE="dynamodb://botkit", **CREDENTIALS)
    assert (result.returncode, result.stdout) == (1, "")
    assert "BOTKIT_STORE is dynamodb://botkit, which your deployed bots may be using" in " ".join(result.stderr.split())


# ---------------------------------------------------------------- what changes during the talk


def test_a_saved_file_takes_effect_and_a_wrong_one_is_told_while_the_last_good_version_answers(bots: Path) -> None:
    with terminal(bots, "kind") as talk:
        talk.asks("hi", "/1 One  /2 Two")
        (bots / "kind.yaml").write_text(KIND.replace("One", "Three"))
        assert "kind.yaml was changed.\n" in talk.asks("hi", "/1 Three  /2 Two")
        (bots / "kind.yaml").write_text(KIND.replace("model", "modle"))
        wrong = talk.asks("hi", "/1 Three  /2 Two")
        assert "kind.yaml:2:1: modle: unknown option; did you mean `model`?" in wrong
        assert "The last good version answers." in wrong
        assert "kind.yaml" not in talk.asks("hi", "/1 Three  /2 Two")  # told once
        (bots / "kind.yaml").write_text(KIND)
        assert "kind.yaml was changed.\n" in talk.asks("hi", "/1 One  /2 Two")


def test_other_bots_files_are_not_spoken_of_and_those_that_the_bot_uses_are(bots: Path) -> None:
    (bots / "_base.yaml").write_text("model: gpt-4.1-mini\n")
    (bots / "heir.yaml").write_text("extends: _base.yaml\npersona: hi\n")
    with terminal(bots, "heir") as talk:
        talk.asks("hi", "I heard")
        (bots / "friend.yaml").write_text("persona: ho\nmodel: x\n")
        (bots / "broken.yaml").write_text("persona: ho\nmodal: y\n")
        talk.asks("hi", "I heard")
        assert "yaml" not in talk.wait_for("You › ", 3)
        (bots / "_base.yaml").write_text("model: gpt-4.1\n")
        assert "A file that heir.yaml uses was changed." in talk.asks("hi", "I heard")


def test_a_webhook_that_gets_no_further_is_told(bots: Path) -> None:
    with terminal(bots, "kind") as talk:
        talk.asks("hi", "I heard")
        (bots / "kind.yaml").rename(bots / "kind.txt")
        gone = talk.asks("are you there?", "LINE sends it again in 10 seconds.")
        assert "kind.yaml is gone, and nobody answers; put it back." in gone
        assert "This webhook was answered 401: no bot of this name" in gone
        assert "silent" not in gone
        (bots / "kind.txt").rename(bots / "kind.yaml")
        talk.asks("hello again", "I heard “hello again”")


def test_a_key_put_into_env_is_taken_up_and_one_taken_out_is_missed(bots: Path) -> None:
    with openai_server() as server, terminal(bots, "kind") as talk:
        server.say("Real words.")
        assert "into .env; no restart is needed" in talk.wait_for("You › ")
        talk.asks("hi", "kind › rehearsal: ")
        (bots.parent / ".env").write_text(f"OPENAI_API_KEY={server.key}\nOPENAI_BASE_URL={server.url}\n")
        assert "The rehearsal is over: gpt-4.1-mini answers from now on." in talk.asks("hi", "kind › Real words.")
        (bots.parent / ".env").unlink()
        assert "No OPENAI_API_KEY: the offline model rehearses." in talk.asks("hi", "kind › rehearsal: ")


def test_what_comes_later_is_shown_before_the_next_line_and_to_whom_it_was_said(bots: Path) -> None:
    screen, file = StringIO(), bots / "kind.yaml"
    settings = {"BOTKIT_STORE": f"sqlite:///{bots.parent}/botkit.db"}
    with Playground.open(bots, settings) as playground:
        bot = playground.shelf.find("kind")
        assert bot
        sitting = Sitting(
            Console(file=screen, width=200), playground, bot, Namespace(bot="kind", speaker="Hana", group=False)
        )
        sitting.go_on()
        file.rename(bots / "kind.txt")
        sitting.say("hi")
        (bots / "kind.txt").rename(file)
        sitting.speak_as("Ken")
        sitting.say("ho")
        assert "kind › rehearsal: I heard “ho”" in screen.getvalue()
        playground.jump(11_000)  # LINE comes again
        assert playground.cloud.settle(30)
        assert "“hi”" not in screen.getvalue()
        sitting.catch_up()
        assert "kind to Hana › rehearsal: I heard “hi”" in screen.getvalue()
        assert len(playground.platform.chat(sitting.account, one_to_one(sitting.person("Hana"))).answers) == 1
