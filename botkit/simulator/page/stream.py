"""What happens, told to every open page at once: from the playground's threads to server-sent events."""

from asyncio import AbstractEventLoop, Event, Queue, QueueFull, get_running_loop
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from time import time
from typing import Any

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from botkit.simulator.page import views
from botkit.simulator.playground.playground import Notice, Playground
from botkit.simulator.server import CLOSING
from botkit.simulator.wire import JsonObject, compact

COALESCED = 0.05
"""Seconds in which all that changes the world becomes one state."""
MOST_WAITING = 500
"""Lines that a page may be behind. It is cut off then: it comes back by itself, and gets the whole state."""
BEAT = 15.0
"""Seconds of silence after which a comment shows that the stream lives."""

_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
_RETRY = b"retry: 500\n\n"
_COMMENT = b": still here\n\n"


class Client:
    """One open page; lives as long as its connection. Used in the server's event loop only."""

    def __init__(self) -> None:
        self.lines: Queue[bytes] = Queue(MOST_WAITING)
        self.cut_off = Event()

    def put(self, line: bytes) -> None:
        """Have it sent, unless the page is too far behind."""
        with suppress(QueueFull):
            self.lines.put_nowait(line)
            return
        self.cut_off.set()


class Hub:
    """The open pages of a playground. What is not about the world is told at once and in order.

    `tell` may be called in any thread; everything else happens in the event loop of the server.
    """

    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        self._clients: set[Client] = set()
        self._loop: AbstractEventLoop | None = None
        self._changes = count(int(time() * 1000))
        self._state_is_due = False
        playground.listen(self.tell)

    @property
    def pages(self) -> int:
        """How many pages are open."""
        return len(self._clients)

    def state(self) -> JsonObject:
        """The whole state. The later one has the higher version, also after a restart."""
        return views.state(self._playground, next(self._changes))

    def tell(self, notice: Notice) -> None:
        """Pass it on; quick, because whoever changes the world waits for it."""
        if self._clients and self._loop is not None:
            with suppress(RuntimeError):  # the server has ended meanwhile
                self._loop.call_soon_threadsafe(self._take, notice)

    def join(self) -> Client:
        """A page has opened: it gets the state, and all that happens from now on."""
        self._loop = get_running_loop()
        client = Client()
        self._clients.add(client)
        client.put(_RETRY)
        client.put(_line({"kind": "state", "state": self.state()}))
        return client

    def leave(self, client: Client) -> None:
        """A page has closed."""
        self._clients.discard(client)

    def _take(self, notice: Notice) -> None:
        told = _told(self._playground, notice)
        if told is not None:
            self._send(told)
        # A message changes the list of chats, too.
        if notice.kind in ("world", "message") and not self._state_is_due:
            self._state_is_due = True
            get_running_loop().call_later(COALESCED, self._send_state)

    def _send_state(self) -> None:
        self._state_is_due = False
        if self._clients:
            self._send({"kind": "state", "state": self.state()})

    def _send(self, told: JsonObject) -> None:
        line = _line(told)
        for client in self._clients:
            client.put(line)


class EventStream(Response):
    """Server-sent events to one page, until it closes, falls behind, or the server ends."""

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer (ASGI)."""
        client = self._hub.join()
        ends = [client.cut_off.wait, _gone(receive)]
        if CLOSING in scope:
            ends.append(scope[CLOSING].wait)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await _until_any(ends, lambda: _pour(client, send))
            with anyio.move_on_after(1):  # one that does not read cannot be told of the end either
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._hub.leave(client)


async def _pour(client: Client, send: Send) -> None:
    while True:
        line = _COMMENT
        with anyio.move_on_after(BEAT):
            line = await client.lines.get()
        await send({"type": "http.response.body", "body": line, "more_body": True})


async def _until_any(ends: list[Callable[[], Awaitable[Any]]], work: Callable[[], Awaitable[None]]) -> None:
    """Do the work until one of the `ends` has come."""
    async with anyio.create_task_group() as group:

        async def end(wait: Callable[[], Awaitable[Any]]) -> None:
            await wait()
            group.cancel_scope.cancel()

        for wait in ends:
            group.start_soon(end, wait)
        await work()


def _gone(receive: Receive) -> Callable[[], Awaitable[None]]:
    async def wait() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return wait


def _told(playground: Playground, notice: Notice) -> JsonObject | None:
    """What a page is told of it; None where the state says it."""
    chat = notice.chat
    where = {"bot": notice.bot, "chat": views.chat_id(chat)} if chat else {"bot": notice.bot}
    match notice.kind:
        case "message" if chat and notice.utterance:
            return {
                "kind": "message",
                **where,
                "message": views.message(playground, notice.bot, chat, notice.utterance),
            }
        case "loading" if chat:
            return {"kind": "loading", **where, "until": views.loading_until(playground, notice.bot, chat)}
        case "trace":
            return {"kind": "trace", "bot": notice.bot, "event": notice.event}
        case "webhook":
            return {"kind": "webhook", **where, "event": notice.event, "status": notice.status, "text": notice.text}
    return None


def _line(told: JsonObject) -> bytes:
    return b"data: " + compact(told) + b"\n\n"
