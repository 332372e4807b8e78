"""Conflicts: what cannot be in a scenario because LINE has no such thing, or because it contradicts itself."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from botkit.scenarios.file.scenario import HAPPENINGS, Act, Deed, Expect, Header
from botkit.spec import document
from botkit.spec.problems import dotted

Found = Iterator[tuple[document.Path, str]]

_OF_GROUPS = ("join", "leave", "come", "go")
_OF_ANSWERS = ("contains", "matches", "equals", "via", "quick_replies", "language")
_OPPOSED = (("contains", "not"), ("prompt_has", "prompt_not"), ("history_has", "history_not"))


def of_act(act: Act, kind: str, folder: Path) -> Found:
    """What is wrong with a turn in a chat of this kind, by its options. Files are those of the bots folder."""
    yield from _of_happening(act, kind)
    privately = kind == "user" or act.turn.chat == "user"
    for number, deed in enumerate(act.deeds):
        option: document.Path = (act.speaker or "",)
        option = (*option, number) if (*option, number) in act.places else option
        yield from _of_deed(deed, option, "group" if kind == "group" and not privately else "user", folder)
    if act.turn.expect is not None:
        yield from of_expect(act.turn.expect)


def of_expect(expect: Expect) -> Found:
    """What an expectation says against itself, or that it says nothing."""
    said = expect.model_dump(by_alias=True, exclude_none=True)
    if not said:
        yield ("expect",), "expect: expects nothing; write what the bot should do, such as {contains: three}"
    quiet = "silent" if expect.silent else "messages" if expect.messages == 0 else None
    if quiet == "messages" and expect.silent is False:
        yield ("expect", "messages"), "expect.messages: 0 cannot be beside `silent: false`; remove one of them"
    for option in _OF_ANSWERS if quiet else ():
        if said.get(option):  # `quick_replies: []` says that there are none
            yield ("expect", option), f"expect.{option}: looks for an answer, and {_QUIET[quiet or '']}; remove one"
    if expect.silent and expect.messages:
        yield ("expect", "messages"), "expect.messages: says that the bot speaks, and `silent` that not; remove one"
    for wanted, unwanted in _OPPOSED:
        yield from _both(said, wanted, unwanted)


_QUIET = {"silent": "`silent: true` says that there is none", "messages": "`messages: 0` says that there is none"}


def of_whole(header: Header, acts: Sequence[Act]) -> Found:
    """What is wrong with a scenario as a whole: a name where there is none, a redelivery of nothing."""
    if header.chat.name is not None and header.chat.kind != "group":
        yield (
            ("chat", "name"),
            f"chat.name: only groups have one; write `kind: group`, not {header.chat.kind}, or remove it",
        )
    if header.expect is not None:
        yield from of_expect(header.expect)
    happened = False
    for number, act in enumerate(acts):
        if act.turn.redelivery and not happened:
            yield ("turns", number, "redelivery"), "redelivery: nothing was sent before; write it after a message"
        happened = happened or act.turn.pause is None


def _of_happening(act: Act, kind: str) -> Found:
    turn = act.turn
    for option in _OF_GROUPS if kind == "user" else ():
        if getattr(turn, option) is not None:
            yield (option,), f"{option}: nobody comes or goes in a 1:1 chat; write `chat: group` above the turns"
    if turn.chat is not None and act.speaker is None:
        word = next((one for one in HAPPENINGS if getattr(turn, one) is not None), "this")
        yield ("chat",), f"chat: says where somebody speaks; remove it beside `{word}`"
    elif turn.chat is not None and kind == "user":
        yield ("chat",), "chat: this scenario is 1:1 already; remove the line"


def _of_deed(deed: Deed, option: document.Path, kind: str, folder: Path) -> Found:
    if deed.edit is not None and kind != "group":
        yield (
            (*option, "edit"),
            f"{dotted((*option, 'edit'))}: LINE lets people edit in groups only; write `unsend: true`",
        )
    if isinstance(deed.image, str) and (fault := _file_fault(folder, deed.image)):
        yield (*option, "image"), f"{dotted((*option, 'image'))}: {fault}"


def _file_fault(folder: Path, name: str) -> str | None:
    """What is wrong with a file that should lie in the bots folder."""
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            return f"{name[:80]!r} is not in the bots folder; copy it there, and write its path from there"
        if not path.is_file():
            return f"there is no file {name[:80]!r} in the bots folder; its path counts from there, or write `true`"
    except (OSError, ValueError, RuntimeError):  # a name that no file can have, or links that go round in a circle
        return f"{name[:80]!r} cannot be a file; write a path in the bots folder, or `true`"
    return None


def _both(said: dict[str, Sequence[str]], wanted: str, unwanted: str) -> Found:
    """A text that holds another which must not be there."""
    for one in said.get(wanted, ()):
        for number, other in enumerate(said.get(unwanted, ())):
            if other.casefold() in one.casefold():
                text = f"expect.{unwanted}: {other[:60]!r} is in what `{wanted}` looks for; remove one"
                yield ("expect", unwanted, number), text
