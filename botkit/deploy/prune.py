"""What of the fetched packages a Lambda never loads, and what does not go into the zip for it."""

import shutil
from collections.abc import Container
from pathlib import Path, PurePosixPath

SERVICES = frozenset({"dynamodb", "sqs", "ssm", "secretsmanager"})
"""Those that botkit calls on Lambda. The credentials are environment variables there: no service gives them."""

UNUSED_SUFFIXES = frozenset({".pyc", ".pyi", ".pyx", ".pxd", ".c", ".h", ".pth"})
KEPT_METADATA = frozenset({"METADATA", "entry_points.txt"})
"""Read at run time: httpx2 asks for its version, pydantic for plugins."""
TESTS = ("certifi/tests", "regex/tests")


def prune(folder: Path, packages: Container[str]) -> None:
    """Delete from the `packages` that are installed in `folder` what is not needed.

    Where boto3 is one of them, steps of the user's own may call any service: then botocore stays whole.
    """
    whole_botocore = "boto3" in packages
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for unused in TESTS:
        shutil.rmtree(folder / unused, ignore_errors=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif not is_needed(PurePosixPath(path.relative_to(folder)), whole_botocore=whole_botocore):
            path.unlink()


def is_needed(path: PurePosixPath, *, whole_botocore: bool = False) -> bool:
    """Whether a file of the packages, by its path below the folder of all, is wanted on Lambda."""
    parts = path.parts
    if len(parts) == 1:
        return path.suffix in (".py", ".so")
    if parts[0].endswith(".dist-info"):
        return len(parts) == 2 and path.name in KEPT_METADATA
    if path.suffix in UNUSED_SUFFIXES or path.name == "py.typed" or "__pycache__" in parts:
        return False
    if parts[:2] == ("botocore", "data") and not whole_botocore:
        return _is_used_data(parts[2:])
    return True


def _is_used_data(parts: tuple[str, ...]) -> bool:
    """The models of the services called, and what botocore reads for all of them."""
    if len(parts) == 1:
        return True
    return parts[0] in SERVICES and not parts[-1].startswith("examples-")
