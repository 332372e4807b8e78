"""A client of one AWS service: signed calls over kept connections, a few attempts, and botocore's errors."""

import json
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import urllib3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from urllib3 import exceptions as faults

from botkit.wire.answers import read_answer
from botkit.wire.connections import HttpPool, HttpsPool
from botkit.wire.retries import is_passing, longest_pause
from botkit.wire.settings import Settings
from botkit.wire.signature import Signer
from botkit.wire.tls import tls_context

CONNECTIONS: Final = 10
"""How many are kept for the next call: botocore's own number."""


@dataclass(frozen=True, slots=True)
class Service:
    """How a service is spoken to: its name in signatures, the prefix of its operations, its version of JSON.

    `older_codes`: the service tells the error codes of its former protocol beside those of today.
    """

    name: str
    target: str
    json_version: str
    older_codes: bool = False


@dataclass(frozen=True, slots=True)
class Meta:
    """What a client knows of itself."""

    region_name: str


class AwsClient:
    """Calls the operations of one service; lives as long as the process and may be shared by threads.

    Timeouts in seconds; `attempts` counts the first one. `clock` gives the seconds since 1970, `pause` waits so
    many seconds, which `jitter` picks below a limit.
    """

    def __init__(
        self,
        service: Service,
        settings: Settings,
        connect_timeout: float,
        read_timeout: float,
        attempts: int,
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
        jitter: Callable[[float], float] = lambda limit: random.uniform(0, limit),  # noqa: S311  guards nothing
    ) -> None:
        self.meta = Meta(settings.region)
        self._settings = settings
        self._service = service
        self._attempts = attempts
        self._clock, self._pause, self._jitter = clock, pause, jitter
        self._signer = Signer(settings.credentials, settings.region, service.name)
        self._timeout = urllib3.Timeout(connect=connect_timeout, read=read_timeout)
        self._pool = self._connect()

    def call(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to an operation, made again where the failure passes by itself.

        Raises botocore's own errors (ClientError, EndpointConnectionError, ReadTimeoutError …), and
        ValueError where the answer is no JSON object. None of them tells a credential.
        """
        body, attempt = json.dumps(asked).encode(), 1
        while True:
            try:
                return self._call_once(operation, body)
            except (ClientError, BotoCoreError) as error:
                if attempt >= self._attempts or not is_passing(error):
                    raise
            self._pause(self._jitter(longest_pause(attempt)))
            attempt += 1

    def close(self) -> None:
        """Close the connections; a later call makes new ones."""
        pool, self._pool = self._pool, self._connect()
        pool.close()

    def _connect(self) -> urllib3.HTTPConnectionPool:
        host, port = self._settings.host, self._settings.port
        if self._settings.scheme == "http":
            return HttpPool(host, port, maxsize=CONNECTIONS)
        try:
            context = tls_context(self._settings.ca_bundle)
        except OSError as error:
            raise SSLError(endpoint_url=self._settings.url, error=error) from error
        return HttpsPool(host, port, maxsize=CONNECTIONS, ssl_context=context)

    def _call_once(self, operation: str, body: bytes) -> dict[str, Any]:
        with _botocores_errors(self._settings.url):
            headers = {**self._signer.sign(self._headers(operation), body, self._clock()), **_unsigned()}
            answer = self._pool.urlopen(
                "POST", "/", body=body, headers=headers, timeout=self._timeout, retries=False, redirect=False
            )
            _check_end(answer)
        return read_answer(operation, answer, self._settings.credentials.token)

    def _headers(self, operation: str) -> dict[str, str]:
        headers = {
            "Content-Type": f"application/x-amz-json-{self._service.json_version}",
            "Host": self._settings.authority,
            "X-Amz-Target": f"{self._service.target}.{operation}",
        }
        return headers | {"X-Amzn-Query-Mode": "true"} if self._service.older_codes else headers


def _check_end(answer: urllib3.BaseHTTPResponse) -> None:
    # Without these urllib3 takes what a connection lost amid the headers has left for a whole and empty answer.
    if "Content-Length" not in answer.headers and "Transfer-Encoding" not in answer.headers:
        raise faults.ProtocolError("the answer does not say where it ends")


def _unsigned() -> dict[str, str]:
    """What somebody on the way may change.

    The trace is Lambda's own of each invocation: AWS finds by it functions that wake themselves without end (AWS
    Lambda developer guide: Use Lambda recursive loop detection).
    """
    trace = os.environ.get("_X_AMZN_TRACE_ID")
    headers = {"User-Agent": "botkit"}
    return headers | {"X-Amzn-Trace-Id": quote(trace, safe="-=;:+&[]{}\"',")} if trace else headers


@contextmanager
def _botocores_errors(url: str) -> Iterator[None]:
    """Turns what urllib3 raises into what botocore raises for the same failure (botocore: httpsession.py)."""
    try:
        yield
    except faults.SSLError as error:
        raise SSLError(endpoint_url=url, error=error) from error
    except faults.NewConnectionError as error:
        raise EndpointConnectionError(endpoint_url=url, error=error) from error
    except faults.ConnectTimeoutError as error:
        raise ConnectTimeoutError(endpoint_url=url, error=error) from error
    except faults.ReadTimeoutError as error:
        raise ReadTimeoutError(endpoint_url=url, error=error) from error
    except faults.ProtocolError as error:
        raise ConnectionClosedError(endpoint_url=url, error=error) from error
    except (faults.HTTPError, ValueError) as error:
        # By its kind alone, and without a cause: of a header that cannot be sent, the error holds the header.
        raise HTTPClientError(error=type(error).__name__) from None
