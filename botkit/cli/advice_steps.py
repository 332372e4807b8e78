"""Advice on the steps around the model: what they send elsewhere, and what they cannot do as they are written."""

from collections.abc import Iterator, Mapping

from botkit.cli.remarks import remark, shown_duration, unset
from botkit.errors import Problem
from botkit.spec.bot import BotSpec
from botkit.steps.groups import Groups
from botkit.steps.media import Media
from botkit.steps.model import Model
from botkit.steps.moderation import Moderation

OPENAI = "api.openai.com"
"""Where the SDK asks unless it is told another address."""


def advise_steps(bot: BotSpec, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Warnings in no order."""
    yield from _moderation(bot, environ)
    yield from _media(bot, environ)
    yield from _groups(bot)


def _moderation(bot: BotSpec, environ: Mapping[str, str]) -> Iterator[Problem]:
    step, section = bot.step(Moderation), ("moderation",)
    if step is None:
        return
    if step.input == step.output == "off":
        if section in bot.places:
            yield remark(bot, section, "nothing is judged; write input: refuse or output: refuse")
        return
    name = unset(step.api_key, environ)
    if name and _asks_openai(step.base_url, environ) and not _is_told_of(bot, step.api_key, environ):
        text = f"what is said goes to {OPENAI} and needs {name}; set it, or write moderation.base_url"
        yield remark(bot, section, text)


def _media(bot: BotSpec, environ: Mapping[str, str]) -> Iterator[Problem]:
    step, path = bot.step(Media), ("media", "transcription")
    if step is None:
        text = "photos, stickers and voice messages get no answer without media; add media to the pipeline"
        yield remark(bot, ("pipeline",), text)
        return
    asked, cure = step.transcription, "write media.transcription.base_url, or audio: text"
    if step.audio != "transcribe" or not _asks_openai(asked.base_url, environ):
        return
    model = bot.step(Model)
    is_own = bool(model and model.base_url)
    name = unset(asked.api_key, environ)
    if name and (step.secrets or is_own) and not _is_told_of(bot, asked.api_key, environ):
        yield remark(bot, path, f"voice messages go to {OPENAI} and need {name}; set it, {cure}")
    elif not name and is_own and "api_key" not in asked.model_fields_set:  # who names a key there knows
        yield remark(bot, path, f"voice messages go to {OPENAI}, and not to the model's server; {cure}")


def _groups(bot: BotSpec) -> Iterator[Problem]:
    step, path = bot.step(Groups), ("groups", "overhear")
    if step is None or not step.overhear:
        return
    if step.answer == "always":
        text = "everything is answered, so nothing is overheard; write answer: addressed, or leave overhear out"
        yield remark(bot, path, text)
    elif step.answer == "addressed" and bot.line is not None:
        stored = f"lines said to others are stored for {shown_duration(step.keep_overheard)}"
        yield remark(bot, path, f"{stored}, and LINE's user data policy wants people told; tell the groups")


def _asks_openai(base_url: str | None, environ: Mapping[str, str]) -> bool:
    return not base_url and not environ.get("OPENAI_BASE_URL")


def _is_told_of(bot: BotSpec, key: str, environ: Mapping[str, str]) -> bool:
    """Whether the advice on the model names this key already."""
    model = bot.step(Model)
    return model is not None and model.api_key == key and _asks_openai(model.base_url, environ)
