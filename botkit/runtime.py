"""Runtime: the bots and the services of one process, and the Lambda events that they answer."""

import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from botkit import coldstart, demand
from botkit.aws import logs
from botkit.aws.batch import is_batch, read_batch, write_failures
from botkit.aws.http import is_http, read_request, write_response
from botkit.delivery.door import Door
from botkit.errors import BotkitError, SpecError, WakeError
from botkit.ports import Clock, Conversation, Services
from botkit.spec.shelf import Shelf
from botkit.wiring import ConfigurationError, services

if TYPE_CHECKING:
    from botkit.delivery import sweep, together
else:  # they bring the pipeline with all its steps, 150 ms of a start, and a door has no use for it
    sweep, together = demand.module("botkit.delivery.sweep"), demand.module("botkit.delivery.together")

log = logging.getLogger(__name__)

# CloudWatch: Metrics concepts: Namespaces; those that begin with AWS/ are Amazon's.
_NAMESPACE = re.compile(r"(?!AWS/|:)[A-Za-z0-9._/#:-]{1,255}")

NO_METRICS = "off"
"""In BOTKIT_METRICS: nothing is counted in CloudWatch, where each metric of each bot costs."""
LOCAL_SECONDS = 60
"""The deadline of an invocation whose context names none (local use), in seconds."""


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
        if "AWS_LAMBDA_FUNCTION_NAME" in environ:
            with coldstart.collector_at_rest():
                return cls._start_on_lambda(bots, environ, clock)
        shelf = Shelf(bots)
        if not shelf.all():
            raise SpecError(shelf.problems)
        return cls(shelf, services(environ, clock))

    @classmethod
    def _start_on_lambda(cls, bots: Path, environ: Mapping[str, str], clock: Clock | None) -> Self:
        started = cls(Shelf(bots), services(environ, clock), discreet=True)
        if role := environ.get("BOTKIT_ROLE"):
            if role not in coldstart.ROLES:
                raise ConfigurationError(f"BOTKIT_ROLE is {role!r}; write {' or '.join(coldstart.ROLES)}, or unset it")
            coldstart.get_ready(role, started.shelf, started.services)
        return started

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
            return {"swept": sweep.sweep(self.shelf.good_names(), self.services, visit.wake_or_drain, visit.deadline)}
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

    def wake_or_drain(self, conversations: Sequence[Conversation]) -> "Mapping[Conversation, together.Rest]":
        """As `wake`, for the sweep, which is what everything else relies on: without the queue it does the work."""
        queue = self.runtime.services.wake
        if queue is not None:
            try:
                queue.send(conversations)
                return dict.fromkeys(conversations)
            except WakeError as error:
                log.error("the sweep answers without the queue: %s", error)
        return self.drain(conversations)

    def drain(self, conversations: Sequence[Conversation]) -> "Mapping[Conversation, together.Rest]":
        """Answer what is waiting, here and now."""
        services, find = self.runtime.services, self.runtime.shelf.find
        return together.drain_together(find, conversations, services, self.owner, self.deadline)

    def work_off(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the conversations of a batch of the queue; what must come again is named in the answer."""
        wakeups, unreadable = read_batch(event)
        if unreadable:
            log.error("messages of the queue that botkit did not write, left for its DLQ: %s", ", ".join(unreadable))
        services, find = self.runtime.services, self.runtime.shelf.find
        failed = together.drain_batch(find, wakeups, services, self.owner, self.deadline)
        return write_failures([*unreadable, *failed])


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
