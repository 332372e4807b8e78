"""The official webhook bodies, signed, go through the handler: each is taken in, and those that can be are answered."""

import json
from pathlib import Path

import pytest

from botkit.line.signature import sign
from tests.support.stage import Stage

FOLDER = Path(__file__).parents[3] / "shared" / "line"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the official webhook bodies are not beside this checkout")
BODIES = sorted(FOLDER.glob("webhooks/ruby-sdk/*.json")) or [FOLDER]
DAY = 24 * 3600 * 1000
IN_WORDS = ("text", "sticker", "location")
"""Messages that can be told to the model without what LINE's servers hold of them: that is gone."""


def refreshed(text: str, now: int) -> str:
    """The body with its events moved to today: those in the suites are years old, and old events are dropped."""
    document = json.loads(text)
    for number, event in enumerate(document["events"]):
        event["timestamp"] = now + number
        event["webhookEventId"] = f"{event.get('webhookEventId', 'E')}-{number}"
    return json.dumps(document, ensure_ascii=False)


@pytest.mark.parametrize("path", BODIES, ids=lambda path: path.stem)
def test_an_official_body_is_taken_in(stage: Stage, path: Path) -> None:
    account = stage.bot("kind", "persona: You are kind.\nmodel: gpt-4.1-mini\ngroups: {answer: always}\n")
    body = refreshed(path.read_text("utf-8"), stage.platform.clock.now()).encode()
    answer = stage.post("kind", body=body, headers={"x-line-signature": sign(account.channel_secret, body)})
    assert answer["statusCode"] == 200
    in_words = [
        event
        for event in json.loads(body)["events"]
        if event["type"] == "message" and event["message"]["type"] in IN_WORDS and event["mode"] == "active"
    ]
    assert len(stage.prompts()) == len(in_words)


def test_the_python_sdks_bodies_are_taken_in(stage: Stage) -> None:
    account = stage.bot("kind", "persona: You are kind.\nmodel: gpt-4.1-mini\n")
    body = (FOLDER / "webhooks" / "python-sdk.json").read_bytes()
    answer = stage.post("kind", body=body, headers={"x-line-signature": sign(account.channel_secret, body)})
    assert answer["statusCode"] == 200


@pytest.mark.parametrize("number", range(4))
def test_the_signature_vectors_hold_at_the_door(stage: Stage, number: int) -> None:
    vector = json.loads((FOLDER / "signature-vectors.json").read_text())["vectors"][number]
    stage.bot("kind", "persona: You are kind.\nmodel: gpt-4.1-mini\n")
    stage.setenv("KIND_SECRET", vector["secret"])
    body = vector["body"].encode()
    statuses = [
        stage.post("kind", body=body, headers={"x-line-signature": signature})["statusCode"]
        for signature in (vector["signature"], vector["signature"][::-1])
    ]
    # Only the first vector's body is a webhook; the others are signed, and no webhooks.
    assert statuses == [200 if number == 0 else 400, 401]
