"""The bots of the simulation, read from YAML once, and the secrets that they name."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from botkit.errors import SecretError
from botkit.spec.loader import load_folder
from botkit.spec.shelf import Shelf

HEAD = """
persona: You are a simulated bot.
model: {{name: sim, context_tokens: 100000, timeout: {timeout}}}
line: {{channel_secret: env:SECRET_{name}, channel_access_token: env:TOKEN_{name}}}
groups: {{names: [bot]}}
media: {{image: ignore}}
"""
BODIES = {
    "plain": "",
    "shared": "history: {scope: group}\n",
    "keeps": "reply: {late: keep, slow: push}\n",
    "quiet": "reply: {late: push, slow: silence, loading: false}\n",
    "poor": "reply: {push: 1, slow: push}\nhistory: {window: 5}\n",
}
"""By name, the rest of each bot's file."""
BUDGETS = {"poor": 1}
"""Pushes a month, where it is not 200."""


@cache
def shelf() -> Shelf:
    """All bots."""
    with TemporaryDirectory() as folder:
        for name, body in BODIES.items():
            text = HEAD.format(name=name.upper(), timeout="75s") + body
            (Path(folder) / f"{name}.yaml").write_text(text, "utf-8")
        loaded = load_folder(Path(folder))
    assert not loaded.problems, loaded.problems
    return Shelf.of(*loaded.bots.values())


class FakeSecrets:
    """The port `Secrets`."""

    def get(self, reference: str) -> str:
        kind, _, bot = reference.removeprefix("env:").partition("_")
        if bot.lower() not in BODIES:
            raise SecretError(f"no {reference}")
        return f"{kind.lower()}-of-{bot.lower()}"

    def warm(self, references: object) -> None: ...
