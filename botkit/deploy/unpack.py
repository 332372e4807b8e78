"""Takes the bots out of a package, and trusts nothing that the zip says of itself."""

import stat
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from botkit.errors import DeployError

MAX_BYTES = 250 * 1024 * 1024
"""Of all bots' files, unzipped: what Lambda allows a whole package (AWS Lambda quotas)."""
MAX_FILES = 10_000

_CHUNK = 1024 * 1024
# What zipfile raises for a zip that is broken, encrypted, or packed in ways that it does not know.
_BROKEN = (BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, OSError)


def unpack_bots(package: Path, to: Path) -> Path:
    """Unpack the folder `bots/` of a package into the folder `to`; returns it. Nothing is written outside `to`.

    Raises DeployError for a zip that is none, is no package, or leads elsewhere.
    """
    try:
        with ZipFile(package) as archive:
            members = list(_members(archive, package))
            left = MAX_BYTES
            for member, path in members:
                left = _write(archive, member, to / path, left, package)
    except _BROKEN as error:
        raise DeployError(f"{package} cannot be unpacked: {error or type(error).__name__}; package it again") from error
    if not members:
        raise DeployError(f"{package} holds no folder bots/; name a zip that `botkit package` has made")
    return to / "bots"


def core_changes(package: Path, core: Path) -> int | None:
    """How many modules of botkit itself differ between a package and the folder `core`; None where it holds none."""
    found = False
    changed = 0
    try:
        with ZipFile(package) as archive:
            for member in archive.infolist():
                name = PurePosixPath(member.filename)
                if name.parts[:1] == ("botkit",) and name.suffix == ".py" and ".." not in name.parts:
                    found = True
                    ours = core.joinpath(*name.parts[1:])
                    small = member.file_size <= _CHUNK
                    changed += not (small and ours.is_file() and _same(archive.read(member), ours.read_bytes()))
    except _BROKEN as error:
        raise DeployError(f"{package} cannot be read: {error or type(error).__name__}; package it again") from error
    return changed if found else None


def _same(one: bytes, other: bytes) -> bool:
    return sha256(one).digest() == sha256(other).digest()


def _members(archive: ZipFile, package: Path) -> Iterator[tuple[ZipInfo, PurePosixPath]]:
    """The files under bots/, each with a path that stays there. Raises DeployError."""
    count = 0
    for member in archive.infolist():
        path = PurePosixPath(member.filename)
        if member.is_dir() or path.parts[:1] != ("bots",):
            continue
        count += 1
        # Whoever wrote that did not use `botkit package`.
        if ".." in path.parts or "\\" in member.filename or stat.S_ISLNK(member.external_attr >> 16):
            raise DeployError(f"{package} holds {member.filename[:80]!r}, which may lead out of it; package it again")
        if count > MAX_FILES:
            raise DeployError(f"{package} holds more than {MAX_FILES:,} files of bots; package it again with fewer")
        if path.suffix != ".pyc":  # compiled code could differ from the source beside it
            yield member, path


def _write(archive: ZipFile, member: ZipInfo, target: Path, left: int, package: Path) -> int:
    """Write one file; returns how many bytes are left for others. The size that the zip tells is not believed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("wb") as out:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise DeployError(f"{package} holds more than {MAX_BYTES:,} bytes of bots; package it again with fewer")
            out.write(chunk)
    return left
