"""What the steps share that ask a model besides the one that answers: its address, its key and its time."""

from typing import Annotated, Any

from pydantic import Field, ValidationInfo

from botkit.errors import SecretError
from botkit.turn import Turn

BaseUrl = Annotated[str, Field(pattern=r"^https?://[^\s]+$")]

MODEL_SECONDS = 15
"""What is left of an invocation for the answer itself, as far as there is so much."""


def with_models_key(options: Any, info: ValidationInfo) -> Any:
    """Options that name neither a key nor an address get the model's key: the loader knows it as `api_key`."""
    key = (info.context or {}).get("api_key")
    if key is None or not isinstance(options, dict) or {"api_key", "base_url"} & options.keys():
        return options
    return {**options, "api_key": key}


def key_for(turn: Turn, reference: str, *, named: bool) -> str:
    """The key; "" where there is none. Raises SecretError where the bot file itself names one that is not there."""
    try:
        return turn.services.secrets.get(reference)
    except SecretError:
        # As for the model: servers of one's own need no key, and OpenAI's own says so itself.
        if named:
            raise
        return ""


def seconds_for(turn: Turn, timeout: int, spare: int = MODEL_SECONDS) -> float:
    """How long such a model may take: `timeout` seconds, less the `spare` ones that are needed after it.

    Where little is left, each of the two gets half, so that something is tried at all.
    """
    left = turn.seconds_left
    return min(float(timeout), max(left - spare, left / 2))
