"""The platform's API without a network: for thousands of calls, each of which would cost a connection's time."""

from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import ProtocolError

from botkit.simulator.api import NOT_ANSWERED, Request, handle
from botkit.simulator.world import World


class DirectPool(urllib3.PoolManager):
    """Carries the calls of a `LineClient` to a platform of this process, whatever their host."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def urlopen(self, method: str, url: str, redirect: bool = True, **kw: Any) -> urllib3.BaseHTTPResponse:  # type: ignore[override]  # noqa: ARG002  as urllib3's own
        """Make one call. Raises ProtocolError where the platform gives no answer."""
        headers = {name.lower(): value for name, value in (kw.get("headers") or {}).items()}
        answer = handle(self._world, Request(method, urlsplit(url).path, headers, kw.get("body") or b""))
        if answer.status == NOT_ANSWERED:
            raise ProtocolError("Connection aborted.")
        body, status = BytesIO(answer.body), answer.status
        return urllib3.HTTPResponse(body, dict(answer.headers), status, preload_content=False, request_method=method)
