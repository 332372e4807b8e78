"""The channel access token with which a bot speaks: the one its file names, or one that LINE issues for it."""

from collections.abc import Sequence
from typing import Final

from botkit.errors import LineRefused, SecretError
from botkit.ports import Line, Secrets
from botkit.spec.bot import BotSpec

_WRONG: Final = (400, 401, 403)
"""What LINE says where the channel's id or its secret is wrong (RFC 6749, section 5.2)."""


def access_token(bot: BotSpec, secrets: Secrets, line: Line) -> str:
    """The token for the bot's account; where its file names several channel secrets, by the first that LINE takes.

    Raises SecretError, with the cure, where the file or one of the secrets is wrong, and LineError where LINE
    cannot be asked.
    """
    if bot.line is None:
        raise SecretError(f"the file of {bot.name} names no LINE account; add its line: section")
    if bot.line.channel_access_token is not None:
        return secrets.get(bot.line.channel_access_token)
    return _issued(bot.name, bot.line.channel_id or "", bot.line.channel_secret, secrets, line)


def _issued(bot: str, channel_id: str, references: Sequence[str], secrets: Secrets, line: Line) -> str:
    missing: list[SecretError] = []
    refused: list[LineRefused] = []
    for reference in references:
        try:
            return line.issue_token(channel_id, secrets.get(reference))
        except SecretError as error:
            missing.append(error)
        except LineRefused as error:
            if error.retryable or error.status not in _WRONG:
                raise
            refused.append(error)
    if not refused:  # else what is missing may be an old secret
        raise missing[0]
    wrong = f"line.channel_id {channel_id} or the secret in {', '.join(references)} is wrong"
    cure = "write both as LINE's console shows them under Basic settings"
    # As a secret that leads nowhere: it stays so until somebody mends it.
    raise SecretError(f"bot {bot}: LINE issues no access token, so {wrong}; {cure} ({refused[0]})") from refused[0]
