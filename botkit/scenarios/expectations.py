"""Expectations: what of a turn, or of a whole scenario, is not as it was expected."""

import re
import unicodedata
from collections.abc import Callable, Iterator

from botkit.scenarios.results import Failure, Outcome
from botkit.scenarios.scenario import Expect
from botkit.spec.document import Place

PlaceOf = Callable[[tuple[str | int, ...]], Place]


def unmet(expect: Expect, outcome: Outcome, place_of: PlaceOf) -> tuple[Failure, ...]:
    """All that does not hold but `judge`, each at its place in the file."""
    return tuple(
        Failure("unmet", place_of(path), wanted, came, str(path[0])) for path, wanted, came in _found(expect, outcome)
    )


def _found(expect: Expect, outcome: Outcome) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    answer = f"the answer was “{outcome.answer}”" if outcome.said else "nothing was said"
    if expect.silent is not None and expect.silent == bool(outcome.said):
        yield ("silent",), "silence" if expect.silent else "an answer", answer
    for number, words in enumerate(expect.contains or ()):
        if _plain(words) not in _plain(outcome.answer):
            yield ("contains", number), f"an answer with “{words}”", answer
    for number, words in enumerate(expect.not_ or ()):
        if _plain(words) in _plain(outcome.answer):
            yield ("not", number), f"an answer without “{words}”", answer
    for number, pattern in enumerate(expect.matches or ()):
        if not re.search(pattern, outcome.answer, re.MULTILINE):
            yield ("matches", number), f"an answer that matches {pattern}", answer
    if expect.equals is not None and expect.equals not in ((outcome.answer,), tuple(one.text for one in outcome.said)):
        yield ("equals",), f"“{' / '.join(expect.equals)}”", answer
    if expect.via is not None and {one.via for one in outcome.said} != {expect.via}:
        yield ("via",), expect.via, ", ".join(one.via for one in outcome.said) or answer
    if expect.messages is not None and len(outcome.said) != expect.messages:
        yield ("messages",), f"{expect.messages} messages", str(len(outcome.said))
    if expect.length is not None and len(outcome.answer) > expect.length:
        yield ("length",), f"at most {expect.length} characters", str(len(outcome.answer))
    if expect.quick_replies is not None:
        offered = outcome.said[-1].quick_replies if outcome.said else ()
        if offered != expect.quick_replies:
            yield ("quick_replies",), ", ".join(expect.quick_replies), ", ".join(offered)
    yield from _texts(expect, outcome)
    used = sum(one.input_tokens + one.output_tokens for one in outcome.usages)
    if expect.model_calls is not None and len(outcome.prompts) != expect.model_calls:
        yield ("model_calls",), f"{expect.model_calls} calls of the model", str(len(outcome.prompts))
    if expect.tokens_below is not None and used >= expect.tokens_below:
        yield ("tokens_below",), f"fewer than {expect.tokens_below} tokens", str(used)
    if expect.cost_below is not None and sum(one.cost for one in outcome.usages) >= expect.cost_below:
        yield ("cost_below",), f"less than {expect.cost_below / 1e6} USD", str(sum(one.cost for one in outcome.usages))


def _texts(expect: Expect, outcome: Outcome) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    prompt = _plain("\n".join(message.content for request in outcome.prompts for message in request.messages))
    history = _plain("\n".join(message.content for message in outcome.history))
    for option, wanted, text, there in (
        ("prompt_has", expect.prompt_has, prompt, True),
        ("prompt_not", expect.prompt_not, prompt, False),
        ("history_has", expect.history_has, history, True),
        ("history_not", expect.history_not, history, False),
    ):
        for number, words in enumerate(wanted or ()):
            if (_plain(words) in text) != there:
                yield (option, number), f"“{words}”", "it was not there" if there else "it was there"


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
