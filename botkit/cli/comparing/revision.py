"""A folder as it was at a revision of git."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

PATIENCE: Final = 60
"""Seconds for one call of git."""
MOST_FILES: Final = 5_000
MOST_BYTES: Final = 100_000_000
"""Of one folder; one with more holds something else than bots."""

# What a hook of git, or an alias, sets: it would point away from the folder that is asked about.
_POINTERS: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
_COMMIT: Final = re.compile(rb"[0-9a-f]{40,64}")
# What git says of a name that leads to no commit.
_UNKNOWN: Final = ("single revision", "unknown revision", "expected commit type")
# Modes of git's trees (git-fast-import(1), "filemodify"): a symbolic link; a commit is a submodule's.
_LINK: Final = "120000"


class Unreachable(Exception):
    """Why the folder cannot be had as it was, in a sentence for people."""


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    id: str
    size: int
    path: PurePosixPath


def take_out(revision: str, folder: Path, into: Path, environ: Mapping[str, str]) -> Path:
    """Write the files that `folder` had at a revision into a folder of its name in `into`; returns that.

    They are as git keeps them: no filter, hook or attribute of the repository has a say, submodules are left out, and
    so are links that lead out of the folder. Raises Unreachable.
    """
    if revision.startswith("-") or not revision.strip() or not revision.isprintable():
        raise Unreachable(
            f"{revision!r} is no revision of git; write a branch, a tag or a commit, such as main or HEAD~1"
        )
    git = _Git(folder, environ)
    commit = git.commit(revision)
    # As seen from a folder, ls-tree lists what that folder holds.
    entries = list(_entries(git.run("ls-tree", "-r", "-z", "-l", commit)))
    if not entries:
        raise Unreachable(f"{revision} holds no folder {folder.resolve().name}; there is nothing to compare with")
    if len(entries) > MOST_FILES or sum(entry.size for entry in entries) > MOST_BYTES:
        raise Unreachable(f"the folder {folder} of {revision} is too large to be one of bots")
    home = into / folder.resolve().name
    try:
        _write(home, dict(zip(entries, git.contents(entries), strict=True)))
    except (OSError, ValueError) as error:
        raise Unreachable(f"{revision} could not be written to {into}: {error}") from error
    return home


class _Git:
    """Git, asked about the repository around a folder."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder.resolve()
        quiet = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
        self._environ = {**{name: value for name, value in environ.items() if name not in _POINTERS}, **quiet}

    def commit(self, revision: str) -> str:
        """The id of the commit that a revision names."""
        try:
            found = self.run("rev-parse", "--verify", f"{revision}^{{commit}}").strip()
        except Unreachable as error:
            if any(words in str(error) for words in _UNKNOWN):
                raise Unreachable(
                    f"git knows no revision {revision}, and there is no such folder; see: git branch --all, git log"
                ) from None
            raise
        if not _COMMIT.fullmatch(found):
            raise Unreachable(f"{revision} is no single commit; write a branch, a tag or a commit")
        return found.decode()

    def contents(self, entries: Sequence[_Entry]) -> Iterator[bytes]:
        """The files' contents, in this order."""
        answer = self.run("cat-file", "--batch", given="".join(f"{entry.id}\n" for entry in entries).encode())
        position = 0
        for entry in entries:
            # `<id> blob <size>`, the content, and a line's end (git-cat-file(1), "Batch output").
            begin = answer.find(b"\n", position) + 1
            if answer[position:begin].split() != [entry.id.encode(), b"blob", str(entry.size).encode()]:
                raise Unreachable(f"git does not have the content of {entry.path}; see: git fsck")
            yield answer[begin : begin + entry.size]
            position = begin + entry.size + 1

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        """What git prints. Raises Unreachable with its own words."""
        try:
            done = subprocess.run(  # noqa: S603  git, and no argument that it could take for an option
                ["git", "-C", str(self._folder), *arguments],  # noqa: S607  wherever the machine has it
                input=given,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
                env=self._environ,
            )
        except FileNotFoundError:
            raise Unreachable("git is not installed; install it, or name a folder with the earlier bots") from None
        except subprocess.TimeoutExpired:
            why = f"git did not answer within {PATIENCE} seconds"
            raise Unreachable(f"{why}; name a folder with the earlier bots") from None
        except OSError as error:
            raise Unreachable(f"git cannot be run: {error}; name a folder with the earlier bots") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().split("\n")[0].removeprefix("fatal: ")
            if said.startswith("not a git repository"):
                raise Unreachable(f"{self._folder} is not kept with git; name a folder with the earlier bots")
            raise Unreachable(f"git says: {said or f'it ended with {done.returncode}'}")
        return done.stdout


def _entries(listing: bytes) -> Iterator[_Entry]:
    """The files of a listing: `<mode> <type> <id> <size>`, a tab, the path."""
    for line in listing.split(b"\0"):
        facts, _, path = line.partition(b"\t")
        mode, kind, identity, size = facts.decode().split() if facts else ("", "", "", "")
        if kind == "blob":
            yield _Entry(mode, identity, int(size), PurePosixPath(os.fsdecode(path)))


def _write(home: Path, files: Mapping[_Entry, bytes]) -> None:
    """Write them, the links last, so that nothing is written through one."""
    home.mkdir(parents=True)
    for entry, content in sorted(files.items(), key=lambda item: item[0].mode == _LINK):
        if entry.path.is_absolute() or ".." in entry.path.parts:
            raise ValueError(f"{entry.path} leads out of it")
        path = home / entry.path
        if entry.mode != _LINK:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(os.fsdecode(content))
    for link in [home / entry.path for entry in files if entry.mode == _LINK]:
        if not Path(os.path.realpath(link)).is_relative_to(os.path.realpath(home)):
            link.unlink()
