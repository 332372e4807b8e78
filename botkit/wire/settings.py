"""AWS's settings, where the environment alone says them in the plain way in which it does on Lambda."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from botkit.wire.modules import load
from botkit.wire.signature import Credentials

SPECIAL: Final = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_DEFAULTS_MODE", "AWS_DATA_PATH", "AWS_CREDENTIAL_EXPIRATION"),
    *("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
    *("AWS_ACCOUNT_ID", "AWS_ACCOUNT_ID_ENDPOINT_MODE", "AWS_ENDPOINT_DISCOVERY_ENABLED", "AWS_CSM_ENABLED"),
)
"""Variables that change where or how botocore asks. Who sets one is served by botocore itself."""

FILES: Final = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}
"""Files that may say anything; where one is there, it is for botocore to read."""

# AWS's standard partition (botocore: data/partitions.json); the others have domains of their own.
REGION: Final = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+", re.ASCII)

LABEL: Final = r"(?!-)[A-Za-z\d-]{1,63}(?<!-)"
ENDPOINT: Final = re.compile(rf"(?P<scheme>https?)://(?P<host>({LABEL}\.)*{LABEL})(:(?P<port>\d{{1,5}}))?/?", re.ASCII)

# Where the name of a service in AWS_ENDPOINT_URL_… is not simply its own (botocore: configprovider.py).
VARIABLES: Final = {"secretsmanager": "SECRETS_MANAGER"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a service is and how to ask it; `port` is None for the scheme's own, and `ca_bundle` is a PEM file."""

    region: str
    scheme: str
    host: str
    port: int | None
    credentials: Credentials
    ca_bundle: str | None = None

    @property
    def authority(self) -> str:
        """Host and port as the header `Host` has them."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The endpoint as botocore's errors tell it."""
        return f"{self.scheme}://{self.authority}/"


def settings(service: str, environ: Mapping[str, str], region: str | None = None) -> Settings | None:
    """What botocore would find out about a service, or None where more is in play than plain variables.

    `region` is for an environment that names none. As botocore does, this reads AWS_DEFAULT_REGION and not
    AWS_REGION; Lambda sets both.
    """
    region = environ.get("AWS_DEFAULT_REGION") or region
    if not region or not REGION.fullmatch(region) or _is_special(environ):
        return None
    endpoint, credentials = ENDPOINT.fullmatch(_endpoint(service, region, environ)), _credentials(environ)
    if endpoint is None or credentials is None or _has_proxy(endpoint["scheme"], environ):
        return None
    bundle = environ.get("AWS_CA_BUNDLE", environ.get("REQUESTS_CA_BUNDLE"))
    if bundle is not None and not os.path.isfile(bundle):
        return None
    port = int(endpoint["port"]) if endpoint["port"] else None
    return Settings(region, endpoint["scheme"], endpoint["host"], port, credentials, bundle)


def _is_special(environ: Mapping[str, str]) -> bool:
    files = (os.path.expanduser(environ.get(name, usual)) for name, usual in FILES.items())
    return any(environ.get(name) for name in SPECIAL) or any(map(os.path.isfile, files))


def _endpoint(service: str, region: str, environ: Mapping[str, str]) -> str:
    variable = f"AWS_ENDPOINT_URL_{VARIABLES.get(service, service.upper())}"
    own = environ.get(variable) or environ.get("AWS_ENDPOINT_URL")
    return own or f"https://{service}.{region}.amazonaws.com"


def _credentials(environ: Mapping[str, str]) -> Credentials | None:
    key, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    token = environ.get("AWS_SECURITY_TOKEN") or environ.get("AWS_SESSION_TOKEN")
    return Credentials(key, secret, token or None) if key and secret else None


def _has_proxy(scheme: str, environ: Mapping[str, str]) -> bool:
    if sys.platform in ("darwin", "win32"):  # there the system's own settings may name one, too
        return scheme in load("urllib.request").getproxies()
    return any(value and name.lower() == f"{scheme}_proxy" for name, value in environ.items())
