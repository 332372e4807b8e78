"""A client of an AWS service: the lean one where the environment's settings are plain, else botocore's."""

import os
from dataclasses import dataclass
from typing import Any

from botkit.wire.modules import load
from botkit.wire.services import SERVICES
from botkit.wire.settings import settings


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client waits, in seconds, to connect and then for each piece of the answer, and how often it tries.

    `attempts` counts the first one.
    """

    connect: float
    read: float
    attempts: int


def connect_to(service: str, patience: Patience, region: str | None = None) -> Any:
    """A client of `service` by botocore's name, in the SDK's own region or else in this one.

    Region, endpoint and credentials come from the SDK's own environment variables. Raises what botocore raises.
    """
    found = settings(service, os.environ, region)
    if found is None:
        return connect_botocore(service, patience, region)
    kind, spoken = SERVICES[service]
    return kind(spoken, found, patience.connect, patience.read, patience.attempts)


def connect_botocore(service: str, patience: Patience, region: str | None = None, session: Any = None) -> Any:
    """botocore's client, of `session` or a new one, which finds its settings wherever they are."""
    session = session or load("botocore.session").get_session()
    config = load("botocore.config").Config(
        connect_timeout=patience.connect,
        read_timeout=patience.read,
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
    )
    # The client that boto3 would give, without loading boto3's resources: nothing here has a use for them.
    name = session.get_config_variable("region") or region
    return session.create_client(service, region_name=name, config=config)
