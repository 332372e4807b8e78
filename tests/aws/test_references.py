"""How secret references are written."""

import pytest

from botkit.aws.references import reference_fault, split_reference

ARN = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:inn/line-AbCdEf"

GOOD = [
    "env:TOKEN",
    "env:_token2",
    "ssm:/token",
    "ssm:/botkit/inn-1/channel.secret_2",
    "ssm:" + "/a" * 15,
    "secretsmanager:inn",
    "secretsmanager:inn#token",
    "secretsmanager:botkit/inn+a=b@c.d-e_f#channel-secret",
    "secretsmanager:inn#トークン",
    f"secretsmanager:{ARN}",
    f"secretsmanager:{ARN}#token",
    "secretsmanager:arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:inn#token",
    "secretsmanager:" + "a" * 512,
]


@pytest.mark.parametrize("reference", GOOD)
def test_a_well_formed_reference_has_no_fault(reference: str) -> None:
    assert reference_fault(reference) is None


KINDS = "is not a secret reference; write env:NAME, ssm:/path/name or secretsmanager:id#key"
ENV = "is not a well-formed env: reference; write env:NAME, the name of an environment variable"
SSM = "is not a well-formed ssm: reference; write ssm:/path/name, the name of a parameter with its leading slash"
MANAGER = (
    "is not a well-formed secretsmanager: reference; write secretsmanager:id#key, the name or ARN of a secret and "
    "a key of its JSON, or secretsmanager:id for all of its text"
)

BAD = [
    (None, KINDS),
    (7, KINDS),
    (["env:TOKEN"], KINDS),
    ("", KINDS),
    ("sk-abc", KINDS),
    ("TOKEN", KINDS),
    ("vault:x", KINDS),
    ("ENV:TOKEN", KINDS),
    (" env:TOKEN", KINDS),
    ("env:", ENV),
    ("env:TOKEN\n", ENV),
    ("env:1TOKEN", ENV),
    ("env:sk-abc", ENV),
    ("env:TOKEN#key", ENV),
    ("ssm:", SSM),
    ("ssm:/", SSM),
    ("ssm:token", SSM),
    ("ssm:/inn//token", SSM),
    ("ssm:/inn/", SSM),
    ("ssm:/inn/to ken", SSM),
    ("ssm:/inn/token#key", SSM),
    ("ssm:/inn/トークン", SSM),
    ("ssm:" + "/a" * 16, SSM),
    ("secretsmanager:", MANAGER),
    ("secretsmanager:#key", MANAGER),
    ("secretsmanager:inn#", MANAGER),
    ("secretsmanager:inn#a#b", MANAGER),
    ("secretsmanager:inn#a b", MANAGER),
    ("secretsmanager:inn:token", MANAGER),
    ("secretsmanager:arn:aws:ssm:us-east-1:123456789012:secret:inn", MANAGER),
    ("secretsmanager:arn:aws:secretsmanager:us-east-1:12345678901٢:secret:inn", MANAGER),
    ("secretsmanager:" + "a" * 513, MANAGER),
]


@pytest.mark.parametrize(("reference", "fault"), BAD)
def test_a_fault_says_what_to_write_and_never_what_was_written(reference: object, fault: str) -> None:
    assert reference_fault(reference) == fault


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("ssm:/inn/token", ("ssm:/inn/token", "")),
        ("secretsmanager:inn", ("secretsmanager:inn", "")),
        (f"secretsmanager:{ARN}#token", (f"secretsmanager:{ARN}", "token")),
    ],
)
def test_a_reference_is_a_source_and_a_key(reference: str, parts: tuple[str, str]) -> None:
    assert split_reference(reference) == parts
