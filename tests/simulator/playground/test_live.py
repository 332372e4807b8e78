"""The bots folder while it is edited: a change takes effect with the next message."""

import logging
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest

from botkit.simulator.playground.glance import Glance
from botkit.simulator.playground.live import LiveShelf
from botkit.spec.bot import BotSpec
from botkit.spec.loader import load_folder
from tests.simulator.playground.workshop import KIND, Workshop, workshop

STEP = """
from botkit import Reply, Step
class Own(Step):
    def __call__(self, turn, call_next):
        return Reply.of("{word}")
"""
OWN = KIND + "pipeline: [{use: bots.steps.own:Own}, persona, model]\n"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with workshop(tmp_path) as made:
        yield made


@pytest.fixture
def same_moment(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a file, as an editor does twice within one step of the file system's clock."""

    def write(path: Path, text: str) -> None:
        before = path.stat()
        path.write_text(text, "utf-8")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert path.stat().st_size == before.st_size

    return write


def texts(shelf: LiveShelf, name: str = "kind") -> list[str]:
    return [problem.text for problem in shelf.problems_of(name)]


def test_an_edit_takes_effect_with_the_next_message(shop: Workshop) -> None:
    assert "Persona: You are kind." in shop.say("hi")
    shop.write("kind.yaml", KIND.replace("kind.", "stern."))
    assert "Persona: You are stern." in shop.say("hi")
    assert shop.changes == ["changed"]


def test_an_edited_persona_takes_effect_with_the_next_message(shop: Workshop) -> None:
    shop.write("personas/deep/who.j2", "You are a cook.")
    shop.write("kind.yaml", "persona: {file: personas/deep/who.j2}\nmodel: gpt-4.1-mini\n")
    assert "You are a cook." in shop.say("hi")
    shop.write("personas/deep/who.j2", "You are a poet.")
    assert "You are a poet." in shop.say("hi")


def test_an_edit_of_what_a_bot_extends_takes_effect_with_the_next_message(shop: Workshop) -> None:
    shop.write("_base.yaml", KIND)
    shop.write("kind.yaml", "extends: _base.yaml\n")
    assert "You are kind." in shop.say("hi")
    shop.write("_base.yaml", KIND.replace("kind.", "calm."))
    assert "You are calm." in shop.say("hi")


def test_with_a_mistake_the_last_good_version_goes_on_and_the_mistake_is_told(shop: Workshop) -> None:
    shop.say("hi")
    shop.write("kind.yaml", "persona: You are new.\nmodle: gpt-4.1-mini\n")
    assert "You are kind." in shop.say("hi")
    assert shop.shelf.is_stale("kind")
    assert not shop.shelf.is_broken("kind")
    assert shop.shelf.problems == load_folder(shop.folder).problems != ()
    shop.write("kind.yaml", KIND.replace("kind.", "mended."))
    assert "You are mended." in shop.say("hi")
    assert shop.shelf.problems == ()
    assert not shop.shelf.is_stale("kind")


def test_a_bot_that_never_was_right_is_answered_503(shop: Workshop) -> None:
    shop.say("hi")
    shop.write("new.yaml", "persona: [\n")
    assert shop.post("new", shop.last) == 503
    assert shop.shelf.is_broken("new")
    assert not shop.shelf.is_stale("new")
    assert shop.shelf.names == ("kind", "new")


def test_a_new_file_is_a_new_bot_and_one_removed_is_gone(shop: Workshop) -> None:
    shop.write("new.yaml", KIND)
    shop.shelf.look()
    assert "I heard “hello”" in shop.say("hello", "new")
    (shop.folder / "new.yaml").unlink()
    assert shop.shelf.find("new") is None
    assert shop.post("new", shop.last) == 401
    assert not shop.shelf.is_broken("new")
    assert shop.shelf.names == ("kind", "new")  # what was said with it can still be shown


def test_a_file_that_is_wrong_and_then_removed_leaves_nothing(shop: Workshop) -> None:
    shop.write("kind.yaml", "modle: x\n")
    assert shop.shelf.find("kind") is not None
    (shop.folder / "kind.yaml").unlink()
    assert shop.shelf.find("kind") is None
    assert texts(shop.shelf) == []
    assert not shop.shelf.is_stale("kind")


def test_an_own_step_is_imported_anew(shop: Workshop) -> None:
    shop.write("steps/own.py", STEP.format(word="one"))
    shop.write("kind.yaml", OWN)
    assert shop.say("hi") == "one"
    shop.write("steps/own.py", STEP.format(word="another"))
    assert shop.say("hi") == "another"


def test_an_edit_of_the_same_size_in_the_same_moment_is_seen(shop: Workshop, same_moment: Any) -> None:
    """Python itself would take its bytecode, which is known by the second and the size, for up to date."""
    step = shop.write("steps/own.py", STEP.format(word="one"))
    shop.write("kind.yaml", OWN)
    assert shop.say("hi") == "one"
    for word in ("two", "six", "ten"):
        same_moment(step, STEP.format(word=word))
        assert shop.say("hi") == word


def test_a_write_that_shows_in_no_time_and_no_size_is_seen(tmp_path: Path) -> None:
    """As on a file system whose clock ticks every two seconds."""
    path = tmp_path / "kind.yaml"
    path.write_text("description: one\n")
    found = path.stat()
    before = Glance.at(path, found, None).settled()
    assert not Glance.at(path, found, before).differs(before)
    path.write_text("description: two\n")
    assert Glance.at(path, found, before).differs(before)


def test_a_file_that_has_settled_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "kind.yaml"
    path.write_text(KIND)
    os.utime(path, (old := time.time() - 3600, old))
    assert Glance.at(path, path.stat(), None).digest == b""


def test_bytecode_that_another_process_has_left_is_not_taken(shop: Workshop, same_moment: Any) -> None:
    step = shop.write("steps/own.py", STEP.format(word="old"))
    old = time.time() - 3600
    os.utime(step, (old, old))
    import_elsewhere = "import sys; sys.dont_write_bytecode = False; import bots.steps.own"
    assert os.spawnve(os.P_WAIT, sys.executable, [sys.executable, "-c", import_elsewhere], environ_at(shop.home)) == 0
    assert list(shop.folder.glob("steps/__pycache__/own*.pyc"))
    same_moment(step, STEP.format(word="new"))
    shop.write("kind.yaml", OWN)
    assert shop.say("hi") == "new"


def environ_at(home: Path) -> dict[str, str]:
    root = Path(__file__).parents[3]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": f"{home}{os.pathsep}{root}"}


def test_what_a_step_imports_is_imported_anew_too(shop: Workshop) -> None:
    shop.write("steps/words.py", "WORD = 'one'\n")
    shop.write("steps/own.py", STEP.format(word="x").replace('"x"', "WORD") + "from bots.steps.words import WORD\n")
    shop.write("kind.yaml", OWN)
    assert shop.say("hi") == "one"
    shop.write("steps/words.py", "WORD = 'another'\n")
    assert shop.say("hi") == "another"


def test_a_package_with_an_init_file_is_imported_anew_too(shop: Workshop) -> None:
    shop.write("__init__.py", "")
    shop.write("steps/__init__.py", "")
    shop.write("steps/own.py", STEP.format(word="one"))
    shop.write("kind.yaml", OWN)
    assert shop.say("hi") == "one"
    shop.write("steps/own.py", STEP.format(word="another"))
    assert shop.say("hi") == "another"


def test_the_steps_of_two_folders_of_one_name_are_not_mixed_up(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with workshop(tmp_path / name) as shop:
            shop.write("steps/own.py", STEP.format(word=name))
            shop.write("kind.yaml", OWN)
            assert shop.say("hi") == name


def test_a_step_used_later_is_the_folders_own_whatever_python_has_seen_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with workshop(tmp_path / name) as shop:
            shop.write("steps/own.py", STEP.format(word=name))
            shop.write("steps/first.py", STEP.format(word="first"))
            shop.write("kind.yaml", OWN.replace("own:", "first:"))
            assert shop.say("hi") == "first"
            monkeypatch.syspath_prepend(str(tmp_path))
            shop.write("kind.yaml", OWN)
            assert shop.say("hi") == name


def test_a_step_that_does_not_compile_is_a_problem_and_the_old_one_goes_on(shop: Workshop) -> None:
    shop.write("steps/own.py", STEP.format(word="one"))
    shop.write("kind.yaml", OWN)
    assert shop.say("hi") == "one"
    shop.write("steps/own.py", "def")
    assert shop.say("hi") == "one"
    (problem,) = shop.shelf.problems
    assert (problem.line, problem.text) == (3, texts(shop.shelf)[0])
    assert "`bots.steps.own` cannot be imported: SyntaxError" in problem.text
    shop.write("steps/own.py", STEP.format(word="mended"))
    assert shop.say("hi") == "mended"


def test_a_turn_in_progress_keeps_the_version_it_began_with(shop: Workshop) -> None:
    """Its step waits in the middle; the module is imported anew meanwhile."""
    slow = STEP.format(word="x").replace('return Reply.of("x")', "import sys; sys.began.set(); sys.go_on.wait(10)\n")
    shop.write("steps/own.py", slow + "        return Reply.of(WORD)\nWORD = 'old'\n")
    shop.write("kind.yaml", OWN)
    began, go_on = Event(), Event()
    vars(sys).update(began=began, go_on=go_on)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(shop.say, "hi")
        assert began.wait(10)
        shop.write("steps/own.py", STEP.format(word="new"))
        assert shop.shelf.look()
        go_on.set()
        assert answer.result(10) == "old"
    assert shop.say("hi") == "new"


def test_an_empty_folder_is_a_problem_that_heals(tmp_path: Path) -> None:
    (tmp_path / "bots").mkdir()
    shelf = LiveShelf(tmp_path / "bots", lambda bot: bot, lambda: None)
    assert [one.text for one in shelf.problems] == ["holds no bots; add one, such as hello.yaml"]
    (tmp_path / "bots" / "hello.yaml").write_text(KIND)
    assert list(shelf.all()) == ["hello"]
    assert shelf.problems == ()


def test_a_missing_folder_is_a_problem_that_heals(tmp_path: Path) -> None:
    shelf = LiveShelf(tmp_path / "bots", lambda bot: bot, lambda: None)
    assert [one.text for one in shelf.problems] == ["there is no such folder; make it and put a bot there"]
    assert shelf.find("hello") is None
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "hello.yaml").write_text(KIND)
    assert shelf.find("hello") is not None
    assert shelf.problems == ()


def test_a_file_saved_in_two_writes_is_read_again(shop: Workshop) -> None:
    path = shop.write("kind.yaml", "persona: You are ")
    assert "You are kind." in shop.say("hi")
    with path.open("a") as file:
        file.write("whole.\nmodel: gpt-4.1-mini\n")
    assert "You are whole." in shop.say("hi")


def test_the_files_that_editors_leave_beside_are_no_bots(shop: Workshop) -> None:
    (shop.folder / ".#kind.yaml").symlink_to("hana@machine.1234:1")  # Emacs locks a file so
    shop.write(".kind.yaml.swp", "x")
    shop.write("._kind.yaml", "x")
    shop.write("kind.yaml~", KIND)
    shop.shelf.look()
    assert shop.shelf.problems == ()
    assert shop.shelf.names == ("kind",)


def test_two_bots_of_one_account_are_a_problem_and_both_answer(shop: Workshop) -> None:
    line = "line: {channel_secret: env:S, channel_access_token: env:T}\n"
    shop.write("kind.yaml", KIND + line)
    shop.write("twin.yaml", KIND + line)
    assert "I heard" in shop.say("hi")
    assert "I heard" in shop.say("hi", "twin")
    assert shop.shelf.problems == load_folder(shop.folder).problems
    assert len(shop.shelf.problems) == 2
    assert not shop.shelf.is_stale("twin")
    assert not shop.shelf.is_stale("kind")


def test_nothing_is_reread_while_nothing_changes(tmp_path: Path) -> None:
    dressed: list[str] = []

    def dress(bot: BotSpec) -> BotSpec:
        dressed.append(bot.name)
        return bot

    (tmp_path / "kind.yaml").write_text(KIND)
    shelf = LiveShelf(tmp_path, dress, lambda: None)
    assert not shelf.look()
    shelf.all()
    assert dressed == ["kind"]


def test_each_problem_is_logged_once_for_each_change(shop: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "botkit.simulator.playground.live")
    shop.write("kind.yaml", "persona: hi\nmodle: x\n")
    for _ in range(3):
        shop.say("hi")
    shop.write("other.yaml", KIND)
    shop.say("hi")
    assert sum("modle" in record.message for record in caplog.records) == 1
    shop.write("kind.yaml", KIND)
    shop.shelf.look()
    shop.write("kind.yaml", "persona: hi\nmodle: x\n")
    shop.say("hi")
    assert sum("modle" in record.message for record in caplog.records) == 2


def test_a_look_at_fifty_bots_costs_little(tmp_path: Path) -> None:
    old = time.time() - 3600
    for number in range(50):
        for name in (f"bot{number}.yaml", f"bot{number}.j2"):
            (tmp_path / name).write_text(KIND)
            os.utime(tmp_path / name, (old, old))
    shelf = LiveShelf(tmp_path, lambda bot: bot, lambda: None)
    took = []
    for _ in range(20):
        began = time.perf_counter()
        assert not shelf.look()
        took.append(time.perf_counter() - began)
    assert min(took) < 0.01


def test_threads_that_look_at_once_find_the_new_version(tmp_path: Path) -> None:
    (tmp_path / "kind.yaml").write_text(KIND)
    changes: list[str] = []
    shelf, start = LiveShelf(tmp_path, lambda bot: bot, lambda: changes.append("x")), Barrier(8)

    def find(_: int) -> str:
        start.wait(10)
        bot = shelf.find("kind")
        return bot.description if bot else ""

    with ThreadPoolExecutor(8) as pool:
        for number in range(5):
            (tmp_path / "kind.yaml").write_text(f"{KIND}description: version {number}\n")
            assert set(pool.map(find, range(8))) == {f"version {number}"}
    assert len(changes) == 5


def test_a_step_that_ends_python_when_it_is_made_is_a_problem_and_not_the_end(shop: Workshop) -> None:
    shop.write("steps/own.py", STEP.format(word="ready"))
    shop.write("kind.yaml", OWN)
    assert shop.say("hi") == "ready"
    leaves = "import sys\nfrom pydantic import model_validator\n" + STEP.format(word="gone")
    shop.write(
        "steps/own.py", leaves + "    @model_validator(mode='after')\n    def leave(self):\n        sys.exit()\n"
    )
    assert shop.say("hi") == "ready"
    assert [problem.text for problem in shop.shelf.problems] == [
        "cannot be read anew: SystemExit, the terminal says where; mend what was saved last"
    ]
    shop.write("steps/own.py", STEP.format(word="mended"))
    assert shop.say("hi") == "mended"
    assert shop.shelf.problems == ()


def test_while_a_step_takes_for_ever_to_import_the_last_good_version_answers(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botkit.simulator.playground.live.LONGEST_WAIT", 0.01)
    shop.write("steps/own.py", STEP.format(word="ready"))
    shop.write("kind.yaml", OWN)
    assert shop.say("hi") == "ready"
    begun, go_on = Event(), Event()
    monkeypatch.setattr(sys, "held", (begun, go_on), raising=False)
    shop.write("steps/own.py", "import sys\nsys.held[0].set()\nsys.held[1].wait(30)\n" + STEP.format(word="late"))
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(shop.shelf.look)
        assert begun.wait(10)
        try:
            assert shop.say("hi") == "ready"
        finally:
            go_on.set()
        assert looking.result(10)
    assert shop.say("hi") == "late"
