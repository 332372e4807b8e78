"""The world of one run: LINE, AWS and a model around the real runtime."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

from botkit.errors import BotkitError
from botkit.line.markdown import LineMarkdown
from botkit.ports import Clock, Conversation, Lease, Line, Services, Store
from botkit.runtime import Runtime
from botkit.simulator.chats import Account
from botkit.simulator.platform import Platform
from tests.simulation.backends import Backend, DynamoBackend, PortBackend
from tests.simulation.bots import BODIES, FakeSecrets, shelf
from tests.simulation.fake_lambda import Fleet
from tests.simulation.fake_line import line_client
from tests.simulation.fake_model import Completions, FakeModel
from tests.simulation.fake_sqs import FakeQueue, FakeWake, Message
from tests.simulation.faults import Draws, FaultPoints
from tests.simulation.people import MINUTE, SECOND, People
from tests.simulation.scheduler import Crashed, Process, Scheduler, Task
from tests.simulation.threads import VirtualClock, VirtualPool

Mode = Literal["inline", "queue"]
Kind = Literal["dynamodb", "port"]
BACKENDS: dict[Kind, Callable[[Scheduler], Backend]] = {"dynamodb": DynamoBackend, "port": PortBackend}

START = 1_790_157_600_000
"""Ten in the morning, so that no run reaches midnight."""
DOOR_TIMEOUT, WORKER_TIMEOUT = 29 * SECOND, 90 * SECOND
VISIBILITY = 6 * WORKER_TIMEOUT
CONCURRENCY = 5
"""Batches of the queue that are worked on at once."""
LIMIT = 90 * MINUTE

THREADS = 1000
"""Tasks that a process may have at once: every one gets a thread of its own."""


@dataclass(frozen=True)
class Seams:
    """Where a planted bug takes hold: what each process is given passes through here.

    And the safety nets, each of which can be taken away, so that it hides no bug: the sweep, the queue's
    messages that come again where the worker asks for it (`comebacks`) and where it died (`returns`), LINE's
    redeliveries.
    """

    client: Callable[[Any], Any] = lambda client: client
    store: Callable[[Store], Store] = lambda store: store
    line: Callable[[Line], Line] = lambda line: line
    clock: Callable[[Clock], Clock] = lambda clock: clock
    sweeps: bool = True
    comebacks: bool = True
    returns: bool = True
    redeliveries: int = 3


class World:
    """Everything of one run: let its people act, then `run` it to rest."""

    def __init__(
        self, mode: Mode, seed: int, draws: Draws, kind: Kind = "dynamodb", seams: Seams | None = None
    ) -> None:
        self.mode = mode
        self.seams = seams or Seams()
        self.scheduler = Scheduler(seed, START)
        self.points = FaultPoints(self.scheduler, draws)
        self.backend = BACKENDS[kind](self.scheduler)
        self.platform = Platform(VirtualClock(self.scheduler), seed=seed)
        self.completions = Completions()
        self.queue = FakeQueue(self.scheduler, VISIBILITY, self._poll_soon)
        self.bugs: list[BaseException] = []
        self.complaints: list[str] = []
        self.metrics: list[tuple[str, str]] = []
        self.reports: list[tuple[dict[str, Any], set[str]]] = []
        self._owners: dict[str, Process] = {}
        self._turns: defaultdict[Conversation, set[Task]] = defaultdict(set)
        self.worker = Fleet(self.scheduler, "worker", WORKER_TIMEOUT, self._cold_start, self.bugs)
        self.door = self.worker
        if mode == "queue":
            self.door = Fleet(self.scheduler, "door", DOOR_TIMEOUT, self._cold_start, self.bugs)
        accounts = {name: self._account(name) for name in BODIES}
        self.people = People(self.scheduler, self.platform, accounts, self.door, self.seams.redeliveries)

    def _account(self, name: str) -> Account:
        user_id = f"U{UUID(int=sum(name.encode())).hex}"
        secret, token = f"secret-of-{name}", f"token-of-{name}"
        return self.platform.add_account(name, user_id=user_id, channel_secret=secret, access_token=token)

    # ---------------------------------------------------------------- processes

    def _cold_start(self, process: Process) -> Runtime:
        """What one container holds: clients of its own, and the runtime on them."""
        around, clock = self.points.call, VirtualClock(self.scheduler)
        services = Services(
            store=self.seams.store(self._watched(process, self.backend.open(around, self.seams.client))),
            line=self.seams.line(line_client(self.platform, self._line_call)),
            model=FakeModel(self.scheduler, around, self.completions, self._turn),
            markdown=LineMarkdown(),
            secrets=FakeSecrets(),
            clock=self.seams.clock(clock),
            pool=VirtualPool(self.scheduler, process, THREADS),
            wake=FakeWake(self.queue, around) if self.mode == "queue" else None,
            new_id=lambda: self._new_id(process),
        )
        return Runtime(shelf(), services)

    def _new_id(self, process: Process) -> str:
        name = f"{process.name}.{len(self._owners)}"
        self._owners[name] = process
        return name

    def _line_call(self, name: str, nature: Any, do: Callable[[], Any], what: Any) -> Any:
        """A call of LINE, after which people look at their phones."""

        def watched() -> Any:
            answer = do()
            self.people.look()
            return answer

        return self.points.call(name, nature, watched, what)

    @contextmanager
    def _turn(self, marks: tuple[str, ...]) -> Iterator[None]:
        """A turn is begun by the holder of its conversation's lease alone, and beside no other worker's turn."""
        spoken = self.people.spoken.get(marks[-1]) if marks else None
        if spoken is None:
            yield
            return
        task, turns = self.scheduler.task, self._turns[spoken.conversation]
        holder = self.backend.holder(spoken.conversation)
        if holder is None or self._owners.get(holder) is not task.process:
            self.complaints.append(f"a turn for {spoken.mark} in {task.process.name}; the lease is held by {holder}")
        beside = [one.process.name for one in turns if one.process is not task.process and not one.process.dead]
        if beside:
            self.complaints.append(f"a turn for {spoken.mark} in {task.process.name}, beside one in {beside[0]}")
        turns.add(task)
        try:
            yield
        finally:
            turns.discard(task)

    def _watched(self, process: Process, store: Store) -> Store:
        """A process that gives its lease back has given up the turn that it may have under way: that is not committed."""

        def give_up(lease: Lease) -> None:
            turns = self._turns[lease.conversation]
            turns -= {task for task in turns if task.process is process}

        return cast(Store, _Watched(store, give_up))

    # ---------------------------------------------------------------- running

    def run(self, limit: int = LIMIT) -> None:
        """Run until everything is at rest. Raises Stuck where it does not come to that within `limit` ms."""
        with self._listening():
            if self.seams.sweeps:
                self.scheduler.at(START + MINUTE, self._sweep)
            try:
                self.scheduler.run(self.at_rest, START + limit)
            finally:
                self.scheduler.close()

    def at_rest(self) -> bool:
        """Nobody acts, nothing runs, queue and inboxes are empty and no lease is held."""
        busy = self.people.busy or self.worker.running or self.door.running or self.queue.messages
        return not busy and not self.backend.waiting() and not self.backend.leases()

    def _sweep(self) -> None:
        self.worker.invoke({"botkit": "sweep"})
        self.scheduler.at(self.scheduler.now + MINUTE, self._sweep)

    def _poll_soon(self) -> None:
        visible = self.queue.next_visible()
        if visible is not None:
            wait = self.scheduler.random.randint(20, 300)
            self.scheduler.at(max(visible, self.scheduler.now) + wait, self._poll)

    def _poll(self) -> None:
        """The event source mapping of the worker."""
        if self.worker.running >= CONCURRENCY:
            self._poll_soon()
        elif batch := self.queue.receive():
            self._hand_over(batch)

    def _hand_over(self, batch: list[Message]) -> None:
        receipts = {message.id: message.receipt for message in batch}
        records = [message.record() for message in batch]

        def work_off() -> None:
            invocation = self.worker.invoke({"Records": records})
            invocation.ended.wait()
            if invocation.result is None:
                failed = set(receipts) if self.seams.returns else set()
            else:
                handed_back = {one["itemIdentifier"] for one in invocation.result["batchItemFailures"]}
                assert handed_back <= receipts.keys(), (
                    f"Lambda would take {handed_back} for a failure of the whole batch"
                )
                failed = handed_back if self.seams.comebacks else set()
            self.queue.delete([receipt for one, receipt in receipts.items() if one not in failed])

        self.people.act(work_off)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Logs go into the trace, metrics are counted, and what nobody foresaw is a bug."""
        log, handler = logging.getLogger("botkit"), _Listener(self)
        before = log.propagate, [one.level for one in _REPORTS]
        log.addHandler(handler)
        log.propagate = False
        for one in _REPORTS:
            _set_level(one, logging.INFO)
        try:
            yield
        finally:
            log.removeHandler(handler)
            log.propagate = before[0]
            for one, level in zip(_REPORTS, before[1], strict=True):
                _set_level(one, level)


_REPORTS = [logging.getLogger(name) for name in ("botkit.metrics", "botkit.delivery.metrics")]


def _set_level(log: logging.Logger, level: int) -> None:
    # `setLevel` forgets what all loggers of the process have remembered: too dear for each of ten thousand runs.
    log.level = level
    getattr(log, "_cache", {}).clear()


class _Watched:
    """A store that tells of each lease that is to be given back."""

    def __init__(self, store: Store, told: Callable[[Lease], None]) -> None:
        self._store = store
        self._told = told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def release(self, lease: Lease) -> Lease | None:
        self._told(lease)
        return self._store.release(lease)


class _Listener(logging.Handler):
    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        world = self._world
        if "report" in record.__dict__:
            report, metrics = record.__dict__["report"], record.__dict__["metrics"]
            world.metrics += [(name.lower(), report["bot"]) for name in metrics]
            world.reports.append((report, set(metrics)))
        scheduler = world.scheduler
        scheduler.note(scheduler.task.process, record.levelname.lower(), record.getMessage())
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, BotkitError | Crashed):
            world.bugs.append(error)
