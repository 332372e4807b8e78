"""What AWS refuses, in plain words: why, what to do, and never a secret."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from botkit.cli.cloud import settings
from botkit.deploy.failures import in_plain_words
from botkit.deploy.reasons import cause_of
from botkit.deploy.rollout import Event
from botkit.deploy.session import caller, client, open_session
from botkit.errors import DeployError
from tests.support.aws import free_port
from tests.support.aws_between import Answer, Between, between, denied, refusal

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}
ONCE = {"AWS_MAX_ATTEMPTS": "1"}
HOME = {**KEYS, **ONCE, "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither its credentials nor its region."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


@pytest.fixture
def wire(aws_endpoint: str) -> Iterator[Between]:
    with between(aws_endpoint) as made:
        yield made


def fault(environ: Mapping[str, str]) -> str:
    with pytest.raises(DeployError) as caught:
        caller(open_session(environ))
    assert not [text for text in KEYS.values() if text in str(caught.value)]
    assert caught.value.__cause__ is None  # what botocore raises may hold what was sent
    return str(caught.value)


# ---------------------------------------------------------------- before anybody is asked


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, "AWS has no region to work in: set AWS_DEFAULT_REGION"),
        ({"AWS_DEFAULT_REGION": "us-east-1"}, "there are no AWS credentials: run `aws configure`"),
        ({"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x"}, "there are no AWS credentials"),
        (
            {"AWS_DEFAULT_REGION": "us-east-1", "AWS_PROFILE": "inn"},
            "there is no AWS profile 'inn': correct AWS_PROFILE",
        ),
        ({**HOME, "AWS_DEFAULT_REGION": "nowhere at all"}, "there is no such AWS region"),
        ({**HOME, "AWS_ENDPOINT_URL": "localhost"}, "what answers is not AWS; unset AWS_ENDPOINT_URL"),
    ],
)
def test_what_is_missing_here_is_told_with_what_to_set(environ: Mapping[str, str], told: str) -> None:
    assert told in fault(environ)


def test_a_profile_whose_file_is_broken_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("this is no configuration")
    assert "AWS's configuration cannot be read" in fault({**HOME, "AWS_CONFIG_FILE": str(tmp_path / "config")})


def test_region_and_profile_may_come_from_the_settings(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile inn]\nregion = ap-northeast-1\n")
    (tmp_path / "credentials").write_text("[inn]\naws_access_key_id = key\naws_secret_access_key = secret\n")
    files = {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }
    session = open_session({"AWS_PROFILE": "inn", **files})
    credentials = session.get_credentials()
    assert credentials is not None
    assert (session.region, credentials.access_key) == ("ap-northeast-1", "key")
    assert open_session({"AWS_PROFILE": "inn", "AWS_REGION": "eu-west-1", **files}).region == "eu-west-1"


@pytest.mark.parametrize(
    ("own", "written", "key", "region"),
    [
        ({"AWS_PROFILE": "inn"}, KEYS, "of-inn", "eu-west-1"),
        (KEYS, {"AWS_PROFILE": "inn"}, KEYS["AWS_ACCESS_KEY_ID"], "eu-west-1"),
        (KEYS, {"AWS_SESSION_TOKEN": "x"}, KEYS["AWS_ACCESS_KEY_ID"], "eu-west-1"),
        ({"AWS_PROFILE": " "}, KEYS, KEYS["AWS_ACCESS_KEY_ID"], "eu-west-1"),
        ({**KEYS, "AWS_DEFAULT_REGION": "us-west-2"}, {}, KEYS["AWS_ACCESS_KEY_ID"], "us-west-2"),
        ({**KEYS, "AWS_DEFAULT_REGION": "us-west-2", "AWS_REGION": "us-east-2"}, {}, None, "us-east-2"),
    ],
)
def test_credentials_come_from_one_source_and_the_environment_goes_before_the_env_file(
    own: Mapping[str, str],
    written: Mapping[str, str],
    key: str | None,
    region: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "credentials").write_text("[inn]\naws_access_key_id = of-inn\naws_secret_access_key = secret\n")
    lines = {"AWS_REGION": "eu-west-1", **written}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    session = open_session(settings({"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"), **own}))
    found = session.get_credentials()
    assert found is not None
    assert found.access_key == (key or found.access_key)
    assert found.token is None
    assert session.region == region


def test_each_service_may_have_an_address_of_its_own() -> None:
    session = open_session(
        {**HOME, "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://127.0.0.1:2"}
    )
    assert client(session, "secretsmanager").meta.endpoint_url == "http://127.0.0.1:2"
    assert client(session, "ssm").meta.endpoint_url == "http://127.0.0.1:1"
    ignored = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    assert "amazonaws.com" in client(open_session({**HOME, **ignored}), "ssm").meta.endpoint_url


# ---------------------------------------------------------------- what AWS answers


SIGNED = "The request signature we calculated does not match. The Canonical String for this request should have been X"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (refusal("InvalidClientTokenId", status=403), "AWS does not accept the access key"),
        (refusal("ExpiredToken", status=403), "the AWS credentials have expired: log in again"),
        (refusal("SignatureDoesNotMatch", SIGNED, 403), "AWS_SECRET_ACCESS_KEY is not the one of this access key"),
        (refusal("RequestExpired"), "this machine's clock is wrong"),
        (refusal("Throttling", "Rate exceeded"), "AWS asks to slow down, also after some patience"),
        (refusal("OptInRequired", status=403), "the AWS account is not activated"),
        (denied("sts:GetCallerIdentity"), "have sts:GetCallerIdentity allowed to arn:aws:iam::000000000000:user/hana"),
        (refusal("InternalFailure", status=500), "AWS fails at the moment (InternalFailure)"),
        (refusal("SomethingNew", "Please do\nthis."), "AWS refuses: Please do this."),
        ((404, b"<html>Not found</html>"), "what answers is not AWS"),
        ((200, b"<html>Welcome</html>"), "what answers is not AWS"),
        ((200, b"\xff\xfe{"), "what answers is not AWS"),
        ((302, b""), "what answers is not AWS"),
    ],
)
def test_each_answer_has_its_sentence(wire: Between, answer: Answer, told: str) -> None:
    wire.answers["GetCallerIdentity"] = answer
    said = fault({**HOME, "AWS_ENDPOINT_URL": wire.url})
    assert said.startswith("cannot ask AWS whose credentials these are: ")
    assert told in said
    assert "Canonical" not in said


def test_a_call_whose_answer_is_lost_is_repeated(wire: Between, monkeypatch: pytest.MonkeyPatch) -> None:
    wire.lost["GetCallerIdentity"] = 1
    monkeypatch.setattr("random.random", lambda: 0.0)  # botocore's pause between tries, which is drawn by lot
    assert caller(open_session({**HOME, "AWS_MAX_ATTEMPTS": "2", "AWS_ENDPOINT_URL": wire.url})).account
    assert wire.operations == ["GetCallerIdentity"] * 2


def test_nobody_at_an_address_is_told_with_the_address() -> None:
    port = free_port()
    said = fault({**HOME, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"})
    assert f"nobody answers at 127.0.0.1:{port}: see the network" in said


def test_keys_signatures_and_what_is_hidden_are_taken_out_of_awss_words(wire: Between) -> None:
    text = f"{KEYS['AWS_ACCESS_KEY_ID']} X-Amz-Signature=abc123 Credential=xyz/2026 hush-hush and hush"
    wire.answers["GetCallerIdentity"] = refusal("Strange", text)
    session = open_session({**HOME, "AWS_ENDPOINT_URL": wire.url})
    with (
        pytest.raises(DeployError, match=r"^cannot look: AWS refuses: … … … … and …$"),
        in_plain_words("look", ["hush", "hush-hush"]),
    ):
        client(session, "sts").get_caller_identity()


def test_what_botocore_finds_wrong_in_a_call_is_told_without_its_values(wire: Between) -> None:
    session = open_session({**HOME, "AWS_ENDPOINT_URL": wire.url})
    with pytest.raises(DeployError) as caught, in_plain_words("change it"):
        client(session, "cloudformation").create_change_set(StackName="x", ChangeSetName="y", Parameters=["hush"])
    assert "hush" not in str(caught.value)
    assert str(caught.value).startswith("cannot change it: AWS takes no such Parameters")


def test_a_disk_that_is_full_has_its_sentence() -> None:
    with (
        pytest.raises(DeployError, match=r"^cannot fetch it: No space left on device; make room on the disk"),
        in_plain_words("fetch it"),
        Path("/dev/full").open("wb", buffering=0) as full,
    ):
        full.write(b"x")


# ---------------------------------------------------------------- why a resource could not be made


def event(reason: str, status: str = "CREATE_FAILED") -> Event:
    return Event("1", "Worker", "AWS::Lambda::Function", status, reason, own=False)


HANDLER = 'Resource handler returned message: "{}" (RequestToken: 12ab, HandlerErrorCode: {})'


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (
            HANDLER.format(
                "User: arn:aws:sts::1:assumed-role/dev/hana is not authorized to perform: lambda:CreateFunction on "
                "resource: x because no identity-based policy allows it (Service: Lambda, Status Code: 403, Request "
                "ID: 4)",
                "AccessDenied",
            ),
            "AWS does not allow it: have lambda:CreateFunction allowed to arn:aws:sts::1:assumed-role/dev/hana",
        ),
        (
            HANDLER.format("'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 3008", "InvalidRequest"),
            "the account may not have so much memory yet: --set WorkerMemory=3008",
        ),
        (
            HANDLER.format("Unzipped size must be smaller than 262144000 bytes", "InvalidRequest"),
            "the package is too large",
        ),
        (
            HANDLER.format("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.", "InvalidRequest"),
            "the secrets are too long for Lambda's 4 KB",
        ),
        ("/botkit/botkit/door already exists", "something of that name is there"),
        ("Limit Exceeded: Role quota", "a limit of the account is reached"),
        ("Rate exceeded", "AWS was too busy"),
        ("Internal Failure", "AWS failed: run botkit deploy again"),
        ("The security token included in the request is expired", "the AWS credentials expired meanwhile"),
        ("S3 Error Code: NoSuchKey. The specified key does not exist.", "something that it needs is gone"),
        ("A reason never seen", "A reason never seen"),
        ("", "AWS does not say why"),
    ],
)  # fmt: skip
def test_the_reason_of_a_failure_is_told_with_the_cure(reason: str, told: str) -> None:
    said = cause_of(event(reason))
    assert said.startswith("the function Worker could not be made: ")
    assert told in said
    assert "RequestToken" not in said
    assert "HandlerErrorCode" not in said


def test_a_secret_in_a_reason_is_not_shown() -> None:
    assert "hush" not in cause_of(event("String measured: {'KEY': 'hush'}", "UPDATE_FAILED"), ["hush"])


def test_what_was_only_stopped_is_not_the_cause() -> None:
    assert not event("Resource creation cancelled").failed
    assert not event("Resource update cancelled", "UPDATE_FAILED").failed
    assert event("Rate exceeded").failed
