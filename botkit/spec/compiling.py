"""Makes what `botkit.spec.compiled` reads: the bots of a package in the form in which they cost a cold start least."""

import json
from collections.abc import Iterable
from pathlib import Path

from botkit.spec.bot import BotSpec
from botkit.spec.compiled import ACCOUNTS, hashes
from botkit.spec.inherit import read_whole
from botkit.steps.persona import Persona


def compile_into(folder: Path, bots: Iterable[BotSpec], sources: Path) -> None:
    """Write the parsed form of good bots, whose files are in `sources`, and their accounts into a new folder.

    A bot with steps of the user's own has no account there: only importing them tells whether it is good.
    The same bytes for the same files. Raises OSError.
    """
    folder.mkdir(parents=True)
    accounts = {}
    for bot in sorted(bots, key=lambda one: one.name):
        path = sources / bot.file.name
        if (content := compile_bot(path)) is None:
            continue
        (folder / f"{bot.name}.json").write_bytes(content)
        if all(type(step).__module__.startswith("botkit.") for step in bot.steps):
            accounts[bot.name] = _account(bot, path)
    (folder / ACCOUNTS).write_bytes(_written(accounts))


def compile_bot(path: Path) -> bytes | None:
    """A bot file parsed; None for a file that is wrong. The same bytes for the same files. Raises OSError."""
    whole = read_whole(path, path.name)
    if whole.problems or not whole.complete or not whole.whole:
        return None
    return _written(
        {
            "files": hashes(path, whole.files),
            "data": whole.data,
            "places": [[list(where), *place] for where, place in whole.places.items()],
            "written": [[list(where), text] for where, text in whole.written.items()],
            "blocks": [[list(where), line] for where, line in whole.blocks.items()],
        }
    )


def _account(bot: BotSpec, path: Path) -> dict[str, object]:
    account, persona = bot.account, bot.step(Persona)
    files = [*read_whole(path, path.name).files, *([persona.file] if persona and persona.file else [])]
    return {
        "files": hashes(path, files),
        "channel_secret": account.channel_secret,
        "user_id": account.user_id,
        "shares_groups": account.shares_groups,
    }


def _written(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode("ascii")
