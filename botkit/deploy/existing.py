"""A package that is there already, taken as it is."""

import json
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

from botkit.deploy.package import Package, Target
from botkit.errors import DeployError

_MANIFEST: Final = "botkit.json"
_LARGEST: Final = 16 * 1024 * 1024
"""Bytes of the manifest; what is larger is something else."""


def read_package(path: Path) -> Package:
    """The package at `path`, for what it says it was made for. Raises DeployError where it is none."""
    try:
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        with ZipFile(path) as archive:
            manifest = _read(archive)
        target = Target(str(manifest["python"]), manifest["architecture"])
    except OSError as error:
        raise DeployError(f"{path} cannot be read: {error.strerror or error}; name a zip of botkit package") from None
    except (BadZipFile, KeyError, TypeError, ValueError, RuntimeError, NotImplementedError):
        raise DeployError(f"{path} is no package of botkit's; make one with botkit package") from None
    return Package(path=path, sha256=digest, target=target, parts=())


def _read(archive: ZipFile) -> Any:
    if archive.getinfo(_MANIFEST).file_size > _LARGEST:
        raise ValueError(_MANIFEST)
    with archive.open(_MANIFEST) as file:
        return json.loads(file.read(_LARGEST))
