"""Account: what a door needs of a bot, without the pipeline."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """The LINE account of the bot `bot`. Lives as long as the process.

    `channel_secret` are references, none where the file names no account; `user_id` is the bot's own LINE id.
    `shares_groups`: all people of a group chat share one conversation (`history.scope: group`).
    """

    bot: str
    channel_secret: tuple[str, ...] = ()
    user_id: str | None = None
    shares_groups: bool = False
