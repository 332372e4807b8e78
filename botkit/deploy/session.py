"""A session with AWS: whose credentials, which region, and clients that do not wait for ever."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.config import Config
from botocore.loaders import create_loader
from botocore.session import Session as BotocoreSession

from botkit.deploy.failures import in_plain_words
from botkit.errors import DeployError

CONNECT_TIMEOUT: Final = 5.0
READ_TIMEOUT: Final = 30.0
"""Seconds. A person waits; botocore would for 60, and ten times that."""
ATTEMPTS: Final = 5
"""Tries of one call, with growing pauses, so that a throttled call gets through."""

_VARIABLES: Final = {
    "profile": ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"),
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "config_file": ("AWS_CONFIG_FILE",),
    "credentials_file": ("AWS_SHARED_CREDENTIALS_FILE",),
    "ca_bundle": ("AWS_CA_BUNDLE",),
}
"""By botocore's name of a setting the environment variables that give it, the first one first (as AWS CLI v2 does)."""

TOGETHER: Final = (
    frozenset(
        {
            *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
            *("AWS_PROFILE", "AWS_DEFAULT_PROFILE"),
            *("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
            *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        }
    ),
    frozenset(_VARIABLES["region"]),
)
"""Variables that say one thing between them: whose credentials are meant, and which region."""

_SERVICE_IDS: Final = {"secretsmanager": "secrets_manager"}
"""Services whose variable is not named as botocore names them (SDKs and tools guide: service-specific endpoints)."""

_LOADER: Final = create_loader()
"""Shared, because each one parses AWS's descriptions of its services anew, which takes a fifth of a second each."""


class Session(BotocoreSession):
    """A botocore session of an environment that may be more than the process's own: `.env` counts too.

    Lives as long as a command; `clients` are those that were made so far, by service. They go where
    AWS_ENDPOINT_URL leads, as botocore's do.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__()
        self.register_component("data_loader", _LOADER)
        self._environ = environ
        self.clients: dict[str, Any] = {}
        for setting, names in _VARIABLES.items():
            if value := next(filter(None, map(self._given, names)), ""):
                self.set_config_variable(setting, value)
        key, secret = self._given("AWS_ACCESS_KEY_ID"), self._given("AWS_SECRET_ACCESS_KEY")
        # Keys go before a profile, as in AWS's own tools; botocore would forget them where a profile is set by hand.
        if key and secret:
            self.set_credentials(key, secret, self._given("AWS_SESSION_TOKEN") or None)

    def create_client(self, service_name: Any, *arguments: Any, **options: Any) -> Any:
        """As botocore's; the endpoint is that of the session's own environment where none is given."""
        if not options.get("endpoint_url"):
            options["endpoint_url"] = self.endpoint(service_name)
        return super().create_client(service_name, *arguments, **options)

    def endpoint(self, service: str) -> str | None:
        """Where AWS_ENDPOINT_URL_SERVICE or AWS_ENDPOINT_URL send calls; None is AWS itself."""
        if self._given("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").lower() == "true":
            return None
        name = _SERVICE_IDS.get(service, service).upper()
        return self._given(f"AWS_ENDPOINT_URL_{name}") or self._given("AWS_ENDPOINT_URL") or None

    @property
    def region(self) -> str:
        """The region; empty where there is none."""
        return str(self.get_config_variable("region") or "")

    @property
    def attempts(self) -> int:
        """How often one call is tried."""
        given = self._given("AWS_MAX_ATTEMPTS")
        return int(given) if given.isdecimal() and int(given) else ATTEMPTS

    def _given(self, name: str) -> str:
        return (self._environ.get(name) or "").strip()


@dataclass(frozen=True, slots=True)
class Caller:
    """In whose name calls are made: the account's number, the ARN, and AWS's partition (`aws`, `aws-cn`, …)."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """`aws`, or what an ARN begins with in China and elsewhere."""
        return self.arn.split(":")[1] if self.arn.count(":") > 1 else "aws"


def open_session(environ: Mapping[str, str]) -> Session:
    """A session with credentials and a region, as the environment and AWS's own files give them.

    Raises DeployError where there is none of either, with what to set.
    """
    with in_plain_words("open a session with AWS"):
        session = Session(environ)
        if not session.region:
            raise DeployError(
                "AWS has no region to work in: set AWS_DEFAULT_REGION (such as ap-northeast-1), "
                "or write one with `aws configure`"
            )
        credentials = session.get_credentials()
        if credentials is None:
            raise DeployError(
                "there are no AWS credentials: run `aws configure` or `aws sso login`, or set AWS_PROFILE, "
                "or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        credentials.get_frozen_credentials()  # those of a log-in are fetched now, and may have expired
    return session


def client(session: BotocoreSession, service: str) -> Any:
    """The session's client of a service, with short timeouts and patience for throttling. Raises DeployError."""
    made = getattr(session, "clients", {})
    if service in made:
        return made[service]
    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": getattr(session, "attempts", ATTEMPTS)},
        # The bucket's name goes into the path where the endpoint is one of one's own, and into the host on AWS.
        s3={"addressing_style": "auto"},
    )
    with in_plain_words(f"reach {service}"):
        make: Any = session.create_client  # the stubs know the services by literal names
        made[service] = make(service, config=config)
    return made[service]


def caller(session: BotocoreSession) -> Caller:
    """Who is calling. Raises DeployError, also where the credentials are not accepted."""
    with in_plain_words("ask AWS whose credentials these are"):
        answer = client(session, "sts").get_caller_identity()
        return Caller(answer["Account"], answer["Arn"])
