"""`media`: what becomes of photos, voice messages, stickers and all else that is sent instead of a text."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from botkit.errors import LineError, ModelError
from botkit.line.text import clean, shorten
from botkit.messages import SILENCE, Content, Reply
from botkit.models.known import transcription_cost
from botkit.pipeline import Handler, Step
from botkit.ports import TranscriptionRequest, Usage
from botkit.spec.values import Duration, Number, SecretRef, Whole, Words
from botkit.steps.endpoint import MODEL_SECONDS, BaseUrl, key_for, seconds_for, with_models_key
from botkit.steps.media_words import NAMES, picture_type, words_of
from botkit.steps.model import ModelName
from botkit.turn import Said, Turn

log = logging.getLogger(__name__)

DEFAULT_REFUSAL = "Sorry, I cannot open that."
POLL = 1_000
"""How long to wait before LINE is asked again for what it is still preparing, in ms."""
PATIENCE = 30_000
"""How long LINE is waited for at most, in ms: the answer needs time, too."""
FETCH_TRIES = 5
"""How often LINE is asked while its content server fails."""
DEFAULT_DURATION = 60_000
"""What a voice message is taken to last where LINE does not say, in ms."""
LONGEST_TRANSCRIPT = 20_000
"""UTF-16 units of one voice message that go to the model, and into the history."""

Manner = Literal["see", "transcribe", "keywords", "text", "ignore", "refuse"]


class Transcription(BaseModel):
    """Who writes voice messages down; written short, `model` alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    model: ModelName = Field("whisper-1", description="The model's name at its endpoint.")
    base_url: BaseUrl | None = Field(None, description="Any OpenAI-compatible endpoint.")
    api_key: SecretRef = Field("env:OPENAI_API_KEY", description="Where the key is found; by default the model's.")
    timeout: Duration = Field(30, description="How long one voice message may take, retries included.")


def _short_transcription(value: Any) -> Any:
    return {"model": value} if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a message came to. `said` is None where it is ignored; `closed`: there is nothing in it for the model."""

    said: Said | None
    closed: bool = False
    usage: Usage | None = None


class Media(Step):
    """Puts what is no text into words for the model, and shows it photos."""

    image: Literal["see", "text", "ignore", "refuse"] = Field(
        "see", description="see: the model sees photos; text: it is told that there was one."
    )
    audio: Literal["transcribe", "text", "ignore", "refuse"] = Field(
        "transcribe", description="transcribe: voice messages are written down; text: the model is told of them."
    )
    sticker: Literal["keywords", "ignore", "refuse"] = Field(
        "keywords", description="keywords: the model is told what the sticker shows."
    )
    location: Literal["text", "ignore", "refuse"] = Field("text", description="text: the model is told the place.")
    video: Literal["refuse", "text", "ignore"] = Field(
        "refuse", description="text: the model is told that there was one."
    )
    file: Literal["refuse", "text", "ignore"] = Field("refuse", description="text: the model is told the file's name.")
    refusal: Words = Field(
        DEFAULT_REFUSAL, max_length=1000, description="Said where nothing of what was sent can be opened."
    )
    max_images: Whole = Field(5, ge=1, le=15, description="Photos that the model sees in a turn; others it is told of.")
    max_image_mb: Number = Field(5, gt=0, le=20, description="The largest photo the model sees, in megabytes.")
    transcription: Annotated[Transcription, BeforeValidator(_short_transcription)] = Field(
        Transcription(), description="Who writes voice messages down."
    )

    @model_validator(mode="before")
    @classmethod
    def _use_the_models_key(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, dict):
            return value
        given = _short_transcription(value.get("transcription", {}))
        return {**value, "transcription": with_models_key(given, info)}

    @property
    def secrets(self) -> tuple[str, ...]:
        """The key for transcriptions, where the bot file asks for them; by default they are made where there is one."""
        is_asked_for = bool(self.model_fields_set & {"audio", "transcription"})
        return (self.transcription.api_key,) if self.audio == "transcribe" and is_asked_for else ()

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The model that it may ask of which nobody knows the price."""
        model = self.transcription.model
        return (model,) if self.audio == "transcribe" and not transcription_cost(model, DEFAULT_DURATION) else ()

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Go on with everything in words; say the refusal where nothing could be opened."""
        if not any(_is_media(one) for one in turn.said):
            return call_next(turn)
        opened = self._open_all(turn)
        turn.usages += [one.usage for one in opened if one.usage]
        said = [one for one in opened if one.said]
        if not said:
            turn.note("media: all that was sent is ignored")
            return SILENCE
        if all(one.closed for one in said):
            turn.note("media: nothing of what was sent could be opened")
            return Reply.of(self.refusal)
        turn.said = tuple(one.said for one in said if one.said)
        return call_next(turn)

    def _open_all(self, turn: Turn) -> list[_Opened]:
        seen = [one.event.id for one in turn.said if self._manner(one) == "see"][: self.max_images]
        opening = [self._begin(turn, one, seen) for one in turn.said]
        return [one.result() if isinstance(one, Future) else one for one in opening]

    def _begin(self, turn: Turn, said: Said, seen: Sequence[str]) -> "_Opened | Future[_Opened]":
        """Open one message, beside the others where LINE or a model has to be asked."""
        event, manner = said.event, self._manner(said)
        match manner:
            case None:
                return _Opened(said)
            case "ignore":
                return _Opened(None)
            case "text" | "keywords":
                return _Opened(_told(said))
            case "refuse":
                return _Opened(_told(said, ", not opened"), closed=True)
            case "see" if event.id not in seen:
                return _Opened(_told(said, ", not opened"), closed=True)
        if event.is_external or event.message_id is None:
            return _unopenable(said)
        return turn.spawn(self._see if manner == "see" else self._transcribe, turn, said, event.message_id)

    def _manner(self, said: Said) -> Manner | None:
        if not _is_media(said):
            return None
        manner: Manner = getattr(self, said.event.message_type or "")
        return manner

    # ---------------------------------------------------------------- photos and voices

    def _see(self, turn: Turn, said: Said, message_id: str) -> _Opened:
        content = _fetch(turn, message_id)
        media_type = picture_type(content.data) if content else None
        if content is None or media_type is None:
            return _unopenable(said)
        if len(content.data) > self.max_image_mb * 1_000_000:
            turn.note(f"media: a photo has more than max_image_mb: {self.max_image_mb:g}")
            return _unopenable(said)
        return _Opened(replace(said, text="(photo)", images=(Content(content.data, media_type),)))

    def _transcribe(self, turn: Turn, said: Said, message_id: str) -> _Opened:
        content = _fetch(turn, message_id)
        words = self._written_down(turn, content) if content and content.data else None
        if words is None:
            return _unopenable(said)
        model, duration = self.transcription.model, said.event.duration
        usage = Usage(model, 0, 0, transcription_cost(model, DEFAULT_DURATION if duration is None else duration))
        text = f"(voice message) {words}" if words else "(voice message without words)"
        return _Opened(replace(said, text=text), usage=usage)

    def _written_down(self, turn: Turn, audio: Content) -> str | None:
        """The words of a recording; None where it cannot be written down. Raises ModelError where it may be later."""
        asked = self.transcription
        request = TranscriptionRequest(
            model=asked.model,
            audio=audio,
            timeout=seconds_for(turn, asked.timeout),
            base_url=asked.base_url,
            api_key=key_for(turn, asked.api_key, named="api_key" in asked.model_fields_set),
        )
        try:
            words = turn.services.model.transcribe(request)
        except ModelError as error:
            turn.note(f"transcription {asked.model}: {error}")
            if error.retryable:
                raise
            log.error("bot %s: no transcription: %s", turn.bot.name, error)
            return None
        return shorten(clean(words).strip(), LONGEST_TRANSCRIPT)


def _fetch(turn: Turn, message_id: str) -> Content | None:
    """What LINE holds of a message, waited for as long as there is time; None where it cannot be had."""
    failures, until = 0, turn.services.clock.now() + PATIENCE
    while True:
        try:
            content = turn.services.line.content(turn.access_token, message_id)
        except LineError as error:
            failures += 1
            turn.note(f"media: {error}")
            if not error.retryable or failures == FETCH_TRIES:
                return None
        else:
            if content is not None:
                return content
        if turn.services.clock.now() > until or turn.seconds_left < MODEL_SECONDS + POLL / 1000:
            turn.note("media: LINE was not ready in time")
            return None
        turn.services.clock.sleep(POLL)


def _is_media(said: Said) -> bool:
    """Whether it is something that no step has put into words yet."""
    return not said.text and said.event.message_type in NAMES


def _told(said: Said, more: str = "") -> Said:
    return replace(said, text=f"({words_of(said.event)}{more})")


def _unopenable(said: Said) -> _Opened:
    name = NAMES[said.event.message_type or ""]
    return _Opened(replace(said, text=f"({name} that could not be opened)"), closed=True)
