"""The findings of an examination as a person sees them: a line for what is well, and the cure for what is not."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from botkit.cli.examination import USER_ID, Finding, Section, Severity, count, worst

STYLES: Final[dict[Severity, str]] = {"ok": "green", "warning": "yellow", "error": "bold red"}
_ABOUT: Final = 9
"""Cells of the widest word that things are named by."""


def draw(console: Console, sections: Sequence[Section]) -> None:
    """Print them, and how many findings there are to mend. A section with something to mend stands by itself."""
    width = max(len(section.name) for section in sections)
    wide = console.width if console.is_terminal else None
    apart = False
    for number, section in enumerate(sections):
        has_more = worst(section.findings) != "ok"
        if number and (apart or has_more):
            console.print()
        for line in _lines(section, width, wide):
            console.print(line, soft_wrap=True)
        apart = has_more
    for line in _nameless(sections, width):
        console.print(line, soft_wrap=True)
    findings = [one for section in sections for one in section.findings]
    console.print(Text("\n").append_text(_counts(findings)))


def _nameless(sections: Sequence[Section], width: int) -> Iterator[Text]:
    """The user ids that could be written into the files."""
    found = [(section.name, one.text) for section in sections for one in section.findings if one.about == USER_ID]
    if found:
        yield Text("\nWhich account a bot is, its file may say, in its `line:` section:", "dim")
    for name, user_id in found:
        yield Text.assemble((f"{name:{width}}", "bold"), f"  user_id: {user_id}")


def _lines(section: Section, width: int, wide: int | None) -> Iterator[Text]:
    """The section's name, how it is, and what it is; below it what is not well, with the cure."""
    state = worst(section.findings)
    fine = [one for one in section.findings if one.severity == "ok"]
    told = Text(" · ".join(one.brief for one in fine if one.brief), "dim" if state != "ok" else "")
    line = Text.assemble((f"{section.name:{width}}", "bold"), "  ", (f"{state:7}", STYLES[state]), "  ")
    line.append_text(_hung(told, wide, len(line)))
    line.rstrip()
    yield line
    for finding in section.findings:
        if finding.severity != "ok":
            about = Text.assemble("  ", (f"{finding.about:{_ABOUT}}", STYLES[finding.severity]), "  ")
            yield about.append_text(_hung(Text(finding.text), wide, len(about)))
        if finding.cure:
            arrow = Text(" " * (_ABOUT + 4) + "→ ")
            yield arrow.append_text(_hung(Text(finding.cure), wide, len(arrow)))


def _hung(text: Text, wide: int | None, place: int) -> Text:
    """The text in its column, broken between words where a person reads it; whole for `| grep`."""
    if wide is None:
        return text
    lines = text.wrap(Console(width=wide), max(wide - place, 20))
    for line in lines:
        line.rstrip()
    return Text("\n" + " " * place).join(lines)


def _counts(findings: Sequence[Finding]) -> Text:
    counts = [(count(findings, "error"), "to fix", "bold red"), (count(findings, "warning"), "to know", "bold yellow")]
    told = [Text(f"{number} {words}", style) for number, words, style in counts if number]
    return Text(", ").join(told) if told else Text("all is well", "bold green")
