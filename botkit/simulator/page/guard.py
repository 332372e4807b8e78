"""Who may use the page: only itself, in a browser of this machine. Other sites and other names are refused."""

import re
from collections.abc import Iterator

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Names that lead to this machine whatever a name server says. A page of another name that was made to lead here
# (DNS rebinding) is of its own origin to the browser, and only its Host tells.
_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_MINE = ("same-origin", "none")
"""`Sec-Fetch-Site` of what the page itself asks for, and of what somebody typed. Another port is `same-site`."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The page's Content-Security-Policy: nothing from elsewhere, and no script but its own files."""

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-cache",
    "x-botkit": "page",
}


class Guard:
    """Lets in what the page asks for, refuses the rest with 403, and puts the page's safety into every answer.

    Anything on this machine that is not a browser may ask, too: without `Origin` and `Sec-Fetch-Site`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        fault = next(_faults(scope["method"], scope["path"], Headers(scope=scope)), None)
        app = self._app if fault is None else JSONResponse({"error": fault}, 403)
        await app(scope, receive, send_guarded)


def _faults(method: str, path: str, headers: Headers) -> Iterator[str]:
    """What speaks against a request, each a sentence."""
    host = headers.get("host", "")
    if not _HOST.fullmatch(host):
        yield "This page answers only to this machine; open it as 127.0.0.1 or localhost."
    site = headers.get("sec-fetch-site", "none")
    if site not in _MINE and not _is_visit(method, path, headers):
        yield "Another site asked for this, and only the page itself may; open it in a tab of its own."
    if method in ("GET", "HEAD"):
        return
    if headers.get("origin", f"http://{host}").lower() != f"http://{host}".lower():
        yield "Only the page itself may do this, and the request comes from another origin."
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        yield "A request that does something is JSON; send it with `Content-Type: application/json`."


def _is_visit(method: str, path: str, headers: Headers) -> bool:
    """Whether somebody follows a link to the page from elsewhere."""
    opens = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    return method == "GET" and path == "/" and opens
