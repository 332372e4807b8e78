"""`history`: what was said before, within a window, and what is remembered of this turn."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import ClassVar, Literal
from unicodedata import combining, normalize

from pydantic import Field

from botkit.line.text import clean_name, shorten
from botkit.messages import Message, Reply
from botkit.pipeline import Handler, Step
from botkit.spec.values import Duration, Whole
from botkit.turn import Said, Turn

# What separates a speaker from what is said, looks like that, or is how prompts mark headings, roles and templates.
_MARKS = re.compile("[:：﹕︓\u02d0\u02f8\ua789\u2236\u0589\u05c3#＃<＜>＞\\[［\\]］{｛}｝|｜`｀\\\\＼]")
# No member may be taken for one of these: the roles of a prompt, as people and models name them.
_ROLES = frozenset({"system", "assistant", "user", "developer", "tool", "function", "instruction", "instructions"})
_ROLES |= {"human", "ai", "bot", "chatbot", "chatgpt", "model", "member"}
_ROLES_WITHOUT_SPACES = ("システム", "アシスタント", "系统", "系統", "시스템")
# Cyrillic letters that look Latin.
_LOOKALIKES = str.maketrans("асеорхуѕіјԁһкмт", "aceopxysijdhkmt")
_MEMBER = " (member)"
_LONGEST_LABEL = 64


class History(Step):
    """Gives the model the newest messages of the conversation, and remembers this exchange."""

    short: ClassVar[str] = "window"

    window: Whole = Field(20, ge=0, le=1000, description="The newest N messages go to the model.")
    max_tokens: Whole = Field(3000, ge=0, description="At most this many tokens of history; the oldest go first.")
    scope: Literal["user", "group"] = Field(
        "user", description="In group chats: one conversation per person, or one for all with the speakers named."
    )
    keep: Duration = Field(30 * 86400, description="How long messages are stored, such as 24h or 30d.")

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Choose the history, stage both sides, go on; what was said is kept even if the answer fails."""
        if not turn.text:
            return call_next(turn)
        turn.speaker = self._speaker(turn)
        turn.history = self._window(turn)
        turn.keep_reply_until = turn.services.clock.now() + self.keep * 1000
        for one in turn.said:
            self._remember(turn, one, turn.keep_reply_until)
        return call_next(turn)

    def _remember(self, turn: Turn, said: Said, expires_at: int) -> None:
        """Stage a message; one that has no words, as a photo that no step has put into any, is not stored."""
        if said.text:
            message = Message("user", said.text, turn.speaker)
            tokens = turn.services.model.count_tokens("", message.content)
            turn.remember(replace(message, tokens=tokens), expires_at, said.event)

    def _window(self, turn: Turn) -> tuple[Message, ...]:
        stored = newest(turn.recent, self.window)
        kept = trim(stored, self.max_tokens)
        overheard = sum(one.overheard for one in kept)
        told = f" ({overheard} of them overheard)" if overheard else ""
        left_out = f", {len(stored) - len(kept)} left out by max_tokens: {self.max_tokens}" if kept != stored else ""
        turn.note(f"history: {len(kept)} earlier messages{told}, {sum(one.tokens for one in kept)} tokens{left_out}")
        return kept

    def _speaker(self, turn: Turn) -> str | None:
        # What `events` tells the model of somebody's coming or tap is nobody's words.
        is_shared = self.scope == "group" and turn.chat.kind != "user" and turn.event.type == "message"
        return speaker_of(turn) if is_shared else None


def newest(messages: Sequence[Message], window: Whole) -> tuple[Message, ...]:
    """The newest `window` messages, with the overheard ones, which do not count, in their places."""
    surplus = sum(not one.overheard for one in messages) - window
    kept = []
    for message in messages:
        if surplus > 0 and not message.overheard:
            surplus -= 1
        else:
            kept.append(message)
    return tuple(kept)


def trim(messages: Sequence[Message], max_tokens: Whole) -> tuple[Message, ...]:
    """The newest messages whose stored token counts add up to `max_tokens` at most, oldest first.

    It stops at the first that does not fit, so that no gap opens in what the model reads.
    """
    left = max_tokens
    kept: list[Message] = []
    for message in reversed(messages):
        left -= message.tokens
        if left < 0:
            break
        kept.append(message)
    return tuple(reversed(kept))


def speaker_of(turn: Turn) -> str:
    """How the person who spoke is named to the model in a conversation that several people share."""
    return label(turn.user.name, turn.user.id, [turn.bot.name])


def label(name: str, user_id: str, taken: Collection[str] = ()) -> str:
    """A display name, which is hostile text, as the label of what its owner says: one line, at most 64 characters.

    The same for the same person each time. It has nothing that ends a label or begins a heading; a name
    that reads as a role of the prompt, or as one of `taken`, is marked as a member's. Members whose name
    LINE does not tell are told apart by the end of their id; those of one name are not.
    """
    plain = clean_name(_MARKS.sub(" ", clean_name(name)))
    if not plain:
        return clean_name(f"Member {_MARKS.sub(' ', user_id[-4:])}")
    if not _poses(plain, taken):
        return plain
    return shorten(plain, _LONGEST_LABEL - len(_MEMBER)) + _MEMBER


def _poses(name: str, taken: Collection[str]) -> bool:
    """Whether the name is or holds a word that no member may be called by, however it is spelled out."""
    words, folded = _words(name), normalize("NFKC", name)
    reserved = _ROLES | {"".join(_words(one)) for one in taken} - {""}
    return not reserved.isdisjoint([*words, "".join(words)]) or any(one in folded for one in _ROLES_WITHOUT_SPACES)


def _words(text: str) -> list[str]:
    """The words, as far as they are letters, without case, accents and disguise."""
    letters = normalize("NFKD", text).casefold().translate(_LOOKALIKES)
    return re.findall(r"[^\W\d_]+", "".join(char for char in letters if not combining(char)))
