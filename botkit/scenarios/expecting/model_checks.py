"""What is expected of the model's side, option by option: what it was sent, what is remembered, what it took."""

from collections.abc import Iterator
from typing import Final

from botkit.messages import Message
from botkit.scenarios.expecting.misses import Check, Miss, has, like, noted, reason_of
from botkit.scenarios.expecting.phrases import around, counted, cut, shown, times
from botkit.scenarios.file.scenario import Expect
from botkit.scenarios.results import Outcome

# ---------------------------------------------------------------- what the model was sent, and what is remembered


def _prompt(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    calls = len(outcome.prompts)
    sent = [
        (f"call {number}, {message.role}" if calls > 1 else message.role, message)
        for number, request in enumerate(outcome.prompts, 1)
        for message in request.messages
    ]
    for number, words in enumerate(expect.prompt_has or ()):
        if not any(has(message.content, words) for _, message in sent):
            came = f"it is in none of the {counted(len(sent), 'message')} that the model was sent"
            wanted = f"a prompt with {shown(words)}"
            yield Miss(("prompt_has", number), wanted, came if sent else _unasked(outcome), _overview(words, sent))
    for number, words in enumerate(expect.prompt_not or ()):
        if not sent:  # of nothing all is true: a bot that is deaf would pass
            yield Miss(("prompt_not", number), f"a prompt without {shown(words)}", _unasked(outcome))
        for where, message in sent:
            if has(message.content, words):
                came = f"the model was sent ({where}): {around(message.content, words)}"
                yield Miss(("prompt_not", number), f"a prompt without {shown(words)}", came)
                break


def _history(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    kept = [(str(message.role), message) for message in outcome.history]
    for number, words in enumerate(expect.history_has or ()):
        if not any(has(message.content, words) for _, message in kept):
            came = f"it is in none of the {counted(len(kept), 'message')} that the bot remembers"
            came = came if kept else "the bot remembers nothing"
            yield Miss(("history_has", number), f"a memory of {shown(words)}", came, _overview(words, kept))
    for number, words in enumerate(expect.history_not or ()):
        for where, message in kept:
            if has(message.content, words):
                came = f"the bot remembers ({where}): {around(message.content, words)}"
                yield Miss(("history_not", number), f"no memory of {shown(words)}", came)
                break


# ---------------------------------------------------------------- what it took


def _model_calls(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    calls = len(outcome.prompts)
    if expect.model_calls is not None and calls != expect.model_calls:
        asked = f" ({', '.join(request.model for request in outcome.prompts)})" if calls else ""
        came = f"it was asked {times(calls)}{asked}" if calls else _unasked(outcome)
        wanted = (
            f"a model that is asked {times(expect.model_calls)}" if expect.model_calls else "a model that is not asked"
        )
        yield Miss(("model_calls",), wanted, came, noted(outcome) if calls else "")


def _tokens_below(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    sent, said = sum(one.input_tokens for one in outcome.usages), sum(one.output_tokens for one in outcome.usages)
    if expect.tokens_below is not None and sent + said >= expect.tokens_below:
        came = f"it took {sent + said}: {sent} in, {said} out"
        yield Miss(("tokens_below",), f"fewer than {counted(expect.tokens_below, 'token')}", came)


def _cost_below(expect: Expect, outcome: Outcome) -> Iterator[Miss]:
    if expect.cost_below is None:
        return
    path, wanted = ("cost_below",), f"a cost below {_money(expect.cost_below)}"
    cost = sum(one.cost for one in outcome.usages)
    used = (one for one in outcome.usages if one.input_tokens or one.output_tokens)
    unpriced = sorted({one.model for one in used if not one.cost})
    if cost >= expect.cost_below:
        yield Miss(path, wanted, f"it cost {_money(cost)}")
    elif unpriced:
        came = f"nobody knows what it cost: no price of {' or '.join(unpriced)} is known"
        prices = ", ".join(f"{name}: {{input: 0.4, output: 1.6}}" for name in unpriced)
        yield Miss(path, wanted, came, f"write under `model:`, in USD a million tokens, `prices: {{{prices}}}`")


CHECKS: Final[tuple[Check, ...]] = (_prompt, _history, _model_calls, _tokens_below, _cost_below)


def _unasked(outcome: Outcome) -> str:
    why = reason_of(outcome)
    return f"the model was not asked ({why})" if why else "the model was not asked"


def _overview(words: str, messages: list[tuple[str, Message]]) -> str:
    """What is the nearest to words in messages, and what these are: who said them, and what, shortened."""
    near = like(words, [message.content for _, message in messages])
    told = [f"[{where}] {shown(message.content, 100)[1:-1]}" for where, message in messages]
    return "\n".join([*([near] if near else []), cut(told)])


def _money(millionths: int) -> str:
    return f"{millionths / 1_000_000:.6f}".rstrip("0").rstrip(".") + " USD"
