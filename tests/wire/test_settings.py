"""What the environment says of AWS is what botocore makes of it; whatever is not plain is left to botocore."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session

from botkit.wire.services import SERVICES
from botkit.wire.settings import SPECIAL, settings

PLAIN = {
    "AWS_ACCESS_KEY_ID": "AKIA1",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "ap-northeast-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "dynamodb": ("get_item", {"TableName": "t", "Key": {"pk": {"S": "a"}}}),
    "sqs": ("send_message", {"QueueUrl": "https://sqs.ap-northeast-1.amazonaws.com/1/q", "MessageBody": "{}"}),
    "ssm": ("get_parameters", {"Names": ["/a"]}),
    "secretsmanager": ("get_secret_value", {"SecretId": "a"}),
}


class Seen(Exception):
    """A request of botocore's, on its way out."""

    def __init__(self, request: Any) -> None:
        self.request = request


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of the process, without a word about AWS or proxies."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy") or name == "REQUESTS_CA_BUNDLE":
            monkeypatch.delenv(name)
    return monkeypatch


def request_of_botocore(service: str) -> Any:
    """The request that botocore would send in the environment as it is."""

    def stop(request: Any, **_: Any) -> None:
        raise Seen(request)

    client = get_session().create_client(service)
    client.meta.events.register("before-send", stop)
    operation, asked = CALLS[service]
    with pytest.raises(Seen) as caught:
        getattr(client, operation)(**asked)
    return caught.value.request


VARIATIONS: dict[str, Mapping[str, str]] = {
    "as it is": {},
    "a role": {"AWS_SESSION_TOKEN": "token"},
    "the token's older name": {"AWS_SESSION_TOKEN": "token", "AWS_SECURITY_TOKEN": "older"},
    "the region of Lambda": {"AWS_REGION": "eu-west-1"},
    "a region of the future": {"AWS_DEFAULT_REGION": "eu-moon-7"},
    "Virginia": {"AWS_DEFAULT_REGION": "us-east-1"},
    "an endpoint": {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
    "an endpoint with a slash": {"AWS_ENDPOINT_URL": "http://localhost:4566/"},
    "an endpoint without a port": {"AWS_ENDPOINT_URL": "https://vpce-0a1b.example.com"},
    "an empty endpoint": {"AWS_ENDPOINT_URL": ""},
    "the service's own endpoint": {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:2",
        "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:3",
        "AWS_ENDPOINT_URL_SSM": "http://127.0.0.1:4",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://127.0.0.1:5",
    },
}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("variation", VARIATIONS)
def test_what_is_plain_is_as_botocore_has_it(environ: pytest.MonkeyPatch, service: str, variation: str) -> None:
    for name, value in {**PLAIN, **VARIATIONS[variation]}.items():
        environ.setenv(name, value)
    found, expected = settings(service, os.environ), request_of_botocore(service)
    assert found is not None
    assert found.url == expected.url
    scope = f"Credential={found.credentials.key}/{expected.context['timestamp'][:8]}/{found.region}/{service}/"
    assert scope in expected.headers["Authorization"].decode()
    assert found.credentials.secret == "secret"
    assert (found.credentials.token or "") == (expected.headers.get("X-Amz-Security-Token") or b"").decode()


NOT_PLAIN: dict[str, Mapping[str, str]] = {
    **{name: {name: "true"} for name in SPECIAL},
    "no key": {"AWS_ACCESS_KEY_ID": ""},
    "no secret": {"AWS_SECRET_ACCESS_KEY": ""},
    "no region": {"AWS_DEFAULT_REGION": ""},
    "AWS_REGION alone": {"AWS_DEFAULT_REGION": "", "AWS_REGION": "us-east-1"},
    **{
        region: {"AWS_DEFAULT_REGION": region}
        for region in (
            *("cn-north-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "us-isof-south-1", "eu-isoe-west-1"),
            *("eusc-de-east-1", "aws-global", "local", "us-east-1 ", "us-east-1/"),
        )
    },
    **{
        url: {"AWS_ENDPOINT_URL": url}
        for url in (
            *("not a url", "ftp://host", "http://", "http://host/path", "http://host?x=1", "http://user:pass@host"),
            *("http://-host", "http://ho_st", "http://host:port", "http://[::1]:4566", "http://host\n", "//host"),
        )
    },
    "a proxy": {"https_proxy": "http://127.0.0.1:3128"},
    "a proxy in capitals": {"HTTPS_PROXY": "http://127.0.0.1:3128"},
    "a proxy of the endpoint's kind": {"AWS_ENDPOINT_URL": "http://host", "HTTP_PROXY": "http://127.0.0.1:3128"},
    "no authorities": {"AWS_CA_BUNDLE": ""},
    "authorities that are missing": {"AWS_CA_BUNDLE": "/nowhere.pem"},
    "authorities that are missing, by the other name": {"REQUESTS_CA_BUNDLE": "/nowhere.pem"},
    "a folder of authorities": {"AWS_CA_BUNDLE": os.sep},
    "a configuration": {"AWS_CONFIG_FILE": __file__},
    "a file of credentials": {"AWS_SHARED_CREDENTIALS_FILE": __file__},
}


@pytest.mark.parametrize("case", NOT_PLAIN)
def test_what_is_not_plain_is_left_to_botocore(case: str) -> None:
    assert settings("dynamodb", {**PLAIN, **NOT_PLAIN[case]}) is None


def test_a_configuration_at_home_is_left_to_botocore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    environ = {name: value for name, value in PLAIN.items() if not name.endswith("_FILE")}
    assert settings("dynamodb", environ) is not None
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").touch()
    assert settings("dynamodb", environ) is None


def test_a_proxy_for_other_addresses_does_not_matter() -> None:
    other = {"AWS_ENDPOINT_URL": "http://host", "HTTPS_PROXY": "http://127.0.0.1:3128", "http_proxy": ""}
    assert settings("dynamodb", PLAIN | other) is not None


def test_a_region_given_serves_where_the_environment_has_none() -> None:
    environ = {name: value for name, value in PLAIN.items() if name != "AWS_DEFAULT_REGION"}
    given = [settings("sqs", one, "eu-west-1") for one in (environ, PLAIN)]
    assert [one and one.region for one in given] == ["eu-west-1", "ap-northeast-1"]


def test_authorities_are_botocores_choice(tmp_path: Path) -> None:
    first, second = (tmp_path / name for name in ("a.pem", "b.pem"))
    first.touch()
    second.touch()
    both = {"AWS_CA_BUNDLE": str(first), "REQUESTS_CA_BUNDLE": str(second)}
    other = {"REQUESTS_CA_BUNDLE": str(second)}
    found = [settings("sqs", PLAIN | more) for more in (both, other, {})]
    assert [one and one.ca_bundle for one in found] == [str(first), str(second), None]
