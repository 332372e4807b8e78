"""Make a scenario of a conversation that a bot remembers, without the names and ids of those who had it.

It is added to the end of bots/BOT.test.yaml, in which nothing else changes. CONVERSATION is the id of a person (U…),
a group (C…) or a room (R…), as for `botkit history`; what is deployed is asked with --stack. What the bot answered
becomes the model's script, and the scenario is played once, offline, to see that it passes.

Made-up names stand for people's names. Read it before you commit it: whatever people say of themselves in words of
their own, no program can know. With --hide you name what else has to go.

example:
  botkit record concierge Uc7e3c4a1b2d94f5e8a6b7c8d9e0f1a2b --name "asks about breakfast twice"
  botkit record companion Ca56f9463e7d84c0b9a1d2e3f4a5b6c7d --limit 20 --hide "Yoshi's bar" --print
"""

import logging
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from botkit.cli import check
from botkit.cli.folder import bots_folder, unknown_bots
from botkit.cli.history import MOST, conversation_id, lines_of, nothing_there
from botkit.cli.printing import printable
from botkit.cli.reading import add_stack_argument, services_of
from botkit.cli.scenarios.cases import own_code_of
from botkit.errors import SpecError
from botkit.messages import ChatKind, Message
from botkit.ports import Conversation
from botkit.scenarios.file.loader import SUFFIX
from botkit.scenarios.file.scenario import Scenario
from botkit.scenarios.file.values import name_fault
from botkit.scenarios.parallel import play_all
from botkit.scenarios.performance import Case
from botkit.scenarios.results import Result
from botkit.scenarios.transcripts.appending import TestFile, append, read_tests, unique
from botkit.scenarios.transcripts.disguise import Disguise
from botkit.scenarios.transcripts.draft import Draft
from botkit.scenarios.transcripts.fitting import Fitted, Play, fit, with_context
from botkit.scenarios.transcripts.handwriting import handwritten
from botkit.scenarios.transcripts.transcript import transcribe
from botkit.spec.bot import BotSpec
from botkit.spec.files import shown_path
from botkit.spec.loader import load_file
from botkit.steps.groups import Groups
from botkit.steps.reply import Reply

LONGEST_TITLE = 60
"""Characters of a name that is made of the first message."""
MOST_TOLD = 3
"""Turns of which it is told that they do not come as they did."""


@dataclass(frozen=True, slots=True)
class _Recording:
    """What is to be written, and what is to be told of it."""

    fitted: Fitted
    replaced: Sequence[str]
    careful: int
    left_out: int


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_stack_argument(parser)
    parser.add_argument("bot", metavar="BOT", help="the bot's name")
    parser.add_argument("conversation", metavar="CONVERSATION", type=conversation_id, help="whose or which: see above")
    parser.add_argument("--limit", metavar="N", type=_limit, default=50, help="its newest N lines (default: 50)")
    parser.add_argument("--name", metavar="WORDS", type=_name, help="the scenario's name; by default the first message")
    parser.add_argument(
        "--hide", metavar="WORD", action="append", default=[], help="replace this name, too; may be given several times"
    )
    parser.add_argument("--print", action="store_true", help="print it, and write nothing")


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Write it; 1 where nothing is kept, 2 where there is no such bot. Raises SpecError, DeployError, StoreError."""
    folder, errors = bots_folder(environ), Console(stderr=True, highlight=False, emoji=False)
    if missing := unknown_bots(folder, [options.bot]):
        check.report(errors, missing)
        return 2
    tests = _tests(folder / f"{options.bot}{SUFFIX}", readable=not options.print)
    said = _said(options, environ)
    with own_code_of(folder):
        bot, problems = load_file(_file_of(folder, options.bot))
        if bot is None:
            raise SpecError(problems)
        recording = _recorded(options, bot, said, tests)
    if recording is None:
        why = "remembers nothing" if not said else "remembers only answers, and no question,"
        told = f"{options.bot} {why} of {options.conversation}"
        cure = nothing_there(options.conversation)
        errors.print(Text.assemble(("botkit:", "bold red"), f" {printable(told)}: {cure}"), soft_wrap=True)
        return 1
    if options.print:
        print(handwritten(recording.fitted.draft), end="")  # noqa: T201  for a file or another program
        _tell(errors, recording, tests.path, written=False)
        return 0
    append(tests, recording.fitted.draft)
    _tell(Console(highlight=False, emoji=False), recording, tests.path, written=True)
    return 0


def _tests(path: Path, *, readable: bool) -> TestFile:
    """The test file; to look at a scenario it need not be right."""
    try:
        return read_tests(path)
    except SpecError:
        if readable:
            raise
        return TestFile(path, None)


def _said(options: Namespace, environ: Mapping[str, str]) -> Sequence[Message]:
    wired = services_of(options, environ)
    conversation = Conversation(options.bot, options.conversation)
    return lines_of(wired.store, conversation, options.limit, wired.clock.now())


def _file_of(folder: Path, name: str) -> Path:
    path = folder / f"{name}.yaml"
    return path if path.exists() else path.with_suffix(".yml")


def _recorded(options: Namespace, bot: BotSpec, said: Sequence[Message], tests: TestFile) -> _Recording | None:
    """The scenario, fitted to the bot as it is now; None where nobody has said anything."""
    kind, *ids = options.conversation.split(":")
    chat: ChatKind = kind
    draft = transcribe(said, chat, bot)
    if not draft.turns:
        return None
    disguise = Disguise(draft, ids, options.hide, _names_of(bot), _public(bot))
    disguised = disguise.draft()
    name = unique(options.name or _title(disguised, bot.name), tests.names)
    fitted = fit(with_context(replace(disguised, name=name)), bot.name, bot.file.parent, _player(bot.file.parent))
    kept = sum(bool(turn.deeds or turn.happening) for turn in fitted.draft.turns if "pause" not in turn.happening)
    return _Recording(fitted, disguise.told(), disguise.careful, len(draft.turns) - kept)


def _names_of(bot: BotSpec) -> list[str]:
    """What the bot is called."""
    groups, reply = bot.step(Groups), bot.step(Reply)
    sender = reply.sender.name if reply else None
    return [bot.name, *(groups.names if groups else ()), *([sender] if sender else [])]


def _public(bot: BotSpec) -> str:
    """The bot's own words, in which names are nobody's secret."""
    try:
        return bot.file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _title(draft: Draft, bot: str) -> str:
    """The first text said to the bot, or said at all, as a scenario's name."""
    turns = sorted(draft.turns, key=lambda turn: turn.answer is None)
    texts = (deed for turn in turns for deed in turn.deeds if isinstance(deed, str))
    first = next(texts, "").strip()
    words = printable(" ".join((first.removeprefix(f"@{bot} ") or first).split()))
    short = words if len(words) <= LONGEST_TITLE else words[: LONGEST_TITLE - 1].rstrip() + "…"
    return short if short and name_fault(short) is None else "a conversation that was recorded"


def _player(folder: Path) -> Play:
    """Plays scenarios of one folder offline, without a word of what bots print and log."""

    def play(scenario: Scenario) -> Result:
        with _quiet():
            (result,) = play_all([Case(folder, scenario)], {}, 1, lambda *_: None)
        return result

    return play


@contextmanager
def _quiet() -> Iterator[None]:
    """What bots print goes to stderr, and what is logged nowhere: troubles are in the result."""
    log, silence = logging.getLogger("botkit"), logging.NullHandler()
    propagates = log.propagate
    log.addHandler(silence)
    log.propagate = False
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        log.propagate = propagates
        log.removeHandler(silence)


# ---------------------------------------------------------------- what is told


def _tell(console: Console, recording: _Recording, path: Path, *, written: bool) -> None:
    """Say what was written and replaced, what does not come as it did, and what is left to do."""
    draft, odd = recording.fitted.draft, recording.fitted.odd
    turns = f"{len(draft.turns)} turn{'' if len(draft.turns) == 1 else 's'}"
    verb = "is added to" if written else "would be added to"
    shown = printable(shown_path(path))
    lines = [Text.assemble(("“", ""), (printable(draft.name), "bold"), f"” ({turns}) {verb} {shown}.")]
    if recording.left_out:
        lines.append(Text(f"It has the newest turns; {recording.left_out} older ones are left out."))
    lines.append(Text(f"Replaced: {', '.join(recording.replaced) or 'nothing'}."))
    if recording.careful:
        lines.append(Text("A name is also an ordinary word, and replaced only where it is plainly a name.", "yellow"))
    if draft.kind == "user":
        lines.append(Text("How LINE calls this person is not kept in 1:1 chats: names were guessed from the texts."))
    for number, why in odd[:MOST_TOLD]:
        what = f"Turn {number}" if number else "The scenario"
        lines.append(Text(f"{what} does not come as it did: {printable(' '.join(why.split()))}", "yellow"))
    if len(odd) > MOST_TOLD:
        lines.append(Text(f"{len(odd) - MOST_TOLD} more turns do not come as they did.", "yellow"))
    lines.append(Text("Read it before you commit it: what else people tell of themselves is still in it.", "bold"))
    for line in lines:
        console.print(line, soft_wrap=True)


# ---------------------------------------------------------------- arguments


def _limit(written: str) -> int:
    if not re.fullmatch("[0-9]{1,4}", written) or not 1 <= int(written) <= MOST:
        raise ArgumentTypeError(f"{written[:40]!r} is not a number from 1 to {MOST}")
    return int(written)


def _name(written: str) -> str:
    name = written.strip()
    if fault := name_fault(name) or (None if name else "is empty"):
        raise ArgumentTypeError(f"{written[:40]!r} {fault}")
    return name
