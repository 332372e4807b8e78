"""A signature is the one that botocore makes of the same request."""

from datetime import UTC, datetime
from unittest.mock import patch

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Botocores
from hypothesis import given
from hypothesis import strategies as st

from botkit.wire.signature import Credentials, Signer

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
TOKENS = st.none() | st.text("ABCxyz019+/=", min_size=1, max_size=900)
REGIONS = st.sampled_from(["us-east-1", "ap-northeast-1", "eu-central-2", "mx-central-1"])
SERVICES = st.sampled_from(["dynamodb", "sqs", "ssm", "secretsmanager"])
MOMENTS = st.integers(946_684_800, 4_102_444_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def botocores(headers: dict[str, str], body: bytes, credentials: Botocores, region: str, service: str) -> AWSRequest:
    """The request, signed by botocore."""
    request = AWSRequest("POST", f"https://{headers['Host']}/", dict(headers), body)
    SigV4Auth(credentials, service, region).add_auth(request)
    return request


@given(
    KEYS,
    KEYS,
    TOKENS,
    REGIONS,
    SERVICES,
    st.lists(st.tuples(MOMENTS, st.binary(max_size=2000)), min_size=1, max_size=4),
)
def test_it_is_botocores(
    key: str, secret: str, token: str | None, region: str, service: str, requests: list[tuple[datetime, bytes]]
) -> None:
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "Host": "h:8000",
        "X-Amz-Target": "DynamoDB_20120810.Query",
    }
    signer = Signer(Credentials(key, secret, token), region, service)
    for moment, body in requests:
        with patch("botocore.auth.get_current_datetime", return_value=moment):
            expected = botocores(headers, body, Botocores(key, secret, token), region, service)
        # botocore removes white space from values before it signs them, and no value here has any.
        assert signer.sign(headers, body, moment.timestamp()) == dict(expected.headers)


def test_the_key_of_a_day_is_not_that_of_the_next() -> None:
    signer = Signer(Credentials("k", "s"), "us-east-1", "sqs")
    signed = [signer.sign({"Host": "h"}, b"", now)["Authorization"] for now in (86_399, 86_400, 86_399)]
    assert signed[0] == signed[2] != signed[1]


def test_a_secret_is_in_no_repr() -> None:
    assert "canary" not in repr(Credentials("k", "canary-secret", "canary-token"))
