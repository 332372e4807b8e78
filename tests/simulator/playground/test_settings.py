"""The environment over `.env`, and which model answers."""

import logging
import os
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from botkit.messages import Content
from botkit.models.known import CONTEXT_TOKENS
from botkit.simulator.playground.settings import LARGEST, Settings, rehearses
from botkit.simulator.playground.switch import RehearsalSecrets
from botkit.simulator.wire import Delivery
from botkit.spec.loader import load_folder
from tests.simulator.playground.workshop import KIND, Workshop, workshop
from tests.support.openai_server import OpenAIServer, openai_server

NOT_READ = "is not read; write NAME=value, with both quotes where there is one, or # before a remark"
VOICE = Content(b"\x00\x00\x00\x1cftypM4A hello", "audio/x-m4a")


@pytest.fixture(scope="module")
def running() -> Iterator[OpenAIServer]:
    with openai_server(CONTEXT_TOKENS) as server:
        yield server


@pytest.fixture
def openai(running: OpenAIServer) -> Iterator[OpenAIServer]:
    yield running
    running.reset()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with workshop(tmp_path) as made:
        yield made


def settings_of(tmp_path: Path, content: str | bytes, **environ: str) -> Settings:
    (tmp_path / ".env").write_bytes(content if isinstance(content, bytes) else content.encode())
    return Settings(environ, tmp_path / ".env")


# ---------------------------------------------------------------- .env


def test_the_environment_holds_over_the_file(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "A=file\nB=file\n", A="environment", C="environment")
    assert dict(settings) == {"A": "environment", "B": "file", "C": "environment"}
    assert len(settings) == 3
    assert "D" not in settings


def test_a_blank_variable_of_the_environment_counts_as_not_set(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "A=file\n", A=" ", B="")
    assert settings["A"] == "file"
    assert settings["B"] == ""


def test_the_environment_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    environ = {"A": "one"}
    settings = Settings(environ, tmp_path / ".env")
    environ["A"] = "two"
    assert settings["A"] == "two"


def test_an_edit_is_seen_at_the_next_access(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "A=one\n")
    for value in ("two", "six", "ten"):  # of the same size, and perhaps in the same moment
        (tmp_path / ".env").write_text(f"A={value}\n")
        assert settings["A"] == value
    (tmp_path / ".env").unlink()
    assert "A" not in settings
    (tmp_path / ".env").write_text("A=again\n")
    assert settings["A"] == "again"


def test_a_look_tells_whether_the_file_has_changed(tmp_path: Path) -> None:
    settings = Settings({}, tmp_path / ".env")
    assert not settings.look()
    (tmp_path / ".env").write_text("A=1\n")
    assert settings.look()
    assert not settings.look()
    (tmp_path / ".env").unlink()
    assert settings.look()


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=x", "x"),
        ("export A=x", "x"),
        ("A='x y'  # remark", "x y"),
        ('A="x\\ny"', "x\ny"),
        ("\ufeffA=x", "x"),
        ("\r\nA=x\r\n", "x"),
        ("A=${HOME}$HOME", "${HOME}$HOME"),
        ("A=宿", "宿"),
        ("A=", ""),
    ],
)
def test_what_a_line_says(tmp_path: Path, line: str, value: str) -> None:
    settings = settings_of(tmp_path, line, HOME="/home/hana")
    assert settings["A"] == value
    assert settings.problems == ()


@pytest.mark.parametrize(
    ("content", "line", "text"),
    [
        ("A=1\n\n\nB\n", 4, f"this line {NOT_READ}"),
        ("A=1\nsk-proj-123\n", 2, f"this line {NOT_READ}"),
        ("A=1\nB='x\n", 2, f"this line {NOT_READ}"),
        ("A=1\n\n= x\n", 3, f"this line {NOT_READ}"),
        (b"A=\xe5\xff\n", 0, "it is not UTF-8, and is not read; save it as UTF-8"),
        ("A=1\n".encode("utf-16"), 0, "it is UTF-16, and is not read; save it as UTF-8"),
        (b"A=1\0\n", 0, "it is not a text, and is not read; write lines such as OPENAI_API_KEY=…"),
        ("A=" + "x" * LARGEST, 0, "it has more than 256 KB, and is not read; keep only settings in it"),
    ],
)
def test_a_wrong_file_is_a_problem_and_no_end(tmp_path: Path, content: str | bytes, line: int, text: str) -> None:
    settings = settings_of(tmp_path, content)
    (problem,) = settings.problems
    assert (problem.file, problem.line, problem.text) == (".env", line, text)
    assert settings.get("A") == ("1" if line else None)


def test_a_folder_of_that_name_is_no_settings(tmp_path: Path) -> None:
    """Some call a virtual environment so."""
    (tmp_path / ".env").mkdir()
    assert dict(Settings({"A": "1"}, tmp_path / ".env")) == {"A": "1"}


def test_a_pipe_of_that_name_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    assert dict(Settings({"A": "1"}, tmp_path / ".env")) == {"A": "1"}


def test_no_value_is_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = settings_of(tmp_path, "A=sk-secret\nsk-secret\nB='sk-secret\n", C="sk-secret")
    shown = f"{settings!r} {settings} {settings.problems} {caplog.text}"
    assert "sk-secret" not in shown
    assert "Settings(2 names" in shown


def test_a_problem_is_logged_once_for_each_change(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    settings = settings_of(tmp_path, "A\n")
    for _ in range(3):
        settings.get("A")
    assert len(caplog.records) == 1


# ---------------------------------------------------------------- which model answers


@pytest.mark.parametrize(
    ("model", "environ", "expected"),
    [
        ("gpt-4.1-mini", {}, True),
        ("gpt-4.1-mini", {"OPENAI_API_KEY": "sk-1"}, False),
        ("gpt-4.1-mini", {"OPENAI_API_KEY": " "}, True),
        ("gpt-4.1-mini", {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, False),
        ("{name: x, base_url: http://127.0.0.1:1/v1}", {}, False),
        ("{name: x, api_key: env:MINE}", {"OPENAI_API_KEY": "sk-1"}, True),
        ("{name: x, api_key: env:MINE}", {"MINE": "sk-1"}, False),
        ("{name: x, api_key: ssm:/mine}", {}, True),
    ],
)
def test_a_bot_without_key_and_server_rehearses(
    tmp_path: Path, model: str, environ: dict[str, str], expected: bool
) -> None:
    (tmp_path / "kind.yaml").write_text(f"persona: hi\nmodel: {model}\n")
    assert rehearses(load_folder(tmp_path).bots["kind"], environ) is expected


def test_a_key_in_env_holds_from_the_next_message_on(shop: Workshop, openai: OpenAIServer) -> None:
    openai.say("a real answer")
    assert "rehearsal" in shop.say("hi")
    (shop.home / ".env").write_text(f"OPENAI_API_KEY={openai.key}\nOPENAI_BASE_URL={openai.url}\n")
    assert shop.say("hi") == "a real answer"
    assert openai.requests[-1].headers["authorization"] == f"Bearer {openai.key}"
    (shop.home / ".env").unlink()
    assert "rehearsal" in shop.say("hi")
    assert len(openai.requests) == 1


def test_a_key_of_the_environment_and_an_address_of_env_go_together(shop: Workshop, openai: OpenAIServer) -> None:
    shop.environ["OPENAI_API_KEY"] = openai.key
    (shop.home / ".env").write_text(f"OPENAI_BASE_URL={openai.url}\n")
    assert shop.say("echo") == "echo"


def test_an_address_alone_is_enough_for_a_server_of_ones_own(shop: Workshop, openai: OpenAIServer) -> None:
    openai.key = "no-key"  # what a server that needs none is sent
    (shop.home / ".env").write_text(f"OPENAI_BASE_URL={openai.url}\n")
    assert shop.say("echo") == "echo"


def test_a_bots_own_address_is_asked_while_others_rehearse(shop: Workshop, openai: OpenAIServer) -> None:
    openai.key = "no-key"
    shop.write("own.yaml", f"persona: hi\nmodel: {{name: gpt-4.1-mini, base_url: {openai.url}}}\n")
    shop.shelf.look()
    assert shop.say("echo", "own") == "echo"
    assert "rehearsal" in shop.say("hi")


def test_a_bots_own_address_holds_over_that_of_env(shop: Workshop, openai: OpenAIServer) -> None:
    openai.key = "no-key"
    shop.write("kind.yaml", f"persona: hi\nmodel: {{name: gpt-4.1-mini, base_url: {openai.url}}}\n")
    (shop.home / ".env").write_text("OPENAI_BASE_URL=http://127.0.0.1:1/v1\n")
    assert shop.say("echo") == "echo"


@pytest.mark.parametrize("reference", ["env:MINE", "ssm:/mine", "secretsmanager:mine#key"])
def test_a_key_that_the_file_names_may_be_missing_in_a_rehearsal(shop: Workshop, reference: str) -> None:
    """AWS is not asked: here nobody answers there, and LINE waits for two seconds only."""
    more = f"moderation: {{input: refuse, api_key: {reference}}}\n"
    shop.write("kind.yaml", f"persona: hi\nmodel: {{name: x, api_key: {reference}}}\n{more}")
    assert "rehearsal: I heard “hi”." in shop.say("hi")


class AskedOf:
    """Secrets that note what they are asked for, and have it."""

    def __init__(self) -> None:
        self.references: list[str] = []

    def get(self, reference: str) -> str:
        self.references.append(reference)
        return "value"

    def warm(self, references: Collection[str]) -> None:
        self.references += references


def test_aws_is_not_asked_for_the_key_of_a_bot_that_rehearses(tmp_path: Path) -> None:
    (tmp_path / "kind.yaml").write_text("persona: hi\nmodel: {name: x, api_key: ssm:/mine}\n")
    bots, environ = load_folder(tmp_path).bots.values(), {"OPENAI_BASE_URL": ""}
    asked = AskedOf()
    secrets = RehearsalSecrets(asked, environ, lambda: bots)
    secrets.warm(["ssm:/mine", "ssm:/line"])
    assert secrets.get("ssm:/mine") == ""
    assert asked.references == ["ssm:/line"]
    environ["OPENAI_BASE_URL"] = "http://127.0.0.1:1/v1"
    assert secrets.get("ssm:/mine") == "value"


def test_a_key_that_appears_under_its_own_name_is_used(shop: Workshop, openai: OpenAIServer) -> None:
    shop.write("kind.yaml", "persona: hi\nmodel: {name: gpt-4.1-mini, api_key: env:MINE}\n")
    assert "rehearsal" in shop.say("hi")
    (shop.home / ".env").write_text(f"MINE={openai.key}\nOPENAI_BASE_URL={openai.url}\n")
    assert shop.say("echo") == "echo"


def test_a_named_key_is_missed_where_a_server_is_there_to_be_asked(shop: Workshop, openai: OpenAIServer) -> None:
    shop.write("kind.yaml", f"persona: hi\nmodel: {{name: x, base_url: {openai.url}, api_key: env:MINE}}\n")
    assert shop.say("hi") == "Sorry, something went wrong. Please try again."
    assert openai.requests == []


def test_other_secrets_are_missed_also_in_a_rehearsal(shop: Workshop) -> None:
    step = "from botkit import Step\nclass Own(Step):\n    def __call__(self, turn, call_next):\n"
    shop.write("own.py", step + "        turn.services.secrets.get('env:OTHER')\n        return call_next(turn)\n")
    shop.write("kind.yaml", KIND + "pipeline: [{use: bots.own:Own}, persona, model]\n")
    assert "rehearsal" not in shop.say("hi")
    assert "env:OTHER is not set" in shop.trace()["turns"][0]["failed"]


def voice(shop: Workshop) -> Delivery:
    account = shop.accounts["kind"]
    return shop.platform.send_media(account, shop.hana, "audio", VOICE)


def test_a_recording_is_written_down_by_whoever_is_there(shop: Workshop, openai: OpenAIServer) -> None:
    def heard() -> str:
        assert shop.post("kind", voice(shop)) == 200
        return shop.platform.chat(shop.accounts["kind"], shop.hana).texts[-1]

    assert "(voice message) rehearsal: a recording of 17 bytes" in heard()
    openai.hear("good evening")
    (shop.home / ".env").write_text(f"OPENAI_API_KEY={openai.key}\nOPENAI_BASE_URL={openai.url}\n")
    assert heard() == "(voice message) good evening"


def test_what_is_said_is_judged_by_whoever_is_there(shop: Workshop, openai: OpenAIServer) -> None:
    shop.write("kind.yaml", KIND + "moderation: {input: refuse}\n")
    assert "rehearsal" in shop.say("a bomb")
    openai.find("violence")
    (shop.home / ".env").write_text(f"OPENAI_API_KEY={openai.key}\nOPENAI_BASE_URL={openai.url}\n")
    assert shop.say("a bomb") == "I cannot talk about that."
    assert len(openai.judged) == 1
