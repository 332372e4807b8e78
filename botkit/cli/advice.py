"""What is not wrong in a bot file, and yet good to know before the bot goes on LINE."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from botkit.cli.advice_steps import advise_steps
from botkit.cli.remarks import remark, shown_duration, unset
from botkit.errors import Problem
from botkit.models.known import context_tokens
from botkit.models.tokens import count_tokens
from botkit.spec.bot import BotSpec
from botkit.spec.document import Path
from botkit.spec.problems import dotted
from botkit.steps.history import History
from botkit.steps.model import DEFAULT_CONTEXT_TOKENS, Model
from botkit.steps.persona import Persona

LARGE_PERSONA = 0.25
"""The share of the context window from which a persona crowds out what was said."""

TOLD_KEEP = 24 * 3600
"""Seconds of storage beyond which people should be told of it (LINE User Data Policy)."""


def advise(bot: BotSpec, environ: Mapping[str, str]) -> list[Problem]:
    """Warnings about a good bot file, in reading order; `environ` is where its `env:` references lead."""
    found = [*_account(bot, environ), *_model(bot, environ), *_persona(bot), *_keep(bot), *advise_steps(bot, environ)]
    return sorted(dict.fromkeys(found), key=lambda one: (one.file != bot.shown_file, one.file, one.line, one.column))


def _account(bot: BotSpec, environ: Mapping[str, str]) -> Iterator[Problem]:
    if bot.line is None:
        return
    for number, reference in enumerate(bot.line.channel_secret):
        if name := unset(reference, environ):
            path: Path = ("line", "channel_secret", number)
            shown = path if path in bot.places else path[:2]
            yield remark(bot, shown, f"{name} is not set here; set it where the bot goes on LINE")
    if name := unset(bot.line.channel_access_token or "", environ):
        cure = "set it where the bot goes on LINE, or write `channel_id:` instead, which needs no token"
        yield remark(bot, ("line", "channel_access_token"), f"{name} is not set here; {cure}")


def _model(bot: BotSpec, environ: Mapping[str, str]) -> Iterator[Problem]:
    model = bot.step(Model)
    if model is not None:
        yield from _key(bot, model, environ)
        yield from _window(bot, model)
        yield from _open_line(bot, model, environ)


def _key(bot: BotSpec, model: Model, environ: Mapping[str, str]) -> Iterator[Problem]:
    name = unset(model.api_key, environ)
    if name is None:
        return
    if "api_key" in model.model_fields_set:
        yield remark(bot, ("model", "api_key"), f"{name} is not set here; set it before the model is asked")
    elif not model.base_url and not environ.get("OPENAI_BASE_URL"):
        yield remark(bot, ("model",), f"{name} is not set here; set it, or base_url for a server of your own")


def _window(bot: BotSpec, model: Model) -> Iterator[Problem]:
    if model.context_tokens is not None:
        return
    names: list[tuple[Path, str]] = [(("model", "name"), model.name)]
    names += [(("model", "fallback", number), name) for number, name in enumerate(model.fallback)]
    for path, name in names:
        if context_tokens(name) is None:
            text = f"the context window of `{name}` is not known, so {DEFAULT_CONTEXT_TOKENS} tokens are assumed"
            yield remark(bot, path, f"{text}; write context_tokens: with what it has")


def _open_line(bot: BotSpec, model: Model, environ: Mapping[str, str]) -> Iterator[Problem]:
    """A key named in the file will be set where the bot runs; the default one is sent where it is set."""
    sends_key = "api_key" in model.model_fields_set or unset(model.api_key, environ) is None
    host = _open_host(model.base_url or "")
    if sends_key and host:
        yield remark(bot, ("model", "base_url"), f"the API key is sent to {host} unencrypted; write https://")


def _open_host(url: str) -> str | None:
    """The host that `url` reaches unencrypted over a network; None where there is no such."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:  # a bracket that is not closed: no address at all
        return None
    return host if parts.scheme == "http" and host and not _is_loopback(host) else None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _persona(bot: BotSpec) -> Iterator[Problem]:
    persona, model = bot.step(Persona), bot.step(Model)
    if persona is None or model is None:
        return
    text, window = persona.render_sample(), model.context_window(model.name)
    # A token is a byte at least, so a text this short need not be counted; counting loads a table of some MB.
    if len(text.encode("utf-8", "replace")) <= window * LARGE_PERSONA:
        return
    tokens = count_tokens(model.name, text)
    if tokens > window * LARGE_PERSONA:
        option = "file" if persona.file else "text"
        share = f"{tokens:,} of the {window:,} tokens that `{model.name}` takes ({tokens / window:.0%})"
        yield remark(bot, ("persona", option), f"the persona is {share}; shorten it, or take a model with more")


def _keep(bot: BotSpec) -> Iterator[Problem]:
    history, path = bot.step(History), ("history", "keep")
    if bot.line is None or history is None or history.keep <= TOLD_KEEP:
        return
    stored = f"messages are stored for {shown_duration(history.keep)}, and LINE's user data policy wants people told"
    text = f"{stored}; tell them, or write keep: 24h"
    if path in bot.places:
        yield remark(bot, path, text)
    else:
        yield Problem(bot.shown_file, 0, 0, f"{dotted(path)}: {text}", "warning")
