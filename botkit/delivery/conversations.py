"""Which conversation an event belongs to: the wall between chats, in one place."""

from urllib.parse import quote

from botkit.messages import Chat
from botkit.ports import Conversation


def conversation_of(bot: str, chat: Chat, speaker: str | None, event_id: str, *, shares_groups: bool) -> Conversation:
    """The conversation in which `speaker` (a user id) caused an event in `chat`.

    A 1:1 chat is the user's. In a group or room it is everyone's where `shares_groups`, else the
    speaker's own in that group. Different inputs never give the same key.
    """
    if chat.kind == "user" or shares_groups:
        return Conversation(bot, f"{chat.kind}:{_part(chat.id)}")
    # LINE leaves the speaker out of some events. They are nobody's earlier words, so each stands alone.
    whose = _part(speaker) if speaker else f"?{_part(event_id)}"
    return Conversation(bot, f"{chat.kind}:{_part(chat.id)}:{whose}")


def _part(text: str) -> str:
    return quote(text, safe="")
