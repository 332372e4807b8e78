"""What was measured, as plain values that become JSON and back."""

import json
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Any, Literal, Self

Kind = Literal["cold", "warm", "history", "bots", "batch"]
Part = Literal["event", "door", "worker"]
Setting = Literal["", "new", "one"]

_NO_CALLS = (".connections", ".bytes_in", ".bytes_out")


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one kind in the order in which they were read."""

    values: tuple[float, ...]

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.values)

    @property
    def p99(self) -> float:
        """What 99 of 100 do not exceed; of less than a hundred values, the largest."""
        return sorted(self.values)[ceil(0.99 * len(self.values)) - 1]

    @property
    def last(self) -> float:
        """What was read last."""
        return self.values[-1]

    def __bool__(self) -> bool:
        return bool(self.values)


@dataclass(frozen=True, slots=True)
class Weight:
    """What is uploaded for a contestant: files, and bytes as they are and as a zip."""

    contestant: str
    files: int
    unzipped: int
    zipped: int


@dataclass(frozen=True, slots=True)
class Key:
    """What a reading is of.

    `part`: a webhook with all it causes (event), or what one of two functions does of it (door, worker).
    `setting`, of kind warm: each message in a conversation of its own (new), or all in one (one). `size`: of kind
    history the messages stored, of kind bots the bots, of kind batch the conversations. `together`: door and worker
    were one process, which on Lambda they are not.
    """

    kind: Kind
    contestant: str
    part: Part = "event"
    setting: Setting = ""
    size: int = 0
    together: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a key.

    `wall_ms`: of kinds cold and bots from the start of the process until its answer was there, else what the
    handler took. `cpu_ms` likewise, of all threads of the process. `rest_cpu_ms`: what the process spent between
    this event and the one before it. `init_ms`: of a cold process, the import of its handler. `memory_mb`: resident
    after an event, where it was read; of two processes the larger one. `calls`: what the servers counted, an event.
    """

    key: Key
    wall_ms: Series
    cpu_ms: Series
    rest_cpu_ms: Series
    init_ms: Series
    memory_mb: Series
    calls: Mapping[str, float] = field(default_factory=dict)

    @property
    def operations(self) -> dict[str, float]:
        """The calls, without the bytes and connections that they took."""
        return {name: number for name, number in self.calls.items() if not name.endswith(_NO_CALLS)}


@dataclass(frozen=True, slots=True)
class Run:
    """All that one run has read, and on what. `made_at` is ISO 8601, in UTC."""

    made_at: str
    python: str
    machine: str
    cores: int
    rounds: int
    versions: Mapping[str, str]
    weights: tuple[Weight, ...]
    readings: tuple[Reading, ...]

    def find(
        self,
        kind: Kind,
        contestant: str,
        part: Part = "event",
        setting: Setting = "",
        size: int = 0,
        *,
        together: bool = False,
    ) -> Reading | None:
        """A reading; None where it was not taken."""
        key = Key(kind, contestant, part, setting, size, together)
        return next((one for one in self.readings if one.key == key), None)

    def contestants(self) -> list[str]:
        """Their names, in the order in which they took part."""
        return list(dict.fromkeys(one.key.contestant for one in self.readings))

    def door(self, contestant: str) -> Reading | None:
        """The cold start of what takes the webhook: of a contestant without a queue that is all there is."""
        return self.find("cold", contestant, "door") or self.find("cold", contestant)

    def answer(self, contestant: str) -> Reading | None:
        """The cold start of what answers."""
        return self.find("cold", contestant, "worker") or self.find("cold", contestant)

    def sizes(self, kind: Kind) -> list[int]:
        """The sizes that were measured, in order."""
        return sorted({one.key.size for one in self.readings if one.key.kind == kind})

    def to_json(self) -> str:
        """All raw values, and the median and the 99th percentile of each series."""
        return json.dumps(_told(asdict(self)), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The reverse of `to_json`; what has been told beside the run is passed over."""
        data = {name: value for name, value in json.loads(text).items() if name in cls.__slots__}
        weights = tuple(Weight(**one) for one in data.pop("weights"))
        return cls(**data | {"weights": weights, "readings": tuple(map(_reading, data.pop("readings")))})


def _told(data: Any) -> Any:
    """The same, each series with its percentiles."""
    if isinstance(data, list | tuple):
        return [_told(one) for one in data]
    if not isinstance(data, dict):
        return round(data, 3) if isinstance(data, float) else data
    if set(data) == {"values"}:
        series = Series(tuple(data["values"]))
        percentiles = {"p50": round(series.p50, 3), "p99": round(series.p99, 3)} if series else {}
        return {**percentiles, "values": _told(data["values"])}
    return {name: _told(value) for name, value in data.items()}


def _reading(data: dict[str, Any]) -> Reading:
    names = ("wall_ms", "cpu_ms", "rest_cpu_ms", "init_ms", "memory_mb")
    series = {name: Series(tuple(data[name]["values"])) for name in names}
    return Reading(key=Key(**data["key"]), calls=data["calls"], **series)
