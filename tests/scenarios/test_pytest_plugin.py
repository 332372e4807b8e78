"""`pytest bots/`: scenarios are tests like any other, and whoever has none of them notices nothing."""

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import botkit.cli.scenarios.items  # noqa: F401  loaded here, not anew in each run of pytest within
from botkit.models.tokens import count_tokens

pytest_plugins = ["pytester"]

BOT = "persona: You are the desk.\nmodel: gpt-4.1-mini\n"
CHECK_IN = """\
- name: tells when check-in is
  turns:
    - ken: when is check-in?
      model: From three.
      expect: {contains: three}
"""
BREAKFAST = """\
- name: tells of [breakfast]
  turns:
    - ken: and breakfast?
      model: At eight.
      expect: {contains: seven}
"""
LIVE = "- name: talks nicely\n  live: true\n  turns: [{ken: hello, expect: {contains: you}}]\n"
JUDGED = "- name: is kind\n  turns: [{ken: hello, model: Hi!, expect: {judge: greets the guest}}]\n"
OWN = """\
persona: You are the desk.
model: gpt-4.1-mini
pipeline:
  - reply
  - use: bots.steps.desk:Desk
  - persona
  - model
"""
DESK = """\
from botkit import Handler, Reply, Step, Turn
import hours


class Desk(Step):
    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        from bots.steps.words import NAME  # as late as can be

        return Reply.of(f"{NAME}, open at {hours.OPENS}")
"""
OPENS = "- name: tells when it opens\n  turns: [{ken: hello, expect: {equals: 'WHAT'}}]\n"

ALONE = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest"]  # what other plugins do takes most of the time

Pytester = pytest.Pytester


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BOTKIT_BOTS", "PYTEST_ADDOPTS", "FORCE_COLOR", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture(autouse=True, scope="module")
def _counting() -> None:
    """Read the encodings here, not anew in each run of pytest within."""
    count_tokens("gpt-4.1-mini", "hello")


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def bot(pytester: Pytester, *scenarios: str, name: str = "desk", **files: str) -> None:
    write(pytester.path / "bots", {f"{name}.yaml": BOT, f"{name}.test.yaml": "".join(scenarios), **files})


def run(pytester: Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(*ALONE, *arguments)


def test_each_scenario_is_a_test_named_as_it_is(pytester: Pytester) -> None:
    bot(pytester, CHECK_IN, BREAKFAST)
    result = run(pytester, "bots", "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["bots/desk.test.yaml::tells when check-in is PASSED*"])


def test_one_is_picked_by_words_and_by_its_whole_name(pytester: Pytester) -> None:
    bot(pytester, CHECK_IN, BREAKFAST)
    run(pytester, "bots", "-k", "check-in").assert_outcomes(passed=1, deselected=1)
    run(pytester, "bots/desk.test.yaml::tells of [breakfast]").assert_outcomes(failed=1)
    listed = run(pytester, "bots", "--collect-only", "-q")
    listed.stdout.fnmatch_lines(["bots/desk.test.yaml::tells when check-in is", "bots/desk.test.yaml::tells of *"])


def test_a_failure_is_told_as_a_chat_and_not_as_code(pytester: Pytester) -> None:
    bot(pytester, BREAKFAST)
    result = run(pytester, "bots")
    text = result.stdout.str()
    assert "and breakfast?" in text
    assert "At eight." in text
    assert re.search(r"at +bots/desk.test.yaml:5:\d+  contains", text)
    assert "Traceback" not in text
    assert ".py" not in text.partition("= FAILURES =")[2]
    result.stdout.re_match_lines([r"FAILED bots/desk.test.yaml::tells of \[breakfast\] - wanted .*seven.*"])


def test_where_a_test_stands_is_its_place_in_the_file(pytester: Pytester) -> None:
    bot(pytester, CHECK_IN, BREAKFAST)
    result = run(pytester, "bots", "--tb=line")
    result.stdout.re_match_lines([r"bots/desk.test.yaml:10: wanted "])
    items, _ = pytester.inline_genitems(*ALONE, "bots")
    assert [item.location[:2] for item in items] == [("bots/desk.test.yaml", 0), ("bots/desk.test.yaml", 5)]


def test_an_exception_of_an_own_step_fails_its_scenario(pytester: Pytester) -> None:
    step = DESK.replace("hours.OPENS", "1 // 0").replace("# as late as can be", "; print('heard of by the step')")
    files = {"steps/desk.py": step, "steps/words.py": "NAME = 'inn'\n", "../hours.py": "OPENS = 9\n"}
    bot(pytester, OPENS, **{"desk.yaml": OWN, **files})
    result = run(pytester, "bots")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ZeroDivisionError*bots/steps/desk.py:9*", "*heard of by the step*"])
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"desk.test.yaml": "- name: it\n  turns: [{ken: hi, expects: silent}]\n"}, "bots/desk.test.yaml:2:*expect*"),
        ({"desk.yaml": "persona: hi\nmodle: gpt-4.1\n"}, "bots/desk.yaml:2:1: *model*"),
        ({"desk.yaml": OWN}, "bots/desk.yaml:5:*bots.steps*cannot be imported*"),
        ({"desk.test.json": "{"}, "*desk.test.json*"),
    ],
)
def test_a_wrong_file_is_an_error_of_collection_with_its_problems(
    pytester: Pytester, files: dict[str, str], told: str
) -> None:
    bot(pytester, CHECK_IN, **files)
    result = run(pytester, "bots")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([told])
    assert "Traceback" not in result.stdout.str()
    assert ".py:" not in result.stdout.str()


def test_what_needs_a_real_model_is_skipped_and_told(pytester: Pytester) -> None:
    bot(pytester, CHECK_IN, LIVE)
    result = run(pytester, "bots", "-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED * bots/desk.test.yaml: it needs a real model: botkit test --live"])


def test_what_nobody_judges_is_told_and_fails_nothing(pytester: Pytester) -> None:
    bot(pytester, JUDGED)
    result = run(pytester, "bots", "-W", "error")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*not judged*", "bots/desk.test.yaml::is kind: greets the guest", "*--live*"])


def test_a_run_where_all_is_judged_says_nothing_of_it(pytester: Pytester) -> None:
    bot(pytester, CHECK_IN)
    run(pytester, "bots").stdout.no_fnmatch_line("*not judged*")


def test_reports_and_processes_of_their_own_work(pytester: Pytester) -> None:
    bot(pytester, CHECK_IN, BREAKFAST, LIVE, JUDGED)
    command = [sys.executable, "-m", "pytest", *ALONE, "-n1", "--junitxml=report.xml", "bots"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=pytester.path, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 2 passed, 1 skipped" in done.stdout
    assert "At eight." in done.stdout
    assert "greets the guest" in done.stdout
    cases = {case.get("name"): case for case in ElementTree.parse(pytester.path / "report.xml").iter("testcase")}
    assert set(cases) == {"tells when check-in is", "tells of [breakfast]", "talks nicely", "is kind"}
    failure = cases["tells of [breakfast]"].find("failure")
    assert failure is not None
    assert "seven" in (failure.text or "")
    assert "greets the guest" in ElementTree.tostring(cases["is kind"], "unicode")


def test_two_bots_folders_do_not_see_each_others_modules(pytester: Pytester) -> None:
    for place, name, opens in (("one", "Inn", 9), ("two", "Bar", 18)):
        files = {
            "bots/desk.yaml": OWN,
            "bots/desk.test.yaml": OPENS.replace("WHAT", f"{name}, open at {opens}"),
            "bots/steps/desk.py": DESK,
            "bots/steps/words.py": f"NAME = {name!r}\n",
            "hours.py": f"OPENS = {opens}\n",
        }
        write(pytester.path / place, files)
    # A test of the project has a third one, before them and after.
    before = "from bots.steps import words\n\ndef test_it():\n    words.SEEN = True\n"
    after = (
        "import sys\nfrom pathlib import Path\n\ndef test_it():\n    from bots.steps import words\n"
        "    assert (words.NAME, words.SEEN) == ('Own', True)\n"
        "    assert not {Path(place).name for place in sys.path} & {'one', 'two'}\n"
    )
    write(pytester.path, {"bots/steps/words.py": "NAME = 'Own'\n", "test_a.py": before, "test_b.py": after})
    path, modules = [*sys.path], {name for name in sys.modules if name.partition(".")[0] in ("bots", "hours")}
    result = run(pytester, "-o", "pythonpath=.", "test_a.py", "one", "two", "test_b.py")
    result.assert_outcomes(passed=4)
    assert sys.path == path
    assert {name for name in sys.modules if name.partition(".")[0] in ("bots", "hours")} == modules


@pytest.mark.parametrize(
    "files",
    [
        {"shop/deploy.yaml": "model: a car\nname: x\n", "shop/deploy.test.yaml": "- what: ever\n"},
        {"shop/other.test.yaml": "what: ever\n", "shop/desk.yaml": BOT},
        {"bots/deploy.yaml": "name: x\n", "bots/deploy.test.yaml": "what: ever\n"},
        {"bots/desk.yaml": BOT, "bots/_desk.test.yaml": "what: ever\n"},
    ],
)
def test_what_others_call_a_test_is_left_alone(pytester: Pytester, files: dict[str, str]) -> None:
    write(pytester.path, files)
    assert run(pytester).ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_slip_in_a_name_among_the_bots_is_told(pytester: Pytester) -> None:
    write(pytester.path, {"bots/desk.yaml": BOT, "bots/dsk.test.yaml": CHECK_IN})
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["bots/dsk.test.yaml: there is no bot dsk.yaml*desk.test.yaml*"])


def test_a_run_without_scenarios_loads_hardly_anything_of_botkit(pytester: Pytester) -> None:
    write(pytester.path, {"test_it.py": "def test_it():\n    pass\n"})
    code = f"import pytest, sys, json; pytest.main({ALONE}); print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=pytester.path, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "botkit.pytest_plugin" in loaded
    rooms = {name.split(".")[1] for name in loaded if name.startswith("botkit.")}
    assert rooms == {"pytest_plugin"}


def test_where_the_command_line_is_not_installed_only_scenarios_are_told_so(
    pytester: Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot(pytester, CHECK_IN)
    write(pytester.path, {"test_it.py": "def test_it():\n    pass\n"})
    for name in [name for name in sys.modules if name == "rich" or name.startswith(("rich.", "botkit.cli"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rich", None)
    run(pytester, "test_it.py").assert_outcomes(passed=1)
    result = run(pytester, "bots")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["desk.test.yaml cannot be played: rich*pip install 'botkit?dev?'"])
