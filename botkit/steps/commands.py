"""`commands`: words that, sent alone, do something instead of being asked of the model."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self
from unicodedata import normalize

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from botkit.messages import Reply
from botkit.pipeline import Handler, Step
from botkit.spec.values import Words
from botkit.steps.forms import Knows, OneOrMore
from botkit.steps.prose import Prose
from botkit.turn import Turn
from botkit.usage import shard_of, window

MOST_WORDS = 50
"""Words for one command."""

Word = Annotated[Words, Field(max_length=100)]


def _off(value: Any) -> Any:
    return [] if value == "off" else value


# `off` is read last, so that it stands before everything else.
WordList = Annotated[tuple[Word, ...], OneOrMore(MOST_WORDS), BeforeValidator(_off)]

Builtin = Literal["reset", "forget", "help", "usage"]
_HELP: Mapping[Builtin, str] = {
    "reset": "start again from the beginning",
    "forget": "delete what you have said here",
    "help": "show this",
    "usage": "show how much you have used this month",
}
RESET_TEXT = "Let us start again. I have forgotten what was said before."
FORGET_TEXT = "Done. What you have said here, and what I answered to it, is deleted."
USAGE_TEXT = (
    "This month: {{ messages }} message{{ '' if messages == 1 else 's' }}, {{ tokens }} tokens"
    "{% if cost %}, {{ cost }} USD{% endif %}."
)
USAGE_SAMPLES: Mapping[str, tuple[Any, Any]] = {"messages": (12, 0), "tokens": (3456, 0), "cost": ("0.01", "")}
UNKNOWN_TEXT = "LINE does not tell me who you are here, so I cannot do that."
_CENT = 10_000
"""In millionths of a US dollar."""


class Commands(Step):
    """Answers a command, and what the file has a fixed text for; only whole messages count, in any case and width."""

    reset: WordList = Field(("/reset",), description="Start again: the conversation is deleted. off: no such command.")
    forget: WordList = Field(
        ("/forget",), description="Delete what the person has said in this chat, and the answers to it."
    )
    help: WordList = Field(("/help",), description="Say which commands there are.")
    usage: WordList = Field(("/usage",), description="Say how much this person has used this month.")
    say: dict[Word, Prose] = Field(
        {}, description="Words of your own and the text each is answered with, a template like the persona."
    )
    reset_text: Prose = Field(Prose.of(RESET_TEXT), description="Said after `reset`, a template.")
    forget_text: Prose = Field(Prose.of(FORGET_TEXT), description="Said after `forget`, a template.")
    help_text: Prose | None = Field(None, description="Said in place of the list of commands, a template.")
    usage_text: Annotated[Prose, Knows(**USAGE_SAMPLES)] = Field(
        Prose.of(USAGE_TEXT, samples=USAGE_SAMPLES),
        description="A template that knows `messages`, `tokens` and `cost`: US dollars, empty if nothing was to pay.",
    )
    unknown_text: Prose = Field(
        Prose.of(UNKNOWN_TEXT), description="Said in groups to somebody whom LINE does not name, a template."
    )

    @model_validator(mode="after")
    def _mean_one_thing(self) -> Self:
        """No word may stand for two commands."""
        owners: dict[str, tuple[str, str]] = {}
        for owner, word in self._words():
            other, written = owners.setdefault(_folded(word), (owner, word))
            if other != owner:
                shown = (
                    f"`{word}` stands" if word == written else f"`{written}` and `{word}` are one word, which stands"
                )
                text = f"{shown} for both `{other}` and `{owner}`; keep one (`off` leaves a command out)"
                raise PydanticCustomError("commands", "{text}", {"text": text})
        return self

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Do what a message says that is nothing but a command; all else goes on."""
        does = self._actions.get(_folded(turn.text)) if turn.event.type == "message" and len(turn.said) == 1 else None
        return call_next(turn) if does is None else Reply.of(does(turn))

    def matches(self, text: str) -> bool:
        """Whether a message with this text, less any mention of the bot, is a command."""
        return _folded(text) in self._actions

    # ---------------------------------------------------------------- what they do

    @cached_property
    def _actions(self) -> dict[str, Callable[[Turn], str]]:
        """What is done, by folded word. Blank messages, as photos are, never mean anything."""
        do: dict[str, Callable[[Turn], str]] = {
            "reset": self._reset,
            "forget": self._forget,
            "help": self._help,
            "usage": self._usage,
        }
        own = {_own(word): text.fill for word, text in self.say.items()}
        return {folded: (do | own)[owner] for owner, word in self._words() if (folded := _folded(word))}

    def _reset(self, turn: Turn) -> str:
        turn.note("commands: reset, the conversation is deleted")
        turn.erases = "conversation"
        return self.reset_text.fill(turn)

    def _forget(self, turn: Turn) -> str:
        if turn.chat.kind == "user":
            turn.note("commands: forget, the conversation is deleted")
            turn.erases = "conversation"
        elif turn.event.user_id is None:
            turn.note("commands: forget, of somebody whom LINE does not name: nothing is deleted")
            return self.unknown_text.fill(turn)
        else:
            turn.note("commands: forget, this person's words and the answers to them are deleted")
            turn.erases = "speaker"
        return self.forget_text.fill(turn)

    def _help(self, turn: Turn) -> str:
        if self.help_text is not None:
            return self.help_text.fill(turn)
        builtin = [(getattr(self, name), what) for name, what in _HELP.items()]
        return "\n".join([*(f"{', '.join(words)}: {what}" for words, what in builtin if words), *self.say])

    def _usage(self, turn: Turn) -> str:
        user_id, now = turn.event.user_id, turn.services.clock.now()
        if user_id is None:
            return self.unknown_text.fill(turn)
        counter = (shard_of(user_id), f"{window('month', now, turn.bot.timezone)}#{user_id}")
        (amounts,) = turn.services.store.counted(turn.bot.name, [counter], now)
        tokens = amounts.get("input_tokens", 0) + amounts.get("output_tokens", 0)
        cost = _dollars(amounts.get("cost", 0))
        return self.usage_text.fill(turn, {"messages": amounts.get("messages", 0), "tokens": tokens, "cost": cost})

    def _words(self) -> Iterator[tuple[str, str]]:
        """Every word with what it stands for."""
        for name in _HELP:
            yield from ((name, word) for word in getattr(self, name))
        yield from ((_own(word), word) for word in self.say)


def _own(word: str) -> str:
    return f"say.{word}"


def _folded(text: str) -> str:
    """For comparing: full-width signs become half-width (Unicode NFKC), case and white space around go."""
    return normalize("NFKC", normalize("NFKC", text).casefold()).strip()


def _dollars(cost: int) -> str:
    """Millionths of a US dollar in dollars and cents, rounded up to the cent; "" for none."""
    return f"{-(-cost // _CENT) / 100:.2f}" if cost else ""
