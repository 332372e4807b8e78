"""The stores of a run, each with its fault points, and what can be seen in them from outside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from botkit.errors import StoreError
from botkit.ports import Conversation, Store
from botkit.stores.dynamodb import DynamoStore
from botkit.stores.memory import MemoryStore
from tests.simulation.fake_dynamodb import Around, FakeDynamoDB
from tests.simulation.faults import COMMON, Fault, Nature
from tests.simulation.scheduler import Scheduler

TABLE = "botkit"


@dataclass(frozen=True)
class Kept:
    """A message of the history as it lies in the store; in the order of the history."""

    conversation: Conversation
    event_id: str
    role: str
    text: str


class Backend(Protocol):
    """A kind of store that several processes share."""

    def open(self, around: Around | None = None, dress: Callable[[Any], Any] | None = None) -> Store:
        """The store as one process holds it; without `around`, as an onlooker does. `dress` is put on its client."""

    def waiting(self) -> list[tuple[str, int]]:
        """What is still to be done, and when it is due (ms since 1970)."""

    def holder(self, conversation: Conversation) -> str | None:
        """Who holds a conversation's lease now."""

    def leases(self) -> list[str]:
        """The leases that are held now."""

    def history(self) -> list[Kept]:
        """Every message of every history, conversation by conversation."""

    def texts(self) -> list[tuple[str, str]]:
        """All that is written in the store, by its place."""

    def counted(self, bot: str, counter: str, period: str, amount: str) -> int:
        """The sum of an amount over all of a bot's counters of this kind, of all its days or months."""


class DynamoBackend:
    """The real adapter on a DynamoDB in memory: each call of botocore's client is a fault point."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        random = scheduler.random
        lag: Callable[[], int] = lambda: random.randint(5, 1500)  # noqa: E731
        self.service = FakeDynamoDB(lambda: scheduler.now, lag, page=random.choice((1000, 1000, 3)))
        self.table = self.service.create(TABLE)

    def open(self, around: Around | None = None, dress: Callable[[Any], Any] | None = None) -> Store:
        if around is None:
            return DynamoStore(TABLE, cast(Any, self.service.client()))
        # Where it waits by itself it does so in virtual time, and by the seed's dice.
        scheduler, client = self._scheduler, self.service.client(around)
        return DynamoStore(
            TABLE,
            cast(Any, dress(client) if dress else client),
            pause=lambda seconds: scheduler.sleep(round(seconds * 1000)),
            jitter=lambda limit: scheduler.random.uniform(0, limit),
        )

    def waiting(self) -> list[tuple[str, int]]:
        due = [item for item in self.table.unordered() if "due_at" in item]
        return [(f"{item['pk']['S']} {item['sk']['S']}", int(item["due_at"]["N"])) for item in due]

    def holder(self, conversation: Conversation) -> str | None:
        key = {"pk": {"S": f"B#{conversation.bot}#C#{conversation.id}"}, "sk": {"S": "META"}}
        return self._holder(self.table.get(key) or {})

    def leases(self) -> list[str]:
        metas = [item for item in self.table.unordered() if "owner" in item and self._holder(item)]
        return [f"{item['pk']['S']} held by {self._holder(item)}" for item in metas]

    def _holder(self, meta: Any) -> str | None:
        if "owner" not in meta or int(meta["lease_until"]["N"]) < self._scheduler.now:
            return None
        return str(meta["owner"]["S"])

    def history(self) -> list[Kept]:
        found = []
        for item in self.table.items():
            kind, *place = item["sk"]["S"].split("#")
            if kind == "M":
                _, bot, _, conversation = item["pk"]["S"].split("#")
                where = Conversation(bot, conversation.replace("%23", "#").replace("%25", "%"))
                found.append(Kept(where, place[1], item["role"]["S"], item["text"]["S"]))
        return found

    def texts(self) -> list[tuple[str, str]]:
        return [(f"{item['pk']['S']} {item['sk']['S']}", str(item)) for item in self.table.items()]

    def counted(self, bot: str, counter: str, period: str, amount: str) -> int:
        found = [item for item in self.table.items() if item["pk"]["S"].startswith(f"B#{bot}#{counter}")]
        windows = [item for item in found if item["sk"]["S"].startswith(f"W#{period}#")]
        return sum(int(item[f"n_{amount}"]["N"]) for item in windows if f"n_{amount}" in item)


class PortBackend:
    """The store of the simulator's own page, in memory: each method of the port is a fault point."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._store = MemoryStore()

    def open(self, around: Around | None = None, dress: Callable[[Any], Any] | None = None) -> Store:
        return cast(Store, _Guarded(self._store, around) if around else self._store)

    def _rows(self, query: str, **asked: Any) -> list[Any]:
        rows: list[Any] = cast(Any, self._store)._read(query, {"now": self._scheduler.now, **asked})
        return rows

    def waiting(self) -> list[tuple[str, int]]:
        rows = self._rows("SELECT bot, conversation, id, due_at FROM events WHERE due_at IS NOT NULL")
        return [(f"{row['bot']} {row['conversation']} {row['id']}", row["due_at"]) for row in rows]

    def holder(self, conversation: Conversation) -> str | None:
        query = "SELECT owner FROM conversations WHERE bot = :bot AND id = :id AND lease_until >= :now"
        rows = self._rows(query, bot=conversation.bot, id=conversation.id)
        return rows[0]["owner"] if rows else None

    def leases(self) -> list[str]:
        rows = self._rows("SELECT bot, id, owner FROM conversations WHERE owner IS NOT NULL AND lease_until >= :now")
        return [f"{row['bot']} {row['id']} held by {row['owner']}" for row in rows]

    def history(self) -> list[Kept]:
        rows = self._rows("SELECT * FROM messages ORDER BY bot, conversation, at, event, turn_order")
        return [
            Kept(Conversation(row["bot"], row["conversation"]), row["event"], row["role"], row["text"]) for row in rows
        ]

    def texts(self) -> list[tuple[str, str]]:
        rows = [*self._rows("SELECT * FROM events"), *self._rows("SELECT * FROM messages")]
        return [(str(tuple(row)[:2]), str(tuple(row))) for row in rows]

    def counted(self, bot: str, counter: str, period: str, amount: str) -> int:
        counters = "bot = :bot AND counter LIKE :counter AND time_window LIKE :window AND name = :name"
        asked = {"counter": f"{counter}%", "window": f"{period}#%", "name": amount}
        return self._rows(f"SELECT SUM(amount) FROM counters WHERE {counters}", bot=bot, **asked)[0][0] or 0


class _Guarded:
    """A store whose methods are fault points."""

    def __init__(self, store: Store, around: Around) -> None:
        self._store = store
        self._around = around

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*arguments: Any, **options: Any) -> Any:
            what = [*arguments, options] if options else [*arguments]
            return self._around(f"store.{name}", _NATURE, lambda: method(*arguments, **options), what)

        return call


def _error(fault: Fault, n: int) -> Exception:
    return StoreError("the store did not answer", retryable=True)


_NATURE = Nature(_error, (2, 12), (800, 3500), (*COMMON, Fault.LATE))
