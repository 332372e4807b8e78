"""Fixtures of the tests of the page."""

from tests.simulator.page.pages import model, model_server, visit
from tests.support.browser import browser, page

__all__ = ["browser", "model", "model_server", "page", "visit"]
