"""LINE's issuing of stateless channel access tokens, for whoever shows a channel's id and secret."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from botkit.simulator.chats import Account
from botkit.simulator.wire import JsonObject
from botkit.simulator.world import TOKEN_LIFE, World

FORM: Final = "application/x-www-form-urlencoded"
_FIELDS: Final = ("grant_type", "client_id", "client_secret")

Said = tuple[int, JsonObject]
"""A status and a body."""


def issue_token(world: World, headers: Mapping[str, str], body: bytes) -> Said:
    """Issue stateless channel access token, by client id and secret. There may be any number of them at a time.

    The errors have OAuth's names (LINE reference: Error responses of channel access tokens; RFC 6749, section 5.2).
    Its other way, by a signed JWT, is not played here. Parameters that are unknown or empty count for nothing (RFC
    6749, section 3.2); LINE's own SDK sends such.
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return _error("invalid_request", f"the content type must be {FORM}")
    form = _form(body)
    if form is None or not all(form.get(name) for name in _FIELDS) or form.get("client_assertion"):
        return _error("invalid_request", "some parameters missed or invalid")
    if form["grant_type"] != "client_credentials":
        return _error("unsupported_grant_type", "grant_type must be client_credentials")
    account = _account(world, form["client_id"], form["client_secret"])
    if account is None:
        return _error("invalid_client", "invalid client_id or client_secret")
    token = world.issue_token(account)
    return 200, {"token_type": "Bearer", "access_token": token, "expires_in": TOKEN_LIFE // 1000}


def _account(world: World, channel_id: str, channel_secret: str) -> Account | None:
    known = (channel_id, channel_secret)
    return next((one for one in world.accounts.values() if (one.channel_id, one.channel_secret) == known), None)


def _form(body: bytes) -> dict[str, str] | None:
    """The fields of a form; None where it is none, or holds one twice (RFC 6749, section 3.2)."""
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=20)
    except ValueError:
        return None
    return dict(fields) if len(dict(fields)) == len(fields) else None


def _error(error: str, description: str) -> Said:
    return 400, {"error": error, "error_description": description}
