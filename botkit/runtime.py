"""Runtime: the bots and the services of one process; the one place that wires adapters to ports."""

import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Lock, Thread
from time import sleep, time
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from botkit.aws import logs
from botkit.aws.batch import is_batch, read_batch, write_failures
from botkit.aws.http import is_http, read_request, write_response
from botkit.aws.queue_url import queue_fault
from botkit.aws.secrets import ReferenceSecrets, Remote
from botkit.delivery.door import Door
from botkit.delivery.sweep import sweep
from botkit.delivery.together import Rest, drain_batch, drain_together
from botkit.errors import BotkitError, SpecError, WakeError
from botkit.ports import ChatModel, Clock, Conversation, Line, Markdown, Services, Store, Wake
from botkit.spec.shelf import Shelf

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

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# CloudWatch: Metrics concepts: Namespaces; those that begin with AWS/ are Amazon's.
_NAMESPACE = re.compile(r"(?!AWS/|:)[A-Za-z0-9._/#:-]{1,255}")

NO_METRICS = "off"
"""In BOTKIT_METRICS: nothing is counted in CloudWatch, where each metric of each bot costs."""
LOCAL_SECONDS = 60
"""The deadline of an invocation whose context names none (local use), in seconds."""


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


class Threads(Executor):
    """A thread for each task, gone with it; nobody waits for one when the process ends.

    Not a pool: turns wait for what runs beside them, and a turn that hangs for ever would keep its place in one.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Begin the task now."""
        future: Future[T] = Future()
        Thread(target=_settle, args=(future, partial(fn, *args, **kwargs)), name="botkit", daemon=True).start()
        return future


def _settle(future: "Future[T]", task: Callable[[], T]) -> None:
    try:
        future.set_result(task())
    except BaseException as error:  # carried over to the thread that waits, which raises it
        future.set_exception(error)


class ConfigurationError(BotkitError):
    """The environment does not say what is needed to start."""


class Runtime:
    """Serves a shelf of bots. Built once per process; calling it is the Lambda entry point.

    A bot whose file is wrong is answered 503, the others are served. `owner` is the name under which
    leases are taken, by default a new one for each invocation: who is the only worker may keep one,
    and so go on at once where a process of its own was killed. `discreet`: a bug's own words, which may
    quote what somebody wrote, do not leave the process; the log has what it shows of them.
    """

    def __init__(self, shelf: Shelf, services: Services, owner: str | None = None, *, discreet: bool = False) -> None:
        self.shelf = shelf
        self.services = services
        self._owner = owner
        self._discreet = discreet

    @classmethod
    def start(cls, home: Path, environ: Mapping[str, str] = os.environ, clock: Clock | None = None) -> Self:
        """Load the bots and wire the services that the environment names (README: On LINE).

        `home` is the folder of handler.py, beside which the bots are looked for; `clock` is the
        machine's own where none is given. On Lambda a bot is read when it is first called, so that
        a cold start pays for no other; elsewhere all are read now. Raises SpecError where no bot
        loads, and ConfigurationError where the environment is wrong.
        """
        bots = Path(environ.get("BOTKIT_BOTS") or home / "bots")
        _start_logs(environ, bots)
        shelf = Shelf(bots)
        if "AWS_LAMBDA_FUNCTION_NAME" not in environ and not shelf.all():
            raise SpecError(shelf.problems)
        return cls(shelf, services(environ, clock), discreet="AWS_LAMBDA_FUNCTION_NAME" in environ)

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Answer one Lambda event: an HTTP request of any front end, a batch of the queue, or the schedule's sweep.

        Raises ConfigurationError for an event of another shape.
        """
        logs.begin(context)
        try:
            return self._answer(event, context)
        except Exception as error:
            if not self._discreet or isinstance(error, BotkitError):
                raise
            # Lambda would print it as it is.
            log.exception("this is a bug: please report it")
            raise RuntimeError(f"{type(error).__name__}, told in the line before") from None

    def _answer(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        visit = _Visit(self, self._owner or self.services.new_id(), self._deadline(context))
        if isinstance(event, Mapping) and is_http(event):
            door = Door(self.shelf, self.services, visit.wake)
            return write_response(event, door(read_request(event)))
        if isinstance(event, Mapping) and is_batch(event):
            return visit.work_off(event)
        if isinstance(event, Mapping) and event.get("botkit") == "sweep":
            return {"swept": sweep(self.shelf.all(), self.services, visit.wake_or_drain, visit.deadline)}
        keys = ", ".join(sorted(map(str, event))) if isinstance(event, Mapping) else type(event).__name__
        raise ConfigurationError(
            f"this event is of no shape that botkit knows (its keys: {keys}); "
            'send HTTP API, REST API, function URL, load balancer or SQS events, or {"botkit": "sweep"}'
        )

    def _deadline(self, context: Any) -> int:
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        return self.services.clock.now() + (remaining() if remaining else LOCAL_SECONDS * 1000)


@dataclass(frozen=True, slots=True)
class _Visit:
    """One invocation: in whose name leases are taken, and until when (ms since 1970)."""

    runtime: Runtime
    owner: str
    deadline: int

    def wake(self, conversations: Sequence[Conversation]) -> None:
        """Have them answered, by the queue's worker if there is one, else now.

        What was accepted is durable, so no failure here may become LINE's concern: the sweep sees to it.
        """
        queue = self.runtime.services.wake
        if queue is None:
            self.drain(conversations)
            return
        try:
            queue.send(conversations)
        except WakeError as error:
            log.error("accepted, and left for the sweep: %s", error)

    def wake_or_drain(self, conversations: Sequence[Conversation]) -> Mapping[Conversation, Rest]:
        """As `wake`, for the sweep, which is what everything else relies on: without the queue it does the work."""
        queue = self.runtime.services.wake
        if queue is not None:
            try:
                queue.send(conversations)
                return dict.fromkeys(conversations)
            except WakeError as error:
                log.error("the sweep answers without the queue: %s", error)
        return self.drain(conversations)

    def drain(self, conversations: Sequence[Conversation]) -> Mapping[Conversation, Rest]:
        """Answer what is waiting, here and now."""
        services, find = self.runtime.services, self.runtime.shelf.find
        return drain_together(find, conversations, services, self.owner, self.deadline)

    def work_off(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the conversations of a batch of the queue; what must come again is named in the answer."""
        wakeups, unreadable = read_batch(event)
        if unreadable:
            log.error("messages of the queue that botkit did not write, left for its DLQ: %s", ", ".join(unreadable))
        services, find = self.runtime.services, self.runtime.shelf.find
        failed = drain_batch(find, wakeups, services, self.owner, self.deadline)
        return write_failures([*unreadable, *failed])


def services(environ: Mapping[str, str], clock: Clock | None = None) -> Services:
    """The services that the environment names. Raises ConfigurationError."""
    clock = clock or SystemClock()
    return Services(
        store=_store(environ),
        line=_on_demand("botkit.line.client", "LineClient", environ.get("BOTKIT_LINE_URL") or None, clock.now),
        model=_on_demand("botkit.models.openai", "OpenAIModel", clock),
        markdown=_on_demand("botkit.line.markdown", "LineMarkdown"),
        secrets=ReferenceSecrets(environ, clock, _on_demand("botkit.aws.remote_secrets", "RemoteSecrets")),
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
    wake: Wake = _on_demand("botkit.aws.queue", "SqsWake", url)
    return wake


def _store(environ: Mapping[str, str]) -> Store:
    url = environ.get("BOTKIT_STORE") or ""
    if not url and "AWS_LAMBDA_FUNCTION_NAME" in environ:
        # Lambda's disk goes with the instance, and the conversations with it.
        raise ConfigurationError("BOTKIT_STORE is not set; on Lambda write dynamodb://TABLE")
    kind, _, rest = (url or "sqlite:///.botkit/botkit.db").partition(":")
    store: Store
    if kind == "memory":
        store = _on_demand("botkit.stores.memory", "MemoryStore")
    elif kind == "sqlite" and rest.startswith("///") and len(rest) > 3:
        store = _on_demand("botkit.stores.sqlite", "SqliteStore", Path(rest[3:]))
    elif kind == "dynamodb" and rest.strip("/"):
        store = _on_demand("botkit.stores.dynamodb", "DynamoStore", rest.strip("/"))
    else:
        raise ConfigurationError(f"BOTKIT_STORE is {url!r}; write sqlite:///path.db, dynamodb://TABLE or memory:")
    return store


def _on_demand(module: str, name: str, *arguments: object) -> Any:
    """The adapter `name` of `module`, imported and built at its first use."""
    return _OnDemand(module, name, arguments)


class _OnDemand:
    """Stands for an adapter until it is used: a start that only takes a webhook in pays for no model SDK."""

    def __init__(self, module: str, name: str, arguments: tuple[object, ...]) -> None:
        self._where = module, name
        self._arguments = arguments
        self._adapter: Any = None
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._adapter is None:
                module, kind = self._where
                self._adapter = getattr(import_module(module), kind)(*self._arguments)
        return getattr(self._adapter, name)


if TYPE_CHECKING:
    # What is imported on demand is unknown to mypy; here it sees that every adapter fits its port.
    _STORES: tuple[type[Store], ...] = (MemoryStore, SqliteStore, DynamoStore)
    _REMOTES: tuple[type[Remote], ...] = (RemoteSecrets,)
    _LINES: tuple[type[Line], ...] = (LineClient,)
    _MARKDOWNS: tuple[type[Markdown], ...] = (LineMarkdown,)
    _WAKES: tuple[type[Wake], ...] = (SqsWake,)
    _MODELS: tuple[type[ChatModel], ...] = (OpenAIModel, RehearsalModel)


def _start_logs(environ: Mapping[str, str], bots: Path) -> None:
    """JSON lines on Lambda, where steps of one's own are heard as well; elsewhere it is for others to show the logs."""
    level, namespace = _log_level(environ), environ.get("BOTKIT_METRICS") or "botkit"
    if not _NAMESPACE.fullmatch(namespace):
        raise ConfigurationError(
            f"BOTKIT_METRICS is {namespace!r}; write a CloudWatch namespace of your own, such as botkit/mybots: "
            f"letters, digits and . - _ / # : only, and not AWS/ at the start; or {NO_METRICS}"
        )
    logging.getLogger("botkit").setLevel(level)
    if "AWS_LAMBDA_FUNCTION_NAME" in environ:
        logs.start(level, "" if namespace == NO_METRICS else namespace, ("botkit", bots.name))


def _log_level(environ: Mapping[str, str]) -> int:
    level = environ.get("BOTKIT_LOG") or "info"
    if level not in ("debug", "info", "warning"):
        raise ConfigurationError(f"BOTKIT_LOG is {level!r}; write debug, info or warning")
    return logging.getLevelNamesMapping()[level.upper()]
