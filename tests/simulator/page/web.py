"""A page served for real, and a client that speaks HTTP to it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3

from botkit.simulator.page.app import page_app
from botkit.simulator.playground.playground import Playground
from botkit.simulator.server import serving

JSON = dict[str, Any]
BOT = "persona: You are the night concierge of a small inn in Kyoto.\nmodel: gpt-4.1-mini\n"
PATIENCE = 20
"""Seconds; far longer than anything takes."""


class Web:
    """The page of a playground with one bot, `concierge`, and the people `You`, `Hana` and `Ken`."""

    def __init__(self, playground: Playground, url: str) -> None:
        self.playground, self.url = playground, url
        self.pool = urllib3.PoolManager(retries=False, timeout=PATIENCE, maxsize=8)
        self.people = {person.name: person.user_id for person in playground.platform.people.values()}
        self.me = self.people["You"]

    def get(self, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
        return self.pool.request("GET", self.url + path, headers=headers)

    def send(self, verb: str, body: Any, **headers: str) -> urllib3.BaseHTTPResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **headers}
        return self.pool.request("POST", f"{self.url}/sim/do/{verb}", body=data, headers=headers)

    def do(self, verb: str, **body: Any) -> JSON:
        """Do something that works."""
        response = self.send(verb, {"as" if key == "who" else key: value for key, value in body.items()})
        assert response.status == 200, response.data
        answer: JSON = response.json()
        assert answer["ok"] is True
        return answer

    def mine(self, **more: Any) -> JSON:
        """What a request in one's own chat begins with."""
        return {"bot": "concierge", "chat": {"kind": "user", "id": self.me}, "as": self.me, **more}

    def state(self) -> JSON:
        state: JSON = self.get("/sim/state").json()
        return state

    def messages(self, chat: Mapping[str, str] | None = None) -> list[JSON]:
        """What was said, once nothing is under way."""
        assert self.playground.cloud.settle(PATIENCE)
        kind, chat_id = (chat["kind"], chat["id"]) if chat else ("user", self.me)
        answer = self.get(f"/sim/chat?bot=concierge&kind={kind}&id={chat_id}")
        assert answer.status == 200, answer.data
        messages: list[JSON] = answer.json()["messages"]
        return messages

    def said(self, chat: Mapping[str, str] | None = None) -> list[JSON]:
        """The messages without system lines."""
        return [message for message in self.messages(chat) if message["via"] != "system"]

    def group(self, *names: str) -> JSON:
        """A new group with the bot."""
        made = self.do("group", name="Trip", bot="concierge", members=[self.people[name] for name in names])
        return {"kind": made["kind"], "id": made["id"]}


@contextmanager
def opened(home: Path, **files: str) -> Iterator[Web]:
    """A page of the bots in these files, all in `home`."""
    bots = home / "bots"
    bots.mkdir()
    for name, text in (files or {"concierge": BOT}).items():
        (bots / f"{name}.yaml").write_text(text, "utf-8")
    environ = {"BOTKIT_STORE": f"sqlite:///{home}/botkit.db"}
    with (
        Playground.open(bots, environ, memory=home / "simulator.db") as playground,
        serving(page_app(playground)) as url,
    ):
        web = Web(playground, url)
        try:
            yield web
        finally:
            web.pool.clear()
