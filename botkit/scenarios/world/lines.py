"""How what is said and done looks in a chat, for whoever reads a scenario's conversation."""

from botkit.delivery.answering import ANSWER_DATA
from botkit.scenarios.file.scenario import Deed, Way
from botkit.scenarios.results import Said
from botkit.simulator.chats import Utterance


def said_of(one: Utterance) -> Said:
    """A message of the bot's, for expectations."""
    actions = one.message.get("template", {}).get("actions", ())
    labels = tuple(str(action.get("label", "")) for action in actions)
    offers = any(str(action.get("data", "")).startswith(ANSWER_DATA) for action in actions)
    via: Way = "button" if offers else "push" if one.via == "push" else "reply"
    return Said(one.text, via, str(one.message.get("type")), one.quick_replies, labels)


def words_of(deed: Deed) -> str:
    """What a deed looks like in a chat."""
    match deed.kind:
        case "text":
            return deed.text or ""
        case "tap":
            return f"[taps “{deed.tap}”]"
        case "postback":
            return f"[taps a button: {deed.postback}]"
        case "edit":
            return f"[edits it to] {deed.edit}"
        case "unsend":
            return "[takes a message back]"
        case "sticker":
            return f"[sticker: {', '.join(deed.sticker or ())}]"
        case "audio":
            return f"[voice message] {deed.audio}"
        case "location" if deed.location is not None:
            return f"[location: {deed.location.title}]"
        case "file":
            return f"[file: {deed.file}]"
        case kind:
            return f"[{'photo' if kind == 'image' else kind}]"
