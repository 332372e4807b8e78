"""`botkit dev`: started as people start it, and stopped by Ctrl-C."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest
import urllib3

from botkit.cli.dev import has_display
from botkit.cli.local import memory_of, store_of
from botkit.cli.main import main
from botkit.wiring import ConfigurationError

BOT = "persona: You are a concierge.\nmodel: gpt-4.1-mini\ndescription: 京都の宿\n"
PATIENCE = 60
"""Seconds for a start: far more than it takes."""


def environment(**more: str) -> dict[str, str]:
    """What a process gets: no key, no proxy, no setting but these."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT", "PYTHONPATH") if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", "COLUMNS": "200", **more}


class Dev:
    """A `botkit dev` that runs, and what it has printed up to its greeting's end."""

    def __init__(self, home: Path, *arguments: str, **settings: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "botkit", "dev", "--no-open", *arguments],
            cwd=home,
            env=environment(**settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.pool = urllib3.PoolManager(retries=False, timeout=PATIENCE)
        self.printed = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed += line
            if "Ctrl-C" in line:
                break
        found = re.search(r"http://127\.0\.0\.1:\d+", self.printed)
        assert found, self.printed
        self.url = found.group()

    def stop(self, how: signal.Signals = signal.SIGINT) -> tuple[int, float, str]:
        """End it; the exit code, the seconds that it took, and what it printed."""
        began = monotonic()
        self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, monotonic() - began, rest

    def say(self, text: str) -> None:
        me = self.pool.request("GET", f"{self.url}/sim/state").json()["me"]
        body = {"bot": "concierge", "chat": {"kind": "user", "id": me}, "as": me, "text": text}
        answer = self.pool.request("POST", f"{self.url}/sim/do/say", json=body)
        assert answer.status == 200, answer.data

    def texts(self) -> list[str]:
        me = self.pool.request("GET", f"{self.url}/sim/state").json()["me"]
        chat = self.pool.request("GET", f"{self.url}/sim/chat?bot=concierge&kind=user&id={me}").json()
        return [message["text"] for message in chat["messages"]]


@contextmanager
def running(home: Path, *arguments: str, **settings: str) -> Iterator[Dev]:
    dev = Dev(home, *arguments, **settings)
    try:
        yield dev
    finally:
        dev.process.kill()
        dev.process.communicate()
        dev.pool.clear()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "concierge.yaml").write_text(BOT, "utf-8")
    return tmp_path


def refused(home: Path, *arguments: str, **settings: str) -> tuple[int, str]:
    """Exit code and message of a start that comes to nothing."""
    result = subprocess.run(
        [sys.executable, "-m", "botkit", "dev", "--no-open", *arguments],
        cwd=home,
        env=environment(**settings),
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    return result.returncode, " ".join(result.stderr.split())


def test_it_serves_the_page_and_ends_at_ctrl_c_though_a_page_is_open(home: Path) -> None:
    with running(home, "--port", "0") as dev:
        assert re.search(r"concierge +rehearsal +京都の宿", dev.printed)
        assert "No OPENAI_API_KEY: the offline model rehearses." in dev.printed
        page = dev.pool.request("GET", dev.url + "/")
        assert (page.status, b"<title>botkit</title>" in page.data) == (200, True)
        stream = dev.pool.request("GET", dev.url + "/sim/stream", preload_content=False)
        assert stream.read(100)
        dev.say("hi")
        code, seconds, rest = dev.stop()
        assert (code, rest.strip().splitlines()[-1]) == (0, "Stopped.")
        assert "Traceback" not in rest
        assert seconds < 3  # 1 on a machine that does nothing else
        stream.close()
    assert not (home / ".botkit" / "simulator.url").exists()


def test_what_was_said_is_there_at_the_next_start(home: Path) -> None:
    with running(home, "--port", "0", OPENAI_API_KEY="sk-x", BOTKIT_QUEUE="https://sqs.invalid/q") as dev:
        assert re.search(r"concierge +gpt-4\.1-mini", dev.printed)
        assert "rehearses" not in dev.printed
        assert "BOTKIT_QUEUE: not used here; this machine plays that part." in dev.printed
    with running(home, "--port", "0") as dev:
        dev.say("remember me")
        assert dev.stop(signal.SIGTERM)[0] == 0
    with running(home, "--port", "0") as dev:
        assert dev.texts()[0] == "remember me"


def test_a_second_one_is_told_where_the_first_is(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with running(home, "--port", "0") as dev:
        assert refused(home, "--port", "0") == (
            1,
            f"botkit: `botkit dev` is running here already, at {dev.url}; use that, or stop it first",
        )
        port = int(dev.url.rpartition(":")[2])
        assert refused(elsewhere, "--port", str(port)) == (
            1,
            f"botkit: port {port} is taken: another `botkit dev` is running there ({dev.url}); "
            f"name another port, such as --port {port + 1}, or any free one: --port 0",
        )
        dev.process.kill()
        dev.process.wait()
    with running(home, "--port", "0"):  # a crash leaves nothing that would be in the way
        pass


def test_a_port_that_another_program_uses_is_told(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert refused(home, "--port", str(port)) == (
            1,
            f"botkit: port {port} is taken: another program uses it; "
            f"name another port, such as --port {port + 1}, or any free one: --port 0",
        )


@pytest.mark.parametrize(("files", "told"), [({}, "holds no bots"), ({"bad": "persona: hi\n"}, "`model` is missing")])
def test_without_a_bot_that_works_the_page_opens_all_the_same(
    tmp_path: Path, files: Mapping[str, str], told: str
) -> None:
    (tmp_path / "bots").mkdir()
    for name, text in files.items():
        (tmp_path / "bots" / f"{name}.yaml").write_text(text, "utf-8")
    with running(tmp_path, "--port", "0") as dev:
        assert told in dev.printed
        state = dev.pool.request("GET", f"{dev.url}/sim/state").json()
        assert [bot["works"] for bot in state["bots"]] == [False] * len(files)


# ---------------------------------------------------------------- what is safe


@pytest.mark.parametrize(
    "endpoint",
    [
        {},
        {"AWS_ENDPOINT_URL_DYNAMODB": "https://dynamodb.ap-northeast-1.amazonaws.com"},
        {"AWS_ENDPOINT_URL": "x"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    ],
)
def test_the_table_of_deployed_bots_is_never_touched(endpoint: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as told:
        store_of({"BOTKIT_STORE": "dynamodb://botkit"}, endpoint)
    assert str(told.value) == (
        "BOTKIT_STORE is dynamodb://botkit, which your deployed bots may be using, and trying a bot keeps away from it; "
        "unset it, or name a local DynamoDB in the environment's AWS_ENDPOINT_URL_DYNAMODB"
    )


def test_nor_where_only_the_env_file_names_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.delenv("BOTKIT_STORE", raising=False)
    (home / ".env").write_text("BOTKIT_STORE=dynamodb://botkit\n", "utf-8")
    assert main(["dev", "--port", "0", "--no-open"]) == 1


def test_a_dynamodb_of_ones_own_may_be_used() -> None:
    environ = {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:4566"}
    assert store_of({"BOTKIT_STORE": "dynamodb://t"}, environ) == "dynamodb://t"


def test_an_address_that_only_the_env_file_names_is_none_for_the_sdk() -> None:
    settings = {"BOTKIT_STORE": "dynamodb://t", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:4566"}
    with pytest.raises(ConfigurationError):
        store_of(settings, {})


@pytest.mark.parametrize(
    ("store", "memory"),
    [
        ("sqlite:///.botkit/botkit.db", Path(".botkit/simulator.db")),
        ("sqlite:////var/x/y.db", Path("/var/x/simulator.db")),
        ("dynamodb://t", Path(".botkit/simulator.db")),
        ("memory:", None),
    ],
)
def test_lines_part_is_kept_beside_the_store(store: str, memory: Path | None) -> None:
    assert memory_of(store) == memory


@pytest.mark.parametrize(
    ("environ", "platform", "shown"),
    [
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "linux", False),
        ({}, "darwin", True),
        ({"SSH_CONNECTION": "x"}, "darwin", False),
        ({}, "win32", True),
    ],
)
def test_a_browser_is_opened_only_where_it_could_be_seen(environ: dict[str, str], platform: str, shown: bool) -> None:
    assert has_display(environ, platform) is shown


@pytest.mark.parametrize("port", ["-1", "65536", "http", "8400.0", ""])
def test_a_port_is_a_number(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dev", f"--port={port}"])
    assert ended.value.code == 2
    assert f"argument --port: {port!r} is no port; write a number from 0 to 65535" in capsys.readouterr().err
