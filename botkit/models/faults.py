"""What the SDK's errors mean: which of botkit's they are, whether another try helps, and the cure in words."""

import re
from email.utils import parsedate_to_datetime

import openai

from botkit.errors import ContextOverflow, ModelError
from botkit.models.calls import CHAT, Call
from botkit.ports import ChatRequest

# OpenAI names an overflow by its code; the others only in words:
#   vLLM       This model's maximum context length is 4096 tokens. However, …
#              The prompt (total length 25938) is too long to fit into the model (context length 4096) … `max_model_len`
#   llama.cpp  the request exceeds the available context size … (type exceed_context_size_error)
#   Ollama     the input length exceeds the context length; input exceeds context length
#   LM Studio  Trying to keep the first 9999 tokens when context the overflows …
#   Gemini     The input token count (9999) exceeds the maximum number of tokens allowed (8192)
_OVERFLOW = re.compile(
    r"context_length_exceeded|exceed_context_size|max(imum)? (model|context) (length|size|window)|max_model_len"
    r"|(exceed|greater|larger|longer|overflow|too (long|large)).{0,80}context (length|size|window)"
    r"|context (length|size|window).{0,40}(exceed|overflow)|when context the overflows"
    r"|(prompt|input) is too long|input token count.{0,40}exceeds",  # but not Go's "context deadline exceeded"
    re.IGNORECASE | re.DOTALL,
)
_TOO_LONG = (400, 413, 422, 500)  # statuses under which they say so

_NAME = re.compile(r"[\w.\[\]-]{1,60}", re.ASCII)


def fault_of(error: openai.OpenAIError, call: Call) -> ModelError:
    """The ModelError that says what `error` of a call means and what to do about it."""
    host, model, section = call.address.host, call.asked.model, call.service.section
    match error:
        case openai.APIStatusError():
            return _status_fault(error, call)
        case openai.APITimeoutError():
            return ModelError(
                f"{host} did not answer for {model!r} in time: try again, or raise {section}.timeout", retryable=True
            )
        case openai.APIConnectionError():
            return ModelError(
                f"{host} cannot be reached, or it broke the connection off: check {section}.base_url", retryable=True
            )
        case _:
            return ModelError(f"asking {host} for {model!r} failed: {type(error).__name__}")


def worth_retrying(error: openai.OpenAIError) -> bool:
    """Whether the same request may succeed a little later."""
    if not isinstance(error, openai.APIStatusError):
        return isinstance(error, openai.APIConnectionError)
    if _is_overflow(error) or _is_out_of_credit(error):
        return False
    return error.status_code in (408, 409, 429) or error.status_code >= 500


def wait_asked_for(error: openai.OpenAIError, now: int) -> int | None:
    """Milliseconds that the server asks to wait, by Retry-After in seconds or as a date (RFC 9110, 10.2.3)."""
    if not isinstance(error, openai.APIStatusError):
        return None
    asked = error.response.headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,9}(\.\d*)?", asked):
        return int(float(asked) * 1000)
    try:
        return max(0, int(parsedate_to_datetime(asked).timestamp() * 1000) - now)
    except ValueError:
        return None


def cause_of(error: openai.OpenAIError, call: Call) -> openai.OpenAIError | None:
    """What to raise the ModelError from: None where the server's words, which a traceback shows, repeat the key.

    OpenAI quotes the key, partly masked, in its 401.
    """
    key = call.asked.api_key
    quotes_key = bool(key) and key in str(error)
    return None if quotes_key or isinstance(error, openai.AuthenticationError) else error


def _status_fault(error: openai.APIStatusError, call: Call) -> ModelError:
    status, service, host, model = error.status_code, call.service, call.address.host, call.asked.model
    if service is CHAT and _is_overflow(error):
        return ContextOverflow(f"the prompt is too long for {model!r} at {host}: lower history or model.context_tokens")
    if _is_out_of_credit(error):
        return ModelError(f"{host} says that the account has no credit left: add some, or raise its budget")
    if service is CHAT and _is_blind(error, call):
        return ModelError(f"{host} shows {model!r} no photos: write `media.image: text`, or choose a model that sees")
    match status:
        case 401:
            return ModelError(
                f"{host} did not accept the API key: check {service.section}.api_key, by default env:OPENAI_API_KEY"
            )
        case 403:
            return ModelError(
                f"{host} does not let this API key use {model!r}: ask for access, or choose another model"
            )
        case 404:
            return ModelError(
                f"{host} knows no model {model!r}, or has no {service.result}s at this address: check {service.name}, "
                f"and {service.section}.base_url, which usually ends in /v1"
            )
        case 429:
            return ModelError(f"{host} limits the rate for {model!r}: try again later", retryable=True)
        case _ if worth_retrying(error):
            return ModelError(f"{host} failed with status {status} for {model!r}: try again later", retryable=True)
    return ModelError(f"{host} refused the request for {model!r} with status {status}{_detail(error)}")


def _is_overflow(error: openai.APIStatusError) -> bool:
    said = f"{error.code} {error.type} {_words(error)}"
    return error.status_code in _TOO_LONG and _OVERFLOW.search(said) is not None


def _is_blind(error: openai.APIStatusError, call: Call) -> bool:
    """Whether the model cannot see. OpenAI: "image_url is only supported by certain models"; others speak of images."""
    has_images = isinstance(call.asked, ChatRequest) and any(message.images for message in call.asked.messages)
    return has_images and error.status_code in _TOO_LONG and "image" in _words(error).lower()


def _is_out_of_credit(error: openai.APIStatusError) -> bool:
    # 402 is what routers send. (OpenAI: Error codes, 429 "You exceeded your current quota".)
    return error.status_code == 402 or "insufficient_quota" in (error.code, error.type)


def _detail(error: openai.APIStatusError) -> str:
    """The names by which the server tells what it does not like; its words may repeat what was said in a chat."""
    names = {"code": error.code, "parameter": error.param}
    told = [f"{what} {name}" for what, name in names.items() if isinstance(name, str) and _NAME.fullmatch(name)]
    return f" ({', '.join(told)})" if told else ""


def _words(error: openai.APIStatusError) -> str:
    """The server's message. OpenAI and most send `{"error": {"message": …}}`, a few `{"error": …}` or bare text."""
    body = error.body
    message = body.get("message") if isinstance(body, dict) else body
    return message if isinstance(message, str) else ""
