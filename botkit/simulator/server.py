"""Serves an ASGI application on loopback, from a thread, for as long as a `with` block lasts."""

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import sleep

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

CLOSING = "botkit.closing"
"""Key of the ASGI scope: an `asyncio.Event`, set when the server ends. Who streams has to end then, too."""

_PATIENCE = 2
"""Seconds that connections may go on after the end; only one whose client has stopped to read needs them."""


@contextmanager
def serving(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Yield the base URL of `app` on 127.0.0.1; port 0 takes a free one. Raises OSError where the port is taken."""
    # Named as TCP: only then does asyncio switch Nagle's algorithm off, which costs 40 ms a request.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)  # here, where a port that is taken can still be told
        server = _Server(app)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="server", daemon=True)
        thread.start()
        while thread.is_alive() and not server.started:
            sleep(0.005)
        if not server.started:
            raise OSError(errno.EADDRNOTAVAIL, "the server did not start")
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    """uvicorn, which tells its streams when it ends: by itself it waits for them, however long."""

    def __init__(self, app: ASGIApp) -> None:
        self._closing = asyncio.Event()

        async def told(scope: Scope, receive: Receive, send: Send) -> None:
            scope[CLOSING] = self._closing
            await app(scope, receive, send)

        super().__init__(
            uvicorn.Config(
                told,
                log_level="warning",
                access_log=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=_PATIENCE,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._closing.set()
        await super().shutdown(sockets)
