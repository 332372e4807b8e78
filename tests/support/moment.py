"""Moments at which a server beside the test is: they can be waited for, and held."""

from threading import Event

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Moment:
    """The first call of a path, held when it was carried out and before its answer goes out.

    `before`: it is held before it is carried out, and never is. Wraps an ASGI application.
    """

    def __init__(self, app: ASGIApp, path: str, *, before: bool = False) -> None:
        self._app = app
        self._path = path
        self._before = before
        self._taken = False
        self._reached = Event()
        self._released = Event()

    def wait(self) -> None:
        """Wait until it has come."""
        assert self._reached.wait(30), f"nothing was asked of {self._path}"

    def release(self) -> None:
        """Let the call go."""
        self._released.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._taken or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        self._taken = True
        if self._before:
            await self._hold()
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body"})
            return

        async def hold_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._hold()
            await send(message)

        await self._app(scope, receive, hold_and_send)

    async def _hold(self) -> None:
        self._reached.set()
        await run_in_threadpool(self._released.wait, 30)
