"""A bot's LINE account, examined: its secrets, its token, its webhook, its quota and its modes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from botkit.cli.accounts import Accounts
from botkit.cli.addresses import webhook_address
from botkit.cli.examination import USER_ID, Finding, good, odd, wrong, wrong_as
from botkit.cli.quota import examine_quota
from botkit.cli.verdicts import CONSOLE, explain
from botkit.errors import LineError, LineRefused, SecretError
from botkit.line.console import Account, LineConsole, Webhook
from botkit.spec.bot import BotSpec, LineAccount
from botkit.steps.model import Model
from botkit.steps.reply import Reply

_DEFAULT_KEY: Final = "env:OPENAI_API_KEY"
_MANAGER: Final = "LINE Official Account Manager, Response settings"
_TAB: Final = "the channel's Messaging API tab in the " + CONSOLE


@dataclass(slots=True)
class Examined:
    """What was found of one bot. `account` is None where LINE was not reached in its name."""

    bot: BotSpec
    findings: list[Finding] = field(default_factory=list)
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What bots are examined against: `base` is the address before /line/BOT, None where it is not known.

    `own_server`: OPENAI_BASE_URL names one, which may need no key. `now`: ms since 1970.
    """

    accounts: Accounts
    base: str | None
    own_server: bool
    now: int


def examine_account(bot: BotSpec, around: Surroundings) -> Examined:
    """Ask LINE all there is to ask about the account of a bot; what fails is a finding."""
    examined = Examined(bot)
    found = examined.findings
    found += _secrets(bot, around)
    if bot.line is None:
        found.append(odd("line", "it has no LINE account yet", "add a `line:` section to its file"))
        return examined
    try:
        token = around.accounts.token(bot)
    except SecretError as error:
        if all(one.severity == "ok" for one in found):  # else it is said already
            found.append(wrong_as("token", error))
        return examined
    except LineError as error:
        found.append(_unreached(error))
        return examined
    with around.accounts.console(token) as line:
        _ask_line(examined, bot.line, around, line)
    return examined


def _secrets(bot: BotSpec, around: Surroundings) -> list[Finding]:
    missing, found = [], 0
    for reference in bot.secrets:
        try:
            around.accounts.secrets.get(reference)
            found += 1
        except SecretError as error:
            if reference != _DEFAULT_KEY or not _needs_no_key(bot, around):
                missing.append(wrong_as("secret", error))
    return missing or [good("secrets", f"{found} found")]


def _needs_no_key(bot: BotSpec, around: Surroundings) -> bool:
    model = bot.step(Model)
    return model is not None and "api_key" not in model.model_fields_set and bool(model.base_url or around.own_server)


def _unreached(error: LineError) -> Finding:
    text = f"it cannot be asked ({str(error).removeprefix('LINE ')})"
    if isinstance(error, LineRefused) and not error.retryable and error.status == 0:
        return wrong("LINE", text, "see that BOTKIT_LINE_URL, where it is set, leads to LINE")
    return wrong("LINE", text, "see that this machine is online, and try again")


def _ask_line(examined: Examined, given: LineAccount, around: Surroundings, line: LineConsole) -> None:
    bot, found = examined.bot, examined.findings
    try:
        examined.account = account = line.account()
    except LineError as error:
        found.append(_refused_token(given, error))
        return
    found.append(good("token", "LINE accepts it"))
    found.append(_destination(given, account))
    try:
        found += _webhook(bot.name, given, around, line)
    except LineError as error:
        found.append(_failed("webhook", error))
    try:
        found += examine_quota(bot, line.quota(), around.now)
    except LineError as error:
        found.append(_failed("quota", error))
    found += _modes(bot, account)
    if given.user_id is None:
        found.append(good(USER_ID, account.user_id))


def _failed(about: str, error: LineError) -> Finding:
    if isinstance(error, LineRefused) and error.status == 429:
        return odd(about, f"LINE was asked too often ({error})", "try again in an hour")
    return wrong_as(about, error, "try again")


def _refused_token(given: LineAccount, error: LineError) -> Finding:
    if not isinstance(error, LineRefused) or error.status not in (401, 403):
        return _unreached(error)
    if given.channel_access_token is None:
        return wrong("token", f"LINE refuses the token that it has just issued ({error})", "try again")
    cure = f"issue a Channel access token on {_TAB}, and put it where {given.channel_access_token} leads"
    return wrong("token", f"LINE does not accept the channel access token ({error})", cure)


def _destination(given: LineAccount, account: Account) -> Finding:
    name = f"{account.name} {account.basic_id}"
    if given.user_id in (None, account.user_id):
        return good("account", name, name)
    text = f"`line.user_id` is {given.user_id}, and the token is that of {name}: {account.user_id}"
    return wrong("account", text, f"write user_id: {account.user_id}, or take the token of the account that is meant")


def _webhook(name: str, given: LineAccount, around: Surroundings, line: LineConsole) -> Iterator[Finding]:
    webhook = line.webhook()
    if webhook is None:
        yield wrong("webhook", "no address is set at LINE", f"botkit webhook set {name}")
        return
    yield from _address(name, given, around.base, webhook)
    if not webhook.active:
        cure = f"switch it on, on {_TAB}"
        yield wrong("webhook", '"Use webhook" is off, so no message reaches the bot', cure)
    verdict = line.test_webhook(webhook.address)
    text, cure = explain(verdict)
    yield wrong("webhook", text, cure) if cure else good("webhook", f"{webhook.address} answers", "webhook answers")


def _address(name: str, given: LineAccount, base: str | None, webhook: Webhook) -> Iterator[Finding]:
    path = f"/line/{name}"
    fits = (path, "/line") if given.user_id else (path,)
    address = webhook.address.rstrip("/")
    if base is None and not address.endswith(fits):
        text = f"{webhook.address} does not end in {path}"
        yield odd("webhook", text, f"botkit webhook set {name} --url BASE")
    if base is not None and address not in [f"{base.rstrip('/')}{one}" for one in fits]:
        text = f"LINE sends to {webhook.address}, not to {webhook_address(base, name)}"
        yield wrong("webhook", text, f"botkit webhook set {name}")


def _modes(bot: BotSpec, account: Account) -> Iterator[Finding]:
    reply = bot.step(Reply)
    marks = reply is not None and reply.mark_as_read
    if marks and account.read_mode == "auto":
        text = "`reply.mark_as_read` does nothing, because the account's Chat is off and LINE marks all as read"
        yield odd("chat", text, "remove it, or switch Chat on in " + _MANAGER)
    if not marks and account.read_mode == "manual":
        text = "the account's Chat is on, so people never see that their messages were read"
        yield odd(
            "chat", text, "write `reply: {mark_as_read: true}`, or switch Chat off in LINE Official Account Manager"
        )
    if account.chat_mode == "chat":
        yield good("chat", "Chat is on: people of yours may answer beside the bot", "Chat on")
