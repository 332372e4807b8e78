"""Webhook addresses: where those of a deployment's bots are, and which of them LINE takes."""

from argparse import Namespace
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from botkit.deploy.session import open_session
from botkit.deploy.stack import find_stack
from botkit.errors import DeployError

LONGEST: Final = 500
"""Characters (LINE reference: Set webhook endpoint URL)."""
_LONGEST_BASE: Final = LONGEST - len("/line/") - 32


def webhook_address(base: str, bot: str) -> str:
    """Where LINE sends a bot's webhooks."""
    return f"{base.rstrip('/')}/line/{bot}"


def address_fault(base: str, settings: Mapping[str, str]) -> str | None:
    """What is wrong with the part of an address before /line/BOT, in words that go after a noun; None if it is good.

    LINE takes https alone; a LINE of one's own (BOTKIT_LINE_URL) also what is on this machine.
    """
    try:
        parts = urlsplit(base)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is not an address; write one such as https://bots.example.com"
    if not host or parts.scheme not in ("https", "http") or not base.isascii() or not base.isprintable() or " " in base:
        return "is not an address; write one such as https://bots.example.com"
    if parts.scheme == "http" and not (settings.get("BOTKIT_LINE_URL") and _is_own(host)):
        return "begins with http://, and LINE takes https:// alone"
    return _form_fault(base, parts)


def _form_fault(base: str, parts: SplitResult) -> str | None:
    if parts.query or parts.fragment or parts.username or parts.password:
        return "holds more than a host and a path; write one such as https://bots.example.com"
    if "/line/" in f"{parts.path}/":
        return "holds /line already; leave it out: botkit adds /line/ and the bot's name"
    if len(base) > _LONGEST_BASE:
        return f"has more than {_LONGEST_BASE} characters; LINE takes {LONGEST} with /line/ and the bot's name"
    return None


def _is_own(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def base_of(options: Namespace, settings: Mapping[str, str]) -> str:
    """What --url says, else the output Url of the stack. Raises DeployError where there is neither."""
    if options.url:
        return str(options.url)
    stack = find_stack(open_session(settings), options.stack)
    if stack is None:
        cure = "make it: botkit deploy, or say where the bots are: --url BASE"
        raise DeployError(f"there is no stack {options.stack}; {cure}")
    url = stack.outputs.get("Url", "")
    if fault := address_fault(url, settings):
        raise DeployError(f"the output Url of the stack {options.stack} {fault}")
    return url
