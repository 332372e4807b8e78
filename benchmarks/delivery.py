"""What delivering messages costs: the door, a minute of heavy traffic, batches, poison, a killed worker.

    .venv/bin/python -m benchmarks.delivery [door] [batch] [traffic] [poison] [kill]

LINE, the model and, but for `door`, the queue are in this process; the store is DynamoDB on ministack
for `door`, and SQLite on disk for the others. One process, all its threads.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Empty
from threading import Event, Thread
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.fakes import POISON, SECRET, FakeLine, FakeModel, FakeQueue, webhook
from botkit.ports import Conversation, Store, Wake, Wakeup
from botkit.runtime import Runtime
from botkit.stores.dynamodb import DynamoStore, create_table
from botkit.stores.sqlite import SqliteStore
from botkit.wiring import SystemClock, services
from tests.support.aws import CREDENTIALS, dynamodb, ministack, sqs

RATE, SECONDS, CONVERSATIONS = 500, 60, 200
WORKERS = 4
BOT = """\
persona: You are kind.
model: gpt-4.1-mini
line: {channel_secret: env:BENCH_SECRET, channel_access_token: env:BENCH_TOKEN}
"""


class Bench:
    """A handler with fakes around it, and workers that poll its queue."""

    def __init__(self, folder: Path, store: Store, model: FakeModel, wake: Wake | None = None) -> None:
        bots = folder / "bots"
        bots.mkdir()
        (bots / "bench.yaml").write_text(BOT)
        environ = {"BOTKIT_BOTS": str(bots), "BOTKIT_STORE": "memory:", "BENCH_SECRET": SECRET, "BENCH_TOKEN": "t" * 20}
        environ["OPENAI_API_KEY"] = "sk-none"
        self.line, self.model, self.queue = FakeLine(), model, FakeQueue()
        runtime = Runtime.start(folder, environ | {"BOTKIT_LOG": "warning"})
        self.services = replace(
            services(environ), store=store, line=self.line, model=model, wake=wake or self.queue, clock=SystemClock()
        )
        self.handler = Runtime(runtime.shelf, self.services)
        self._stop = Event()

    def post(self, number: int, user: int, text: str) -> float:
        """Post a webhook; seconds until it was answered."""
        event = webhook(number, user, text)
        began = time.perf_counter()
        answer = self.handler(event, None)
        assert answer["statusCode"] == 200, answer
        return time.perf_counter() - began

    @contextmanager
    def workers(self, many: int = WORKERS) -> Iterator[None]:
        """Poll the queue beside what is done here, until it is done and the queue is empty."""
        threads = [Thread(target=self._work, daemon=True) for _ in range(many)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            if (batch := self.queue.batch()) is not None:
                self.handler(batch, None)

    def wait_for(self, many: int, patience: float) -> None:
        """Wait until so many messages were answered."""
        give_up = time.monotonic() + patience
        while self.line.words < many and time.monotonic() < give_up:
            self.handler({"botkit": "sweep"}, None)
            time.sleep(0.5)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def table(title: str, *columns: str) -> Table:
    made = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number == 0 else "right")
    return made


def door(folder: Path) -> Table:
    """One webhook after the other, stored in DynamoDB and queued in SQS, both on ministack."""
    os.environ.update(CREDENTIALS)
    with ministack() as endpoint:
        os.environ |= {"AWS_ENDPOINT_URL_DYNAMODB": endpoint, "AWS_ENDPOINT_URL_SQS": endpoint}
        create_table("bench", dynamodb(endpoint))
        url = sqs(endpoint).create_queue(QueueName="bench")["QueueUrl"]
        wired = services({"BOTKIT_STORE": "memory:", "BOTKIT_QUEUE": url})
        bench = Bench(folder, DynamoStore("bench"), FakeModel(), wired.wake)
        took = [1000 * bench.post(n, n % CONVERSATIONS, "hi") for n in range(550)][50:]
    shown = table("The door, warm, on ministack", "webhooks", "p50 ms", "p99 ms", "worst ms")
    shown.add_row("500", *(f"{percentile(took, share):.1f}" for share in (0.5, 0.99, 1.0)))
    return shown


def batch(folder: Path) -> Table:
    """Ten conversations, a model that takes two seconds: in one batch, and one at a time."""
    shown = table("Ten messages, the model takes 2 s", "invocations", "billed s, all", "billed s a message")
    for at_once in (10, 1):
        with home(folder, f"batch{at_once}") as at, opened(at) as store:
            bench = Bench(at, store, FakeModel(2.0))
            for n in range(10):
                bench.post(n, n, "hi")
            billed = sum(_invoke(bench, records) for records in _split(bench, at_once))
            assert len(bench.line.delivered) == 10
        shown.add_row(f"{10 // at_once}", f"{billed:.1f}", f"{billed / 10:.2f}")
    return shown


def _split(bench: Bench, at_once: int) -> list[list[Any]]:
    records = (bench.queue.batch() or {"Records": []})["Records"]
    return [records[start : start + at_once] for start in range(0, len(records), at_once)]


def _invoke(bench: Bench, records: list[Any]) -> float:
    began = time.perf_counter()
    assert bench.handler({"Records": records}, None) == {"batchItemFailures": []}
    return time.perf_counter() - began


def traffic(folder: Path) -> Table:
    """So many webhooks a second for a minute, taken by one process and answered by another, on one SQLite file."""
    at, total, answers = folder / "traffic", RATE * SECONDS, multiprocessing.Queue()
    at.mkdir()
    wakeups: multiprocessing.Queue[Any] = multiprocessing.Queue()
    worker = multiprocessing.Process(target=_answer_all, args=(folder, at, wakeups, answers, total))
    with opened(at) as store:
        bench = Bench(at, store, FakeModel(), Sender(wakeups))
        worker.start()
        answers.get()
        began, posted = time.perf_counter(), list[Future[float]]()
        with ThreadPoolExecutor(4) as doors:
            for n in range(total):
                ahead = began + n / RATE - time.perf_counter()
                if ahead > 0:
                    time.sleep(ahead)
                posted.append(doors.submit(bench.post, n, n % CONVERSATIONS, f"m{n}"))
        took = [1000 * one.result() for one in posted]
        spent = time.perf_counter() - began
        words, turns, behind = answers.get()
        worker.join()
    shown = table(
        f"{RATE} webhooks/s for {SECONDS} s over {CONVERSATIONS} conversations",
        *("accepted", "in s", "lost", "doubled", "turns", "last answer after s", "door p50 ms", "door p99 ms"),
    )
    lost, doubled = total - len(set(words)), len(words) - len(set(words))
    p50, p99 = (f"{percentile(took, share):.1f}" for share in (0.5, 0.99))
    last = behind - began
    shown.add_row(str(total), f"{spent:.1f}", str(lost), str(doubled), str(turns), f"{last:.1f}", p50, p99)
    return shown


class Sender:
    """The queue as the process that takes the webhooks sees it."""

    def __init__(self, wakeups: Any) -> None:
        self._wakeups = wakeups

    def send(self, conversations: Sequence[Conversation]) -> None:
        for conversation in conversations:
            self._wakeups.put(conversation)

    def come_back(self, wakeup: Wakeup, ms: int) -> None:
        raise NotImplementedError


def _answer_all(folder: Path, at: Path, wakeups: Any, answers: Any, total: int) -> None:
    """The process that answers; at the end it tells all words that were said, and how many turns it took."""
    with home(folder, "worker") as elsewhere, opened(at) as store:
        bench = Bench(elsewhere, store, FakeModel(0.05))
        with bench.workers():
            answers.put("ready")
            while bench.line.words < total:
                try:
                    bench.queue.send([wakeups.get(timeout=1)])
                except Empty:
                    bench.handler({"botkit": "sweep"}, None)
    words = [word for texts in bench.line.said.values() for text in texts for word in text.split()]
    answers.put((words, bench.model.asked, max(bench.line.at.values())))


def poison(folder: Path) -> Table:
    """From a webhook to its reply in 50 conversations, without and with one in whose every turn the model hangs."""
    shown = table("One poisoned conversation among 50", "poison", "p50 ms", "p99 ms")
    for poisoned in (False, True):
        with home(folder, f"poison{poisoned}") as at, opened(at) as store:
            bench, sent = Bench(at, store, FakeModel(0.2)), dict[str, float]()
            with bench.workers():
                for n in range(500):
                    sent[f"T{n}"] = time.perf_counter()
                    bench.post(n, n % 50, f"m{n}")
                    if poisoned and n % 10 == 0:
                        bench.post(10_000 + n, 99, POISON)
                    time.sleep(0.02)
                bench.wait_for(500, patience=30)
            took = [1000 * (bench.line.at[token] - at_) for token, at_ in sent.items() if token in bench.line.at]
        shown.add_row(str(poisoned), f"{percentile(took, 0.5):.0f}", f"{percentile(took, 0.99):.0f}")
    return shown


KILLED = """
import sys
from pathlib import Path
from benchmarks.delivery import Bench
from benchmarks.fakes import FakeModel
from botkit.stores.sqlite import SqliteStore
class Timeout:
    def get_remaining_time_in_millis(self): return int(sys.argv[2]) * 1000
bench = Bench(Path(sys.argv[1]), SqliteStore(Path(sys.argv[1], "botkit.db")), FakeModel(600))
bench.post(1, 1, "hi")
print("thinking", flush=True)
bench.handler(bench.queue.batch(), Timeout())
"""


def kill(folder: Path) -> Table:
    """A worker with a timeout of 15 s is killed in the model call; a sweep runs every 60 s, at its own time."""
    timeout, at = 15, folder / "kill"
    at.mkdir()
    worker = subprocess.Popen([sys.executable, "-c", KILLED, str(at), str(timeout)], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    worker.stdout.readline()
    time.sleep(1)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    killed = time.perf_counter()
    with home(folder, "rescue") as elsewhere, opened(at) as store:
        bench = Bench(elsewhere, store, FakeModel())
        bench.services = replace(bench.services, wake=None)
        bench.handler = Runtime(bench.handler.shelf, bench.services)
        while not bench.line.at:
            bench.handler({"botkit": "sweep"}, None)
            if not bench.line.at:
                time.sleep(60)
        took = next(iter(bench.line.at.values())) - killed
    shown = table("A worker killed in the model call", "timeout s", "answered after s", "bound s: timeout + 62")
    shown.add_row(str(timeout), f"{took:.1f}", str(timeout + 62))
    return shown


@contextmanager
def home(folder: Path, name: str) -> Iterator[Path]:
    made = folder / name
    made.mkdir()
    yield made


@contextmanager
def opened(folder: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(folder / "botkit.db")
    try:
        yield store
    finally:
        store.close()


PARTS: dict[str, Callable[[Path], Table]] = {
    "door": door,
    "batch": batch,
    "poison": poison,
    "kill": kill,
    "traffic": traffic,
}


def main(names: list[str]) -> None:
    """Run the parts named, or all."""
    console = Console()
    for name in names or list(PARTS):
        with tempfile.TemporaryDirectory() as folder:
            console.print(PARTS[name](Path(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
