"""Plays cases: scenarios, each of a bot in some folder, with or without a real model."""

from collections import ChainMap
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from botkit.errors import SpecError
from botkit.ports import ChatModel
from botkit.scenarios.performance import Case, Performance
from botkit.scenarios.results import Result
from botkit.simulator.playground.switch import ModelSwitch
from botkit.spec.bot import BotSpec
from botkit.spec.loader import load_file
from botkit.wiring import SystemClock, services

if TYPE_CHECKING:
    from botkit.models.openai import OpenAIModel


class Player:
    """Plays cases, and keeps what they share: the bots as they were when first asked for, connections, secrets.

    Lives as long as a run, until it is closed; threads may share it. `environ` has the keys of real models.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._bots: dict[tuple[Path, str], BotSpec] = {}
        mine = {"BOTKIT_STORE": "memory:", "BOTKIT_QUEUE": ""}
        self._secrets = services(ChainMap(mine, dict(environ)), SystemClock()).secrets
        self._model: OpenAIModel | None = None
        self._building = Lock()

    def close(self) -> None:
        """End the connections to models."""
        if self._model is not None:
            self._model.close()

    def play(self, case: Case) -> Result:
        """Play one. What a bot or a scenario does wrong is in the result. Raises SpecError for a wrong bot file."""
        scenario = case.scenario
        if scenario.header.live and case.mode != "live":
            return Result(scenario.bot, scenario.name, scenario.place, skipped="it needs a real model: add --live")
        began = monotonic()
        real = None if case.mode == "offline" else ModelSwitch(self._real(), self._environ)
        performance = Performance(case, self._bot(case), real, self._secrets)
        return replace(performance.result(), seconds=monotonic() - began)

    def _real(self) -> ChatModel:
        with self._building:
            if self._model is None:
                # On demand: most runs are offline, and the SDK takes most of a second.
                self._model = import_module("botkit.models.openai").OpenAIModel(SystemClock())
            return self._model

    def _bot(self, case: Case) -> BotSpec:
        key = case.folder, case.scenario.bot
        if key not in self._bots:
            bot, problems = load_file(case.folder / f"{case.scenario.bot}.yaml")
            if bot is None:
                raise SpecError(problems)
            self._bots[key] = bot
        return self._bots[key]


def play(case: Case, environ: Mapping[str, str]) -> Result:
    """One run of one case, by a player of its own. Raises SpecError where the bot's file is wrong."""
    with closing(Player(environ)) as player:
        return player.play(case)
