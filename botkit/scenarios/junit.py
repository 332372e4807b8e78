"""Results as JUnit XML, the report that CI systems read: a test suite for each bot, a test case for each run.

There is no standard; this keeps to what Jenkins, GitLab and GitHub's actions have in common (Jenkins: the XSD of its
JUnit plugin; GitLab: Unit test reports).
"""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from tempfile import NamedTemporaryFile
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from botkit.errors import Problem
from botkit.scenarios.results import Failure, Line, Result

# What cannot stand in XML, not even escaped (XML 1.0, section 2.2: Char), and what turns the direction of writing.
_REFUSED = re.compile("[^\t\n\x20-\x7e\x85\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(path: Path, results: Sequence[Result], problems: Sequence[Problem] = ()) -> None:
    """Write them to a file, whole or not at all, with the problems of files that could not be read. Raises OSError.

    The file's folder is made where it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    document = ElementTree(as_xml(results, problems))
    indent(document)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            document.write(file, "utf-8", xml_declaration=True)
            file.close()
            os.chmod(file.name, 0o666 & ~_umask())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def as_xml(results: Sequence[Result], problems: Sequence[Problem] = ()) -> Element:
    """`testsuites`, with one `testsuite` for each bot, in the order of the bots, and one for wrong files.

    A report that only leaves out what could not be read would be green.
    """
    root = Element("testsuites", {"name": "botkit", **_totals(results, len(problems))})
    if problems:
        _wrong(root, problems)
    for bot, of_bot in groupby(sorted(results, key=lambda one: one.bot), key=lambda one: one.bot):
        _suite(root, bot, list(of_bot))
    return root


def _wrong(root: Element, problems: Sequence[Problem]) -> None:
    suite = SubElement(root, "testsuite", {"name": "files", **_totals((), len(problems))})
    for one in problems:
        place = {"file": _kept(one.file), "line": str(one.line)}
        case = SubElement(suite, "testcase", {"classname": "files", "name": _kept(one.file), **place, "time": "0.000"})
        SubElement(case, "error", {"message": _kept(one.text), "type": "file"}).text = _kept(str(one))


def _suite(root: Element, bot: str, results: Sequence[Result]) -> None:
    suite = SubElement(root, "testsuite", {"name": _kept(bot), **_totals(results)})
    often, seen = Counter(result.scenario for result in results), Counter[str]()
    for result in results:
        seen[result.scenario] += 1
        run, of = seen[result.scenario], often[result.scenario]
        name = f"{result.scenario} (run {run} of {of})" if of > 1 else result.scenario
        _case(suite, name, result)


def _case(suite: Element, name: str, result: Result) -> None:
    place = {"file": _kept(result.place.file), "line": str(result.place.line)}
    case = SubElement(
        suite,
        "testcase",
        {"classname": _kept(result.bot), "name": _kept(name), **place, "time": f"{result.seconds:.3f}"},
    )
    if result.skipped:
        SubElement(case, "skipped", {"message": _kept(result.skipped)})
    elif failures := result.all_failures:
        found = SubElement(case, _element(result), {"message": _kept(_sentence(failures[0])), "type": _type(failures)})
        found.text = _kept("\n\n".join("\n".join(_told(one)) for one in failures))
        SubElement(case, "system-out").text = _kept("\n".join(_conversation(result)))


def _totals(results: Sequence[Result], problems: int = 0) -> dict[str, str]:
    kinds = Counter(_element(result) for result in results)
    return {
        "tests": str(len(results) + problems),
        "failures": str(kinds["failure"]),
        "errors": str(kinds["error"] + problems),
        "skipped": str(kinds["skipped"]),
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _element(result: Result) -> str:
    """What a result is to JUnit: an expectation that is not met is a failure, all else that goes wrong an error."""
    if result.skipped or not result.all_failures:
        return "skipped" if result.skipped else ""
    return "failure" if any(one.fault == "unmet" for one in result.all_failures) else "error"


def _type(failures: Sequence[Failure]) -> str:
    return _kept(failures[0].expectation or failures[0].fault)


def _sentence(failure: Failure) -> str:
    return f"wanted: {failure.wanted}; came: {failure.came}"


def _told(failure: Failure) -> Iterator[str]:
    place = failure.place
    option = f"{failure.expectation}: " if failure.expectation else ""
    yield f"{place.file}:{place.line}:{place.column}: {option}{_sentence(failure)}"
    yield from (f"    {line}" for line in failure.detail.splitlines())


def _conversation(result: Result) -> Iterator[str]:
    for turn in result.turns:
        yield from (_line(line) for line in turn.lines)
        yield from (f"  ✗ {_sentence(failure)}" for failure in turn.failures)


def _line(line: Line) -> str:
    buttons = "".join(f" [{label}]" for label in line.buttons)
    return f"-- {line.text} --" if line.kind == "system" else f"{line.who}: {line.text}{buttons}"


def _kept(text: str) -> str:
    """The text with what XML has no place for, and what could forge it, spelled out."""
    return _REFUSED.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def _umask() -> int:
    """What is taken from the permissions of new files. There is no way to read it but to set it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
