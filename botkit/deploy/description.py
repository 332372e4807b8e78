"""Description: a bot as far as a deployment may change it, as plain data that one process tells another."""

from pathlib import Path
from typing import Any, final

from pydantic import BaseModel, ConfigDict, TypeAdapter

from botkit.errors import Problem


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@final
class Takes(_Frozen):
    """What an answer takes: tokens, of which `history` is what a running conversation fills, and its price.

    `room` is what the context window leaves for history. `input` and `output` are USD per million tokens, `cost`
    is USD for 1,000 messages; all three are None where the price is not known.
    """

    model: str
    window: int
    persona: int
    history: int
    room: int
    question: int
    answer: int
    input: float | None
    output: float | None
    cost: float | None

    @property
    def tokens(self) -> int:
        """Of a whole turn: the prompt with a full history, and the answer."""
        return self.persona + self.history + self.question + self.answer


@final
class Description(_Frozen):
    """One bot, or the `problems` for which its file cannot be read; then only `texts` are filled in beside them.

    `texts` are the bot's YAML files by name, secrets masked. `options` are the effective ones, by path, without
    the persona's text and the pipeline. `persona` is rendered for a 1:1 chat, `in_groups` for a group; `template` is
    what they are made of. `keep` is `history.keep` in seconds. `code` has the SHA-256 of each file of its own
    steps, `hidden` is one of what no option shows: passwords in addresses.
    """

    file: str
    texts: dict[str, str]
    problems: tuple[Problem, ...] = ()
    options: dict[str, Any] = {}
    pipeline: tuple[str, ...] = ()
    persona: str = ""
    in_groups: str = ""
    template: str = ""
    secrets: tuple[str, ...] = ()
    channel_secrets: tuple[str, ...] = ()
    keep: int | None = None
    code: dict[str, str] = {}
    takes: Takes | None = None
    hidden: str = ""


_ALL = TypeAdapter(dict[str, Description])


def write(bots: dict[str, Description], path: Path) -> None:
    """Write bots by name as JSON. Raises OSError."""
    path.write_bytes(_ALL.dump_json(bots))


def read(path: Path) -> dict[str, Description]:
    """What `write` has written. Raises OSError, and ValueError for anything else."""
    return _ALL.validate_json(path.read_bytes())
