"""What the commands share that try bots on this machine: which store is safe, where LINE is kept, and the log."""

import logging
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.logging import RichHandler

from botkit.simulator.playground.mortal import is_of_the_living
from botkit.wiring import ConfigurationError

STORE = "sqlite:///.botkit/botkit.db"


def store_of(settings: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """The URL of the store. Raises ConfigurationError for one that deployed bots may be using.

    Trying a bot must never touch what is deployed: a DynamoDB is taken only at an address of one's own. That is
    looked for in the process's `environ`: AWS's SDK reads no `.env`, as `settings` do.
    """
    url = settings.get("BOTKIT_STORE") or STORE
    if not url.startswith("dynamodb:"):
        return url
    endpoint = environ.get("AWS_ENDPOINT_URL_DYNAMODB") or environ.get("AWS_ENDPOINT_URL") or ""
    ignored = environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true"
    host = urlsplit(endpoint).hostname or ""
    if ignored or not host or host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
        raise ConfigurationError(
            f"BOTKIT_STORE is {url}, which your deployed bots may be using, and trying a bot keeps away from it; "
            "unset it, or name a local DynamoDB in the environment's AWS_ENDPOINT_URL_DYNAMODB"
        )
    return url


def memory_of(store: str) -> Path | None:
    """Where LINE's part is kept: in the folder of the store; None where the store keeps nothing either."""
    kind, _, rest = store.partition(":///")
    if store.startswith("memory:"):
        return None
    home = Path(rest).parent if kind == "sqlite" else Path(".botkit")
    return home / "simulator.db"


def log_to_terminal() -> None:
    """Show warnings and errors of the handler, but for those of workers that were killed on purpose."""
    handler = RichHandler(console=Console(stderr=True, emoji=False), show_path=False)
    handler.addFilter(is_of_the_living)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
