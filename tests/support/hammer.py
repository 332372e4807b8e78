"""What a second process does to a SQLite file, at the same time as the first."""

from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

from botkit.ports import Conversation, Lease
from botkit.stores.sqlite import SqliteStore
from tests.support.samples import HANA, MINUTE, NOW, arrival

_gate: list[Barrier] = []


def meet_at(barrier: Barrier) -> None:
    """Initialise the process: all of them begin to work at the same moment."""
    _gate.append(barrier)


def accept_all(path: Path, count: int) -> list[str]:
    """Open the store and accept the same events as everybody; what became of each."""
    _gate[0].wait()
    with closing(SqliteStore(path)) as store:
        return [store.accept(arrival(f"e{n}")).name for n in range(count)]


def lease_many(path: Path, owner: str, count: int) -> list[int]:
    """Ask for the lease of each of many conversations; the numbers of those that were granted."""
    _gate[0].wait()
    with closing(SqliteStore(path)) as store:
        asked = [store.lease(Conversation("inn", f"user:{n}"), owner, NOW, NOW + MINUTE) for n in range(count)]
    return [number for number, lease in enumerate(asked) if isinstance(lease, Lease)]


def lease_and_release(path: Path, owner: str, count: int) -> list[int]:
    """Take and give back one lease until it was granted `count` times; the fences."""
    _gate[0].wait()
    fences: list[int] = []
    with closing(SqliteStore(path)) as store:
        while len(fences) < count:
            lease = store.lease(HANA, owner, NOW, NOW + MINUTE)
            if isinstance(lease, Lease):
                fences.append(lease.fence)
                store.release(lease)
    return fences
