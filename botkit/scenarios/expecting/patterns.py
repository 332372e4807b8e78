"""Patterns: regular expressions of a test file, looked for so that none can hold up the run."""

import json
import re
import subprocess
import sys
from typing import Final

PATIENCE: Final = 3.0
"""Seconds of the machine's clock after which the search for a pattern is given up."""

# An escaped character, or else what can make a search long: a repeat, and a group that is looked for once more.
_HARD = re.compile(r"\\(?![1-9]).|(?P<group>\)[*+?{]|\\[1-9]|\(\?P=)|(?P<repeat>(?<!\()[*+?{])", re.DOTALL)
_PROGRAM: Final = (
    "import json, re, sys; pattern, text, flags = json.load(sys.stdin); print(bool(re.search(pattern, text, flags)))"
)


class TooLong(Exception):
    """The search for a pattern has taken too long, or more than Python can."""


def fits(pattern: str, text: str, flags: int = 0) -> bool:
    """Whether a stretch of `text` fits a regular expression of Python's, `^` and `$` at every line's ends.

    `flags` are further ones of `re`. Raises TooLong.
    """
    flags |= re.MULTILINE
    if _is_quick(pattern):
        return re.search(pattern, text, flags) is not None
    # In a process of its own: Python's search lets no other thread run, and cannot be stopped from within.
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM]
    asked = json.dumps([pattern, text, int(flags)])
    try:
        done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=PATIENCE, check=True)  # noqa: S603 (a program of ours)
    except (subprocess.SubprocessError, OSError) as error:
        raise TooLong from error
    return done.stdout.strip() == "True"


def _is_quick(pattern: str) -> bool:
    """Whether a pattern repeats only one thing, no group: its search takes the square of the text's length at most."""
    found = list(_HARD.finditer(pattern))
    return not any(match["group"] for match in found) and sum(match["repeat"] is not None for match in found) <= 1
