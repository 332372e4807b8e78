"""No secret is told by anything that goes wrong with it."""

import json
import logging
import traceback
from base64 import b64encode
from typing import Any

import pytest

from botkit.aws.secrets import FRESH_MS, ReferenceSecrets, pick
from botkit.errors import SecretError
from botkit.testing import MovableClock
from tests.aws.upstream import Upstream, refusal

CANARY = "canary7f3a9c"
PART = "nary7f3a"
"""Not even a part of it may be seen."""


def _secret(**held: str) -> tuple[int, dict[str, str]]:
    return 200, {"ARN": "arn", "Name": "inn", **held}


def _text(content: Any) -> tuple[int, dict[str, str]]:
    return _secret(SecretString=content if isinstance(content, str) else json.dumps(content))


LEAKS: dict[str, tuple[str, dict[str, Any]]] = {
    "not JSON": ("secretsmanager:inn#k", {"GetSecretValue": _text(CANARY)}),
    "JSON cut off": ("secretsmanager:inn#k", {"GetSecretValue": _text('{"k": "' + CANARY)}),
    "a JSON string": ("secretsmanager:inn#k", {"GetSecretValue": _text(f'"{CANARY}"')}),
    "another key": ("secretsmanager:inn#k", {"GetSecretValue": _text({"other": CANARY, CANARY: "x"})}),
    "a list": ("secretsmanager:inn#k", {"GetSecretValue": _text({"k": [CANARY]})}),
    "binary": ("secretsmanager:inn#k", {"GetSecretValue": _secret(SecretBinary=b64encode(CANARY.encode()).decode())}),
    "no Base64": ("secretsmanager:inn#k", {"GetSecretValue": _secret(SecretBinary=CANARY)}),
    "an answer cut off": ("secretsmanager:inn#k", {"GetSecretValue": (200, f'{{"SecretString": "{CANARY}'.encode())}),
    "an answer not in UTF-8": ("ssm:/t", {"GetParameters": (200, b'{"Parameters": "' + CANARY.encode() + b"\xff")}),
    "a parameter's answer cut off": ("ssm:/t", {"GetParameters": (200, f'{{"Parameters": "{CANARY}'.encode())}),
    "another parameter": ("ssm:/t", {"GetParameters": (200, {"Parameters": [{"Name": "/u", "Value": CANARY}]})}),
}


def told(error: BaseException) -> str:
    """All that a report of an error may show, with the variables of every frame outside the tests."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    _forget_the_tests(report)
    return "".join(report.format()) + repr(error) + str(error.args)


def _forget_the_tests(report: traceback.TracebackException | None) -> None:
    if report is not None:
        report.stack = traceback.StackSummary.from_list([one for one in report.stack if "/tests/" not in one.filename])
        _forget_the_tests(report.__cause__)
        _forget_the_tests(report.__context__)


@pytest.mark.parametrize("reference", [CANARY, f"ssm:{CANARY}", f"env:{CANARY}-", f"secretsmanager:inn:{CANARY}"])
def test_a_secret_in_place_of_a_reference_is_not_told(
    secrets: ReferenceSecrets, caplog: pytest.LogCaptureFixture, reference: str
) -> None:
    caplog.set_level(logging.DEBUG, "botkit")
    secrets.warm([reference])
    with pytest.raises(SecretError) as caught:
        secrets.get(reference)
    assert PART not in "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text


@pytest.mark.parametrize("case", LEAKS)
def test_a_failure_tells_nothing_of_the_secret(
    secrets: ReferenceSecrets, upstream: Upstream, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    caplog.set_level(logging.DEBUG, "botkit")
    reference, upstream.answers = LEAKS[case]
    with pytest.raises(SecretError) as caught:
        secrets.get(reference)
    assert caught.value.__context__ is caught.value.__cause__
    seen = told(caught.value) + caplog.text + repr(secrets) + repr(vars(secrets))
    assert "in get" in seen
    assert PART not in seen
    assert b64encode(CANARY.encode()).decode() not in seen


def test_an_outage_tells_nothing_of_the_value_that_bridges_it(
    secrets: ReferenceSecrets, upstream: Upstream, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "botkit")
    upstream.answers["GetSecretValue"] = _text({"k": CANARY})
    assert secrets.get("secretsmanager:inn#k") == CANARY
    upstream.down = True
    clock.sleep(FRESH_MS)
    assert secrets.get("secretsmanager:inn#k") == CANARY
    assert "its last value serves on" in caplog.text
    assert PART not in caplog.text + repr(secrets) + repr(vars(secrets))


def test_a_failure_beside_a_good_secret_tells_nothing_of_that(secrets: ReferenceSecrets, upstream: Upstream) -> None:
    upstream.answers["BatchGetSecretValue"] = (
        200,
        {
            "SecretValues": [{"ARN": "arn", "Name": "good", "SecretString": CANARY}],
            "Errors": [{"SecretId": "bad", "ErrorCode": "AccessDeniedException", "Message": CANARY}],
        },
    )
    upstream.answers["GetParameters"] = refusal("AccessDeniedException")
    secrets.warm(["secretsmanager:good", "secretsmanager:bad", "ssm:/a"])
    assert secrets.get("secretsmanager:good") == CANARY
    for reference in ("secretsmanager:bad", "ssm:/a"):
        with pytest.raises(SecretError) as caught:
            secrets.get(reference)
        assert PART not in told(caught.value)


@pytest.mark.parametrize("text", [CANARY, f'{{"k": ["{CANARY}"]}}', f'{{"{CANARY}": "{CANARY}"}}'])
def test_a_failure_as_a_value_tells_nothing_of_the_secret(text: str) -> None:
    assert PART not in repr(pick(text, "k"))
