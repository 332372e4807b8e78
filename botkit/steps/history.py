"""`history`: what was said before, within a window, and what is remembered of this turn."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from typing import ClassVar, Literal
from unicodedata import combining, normalize

from pydantic import Field

from botkit.line.text import clean_name, shorten
from botkit.messages import Message, Reply
from botkit.models.known import encoding_name
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
        said = [_remember(turn, one, turn.keep_reply_until) for one in turn.said if one.text]
        if self._is_tight((*turn.recent, *said)):
            turn.spawn(_count, turn, said)
        return call_next(turn)

    def _window(self, turn: Turn) -> tuple[Message, ...]:
        stored = newest(turn.recent, self.window)
        kept = trim(stored, self.max_tokens, turn.tokens_of)
        gone = len(stored) - len(kept)
        overheard = sum(one.overheard for one in kept)
        told = f" ({overheard} of them overheard)" if overheard else ""
        left_out = f", {gone} left out by max_tokens: {self.max_tokens}" if gone else ""
        turn.note(f"history: {len(kept)} earlier messages{told}, {_told_tokens(kept)}{left_out}")
        return kept

    def _is_tight(self, messages: Sequence[Message]) -> bool:
        """Whether the next turn would have to count before it asks the model: by their bounds they do not fit.

        To these `messages` comes the answer, which nobody knows yet: as long, say, as the longest before it.
        """
        answer = max((one.most_tokens for one in messages if one.role == "assistant"), default=0)
        others = newest(messages, max(0, self.window - 1))
        return answer + sum(one.most_tokens for one in others) > self.max_tokens

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


def trim(
    messages: Sequence[Message], max_tokens: int, count: Callable[[Message], int], each: int = 0
) -> tuple[Message, ...]:
    """The newest messages whose tokens, and `each` more for every message, add up to `max_tokens` at most.

    Oldest first. It stops at the first that does not fit, so that no gap opens in what the model reads. Only where
    bounds do not decide are messages counted, the longest first; these are returned with their tokens.
    """
    left, kept = max_tokens, list[Message]()
    uncounted: list[tuple[int, int]] = []  # a heap: bounds, negative, and places in `kept`
    for message in reversed(messages):
        most = message.most_tokens
        if message.tokens is None:
            heappush(uncounted, (-most, len(kept)))
        kept.append(message)
        left -= most + each
        while left < 0 and uncounted:
            bound, place = heappop(uncounted)
            kept[place] = replace(kept[place], tokens=count(kept[place]))
            left -= bound + kept[place].most_tokens
        if left < 0:
            kept.pop()
            break
    return tuple(reversed(kept))


def answer_of(turn: Turn, text: str) -> Message:
    """What the bot says, as the history keeps it: counted where a later turn could not, or where it costs nothing.

    Later turns count as newer models do, and do not know which model has spoken.
    """
    model = turn.usages[-1].model if turn.usages else ""
    answer = Message("assistant", text)
    if encoding_name(model) != encoding_name(""):
        return replace(answer, tokens=turn.services.model.count_tokens(model, text))
    return replace(answer, tokens=turn.tokens_of(answer)) if turn.has_counted else answer


def _remember(turn: Turn, said: Said, expires_at: int) -> Message:
    message = Message("user", said.text, turn.speaker)
    turn.remember(message, expires_at, said.event)
    return message


def _count(turn: Turn, messages: Sequence[Message]) -> None:
    for message in messages:
        turn.tokens_of(message)


def _told_tokens(messages: Sequence[Message]) -> str:
    at_most = "at most " if any(one.tokens is None for one in messages) else ""
    return f"{at_most}{sum(one.most_tokens for one in messages)} tokens"


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
