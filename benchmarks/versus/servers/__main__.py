"""`python -m benchmarks.versus.servers`: all servers in one process, until its standard input closes."""

import asyncio
import gc
import json
import signal
import ssl
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path

from benchmarks.versus.servers.certificate import make_certificate, server_context
from benchmarks.versus.servers.control import Control
from benchmarks.versus.servers.http import Connection, Ledger, Service


def main() -> None:
    """Serve, and say where in one line of JSON."""
    with tempfile.TemporaryDirectory(prefix="versus-") as folder:
        asyncio.run(_serve(Path(folder)))


async def _serve(folder: Path) -> None:
    certificate = make_certificate(folder)
    context, control = server_context(certificate), Control()
    addresses = {"ca": str(certificate.trusted)}
    for service in (control.dynamodb, control.sqs, control.line, control.openai):
        addresses[service.name] = f"https://127.0.0.1:{await _listen(service, control.ledger, context)}"
    addresses["openai"] += "/v1"
    addresses["control"] = f"http://127.0.0.1:{await _listen(control, Ledger(), None)}"
    # A search for garbage among ten thousand items would take longer than a hundred answers.
    gc.freeze()
    gc.disable()
    print(json.dumps(addresses), flush=True)  # noqa: T201  this is what the caller waits for
    await _told_to_stop()


async def _listen(service: Service, ledger: Ledger, context: ssl.SSLContext | None) -> int:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Connection, service, ledger), "127.0.0.1", 0, ssl=context)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def _told_to_stop() -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def watch() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, daemon=True).start()
    await stop.wait()


if __name__ == "__main__":
    main()
