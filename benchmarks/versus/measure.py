"""Measures contestants against one another, in rounds: each in its turn, over and over, since machines drift."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from benchmarks.versus.contestants import Contestant, Role, environ
from benchmarks.versus.events import Webhook, batch, person, webhook
from benchmarks.versus.instance import Answer, Instance
from benchmarks.versus.readings import Key, Kind, Part, Reading, Series
from benchmarks.versus.seeds import seeds
from benchmarks.versus.servers import World

BLOCK = 10
"""Events that a contestant takes before it is the next one's turn."""
HISTORY = (10, 100, 1_000, 10_000)
BOTS = (1, 100, 1_000)
BATCH = (1, 10)
THINK = 2.0
"""Seconds that the model takes in the readings of batches."""


@dataclass(slots=True)
class Notes:
    """What was read so far of one key."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    rest: list[float] = field(default_factory=list)
    init: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    counted: int = 0

    def add(self, answers: Sequence[Answer], *, cold: bool = False) -> None:
        """One event, in which so many processes had a part. Each has its own memory on Lambda: the largest counts."""
        self.wall.append(sum(one.age_ms if cold else one.wall_ms for one in answers))
        self.cpu.append(sum(one.all_cpu_ms if cold else one.cpu_ms for one in answers))
        self.rest.append(sum(one.rest_cpu_ms for one in answers))
        if cold:
            self.init.append(sum(one.init_ms for one in answers))
        if sizes := [one.rss_mb for one in answers if one.rss_mb is not None]:
            self.memory.append(max(sizes))

    def reading(self, key: Key) -> Reading:
        """As it is kept."""
        calls = {name: round(number / self.counted, 3) for name, number in sorted(self.calls.items())}
        series = (
            Series(tuple(round(value, 3) for value in values))
            for values in (self.wall, self.cpu, self.rest, self.init, self.memory)
        )
        return Reading(key, *series, calls)


class Ledger:
    """All that was read in a run."""

    def __init__(self) -> None:
        self._notes: defaultdict[Key, Notes] = defaultdict(Notes)

    def add(self, key: Callable[..., Key], parts: Mapping[Part, Answer], *, cold: bool = False) -> None:
        """One event, in its parts and as a whole."""
        for part, answer in parts.items():
            self._notes[key(part=part)].add([answer], cold=cold)
        if "event" not in parts:
            self._notes[key(part="event")].add([*parts.values()], cold=cold)

    def count(self, key: Key, calls: Counter[str], events: int) -> None:
        """The calls that these events have caused."""
        self._notes[key].calls += calls
        self._notes[key].counted += events

    def readings(self) -> tuple[Reading, ...]:
        """All of them."""
        return tuple(notes.reading(key) for key, notes in self._notes.items())


class Track:
    """The world, who runs in it, and what they have read. Lives as long as a run."""

    def __init__(self, world: World, tell: Callable[[str], None]) -> None:
        self.world = world
        self.ledger = Ledger()
        self.tell = tell
        self._people = count(1)

    def person(self) -> str:
        """Somebody who has never written before."""
        return person(next(self._people))

    def start(self, contestant: Contestant, role: Role | None = None) -> Instance:
        """A new instance, cold."""
        return Instance(contestant.folder, environ(contestant, self.world, role))

    def taken(self) -> dict[str, Any]:
        """The batch of what waits in the queue, 10 messages at most."""
        return batch(self.world.take(10))

    @contextmanager
    def stage(self, what: str) -> Iterator[None]:
        """One kind of reading, in an empty world."""
        self.tell(what)
        self.world.reset()
        yield

    def check(self, webhooks: Sequence[Webhook]) -> None:
        """Raises AssertionError unless each of them was answered, once, and in words."""
        replies = {reply["token"]: reply["texts"] for reply in self.world.replies()}
        for one in webhooks:
            assert [text.startswith("echo: ") for text in replies.get(one.reply_token, [])] == [True], one.event["body"]


@dataclass(slots=True)
class Service:
    """A contestant that is warm: `door` takes webhooks, and `worker`, where there is a queue, answers them."""

    track: Track
    contestant: Contestant
    door: Instance
    worker: Instance | None
    sent: list[Webhook] = field(default_factory=list)

    def key(self, kind: Kind, **more: Any) -> Key:
        """What a reading of this service is of."""
        return Key(kind, self.contestant.name, together=self.door is self.worker, **more)

    def serve(self, user_id: str, *, memory: bool = False) -> dict[Part, Answer]:
        """Have one message answered."""
        message = webhook(user_id)
        self.sent.append(message)
        door = self.door.invoke(message.event, memory=memory)
        assert door.response["statusCode"] == 200, door.response
        if self.worker is None:
            return {"event": door}
        worker = self.worker.invoke(self.track.taken(), memory=memory)
        assert worker.response == {"batchItemFailures": []}, worker.response
        return {"door": door, "worker": worker}

    def block(self, key: Callable[..., Key], people: Sequence[str]) -> None:
        """Have one message of each of them answered, and note what it took; memory is read at the last one."""
        before, last = calls(self.track.world), len(people) - 1
        for number, user_id in enumerate(people):
            self.track.ledger.add(key, self.serve(user_id, memory=number == last))
        self.track.ledger.count(key(part="event"), calls(self.track.world) - before, len(people))


def calls(world: World) -> Counter[str]:
    """How often each operation was called so far."""
    return Counter(world.counts())


def start(track: Track, stack: ExitStack, contestant: Contestant, *, together: bool = False) -> Service:
    """The instances of a contestant, which the stack ends."""
    door = stack.enter_context(track.start(contestant, None if together else "door"))
    worker = None
    if contestant.queued:
        worker = door if together else stack.enter_context(track.start(contestant, "worker"))
    return Service(track, contestant, door, worker)


# ---------------------------------------------------------------- the kinds of readings


def cold(track: Track, contestants: Sequence[Contestant], rounds: int) -> None:
    """From the start of a process to its first answer. A first round, which brings files into memory, does not count.

    A worker is started for what a door has put into the queue, and "answered" is when its handler has returned: it has
    then also written down that the answer was sent.
    """
    with track.stage("cold starts"):
        sent: list[Webhook] = []
        for number in range(rounds + 1):
            for contestant in contestants:
                message = webhook(track.person())
                sent.append(message)
                parts = _cold_event(track, contestant, message)
                if number > 0:
                    track.ledger.add(partial(Key, "cold", contestant.name), parts, cold=True)
        track.check(sent)


def _cold_event(track: Track, contestant: Contestant, message: Webhook) -> dict[Part, Answer]:
    with track.start(contestant, "door") as instance:
        door = instance.invoke(message.event, memory=True)
    assert door.response["statusCode"] == 200, door.response
    if not contestant.queued:
        return {"event": door}
    taken = track.taken()
    with track.start(contestant, "worker") as instance:
        worker = instance.invoke(taken, memory=True)
    assert worker.response == {"batchItemFailures": []}, worker.response
    return {"door": door, "worker": worker}


def warm(track: Track, contestants: Sequence[Contestant], events: int) -> None:
    """One event after the other, from people who write for the first time, and from one who goes on writing."""
    with track.stage("warm events"), ExitStack() as stack:
        services = [start(track, stack, one) for one in contestants]
        services += [start(track, stack, one, together=True) for one in contestants if one.queued]
        talkers = [track.person() for _ in services]
        for service, talker in zip(services, talkers, strict=True):
            for user_id in _strangers(track) + [talker] * BLOCK:
                service.serve(user_id)
        for _ in range(max(1, events // BLOCK)):
            for service, talker in zip(services, talkers, strict=True):
                service.block(partial(service.key, "warm", setting="new"), _strangers(track))
                service.block(partial(service.key, "warm", setting="one"), [talker] * BLOCK)
        for service in services:
            track.check(service.sent)


def _strangers(track: Track) -> list[str]:
    return [track.person() for _ in range(BLOCK)]


def history(track: Track, contestants: Sequence[Contestant], events: int) -> None:
    """Events in conversations of which so many messages are stored."""
    with track.stage("stored messages"), ExitStack() as stack:
        services = [start(track, stack, one) for one in contestants]
        people = {(n, size): _talkers(track, one, size, events) for n, one in enumerate(services) for size in HISTORY}
        for first in range(0, events, BLOCK):
            for size in HISTORY:
                for n, service in enumerate(services):
                    turns = [people[n, size][at % len(people[n, size])] for at in range(first, first + BLOCK)]
                    service.block(partial(service.key, "history", size=size), turns)
        for service in services:
            track.check(service.sent)


def _talkers(track: Track, service: Service, size: int, events: int) -> list[str]:
    """People whose conversations hold so many messages, and so many people that these hardly grow while measured.

    The last two messages are real ones, so that the conversation is as any other.
    """
    people = [track.person() for _ in range(min(events, max(1, 2_000 // size)))]
    for user_id in people:
        track.world.seed(seeds(service.contestant, user_id, size - 2))
        service.serve(user_id)
    return people


def bots(track: Track, packages: Mapping[int, Contestant], rounds: int) -> None:
    """The cold start of a door with so many bots beside the one that is called."""
    with track.stage("cold starts with many bots"):
        for number in range(rounds + 1):
            for size, contestant in packages.items():
                with track.start(contestant, "door") as instance:
                    door = instance.invoke(webhook(track.person()).event, memory=True)
                assert door.response["statusCode"] == 200, door.response
                if number > 0:
                    key = partial(Key, "bots", contestant.name, size=size)
                    track.ledger.add(key, {"door": door}, cold=True)


def batches(track: Track, contestant: Contestant, rounds: int) -> None:
    """What a worker takes for a batch, where the model takes its time."""
    with track.stage("batches"), ExitStack() as stack:
        service = start(track, stack, contestant)
        service.serve(track.person())
        for _ in range(rounds):
            for size in BATCH:
                track.ledger.add(partial(service.key, "batch", size=size), {"worker": _batch(service, size)})
        track.check(service.sent)


def _batch(service: Service, size: int) -> Answer:
    assert service.worker is not None
    for _ in range(size):
        message = webhook(service.track.person())
        service.sent.append(message)
        service.door.invoke(message.event)
    taken = service.track.taken()
    assert len(taken["Records"]) == size
    service.track.world.think(THINK)
    answer = service.worker.invoke(taken, memory=True)
    service.track.world.think(0)
    assert answer.response == {"batchItemFailures": []}, answer.response
    return answer
