"""`moderation`: what is said, and what is answered, is judged before it goes further."""

from typing import Any, Literal

from pydantic import Field, ValidationInfo, model_validator

from botkit.messages import Content, Reply
from botkit.pipeline import Handler, Step
from botkit.ports import ModerationRequest
from botkit.spec.values import Duration, SecretRef, Words
from botkit.steps.endpoint import MODEL_SECONDS, BaseUrl, key_for, seconds_for, with_models_key
from botkit.steps.model import SAFETY_SECONDS, ModelName
from botkit.turn import Turn

DEFAULT_NOTICE = "I cannot talk about that."


class Moderation(Step):
    """Withholds what a moderation model finds harmful. Where it cannot be asked, nothing passes."""

    input: Literal["off", "refuse"] = Field(
        "off", description="refuse: what people say is judged before the model is asked, and forgotten if withheld."
    )
    output: Literal["off", "refuse"] = Field(
        "off", description="refuse: answers are judged before they are sent; a withheld one is not remembered."
    )
    model: ModelName = Field(
        "omni-moderation-latest", description="The model that judges; those named omni-… judge photos, too."
    )
    notice: Words = Field(DEFAULT_NOTICE, max_length=1000, description="Said instead of what is withheld.")
    base_url: BaseUrl | None = Field(None, description="Any endpoint that has OpenAI's moderations.")
    api_key: SecretRef = Field("env:OPENAI_API_KEY", description="Where the key is found; by default the model's.")
    timeout: Duration = Field(10, description="How long a judgement may take, retries included.")

    @model_validator(mode="before")
    @classmethod
    def _use_the_models_key(cls, value: Any, info: ValidationInfo) -> Any:
        return with_models_key(value, info)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The key, where anything is judged."""
        return () if self.input == self.output == "off" else (self.api_key,)

    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        """Judge what was said, go on, judge the answer. Raises ModelError where there is no judgement."""
        if self.input == "refuse" and (found := self._judge_input(turn)):
            turn.note(f"moderation: what was said is withheld: {', '.join(found)}")
            # History may stand before this step in a bot's own pipeline.
            turn.memories = [memory for memory in turn.memories if memory.message.overheard]
            turn.keep_reply_until = None
            return Reply.of(self.notice)
        if self.input == "refuse":
            self._judge_overheard(turn)
        reply = call_next(turn)
        if self.output == "refuse" and (found := self._judge_output(turn, reply)):
            turn.note(f"moderation: the answer is withheld: {', '.join(found)}")
            return Reply.of(self.notice)
        return reply

    def _judge_input(self, turn: Turn) -> tuple[str, ...]:
        """What is found in the texts and photos of the turn. All photos at once: a request takes one."""
        images, judge = [image for one in turn.said for image in one.images], turn.services.model.moderate
        beside = [turn.spawn(judge, self._request(turn, "", (image,), MODEL_SECONDS)) for image in images[1:]]
        found = judge(self._request(turn, turn.text, tuple(images[:1]), MODEL_SECONDS))
        return tuple(sorted({*found, *(name for one in beside for name in one.result())}))

    def _judge_overheard(self, turn: Turn) -> None:
        """What was said to others is judged where it would reach the model; nobody is refused for it."""
        overheard = "\n".join(one.text for one in turn.recent if one.overheard)
        if not overheard:
            return
        if found := turn.services.model.moderate(self._request(turn, overheard, (), MODEL_SECONDS)):
            turn.note(f"moderation: what was overheard is left out: {', '.join(found)}")
            turn.recent = tuple(one for one in turn.recent if not one.overheard)

    def _judge_output(self, turn: Turn, reply: Reply) -> tuple[str, ...]:
        return turn.services.model.moderate(self._request(turn, reply.text, (), SAFETY_SECONDS))

    def _request(self, turn: Turn, text: str, images: tuple[Content, ...], spare: int) -> ModerationRequest:
        return ModerationRequest(
            model=self.model,
            text=text,
            timeout=seconds_for(turn, self.timeout, spare),
            images=images,
            base_url=self.base_url,
            api_key=key_for(turn, self.api_key, named="api_key" in self.model_fields_set),
        )
