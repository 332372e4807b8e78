"""Many cases at once: each has its result, whatever the process does that it is played in."""

import os
import py_compile
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier

import pytest

from botkit.scenarios.file.loader import load_tests
from botkit.scenarios.model.scripted import Mode
from botkit.scenarios.own_modules import OwnModules
from botkit.scenarios.parallel import play_all
from botkit.scenarios.performance import Case
from botkit.scenarios.results import Result
from tests.support.openai_server import Body, openai_server

PATIENCE = 5.0
STEP = """\
import os, signal
from pathlib import Path
from time import sleep
from botkit import Reply, Step, Text

class Wild(Step):
    def __call__(self, turn, call_next):
        match turn.text:
            case "leave": os._exit(3)
            case "crash": os.kill(os.getpid(), signal.SIGKILL)
            case "stay": sleep(3600)
            case "print": print("x" * 200_000)
            case "raise": raise ValueError("enough")
            case "where": return Reply((Text(f"{os.getpid()} {Path.cwd()} {os.environ.get('WILD')}"),))
        return call_next(turn)
"""
BOT = (
    "persona: hi\nmodel: gpt-4.1-mini\npipeline: [reply, {use: 'bots.steps.wild:Wild'}, persona, model]\n"
    "reply: {error: Something failed.}\n"
)


@pytest.fixture
def bots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A bots folder, named as from its parent, with a bot that does what it is told."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bots" / "steps").mkdir(parents=True)
    (tmp_path / "bots" / "steps" / "wild.py").write_text(STEP)
    (tmp_path / "bots" / "wild.yaml").write_text(BOT)
    with OwnModules(Path("bots")).at_hand():
        yield Path("bots")


def cases(bots: Path, *words: str, mode: Mode = "offline") -> list[Case]:
    turn = "- name: '{number} {word}'\n  turns: [{{hana: {word}, {model}expect: {{silent: false}}}}]\n"
    model = "model: fine, " if mode == "offline" else ""
    path = bots / "wild.test.yaml"
    path.write_text("".join(turn.format(number=number, word=word, model=model) for number, word in enumerate(words)))
    loaded = load_tests(path)
    assert not loaded.problems
    return [Case(bots, one, mode) for one in loaded.scenarios]


def played(given: list[Case], jobs: int, **environ: str) -> list[Result]:
    """The results, each of which was also told of once."""
    told: dict[int, Result] = {}
    results = play_all(given, environ, jobs, lambda number, one: told.update({number: one}), PATIENCE)
    assert results == [told[number] for number in range(len(given))]
    assert [one.scenario for one in results] == [case.scenario.name for case in given]
    return results


def why(result: Result) -> str:
    return "; ".join(one.came for one in result.all_failures)


def test_a_process_that_dies_or_never_ends_takes_one_scenario_with_it(bots: Path) -> None:
    words = ("hi", "leave", "hi", "crash", "stay", "hi", "print", "hi")
    results = played(cases(bots, *words), 2)
    assert [one.passed for one in results] == [word in ("hi", "print") for word in words]
    assert why(results[1]) == (
        "its process ended (exit code 3) in the middle of it; look for os._exit or the like in a step of your own"
    )
    assert why(results[3]).startswith("its process was killed by SIGKILL; look for a crash, or for too much memory")
    assert (
        why(results[4]) == "it was not done after 5 s and was stopped; look for what never ends in a step of your own"
    )
    assert results[4].seconds >= PATIENCE
    assert [one.place.line for one in results[1].failures] == [3]


def test_no_process_is_left_over_not_even_by_an_interrupt(bots: Path) -> None:
    def interrupt(number: int, result: Result) -> None:
        (said,) = result.turns[0].outcome.said
        workers.append(int(said.text.split()[0]))
        raise KeyboardInterrupt

    workers: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        play_all(cases(bots, "where", "stay", "stay"), {}, 2, interrupt)
    assert workers != [os.getpid()]
    with pytest.raises(ProcessLookupError):
        os.kill(workers[0], 0)


def test_own_steps_find_the_folder_and_the_environment_of_now(bots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WILD", "set since the processes' server was started")
    (result,) = played(cases(bots, "where"), 2)
    assert result.turns[0].outcome.answer.endswith(f"{Path.cwd()} {os.environ['WILD']}")


def test_an_own_step_is_played_as_it_was_saved_last(bots: Path) -> None:
    step = bots / "steps" / "wild.py"
    step.write_text(STEP.replace('f"{os.getpid()} {Path.cwd()}', 'f"one'))
    when = step.stat().st_mtime_ns
    py_compile.compile(str(step))
    # As long, and within one second: by Python's rule the old bytecode is that of the new source.
    step.write_text(STEP.replace('f"{os.getpid()} {Path.cwd()}', 'f"two'))
    os.utime(step, ns=(when, when))
    (result,) = played(cases(bots, "where"), 2)
    assert result.turns[0].outcome.answer.startswith("two")


def test_with_one_job_all_is_played_here(bots: Path) -> None:
    results = played(cases(bots, "where", "raise", "hi"), 1)
    assert results[0].turns[0].outcome.answer.startswith(f"{os.getpid()} ")
    assert [one.passed for one in results[1:]] == [False, True]


def test_a_wrong_bot_fails_its_scenarios(bots: Path) -> None:
    given = cases(bots, "hi")
    (bots / "wild.yaml").write_text("persona: hi\nmodle: x\n")
    (result,) = played(given, 1)
    assert why(result).startswith("the bot's file is wrong: bots/wild.yaml:1:1: `model` is missing")


def test_where_a_model_is_asked_several_wait_for_it_at_once(bots: Path) -> None:
    all_wait = Barrier(3, timeout=20)

    def answer(body: Body) -> str:
        all_wait.wait()
        return "Hello to you all."

    with openai_server() as server:
        for _ in range(3):
            server.say(answer)
        environ = {"OPENAI_API_KEY": server.key, "OPENAI_BASE_URL": server.url}
        results = played(cases(bots, "hi", "hi", "hi", mode="live"), 3, **environ)
        assert [one.answers for one in results] == [("Hello to you all.",)] * 3
