"""Which client there is: botkit's own in a plain environment, and botocore's in any other."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.aws import BY_BOTOCORE, CREDENTIALS

ROOT = Path(__file__).parents[2]
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/q"
USERS = {
    "the store": "from botkit.stores.dynamodb import DynamoStore; DynamoStore('chats').close()",
    "the wake": f"from botkit.aws.queue import SqsWake; SqsWake('{QUEUE}').close()",
    "the secrets": (
        "from botkit.aws.remote_secrets import RemoteSecrets, SERVICES; remote = RemoteSecrets()\n"
        "for service in SERVICES.values(): assert remote._client(service).meta.region_name == 'us-east-1'"
    ),
}
LOADED = "\nimport json, sys; print(json.dumps([name for name in sys.modules if name.startswith('boto')]))"


def loaded_by(code: str, environ: Mapping[str, str]) -> set[str]:
    """The modules of botocore and boto3 that a fresh process has loaded after running `code`."""
    ran = subprocess.run(
        [sys.executable, "-c", code + LOADED], env=environ, capture_output=True, text=True, cwd=ROOT, check=True
    )
    return set(json.loads(ran.stdout))


@pytest.mark.parametrize("user", USERS)
def test_a_plain_environment_needs_nothing_of_botocore_but_its_errors(user: str) -> None:
    loaded = {name for name in loaded_by(USERS[user], CREDENTIALS) if not name.startswith("botocore.vendored")}
    assert loaded == {"botocore", "botocore.exceptions"}


@pytest.mark.parametrize("user", USERS)
def test_any_other_is_left_to_botocore(user: str) -> None:
    assert "botocore.client" in loaded_by(USERS[user], {**CREDENTIALS, **dict([BY_BOTOCORE])})
