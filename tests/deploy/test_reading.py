"""What is deployed is asked with --stack: `usage`, `explain`, `history` and `forget` read its table."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from botkit.cli.main import main
from botkit.ports import Conversation
from botkit.stores.dynamodb import DynamoStore
from tests.deploy.stacks import Stack, made, stack_at, write_bots
from tests.support.aws import CREDENTIALS, dynamodb
from tests.support.samples import arrival

HANA = "Uc7e3c4a1b2d94f5e8a6b7c8d9e0f1a2b"
KIND = Conversation("kind", f"user:{HANA}")


@pytest.fixture(scope="module")
def stack(aws_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack_at(aws_endpoint) as stack:
        stack.deploy(
            made(write_bots(tmp_path_factory.mktemp("reading") / "bots", {"kind": ""})), OpenaiApiKey="sk-none"
        )
        yield stack


@pytest.fixture(autouse=True)
def here(aws_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the bot, where all that is known of AWS stands in `.env`."""
    write_bots(tmp_path / "bots", {"kind": ""})
    known = {**CREDENTIALS, "AWS_ENDPOINT_URL": aws_endpoint}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in known.items()), "utf-8")
    monkeypatch.chdir(tmp_path)
    for name in (*known, "BOTKIT_STORE", "BOTKIT_BOTS", "BOTKIT_STACK"):
        monkeypatch.delenv(name, raising=False)


def test_the_table_of_the_stack_is_asked(stack: Stack, aws_endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    client = dynamodb(aws_endpoint)
    DynamoStore(stack.outputs["Table"], client).accept(arrival("01EVENT", conversation=KIND))
    client.close()
    assert main(["explain", "kind", "01EVENT", "--stack", stack.name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["state"] == "RECEIVED"
    assert main(["explain", "kind", "01EVENT"]) == 1
    assert "of what is deployed, ask with --stack" in capsys.readouterr().err


def test_a_stack_that_is_not_there_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["usage"], ["history", "kind", HANA], ["forget", "kind", HANA, "--yes"]):
        assert main([*command, "--stack", "nowhere"]) == 1
        assert "there is no stack nowhere that serves bots in us-east-1" in capsys.readouterr().err
