"""`commands`: words that, sent alone, do something instead of being asked of the model."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self
from unicodedata import normalize

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from botkit.messages import Reply
from botkit.pipeline import Handler, Step
from botkit.spec.values import Words
from botkit.steps.forms import Knows, OneOrMore
from botkit.steps.prose import Prose
from botkit.turn import Turn
from botkit.usage import shard_of, window

MOST_WORDS = 50
"""Words for one command."""

# What people write who mean a switch. As a word of its own it would make that answer, such as "No", the command.
_NONE, _STANDARD = ("no", "none", "null", "false"), ("yes", "on", "true")
_SWITCHES = ("off", "false", "true")


def _switched(value: Any) -> Any:
    """`off` and YAML's `false` are an empty list; another switch is refused."""
    word = str(value).strip().casefold() if isinstance(value, str | bool) else ""
    if word == "off" or value is False:
        return []
    if word in (*_NONE, *_STANDARD):
        cure = "write `off` for no such command; "
        if word in _STANDARD:
            cure = "remove the line for the standard word, or " + cure
        text = f"is a switch, not a word that people send; {cure}put other words in a list"
        raise PydanticCustomError("switch", "{text}", {"text": text})
    return value


def _no_switch(word: str) -> str:
    if word.casefold() in _SWITCHES:
        raise PydanticCustomError("switch", "is no word of a command; write `off` in place of the list, or remove it")
    return word


def _no_switch_said(text: Prose) -> Prose:
    if text.strip().casefold() in _SWITCHES:
        raise PydanticCustomError("switch", "is no text to say; write one, or remove the line")
    return text


Word = Annotated[Words, Field(max_length=100)]
# The switches are read first, so they stand last.
WordList = Annotated[
    tuple[Annotated[Word, AfterValidator(_no_switch)], ...], OneOrMore(MOST_WORDS), BeforeValidator(_switched)
]
Said = Annotated[Prose, AfterValidator(_no_switch_said)]

Builtin = Literal["reset", "forget", "help", "usage"]
_HELP: Mapping[Builtin, str] = {
    "reset": "start again from the beginning",
    "forget": "delete what you have said here",
    "help": "show this",
    "usage": "show how much you have used this month",
}
RESET_TEXT = "Let us start again. I have forgotten what was said before."
FORGET_TEXT = "Done. What you have said here, and what I answered to it, is deleted."
USAGE_TEXT = "This month: {{ messages }} message{{ '' if messages == 1 else 's' }}."
USAGE_SAMPLES: Mapping[str, tuple[Any, Any]] = {"messages": (12, 0), "tokens": (3456, 0), "cost": ("0.03", "")}
UNKNOWN_TEXT = "LINE does not tell me who you are here, so I cannot do that."
_CENT, _DOLLAR = 10_000, 1_000_000
"""In millionths of a US dollar."""


class Commands(Step):
    """Answers a command, and what the file has a fixed text for; only whole messages count, in any case and width."""

    reset: WordList = Field(("/reset",), description="Start again: the conversation is deleted. off: no such command.")
    forget: WordList = Field(
        ("/forget",),
        description="Delete what the person has said in this chat, and the answers to it. off: no such command.",
    )
    help: WordList = Field(("/help",), description="Say which commands there are. off: no such command.")
    usage: WordList = Field(
        ("/usage",), description="Say how much this person has used this month. off: no such command."
    )
    say: dict[Word, Said] = Field(
        {}, description="Words of your own and the text each is answered with, a template like the persona."
    )
    reset_text: Said = Field(Prose.of(RESET_TEXT), description="Said after `reset`, a template.")
    forget_text: Said = Field(Prose.of(FORGET_TEXT), description="Said after `forget`, a template.")
    help_text: Said | None = Field(None, description="Said in place of the list of commands, a template.")
    usage_text: Annotated[Prose, Knows(**USAGE_SAMPLES), AfterValidator(_no_switch_said)] = Field(
        Prose.of(USAGE_TEXT, samples=USAGE_SAMPLES),
        description="A template that knows `messages`, `tokens` and `cost`: US dollars, such as `0.03` or `<0.01`, "
        "empty if nothing was to pay.",
    )
    unknown_text: Said = Field(
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
                raise self._at_fault(owner if self._place(owner)[0] in self.model_fields_set else other, text)
        return self

    def _at_fault(self, owner: str, text: str) -> ValidationError:
        """A fault of one option, at its place."""
        error = PydanticCustomError("commands", "{text}", {"text": text})
        details = InitErrorDetails(type=error, loc=self._place(owner), input=owner)
        return ValidationError.from_exception_data("commands", [details])

    @staticmethod
    def _place(owner: str) -> tuple[str, ...]:
        return tuple(owner.split(".", 1))

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Do what a message says that is nothing but a command; all else goes on."""
        does = self._actions.get(_folded(turn.text)) if turn.event.type == "message" and len(turn.said) == 1 else None
        if does is None:
            return call_next(turn)
        turn.note("commands: answered without the model")
        return Reply.of(does(turn))

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
    """Millionths of a US dollar in dollars and cents: `0.03`, `<0.01` for less than a cent, "" for none."""
    if 0 < cost < _CENT:
        return "<0.01"
    return f"{cost / _DOLLAR:.2f}" if cost else ""
