"""The page over HTTP: its files, the world as JSON, the stream of what happens, and what a person does."""

from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from botkit.errors import RequestError, UpstreamError
from botkit.messages import Chat
from botkit.simulator.page import views
from botkit.simulator.page.actions import act
from botkit.simulator.page.bodies import LARGEST_MEDIA
from botkit.simulator.page.desk import Desk
from botkit.simulator.page.guard import Guard
from botkit.simulator.page.media import media_response
from botkit.simulator.page.stream import EventStream, Hub
from botkit.simulator.playground.playground import Playground
from botkit.simulator.wire import compact

STATIC: Final = Path(__file__).parent / "static"
LARGEST_BODY = LARGEST_MEDIA * 4 // 3 + 65_536
"""Bytes: the largest media as base64, and what is said about it."""

# Not the system's table of types, which may call a script plain text; a browser would not run it then.
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
_KINDS: Final = {"user": "user", "group": "group", "room": "room"}


def page_app(playground: Playground) -> Starlette:
    """The page of a playground as an ASGI application, for 127.0.0.1 only. `state.hub` knows the open pages."""
    hub = Hub(playground)
    pages = Pages(playground, hub)
    app = Starlette(
        routes=[
            Route("/", pages.index),
            Route("/static/{name:path}", pages.file),
            Route("/sim/state", pages.state),
            Route("/sim/chat", pages.chat),
            Route("/sim/trace", pages.trace),
            Route("/sim/media/{message_id}", pages.media),
            Route("/sim/stream", pages.stream, methods=["GET"]),
            Route("/sim/do/{verb}", pages.do, methods=["POST"]),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers={
            RequestError: _refuse,
            UpstreamError: _fail,
            HTTPException: _refuse_http,
            Exception: _break,
        },
    )
    app.state.hub = hub
    return app


class Pages:
    """The answers to the page's requests. Lives as long as the application."""

    def __init__(self, playground: Playground, hub: Hub) -> None:
        self._playground = playground
        self._hub = hub
        self._desk = Desk(playground)

    def index(self, request: Request) -> Response:
        """The page itself."""
        return _file(request, "index.html")

    def file(self, request: Request) -> Response:
        """One of its files."""
        return _file(request, request.path_params["name"])

    def state(self, _request: Request) -> Response:
        """Everything but the messages."""
        return _json(self._hub.state())

    def chat(self, request: Request) -> Response:
        """The messages of one chat."""
        asked = request.query_params
        kind, bot = _KINDS.get(asked.get("kind", "")), asked.get("bot", "")
        if kind is None or not asked.get("id"):
            raise RequestError(400, "Name a chat as ?bot=NAME&kind=user&id=U… or kind=group&id=C….")
        return _json(views.chat(self._playground, bot, Chat(kind, asked["id"])))  # type: ignore[arg-type]  # a key of _KINDS

    def trace(self, request: Request) -> Response:
        """What happened to one event."""
        asked = request.query_params
        found = self._playground.traces.of(asked.get("bot", ""), asked.get("event", ""))
        if found is None:
            raise RequestError(
                404,
                "No bot has taken this in: LINE may have lost the webhook. (The newest 300 are remembered.)",
            )
        return _json(found)

    def media(self, request: Request) -> Response:
        """What a message holds."""
        message_id, platform = request.path_params["message_id"], self._playground.platform
        with platform.lock:
            found = next((one for (_, name), one in platform.contents.items() if name == message_id), None)
        if found is None:
            raise RequestError(404, "There is nothing here; the message may have been unsent.")
        return media_response(found, request.headers.get("range"))

    async def stream(self, request: Request) -> Response:
        """All that happens from now on; to HEAD, which has no body, nothing."""
        return EventStream(self._hub) if request.method == "GET" else Response(None, media_type="text/event-stream")

    async def do(self, request: Request) -> Response:
        """Carry out one verb. In a thread: a world at work may have to be waited for."""
        body = await _body(request)
        return _json(await run_in_threadpool(act, self._desk, request.path_params["verb"], body))


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise RequestError(400, "This is too large; choose a file of at most 10 MB.")
    return bytes(body)


def _file(request: Request, name: str) -> Response:
    """One of the page's files; it is looked up by its name alone, so no path leads out of the folder."""
    path = next((path for path in STATIC.iterdir() if path.name == name and path.suffix in _TYPES), None)
    if path is None:
        raise RequestError(404, f"The page has no file {name!r}.")
    data = path.read_bytes()
    tag = f'"{sha256(data).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(None, 304, {"etag": tag})
    return Response(data, 200, {"etag": tag}, _TYPES[path.suffix])


def _json(document: object, status: int = 200) -> Response:
    return Response(compact(document), status, {"cache-control": "no-store"}, "application/json")


def _refuse(_request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RequestError) else 400
    return _json({"error": str(error)}, status)


def _fail(_request: Request, error: Exception) -> Response:
    return _json({"error": f"That could not be done: {error}"}, 503)


def _refuse_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    return _json({"error": f"There is no {request.method} {request.url.path} here; load the page anew."}, status)


def _break(_request: Request, error: Exception) -> Response:
    return _json({"error": f"botkit itself has failed ({type(error).__name__}); its terminal shows where."}, 500)
