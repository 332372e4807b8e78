"""What goes wrong with secrets is said with its cure, once, and never with the secret."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from botkit.aws.secrets import FRESH_MS, ReferenceSecrets
from botkit.ports import Secrets
from botkit.testing import MovableClock
from tests.aws.upstream import Upstream, failure_of, refusal

Put = Callable[..., str]
SSM = "ssm:/inn/token"
MANAGER = "secretsmanager:inn#token"


# ---------------------------------------------------------------- the secret is not as it should be


def test_an_unset_variable_is_named(secrets: Secrets) -> None:
    error = failure_of(secrets, "env:NOWHERE")
    assert str(error) == "env:NOWHERE is not set; put the secret into the environment variable NOWHERE"


def test_what_is_no_reference_is_not_shown(secrets: Secrets) -> None:
    assert str(failure_of(secrets, "sk-abc")) == (
        "a secret reference (not shown) is not a secret reference; "
        "write env:NAME, ssm:/path/name or secretsmanager:id#key"
    )


def test_a_missing_parameter_is_named_with_the_region(secrets: Secrets) -> None:
    assert str(failure_of(secrets, "ssm:/botkit/nowhere")) == (
        "ssm:/botkit/nowhere is not in Parameter Store in us-east-1; create it, or correct the name or the region"
    )


@pytest.mark.parametrize("together", [1, 2])
def test_a_missing_secret_is_named_with_the_region(secrets: ReferenceSecrets, together: int) -> None:
    references = [f"secretsmanager:botkit/nowhere{n}#token" for n in range(together)]
    secrets.warm(references)
    assert str(failure_of(secrets, references[0])) == (
        "secretsmanager:botkit/nowhere0#token is not in Secrets Manager in us-east-1, or has no value yet; "
        "create it, or correct the id or the region"
    )


def test_a_deleted_secret_can_be_restored(secrets: Secrets, put_secret: Put, owner: Any) -> None:
    reference = put_secret("x")
    owner["secretsmanager"].delete_secret(SecretId=reference.removeprefix("secretsmanager:"))
    assert "where it is marked for deletion, restore it" in str(failure_of(secrets, reference))


NO_OBJECT = 'is asked of a secret that is not a JSON object; make it {"token": "…"}, or leave #token out'
CONTENTS = [
    (b"\x00\xff", "is binary; store it as text"),
    (" \n", "is empty; put the value in"),
    ("just text", NO_OBJECT),
    ('{"token": "cut o', NO_OBJECT),
    ('["token"]', NO_OBJECT),
    ("[" * 100_000, NO_OBJECT),
    ({"secret": "s"}, "is asked of a secret without the key token; add the key, or correct the reference"),
    ({"token": 7}, "is not a JSON string; put the value into quotation marks"),
    ({"token": None}, "is not a JSON string; put the value into quotation marks"),
    ({"token": " "}, "is empty; put the value into the secret"),
]


@pytest.mark.parametrize(("content", "text"), CONTENTS)
def test_a_secret_that_does_not_hold_the_value_is_said_with_its_cure(
    secrets: Secrets, upstream: Upstream, content: Any, text: str
) -> None:
    held = {"SecretBinary": b64encode(content).decode()} if isinstance(content, bytes) else {"SecretString": content}
    if isinstance(content, dict):
        held = {"SecretString": json.dumps(content)}
    upstream.answers["GetSecretValue"] = 200, {"ARN": "arn", "Name": "inn", **held}
    error = failure_of(secrets, MANAGER)
    assert str(error) == f"{MANAGER} {text}"
    assert not error.retryable


def test_an_empty_parameter_is_said(secrets: Secrets, upstream: Upstream) -> None:
    upstream.answers["GetParameters"] = 200, {"Parameters": [{"Name": "/inn/token", "Value": " "}]}
    assert str(failure_of(secrets, SSM)) == f"{SSM} is empty; put the value in"


# ---------------------------------------------------------------- AWS refuses


CREDENTIALS_TEXT = "is refused, because AWS does not accept the credentials; renew them, or check the function's role"
REFUSALS = [
    (
        SSM,
        "AccessDeniedException",
        "may not be read; allow the role ssm:GetParameters on it, and kms:Decrypt on its key",
    ),
    (SSM, "InvalidKeyId", "cannot be decrypted; see that its KMS key is enabled, and allow the role kms:Decrypt on it"),
    (SSM, "ValidationException", "is not a name that Parameter Store takes; correct it"),
    (SSM, "ExpiredTokenException", CREDENTIALS_TEXT),
    (SSM, "SomethingNew", "is refused by AWS (SomethingNew)"),
    (
        MANAGER,
        "AccessDeniedException",
        "may not be read; allow the role secretsmanager:GetSecretValue on it, and kms:Decrypt on its key",
    ),
    (
        MANAGER,
        "DecryptionFailure",
        "cannot be decrypted; see that its KMS key is enabled, and allow the role kms:Decrypt on it",
    ),
    (MANAGER, "InvalidRequestException", "cannot be read as it is; where it is marked for deletion, restore it"),
    (MANAGER, "ValidationException", "is not an id that Secrets Manager takes; write the secret's name or ARN"),
    (MANAGER, "UnrecognizedClientException", CREDENTIALS_TEXT),
]


@pytest.mark.parametrize(("reference", "code", "text"), REFUSALS)
def test_a_refusal_is_said_with_its_cure(
    secrets: Secrets, upstream: Upstream, reference: str, code: str, text: str
) -> None:
    upstream.answers = dict.fromkeys(("GetParameters", "GetSecretValue"), refusal(code))
    error = failure_of(secrets, reference)
    assert str(error) == f"{reference} {text}"
    assert not error.retryable
    assert isinstance(error.__cause__, ClientError)


@pytest.mark.parametrize(
    ("code", "status"), [("ThrottlingException", 400), ("InternalServerError", 500), ("SomethingNew", 502)]
)
@pytest.mark.parametrize("reference", [SSM, MANAGER])
def test_what_passes_by_itself_may_be_asked_again(
    secrets: Secrets, upstream: Upstream, reference: str, code: str, status: int
) -> None:
    upstream.answers = dict.fromkeys(("GetParameters", "GetSecretValue"), refusal(code, status))
    assert failure_of(secrets, reference).retryable


@pytest.mark.parametrize(("reference", "operation"), [(SSM, "GetParameters"), (MANAGER, "GetSecretValue")])
def test_every_error_that_aws_declares_has_a_cure_or_passes(
    secrets: Secrets, upstream: Upstream, clock: MovableClock, owner: Any, reference: str, operation: str
) -> None:
    model = owner[reference.partition(":")[0]].meta.service_model.operation_model(operation)
    assert model.error_shapes
    for shape in model.error_shapes:
        upstream.answers[operation] = refusal(shape.name)
        clock.sleep(FRESH_MS)
        error = failure_of(secrets, reference)
        assert error.retryable or "is refused by AWS" not in str(error), shape.name


# ---------------------------------------------------------------- one of many fails


def test_one_forbidden_parameter_does_not_take_the_others_along(
    secrets: ReferenceSecrets, upstream: Upstream, put_parameter: Put
) -> None:
    references = [put_parameter("a"), put_parameter("b")]
    upstream.answers["GetParameters"] = refusal("AccessDeniedException")
    secrets.warm(references)
    assert upstream.operations == ["GetParameters"] * 3
    assert "may not be read" in str(failure_of(secrets, references[0]))
    assert len(upstream.calls) == 3


@pytest.mark.parametrize(
    "answer",
    [refusal("AccessDeniedException"), refusal("UnknownOperationException"), refusal("Unknown", 501), (200, {})],
)
def test_where_secrets_cannot_be_had_together_each_is_asked_for_alone(
    secrets: ReferenceSecrets, upstream: Upstream, put_secret: Put, answer: tuple[int, Mapping[str, Any]]
) -> None:
    references = {put_secret(f"s{n}"): f"s{n}" for n in range(3)}
    upstream.answers["BatchGetSecretValue"] = answer
    secrets.warm([*references])
    assert upstream.operations == ["BatchGetSecretValue", *["GetSecretValue"] * 3]
    assert {one: secrets.get(one) for one in references} == references
    assert len(upstream.calls) == 4


def test_a_missing_one_among_many_fails_alone(
    secrets: ReferenceSecrets, upstream: Upstream, put_parameter: Put, put_secret: Put
) -> None:
    good = {put_parameter("p"): "p", put_secret("s"): "s"}
    bad = ["ssm:/botkit/nowhere", "secretsmanager:botkit/nowhere"]
    secrets.warm([*good, *bad])
    assert {one: secrets.get(one) for one in good} == good
    for reference in bad:
        failure_of(secrets, reference)
    assert upstream.operations == ["GetParameters", "BatchGetSecretValue"]


@pytest.mark.parametrize("reference", [SSM, MANAGER])
def test_an_answer_that_is_not_aws_s_is_said(secrets: Secrets, upstream: Upstream, reference: str) -> None:
    upstream.answers = dict.fromkeys(("GetParameters", "GetSecretValue"), (200, b"<html>welcome</html>"))
    text = str(failure_of(secrets, reference))
    assert "see that AWS_ENDPOINT_URL, where it is set," in text
    assert text.endswith("leads to AWS")
