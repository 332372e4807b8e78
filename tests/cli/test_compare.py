"""`botkit compare`: the same scenarios on two versions of a bot, told side by side."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from botkit.cli.comparing.comparison import pairs
from botkit.cli.comparing.revision import Unreachable, take_out
from botkit.cli.comparing.view import show
from botkit.cli.main import main
from tests.support.openai_server import openai_server

BOT = "persona: You are the desk.\nmodel: gpt-4.1-mini\nevents: {follow: WELCOME}\nmedia: {image: see}\n"
TESTS = """\
- name: welcomes a new friend
  turns:
    - follow: hana
      expect: {contains: Welcome}
- name: tells when check-in is
  turns:
    - ken: when is check-in?
      model: From three.
      expect: {contains: three}
    - ken: {image: plan.gif}
      model: A plan.
"""
OWN = """\
persona: You are the desk.
model: gpt-4.1-mini
pipeline: [reply, use: bots.steps.desk:Desk, persona, model]
"""
DESK = """\
from botkit import Handler, Reply, Step, Turn
from bots.steps.words import WORDS

print("a step may print")


class Desk(Step):
    def __call__(self, turn: Turn, call_next: Handler) -> Reply:
        return Reply.of(WORDS)
"""
ASKED = "- name: is asked\n  turns: [{ken: hello, expect: {contains: seven}}]\n"

Files = Mapping[str, str]


def git(*arguments: str) -> str:
    name = ["-c", "user.name=Hana", "-c", "user.email=hana@example.com", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *name, *arguments], check=True, capture_output=True, text=True).stdout


def write(files: Files, folder: Path = Path()) -> None:
    for name, text in files.items():
        path = folder / "bots" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def commit(files: Files) -> None:
    write(files)
    git("add", "--all")
    git("commit", "--quiet", "--message", "Change the bots")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with nothing in it."""
    for name in [one for one in os.environ if one.startswith(("GIT_", "OPENAI_", "BOTKIT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("COLUMNS", "80")
    home = tmp_path / "inn"
    home.mkdir()
    monkeypatch.chdir(home)
    git("init", "--quiet")
    return home


def compared(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """The comparison of the bot `desk` as data, by the names of its scenarios."""
    assert main(["compare", "desk", "--json", *arguments]) == code, capsys.readouterr().err
    told = json.loads(capsys.readouterr().out)
    return {one["scenario"]: one for one in told["scenarios"]}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    assert main(["compare", "desk", *arguments]) == code
    return " ".join(capsys.readouterr().err.split())


# ---------------------------------------------------------------- both sides


def test_what_fails_now_and_passed_before_is_shown_turn_by_turn(capsys: pytest.CaptureFixture[str]) -> None:
    commit({"desk.yaml": BOT.replace("WELCOME", "Welcome to our inn!")})
    write({"desk.yaml": BOT.replace("WELCOME", "Hello to our inn!"), "desk.test.yaml": TESTS, "plan.gif": "GIF89a"})
    assert main(["compare", "desk", "--against", "HEAD"]) == 1
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(cell_len, lines)) <= 80
    text = "\n".join(lines)
    assert re.search(r"welcomes a new friend +passed → failed", text)
    assert re.search(r"tells when check-in is +passed +[0-9,]+ +2 ", text)
    assert "    before desk › [-Welcome-] to our inn!\n    now    desk › {+Hello+} to our inn!\n" in text
    assert "fails now: " in text
    assert "1 of 2 with the same answers and the same outcome" in text
    assert lines[-1] == "1 worse"
    assert git("status", "--porcelain", "--ignored").splitlines() == [
        " M bots/desk.yaml",
        "?? bots/desk.test.yaml",
        "?? bots/plan.gif",
    ]


def test_each_side_has_its_own_steps_and_files_of_a_revision_are_named_as_git_does(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(home))
    step = DESK.replace("WORDS)", "WORDS + 1)")
    commit({"desk.yaml": OWN, "steps/desk.py": step, "steps/words.py": "WORDS = 'At eight.'\n"})
    write({"steps/desk.py": DESK, "steps/words.py": "WORDS = 'At seven.'\n", "desk.test.yaml": ASKED})
    found = compared(capsys, "--against", "HEAD")["is asked"]
    assert found["change"] == "better"
    assert [found[side]["outcome"] for side in ("before", "now")] == ["failed", "passed"]
    assert "HEAD:bots/steps/desk.py:9" in json.dumps(found["before"]["failures"])
    assert found["now"]["failures"] == []


def test_a_folder_can_stand_for_what_was_and_is_left_as_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = {"desk.yaml": OWN, "steps/desk.py": DESK, "steps/words.py": "WORDS = 'At seven.'\n"}
    write(files, tmp_path / "then")
    write({**files, "steps/words.py": "WORDS = 'At eight.'\n", "desk.test.yaml": ASKED})
    found = compared(capsys, "--against", str(tmp_path / "then"), code=1)["is asked"]
    assert found["change"] == "worse"
    (turn,) = found["differing_turns"]
    assert [turn[side][-1]["text"] for side in ("before", "now")] == ["At seven.", "At eight."]
    assert sorted(path.name for path in (tmp_path / "then").rglob("*")) == [
        *("bots", "desk.py", "desk.yaml", "steps", "words.py"),
    ]


def test_with_a_real_model_how_often_it_passes_is_compared(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with openai_server() as server:
        monkeypatch.setenv("OPENAI_API_KEY", server.key)
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        for _ in range(8):
            server.say(lambda body: "At seven." if "late" in body["messages"][0]["content"] else "At eight.")
        commit({"desk.yaml": "persona: Be early.\nmodel: gpt-4.1-mini\n"})
        write({"desk.yaml": "persona: Be late.\nmodel: gpt-4.1-mini\n", "desk.test.yaml": ASKED})
        found = compared(capsys, "--against", "main", "--live", "--times", "4")["is asked"]
    assert found["change"] == "better"
    assert [found[side]["passed"] for side in ("before", "now")] == [0, 4]
    assert found["chance"] < 0.05
    assert found["now"]["model_calls"] == 1
    assert found["now"]["cost_usd"] > 0


# ---------------------------------------------------------------- what cannot be compared


def test_what_cannot_be_compared_is_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"inn.yaml": BOT}, tmp_path / "other")
    commit({"inn.yaml": BOT})
    write({"desk.yaml": BOT, "desk.test.yaml": TESTS, "plan.gif": "GIF89a"})
    assert "git knows no revision nowhere, and there is no such folder" in refused(capsys, "--against", "nowhere")
    assert "'--output=x' is no revision" in refused(capsys, "--against=--output=x")
    assert "there is no bot desk in HEAD" in refused(capsys, "--against", "HEAD")
    assert "there is no bot desk in" in refused(capsys, "--against", str(tmp_path / "other"))
    assert "holds no bots" in refused(capsys, "--against", str(tmp_path))
    assert "--times needs a real model" in refused(capsys, "--against", "HEAD", "--times", "2")
    assert "no scenario of desk has “supper”" in refused(capsys, "--against", "HEAD", "--only", "supper")
    monkeypatch.setenv("PATH", "")
    assert "git is not installed" in refused(capsys, "--against", "HEAD")
    assert sorted(path.name for path in Path().iterdir()) == [".git", "bots"]


def test_wrong_files_of_either_side_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    commit({"desk.yaml": "persona: hi\nmodle: gpt-4.1\n"})
    write({"desk.yaml": BOT, "desk.test.yaml": TESTS, "plan.gif": "GIF89a"})
    told = refused(capsys, "--against", "HEAD", code=1)
    assert "HEAD: its bot cannot be read by this version of botkit" in told
    assert "HEAD:bots/desk.yaml:2:1: " in told
    write({"desk.test.yaml": "- nme: it\n"})
    assert "bots/desk.test.yaml:1:" in refused(capsys, "--against", "HEAD", code=1)
    write({"desk.test.yaml": TESTS, "desk.test.json": "{"})
    assert refused(capsys, "--against", "HEAD", code=1).startswith("bots/desk.test.json:1:2: it is not JSON")


# ---------------------------------------------------------------- what git has


def test_files_are_as_git_keeps_them(home: Path, tmp_path: Path) -> None:
    git("config", "filter.loud.smudge", "sed s/desk/LOUD/")
    attributes = "*.yaml filter=loud\ndesk.yaml export-ignore\n"
    commit({"desk.yaml": BOT, "personas/desk.j2": "hi", ".gitattributes": attributes, "../handler.py": "pass\n"})
    write({"desk.yaml": "other", "late.yaml": BOT})
    folder = take_out("HEAD", Path("bots"), tmp_path / "out", os.environ)
    assert folder == tmp_path / "out" / "bots"
    files = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert files == {"desk.yaml": BOT, "personas/desk.j2": "hi", ".gitattributes": attributes}


def test_links_out_of_the_folder_and_submodules_are_left_out(home: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    write({"desk.yaml": BOT, "a/b/hi.j2": "hi"})
    links = {"in": "a/b", "out": str(tmp_path / "secret"), "up": ".."}
    for name, target in links.items():
        Path("bots", name).symlink_to(target)
    commit({})
    git("update-index", "--add", "--cacheinfo", f"160000,{git('rev-parse', 'HEAD').strip()},bots/module")
    git("commit", "--quiet", "--message", "Add a module")
    folder = take_out("HEAD", Path("bots"), tmp_path / "out", os.environ)
    assert sorted(path.name for path in folder.iterdir()) == ["a", "desk.yaml", "in"]
    assert (folder / "in" / "hi.j2").read_text() == "hi"


def test_a_hook_that_asks_is_answered_from_the_folder(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit({"desk.yaml": BOT})
    monkeypatch.setenv("GIT_DIR", ".git")  # as git sets it for its hooks
    assert (take_out("HEAD", Path("bots"), tmp_path / "out", os.environ) / "desk.yaml").read_text() == BOT


@pytest.mark.parametrize(
    "revision", ["-h", "--help", "", " ", "HEAD\n", "HEAD..HEAD", "HEAD:bots", "HEAD^{tree}", "@{9}"]
)
def test_what_names_no_commit_is_refused(revision: str, home: Path, tmp_path: Path) -> None:
    commit({"desk.yaml": BOT})
    with pytest.raises(Unreachable, match=r"revision|git says: log"):
        take_out(revision, Path("bots"), tmp_path / "out", os.environ)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_git_does_not_keep_is_told(home: Path, tmp_path: Path) -> None:
    commit({"desk.yaml": BOT})
    (home / "new").mkdir()
    with pytest.raises(Unreachable, match="HEAD holds no folder new"):
        take_out("HEAD", Path("new"), tmp_path / "out", os.environ)
    with pytest.raises(Unreachable, match="is not kept with git; name a folder"):
        take_out("HEAD", tmp_path, tmp_path / "out", os.environ)


# ---------------------------------------------------------------- what is seen


def ran(outcome: str, answer: str = "", fault: str = "unmet", name: str = "it", **figures: Any) -> Any:
    """A run, as `botkit test --json` shows it."""
    why = {"wanted": "w", "came": "c", "expectation": "contains", "detail": ""}
    failure = {**why, "fault": fault, "file": "f", "line": 7}
    person = {"kind": "person", "who": "Ken", "text": "hi", "via": None, "buttons": []}
    said = {"kind": "bot", "who": "desk", "text": answer, "via": "reply", "buttons": []}
    turn = {"turn": 1, "conversation": [person, *([said] if answer else [])], "failures": []}
    told = {"scenario": name, "file": "f", "line": 3, "outcome": outcome, "turns": [turn], "failures": []}
    failed = {"failures": [failure]} if outcome == "failed" else {}
    return {**told, "model_calls": 1, "input_tokens": 9, "output_tokens": 1, "cost_usd": 0.0, **failed, **figures}


def drawn(before: Any, now: Any, width: int = 80, *, terminal: bool = False) -> str:
    page = StringIO()
    system = "truecolor" if terminal else None
    console = Console(file=page, width=width, force_terminal=terminal, color_system=system, highlight=False)
    show(console, "main", pairs(before, now), live=False)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines())


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        ([ran("passed")], [ran("failed")], "worse"),
        ([ran("failed")], [ran("passed")], "better"),
        ([ran("failed")], [ran("failed")], "same"),
        ([ran("passed")], [ran("failed", fault="stale")], "open"),
        ([ran("failed", fault="stale")], [ran("passed")], "open"),
        ([ran("failed", fault="unrecorded")], [ran("failed")], "open"),
        ([ran("skipped")], [ran("skipped")], "open"),
        ([ran("passed")] * 10, [ran("passed")] * 8 + [ran("failed")] * 2, "same"),
        ([ran("passed")] * 10, [ran("passed")] * 2 + [ran("failed")] * 8, "worse"),
        ([ran("passed")] * 2, [ran("failed")] * 2, "same"),
    ],
)
def test_a_change_is_one_where_it_is_more_than_chance(before: Any, now: Any, change: str) -> None:
    assert [pair.change for pair in pairs(before, now)] == [change]


def test_two_versions_stand_beside_each_other_where_there_is_room() -> None:
    before, now = [ran("passed", "From three. Welcome!")], [ran("passed", "From four. Welcome!")]
    wide = drawn(before, now, 120).splitlines()
    (line,) = [line for line in wide if "│" in line and "desk" in line]
    assert [part.strip() for part in line.split("│")] == [
        "desk › From [-three-]. Welcome!",
        "desk › From {+four+}. Welcome!",
    ]
    assert line.index("│") == next(other.index("│") for other in wide if "before" in other and "│" in other)
    assert "│" not in drawn(before, now, 80)


def test_marks_are_styles_where_there_are_any_and_signs_where_not() -> None:
    before, now = [ran("passed", "午後三時です。")], [ran("passed", "午後四時です。")]
    assert "午後[-三-]時です。" in drawn(before, now)
    assert "午後{+四+}時です。" in drawn(before, now)
    assert "\x1b[1;4;31m三\x1b[0m" in drawn(before, now, terminal=True)


def test_silence_is_told() -> None:
    assert "(silent)" in drawn([ran("passed", "Hello.")], [ran("failed")])


def test_nothing_that_was_said_steers_the_terminal() -> None:
    name = "n\x1b]0;x\x07"
    text = drawn([ran("passed", "a\x1b[2Jb", name=name)], [ran("passed", "\u202ec", name=name)])
    assert not set(text) & {"\x1b", "\x07", "\u202e"}
    assert "[-a\\x1b[2Jb-]" in text
    assert "{+\\u202ec+}" in text


def test_rates_are_told_with_their_intervals() -> None:
    before = [ran("passed", "a")] * 10
    text = drawn(before, [ran("passed", "a")] * 8 + [ran("failed", "b")] * 2)
    assert "10/10 → 8/10" in text
    assert "before 10 of 10 passed" in text
    assert "may be chance" in text
    assert "nothing is worse" in text


def test_what_is_the_same_takes_one_line() -> None:
    text = drawn(
        [ran("passed", "a", name=str(number)) for number in range(9)],
        [ran("passed", "a", name=str(number)) for number in range(9)],
    )
    assert "9 of 9 with the same answers" in text
    assert "desk ›" not in text


def test_stale_recordings_are_told_with_the_cure() -> None:
    text = drawn([ran("passed", "a")], [ran("failed", fault="stale")])
    assert "passed → stale" in text
    assert "add --live" in " ".join(text.split())


def test_what_is_said_without_a_models_answer_is_not_passed_off_as_the_bots() -> None:
    now = ran("failed", "Sorry, something went wrong.", fault="stale")
    text = drawn([ran("passed", "a")], [now])
    assert "now: not known, because" in text
    assert "Sorry" not in text
