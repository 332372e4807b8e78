"""Open a page that looks and behaves like LINE, with every bot as a friend: no account, no key, no tunnel.

The bots run as they do when deployed, and this machine plays LINE's and AWS's part, for itself only.
A saved bot file takes effect with the next message. What was said is kept between runs. Without a key the
offline model rehearses; put OPENAI_API_KEY or OPENAI_BASE_URL into .env, and it is taken up at once.

example:
  botkit dev
  botkit dev --port 9000 --no-open
"""

import errno
import os
import signal
import socket
import sys
import webbrowser
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread, Timer
from time import sleep
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from rich.console import Console
from rich.table import Table
from rich.text import Text

from botkit.cli import check
from botkit.cli.folder import bots_folder, nothing_in
from botkit.cli.local import log_to_terminal, memory_of, store_of
from botkit.simulator.page.app import page_app
from botkit.simulator.playground.playground import Playground
from botkit.simulator.playground.settings import Settings, rehearses
from botkit.simulator.server import serving
from botkit.steps.model import Model
from botkit.wiring import ConfigurationError

PORT = 8400
_LEAVES_WITHIN = 0.8
"""Seconds after Ctrl-C; who still waits for a model then is not waited for. All that counts is in the store."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--port", type=_port, default=PORT, metavar="N", help=f"the page's port, by default {PORT}; 0 takes a free one"
    )
    parser.add_argument("--no-open", action="store_true", help="open no browser")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Serve the page until Ctrl-C; 0 then, 1 where it cannot start. Raises BotkitError."""
    console, folder = Console(highlight=False, emoji=False), bots_folder(environ)
    settings = Settings(environ)
    memory = memory_of(store_of(settings, environ))
    log_to_terminal()
    for signal_number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has started this in the background
        signal.signal(signal_number, signal.default_int_handler)
    try:
        _check_alone(memory, options.port)
        with (
            Playground.open(folder, settings, memory=memory) as playground,
            serving(page_app(playground), options.port) as url,
            _known_at(memory, url),
        ):
            _greet(console, playground, url, settings)
            if not options.no_open and has_display(environ):
                Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True).start()
            _wait()
            console.print("\n[dim]Stopped.[/]")
            _leave_soon()
    except OSError as error:
        raise ConfigurationError(_no_port(options.port, error)) from error
    _leave()
    return 0


# ---------------------------------------------------------------- where it can be seen


def has_display(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether a browser could be seen: elsewhere `webbrowser` would start one in this very terminal."""
    if platform in ("darwin", "win32"):
        return "SSH_CONNECTION" not in environ
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


# ---------------------------------------------------------------- one at a time


def _check_alone(memory: Path | None, port: int) -> None:
    """Raise ConfigurationError where this folder's page is open already, and OSError where the port is taken.

    Before anything is opened: two that share one memory would each take up what the other is at.
    """
    known = _address_file(memory)
    if known and known.is_file() and is_page(url := known.read_text("utf-8").strip()):
        raise ConfigurationError(f"`botkit dev` is running here already, at {url}; use that, or stop it first")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        probe.listen()


@contextmanager
def _known_at(memory: Path | None, url: str) -> Iterator[None]:
    """Write down where the page is, for the next who would start it here."""
    known = _address_file(memory)
    if known:
        with suppress(OSError):  # only the next who starts it here would miss it
            known.write_text(url, "utf-8")
    try:
        yield
    finally:
        if known:
            known.unlink(missing_ok=True)


def _address_file(memory: Path | None) -> Path | None:
    return memory.with_suffix(".url") if memory else None


def is_page(url: str) -> bool:
    """Whether a `botkit dev` answers there."""
    try:
        # Not by a proxy that the environment names: it is about this machine.
        with build_opener(ProxyHandler({})).open(url, timeout=1) as answer:
            return bool(answer.headers.get("x-botkit") == "page")
    except (URLError, OSError, ValueError):
        return False


def _no_port(port: int, error: OSError) -> str:
    if error.errno != errno.EADDRINUSE:
        return f"the page cannot be served on port {port}: {error.strerror or error}; name another by --port"
    url = f"http://127.0.0.1:{port}"
    who = f"another `botkit dev` is running there ({url})" if is_page(url) else "another program uses it"
    return f"port {port} is taken: {who}; name another port, such as --port {port + 1}, or any free one: --port 0"


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > 65_535:
        raise ArgumentTypeError(f"{text!r} is no port; write a number from 0 to 65535")
    return int(text)


# ---------------------------------------------------------------- what is printed


def _greet(console: Console, playground: Playground, url: str, settings: Mapping[str, str]) -> None:
    console.print(f"[bold green]botkit[/]  [link={url}]{url}[/link]\n", style="default", soft_wrap=True)
    if playground.shelf.names:
        console.print(_bots(playground, settings))
    else:
        console.print(Text(f"{nothing_in(playground.folder)}; make one: botkit new NAME", "yellow"))
    if playground.shelf.problems:
        console.print()
        check.report(console, playground.shelf.problems)
    _tell_of_model(console, playground, settings)
    unused = [name for name in ("BOTKIT_QUEUE", "BOTKIT_LINE_URL") if settings.get(name)]
    if unused:
        console.print(f"[dim]{' and '.join(unused)}: not used here; this machine plays that part.[/]")
    console.print("[dim]Saved files take effect with the next message. Stop with Ctrl-C.[/]")


def _bots(playground: Playground, settings: Mapping[str, str]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for name in sorted(playground.shelf.names):
        bot = playground.shelf.find(name)
        if bot is None:
            table.add_row(Text(name, "bold red"), Text("cannot answer: its file is wrong", "red"), "")
            continue
        model = bot.step(Model)
        says = "rehearsal" if rehearses(bot, settings) else model.name if model else "no model"
        table.add_row(Text(name, "bold"), Text(says, "dim"), Text(bot.description, "dim"))
    return table


def _tell_of_model(console: Console, playground: Playground, settings: Mapping[str, str]) -> None:
    models = [bot.step(Model) for bot in playground.shelf.all().values() if rehearses(bot, settings)]
    keys = sorted({model.api_key.removeprefix("env:") for model in models if model})
    console.print()
    if keys:
        console.print(
            Text.assemble(
                (f"No {' and no '.join(keys)}: the offline model rehearses.", "yellow"),
                (" Put the key, or OPENAI_BASE_URL, into .env; no restart is needed.", "dim"),
            )
        )


# ---------------------------------------------------------------- the end


def _wait() -> None:
    """Return at Ctrl-C."""
    try:
        while True:
            sleep(3600)
    except KeyboardInterrupt:
        return


def _leave_soon() -> None:
    """Leave even if something hangs: a model, LINE on purpose, a page that has stopped to read."""
    timer = Timer(_LEAVES_WITHIN, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> None:
    """End the process. Not by returning: Python would wait for threads that wait for a model."""
    sys.stdout.flush()
    os._exit(0)
