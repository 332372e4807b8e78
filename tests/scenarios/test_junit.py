"""JUnit XML: a suite for each bot, a case for each run, and whatever was said well-formed and harmless."""

from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from botkit.ports import Usage
from botkit.scenarios.junit import write
from botkit.scenarios.results import Failure, Fault, Line, Outcome, Result, TurnResult
from botkit.spec.document import Place

PLACE = Place("bots/inn.test.yaml", 3, 3)


def failed(fault: Fault, came: str = "the answer was “From four.”", said: str = "From four.") -> Result:
    failure = Failure(
        fault, Place("bots/inn.test.yaml", 9, 16), "an answer with “three”", came, "contains", "more\nof it"
    )
    lines = (
        Line("system", "", "2h later"),
        Line("person", "Ken", "When?"),
        Line("bot", "inn", said, "reply", ("More",)),
    )
    turn = TurnResult(1, PLACE, lines, Outcome(usages=(Usage("m", 1, 1),)), (failure,))
    return Result("inn", "tells the time", PLACE, (turn,), seconds=1.25)


PASSED = Result("bar", "greets", Place("bots/bar.test.yaml", 1, 3), seconds=0.5)
SKIPPED = Result("inn", "is charming", PLACE, skipped="it needs a real model")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "reports" / "botkit.xml"


def written(report: Path, *results: Result) -> Element:
    write(report, results)
    return ElementTree.parse(report).getroot()


def test_each_bot_is_a_suite_with_its_figures(report: Path) -> None:
    root = written(report, failed("unmet"), PASSED, SKIPPED, failed("broken"))
    figures = [
        {name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped", "time")}
        for suite in (root, *root)
    ]
    assert root.tag == "testsuites"
    assert [suite.tag for suite in root] == ["testsuite", "testsuite"]
    assert figures == [
        {"name": "botkit", "tests": "4", "failures": "1", "errors": "1", "skipped": "1", "time": "3.000"},
        {"name": "bar", "tests": "1", "failures": "0", "errors": "0", "skipped": "0", "time": "0.500"},
        {"name": "inn", "tests": "3", "failures": "1", "errors": "1", "skipped": "1", "time": "2.500"},
    ]


def test_a_case_names_its_place_what_failed_and_how_the_conversation_went(report: Path) -> None:
    ((case,),) = written(report, failed("unmet"))
    assert case.attrib == {
        "classname": "inn",
        "name": "tells the time",
        "file": "bots/inn.test.yaml",
        "line": "3",
        "time": "1.250",
    }
    failure, conversation = case
    assert failure.attrib == {
        "message": "wanted: an answer with “three”; came: the answer was “From four.”",
        "type": "contains",
    }
    assert failure.text == (
        "bots/inn.test.yaml:9:16: contains: wanted: an answer with “three”; came: the answer was “From four.”\n"
        "    more\n    of it"
    )
    assert conversation.tag == "system-out"
    assert (conversation.text or "").splitlines() == [
        "-- 2h later --",
        "Ken: When?",
        "inn: From four. [More]",
        "  ✗ wanted: an answer with “three”; came: the answer was “From four.”",
    ]


@pytest.mark.parametrize(("fault", "tag"), [("unmet", "failure"), ("stale", "error"), ("broken", "error")])
def test_what_is_no_expectation_is_an_error(report: Path, fault: Fault, tag: str) -> None:
    ((case,),) = written(report, failed(fault))
    assert [child.tag for child in case] == [tag, "system-out"]


def test_several_runs_of_a_scenario_are_told_apart(report: Path) -> None:
    (suite,) = written(report, failed("unmet"), failed("unmet"), SKIPPED)
    assert [case.get("name") for case in suite] == [
        "tells the time (run 1 of 2)",
        "tells the time (run 2 of 2)",
        "is charming",
    ]


@pytest.mark.parametrize("char", ["\0", "\x1b", "\x7f", "\x9b", "\r", "\ud800", "\u202e", "\u2028", "\ufffe", "\uffff"])
def test_what_xml_cannot_hold_or_would_forge_it_is_spelled_out(report: Path, char: str) -> None:
    spelled = char.encode("unicode_escape").decode()
    ((case,),) = written(report, failed("unmet", f"a{char}b ]]> <x/> &amp;", f"c{char}d"))
    assert (case[0].get("message") or "").endswith(f"came: a{spelled}b ]]> <x/> &amp;")
    assert f"inn: c{spelled}d [More]" in (case[1].text or "")


def test_words_of_all_languages_stay(report: Path) -> None:
    ((case,),) = written(report, failed("unmet", "三時 👨‍👩‍👧 café שלום"))
    assert "三時 👨‍👩‍👧 café שלום" in (case[0].get("message") or "")


def test_a_report_that_cannot_be_written_leaves_the_old_one(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(report, PASSED)
    before = report.read_bytes()
    unwritable = Result("inn", "x" * 10, PLACE, seconds=float("nan"))
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        write(report, [unwritable])
    assert report.read_bytes() == before
    assert [path.name for path in report.parent.iterdir()] == ["botkit.xml"]
