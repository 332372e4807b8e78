"""Whether a file has changed since it was last looked at, however fast it is written."""

from dataclasses import dataclass
from hashlib import sha256
from os import stat_result
from pathlib import Path
from time import time_ns
from typing import Final, Self

# File systems note times in steps: Linux's in those of its own clock's tick, some milliseconds, FAT in two seconds
# (Microsoft: File Times). Two writes within one step look the same from outside.
_UNSURE: Final = 2_500_000_000
_MOST_READ: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Glance:
    """A file as it was seen once. `digest` is that of what it held, where it had been written only just before."""

    stamp: tuple[int, ...]
    digest: bytes = b""

    @classmethod
    def at(cls, path: Path, found: stat_result, before: "Glance | None") -> Self:
        """A look at a file of which `found` is known. It is read only where `before`, or now, it was just written."""
        fresh = time_ns() - found.st_mtime_ns < _UNSURE
        stamp = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
        known = before is not None and before.stamp == stamp
        if not fresh and (before is None or not known or not before.digest):
            return cls(stamp)
        return cls(stamp, _digest(path))

    def differs(self, before: "Glance | None") -> bool:
        """Whether the file is another one than it was."""
        if before is None or self.stamp != before.stamp:
            return True
        return bool(self.digest and before.digest) and self.digest != before.digest

    def settled(self) -> Self:
        """The same, to be remembered: what was read is of use no more once a later write must show in the times."""
        return self if time_ns() - self.stamp[0] < _UNSURE else type(self)(self.stamp)


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return sha256(file.read(_MOST_READ)).digest()
    except OSError:  # gone again, or not to be read: whoever reads it next will say so
        return b"?"
