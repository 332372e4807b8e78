"""Secrets that lie in AWS: fetched for the bot that is called, in few calls, and never shown."""

import json
from collections.abc import Iterator

import pytest
from botocore.session import get_session

from botkit.simulator.chats import Account
from tests.support.aws import CREDENTIALS
from tests.support.stage import Stage


@pytest.fixture
def account(stage: Stage, aws_endpoint: str) -> Iterator[Account]:
    """A bot whose channel secret and token are parameters, and whose model key is in a secret."""
    account = stage.accounts["kind"] = stage.platform.add_account("kind")
    for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": aws_endpoint}).items():
        stage.setenv(name, value)
    ssm, manager = (get_session().create_client(service) for service in ("ssm", "secretsmanager"))
    for name, value in {"secret": account.channel_secret, "token": account.access_token}.items():
        ssm.put_parameter(Name=f"/bots/kind/{name}", Value=value, Type="SecureString", Overwrite=True)
    manager.create_secret(Name=f"kind-{account.user_id}", SecretString=json.dumps({"openai": stage.openai.key}))
    (stage.bots / "kind.yaml").write_text(
        "persona: hi\n"
        f"model: {{name: gpt-4.1-mini, api_key: 'secretsmanager:kind-{account.user_id}#openai'}}\n"
        "line: {channel_secret: ssm:/bots/kind/secret, channel_access_token: ssm:/bots/kind/token}\n"
    )
    yield account
    ssm.close()
    manager.close()


def test_a_bot_is_answered_with_all_its_secrets_in_aws(
    stage: Stage, account: Account, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    caplog.set_level("DEBUG", "botkit")
    hana = stage.platform.add_person("Hana")
    assert stage.post("kind", stage.platform.say(account, hana, "hi"))["statusCode"] == 200
    assert stage.platform.chat(account, hana).texts == ["hi"]
    for secret in (account.channel_secret, account.access_token, stage.openai.key):
        assert secret not in caplog.text


def test_a_secret_that_is_not_there_is_503_and_the_log_says_the_cure(
    stage: Stage, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    file = stage.bots / "kind.yaml"
    file.write_text(file.read_text().replace("/bots/kind/secret", "/bots/kind/gone"))
    answer = stage.post("kind", stage.platform.say(account, stage.platform.add_person("Hana"), "hi"))
    assert (answer["statusCode"], json.loads(answer["body"])) == (503, {"error": "the bot is not set up"})
    assert "ssm:/bots/kind/gone" in caplog.text
