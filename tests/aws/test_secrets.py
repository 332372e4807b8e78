"""Secrets are found, kept for a while, and asked for in as few calls as it takes."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from botkit.aws.remote_secrets import RemoteSecrets
from botkit.aws.secrets import FAILED_MS, FRESH_MS, ReferenceSecrets
from botkit.errors import SecretError
from botkit.ports import Secrets
from botkit.testing import MovableClock
from tests.aws.upstream import Upstream
from tests.support.aws import CREDENTIALS

Put = Callable[..., str]
ROOT = Path(__file__).parents[2]

# ---------------------------------------------------------------- where they are found


def test_an_environment_variable_is_read_without_white_space(secrets: Secrets, upstream: Upstream) -> None:
    assert secrets.get("env:TOKEN") == "from the environment"
    assert upstream.calls == []


def test_an_environment_variable_is_never_kept(clock: MovableClock) -> None:
    environ = {"TOKEN": "old"}
    secrets = ReferenceSecrets(environ, clock, RemoteSecrets())
    assert secrets.get("env:TOKEN") == "old"
    environ["TOKEN"] = "new"
    assert secrets.get("env:TOKEN") == "new"


def test_a_parameter_is_decrypted_and_read_without_white_space(secrets: Secrets, put_parameter: Put) -> None:
    assert secrets.get(put_parameter(" kept in SSM\n")) == "kept in SSM"


def test_a_key_of_a_secret_is_read_without_white_space(secrets: Secrets, put_secret: Put) -> None:
    reference = put_secret({"token": " t\n", "secret": "s"})
    assert secrets.get(f"{reference}#token") == "t"
    assert secrets.get(f"{reference}#secret") == "s"


def test_without_a_key_the_whole_secret_is_meant(secrets: Secrets, put_secret: Put) -> None:
    assert secrets.get(put_secret("plain\n")) == "plain"
    assert secrets.get(put_secret({"a": 1})) == '{"a": 1}'


def test_a_secret_is_found_by_its_arn(
    secrets: ReferenceSecrets, upstream: Upstream, put_secret: Put, owner: Any
) -> None:
    names = [put_secret({"token": f"t{n}"}).removeprefix("secretsmanager:") for n in range(2)]
    arns = [owner["secretsmanager"].describe_secret(SecretId=name)["ARN"] for name in names]
    assert secrets.get(f"secretsmanager:{arns[0]}#token") == "t0"
    secrets.warm([f"secretsmanager:{arns[1]}#token", f"secretsmanager:{names[0]}"])
    assert secrets.get(f"secretsmanager:{arns[1]}#token") == "t1"
    assert upstream.operations == ["GetSecretValue", "BatchGetSecretValue"]


ONLY_ENV = """
import json, sys
from botkit.aws.secrets import ReferenceSecrets
assert ReferenceSecrets({"A": "a"}, None, None).get("env:A") == "a"
print(json.dumps([name for name in sys.modules if name.startswith("boto")]))
"""


def test_only_a_remote_secret_needs_the_sdk() -> None:
    ran = subprocess.run([sys.executable, "-c", ONLY_ENV], capture_output=True, text=True, cwd=ROOT, check=True)
    assert not {"botocore", "boto3"} & set(json.loads(ran.stdout))


def test_region_and_credentials_come_from_the_environment(
    upstream: Upstream, clock: MovableClock, put_parameter: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with closing(RemoteSecrets()) as remote:
        assert ReferenceSecrets({}, clock, remote).get(put_parameter("x")) == "x"


# ---------------------------------------------------------------- how often AWS is asked


def test_a_value_is_kept_until_it_expires_and_a_rotation_is_seen_then(
    secrets: Secrets, upstream: Upstream, clock: MovableClock, put_parameter: Put
) -> None:
    reference = put_parameter("old")
    assert secrets.get(reference) == "old"
    put_parameter("new", reference)
    clock.sleep(FRESH_MS - 1)
    assert secrets.get(reference) == "old"
    assert len(upstream.calls) == 1
    clock.sleep(1)
    assert secrets.get(reference) == "new"
    assert len(upstream.calls) == 2


def test_the_keys_of_a_secret_cost_one_call_and_are_of_one_version(
    secrets: Secrets, upstream: Upstream, put_secret: Put
) -> None:
    reference = put_secret({"token": "t1", "secret": "s1"})
    assert secrets.get(f"{reference}#token") == "t1"
    put_secret({"token": "t2", "secret": "s2"}, reference)
    assert secrets.get(f"{reference}#secret") == "s1"
    assert upstream.operations == ["GetSecretValue"]


def test_warming_asks_for_ten_parameters_and_twenty_secrets_at_a_time(
    secrets: ReferenceSecrets, upstream: Upstream, put_parameter: Put, put_secret: Put
) -> None:
    parameters = {put_parameter(f"p{n}"): f"p{n}" for n in range(12)}
    keys = {f"{put_secret({'token': f's{n}'})}#token": f"s{n}" for n in range(22)}
    secrets.warm([*parameters, *keys, *parameters])
    assert [len(body.get("Names") or body["SecretIdList"]) for _, body in upstream.calls] == [10, 2, 20, 2]
    assert upstream.operations == ["GetParameters"] * 2 + ["BatchGetSecretValue"] * 2
    assert {one: secrets.get(one) for one in parameters | keys} == parameters | keys
    assert len(upstream.calls) == 4


def test_warming_asks_only_for_what_is_not_at_hand(
    secrets: ReferenceSecrets, upstream: Upstream, clock: MovableClock, put_parameter: Put
) -> None:
    old = put_parameter("old")
    secrets.warm([old, "env:TOKEN", "sk-literal", "ssm:no slash"])
    clock.sleep(FRESH_MS - 1)
    young = put_parameter("young")
    secrets.warm([old, young])
    clock.sleep(1)
    secrets.warm([old, young])
    names = [body["Names"] for _, body in upstream.calls]
    assert names == [[one.removeprefix("ssm:")] for one in (old, young, old)]


def test_a_missing_secret_is_not_asked_for_again_at_once(
    secrets: Secrets, upstream: Upstream, clock: MovableClock, put_parameter: Put
) -> None:
    reference = f"ssm:/botkit/{uuid.uuid4().hex}/late"
    for _ in range(3):
        with pytest.raises(SecretError, match=f"{reference} is not in Parameter Store"):
            secrets.get(reference)
    assert len(upstream.calls) == 1
    put_parameter("here", reference)
    clock.sleep(FAILED_MS)
    assert secrets.get(reference) == "here"


def test_a_missing_key_is_looked_for_again_soon(
    secrets: Secrets, upstream: Upstream, clock: MovableClock, put_secret: Put
) -> None:
    reference = put_secret({"secret": "s"})
    for _ in range(3):
        with pytest.raises(SecretError, match="without the key token"):
            secrets.get(f"{reference}#token")
    assert len(upstream.calls) == 1
    put_secret({"secret": "s", "token": "t"}, reference)
    clock.sleep(FAILED_MS)
    assert secrets.get(f"{reference}#token") == "t"
