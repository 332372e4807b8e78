"""Made-up accounts and people: the same at every start."""

from hashlib import sha256

from botkit.simulator.chats import Account
from botkit.spec.bot import BotSpec, LineAccount


def made_up_id(prefix: str, kind: str, name: str) -> str:
    """An id in LINE's shape: for the same name the same at every start, so that histories go on."""
    return prefix + sha256(f"{kind}:{name}".encode()).hexdigest()[:32]


def line_section(bot: BotSpec, account: Account) -> tuple[LineAccount, dict[str, str]]:
    """The bot's `line:` with an account of this LINE instead of its own, and its secrets by environment variable.

    The token comes in the way of the bot's own: issued, or stored.
    """
    secret, token = (f"SIMULATED_{kind}_{account.user_id}".upper() for kind in ("secret", "token"))
    issued = bot.line is not None and bot.line.channel_id is not None
    access = {"channel_id": account.channel_id} if issued else {"channel_access_token": f"env:{token}"}
    section = LineAccount.model_validate({"channel_secret": f"env:{secret}", **access})
    return section, {secret: account.channel_secret, token: account.access_token}
