"""ModelSwitch: the real model where there is a key or a server for it, else the one that rehearses."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from botkit.errors import SecretError
from botkit.models.rehearsal import RehearsalModel
from botkit.ports import (
    ChatModel,
    ChatRequest,
    Clock,
    Completion,
    ModerationRequest,
    Secrets,
    TranscriptionRequest,
)
from botkit.simulator.playground.settings import rehearses
from botkit.spec.bot import BotSpec
from botkit.steps.media import Media
from botkit.steps.model import Model
from botkit.steps.moderation import Moderation
from botkit.wiring import services

Asked = ChatRequest | TranscriptionRequest | ModerationRequest
A = TypeVar("A", ChatRequest, TranscriptionRequest, ModerationRequest)


def secrets_and_model(
    environ: Mapping[str, str], clock: Clock, bots: Callable[[], Iterable[BotSpec]]
) -> tuple[Secrets, "ModelSwitch"]:
    """The secrets and the model for Services; both go by `environ` as it is when they are asked.

    `bots` are those that serve at the moment. Raises ConfigurationError as `botkit.runtime.services` does.
    """
    wired = services(environ, clock)
    return RehearsalSecrets(wired.secrets, environ, bots), ModelSwitch(wired.model, environ)


class ModelSwitch:
    """A chat model that asks `real` where a request has a key or an address, or OPENAI_BASE_URL gives one.

    Everything else is rehearsed. Lives as long as the process; threads may share it.
    """

    def __init__(self, real: ChatModel, environ: Mapping[str, str]) -> None:
        self._real = real
        self._rehearsal = RehearsalModel()
        self._environ = environ

    def complete(self, request: ChatRequest) -> Completion:
        """Ask the model once. Raises ModelError."""
        model, request = self._choose(request)
        return model.complete(request)

    def transcribe(self, request: TranscriptionRequest) -> str:
        """The words of a recording. Raises ModelError."""
        model, request = self._choose(request)
        return model.transcribe(request)

    def moderate(self, request: ModerationRequest) -> tuple[str, ...]:
        """The categories found. Raises ModelError."""
        model, request = self._choose(request)
        return model.moderate(request)

    def count_tokens(self, model: str, text: str) -> int:
        """Tokens of `text` in the encoding of `model`. The first count takes about half a second."""
        return self._rehearsal.count_tokens(model, text)

    def address(self, asked: Asked) -> str | None:
        """Where a request goes: its own address, or OPENAI_BASE_URL; None: OpenAI's own, or nowhere."""
        return asked.base_url or self._environ.get("OPENAI_BASE_URL", "").strip() or None

    def rehearses(self, asked: Asked) -> bool:
        """Whether there is neither key nor server for a request."""
        return not (asked.api_key or self.address(asked))

    def _choose(self, request: A) -> tuple[ChatModel, A]:
        # The real model looks into the process's environment for an address, where `.env` is not: it is told.
        request = replace(request, base_url=self.address(request))
        return (self._rehearsal if self.rehearses(request) else self._real), request


class RehearsalSecrets:
    """Resolves as the deployed handler does, but for the model's key of a bot that rehearses: it may be missing.

    AWS is not asked for such a key.
    """

    def __init__(self, real: Secrets, environ: Mapping[str, str], bots: Callable[[], Iterable[BotSpec]]) -> None:
        self._real = real
        self._environ = environ
        self._bots = bots

    def get(self, reference: str) -> str:
        """The secret's value; "" of a key that is not there and not needed. Raises SecretError."""
        if not reference.startswith("env:"):
            return "" if reference in self._unneeded() else self._real.get(reference)
        try:
            return self._real.get(reference)
        except SecretError:
            if reference not in self._unneeded():
                raise
            return ""

    def warm(self, references: Collection[str]) -> None:
        """Fetch what is not at hand."""
        remote = [one for one in references if not one.startswith("env:")]
        if remote:
            unneeded = self._unneeded()
            self._real.warm([one for one in remote if one not in unneeded])

    def _unneeded(self) -> set[str]:
        rehearsing = [bot for bot in self._bots() if rehearses(bot, self._environ)]
        return {key for bot in rehearsing for key in _keys(bot)}


def _keys(bot: BotSpec) -> Iterable[str]:
    """The keys of all models that a bot asks at OpenAI's own address."""
    model, moderation, media = bot.step(Model), bot.step(Moderation), bot.step(Media)
    asked = (model, moderation, media.transcription if media else None)
    return [one.api_key for one in asked if one is not None and one.base_url is None]
