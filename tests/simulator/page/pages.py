"""A person at the page: what is done there by hand, and what is seen, by the names that a screen reader says."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from botkit.simulator.page.app import page_app
from botkit.simulator.playground.playground import Playground
from botkit.simulator.server import serving
from tests.simulator.page.web import BOT
from tests.support.browser import PATIENCE, complaints_of, opened
from tests.support.openai_server import OpenAIServer, openai_server

try:
    from playwright.sync_api import Browser, Locator, Page, expect
except ImportError:  # the fixture `browser` then skips the tests, and says why
    Browser = Locator = Page = expect = None
else:
    expect.set_options(timeout=PATIENCE)

WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}
SCREENSHOTS = "BOTKIT_SCREENSHOTS"
"""Names the folder for pictures of what the tests see; without it none are made."""

TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll("body, #app, #app *")]
    .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0)
    .filter((one) => ["auto", "scroll", "hidden"].includes(getComputedStyle(one).overflowX))
    .filter((one) => getComputedStyle(one).textOverflow !== "ellipsis" && !one.matches("pre, .slider-track, input"))
    .map((one) => `${one.tagName}.${one.className}: ${one.scrollWidth} > ${one.clientWidth}`)"""
"""Names what can be scrolled sideways."""

Visit = Callable[..., "Visitor"]
"""Opens the page: `visit(bots={name: text}, environ={}, **options of the context)`; one bot, `concierge`, by default."""


class House:
    """Bots in a folder of their own, their playground, and its page: always at the same address."""

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self.home, self.bots = home, home / "bots"
        self.bots.mkdir()
        self._environ = {"BOTKIT_STORE": f"sqlite:///{home}/botkit.db", **environ}
        self._port = 0
        self._running = ExitStack()

    def start(self) -> None:
        """Open the playground, with all that was said in it before."""
        memory = self.home / "simulator.db"
        self.playground = self._running.enter_context(Playground.open(self.bots, self._environ, memory=memory))
        self.url = self._running.enter_context(serving(page_app(self.playground), self._port))
        self._port = urlsplit(self.url).port or 0

    def stop(self) -> None:
        self._running.close()

    def write(self, bot: str, text: str) -> None:
        """Save a bot's file."""
        (self.bots / f"{bot}.yaml").write_text(text, "utf-8")

    def settle(self) -> None:
        """Wait until nothing is under way and nothing is due."""
        assert self.playground.cloud.settle(PATIENCE / 1000)


class Visitor:
    """A person who has the page open. Lives as long as a browser's context."""

    def __init__(self, page: Page, house: House) -> None:
        self.page, self.house = page, house
        self.complaints = complaints_of(page)
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        self.chats = page.get_by_role("navigation", name="Chats")
        self.log = page.get_by_role("log", name="Messages")
        self.field = page.get_by_role("textbox", name="Message", exact=True)
        self.panel = page.get_by_role("complementary", name="Panel")
        self.typing = page.get_by_role("img", name="is typing")
        self.mine = self.log.get_by_role("article", name=re.compile("^You, "))
        self.theirs = self.log.get_by_role("article", name=re.compile("^(?!You, )"))

    # ---------------------------------------------------------------- what one does

    def open(self, chat: str = "concierge") -> None:
        """Choose a chat in the list."""
        self.item(chat).click()
        expect(self.page.get_by_role("main").get_by_role("heading", name=chat, level=1)).to_be_visible()

    def say(self, text: str) -> None:
        """Write a message, and send it."""
        self.field.fill(text)
        self.field.press("Enter")

    def press(self, name: str) -> None:
        """Press the button of this name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def choose(self, *names: str) -> None:
        """Open a menu by its button, and choose."""
        *buttons, item = names
        for name in buttons:
            self.press(name)
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def do_with(self, message: Locator, item: str) -> None:
        """Choose from a message's menu."""
        message.hover()
        message.get_by_role("button", name="Message menu").click()
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def look_into(self, message: Locator) -> Locator:
        """Have told what happened to a message; returns the panel that tells it."""
        message.hover()
        message.get_by_role("button", name="What happened").click()
        return self.panel.get_by_role("tabpanel", name="What happened")

    def make_trouble(self, name: str, mode: str = "Next message") -> None:
        """Switch a trouble in the panel."""
        if not self.panel.get_by_role("tabpanel", name="Troubles").is_visible():
            self.press("Troubles")
        choice = self.panel.get_by_role("group", name=name, exact=True).get_by_label(mode)
        with self.page.expect_response("**/sim/do/trouble"):
            choice.click()
        expect(choice).to_be_checked()

    def pick_files(self, item: str, *files: Any) -> None:
        """Add files from the menu behind the plus."""
        with self.page.expect_file_chooser() as chosen:
            self.choose("Add", item)
        chosen.value.set_files(list(files))

    # ---------------------------------------------------------------- what one sees

    def item(self, chat: str) -> Locator:
        """A chat in the list."""
        return self.chats.get_by_role("button", name=re.compile(rf"^{re.escape(chat)}(, \d+ new)?$"))

    def expect_answers(self, *texts: str) -> None:
        """What the bot has said in this chat, each at least in part, and nothing more comes."""
        for number, text in enumerate(texts):
            expect(self.theirs.nth(number)).to_contain_text(text)
        self.house.settle()
        expect(self.theirs).to_have_count(len(texts))

    def expect_no_sideways_scroll(self) -> None:
        """Nothing on the page is wider than its place, but for what is meant to be moved sideways."""
        wide = self.page.evaluate(TOO_WIDE)
        assert wide == []

    def forgive(self, pattern: str) -> None:
        """Forget complaints of the browser that the test has caused on purpose."""
        self.complaints[:] = [text for text in self.complaints if not re.search(pattern, text)]

    def picture(self, name: str) -> None:
        """Keep a picture, if such are wanted."""
        if folder := os.environ.get(SCREENSHOTS):
            self.page.screenshot(path=Path(folder) / f"{name}.png")

    def check(self) -> None:
        """The page has not complained, and has asked nobody but its own server for anything."""
        assert self.complaints == []
        own = (f"{self.house.url}/", "data:", "blob:")
        assert [url for url in self.requests if not url.startswith(own)] == []


@contextmanager
def visiting(
    browser: Browser, home: Path, bots: Mapping[str, str], environ: Mapping[str, str], **options: Any
) -> Iterator[Visitor]:
    """The page of a new house with these bots; `options` are the browser context's."""
    house = House(home, environ)
    for name, text in bots.items():
        house.write(name, text)
    house.start()
    try:
        with opened(browser, **{"viewport": WIDE, "locale": "en-GB", "timezone_id": "Asia/Tokyo", **options}) as page:
            visitor = Visitor(page, house)
            page.goto(house.url)
            expect(visitor.chats.get_by_role("button").first).to_be_visible()
            yield visitor
            visitor.check()
    finally:
        house.stop()


def served_by(model: OpenAIServer) -> dict[str, str]:
    """The environment in which all bots ask this server."""
    return {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": model.key}


@pytest.fixture
def visit(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    """Opens the page of a new house. The test fails if the page complains, or asks anybody else for something."""
    monkeypatch.chdir(tmp_path)  # where `.env` is looked for
    with ExitStack() as stack:

        def open_page(
            bots: Mapping[str, str] | None = None, environ: Mapping[str, str] | None = None, **options: Any
        ) -> Visitor:
            bots = {"concierge": BOT} if bots is None else bots
            return stack.enter_context(visiting(browser, tmp_path, bots, environ or {}, **options))

        yield open_page


@pytest.fixture(scope="session")
def model_server() -> Iterator[OpenAIServer]:
    with openai_server() as server:
        yield server


@pytest.fixture
def model(model_server: OpenAIServer) -> OpenAIServer:
    """A model's server that echoes what it is not told to say."""
    model_server.reset()
    return model_server
