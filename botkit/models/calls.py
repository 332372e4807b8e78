"""What is asked of an OpenAI-compatible server: its services, its address, and one call of any of them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx2

from botkit.errors import ModelError

_OPENAI = "https://api.openai.com/v1"
# OpenAI's regions (eu.api.openai.com) and Azure's own (NAME.openai.azure.com/openai/v1) count too.
_OWN_HOSTS = (".api.openai.com", ".openai.azure.com")


@dataclass(frozen=True, slots=True)
class Service:
    """Something a server offers: `path` below its base URL, and `result`, the word for what it gives.

    `section` is where the bot file sets it up, and `name` the option there that names the model.
    """

    path: str
    result: str
    section: str
    name: str


CHAT = Service("/chat/completions", "chat completion", "model", "model.name")
TRANSCRIPTION = Service("/audio/transcriptions", "transcription", "media.transcription", "media.transcription.model")
MODERATION = Service("/moderations", "moderation", "moderation", "moderation.model")


class Asked(Protocol):
    """What the requests of all services have."""

    @property
    def model(self) -> str:
        """The model's name."""

    @property
    def timeout(self) -> float:
        """Seconds, all retries included."""

    @property
    def base_url(self) -> str | None:
        """Where to ask; None: OPENAI_BASE_URL, or OpenAI's own."""

    @property
    def api_key(self) -> str:
        """The key; "" where there is none."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request goes. `host` is what messages may show of it; `own`: it is OpenAI itself."""

    url: str
    host: str
    own: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One call: for what, where to and what with. `file`, with its name and media type, makes it multipart."""

    service: Service
    asked: Asked
    address: Address
    body: Mapping[str, Any] = field(repr=False)
    file: tuple[str, bytes, str] | None = field(default=None, repr=False)


def address_for(service: Service, asked: Asked) -> Address:
    """Where to ask, once it is known that the key can be sent there. Raises ModelError."""
    address = _address(service, asked)
    _check_key(service, asked, address)
    return address


def _address(service: Service, asked: Asked) -> Address:
    given = asked.base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI
    try:
        url = httpx2.URL(given)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise _no_address(service) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise _no_address(service)
    return Address(given, url.netloc.decode("ascii"), f".{url.host}".endswith(_OWN_HOSTS))


def _no_address(service: Service) -> ModelError:
    return ModelError(
        f"{service.section}.base_url (or OPENAI_BASE_URL) is not an address: write one such as "
        "https://api.openai.com/v1 or http://127.0.0.1:11434/v1"
    )


def _check_key(service: Service, asked: Asked, address: Address) -> None:
    key = asked.api_key
    if not key and address.own:
        raise ModelError(
            f"there is no API key for {address.host}: set {service.section}.api_key, by default env:OPENAI_API_KEY"
        )
    # Found out here and not by the HTTP library, which would put the whole header into its message.
    if not all("!" <= character <= "~" for character in key):
        raise ModelError(
            f"the API key for {address.host} cannot be sent: it holds a space, a line break or a character "
            "outside ASCII; copy it again"
        )
