"""Wiring: the services that the environment names; the one place that knows every adapter."""

from collections.abc import Mapping
from concurrent.futures import Future, wait
from pathlib import Path
from time import sleep, time
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from botkit.aws.queue_url import queue_fault
from botkit.aws.secrets import ReferenceSecrets, Remote
from botkit.demand import Adapter
from botkit.errors import BotkitError
from botkit.ports import ChatModel, Clock, Line, Markdown, Services, Store, Wake
from botkit.threads import Threads

if TYPE_CHECKING:
    from botkit.aws.queue import SqsWake
    from botkit.aws.remote_secrets import RemoteSecrets
    from botkit.line.client import LineClient
    from botkit.line.markdown import LineMarkdown
    from botkit.models.openai import OpenAIModel
    from botkit.models.rehearsal import RehearsalModel
    from botkit.stores.dynamodb import DynamoStore
    from botkit.stores.memory import MemoryStore
    from botkit.stores.sqlite import SqliteStore

P = ParamSpec("P")
T = TypeVar("T")


class SystemClock:
    """The machine's own time."""

    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(time() * 1000)

    def sleep(self, ms: int) -> None:
        """Wait."""
        sleep(ms / 1000)

    def wait(self, future: "Future[Any]", until: int) -> bool:
        """Wait until the future is done, or until a time in ms since 1970; whether it is done."""
        return bool(wait([future], max(0, until - self.now()) / 1000).done)


class ConfigurationError(BotkitError):
    """The environment does not say what is needed to start."""


def services(environ: Mapping[str, str], clock: Clock | None = None) -> Services:
    """The services that the environment names. Raises ConfigurationError."""
    clock = clock or SystemClock()
    return Services(
        store=_store(environ),
        line=Adapter("botkit.line.client", "LineClient", environ.get("BOTKIT_LINE_URL") or None, clock.now),
        model=Adapter("botkit.models.openai", "OpenAIModel", clock),
        markdown=Adapter("botkit.line.markdown", "LineMarkdown"),
        secrets=ReferenceSecrets(environ, clock, Adapter("botkit.aws.remote_secrets", "RemoteSecrets")),
        clock=clock,
        pool=Threads(),
        wake=_wake(environ),
    )


def _wake(environ: Mapping[str, str]) -> Wake | None:
    url = environ.get("BOTKIT_QUEUE")
    if not url:
        return None
    if fault := queue_fault(url):
        raise ConfigurationError(f"BOTKIT_QUEUE {fault}, or unset it to answer inline")
    return cast(Wake, Adapter("botkit.aws.queue", "SqsWake", url))


def _store(environ: Mapping[str, str]) -> Store:
    url = environ.get("BOTKIT_STORE") or ""
    if not url and "AWS_LAMBDA_FUNCTION_NAME" in environ:
        # Lambda's disk goes with the instance, and the conversations with it.
        raise ConfigurationError("BOTKIT_STORE is not set; on Lambda write dynamodb://TABLE")
    kind, _, rest = (url or "sqlite:///.botkit/botkit.db").partition(":")
    store: Store
    if kind == "memory":
        store = Adapter("botkit.stores.memory", "MemoryStore")
    elif kind == "sqlite" and rest.startswith("///") and len(rest) > 3:
        store = Adapter("botkit.stores.sqlite", "SqliteStore", Path(rest[3:]))
    elif kind == "dynamodb" and rest.strip("/"):
        store = Adapter("botkit.stores.dynamodb", "DynamoStore", rest.strip("/"))
    else:
        raise ConfigurationError(f"BOTKIT_STORE is {url!r}; write sqlite:///path.db, dynamodb://TABLE or memory:")
    return store


if TYPE_CHECKING:
    # What is imported on demand is unknown to mypy; here it sees that every adapter fits its port.
    _STORES: tuple[type[Store], ...] = (MemoryStore, SqliteStore, DynamoStore)
    _REMOTES: tuple[type[Remote], ...] = (RemoteSecrets,)
    _LINES: tuple[type[Line], ...] = (LineClient,)
    _MARKDOWNS: tuple[type[Markdown], ...] = (LineMarkdown,)
    _WAKES: tuple[type[Wake], ...] = (SqsWake,)
    _MODELS: tuple[type[ChatModel], ...] = (OpenAIModel, RehearsalModel)
