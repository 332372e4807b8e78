"""A bot's model, examined without paying: whether the key is accepted, and whether the endpoint knows the name."""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from difflib import get_close_matches
from threading import Lock
from typing import Final

import httpx2
import openai

from botkit.cli.examination import Finding, good, odd, wrong, wrong_as
from botkit.errors import ModelError, SecretError
from botkit.models.calls import CHAT, Address, Call, address_for
from botkit.models.faults import fault_of
from botkit.ports import ChatRequest, Secrets
from botkit.spec.bot import BotSpec
from botkit.steps.model import Model

TIMEOUT: Final = httpx2.Timeout(8, connect=3)
_LISTLESS: Final = (404, 405, 501)
"""How servers say that they have no list of models."""


@dataclass(frozen=True, slots=True)
class Known:
    """The models that an endpoint lists; None where it has no list."""

    address: Address
    names: frozenset[str] | None


@dataclass(slots=True)
class Models:
    """The models of endpoints, each endpoint asked once for each key. Lives as long as one examination."""

    secrets: Secrets
    settings: Mapping[str, str]
    _known: dict[tuple[str | None, str], "Future[Known]"] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def examine(self, bot: BotSpec) -> Iterator[Finding]:
        """The model of a bot and its fallbacks."""
        model = bot.step(Model)
        if model is None:
            yield good("model", "none")
            return
        try:
            key = self.secrets.get(model.api_key)
        except SecretError:
            if "api_key" in model.model_fields_set:
                return  # said already, with the other secrets
            key = ""
        base_url = model.base_url or self.settings.get("OPENAI_BASE_URL") or None
        request = ChatRequest(model.name, (), 10, base_url=base_url, api_key=key)
        try:
            known = self._once((base_url, key), lambda: _ask(request))
        except ModelError as error:
            yield _fault(error)
            return
        yield from _judged(known, (model.name, *model.fallback))

    def _once(self, endpoint: tuple[str | None, str], ask: Callable[[], Known]) -> Known:
        with self._lock:
            mine = endpoint not in self._known
            future = self._known.setdefault(endpoint, Future())
        if mine:
            try:
                future.set_result(ask())
            except BaseException as error:  # carried over to those who wait for the same
                future.set_exception(error)
        return future.result()


def _ask(request: ChatRequest) -> Known:
    """GET /models, which costs nothing anywhere. Raises ModelError."""
    address = address_for(CHAT, request)
    client = openai.OpenAI(base_url=address.url, api_key=request.api_key or "no-key", max_retries=0, timeout=TIMEOUT)
    with client:
        try:
            response = client.get("/models", cast_to=httpx2.Response)
        except openai.APIStatusError as error:
            if error.status_code in _LISTLESS:
                return Known(address, None)
            raise fault_of(error, Call(CHAT, request, address, {})) from None  # its words may repeat the key
        except openai.OpenAIError as error:
            raise fault_of(error, Call(CHAT, request, address, {})) from error
    return Known(address, _names(response.content))


def _names(content: bytes) -> frozenset[str] | None:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    entries = document.get("data") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return None
    return frozenset(str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry)


def _judged(known: Known, names: tuple[str, ...]) -> Iterator[Finding]:
    host = known.address.host
    if known.names is None:
        text = f"{host} has no list of models, so {names[0]} was not looked for"
        yield odd("model", text, "ask it something: botkit chat")
        return
    missing = [name for name in names if not _knows(known.names, name)]
    if not missing:
        yield good("model", f"{known.address.host} has {', '.join(names)}", names[0])
    for name in missing:
        near = get_close_matches(name, known.names, 1)
        cure = f"did you mean {near[0]}?" if near else "correct `model.name`, or ask for access to it"
        # Others may serve more than they list: an alias, a deployment of one's own.
        judge = wrong if host.endswith("api.openai.com") else odd
        yield judge("model", f"{name} is not among the {len(known.names)} models of {host}", cure)


def _knows(names: frozenset[str], name: str) -> bool:
    """Ollama lists llama3:latest for llama3, and Gemini models/gemini-… for gemini-…."""
    return any(one in names for one in (name, f"{name}:latest", f"models/{name}"))


def _fault(error: ModelError) -> Finding:
    text, _, cure = str(error).partition(": ")
    return wrong("model", text, cure) if cure else wrong_as("model", error)
