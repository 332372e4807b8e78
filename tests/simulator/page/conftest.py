"""Fixtures of the tests of the page."""

from tests.simulator.page.pages import visit
from tests.support.browser import browser, page

__all__ = ["browser", "page", "visit"]
