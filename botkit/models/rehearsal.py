"""The offline model: for trying a bot without a key, it answers in the open what a model would have been asked."""

import re

from botkit.messages import Message
from botkit.models.tokens import count_messages, count_tokens
from botkit.ports import ChatRequest, Completion, ModerationRequest, TranscriptionRequest, Usage

REHEARSAL = "rehearsal"
"""The model that its usage names: it has no price."""

_SENTENCE = re.compile(r".+?(?:[。！？]|[.!?](?=\s|$)|$)", re.MULTILINE)


class RehearsalModel:
    """A chat model that says what it heard and as whom; deterministic, and never mistakable for a real one."""

    def complete(self, request: ChatRequest) -> Completion:
        """Answer with a few short lines; the usage counts the tokens of the prompt and of these lines."""
        asked = count_messages(request.model, request.messages)
        text = "\n".join([*_lines(request.messages), f"Prompt: {asked} tokens for {request.model}.", _CURE])
        return Completion(text, Usage(REHEARSAL, asked, count_tokens(request.model, text)))

    def transcribe(self, request: TranscriptionRequest) -> str:
        """Says in the open that nobody has listened."""
        return f"rehearsal: a recording of {len(request.audio.data)} bytes, which {request.model} would write down"

    def moderate(self, request: ModerationRequest) -> tuple[str, ...]:  # noqa: ARG002
        """Finds everything harmless."""
        return ()

    def count_tokens(self, model: str, text: str) -> int:
        """Tokens of `text` in the encoding of `model`."""
        return count_tokens(model, text)


_CURE = "For a real answer set OPENAI_API_KEY, or OPENAI_BASE_URL, in .env or the environment."


def _lines(messages: tuple[Message, ...]) -> list[str]:
    persona = next((message.text for message in messages if message.role == "system"), "")
    said = [message for message in messages if message.role != "system"]
    earlier, heard = said[:-1], said[-1].content if said else ""
    lines = [f"rehearsal: I heard “{_short(heard)}”."]
    if photos := sum(len(message.images) for message in said):
        lines.append(f"Photos: {photos}, which I cannot see.")
    if persona.strip():
        lines.append(f"Persona: {_first_sentence(persona)}")
    if earlier:
        lines.append(f"Earlier messages: {len(earlier)}, the last “{_short(earlier[-1].content, 40)}”.")
    return lines


def _first_sentence(text: str) -> str:
    found = _SENTENCE.search(text.strip())
    return _short(found.group() if found else text)


def _short(text: str, limit: int = 80) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
