"""A real browser for tests of the page. They are skipped, and say why, where there is none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    # Nothing but this machine has a name, whatever a page asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)

PATIENCE = 10_000
"""Milliseconds; longer than anything takes."""


def executable() -> str | None:
    """The path of the system's Chromium; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium without a window, one for all tests; pages come from `browser.new_context(…)`."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = executable()
    if path is None:
        pytest.skip(f"none of {', '.join(NAMES)} is on the PATH")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """An empty page in a context of its own. The test fails if a script of the page fails, or the browser complains."""
    with opened(browser) as fresh:
        complaints = complaints_of(fresh)
        yield fresh
        assert complaints == []


@contextmanager
def opened(browser: Any, **options: Any) -> Iterator[Any]:
    """An empty page in a context of its own; `options` are the context's."""
    options = {"viewport": {"width": 800, "height": 700}, "color_scheme": "light", **options}
    with browser.new_context(**options) as context:
        context.set_default_timeout(PATIENCE)
        yield context.new_page()


def complaints_of(page: Any) -> list[str]:
    """What goes wrong in the page from now on: failures of scripts, errors in the console, what its policy forbids."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    return complaints
