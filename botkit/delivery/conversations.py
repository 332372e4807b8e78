"""Which conversation an event belongs to: the wall between chats, in one place."""

from urllib.parse import quote

from botkit.messages import Chat, Event
from botkit.ports import Conversation


def conversation_of(bot: str, event: Event, chat: Chat, *, shares_groups: bool) -> Conversation:
    """The conversation of `event` in `chat`.

    A 1:1 chat is the user's. In a group or room it is everyone's where `shares_groups`, else the
    speaker's own in that group. Different inputs never give the same key.
    """
    if chat.kind == "user" or shares_groups:
        return Conversation(bot, f"{chat.kind}:{_part(chat.id)}")
    # LINE leaves the speaker out of some events. They are nobody's earlier words, so each stands alone.
    speaker = _part(event.user_id) if event.user_id else f"?{_part(event.id)}"
    return Conversation(bot, f"{chat.kind}:{_part(chat.id)}:{speaker}")


def _part(text: str) -> str:
    return quote(text, safe="")
