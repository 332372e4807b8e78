"""The platform's API over HTTP: both of LINE's hosts under one base URL."""

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from botkit.simulator.api import LARGEST_REQUEST, NOT_ANSWERED, Answer, Request, handle
from botkit.simulator.world import World


def create_app(world: World) -> Starlette:
    """An ASGI application that answers as api.line.me and api-data.line.me, for `BOTKIT_LINE_URL`.

    It keeps no state: several may serve one platform, and a page may be mounted beside it.
    """
    return Starlette(routes=[api_route(world)])


def api_route(world: World) -> Route:
    """The route that takes every path below it; put it last."""

    async def answer_call(http: HttpRequest) -> HttpResponse:
        request = await _request(http)
        # In a thread, because a call may hang on purpose.
        return _response(await run_in_threadpool(handle, world, request))

    return Route("/{path:path}", answer_call, methods=["GET", "POST", "PUT", "DELETE"])


async def _request(http: HttpRequest) -> Request:
    """The whole request, but of a body that is too large only a little more than may be."""
    body = bytearray()
    async for chunk in http.stream():
        if len(body) <= LARGEST_REQUEST:
            body += chunk
    path = http.scope.get("raw_path", http.url.path.encode()).partition(b"?")[0].decode("ascii", "replace")
    return Request(http.method, path, dict(http.headers), bytes(body))


def _response(answer: Answer) -> HttpResponse:
    if answer.status == NOT_ANSWERED:
        return _Dropped()
    return HttpResponse(answer.body, answer.status, dict(answer.headers))


class _Dropped(HttpResponse):
    """Closes the connection without a byte, as a lost response looks to the client."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's own
        # ASGI has no word for it. A server that has begun a response can only hang up when it then fails,
        # and it fails before it writes when a header cannot be written.
        await send({"type": "http.response.start", "status": 500, "headers": [(b"in valid", b"\n")]})
