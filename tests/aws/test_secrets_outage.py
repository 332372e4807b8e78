"""AWS is out of order, slow or not to be reached: what was known serves on, and nobody waits for another's call."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event

import pytest
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from botkit.aws.remote_secrets import RemoteSecrets
from botkit.aws.secrets import FRESH_MS, STALE_MS, STALE_RETRY_MS, ReferenceSecrets
from botkit.errors import SecretError
from botkit.ports import Secrets
from botkit.testing import MovableClock
from tests.aws.upstream import Upstream, failure_of, refusal
from tests.support.aws import CREDENTIALS, free_port

Put = Callable[..., str]
SSM = "ssm:/inn/token"
MANAGER = "secretsmanager:inn#token"

# ---------------------------------------------------------------- AWS out of order


def test_an_outage_is_bridged_with_the_last_value_for_an_hour(
    secrets: Secrets, upstream: Upstream, clock: MovableClock, put_secret: Put, caplog: pytest.LogCaptureFixture
) -> None:
    reference = put_secret("kept")
    secrets.get(reference)
    upstream.down = True
    clock.sleep(FRESH_MS)
    assert secrets.get(reference) == "kept"
    assert caplog.messages == [
        f"{reference} is refused by AWS (ServiceUnavailable); its last value serves on, for 60 minutes at most"
    ]
    clock.sleep(STALE_MS - 1)
    assert secrets.get(reference) == "kept"
    clock.sleep(1)
    with pytest.raises(SecretError) as caught:
        secrets.get(reference)
    assert caught.value.retryable


def test_an_outage_is_looked_at_once_a_minute_and_its_end_is_seen(
    secrets: Secrets, upstream: Upstream, clock: MovableClock, put_secret: Put
) -> None:
    reference = put_secret("old")
    secrets.get(reference)
    put_secret("new", reference)
    upstream.down = True
    clock.sleep(FRESH_MS)
    for _ in range(3):
        assert secrets.get(reference) == "old"
    assert len(upstream.calls) == 2
    upstream.down = False
    clock.sleep(STALE_RETRY_MS)
    assert secrets.get(reference) == "new"


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_a_clear_no_holds_at_once(
    secrets: Secrets, upstream: Upstream, clock: MovableClock, put_secret: Put, code: str
) -> None:
    reference = put_secret("kept")
    secrets.get(reference)
    upstream.answers["GetSecretValue"] = refusal(code)
    clock.sleep(FRESH_MS)
    with pytest.raises(SecretError):
        secrets.get(reference)


def test_an_outage_is_met_once_and_not_by_every_batch(secrets: ReferenceSecrets, upstream: Upstream) -> None:
    upstream.down = True
    references = [f"secretsmanager:s{n}" for n in range(45)]
    secrets.warm(references)
    for reference in references:
        with pytest.raises(SecretError):
            secrets.get(reference)
    assert upstream.operations == ["BatchGetSecretValue"]


# ---------------------------------------------------------------- threads


class WatchedClock(MovableClock):
    """Tells when it has been looked at `looks` times."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks
        self.reached = Event()

    def now(self) -> int:
        self.looks -= 1
        if self.looks <= 0:
            self.reached.set()
        return super().now()


def test_threads_that_want_one_secret_make_one_call(
    upstream: Upstream, asked_with: Session | None, put_parameter: Put
) -> None:
    reference = put_parameter("one")
    upstream.held["GetParameters"] = Event()
    clock = WatchedClock(8)
    with closing(RemoteSecrets(asked_with)) as remote, ThreadPoolExecutor(8) as pool:
        secrets = ReferenceSecrets({}, clock, remote)
        got = [pool.submit(secrets.get, reference) for _ in range(8)]
        assert clock.reached.wait(10)  # all eight have found nothing at hand
        upstream.held["GetParameters"].set()
        assert [one.result(10) for one in got] == ["one"] * 8
    assert len(upstream.calls) == 1


def test_a_slow_service_holds_up_nobody_else(
    secrets: Secrets, upstream: Upstream, put_parameter: Put, put_secret: Put
) -> None:
    slow, quick = put_parameter("slow"), put_secret("quick")
    held = upstream.held["GetParameters"] = Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(secrets.get, slow)
        assert upstream.called.wait(10)
        assert secrets.get(quick) == "quick"
        assert not waiting.done()
        held.set()
        assert waiting.result(10) == "slow"


def test_who_has_an_old_value_does_not_wait_for_another_threads_call(
    upstream: Upstream, asked_with: Session | None, put_parameter: Put
) -> None:
    reference = put_parameter("old")
    clock = WatchedClock(1000)
    with closing(RemoteSecrets(asked_with)) as remote, ThreadPoolExecutor(1) as pool:
        secrets = ReferenceSecrets({}, clock, remote)
        secrets.get(reference)
        put_parameter("new", reference)
        clock.sleep(FRESH_MS)
        held = upstream.held["GetParameters"] = Event()
        clock.looks = 1
        asking = pool.submit(secrets.get, reference)
        assert clock.reached.wait(10)
        assert secrets.get(reference) == "old"
        held.set()
        assert asking.result(10) == "new"


# ---------------------------------------------------------------- AWS out of reach


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing about AWS."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    return monkeypatch


@pytest.fixture
def fresh(no_aws: pytest.MonkeyPatch, clock: MovableClock) -> Iterator[ReferenceSecrets]:
    """Secrets whose AWS is what a test puts into the environment."""
    with closing(RemoteSecrets(attempts=1)) as remote:
        yield ReferenceSecrets({}, clock, remote)


def test_without_a_region_the_error_names_the_variable(fresh: ReferenceSecrets) -> None:
    error = failure_of(fresh, SSM)
    assert str(error) == f"{SSM} cannot be asked for without an AWS region; set AWS_DEFAULT_REGION"
    assert isinstance(error.__cause__, BotoCoreError)


@pytest.mark.parametrize("profile", ["", "nobody"])
def test_without_credentials_the_error_says_where_they_come_from(
    fresh: ReferenceSecrets, no_aws: pytest.MonkeyPatch, profile: str
) -> None:
    no_aws.setenv("AWS_DEFAULT_REGION", "us-east-1")
    if profile:
        no_aws.setenv("AWS_PROFILE", profile)
    error = failure_of(fresh, MANAGER)
    assert str(error) == (
        f"{MANAGER} cannot be asked for without AWS credentials; give the function a role, or set AWS_PROFILE"
    )
    assert isinstance(error.__cause__, BotoCoreError)


def test_a_refused_connection_may_be_asked_again(fresh: ReferenceSecrets, no_aws: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        no_aws.setenv(name, value)
    no_aws.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    error = failure_of(fresh, SSM)
    assert str(error).startswith(f"{SSM} cannot be asked for, because AWS does not answer: Could not connect")
    assert error.retryable
    assert isinstance(error.__cause__, BotoCoreError)


def test_a_failure_that_is_kept_keeps_no_frames(fresh: ReferenceSecrets, no_aws: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        no_aws.setenv(name, value)
    no_aws.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    cause = failure_of(fresh, SSM).__cause__
    assert cause is not None
    assert (cause.__context__, cause.__traceback__) == (None, None)


def test_a_broken_endpoint_is_said(fresh: ReferenceSecrets, no_aws: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        no_aws.setenv(name, value)
    no_aws.setenv("AWS_ENDPOINT_URL", "not a url")
    assert str(failure_of(fresh, SSM)) == (
        f"{SSM} cannot be asked for; see that AWS_ENDPOINT_URL, where it is set, is a URL and leads to AWS"
    )
