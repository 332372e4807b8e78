"""A zip of a folder: the same bytes for the same files, wherever and whenever it is made."""

import os
import stat
from collections.abc import Callable, Mapping
from hashlib import file_digest
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can name (PKWARE APPNOTE 4.4.6)."""
LEVEL = 6
"""Of compression. 9 makes the zip half a percent smaller, and takes three times as long."""
_UNIX = 3
_HEADERS = 30 + 46
"""Bytes that a zip has for each file, besides its name, which comes twice (PKWARE APPNOTE 4.3.7, 4.3.12)."""


def files_of(folder: Path) -> dict[str, Path]:
    """Every file in `folder`, by its name in a zip, in order."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return dict(sorted((path.relative_to(folder).as_posix(), path) for path in found))


def write(files: Mapping[str, Path], output: Path, written: Callable[[int], None]) -> dict[str, int]:
    """Write a zip; returns how many bytes of it each file takes. `written` is told how many files are in it.

    It grows under another name: until it is whole, what stood at `output` stays. Raises OSError.
    """
    growing = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with ZipFile(growing, "w", ZIP_DEFLATED) as archive:
            for number, (name, path) in enumerate(sorted(files.items()), start=1):
                archive.writestr(_entry(name), path.read_bytes(), ZIP_DEFLATED, LEVEL)
                written(number)
            sizes = {one.filename: one.compress_size + _room(one) for one in archive.infolist()}
        growing.replace(output)
    finally:
        growing.unlink(missing_ok=True)
    return sizes


def _entry(name: str) -> ZipInfo:
    """Nothing of this machine: no time, no owner, and a mode that Lambda can read whatever the umask here."""
    entry = ZipInfo(name, EPOCH)
    entry.create_system = _UNIX
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry


def _room(entry: ZipInfo) -> int:
    return _HEADERS + 2 * len(entry.filename.encode())


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
