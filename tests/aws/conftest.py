"""Secrets in an AWS of our own, and a way to it that counts."""

import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.session import Session, get_session

from botkit.aws.remote_secrets import RemoteSecrets
from botkit.aws.secrets import ReferenceSecrets
from botkit.testing import MovableClock
from tests.aws.upstream import Upstream
from tests.support.aws import CREDENTIALS
from tests.support.wire import serving


@pytest.fixture(scope="session")
def session() -> Session:
    """Shared, because each one parses the services' models anew."""
    made = get_session()
    made.set_credentials(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
    made.set_config_variable("region", CREDENTIALS["AWS_DEFAULT_REGION"])
    return made


@pytest.fixture(scope="session")
def owner(session: Session, aws_endpoint: str) -> Iterator[dict[str, Any]]:
    """The clients with which the owner of the secrets writes them."""
    ssm = session.create_client("ssm", endpoint_url=aws_endpoint)
    manager = session.create_client("secretsmanager", endpoint_url=aws_endpoint)
    with closing(ssm), closing(manager):
        yield {"ssm": ssm, "secretsmanager": manager}


@pytest.fixture
def put_parameter(owner: dict[str, Any]) -> Callable[..., str]:
    """Writes a SecureString, of a new name or as a new version; returns its reference."""

    def put(value: str, reference: str = "") -> str:
        name = reference.removeprefix("ssm:") or f"/botkit/{uuid.uuid4().hex}/token"
        owner["ssm"].put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=bool(reference))
        return f"ssm:{name}"

    return put


@pytest.fixture
def put_secret(owner: dict[str, Any]) -> Callable[..., str]:
    """Writes a secret, of a new name or as a new version; returns its reference, without a key."""

    def put(value: str | bytes | dict[str, Any], reference: str = "") -> str:
        text = json.dumps(value) if isinstance(value, dict) else value
        given = {"SecretBinary": text} if isinstance(text, bytes) else {"SecretString": text}
        if reference:
            owner["secretsmanager"].put_secret_value(SecretId=reference.removeprefix("secretsmanager:"), **given)
            return reference
        name = f"botkit/{uuid.uuid4().hex}"
        owner["secretsmanager"].create_secret(Name=name, **given)
        return f"secretsmanager:{name}"

    return put


@pytest.fixture
def upstream(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """What stands between botkit and AWS, and is where the environment says AWS is."""
    with serving(Upstream(aws_endpoint)) as between:
        monkeypatch.setenv("AWS_ENDPOINT_URL", between.url)
        yield between


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(params=["lean", "botocore"])
def asked_with(request: pytest.FixtureRequest, session: Session, monkeypatch: pytest.MonkeyPatch) -> Session | None:
    """The session that secrets are asked for with; None: the plain environment, and so the lean client."""
    if request.param == "botocore":
        return session
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return None


@pytest.fixture
def secrets(upstream: Upstream, clock: MovableClock, asked_with: Session | None) -> Iterator[ReferenceSecrets]:
    with closing(RemoteSecrets(asked_with, attempts=1)) as remote:
        yield ReferenceSecrets({"TOKEN": " from the environment\n"}, clock, remote)
