"""What is worth another attempt, and how long to wait before it, as botocore's standard mode has them."""

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  botocore's own name for it
    HTTPClientError,
)

STATUSES: Final = frozenset({429, 500, 502, 503, 504})
CODES: Final = frozenset(
    {
        *("RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete", "ReplicatedWriteConflictException"),
        *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException"),
        *("TooManyRequestsException", "ProvisionedThroughputExceededException", "TransactionInProgressException"),
        *("RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException", "SlowDown"),
    }
)
"""Refusals that pass by themselves (botocore: retries/standard.py)."""

BASE: Final = 0.05
"""Seconds (AWS SDKs and Tools reference guide: Retry behavior). botocore waits up to 1 s where it is throttled, but
LINE waits for two in all."""


def is_passing(error: ClientError | BotoCoreError) -> bool:
    """Whether the same call may well succeed a moment later."""
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return status in STATUSES or error.response["Error"]["Code"] in CODES
    return isinstance(error, (ConnectionError, HTTPClientError))


def longest_pause(attempts: int) -> float:
    """The upper bound in seconds of the wait after so many attempts; the wait itself is picked at random."""
    return float(BASE * 2 ** (attempts - 1))
