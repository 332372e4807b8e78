"""Plays the scenarios of a bot on one version of it, in a process of its own: `python -m botkit.cli.comparing.side`.

Two versions of a module of the user's own have one name, so only one of them may be imported in a process.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from botkit.errors import BotkitError
from botkit.scenarios.file.loader import load_tests
from botkit.scenarios.file.scenario import Act, Scenario
from botkit.scenarios.model.recording_file import path_of, read
from botkit.scenarios.own_modules import OwnModules
from botkit.scenarios.parallel import play_all
from botkit.scenarios.performance import Case
from botkit.scenarios.results import as_json
from botkit.simulator.playground.settings import Settings
from botkit.spec.loader import load_file


def main(output: str) -> None:
    """Play what standard input asks for, and write what came of it to the file `output`, both as JSON."""
    Path(output).write_text(json.dumps(answer(json.load(sys.stdin)), ensure_ascii=False), "utf-8")


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """The runs of all scenarios, one after the other; or the problems of the bot's file; or why none could be played.

    `folder` is the bots folder, `tests` the file of the scenarios, which may lie elsewhere; `only` are the names of
    those to play, `times` how often each.
    """
    folder, tests = Path(request["folder"]), Path(request["tests"])
    with OwnModules(folder).at_hand():
        bot, problems = load_file(folder / request["bot"])
        if bot is None:
            return {"problems": [asdict(problem) for problem in problems]}
        try:
            cases = [case for case in _cases(folder, tests, request) for _ in range(request["times"])]
            results = play_all(cases, Settings(os.environ), request["jobs"], lambda _, __: None)
        except BotkitError as error:
            return {"error": str(error)}
    return {"runs": as_json(results)}


def _cases(folder: Path, tests: Path, request: Mapping[str, Any]) -> list[Case]:
    kept = read(path_of(tests))
    return [
        Case(folder, _with_files(one, tests.parent), request["mode"], kept.get(one.name, ()), request["judge"])
        for one in load_tests(tests).scenarios
        if one.name in request["only"]
    ]


def _with_files(scenario: Scenario, beside: Path) -> Scenario:
    """The scenario with its photos taken from beside its own file, whichever version is played."""
    return replace(scenario, acts=tuple(_act(act, beside) for act in scenario.acts))


def _act(act: Act, beside: Path) -> Act:
    deeds = [
        deed.model_copy(update={"image": str(beside.resolve() / deed.image)}) if isinstance(deed.image, str) else deed
        for deed in act.deeds
    ]
    return replace(act, deeds=tuple(deeds))


if __name__ == "__main__":
    main(*sys.argv[1:])
