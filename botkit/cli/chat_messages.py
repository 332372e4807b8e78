"""How messages are seen in the terminal, and what can be tapped under them."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from botkit.simulator.chats import Utterance


@dataclass(frozen=True, slots=True)
class Button:
    """What can be tapped under a message: it says its label, or sends `data` unseen."""

    label: str
    data: str | None = None


def buttons_of(utterance: Utterance) -> list[Button]:
    """What can be tapped under a message, in the order in which it is numbered."""
    actions = utterance.message.get("template", {}).get("actions", ())
    return [
        *(Button(label) for label in utterance.quick_replies),
        *(Button(action["label"], action["data"]) for action in actions if action["type"] == "postback"),
    ]


def seen(utterance: Utterance) -> Text:
    """A message as far as a terminal can show it: of a flex message that is its altText."""
    message = utterance.message
    match message.get("type"):
        case "flex":
            return Text.assemble(("[flex] ", "dim"), utterance.text)
        case "sticker":
            return Text(f"[sticker {message['packageId']}/{message['stickerId']}]", "dim")
    return Text(utterance.text)


def ending_of(said: Sequence[Utterance]) -> tuple[Utterance, ...]:
    """The last that a person said or did, and all after it."""
    begins = [place for place, one in enumerate(said) if not one.is_answer]
    return tuple(said[begins[-1] :]) if begins else ()
